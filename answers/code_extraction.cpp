// Extracts the code. Candidates are tried in the order of trust; a budget bounds how many bytes the parser sees.

#include "answers/code_extraction.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>
#include <boost/algorithm/string/case_conv.hpp>

#include "answers/merge.hpp"
#include "base/text.hpp"
#include "base/time_bound.hpp"

namespace cohort::answers {

namespace {

constexpr size_t most_parses = 64;              ///< Per answer.
constexpr size_t most_closings = 8;             ///< Closing fences that are tried for one block.
constexpr size_t most_pieces = 16;              ///< Merged into one file.
constexpr milliseconds longest_reading{6'000};  ///< Processor time of the parser for one answer.

/// Text with "\n" line ends, without byte order mark, well-formed.
std::string normalised(std::string_view answer) {
  std::string text;
  text.reserve(answer.size());
  for (size_t i = 0; i < answer.size(); ++i)
    if (answer[i] != '\r')
      text += answer[i];
    else if (i + 1 == answer.size() || answer[i + 1] != '\n')
      text += '\n';
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return is_utf8(text) ? text : to_valid_utf8(text);
}

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos;
}

/// Up to `count` leading blanks of each line removed: blocks inside lists are indented.
std::string dedented(std::string_view text, size_t count) {
  if (count == 0) return std::string{text};
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    auto line = text.substr(0, end);
    for (size_t i = 0; i < count && (line.starts_with(' ') || line.starts_with('\t')); ++i) line.remove_prefix(1);
    result += line;
    text.remove_prefix(end);
  }
  return result;
}

/// Removes blank lines around the code and ends it with one line break.
std::string tidied(std::string_view code) {
  const auto begin = code.find_first_not_of('\n');
  if (begin == std::string_view::npos) return {};
  // The first line's indentation stays: it belongs to the code.
  const auto end = code.find_last_not_of(" \t\n");
  if (end == std::string_view::npos || end < begin) return {};
  return std::string{code.substr(begin, end + 1 - begin)} + '\n';
}

/// Parses within a budget and remembers the first error in code that holds tests.
class candidate_checker {
 public:
  candidate_checker(const languages::language& lang, std::string_view target, size_t answer_bytes)
      : lang_(lang),
        target_(target),
        bytes_left_(std::min(8 * answer_bytes, answer_bytes + (1U << 19)) + (1U << 12)),
        looks_left_(32 * answer_bytes + (1U << 16)) {}

  /// The parser's report on `code`; nothing once the budget is used up.
  [[nodiscard]] std::optional<languages::syntax_report> look_at(std::string_view code) {
    if (code.empty() || parses_left_ == 0 || code.size() > bytes_left_) return std::nullopt;
    if (time_.over()) {
      give_up(fmt::format("reading it takes more than {} ms", time_.limit().count()));
      return std::nullopt;
    }
    --parses_left_;
    bytes_left_ -= code.size();
    auto report = languages::check_syntax(lang_, target_, code);
    if (report.gave_up)
      give_up(report.bound);
    else if (!report.ok && report.holds_test && !first_error_)
      first_error_ = report;
    return report;
  }

  /// True if `code` holds tests and parses.
  [[nodiscard]] bool accepts(std::string_view code) {
    const auto report = look_at(code);
    return report && report->ok && report->holds_test;
  }

  /// False once so many bytes were read that the answer must be hostile.
  [[nodiscard]] bool may_look_at(size_t bytes) noexcept {
    if (bytes > looks_left_) return false;
    looks_left_ -= bytes;
    return true;
  }

  [[nodiscard]] const std::optional<languages::syntax_report>& first_error() const noexcept { return first_error_; }

  /// The bound that the answer breaks, in words; empty if it breaks none.
  [[nodiscard]] const std::string& broken_bound() const noexcept { return broken_bound_; }

 private:
  void give_up(std::string bound) {
    broken_bound_ = std::move(bound);
    parses_left_ = 0;  // The text around it would take as long.
  }

  const languages::language& lang_;
  std::string_view target_;
  size_t parses_left_ = most_parses;
  size_t bytes_left_;
  size_t looks_left_;
  std::optional<languages::syntax_report> first_error_;
  std::string broken_bound_;
  time_bound time_{longest_reading};
};

enum class block_trust : uint8_t { tagged, untagged, other };

/// An opening fence with the lines that may close it.
struct block {
  block_trust trust = block_trust::untagged;
  size_t opening = 0;  ///< Index among the fences.
  size_t closing = 0;  ///< The first fence that can close the block; the number of fences if none can.
};

bool closes(const fence_line& line, const fence_line& opening) noexcept {
  return line.bare && line.mark == opening.mark && line.length >= opening.length &&
         line.indentation <= opening.indentation + 3;
}

block_trust trust_in(std::string_view tag, const languages::prompt_language& conventions) {
  if (tag.empty()) return block_trust::untagged;
  const auto known =
      std::find(conventions.fence_tags.begin(), conventions.fence_tags.end(), boost::to_lower_copy(std::string{tag}));
  return known == conventions.fence_tags.end() ? block_trust::other : block_trust::tagged;
}

std::vector<block> find_blocks(const std::vector<fence_line>& fences, const languages::prompt_language& conventions) {
  std::vector<block> blocks;
  size_t unclosed = 0;
  for (size_t i = 0; i < fences.size(); ++i) {
    block found{trust_in(fences[i].tag, conventions), i, i + 1};
    while (found.closing < fences.size() && !closes(fences[found.closing], fences[i])) ++found.closing;
    blocks.push_back(found);
    // After an opening that nothing closes, other blocks may be complete; only a few of these are tried.
    if (found.closing < fences.size())
      i = found.closing;
    else if (++unclosed == most_closings)
      break;
  }
  return blocks;
}

std::string body_of(std::string_view text, const std::vector<fence_line>& fences, size_t opening, size_t closing) {
  const auto begin = fences[opening].next;
  const auto end = closing < fences.size() ? fences[closing].begin : text.size();
  return tidied(dedented(text.substr(begin, end - begin), fences[opening].indentation));
}

/// The code of a block up to one of the fences that may close it.
struct closed_block {
  std::string code;
  size_t closing = 0;
  std::optional<languages::syntax_report> report;  ///< Nothing if the budget is used up.

  [[nodiscard]] bool parses() const noexcept { return report && report->ok; }
  [[nodiscard]] bool usable() const noexcept { return parses() && report->holds_test; }
};

closed_block close_at(std::string_view text, const std::vector<fence_line>& fences, const block& one, size_t closing,
                      candidate_checker& verdict) {
  const auto end = closing < fences.size() ? fences[closing].begin : text.size();
  closed_block made{{}, closing, {}};
  if (!verdict.may_look_at(end - fences[one.opening].next)) return made;
  made.code = body_of(text, fences, one.opening, closing);
  // The block is closed at the end of a line of code.
  if (const auto marks = made.code.rfind("```");
      closing == fences.size() && marks != std::string::npos && marks + 4 >= made.code.size())
    made.code = tidied(std::string_view{made.code}.substr(0, marks));
  made.report = verdict.look_at(made.code);
  return made;
}

/// The block up to its first closing fence. If that does not parse, because the first fence is part of a string, up to
/// a later one. If the block is never closed, up to the end.
std::optional<closed_block> usable(std::string_view text, const std::vector<fence_line>& fences, const block& one,
                                   candidate_checker& verdict) {
  const auto only_if_usable = [](closed_block found) {
    return found.usable() ? std::optional{std::move(found)} : std::nullopt;
  };
  const auto far = std::min(one.closing + 4 * most_closings, fences.size());
  size_t tried = 0;
  for (auto closing = one.closing; closing < far && tried < most_closings; ++closing) {
    if (!closes(fences[closing], fences[one.opening])) continue;
    // Code that parses is complete, whether it holds a test or not.
    if (auto found = close_at(text, fences, one, closing, verdict); found.parses())
      return only_if_usable(std::move(found));
    ++tried;
  }
  if (one.closing == fences.size()) return only_if_usable(close_at(text, fences, one, fences.size(), verdict));
  if (fences.size() > far && closes(fences.back(), fences[one.opening]))
    return only_if_usable(close_at(text, fences, one, fences.size() - 1, verdict));
  return std::nullopt;
}

std::unordered_set<std::string_view> telling_lines(std::string_view code) {
  std::unordered_set<std::string_view> lines;
  while (!code.empty()) {
    const auto end = std::min(code.find('\n'), code.size());
    auto line = code.substr(0, end);
    code.remove_prefix(std::min(end + 1, code.size()));
    const auto begin = line.find_first_not_of(" \t");
    if (begin != std::string_view::npos && line.size() - begin > 10) lines.insert(line.substr(begin));
  }
  return lines;
}

/// True if the other text has more than half of the smaller text's lines, too.
bool same_file(std::string_view a, std::string_view b) {
  auto small = telling_lines(a);
  auto large = telling_lines(b);
  if (small.size() > large.size()) std::swap(small, large);
  const auto shared = std::count_if(small.begin(), small.end(), [&](auto line) { return large.contains(line); });
  return static_cast<size_t>(shared) * 2 > small.size();
}

/// Later versions replace earlier ones, unless they are only excerpts. A block that is not a version of another is a
/// piece of the file.
void add_piece(std::vector<std::string>& pieces, std::string code) {
  for (auto& known : pieces)
    if (same_file(known, code)) {
      if (code.size() * 2 >= known.size()) known = std::move(code);
      return;
    }
  if (pieces.size() < most_pieces) pieces.push_back(std::move(code));
}

std::optional<std::string> best_of(std::string_view text, const std::vector<fence_line>& fences,
                                   const std::vector<block>& blocks, block_trust trust, const languages::language& lang,
                                   const languages::prompt_language& conventions, std::string_view target,
                                   candidate_checker& verdict) {
  std::vector<std::string> pieces;
  size_t done = 0;  // Fences below this index are inside a block that was used.
  for (const auto& one : blocks) {
    if (one.trust != trust || one.opening < done) continue;
    auto found = usable(text, fences, one, verdict);
    if (!found) continue;
    done = found->closing + 1;
    add_piece(pieces, std::move(found->code));
  }
  if (pieces.empty()) return std::nullopt;
  if (pieces.size() > 1)
    if (auto merged = join_pieces(lang, conventions, target, pieces); merged && verdict.accepts(*merged))
      return *merged;
  return *std::max_element(pieces.begin(), pieces.end(),
                           [](const auto& a, const auto& b) { return a.size() < b.size(); });
}

/// The beginning of the first line that can be the first line of a file; npos if there is none.
size_t first_code_line(std::string_view text, const languages::prompt_language& conventions) {
  for (size_t at = 0; at < text.size();) {
    const auto line = text.substr(at);
    for (const auto& start : conventions.code_starts)
      if (line.starts_with(start)) return at;
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return std::string_view::npos;
}

/// True if the text looks like sentences: no line has a character that is typical of code.
bool is_prose(std::string_view text) noexcept {
  return text.find_first_of("=;{}[]@#<>\"\\") == std::string_view::npos && text.find("()") == std::string_view::npos;
}

/// Code without fences around it, without the sentences before its first line and after its last line of code.
std::optional<std::string> bare_code(std::string_view text, const std::vector<fence_line>& fences,
                                     const languages::prompt_language& conventions, candidate_checker& verdict) {
  // A fence at the end without an opening, as if the opening got lost.
  if (!fences.empty() && fences.front().bare) text = text.substr(0, fences.front().begin);
  const auto begin = first_code_line(text, conventions);
  if (begin != std::string_view::npos && is_prose(text.substr(0, begin))) text.remove_prefix(begin);
  for (int cuts = 0; cuts < 4; ++cuts) {
    if (auto code = tidied(text); verdict.accepts(code)) return code;
    const auto paragraph = text.rfind("\n\n");
    if (paragraph == std::string_view::npos || !is_prose(text.substr(paragraph))) break;
    text = text.substr(0, paragraph);
  }
  return std::nullopt;
}

}  // namespace

std::vector<fence_line> find_fences(std::string_view text) {
  std::vector<fence_line> fences;
  for (size_t at = 0; at < text.size();) {
    const auto next = std::min(text.find('\n', at), text.size() - 1) + 1;
    auto line = text.substr(at, next - at);
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    const auto indentation = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(indentation);
    const char mark = line.empty() ? ' ' : line.front();
    const auto length = std::min(line.find_first_not_of(mark), line.size());
    if ((mark == '`' || mark == '~') && length >= 3 && line.find('`', length) == std::string_view::npos) {
      line.remove_prefix(length);
      const auto bare = line.empty();
      line.remove_prefix(std::min(line.find_first_not_of(" \t{."), line.size()));
      fences.push_back({at, next, indentation, mark, length, line.substr(0, line.find_first_of(" \t,:;{}")), bare});
    }
    at = next;
  }
  return fences;
}

expected<std::string> extract_code(std::string_view answer, const languages::language& lang,
                                   const languages::prompt_language& conventions, std::string_view target) {
  if (answer.size() > largest_answer)
    return fail(ec::answer_too_costly,
                fmt::format("the answer has {} bytes; at most {} are read", answer.size(), largest_answer));
  const auto text = normalised(answer);
  if (is_blank(text)) return fail(ec::empty_answer, "the answer holds no text; run the command again to ask once more");
  const auto fences = find_fences(text);
  const auto blocks = find_blocks(fences, conventions);
  candidate_checker verdict{lang, target, text.size()};
  for (const auto trust : {block_trust::tagged, block_trust::untagged, block_trust::other})
    if (auto code = best_of(text, fences, blocks, trust, lang, conventions, target, verdict)) return *code;
  if (!verdict.broken_bound().empty())
    return fail(ec::answer_too_costly,
                fmt::format("the answer's code breaks a bound of what is read: {}", verdict.broken_bound()));
  // Tests in a fenced block that do not parse are broken; to cut them until something parses would hide that.
  if (!verdict.first_error())
    if (auto code = bare_code(text, fences, conventions, verdict)) return *code;
  if (!verdict.broken_bound().empty())
    return fail(ec::answer_too_costly,
                fmt::format("the answer breaks a bound of what is read: {}", verdict.broken_bound()));
  const bool prose = fences.empty() && first_code_line(text, conventions) == std::string_view::npos;
  if (verdict.first_error() && !prose)
    return fail(ec::broken_code, fmt::format("the answer's code does not parse as {}: error at line {}, column {}",
                                             lang.name, verdict.first_error()->line, verdict.first_error()->column));
  return fail(ec::no_code, fmt::format("the answer holds no {} test: {}", lang.name, printable(text, 120)));
}

}  // namespace cohort::answers
