// Writes the statement by which a test file imports the unit under test: the text of `<import>`, exact for the
// project's layout. It follows the project's facts: package folders, what its own imports resolve to, go.mod, the
// module system.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/grammars/language.hpp"
#include "languages/syntax/source.hpp"

namespace cohort::planning {

/// What is imported where.
struct import_request {
  const languages::source_file* source = nullptr;
  std::string_view text;                       ///< The source's text; only Go's package clause is read from it.
  std::span<const languages::symbol> symbols;  ///< What the test needs by name.
  std::string framework;
  std::filesystem::path test_file;  ///< Absolute, or relative to the project.
};

/// Knows a project's layout. Built once for a plan; remembers what it read from the disk. Not for several threads at
/// once.
class import_writer {
 public:
  import_writer(const std::filesystem::path& project, std::span<const languages::source_file> files,
                const languages::language_set& languages);

  /// Fails with `ec::not_importable` if no import from there can reach the symbols, and says why.
  [[nodiscard]] expected<std::string> import_text(const import_request& request,
                                                  const languages::prompt_language& language);

 private:
  struct python_location {
    std::string root;    ///< Folder to put on the path, relative to the project.
    std::string module;  ///< Dotted.
  };

  struct go_location {
    std::string folder;  ///< Of the go.mod.
    std::string module;  ///< Empty if there is none.
  };

  [[nodiscard]] python_location place_of(const languages::source_file& source);
  [[nodiscard]] bool is_package(const std::string& folder);
  [[nodiscard]] std::string relative_to_test(const import_request& request, std::string_view path) const;
  [[nodiscard]] expected<std::string> python_text(const import_request& request,
                                                  const languages::prompt_language& language);
  [[nodiscard]] expected<std::string> es_text(const import_request& request,
                                              const languages::prompt_language& language) const;
  [[nodiscard]] std::string specifier(const import_request& request) const;
  [[nodiscard]] expected<std::string> go_text(const import_request& request);
  [[nodiscard]] go_location module_above(std::string folder);
  [[nodiscard]] bool test_is_below(const import_request& request, const std::string& folder) const;

  std::filesystem::path project_;
  const languages::language_set& languages_;
  std::map<std::string, std::string> python_roots_;  ///< Imported file -> the root that the import started from.
  std::map<std::string, bool> packages_;             ///< Folder -> has `__init__.py`.
  std::map<std::string, std::string> go_modules_;    ///< Folder -> module name of its go.mod, or empty.
  size_t with_js_ending_ = 0;                        ///< Relative imports in TypeScript, by their ending.
  size_t without_ending_ = 0;
  size_t with_ts_ending_ = 0;
};

}  // namespace cohort::planning
