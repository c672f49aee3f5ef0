// Writes the beginning of a merged test file: the first part's heading, imports and setup as that part wrote them, and
// what later parts need in addition. For .cpp files only.
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

/// A key for what a name stands for: the same for two imports of one thing.
[[nodiscard]] std::string meaning_of(const import_statement& one, const import_binding& binding);

class merged_head {
 public:
  /// The number of statements in the part's head: all up to its last import. Definitions among them belong to the body
  /// nevertheless.
  [[nodiscard]] static size_t length_in(const test_part& part) noexcept;

  /// True if the statement at `index`, in a part whose head has this length, belongs to the head.
  [[nodiscard]] static bool takes(const part_statement& one, size_t index, size_t length) noexcept;

  /// Takes the first part's head, in its own layout. Call once, before `add`.
  void keep(const test_part& first, const rename_map& renames);

  /// Adds the imports and setup of a later part, without those that the head has already.
  void add(const test_part& later, const rename_map& renames);

  /// Adds one more name of a module, unless the head has it.
  void add(const import_statement& one, const import_binding& binding);

  /// The head's text, without a line break at its end.
  [[nodiscard]] std::string text() const;

 private:
  struct line {
    std::string gap;
    std::string text;
    statement_kind kind = statement_kind::heading;
    std::vector<import_statement> imports;
    bool grown = false;  ///< `imports` has names that `text` lacks.
  };

  /// An import or setup that a later part brought.
  struct addition {
    import_statement import;
    std::string setup;
  };

  /// An entry of `lines_` (with the import in it), or of `more_`.
  struct location {
    bool in_line = false;
    size_t at = 0;
    size_t import = 0;
  };

  void add(import_statement one, const rename_map& renames);
  void add_more(import_statement one);
  void learn(const import_statement& one, location where);

  std::vector<line> lines_;
  std::vector<addition> more_;  ///< In the order of the parts: setup comes before what needs it.
  // Indexes of what the head has, so that files with very many imports are fast.
  std::set<std::string> texts_;               ///< Of lines and setup.
  std::set<std::string> modules_;             ///< Forms and modules.
  std::set<std::string> bindings_;            ///< Forms, modules and names.
  std::map<std::string, location> joinable_;  ///< By form and module: the first statement to which names can be added.
};

}  // namespace cohort::answers
