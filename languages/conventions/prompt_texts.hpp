// Reads the texts and conventions of prompts, targets and answers: config/prompts/ and
// config/languages/*/prompt.{json,md}. Read once and checked; afterwards immutable and shared by all threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "languages/grammars/language.hpp"

namespace cohort::languages {

/// How a language writes imports; decides the text of `<import>` and how the parts of an answer are merged.
enum class import_style : uint8_t { python, es, go };

/// How test files of one language and framework are named.
struct target_rule {
  std::string name;               ///< With `{stem}`: "test_{stem}"; the extension is added.
  bool unique_names = false;      ///< The framework needs file names that differ over all folders.
  bool identifier_names = false;  ///< Names hold only letters, digits and underscores.
  bool flat = false;              ///< The framework does not look into folders: they become part of the name.
  bool own_folder = false;        ///< Each test file in a folder named after its source.
  std::vector<std::string> uncollected_folders;             ///< Folders that the framework skips.
  std::map<std::string, std::string> extensions;            ///< Source's -> test's; the same if missing.
  std::map<std::string, std::string> extension_by_modules;  ///< "esm", "commonjs" -> the test's; wins.
};

/// The statements at the top level of a test file besides imports and definitions, for merging parts.
struct part_rules {
  std::vector<std::string> groups;  ///< Functions that declare groups of tests; the first one declares our groups.
  std::vector<std::string> hooks;   ///< Functions that act on all tests around their call.
  std::vector<std::string> group_modules;     ///< Where the first group can be imported from.
  std::vector<std::string> setup;             ///< Beginnings of statements that all parts have.
  std::vector<std::string> main;              ///< Beginning of the statement that runs the file as a program.
  std::vector<std::string> top_level;         ///< Beginnings of statements that cannot be in a block.
  std::vector<std::string> whole_file_names;  ///< A part that defines one of these acts on the whole file.
  std::vector<std::string> whole_file_marks;  ///< A part with one of these texts acts on the whole file.
};

/// What config/languages/ID/prompt.json says.
struct prompt_language {
  std::string id;
  import_style imports = import_style::es;
  std::string comment_mark;                 ///< Begins a comment up to the line's end.
  std::string constructor;                  ///< Name of the method that builds objects; empty if there is none.
  std::vector<std::string> esm_frameworks;  ///< Frameworks whose tests must be ES modules whatever the source is.
  std::vector<std::string> reserved;        ///< Names that a test cannot use.
  std::vector<std::string> fence_tags;      ///< Tags of code fences that hold this language, lower case.
  std::vector<std::string> code_starts;     ///< Beginnings of lines that can be the first of a file.
  part_rules parts;
  target_rule target;
  std::map<std::string, target_rule> framework_targets;  ///< Complete rules of frameworks whose rules differ.

  [[nodiscard]] const target_rule& target_for(const std::string& framework) const noexcept;
};

/// All texts and conventions.
class prompt_texts {
 public:
  [[nodiscard]] uint32_t version() const noexcept { return version_; }

  /// Null if the language has no prompt.json.
  [[nodiscard]] const prompt_language* language(std::string_view id) const noexcept;

  /// The system prompt: the same bytes for each (language, framework).
  /// Fails with `ec::config_invalid` if there are no texts for the language or the framework.
  [[nodiscard]] expected<std::string> shared_prefix(const cohort::languages::language& lang,
                                                    const std::string& framework) const;

 private:
  friend expected<prompt_texts> load_prompt_texts(const std::filesystem::path&, const language_set&);

  uint32_t version_ = 0;
  std::string system_;
  std::map<std::string, prompt_language, std::less<>> languages_;
  std::map<std::string, std::string, std::less<>> language_rules_;
  std::map<std::string, std::string, std::less<>> framework_rules_;  ///< By file name: "node-test".
};

/// Reads the folder. A language without prompt.json is left out; a broken one fails with `ec::config_invalid`, as does
/// an unknown `{{name}}` in system.md.
[[nodiscard]] expected<prompt_texts> load_prompt_texts(const std::filesystem::path& config_dir,
                                                       const language_set& languages);

}  // namespace cohort::languages
