// Where each task of one batch stands while the batch is worked on. No actors: values and queues.
//
//   held (a node may have its answer) ─> queued, or storing with the late answer
//   queued ─> asking (for money) ─> granted ─> sending ─> storing ─┬─> ended
//     ^                                                            │
//     └───────────────── paused (before another attempt) <─────────┘
//
// Invariant: an entry holds a reservation exactly while it is granted, sending or storing.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "messages/ledger.hpp"

namespace cohort::actors {

enum class task_phase : uint8_t { held, queued, asking, granted, sending, storing, paused, ended };

struct board_entry {
  task_record record;
  task_phase phase = task_phase::queued;
  nano_dollars reserved;
  uint64_t lease = 0;                      ///< 0: none.
  uint32_t unconfirmed = 0;                ///< Attempts of this start with unknown billing.
  uint32_t unusable = 0;                   ///< Paid answers of this start that were not usable.
  task_state shown = task_state::planned;  ///< The state that PROGRESS counts it in.
  milliseconds used{0};                    ///< Of the task's time, by finished attempts.
  size_t least_level = 0;                  ///< Models above this one on the ladder are not asked any more.
  size_t model_index = 0;                  ///< Of the present attempt.
  std::map<uint32_t, size_t> levels;       ///< Of the attempts of this start that were not of the plan's own model.
  std::map<uint32_t, nano_dollars> reservations;  ///< Of the attempts of this start.
  std::optional<completion> late;                 ///< A stored answer that came while something else was under way.
};

class task_board {
 public:
  /// Tasks without a final state are queued, deferred ones first; stored answers wait in `answered()`.
  explicit task_board(std::vector<task_record> tasks);

  /// The next queued entry, now `asking`; null if there is none.
  [[nodiscard]] board_entry* next_queued();

  /// Entries that are asking or granted: handed money, but no worker yet.
  [[nodiscard]] size_t waiting_for_worker() const noexcept { return asking_ + granted_.size(); }

  void grant(board_entry& entry, nano_dollars amount);
  [[nodiscard]] board_entry* next_granted();  ///< Now `sending`; null if there is none.
  void pause(board_entry& entry);             ///< Ended an attempt; another follows.
  void requeue(board_entry& entry);           ///< Back to the end of the queue.
  void end(board_entry& entry, task_state state);
  void withdraw(board_entry& entry);  ///< A queued entry is not to be asked for.
  void veto(board_entry& entry);      ///< Asking ends; the entry is deferred.
  void hold(board_entry& entry);      ///< A queued entry is not asked for until it is requeued.
  /// Whatever the entry waits for, it is to be judged now. False while something is under way that has to end first.
  [[nodiscard]] bool divert(board_entry& entry);
  void end_asking(board_entry& entry);  ///< The money is not wanted any more.

  /// Nothing more is handed out: queued, paused and asking entries stay as the ledger has them.
  /// Returns the granted ones, whose reservations are to be settled.
  [[nodiscard]] std::vector<board_entry*> stop_handing_out();
  [[nodiscard]] bool handing_out() const noexcept { return handing_out_; }

  [[nodiscard]] board_entry* find(const task_id& id);
  [[nodiscard]] board_entry* holder_of(uint64_t lease);
  [[nodiscard]] std::vector<board_entry*> answered();

  [[nodiscard]] bool exhausted() const noexcept { return queue_.empty() && asking_ == 0 && granted_.empty(); }
  [[nodiscard]] bool done() const noexcept;  ///< Nothing is under way and nothing more will be handed out.
  [[nodiscard]] state_counts counts() const noexcept;

 private:
  std::vector<board_entry> entries_;
  std::unordered_map<task_id, size_t> by_id_;
  std::deque<board_entry*> queue_;
  std::deque<board_entry*> granted_;
  size_t asking_ = 0;
  bool handing_out_ = true;
};

}  // namespace cohort::actors
