// ANSWER VALIDATOR: reads answers on a thread of its own, so that what keeps the slots busy need not wait for the
// parser.
#pragma once

#include <atomic>

#include "actors/interfaces.hpp"
#include "actors/run/run_context.hpp"

namespace cohort::actors {

/// How many answers are with the ANSWER VALIDATOR. A BATCH that is turned away reads its answer itself, so that answers
/// which come faster than one thread can read them slow down who brings them instead of filling the memory.
class validation_backlog {
 public:
  explicit validation_backlog(uint32_t most = 512) noexcept : most_(most) {}
  /// False: too many wait. Otherwise `leave` follows.
  [[nodiscard]] bool enter() noexcept;
  void leave() noexcept { --waiting_; }
  [[nodiscard]] uint32_t waiting() const noexcept { return waiting_; }

 private:
  const uint32_t most_;
  std::atomic<uint32_t> waiting_{0};
};

/// Reads one answer.
[[nodiscard]] validation validate_answer(const answer_handler& handler, const task_spec& task, const std::string& text);

class answer_validator_state {
 public:
  static inline const char* name = "answer_validator";

  void start(answer_validator_actor::stateful_pointer<answer_validator_state> self, context_ptr context,
             std::shared_ptr<validation_backlog> backlog);

  caf::typed_response_promise<validation> read(const answer_to_validate& answer);

 private:
  void rest();

  answer_validator_actor::stateful_pointer<answer_validator_state> self_ = nullptr;
  context_ptr context_;
  std::shared_ptr<validation_backlog> backlog_;
};

answer_validator_actor::behavior_type answer_validator(
    answer_validator_actor::stateful_pointer<answer_validator_state> self, context_ptr context,
    std::shared_ptr<validation_backlog> backlog);

}  // namespace cohort::actors
