// Several answers that become one test file. The input's first line is the target; a line "=====" divides the parts.
// As in the program, only parts that parse and can share a file are merged; pieces need not be fit for that.
// Claims: the result is text of a bounded length and parses, and the parts of one text are that text.

#include <vector>

#include "answers/merge.hpp"
#include "base/text.hpp"
#include "languages/syntax/parser.hpp"
#include "tests/fuzz/languages.hpp"

namespace cohort::fuzz {

namespace {

std::vector<std::string> parts_of(std::string_view text, const languages::language& lang, std::string_view target) {
  constexpr std::string_view line = "\n=====\n";
  std::vector<std::string> parts;
  while (!text.empty() && parts.size() < 16) {
    const auto end = text.find(line);
    parts.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + line.size());
    const auto report = is_utf8(parts.back()) ? languages::check_syntax(lang, target, parts.back())
                                              : languages::syntax_report{.ok = false};
    if (!report.ok) parts.pop_back();
    if (report.gave_up) break;
  }
  return parts;
}

}  // namespace

void run(std::string_view input) {
  const auto whole = grown(input);
  std::string_view text = whole;
  const auto target = take_line(text);
  const auto& lang = all_languages().of(target);
  const auto& words = *all_languages().texts.language(lang.id);
  auto parts = parts_of(text, lang, target);
  if (const auto joined = answers::join_pieces(lang, words, target, parts)) {
    holds(is_utf8(*joined), "pieces are joined to text");
    holds(joined->size() <= 64 * (text.size() + 16), "it is not much longer than the pieces");
  }
  std::erase_if(parts,
                [&](const auto& part) { return !answers::why_not_mergeable(lang, words, target, part).empty(); });
  const auto merged = answers::merge_parts(lang, words, target, parts);
  holds(merged.has_value() == !parts.empty(), "parts can be merged");
  if (!merged) return;
  holds(is_utf8(*merged), "the result is text");
  // A name of one byte can become one of eight and more, in each place.
  holds(merged->size() <= 64 * (text.size() + 16), "the result is not much longer than its parts");
  const auto report = check_syntax(lang, target, *merged);
  holds(report.ok || report.gave_up, "the result parses");
  if (parts.size() > 1) return;
  holds(*merged == parts.front(), "one part stays as it is");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
