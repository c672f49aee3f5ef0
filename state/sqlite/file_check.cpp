// The layouts are those of SQLite's file format, https://www.sqlite.org/fileformat2.html, sections 1.3 and 4.

#include "state/sqlite/file_check.hpp"

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "state/ledger/schema.hpp"
#include "state/sqlite/ledger_file.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

class reader {
 public:
  explicit reader(const fs::path& path) noexcept
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)) {}
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  ~reader() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  [[nodiscard]] uint64_t size() const noexcept {
    struct stat info {};
    return ::fstat(fd_, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  }
  /// True if `length` bytes from `offset` on are in `to`.
  [[nodiscard]] bool get(uint64_t offset, void* to, size_t length) const noexcept {
    return ::pread(fd_, to, length, static_cast<off_t>(offset)) == static_cast<ssize_t>(length);
  }

 private:
  int fd_;
};

uint32_t big_endian(const unsigned char* at) noexcept {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | uint32_t{at[3]};
}

/// The running checksum of a WAL, over 32-bit words in the byte order that its magic number names.
struct wal_checksum {
  bool big = false;
  uint32_t a = 0;
  uint32_t b = 0;

  void add(const unsigned char* data, size_t length) noexcept {
    for (size_t i = 0; i < length; i += 8) {
      a += word(data + i) + b;
      b += word(data + i + 4) + a;
    }
  }
  [[nodiscard]] uint32_t word(const unsigned char* at) const noexcept {
    if (big) return big_endian(at);
    uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);  // little-endian machines only, as SQLite's native order
    return value;
  }
};

constexpr size_t wal_header_size = 32;
constexpr size_t frame_header_size = 24;
constexpr size_t frame_size = frame_header_size + ledger_page_size;

/// Bits by which the salts of a frame differ from those of the WAL. Few: a damaged frame of this generation. Many: one
/// of an older generation, which the next writes will replace.
int foreign_bits(const unsigned char* frame, const unsigned char* header) noexcept {
  int bits = 0;
  for (size_t i = 0; i < 8; ++i) bits += std::popcount(static_cast<unsigned>(frame[8 + i] ^ header[16 + i]));
  return bits;
}

constexpr int most_flipped_bits = 3;

/// True if more than the last transaction lies behind the first unreadable frame: two commits, or a page twice, since a
/// transaction writes each page once. Each of ours writes the page of `meta`.
bool more_than_a_torn_end(const reader& wal, const unsigned char* header, wal_checksum sum) {
  const auto frame = std::make_unique<unsigned char[]>(frame_size);
  bool broken = false;
  uint32_t commits = 0;
  std::set<uint32_t> pages;
  for (uint64_t at = wal_header_size; wal.get(at, frame.get(), frame_size); at += frame_size) {
    const auto differs = foreign_bits(frame.get(), header);
    if (!broken) {
      sum.add(frame.get(), 8);
      sum.add(frame.get() + frame_header_size, ledger_page_size);
      broken = differs > 0 || sum.a != big_endian(frame.get() + 16) || sum.b != big_endian(frame.get() + 20);
    }
    if (!broken || differs > most_flipped_bits) continue;
    if (big_endian(frame.get() + 4) != 0) ++commits;
    if (commits >= 2 || !pages.insert(big_endian(frame.get())).second) return true;
  }
  return false;
}

}  // namespace

fs::path wal_of(const fs::path& file) { return file.native() + "-wal"; }
fs::path shm_of(const fs::path& file) { return file.native() + "-shm"; }

expected<void> check_neighbours(const fs::path& file) {
  struct stat info {};
  for (const auto& path : {file, wal_of(file), shm_of(file)})
    if (::lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
      return tl::unexpected{untrusted(file, fmt::format("has something beside it or in its place that is no plain file "
                                                        "('{}')",
                                                        printable(path.filename().native())))};
  if (::lstat((file.native() + "-journal").c_str(), &info) == 0)
    return tl::unexpected{untrusted(file, "has a rollback journal beside it, which this program never makes")};
  return {};
}

std::optional<uint32_t> ledger_format(const fs::path& file) {
  const reader ledger{file};
  unsigned char h[100];
  if (!ledger.valid() || !ledger.get(0, h, sizeof h) || std::memcmp(h, "SQLite format 3", 16) != 0) return std::nullopt;
  return big_endian(h + 60);
}

uint32_t first_signed_format() noexcept { return first_signed_version; }

expected<void> check_header(const fs::path& file) {
  const reader ledger{file};
  if (!ledger.valid()) return tl::unexpected{system_error(errno, "open the ledger", file)};
  unsigned char h[100];
  if (!ledger.get(0, h, sizeof h)) return tl::unexpected{damaged(file, "it is cut off within its header")};
  if (std::memcmp(h, "SQLite format 3", 16) != 0 || big_endian(h + 68) != ledger_application_id)
    return tl::unexpected{damaged(file, "it does not begin as a ledger does")};
  if (const auto version = big_endian(h + 60); version > ledger_version)
    return fail(ec::state_newer,
                fmt::format("the ledger '{}' has format {}, this program knows up to {}; use the newer program",
                            file.string(), version, ledger_version));
  const bool layout = (h[16] << 8 | h[17]) == static_cast<int>(ledger_page_size) && h[18] == 2 && h[19] == 2 &&
                      h[20] == 0 && h[21] == 64 && h[22] == 32 && h[23] == 32 && big_endian(h + 44) == 4 &&
                      big_endian(h + 56) == 1 && big_endian(h + 60) >= 1;
  if (!layout) return tl::unexpected{damaged(file, "its header holds impossible values")};
  // With a WAL, a crash in the middle of a checkpoint may leave the file shorter than its new header says.
  std::error_code none;
  const auto pending = fs::file_size(wal_of(file), none);
  if (!none && pending > wal_header_size) return {};
  const auto size = ledger.size();
  if (size % ledger_page_size != 0 || size / ledger_page_size < big_endian(h + 28))
    return tl::unexpected{damaged(file, "it is shorter than its header says")};
  return {};
}

expected<void> check_wal(const fs::path& file) {
  const auto path = wal_of(file);
  const reader wal{path};
  if (!wal.valid()) {
    if (errno == ENOENT) return {};
    return tl::unexpected{system_error(errno, "open the ledger's journal", path)};
  }
  if (wal.size() <= wal_header_size) return {};  // nothing was committed to it
  unsigned char header[wal_header_size];
  if (!wal.get(0, header, sizeof header)) return tl::unexpected{system_error(errno, "read", path)};
  const auto magic = big_endian(header);
  wal_checksum sum{.big = (magic & 1U) != 0};
  sum.add(header, 24);
  if ((magic & ~1U) != 0x377f0682U || big_endian(header + 8) != ledger_page_size || sum.a != big_endian(header + 24) ||
      sum.b != big_endian(header + 28))
    return tl::unexpected{damaged(file, "the header of its journal (-wal) is unreadable")};
  if (more_than_a_torn_end(wal, header, sum))
    return tl::unexpected{damaged(file, "its journal (-wal) is unreadable in the middle")};
  return {};
}

}  // namespace cohort::state
