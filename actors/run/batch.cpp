// Each effect is a message to a partner, each reply an event for the flow.

#include "actors/run/batch.hpp"

#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"

namespace cohort::actors {

namespace {

// Replies of local services have no time limit of their own: a batch may wait for money or a full disk for
// as long as it takes. The services are linked to the COORDINATOR, so a dead one ends the run.
constexpr auto no_timeout = caf::infinite;

}  // namespace

void batch_state::start(batch_actor::stateful_pointer<batch_state> self, context_ptr context, batch_partners partners,
                        batch_contents contents, uint32_t slots) {
  self_ = self;
  context_ = std::move(context);
  partners_ = std::move(partners);
  index_ = contents.batch;
  flow_ = std::make_shared<task_flow>(context_, index_, std::move(contents.tasks), slots);
  carry_all(flow_->start(self_->clock().now(), contents.not_askable, contents.in_doubt, bool{partners_.hub}));
}

void batch_state::feed(const flow_event& what) { carry_all(flow_->on(self_->clock().now(), what)); }

void batch_state::carry_all(flow_effects effects) {
  for (auto& each : effects) std::visit([this](auto& x) { carry(x); }, each);
}

template <class Reply, class Partner, class Message, class ToEvent>
void batch_state::request(const Partner& partner, const task_id& task, Message message, ToEvent to_event) {
  self_->request(partner, no_timeout, std::move(message))
      .then([this, to_event = std::move(to_event)](const Reply& reply) { feed(to_event(reply)); },
            [this, task](const caf::error& problem) {
              feed(event::refused{task, from_caf(problem)});
            });
}

template <class Record>
void batch_state::store(const task_id& task, Record record) {
  request<recorded>(partners_.recorder, task, std::move(record),
                    [task](const recorded&) -> flow_event { return event::stored{task}; });
}

void batch_state::on_slot(const slot_lease& slot) {
  slots_[slot.lease] = slot;
  feed(event::slot{slot.lease, slot.node});
}

void batch_state::carry(effect::reserve& x) {
  request<funds_answer>(partners_.money, x.task, funds_wanted{index_, x.task, x.amount},
                        [task = x.task, amount = x.amount](const funds_answer& answer) -> flow_event {
                          return event::funds{task, amount, answer};
                        });
}

void batch_state::carry(effect::want_slot&) { self_->send(partners_.pool, slots_wanted{index_, 1, self_}); }

void batch_state::carry(effect::release_slot& x) {
  slots_.erase(x.lease);
  self_->send(partners_.pool, lease_return{x.lease});
}

void batch_state::carry(effect::settle& x) { self_->send(partners_.money, settlement{index_, x.reserved, x.spent}); }

void batch_state::carry(effect::store_intent& x) { store(x.what.task, std::move(x.what)); }

void batch_state::carry(effect::ask& x) {
  const auto lease = x.order.lease;
  const auto slot = slots_.at(lease);
  self_->request(slot.worker, no_timeout, std::move(x.order))
      .then(
          [this, slot](const work_report& report) {
            if (!slot.node.empty()) to_be_told_[slot.lease] = slot.worker;
            feed(event::reported{report});
          },
          [this, lease](const caf::error&) { feed(event::lost{lease}); });
}

void batch_state::carry(effect::store_answer& x) {
  if (x.late)
    caf::anon_send(partners_.recorder, std::move(x.what));
  else
    store(x.what.task, std::move(x.what));
}

void batch_state::carry(effect::store_failure& x) { store(x.what.task, std::move(x.what)); }

void batch_state::carry(effect::store_end& x) { store(x.what.task, std::move(x.what)); }

void batch_state::carry(effect::acknowledge& x) {
  const auto told = to_be_told_.find(x.lease);
  if (told == to_be_told_.end()) return;
  self_->send(told->second, report_stored{x.task, x.attempt});
  to_be_told_.erase(told);
}

void batch_state::carry(effect::validate& x) {
  const std::shared_ptr<const task_spec> task{flow_, flow_->spec(x.task)};
  const auto to_event = [id = x.task](const validation& how) -> flow_event {
    return event::validated{id, how.code, how.text};
  };
  if (!partners_.backlog->enter()) return feed(to_event(validate_answer(*context_->handler, *task, x.text)));
  request<validation>(partners_.validator, x.task, answer_to_validate{task, std::move(x.text)}, to_event);
}

void batch_state::carry(effect::deliver& x) {
  request<delivery>(partners_.recorder, x.task, deliver_text{{x.task, index_}, std::move(x.text)},
                    [](const delivery& written) -> flow_event { return event::delivered{written}; });
}

void batch_state::carry(effect::wake& x) { self_->delayed_anon_send(self_, x.pause, retry_task{x.task}); }

void batch_state::carry(effect::hold& x) { self_->send(partners_.hub, tasks_in_doubt{self_, std::move(x.tasks)}); }

void batch_state::carry(effect::tell& x) { self_->send(partners_.progress, std::move(x.event)); }

void batch_state::carry(effect::stop& x) { self_->send(partners_.coordinator, stop_run{x.code, x.message}); }

void batch_state::carry(effect::delivery_problem& x) {
  self_->send(partners_.coordinator, delivery_failed{x.code, x.message});
}

void batch_state::carry(effect::exhausted& x) {
  self_->send(partners_.coordinator, batch_exhausted{index_, x.run_limit, x.veto});
}

void batch_state::carry(effect::close&) {
  self_->send(partners_.pool, batch_exhausted{index_, false, {}});
  const auto leave = [this] {
    self_->send(partners_.coordinator, batch_ended{index_, flow_->counts(), flow_->late_answers()});
    self_->quit();
  };
  self_->request(partners_.recorder, no_timeout, close_batch{index_})
      .then([leave](const recorded&) { leave(); },
            [this, leave](const caf::error& problem) {
              const auto cause = from_caf(problem);
              self_->send(partners_.coordinator, stop_run{cause.code, cause.message});
              leave();
            });
}

batch_actor::behavior_type batch(batch_actor::stateful_pointer<batch_state> self, context_ptr context,
                                 batch_partners partners, batch_contents contents, uint32_t slots) {
  self->state.start(self, std::move(context), std::move(partners), std::move(contents), slots);
  return {
      [self](const slot_lease& slot) { self->state.on_slot(slot); },
      [self](const lease_lost& lost) { self->state.feed(event::lost{lost.lease}); },
      [self](const retry_task& request) { self->state.feed(event::awake{request.task}); },
      [self](const drain&) { self->state.feed(event::drained{}); },
      [self](const answer_arrived& late) {
        self->state.feed(event::late{late.task, late.answer});
      },
      [self](const task_released& released) { self->state.feed(event::released{released.task}); },
      [self](const slots_changed& now) { self->state.feed(event::slots{now.total}); },
  };
}

}  // namespace cohort::actors
