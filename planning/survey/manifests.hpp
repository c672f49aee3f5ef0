// JSON manifests beside the sources, as people and tools write them: with comments, trailing commas, a byte order mark.
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

/// The object in a manifest's text; empty if the text holds something else. Fails with the reason, to be put behind
/// the file's name: no JSON, nested deeper or holding more values than any manifest that people write. What it costs is
/// known before it is paid: a list of nothing but `[]` takes twenty times its size.
[[nodiscard]] expected<nlohmann::json> parse_manifest(std::string_view text);

/// Reads manifests of a project. Not for several threads at once. Keeps none: callers take what they need.
class manifest_reader {
 public:
  explicit manifest_reader(std::filesystem::path project) : project_(std::move(project)) {}

  /// The object in the file at `path`, relative to the project; empty if there is none.
  [[nodiscard]] nlohmann::json read(const std::string& path);

  /// Says in words what is wrong with the manifest at `path`; only the first mistake counts.
  void report(const std::string& path, std::string_view what);

  /// Manifests that are damaged or unreadable, in words; for warnings.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const noexcept { return problems_; }

 private:
  std::filesystem::path project_;
  std::map<std::string, std::string> problems_;  ///< Path -> what is wrong.
};

/// The value at "compilerOptions.paths"; null if there is none.
[[nodiscard]] const nlohmann::json* member_at(const nlohmann::json& object, std::string_view path);

/// The text there; empty if there is none.
[[nodiscard]] std::string text_at(const nlohmann::json& object, std::string_view path);

/// The texts in a list, or the text alone; at most `most` of them. Other values are passed over.
[[nodiscard]] std::vector<std::string> texts_in(const nlohmann::json& value, size_t most);

/// JSON proper from JSON with comments and trailing commas.
[[nodiscard]] std::string plain_json(std::string_view text);

/// A name in imports and where it leads. One `*` stands for any text, in the targets for the same.
struct name_mapping {
  std::string pattern;  ///< "@/*", "./cart".
  std::vector<std::string> targets;
};

/// Where the mapping leads that fits `name` best: the exact one, else the one with the longest text before `*`. A
/// target that becomes longer than any path is left out.
[[nodiscard]] std::vector<std::string> mapped(const std::vector<name_mapping>& mappings, std::string_view name);

}  // namespace cohort::planning
