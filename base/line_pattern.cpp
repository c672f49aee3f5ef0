// Searches the whole text once with RE2, with an expression in which nothing may match a line break.

#include "base/line_pattern.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/text.hpp"

namespace cohort::inline base {

namespace {

constexpr size_t longest_expression = 500;
constexpr int64_t automaton_memory = 1 << 20;  ///< For RE2's automaton; a search that needs more is slower.

re2::StringPiece string_piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

line_pattern::line_pattern(std::unique_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
line_pattern::line_pattern(line_pattern&&) noexcept = default;
line_pattern& line_pattern::operator=(line_pattern&&) noexcept = default;
line_pattern::~line_pattern() = default;

expected<line_pattern> line_pattern::compile(const std::string& pattern) {
  if (pattern.size() > longest_expression)
    return fail(ec::config_invalid,
                fmt::format("'{}' is longer than {} bytes", printable(pattern, 100), longest_expression));
  re2::RE2::Options options{re2::RE2::Quiet};
  options.set_max_mem(automaton_memory);
  options.set_never_nl(true);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // A file need not be UTF-8.
  auto compiled = std::make_unique<const re2::RE2>("(?m)" + pattern, options);
  if (compiled->ok()) return line_pattern{std::move(compiled)};
  return fail(ec::config_invalid,
              fmt::format("'{}' is no regular expression: {}", printable(pattern), compiled->error()));
}

bool line_pattern::fits(std::string_view text) const { return re2::RE2::PartialMatch(string_piece(text), *compiled_); }

std::string line_pattern::first_group(std::string_view text) const {
  std::string found;
  if (compiled_->NumberOfCapturingGroups() > 0) re2::RE2::PartialMatch(string_piece(text), *compiled_, &found);
  return found;
}

}  // namespace cohort::inline base
