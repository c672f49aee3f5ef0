// A model's answer of which a test file is made. The input's first line is the target, the rest is the answer.
// Claims: what is taken is well-formed code with a test in it, and no longer than the answer allows.

#include "answers/code_extraction.hpp"
#include "base/text.hpp"
#include "tests/fuzz/languages.hpp"

namespace cohort::fuzz {

void run(std::string_view input) {
  const auto whole = grown(input);
  std::string_view answer = whole;
  const auto target = take_line(answer);
  const auto& lang = all_languages().of(target);
  const auto* words = all_languages().texts.language(lang.id);
  holds(words != nullptr, "each language has a prompt");
  const auto code = answers::extract_code(answer, lang, *words, target);
  if (!code) {
    const auto why = code.error().code;
    holds(why == ec::empty_answer || why == ec::no_code || why == ec::broken_code || why == ec::answer_too_costly,
          "a refusal has one of four names");
    return;
  }
  holds(is_utf8(*code) && code->find('\r') == std::string::npos, "the code is well-formed text");
  holds(code->ends_with('\n') && !code->ends_with("\n\n"), "the code ends with one line break");
  // What is not UTF-8 becomes three bytes; merged pieces are renamed and spaced.
  holds(code->size() <= 3 * answer.size() + 4096, "the code is not longer than the answer allows");
  const auto report = check_syntax(lang, target, *code);
  holds(report.ok || report.gave_up, "the code parses");
  holds(report.holds_test || report.gave_up, "the code holds a test");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
