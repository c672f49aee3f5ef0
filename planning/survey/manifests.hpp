// Reads the JSON manifests of a project, as people and tools write them: with comments, trailing commas, a byte order
// mark.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace cohort::planning {

constexpr uint64_t largest_manifest = 4U << 20U;

/// The object in a manifest's text; empty if the text holds something else. Fails with a reason that can follow the
/// file's name: not JSON, nested deeper or with more values than any manifest that people write. The memory is bounded
/// before anything is parsed: a list of `[]` takes twenty times its size.
[[nodiscard]] expected<nlohmann::json> parse_manifest(std::string_view text);

/// Reads manifests of a project. Not for several threads at once. Keeps none: callers take what they need.
class manifest_reader {
 public:
  explicit manifest_reader(std::filesystem::path project) : project_(std::move(project)) {}

  /// The object in the file at `path`, relative to the project; empty if there is none.
  [[nodiscard]] nlohmann::json read(const std::string& path);

  /// Records a sentence about what is wrong with the manifest at `path`; only the first one is kept.
  void report(const std::string& path, std::string_view what);

  /// Sentences about manifests that are damaged or unreadable, for warnings.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const noexcept { return problems_; }

 private:
  std::filesystem::path project_;
  std::map<std::string, std::string> problems_;  ///< Path -> what is wrong.
};

/// The value at "compilerOptions.paths"; null if there is none.
[[nodiscard]] const nlohmann::json* member_at(const nlohmann::json& object, std::string_view path);

/// The text there; empty if there is none.
[[nodiscard]] std::string text_at(const nlohmann::json& object, std::string_view path);

/// The texts in a list, or the one text; at most `most` of them. Other values are skipped.
[[nodiscard]] std::vector<std::string> texts_in(const nlohmann::json& value, size_t most);

/// Plain JSON from JSON with comments and trailing commas.
[[nodiscard]] std::string plain_json(std::string_view text);

/// A name in imports and its targets. One `*` matches any text; in the targets it stands for the same text.
struct name_mapping {
  std::string pattern;  ///< "@/*", "./cart".
  std::vector<std::string> targets;
};

/// The targets of the mapping that fits `name` best: the exact one, else the one with the longest text before `*`. A
/// target that becomes longer than any path is left out.
[[nodiscard]] std::vector<std::string> mapped(const std::vector<name_mapping>& mappings, std::string_view name);

}  // namespace cohort::planning
