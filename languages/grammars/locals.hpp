// Finds which names of a file are its own, by a language's locals.scm, which is a query in tree-sitter's form.
// docs/languages.md explains the captures.
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
  /// Uses of names that are defined at the file's top level, or nowhere in the file; in the order of the text.
  std::map<std::string_view, std::vector<text_range>> uses;
  /// Names that are defined at the top level or, in languages whose query opens no scopes, anywhere.
  std::set<std::string_view> defined;
  /// Definitions at the top level that reach others through a parameter of their name: fixtures.
  std::set<std::string_view> injectable;
  std::set<std::string_view> parameters;
  /// Names that may also occur where the query cannot decide what they mean: they must not be changed.
  std::set<std::string_view> pinned;
  /// The text is nested too deeply to decide what the names mean; then all of the above may be incomplete.
  bool tangled = false;
};

/// One query. Compiling takes some milliseconds, so it is compiled only for merging.
class locals_query {
 public:
  locals_query(const TSLanguage* grammar, std::string text) : grammar_(grammar), text_(std::move(text)) {}
  locals_query(const locals_query&) = delete;
  locals_query& operator=(const locals_query&) = delete;
  ~locals_query();

  /// To be called before `names_in`, once. Fails with `ec::config_invalid` and the position of the mistake.
  [[nodiscard]] expected<void> compile();

  /// May be called by any thread. Empty if the query is not compiled.
  [[nodiscard]] file_names names_in(TSNode root, std::string_view text) const;

 private:
  const TSLanguage* grammar_;
  std::string text_;
  TSQuery* query_ = nullptr;
  std::vector<uint32_t> meanings_;  ///< Of each capture, by its index.
};

}  // namespace cohort::languages
