// The begin of a merged test file: the first part's heading, imports and setup as it wrote them, and what later parts
// need besides. For .cpp files only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "answers/merge_part.hpp"

namespace cohort::answers {

/// Old name -> new name, within one part.
using rename_map = std::map<std::string, std::string, std::less<>>;

/// Tells apart what one name can stand for: the same for two imports of one thing.
[[nodiscard]] std::string meaning_of(const import_statement& one, const import_binding& binding);

class merged_head {
 public:
  /// How many of the part's statements make up its head: all up to its last import. Definitions among them belong to
  /// its body all the same.
  [[nodiscard]] static size_t length_in(const test_part& part) noexcept;

  /// Whether the statement belongs to the head, at `index` of a part whose head has this length.
  [[nodiscard]] static bool takes(const part_statement& one, size_t index, size_t length) noexcept;

  /// The first part's head, in its own layout. Call once, before `add`.
  void keep(const test_part& first, const rename_map& renames);

  /// The imports and setup of a later part, less what is there already.
  void add(const test_part& later, const rename_map& renames);

  /// One more name of a module, unless it is there.
  void add(const import_statement& one, const import_binding& binding);

  /// Without a line break at its end.
  [[nodiscard]] std::string text() const;

 private:
  struct line {
    std::string gap;
    std::string text;
    statement_kind kind = statement_kind::heading;
    std::vector<import_statement> imports;
    bool grown = false;  ///< `imports` say more than `text`.
  };

  /// What a later part brought: an import, or setup.
  struct addition {
    import_statement import;
    std::string setup;
  };

  /// One of `lines_` (then the import in it), or of `more_`.
  struct location {
    bool in_line = false;
    size_t at = 0;
    size_t import = 0;
  };

  void add(import_statement one, const rename_map& renames);
  void add_more(import_statement one);
  void learn(const import_statement& one, location where);

  std::vector<line> lines_;
  std::vector<addition> more_;  ///< In the order in which the parts had it: setup comes before what needs it.
  // What is there, so that a file with very many imports takes no time.
  std::set<std::string> texts_;               ///< Of lines and setup.
  std::set<std::string> modules_;             ///< Forms and modules.
  std::set<std::string> bindings_;            ///< Forms, modules and names.
  std::map<std::string, location> joinable_;  ///< By form and module: the first that takes further names.
};

}  // namespace cohort::answers
