// JUDGE.

#include "actors/answers/answer_validator.hpp"

#include <thread>
#include <utility>

#include <caf/all.hpp>

#include "actors/caf/thread_of_own.hpp"

namespace cohort::actors {

namespace {

constexpr milliseconds judge_rest{15};  ///< Answers gather meanwhile, and wake nobody.

}  // namespace

bool judge_backlog::enter() noexcept {
  if (waiting_++ < most_) return true;
  leave();
  return false;
}

judgement judge_answer(const task_craft& craft, const task_spec& task, const std::string& text) {
  auto usable = craft.extract(task, text);
  if (!usable) return {usable.error().code, std::move(usable.error().message)};
  return {ec::none, std::move(*usable)};
}

void judge_state::start(judge_actor::stateful_pointer<judge_state> self, context_ptr context,
                        std::shared_ptr<judge_backlog> backlog) {
  self_ = self;
  context_ = std::move(context);
  backlog_ = std::move(backlog);
}

caf::typed_response_promise<judgement> judge_state::read(const unread_answer& answer) {
  auto promise = self_->make_response_promise<judgement>();
  promise.deliver(judge_answer(*context_->craft, *answer.task, answer.text));
  backlog_->leave();
  rest();
  return promise;
}

void judge_state::rest() {
  if (!has_own_thread(static_cast<caf::abstract_actor*>(self_)) || !self_->mailbox().empty()) return;
  std::this_thread::sleep_for(judge_rest);
}

judge_actor::behavior_type judge(judge_actor::stateful_pointer<judge_state> self, context_ptr context,
                                 std::shared_ptr<judge_backlog> backlog) {
  self->state.start(self, std::move(context), std::move(backlog));
  return {[self](const unread_answer& answer) { return self->state.read(answer); }};
}

}  // namespace cohort::actors
