// Validates the answers of all batches on a thread of its own, and pauses while there are none.

#include "actors/answers/answer_validator.hpp"

#include <thread>
#include <utility>

#include <caf/all.hpp>

#include "actors/caf/thread_of_own.hpp"

namespace cohort::actors {

namespace {

constexpr milliseconds validator_pause{15};  ///< Answers gather meanwhile, and wake nobody.

}  // namespace

bool validation_backlog::enter() noexcept {
  if (waiting_++ < most_) return true;
  leave();
  return false;
}

validation validate_answer(const answer_handler& handler, const task_spec& task, const std::string& text) {
  auto usable = handler.extract(task, text);
  if (!usable) return {usable.error().code, std::move(usable.error().message)};
  return {ec::none, std::move(*usable)};
}

void answer_validator_state::start(answer_validator_actor::stateful_pointer<answer_validator_state> self,
                                   context_ptr context, std::shared_ptr<validation_backlog> backlog) {
  self_ = self;
  context_ = std::move(context);
  backlog_ = std::move(backlog);
}

caf::typed_response_promise<validation> answer_validator_state::read(const answer_to_validate& answer) {
  auto promise = self_->make_response_promise<validation>();
  promise.deliver(validate_answer(*context_->handler, *answer.task, answer.text));
  backlog_->leave();
  rest();
  return promise;
}

void answer_validator_state::rest() {
  if (!has_own_thread(static_cast<caf::abstract_actor*>(self_)) || !self_->mailbox().empty()) return;
  std::this_thread::sleep_for(validator_pause);
}

answer_validator_actor::behavior_type answer_validator(
    answer_validator_actor::stateful_pointer<answer_validator_state> self, context_ptr context,
    std::shared_ptr<validation_backlog> backlog) {
  self->state.start(self, std::move(context), std::move(backlog));
  return {[self](const answer_to_validate& answer) { return self->state.read(answer); }};
}

}  // namespace cohort::actors
