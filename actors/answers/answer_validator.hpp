// JUDGE: reads answers on a thread of its own, so that what keeps the slots busy need not wait for the parser.
#pragma once

#include <atomic>

#include "actors/interfaces.hpp"
#include "actors/run/run_context.hpp"

namespace cohort::actors {

/// How many answers are with the JUDGE. A BATCH that is turned away reads its answer itself, so that answers which come
/// faster than one thread can read them slow down who brings them instead of filling the memory.
class judge_backlog {
 public:
  explicit judge_backlog(uint32_t most = 512) noexcept : most_(most) {}
  /// False: too many wait. Otherwise `leave` follows.
  [[nodiscard]] bool enter() noexcept;
  void leave() noexcept { --waiting_; }
  [[nodiscard]] uint32_t waiting() const noexcept { return waiting_; }

 private:
  const uint32_t most_;
  std::atomic<uint32_t> waiting_{0};
};

/// Reads one answer.
[[nodiscard]] judgement judge_answer(const task_craft& craft, const task_spec& task, const std::string& text);

class judge_state {
 public:
  static inline const char* name = "judge";

  void start(judge_actor::stateful_pointer<judge_state> self, context_ptr context,
             std::shared_ptr<judge_backlog> backlog);

  caf::typed_response_promise<judgement> read(const unread_answer& answer);

 private:
  void rest();

  judge_actor::stateful_pointer<judge_state> self_ = nullptr;
  context_ptr context_;
  std::shared_ptr<judge_backlog> backlog_;
};

judge_actor::behavior_type judge(judge_actor::stateful_pointer<judge_state> self, context_ptr context,
                                 std::shared_ptr<judge_backlog> backlog);

}  // namespace cohort::actors
