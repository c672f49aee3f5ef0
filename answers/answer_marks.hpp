// Marks which answers are being read at the moment, in a small file that outlives the process. If a text ends the
// process, the next start finds its mark and has the text read by another process. The file is not synced, because it
// has to survive a crash and not a power cut.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/folder.hpp"

namespace cohort::answers {

/// For any thread, and for one process at a time: the caller holds the lock of the project.
class answer_marks {
 public:
  /// `file` is relative to `folder`. Fails as the system does, or if `file` exists and is not a file.
  [[nodiscard]] static expected<std::unique_ptr<answer_marks>> open(const folder& folder,
                                                                    const std::filesystem::path& file);

  /// True if a process ended while this text was read, and it is not known yet whether the text was the reason.
  [[nodiscard]] bool is_suspect(const digest& what) const;
  /// It is known now whether the text ends a process.
  void acquit(const digest& what);

  /// Marks `what` as being read until this object is destroyed. An exception destroys it, too: that is no crash.
  class mark {
   public:
    mark(answer_marks& marks, const digest& what) : marks_(marks), slot_(marks.take(what)) {}
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;
    ~mark() { marks_.clear(slot_); }

   private:
    answer_marks& marks_;
    size_t slot_;
  };

 private:
  explicit answer_marks(descriptor file) : file_(std::move(file)) {}
  void load();
  [[nodiscard]] size_t take(const digest& what);
  void clear(size_t slot) noexcept;

  descriptor file_;
  mutable std::mutex guard_;
  std::vector<bool> taken_;  ///< By slot.
  std::vector<std::pair<digest, size_t>> suspects_;
};

}  // namespace cohort::answers
