// Resolves the names in imports to the project's files. Only files that planning found can be imported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "languages/grammars/language.hpp"
#include "languages/syntax/parser.hpp"
#include "planning/survey/manifests.hpp"
#include "planning/survey/package_resolution.hpp"
#include "planning/survey/tsconfig_paths.hpp"

namespace cohort::planning {

/// Answers for one project. Remembers what it read; not for several threads at once.
class module_resolver {
 public:
  /// `files` are all planned files; the strings must outlive the resolver.
  module_resolver(std::filesystem::path project, const std::vector<languages::parsed_file>& files);

  module_resolver(const module_resolver&) = delete;  // Its members hold pointers to each other.
  module_resolver& operator=(const module_resolver&) = delete;

  /// Fills `resolved` of all imports of a file. An import of several files (Python's submodules, Go's packages) becomes
  /// several entries, appended, so that the indices of aliases stay valid.
  void resolve(const languages::language& lang, languages::source_file& file);

  /// The folder, relative to the project, from which the file can be imported by its dotted name ("" is the project).
  /// Python: the first folder upward that is no package. Other languages: the file's own folder.
  [[nodiscard]] std::string import_root(const languages::language& lang, std::string_view path) const;

  /// All planned files directly in the folder.
  [[nodiscard]] const std::vector<std::string_view>& files_in(std::string_view folder) const;

  /// Manifests that are damaged or unreadable, in words; for warnings.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const noexcept { return manifests_.problems(); }

 private:
  /// Also false for everything once the project has asked more often than any project that people write.
  [[nodiscard]] bool has(std::string_view path) const;
  [[nodiscard]] const std::string& module_name(const languages::language& lang, std::string_view folder);
  [[nodiscard]] std::string module_at(const languages::language& lang, const std::string& path) const;
  [[nodiscard]] std::string as_dotted(const languages::language& lang, const std::string& importer,
                                      std::string_view module, std::string& folder);
  [[nodiscard]] std::string as_relative(const languages::language& lang, const std::string& importer,
                                        std::string_view module);
  [[nodiscard]] std::string as_name(const languages::language& lang, const std::string& importer,
                                    std::string_view module);
  [[nodiscard]] std::string file_at(const languages::language& lang, const std::string& path) const;
  [[nodiscard]] std::string index_of(const languages::language& lang, const std::string& folder) const;
  [[nodiscard]] std::string path_at(const languages::language& lang, const std::string& path);
  [[nodiscard]] std::string first_of(const languages::language& lang, const std::vector<std::string>& targets) const;
  [[nodiscard]] std::string below_roots(const languages::language& lang, const std::string& importer,
                                        const std::string& path, std::string& folder);
  [[nodiscard]] bool is_package(const languages::language& lang, std::string_view folder) const;
  [[nodiscard]] std::string package_folder(const languages::language& lang, const std::string& importer,
                                           std::string_view module);
  void add_submodules(const languages::language& lang, languages::source_file& file, size_t index,
                      const std::string& folder) const;
  void add_package(languages::source_file& file, size_t index, const std::string& folder,
                   const languages::language& lang) const;
  [[nodiscard]] bool spend(uint64_t lookups) const noexcept;

  std::filesystem::path project_;
  manifest_reader manifests_;
  path_maps paths_;
  std::optional<package_finder> packages_;              ///< Made when all folders are known.
  std::unordered_map<std::string, std::string> names_;  ///< Language, folder and name in an import -> file.
  std::unordered_set<std::string_view> files_;
  std::unordered_map<std::string_view, std::vector<std::string_view>> folders_;
  std::unordered_set<std::string_view> first_names_;  ///< All folders' names and stems: others are not ours.
  std::map<std::string, std::string, std::less<>> module_names_;  ///< Folder -> name in its manifest; empty if none.
  mutable uint64_t lookups_left_ = 0;
  bool reported_lookups_ = false;
};

}  // namespace cohort::planning
