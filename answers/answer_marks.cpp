// Writes and reads the marks. A mark is a line of fixed length: a digest in hexadecimal, or blanks. Each is written
// with one call, so that it is whole or not there.

#include "answers/answer_marks.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::answers {

namespace {

constexpr size_t digits = 64;
constexpr size_t line_bytes = digits + 1;
constexpr size_t most_suspects = 256;  ///< Enough for all threads that read, and for what several ended processes left.

}  // namespace

expected<std::unique_ptr<answer_marks>> answer_marks::open(const folder& folder, const std::filesystem::path& file) {
  auto opened = folder.open_file(file, O_RDWR | O_CREAT | O_NONBLOCK, access::own);
  if (!opened) return tl::unexpected{opened.error()};
  struct stat info {};
  if (::fstat(opened->get(), &info) != 0) return tl::unexpected{system_error(errno, "inspect", folder.path() / file)};
  if (!S_ISREG(info.st_mode))
    return fail(ec::io,
                fmt::format("'{}' is not a regular file; remove it", printable((folder.path() / file).string(), 1000)));
  std::unique_ptr<answer_marks> marks{new answer_marks{std::move(*opened)}};
  marks->load();
  return marks;
}

void answer_marks::load() {
  std::string text(most_suspects * line_bytes, '\0');
  const auto got = ::pread(file_.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  // Lines after the last one that is read belong to nobody and are removed.
  if (::ftruncate(file_.get(), static_cast<off_t>(text.size() / line_bytes * line_bytes)) != 0)
    log_warning("the marks of answers cannot be shortened");
  for (size_t at = 0; at + line_bytes <= text.size(); at += line_bytes) {
    const auto what = digest_from_hex(std::string_view{text}.substr(at, digits));
    taken_.push_back(what != digest{});
    if (taken_.back()) suspects_.emplace_back(what, taken_.size() - 1);
  }
}

bool answer_marks::is_suspect(const digest& what) const {
  const std::lock_guard lock{guard_};
  return std::any_of(suspects_.begin(), suspects_.end(), [&](const auto& one) { return one.first == what; });
}

void answer_marks::acquit(const digest& what) {
  std::vector<size_t> slots;
  {
    const std::lock_guard lock{guard_};
    std::erase_if(suspects_, [&](const auto& one) {
      if (one.first == what) slots.push_back(one.second);
      return one.first == what;
    });
  }
  for (const auto slot : slots) clear(slot);
}

size_t answer_marks::take(const digest& what) {
  const std::lock_guard lock{guard_};
  const auto slot = static_cast<size_t>(std::find(taken_.begin(), taken_.end(), false) - taken_.begin());
  if (slot == taken_.size()) taken_.push_back(true);
  taken_[slot] = true;
  const auto line = to_hex(what) + '\n';
  if (::pwrite(file_.get(), line.data(), line.size(), static_cast<off_t>(slot * line_bytes)) !=
      static_cast<ssize_t>(line.size()))
    log_warning("an answer is read without a mark: if it ends this process, the next one will not know");
  return slot;
}

void answer_marks::clear(size_t slot) noexcept {
  const std::lock_guard lock{guard_};
  char line[line_bytes];
  std::fill_n(line, digits, ' ');
  line[digits] = '\n';
  if (::pwrite(file_.get(), line, line_bytes, static_cast<off_t>(slot * line_bytes)) < 0)
    log_warning("the mark of an answer cannot be taken away");
  taken_[slot] = false;
}

}  // namespace cohort::answers
