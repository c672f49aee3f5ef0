// Which names of a file are its own: a language's locals.scm, a query in tree-sitter's form, and what it finds.
// The captures are explained in docs/languages.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "languages/grammars/grammar_rules.hpp"

namespace cohort::languages {

/// Half-open, in bytes.
struct text_range {
  uint32_t begin = 0;
  uint32_t end = 0;
};

/// The names of one file. Views into its text.
struct file_names {
  /// Where a name stands for what the file's top level, or nobody in the file, defines; in the order of the text.
  std::map<std::string_view, std::vector<text_range>> uses;
  /// Names that are defined at the top level or, in languages whose query opens no scopes, anywhere.
  std::set<std::string_view> defined;
  /// Definitions at the top level that reach others through a parameter of their name: fixtures.
  std::set<std::string_view> injectable;
  std::set<std::string_view> parameters;
  /// Names that may also stand where the query cannot tell what they mean: they must not be changed.
  std::set<std::string_view> pinned;
  /// Too deeply nested to tell what the names stand for; then all of the above may be incomplete.
  bool tangled = false;
};

/// One query. Compiling takes some milliseconds, so only who merges does it.
class locals_query {
 public:
  locals_query(const TSLanguage* grammar, std::string text) : grammar_(grammar), text_(std::move(text)) {}
  locals_query(const locals_query&) = delete;
  locals_query& operator=(const locals_query&) = delete;
  ~locals_query();

  /// To be called before `names_in`, once. Fails with `ec::config_invalid` and the place of the mistake.
  [[nodiscard]] expected<void> compile();

  /// Any thread. Empty if the query is not compiled.
  [[nodiscard]] file_names names_in(TSNode root, std::string_view text) const;

 private:
  const TSLanguage* grammar_;
  std::string text_;
  TSQuery* query_ = nullptr;
  std::vector<uint32_t> meanings_;  ///< Of each capture, by its index.
};

}  // namespace cohort::languages
