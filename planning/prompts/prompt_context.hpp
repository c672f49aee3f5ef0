// Finds what a prompt shows of the project besides the source: an existing test as a style example, and the signatures
// of what the source imports. Indexes are built once; lookups are cheap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/source.hpp"

namespace cohort::planning {

/// An existing test, or its first lines.
struct style_example {
  std::string path;
  std::string text;
};

/// Knows the project's files by path and its tests by what they import. Not for several threads at once.
class prompt_context {
 public:
  /// `files` must outlive the object.
  prompt_context(std::filesystem::path project, std::span<const languages::source_file> files);

  /// The test that is closest to `source`: one that imports it, else one that imports a file of its folder, else the
  /// first of its language (by path). At most `limit` bytes of it. Nothing if the language has no readable test.
  [[nodiscard]] style_example example_for(const languages::source_file& source, uint64_t limit);

  /// Signatures of the project's symbols that `source` imports, those of a whole file at a time, up to `limit` bytes.
  [[nodiscard]] std::string dependencies_of(const languages::source_file& source,
                                            const languages::prompt_language& language, uint64_t limit) const;

 private:
  using test_index = std::unordered_map<std::string, const languages::source_file*>;

  [[nodiscard]] const languages::source_file* test_near(const languages::source_file& source) const;

  std::filesystem::path project_;
  std::unordered_map<std::string_view, const languages::source_file*> by_path_;
  test_index by_import_;  ///< Language and imported path -> test.
  test_index by_folder_;  ///< Language and folder of an imported path -> test.
  test_index by_language_;
  std::map<std::string, std::string> texts_;  ///< Of examples read so far, cut to the limit.
};

}  // namespace cohort::planning
