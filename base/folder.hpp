// Reads and writes files below one folder, by directory descriptors.
// Invariant: no name, wherever it comes from, leads out of the folder, and no symbolic link below it is followed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace cohort::inline base {

/// Owns a file descriptor.
class descriptor {
 public:
  descriptor() noexcept = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.release()) {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { (void)close(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept;
  /// Closes now; write errors of some file systems show only here.
  bool close() noexcept;

 private:
  int fd_ = -1;
};

enum class file_kind : uint8_t { missing, regular, directory, link, other };

class folder {
 public:
  /// Opens the folder `path`, which the user named or trusted: links on the way to it are followed.
  [[nodiscard]] static expected<folder> open(const std::filesystem::path& path);
  /// As `open`; creates what is missing.
  [[nodiscard]] static expected<folder> make(const std::filesystem::path& path, access who = access::usual);

  folder(folder&&) noexcept = default;
  folder& operator=(folder&&) noexcept = default;

  // A `relative` name below has one or several components. `ec::permission_denied` if it is empty, absolute, or holds
  // "." , "..", NUL, or if a component of it, the last one included, is a symbolic link.

  /// The folder `relative`, which must exist.
  [[nodiscard]] expected<folder> sub(const std::filesystem::path& relative) const;
  /// As `sub`; creates what is missing. `who` counts for created folders only.
  [[nodiscard]] expected<folder> make_sub(const std::filesystem::path& relative, access who = access::usual) const;

  /// The whole regular file. `ec::file_too_large` above `limit` bytes.
  [[nodiscard]] expected<std::string> read(const std::filesystem::path& relative, uint64_t limit = 1ULL << 32) const;

  /// As `replace_file` of `base/files.hpp`, parents included.
  [[nodiscard]] expected<void> replace(const std::filesystem::path& relative, std::string_view content, durability when,
                                       access who = access::usual) const;
  /// As `replace_file_if` of `base/files.hpp`.
  [[nodiscard]] expected<bool> replace_if(const std::filesystem::path& relative, std::string_view content,
                                          durability when, access who,
                                          const std::function<bool(const std::string&)>& is_expected) const;

  /// Opens `relative` with the flags of open(2), to which O_NOFOLLOW and O_CLOEXEC are added. With O_CREAT, missing
  /// folders on the way are created.
  [[nodiscard]] expected<descriptor> open_file(const std::filesystem::path& relative, int flags,
                                               access who = access::own) const;

  /// Removes a file or a link; one that is missing is no error.
  [[nodiscard]] expected<void> remove(const std::filesystem::path& relative) const;
  /// Moves an entry. `to` must not exist; its folders are created.
  [[nodiscard]] expected<void> move(const std::filesystem::path& from, const std::filesystem::path& to) const;

  /// What kind of entry `relative` itself is; `missing` also if a folder on the way is missing or a link.
  [[nodiscard]] file_kind kind_of(const std::filesystem::path& relative) const;
  /// Names of the entries in this folder, sorted, at most `limit`.
  [[nodiscard]] std::vector<std::string> names(size_t limit = 100'000) const;

  [[nodiscard]] expected<void> sync() const;

  /// How the folder was named; for messages.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  folder(descriptor fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  /// A folder on the way: this one, or one that is held for the time of a call.
  struct reached {
    descriptor held;  ///< None if it is this folder.
    int fd = -1;
    std::filesystem::path path;
  };
  [[nodiscard]] expected<reached> descend(const std::filesystem::path& relative, bool create, access who) const;
  /// The folder that holds the entry `relative`.
  [[nodiscard]] expected<reached> above(const std::filesystem::path& relative, bool create, access who) const;
  [[nodiscard]] static expected<folder> as_folder(expected<reached> found);

  descriptor fd_;
  std::filesystem::path path_;
};

/// True if `relative` is a name that `folder` accepts: not empty, not absolute, without ".", "..", and NUL.
[[nodiscard]] bool stays_below(const std::filesystem::path& relative) noexcept;

/// `path` relative to `root`, compared by names only; empty if `path` is not below `root`.
[[nodiscard]] std::filesystem::path path_below(const std::filesystem::path& root, const std::filesystem::path& path);

}  // namespace cohort::inline base
