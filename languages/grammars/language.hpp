// Describes languages as data: what config/languages/*/language.json says, checked against the grammars that are
// compiled in. No code here or in planning/ asks for a language by its name. A language that imports like Python,
// JavaScript or Go is a folder and a grammar package; any other needs code as well (docs/languages.md).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cohort::inline base {
class line_pattern;  // A compiled regular expression, see line_pattern.hpp.
}

namespace cohort::languages {

struct grammar_rules;  // The compiled form of a language's "syntax", see grammar_rules.hpp.
class locals_query;    // The compiled form of its locals.scm, see locals.hpp.

/// How one manifest names a test framework.
struct manifest_rule {
  std::string file;  ///< Name or glob, for example "requirements*.txt".
  std::string key;   ///< For JSON manifests: a path of members, "devDependencies.jest"; `*` stands for any member.
  std::string word;  ///< With `key`: the value must hold this word. Empty: the key is enough.
  std::shared_ptr<const line_pattern>
      line;  ///< For other manifests: the expression that one line must match. Null: the manifest is enough.
};

/// Files that a test framework cannot load as they are.
struct load_rule {
  std::vector<std::string> extensions;  ///< With dot: ".jsx".
  std::string reason;                   ///< For people, with what helps.
  std::vector<manifest_rule> only_if;   ///< Applies only if one of these matches; empty: always.
  std::vector<manifest_rule> unless;    ///< Does not apply if one of these matches: a loader is installed.
};

/// A test framework of a language.
struct framework_rule {
  std::string id;         ///< "pytest", "node:test".
  bool fallback = false;  ///< Taken when no manifest names another.
  std::vector<manifest_rule> manifests;
  std::vector<load_rule> cannot_load;
};

/// Which files are tests, by name; and which source file a test is named after.
struct test_rules {
  std::vector<std::string> names;    ///< Globs on the file's name with `{stem}`: "test_{stem}.py".
  std::vector<std::string> folders;  ///< Everything below such a folder is test code: "tests", "__tests__".
};

enum class module_style : uint8_t {
  dotted,    ///< Python: "pkg.module", leading dots are relative to the importing file's package.
  relative,  ///< JavaScript: "./path", relative to the importing file, extensions may be left out.
  package,   ///< Go: a path below the module's name names a folder.
};

/// Manifests of packages, such as package.json. Keys are paths of members: "workspaces.packages".
struct package_rules {
  std::string file;                     ///< Empty: the language has none.
  std::string name;                     ///< Key of the package's name.
  std::string exports;                  ///< Key of what others can import: a file, conditions, or subpaths with these.
  std::vector<std::string> conditions;  ///< Names of conditions that lead to the same source, best first.
  std::vector<std::string> entries;     ///< Keys of the file that stands for the package, best first.
  std::vector<std::string> workspaces;  ///< Keys of globs on the folders of a workspace's packages.
  std::vector<std::string> sources;     ///< Folders of a package in which the sources of built files lie, best first.
};

/// Configurations that map names in imports, such as tsconfig.json. Keys as above.
struct path_map_rules {
  std::vector<std::string> files;  ///< The first one of these in a folder counts. None: the language has none.
  std::string extends;             ///< Key of the files whose settings are used as well.
  std::string base;                ///< Key of the folder that names start from.
  std::string paths;               ///< Key of the patterns with their targets.
};

/// How the names in imports become files of the project.
struct module_rules {
  module_style style = module_style::relative;
  std::vector<std::string> extensions;  ///< Tried in this order: ".ts", ".tsx", ".js".
  std::vector<std::string> index;       ///< Files that stand for their folder: "__init__.py", "index.ts".
  std::vector<std::string> roots;       ///< Folders below the project that imports may start from: "", "src".
  std::vector<std::string> prefixes;    ///< Usual names for a root in imports: "@/".
  /// Written extension -> extensions on disk: ".js" -> ".ts", ".tsx".
  std::vector<std::pair<std::string, std::vector<std::string>>> stand_ins;
  package_rules packages;
  path_map_rules path_maps;
  bool same_folder_is_visible = false;                ///< Go: files of one folder see each other without an import.
  std::string manifest;                               ///< Style `package`: the file that names the module, "go.mod".
  std::shared_ptr<const line_pattern> manifest_line;  ///< Its first group is that name.
};

/// One language. Immutable after loading; shared by all threads.
class language {
 public:
  std::string id;                       ///< Name of its folder in config/languages/.
  std::string name;                     ///< For people: "Python".
  std::vector<std::string> extensions;  ///< With dot, all grammars.
  std::vector<framework_rule> frameworks;
  test_rules tests;
  module_rules modules;
  bool members_show_use = false;  ///< A test that uses a type's method tests the type, though it need not name it.
  std::vector<std::string> import_group;  ///< Ids of languages that may import this one, itself included.

  /// The compiled rules for a file with this path or extension (".tsx"); the first grammar's if none matches.
  [[nodiscard]] const grammar_rules& rules_for(std::string_view path_or_extension) const noexcept;
  /// The same for its locals.scm; null if the language has none.
  [[nodiscard]] const locals_query* locals_for(std::string_view path_or_extension) const noexcept;

  std::vector<std::shared_ptr<const grammar_rules>> rules;  ///< One for each grammar.
  std::vector<std::shared_ptr<locals_query>> locals;        ///< One for each grammar, or none.
  std::string locals_file;                                  ///< The file's path, for messages.

 private:
  [[nodiscard]] size_t grammar_for(std::string_view path_or_extension) const noexcept;
};

/// The languages this program knows.
class language_set {
 public:
  explicit language_set(std::vector<std::unique_ptr<const language>> languages, std::string fingerprint);

  /// Null if there is no such language.
  [[nodiscard]] const language* by_id(std::string_view id) const noexcept;

  /// The language of a file, by its extension; null if unknown.
  [[nodiscard]] const language* by_path(std::string_view path) const noexcept;

  /// In order of their ids.
  [[nodiscard]] const std::vector<std::unique_ptr<const language>>& all() const noexcept { return languages_; }

  /// Changes whenever a description changes: results of parsing are valid for this fingerprint only.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

 private:
  std::vector<std::unique_ptr<const language>> languages_;
  std::vector<std::pair<std::string, const language*>> by_extension_;
  std::string fingerprint_;
};

/// Reads `config_dir`/languages/*/language.json, and locals.scm if there is one. Fails with `ec::config_invalid` and
/// the path of the mistake: unknown or missing members, wrong types, node kinds and fields that no grammar of the
/// language has. Mistakes in locals.scm are found by `compile_locals`.
[[nodiscard]] expected<language_set> load_languages(const std::filesystem::path& config_dir);

/// Compiles the queries of locals.scm, which merging needs. To be called before other threads use the languages. Fails
/// with `ec::config_invalid` and the position of the mistake.
[[nodiscard]] expected<void> compile_locals(const language_set& languages);

}  // namespace cohort::languages
