// Reads and writes whole files. All writes to the disk go through this header or base/folder.hpp: temporary file,
// write, (sync,) rename, and every result is checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cohort::inline base {

/// Whether a write must survive a power cut before the call returns.
enum class durability : bool { later, now };

/// Who may read what is created, before the umask takes more away.
enum class access : uint8_t {
  own,    ///< This user alone: sources, prompts, answers, keys.
  usual,  ///< As the umask says: what the user asked for.
};

/// The whole file. Fails with `ec::file_too_large` above `limit` bytes.
[[nodiscard]] expected<std::string> read_file(const std::filesystem::path& path, uint64_t limit = 1ULL << 32);

/// Replaces `path` by `content`: readers see the old or the new file, never a part.
/// Creates missing parent directories. `durability::now` syncs the file and its directory.
[[nodiscard]] expected<void> replace_file(const std::filesystem::path& path, std::string_view content, durability when);

/// As `replace_file`, but an existing file is replaced only if `is_expected` accepts its content. `is_expected` is
/// asked again after the two files have been exchanged: if somebody else wrote in between, the exchange is undone.
/// Links and folders are never replaced. False: nothing has changed.
[[nodiscard]] expected<bool> replace_file_if(const std::filesystem::path& path, std::string_view content,
                                             durability when,
                                             const std::function<bool(const std::string&)>& is_expected);

/// Syncs a file written with `durability::later`, and its directory.
[[nodiscard]] expected<void> sync_file(const std::filesystem::path& path);

/// Syncs everything written with `durability::later` on the file system that holds `directory`: one call for many
/// files.
[[nodiscard]] expected<void> sync_file_system(const std::filesystem::path& directory);

/// Creates `path` and its parents; existing directories are fine.
[[nodiscard]] expected<void> make_directories(const std::filesystem::path& path);

/// `root / relative`, refused (`ec::permission_denied`) if `relative` is absolute, holds `..` or NUL, or
/// if a symbolic link on the way leads outside `root`.
[[nodiscard]] expected<std::filesystem::path> join_inside(const std::filesystem::path& root, std::string_view relative);

/// `folder` itself, or the nearest one above it that exists: where the first write below it would happen.
[[nodiscard]] std::filesystem::path nearest_existing(std::filesystem::path folder);

/// Whether files can be made in `folder`, or could be if it were made. Tries it, without leaving a trace. Fails as the
/// system does, or with `ec::not_found` if a file stands where a folder is needed.
[[nodiscard]] expected<void> check_writable(const std::filesystem::path& folder);

/// Bytes free for this user on the file system of `path`.
[[nodiscard]] expected<uint64_t> free_space(const std::filesystem::path& path);

/// The folder with models, prices, languages, templates and prompts: `COHORT_CONFIG_DIR` if set,
/// else the folder that was given to the build.
[[nodiscard]] std::filesystem::path config_directory();

/// The error of the last system call, with path and cure. `ENOSPC` and `EDQUOT` become `ec::disk_full`.
[[nodiscard]] error system_error(int error_number, std::string_view action, const std::filesystem::path& path);

}  // namespace cohort::inline base
