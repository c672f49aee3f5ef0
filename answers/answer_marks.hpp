// Which answers are being read at the moment, in a small file that outlives the process. If a text ends the process,
// the next start finds it there, and has it read by a process of its own. Not synced: it is to survive a crash, not a
// power cut.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/folder.hpp"

namespace cohort::answers {

/// Any thread. One process at a time: the caller holds the lock of the project.
class answer_marks {
 public:
  /// `file` is relative to `place`. Fails as the system does, or if something else than a file stands there.
  [[nodiscard]] static expected<std::unique_ptr<answer_marks>> open(const folder& folder,
                                                                    const std::filesystem::path& file);

  /// True if a process ended while this was read, and nobody has found out since whether because of it.
  [[nodiscard]] bool is_suspect(const digest& what) const;
  /// Somebody found out.
  void acquit(const digest& what);

  /// Says that `what` is being read, until destroyed. Destroyed by an exception, too: that is no crash.
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
