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
#include "planning/grammar_rules.hpp"

namespace cohort {

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
};

/// A compiled query. Immutable; shared by all threads.
class locals_query {
 public:
  /// Fails with `ec::config_invalid` and the place of the mistake.
  [[nodiscard]] static expected<std::shared_ptr<const locals_query>> compile(const TSLanguage* grammar,
                                                                             std::string_view text);
  locals_query(const locals_query&) = delete;
  locals_query& operator=(const locals_query&) = delete;
  ~locals_query();

  [[nodiscard]] file_names names_in(TSNode root, std::string_view text) const;

 private:
  explicit locals_query(TSQuery* query);

  TSQuery* query_;
  std::vector<uint32_t> meanings_;  ///< Of each capture, by its index.
};

}  // namespace cohort
