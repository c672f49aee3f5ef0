// The description of a language (language.json) and of its prompts (prompt.json) that somebody wrote. The input is
// taken once for the one and once for the other, in a configuration that is whole otherwise.
// Claim: a description is refused with a reason, or what it describes can be used.

#include <array>

#include "answers/code_extraction.hpp"
#include "base/files.hpp"
#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/parser.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

namespace {

namespace fs = std::filesystem;

/// A configuration with one language, of which two files are what the fuzzer says.
class configuration {
 public:
  configuration() : root_(fs::temp_directory_path() / ("cohort-fuzz-" + std::to_string(getpid()))) {
    const auto folder = root_ / "languages" / "python";
    fs::create_directories(folder);
    fs::copy(config_directory() / "prompts", root_ / "prompts", fs::copy_options::recursive);
    fs::copy_file(config_directory() / "languages" / "python" / "prompt.md", folder / "prompt.md");
    fs::create_symlink(language_.path(), folder / "language.json");
    fs::create_symlink(prompt_.path(), folder / "prompt.json");
    real_language_ = real("language.json");
    real_prompt_ = real("prompt.json");
  }
  configuration(const configuration&) = delete;
  configuration& operator=(const configuration&) = delete;
  ~configuration() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  [[nodiscard]] const fs::path& root() const { return root_; }
  void put_language(std::string_view text) const {
    language_.write(text);
    prompt_.write(real_prompt_);
  }
  void put_prompt(std::string_view text) const {
    language_.write(real_language_);
    prompt_.write(text);
  }

 private:
  static std::string real(const char* name) {
    return read_file(config_directory() / "languages" / "python" / name).value();
  }

  fs::path root_;
  memory_file language_;
  memory_file prompt_;
  std::string real_language_;
  std::string real_prompt_;
};

constexpr std::string_view sample =
    "import os\nfrom .cart import Cart as C\n\n\nclass Shop:\n    async def sell(self, item, *rest, count=1):\n"
    "        if item and count > 1 or not rest:\n            return [x for x in rest if x]\n\n\n"
    "@decorated\ndef total(a, b: int = 2):\n    while a:\n        a -= b\n    return C(a)\n";

void use(const languages::language_set& languages, const languages::prompt_texts* texts) {
  const auto& lang = *languages.all().front();
  (void)languages.by_path("a/b.py");
  for (const auto* path : {"shop.py", "tests/test_shop.py", "shop.ts"}) {
    const auto parsed = parse_file(lang, path, sample);
    holds(!parsed || parsed->file.complexity <= 10, "a complexity is within its scale");
    (void)top_level(lang, path, sample);
  }
  if (texts == nullptr) return;
  (void)texts->shared_prefix(lang, "pytest");
  if (const auto* words = texts->language(lang.id))
    (void)answers::extract_code("```python\n" + std::string{sample} + "```\n", lang, *words, "test_shop.py");
}

}  // namespace

void run(std::string_view input) {
  static const configuration config;
  config.put_language(input);
  if (const auto languages = languages::load_languages(config.root()))
    use(*languages, nullptr);
  else
    holds(!languages.error().message.empty(), "a refusal says why");
  config.put_prompt(input);
  static const auto python = languages::load_languages(config.root());
  holds(python.has_value(), "the real description can be loaded");
  if (const auto texts = load_prompt_texts(config.root(), *python))
    use(*python, &*texts);
  else
    holds(!texts.error().message.empty(), "a refusal says why");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
