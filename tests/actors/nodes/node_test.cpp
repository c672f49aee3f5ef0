// The NODE under virtual time; HUB, DIALER and KEEPER are played by the test, WORKER and GATEWAY are the real ones.

#include <gtest/gtest.h>

#include "actors/nodes/node.hpp"
#include "actors/nodes/node_framing.hpp"
#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

using namespace std::chrono_literals;

/// What the HUB hears, and how it greets.
struct hub_script {
  std::vector<node_call> calls;
  std::vector<message_part> parts;
  uint32_t pulses = 0;
  uint32_t leaving = 0;
  uint32_t gone = 0;
  bool answers_pulses = true;
  node_welcome welcome;
};

hub_actor::behavior_type play_hub(hub_actor::pointer self, std::shared_ptr<hub_script> script) {
  return {
      [script](const node_call& call) {
        script->calls.push_back(call);
        return script->welcome;
      },
      [script](const message_part& part) { script->parts.push_back(part); },
      [self, script](const node_pulse& pulse) {
        ++script->pulses;
        if (script->answers_pulses)
          self->send(caf::actor_cast<node_actor>(self->current_sender()), hub_pulse{pulse.session, true});
      },
      [script](const node_leaving&) { ++script->leaving; },
      [self, script](const node_gone& node) {
        ++script->gone;
        self->send(caf::actor_cast<node_actor>(self->current_sender()), hub_pulse{node.session, false});
      },
  };
}

struct disk_script {
  std::vector<remote_report> kept;
  std::vector<held_attempt> forgotten;
  bool full = false;
};

spool_writer_actor::behavior_type play_spool_writer(spool_writer_actor::pointer, std::shared_ptr<disk_script> disk) {
  return {
      [disk](const spool_report& request) -> caf::result<recorded> {
        if (disk->full) return caf::make_error(caf::sec::runtime_error);
        disk->kept.push_back(request.what);
        return recorded{};
      },
      [disk](const unspool_report& request) { disk->forgotten.push_back(request.which); },
  };
}

const std::string own_ledger(32, 'b');
const std::string other_ledger(32, 'e');

struct node_test : actor_fixture {
  std::shared_ptr<hub_script> script = std::make_shared<hub_script>();
  std::shared_ptr<disk_script> disk = std::make_shared<disk_script>();
  std::shared_ptr<scripted_provider> provider = std::make_shared<scripted_provider>();
  std::vector<run_event> events;
  hub_actor there;
  bool reachable = true;
  uint32_t dials = 0;
  node_parts services;
  node_service_actor uut;
  uint64_t parcel = 0;
  uint32_t most_tokens = 1000;  ///< Of an order.

  node_test() {
    script->welcome.accepted = true;
    script->welcome.ledger_id = own_ledger;
    script->welcome.lease = 15s;
    provider->at_once = false;
    provider->answer = [](const completion_request& request, uint32_t) {
      return good_answer("answer to " + request.prompt);
    };
    there = sys.spawn(play_hub, script);
  }
  ~node_test() override {
    provider->answer_all();
    run();
    end(uut);
    end(there);
    end(services.gateway);
    end(services.dialer);
    end(services.spool_writer);
    end(services.progress);
    uut = nullptr;
    services = {};
    there = nullptr;
    sched.advance_time(std::chrono::minutes{20});
    run();
  }

  void start(std::vector<remote_report> kept = {}, milliseconds rejoin_for = 600s) {
    services.name = "n";
    services.node = "node-id";
    services.slots = 2;
    services.rejoin_for = rejoin_for;
    services.provider = std::make_shared<provider_health>(provider);
    services.resend = [](uint32_t, milliseconds, const call_failure&) { return std::optional<milliseconds>{}; };
    services.progress = sys.spawn(progress, run_snapshot{}, std::make_shared<run_fixture::collector>(events));
    services.gateway = sys.spawn(gateway, services.provider, services.progress);
    services.spool_writer = sys.spawn(play_spool_writer, disk);
    services.dialer = sys.spawn([this](dialer_actor::pointer) -> dialer_actor::behavior_type {
      return {[this](const dial_options&) -> dialed {
        ++dials;
        if (!reachable) return {hub_actor{}, ec::connect_failed, "nobody is there"};
        return {there, ec::none, {}};
      }};
    });
    auto parts = services;
    parts.kept = std::move(kept);
    uut = sys.spawn(node, std::move(parts));
    self->send(uut, node_start{});
    pass(50ms);
  }
  std::string session() const { return script->calls.back().hello.session; }
  remote_order order(uint32_t number) {
    remote_order order;
    order.run = 1;
    order.order.lease = number;
    order.order.task = task_id_from(sha256(std::to_string(number)));
    order.order.attempt = 1;
    order.order.timeout = 60s;
    order.order.request.prompt = std::to_string(number);
    order.order.request.model = "a-model";
    order.order.request.max_tokens = most_tokens;
    order.with_prefix = true;
    order.prefix = sha256({});
    return order;
  }
  void give(const remote_order& order) {
    for (auto& part : cut(session(), ++parcel, message_kind::order, pack(order))) self->send(uut, std::move(part));
    pass(20ms);
  }
  void acknowledge(const remote_report& report, bool taken = true) {
    self->send(uut,
               report_kept{session(), report.ledger_id, report.run, report.report.task, report.report.attempt, taken});
    pass(20ms);
  }
  std::vector<remote_report> reports() {
    std::vector<remote_report> found;
    message_joiner joiner;
    for (const auto& part : script->parts)
      if (const auto whole = joiner.add(part)) found.push_back(unpack_report(*whole).value());
    return found;
  }
  std::optional<node_outcome> outcome() {
    std::optional<node_outcome> ended;
    self->receive([&](const node_outcome& x) { ended = x; }, caf::after(0s) >> [] {});
    return ended;
  }
  /// The connection ends and can be made again.
  void cut_off() {
    end(there);
    there = sys.spawn(play_hub, script);
    pass(1s);
  }
};

TEST_F(node_test, keeps_an_answer_on_disk_sends_it_and_forgets_it_when_it_is_acknowledged) {
  start();
  give(order(1));
  EXPECT_TRUE(reports().empty());
  provider->answer_all();
  pass(20ms);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0].report.answer.text, "answer to 1");
  EXPECT_EQ(disk->kept.size(), 1u);
  EXPECT_TRUE(disk->forgotten.empty());
  acknowledge(reports()[0]);
  EXPECT_EQ(disk->forgotten.size(), 1u);
}

TEST_F(node_test, sends_an_answer_although_its_own_disk_is_full_and_says_so) {
  disk->full = true;
  start();
  give(order(1));
  provider->answer_all();
  pass(20ms);
  EXPECT_EQ(reports().size(), 1u);
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const auto& e) { return e.kind == event_kind::warning; }));
}

TEST_F(node_test, asks_once_for_an_order_that_comes_twice) {
  start();
  give(order(1));
  give(order(1));
  EXPECT_EQ(provider->total_asked(), 1u);
}

TEST_F(node_test, gives_back_what_it_has_no_slot_for) {
  start();
  for (uint32_t i = 1; i <= 3; ++i) give(order(i));
  EXPECT_EQ(provider->total_asked(), 2u);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0].report.failure.code, ec::node_left);
  EXPECT_EQ(reports()[0].report.failure.billed, billing::unbilled);
}

TEST_F(node_test, joins_again_after_a_loss_tells_what_it_holds_and_hands_it_over) {
  start();
  give(order(1));
  give(order(2));
  const auto before = session();
  end(there);  // And nobody is there for a while.
  reachable = false;
  provider->answer_all();
  pass(2s);
  reachable = true;
  there = sys.spawn(play_hub, script);
  pass(6s);
  ASSERT_EQ(script->calls.size(), 2u);
  EXPECT_NE(session(), before);
  EXPECT_EQ(script->calls[1].hello.held.size(), 2u);
  EXPECT_EQ(script->calls[1].hello.process_id, script->calls[0].hello.process_id);
  EXPECT_EQ(reports().size(), 2u);
  EXPECT_EQ(provider->total_asked(), 2u);
}

TEST_F(node_test, joins_again_when_the_hub_has_taken_it_for_lost_or_is_silent_for_the_lease) {
  start();
  self->send(uut, hub_pulse{session(), false});
  pass(2s);
  EXPECT_EQ(script->calls.size(), 2u);
  script->answers_pulses = false;
  pass(14s);
  EXPECT_EQ(script->calls.size(), 2u);
  pass(5s);
  EXPECT_EQ(script->calls.size(), 3u);
}

TEST_F(node_test, looks_for_the_coordinator_with_growing_pauses_and_gives_up_in_the_end) {
  reachable = false;
  start({}, 60s);
  pass(10s);
  EXPECT_GE(dials, 3u);
  EXPECT_LE(dials, 20u);
  EXPECT_FALSE(outcome());
  pass(60s);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::connect_failed);
  EXPECT_LE(dials, 60u);
}

TEST_F(node_test, leaves_with_the_reason_when_its_protocol_is_another_one) {
  script->welcome.accepted = false;
  script->welcome.code = ec::protocol_mismatch;
  script->welcome.reason = "use the same program";
  start();
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::protocol_mismatch);
  EXPECT_EQ(ended->message, "use the same program");
}

TEST_F(node_test, told_to_leave_it_finishes_hands_over_and_goes) {
  start();
  give(order(1));
  self->send(uut, drain{});
  pass(200ms);
  EXPECT_EQ(script->leaving, 1u);
  give(order(2));
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0].report.failure.code, ec::node_left);
  EXPECT_EQ(provider->total_asked(), 1u);
  provider->answer_all();
  pass(200ms);
  EXPECT_FALSE(outcome()) << "nothing is acknowledged yet";
  for (const auto& report : reports()) acknowledge(report);
  pass(200ms);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::none);
  EXPECT_EQ(ended->kept, 0u);
  EXPECT_EQ(script->gone, 1u);
}

TEST_F(node_test, at_the_end_of_the_run_it_hands_over_what_it_holds_before_it_goes) {
  start();
  give(order(1));
  self->send(uut, hub_farewell{session()});
  pass(200ms);
  EXPECT_FALSE(outcome());
  provider->answer_all();
  pass(200ms);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_FALSE(outcome()) << "it is not acknowledged";
  acknowledge(reports()[0]);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::none);
  EXPECT_EQ(ended->kept, 0u);
}

TEST_F(node_test, what_the_coordinator_does_not_wait_for_at_its_end_stays_in_the_spool) {
  start();
  give(order(1));
  self->send(uut, hub_farewell{session()});
  reachable = false;
  end(there);
  provider->answer_all();
  pass(500ms);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::none);
  EXPECT_EQ(ended->kept, 1u);
  EXPECT_TRUE(disk->forgotten.empty());
}

TEST_F(node_test, a_second_signal_ends_it_at_once) {
  start();
  give(order(1));
  self->send(uut, drain{});
  pass(200ms);
  EXPECT_FALSE(outcome());
  self->send(uut, stop_now{});
  pass(10ms);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::none);
  EXPECT_NE(ended->message.find("unconfirmed"), std::string::npos);
}

TEST_F(node_test, answers_of_another_ledger_stay_in_the_spool) {
  remote_report other;
  other.ledger_id = other_ledger;
  other.run = 1;
  other.report.task = task_id_from(sha256("x"));
  other.report.attempt = 1;
  other.report.answered = true;
  auto own = other;
  own.ledger_id = own_ledger;
  start({other, own});
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0].ledger_id, own_ledger);
  acknowledge(own);
  EXPECT_EQ(disk->forgotten.size(), 1u);
  self->send(uut, drain{});
  pass(300ms);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->kept, 1u);
}

TEST_F(node_test, a_flood_of_kept_answers_goes_out_a_window_at_a_time) {
  std::vector<remote_report> kept;
  for (uint32_t i = 0; i < 100; ++i) {
    remote_report one;
    one.ledger_id = own_ledger;
    one.run = 1;
    one.report.task = task_id_from(sha256(std::to_string(i)));
    one.report.attempt = 1;
    one.report.answered = true;
    kept.push_back(one);
  }
  start(kept);
  EXPECT_EQ(reports().size(), 18u) << "as many as slots, and 16";
  acknowledge(reports()[0]);
  EXPECT_EQ(reports().size(), 19u);
}

TEST_F(node_test, large_answers_go_in_parts_and_pulses_go_on_between_orders) {
  provider->answer = [](const completion_request&, uint32_t) { return good_answer(std::string(5 << 20, 'a')); };
  most_tokens = 100'000;
  start();
  give(order(1));
  provider->answer_all();
  pass(20ms);
  EXPECT_GT(script->parts.size(), 20u);
  for (const auto& part : script->parts) EXPECT_LE(part.bytes.size(), part_bytes);
  EXPECT_EQ(reports().size(), 1u);
  const auto before = script->pulses;
  pass(3s);
  EXPECT_GE(script->pulses, before + 2);
}

/// A coordinator that this machine's user does not own.
TEST_F(node_test, a_ledger_that_is_named_like_a_file_ends_the_node_and_nothing_is_written) {
  script->welcome.ledger_id = "/home/somebody/.ssh/authorized_keys";
  script->welcome.ledger_id += '\0';
  start();
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::protocol_mismatch);
  EXPECT_NE(ended->message.find("does not keep to the protocol"), std::string::npos);
  EXPECT_TRUE(disk->kept.empty());
}

TEST_F(node_test, orders_that_cannot_be_end_the_node_unsent) {
  const std::vector<std::function<void(remote_order&)>> ways{
      [](auto& x) { x.run = -1; },
      [](auto& x) { x.order.attempt = 0; },
      [](auto& x) { x.order.task = {}; },
      [](auto& x) { x.order.timeout = -1s; },
      [](auto& x) { x.order.request.max_tokens = 0; },
      [](auto& x) { x.order.request.model = "../../etc/passwd\n"; },
      [](auto& x) { x.order.request.effort = "high\"}"; },
      [](auto& x) { x.order.request.cache = static_cast<cache_mode>(9); },
      [](auto& x) { x.prefix_text = "another text"; },
  };
  for (const auto& spoil : ways) {
    auto bad = order(1);
    spoil(bad);
    EXPECT_NE(fault_in(bad), "");
  }
  start();
  auto bad = order(1);
  bad.order.timeout = -1s;
  give(bad);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::protocol_mismatch);
  EXPECT_EQ(provider->total_asked(), 0u);
}

TEST_F(node_test, what_is_under_way_is_kept_when_the_coordinator_breaks_the_protocol) {
  start();
  give(order(1));
  self->send(uut, message_part{session(), 9, 5, 3, message_kind::order, "x"});
  pass(100ms);
  EXPECT_FALSE(outcome()) << "it is paid for";
  provider->answer_all();
  pass(200ms);
  EXPECT_EQ(disk->kept.size(), 1u);
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::protocol_mismatch);
  EXPECT_EQ(ended->kept, 1u);
}

TEST_F(node_test, what_a_provider_says_that_cannot_be_is_told_as_a_failure_that_may_be_billed) {
  provider->answer = [](const completion_request&, uint32_t) {
    auto odd = good_answer("fine");
    odd.answer.model.assign(10'000, 'm');
    return odd;
  };
  start();
  give(order(1));
  provider->answer_all();
  provider->answer = [](const completion_request&, uint32_t) { return good_answer(std::string(1U << 20, 'x')); };
  give(order(2));
  provider->answer_all();
  pass(20ms);
  ASSERT_EQ(reports().size(), 2u);
  for (const auto& report : reports()) EXPECT_EQ(fault_in(report), "");
  EXPECT_TRUE(reports()[0].report.answered) << "a long name is cut";
  EXPECT_FALSE(reports()[1].report.answered);
  EXPECT_EQ(reports()[1].report.failure.billed, billing::unknown);
}

TEST_F(node_test, a_coordinator_cannot_make_it_forget_answers_of_another_ledger_nor_learn_of_which) {
  remote_report other;
  other.ledger_id = other_ledger;
  other.run = 1;
  other.report.task = task_id_from(sha256("x"));
  other.report.attempt = 1;
  other.report.answered = true;
  start({other});
  ASSERT_EQ(script->calls.back().hello.held.size(), 1u);
  EXPECT_NE(script->calls.back().hello.held[0].ledger_id, other_ledger);
  EXPECT_EQ(script->calls.back().hello.held[0].ledger_id, veiled(other_ledger, session()));
  acknowledge(other);
  EXPECT_TRUE(disk->forgotten.empty());
}

}  // namespace
}  // namespace cohort::actors
