// Keeps the results of parsing in one file, by content. The cache only saves time: if anything is wrong with the file,
// the file is ignored. Its content goes into prompts, so it must be signed by this user.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "languages/syntax/parser.hpp"

namespace cohort::languages {

/// Lookups are safe from many threads at once; `load` and `store` are not.
class parse_cache {
 public:
  /// `fingerprint` is `language_set::fingerprint()`: results of other rules are not used.
  explicit parse_cache(std::string fingerprint) : fingerprint_(std::move(fingerprint)) {}

  /// Reads the file. If it is missing, torn, not signed by this user or outdated, the cache is empty, without a
  /// message.
  void load(const std::filesystem::path& file);

  /// The result of parsing `path` with this content, of `bytes` bytes. Imports are not resolved. Nothing if the cache
  /// has none, or an impossible one.
  [[nodiscard]] std::optional<parsed_file> find(std::string_view path, const digest& content, std::string_view language,
                                                size_t bytes) const;

  /// Replaces the file by results for exactly these files. `files` come before their imports are resolved.
  [[nodiscard]] expected<void> store(const std::filesystem::path& file, const std::vector<std::string>& encoded) const;

  /// One file's result in the form that `store` takes.
  [[nodiscard]] static std::string encode(const parsed_file& parsed);

  /// The stored form of a file that `find` found, to store it again without encoding it.
  [[nodiscard]] std::string_view stored(std::string_view path) const;

  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    digest content;
    std::string_view bytes;  ///< In `data_`.
  };
  std::string fingerprint_;
  std::string data_;
  std::unordered_map<std::string_view, entry> entries_;
};

}  // namespace cohort::languages
