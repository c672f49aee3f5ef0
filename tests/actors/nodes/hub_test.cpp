// The HUB with the whole run behind it, under virtual time; nodes are played by the test.

#include <gtest/gtest.h>

#include "actors/nodes/node_framing.hpp"
#include "base/files.hpp"
#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

using namespace std::chrono_literals;

/// What a node hears.
struct ear {
  std::vector<message_part> parts;
  std::vector<report_kept> kept;
  std::vector<hub_pulse> pulses;
  uint32_t farewells = 0;
  std::optional<node_welcome> welcome;
  std::vector<std::string> recalls;
};

/// The way back of a node; it also hears the answer to its hello.
caf::behavior listen(caf::event_based_actor*, std::shared_ptr<ear> into) {
  return {
      [into](const node_welcome& welcome) { into->welcome = welcome; },
      [into](const message_part& part) { into->parts.push_back(part); },
      [into](const report_kept& kept) { into->kept.push_back(kept); },
      [into](const hub_pulse& pulse) { into->pulses.push_back(pulse); },
      [into](const hub_farewell&) { ++into->farewells; },
      [into](const node_recall& recall) { into->recalls.push_back(recall.reason); },
  };
}

std::string id_of(const std::string& name) { return to_hex(sha256("id of " + name)).substr(0, 32); }
std::string process_of(const std::string& name) { return to_hex(sha256("life of " + name)).substr(0, 16); }

struct player {
  caf::actor actor;
  std::shared_ptr<ear> heard;
  node_hello hello;
  std::string ledger_id;
  uint64_t parcel = 0;
  size_t read = 0;  ///< Of the parts that it heard.
  message_joiner joiner;
};

struct hub_test : run_fixture {
  hub_test() {
    settings.concurrent = 0;
    nodes = node_rules{};
  }
  ~hub_test() override {
    for (auto& one : players) end(one->actor);
  }

  std::vector<std::shared_ptr<player>> players;
  std::optional<node_welcome> welcome;

  std::shared_ptr<player> join(const std::string& name, uint32_t slots, std::vector<held_attempt> held = {},
                               uint32_t protocol = cluster_protocol) {
    auto one = std::make_shared<player>();
    one->heard = std::make_shared<ear>();
    one->actor = sys.spawn(listen, one->heard);
    one->hello.protocol = protocol;
    one->hello.session = random_hex(16);
    one->hello.node = id_of(name);
    one->hello.process_id = process_of(name);
    one->hello.name = name;
    one->hello.slots = slots;
    one->hello.held = std::move(held);
    for (auto& attempt : one->hello.held) attempt.ledger_id = veiled(attempt.ledger_id, one->hello.session);
    one->ledger_id = ledger->identity().value();
    players.push_back(one);
    says(one, node_call{one->hello, caf::actor_cast<node_actor>(one->actor)});
    welcome = one->heard->welcome;
    return one;
  }
  template <class What>
  void says(const std::shared_ptr<player>& from, What what) {
    caf::send_as(from->actor, services.hub, std::move(what));
    run();
  }
  void pulse(const std::shared_ptr<player>& from, std::string trouble = {}) {
    says(from, node_pulse{from->hello.session, 0, 0, std::move(trouble)});
  }
  /// Orders that came since the last call.
  std::vector<remote_order> orders(player& of) {
    std::vector<remote_order> found;
    for (; of.read < of.heard->parts.size(); ++of.read)
      if (const auto whole = of.joiner.add(of.heard->parts[of.read])) found.push_back(unpack_order(*whole).value());
    return found;
  }
  void report(player& from, work_report what, const std::string& of_ledger = {}) {
    const remote_report whole{of_ledger.empty() ? from.ledger_id : of_ledger, stored().id, std::move(what)};
    for (auto& part : cut(from.hello.session, ++from.parcel, message_kind::report, pack(whole)))
      caf::send_as(from.actor, services.hub, std::move(part));
    run();
  }
  static work_report report_for(const remote_order& order) {
    work_report what;
    what.lease = order.order.lease;
    what.task = order.order.task;
    what.attempt = order.order.attempt;
    return what;
  }
  void answer(player& from, const remote_order& order, const std::string& text, const std::string& of_ledger = {}) {
    auto what = report_for(order);
    what.answered = true;
    what.answer = good_answer(text).answer;
    what.answer.request_id = text;
    report(from, std::move(what), of_ledger);
  }
  void fail_with(player& from, const remote_order& order, ec code, billing billed, bool retry) {
    auto what = report_for(order);
    what.failure = failed_call(code, billed, retry).failure;
    report(from, std::move(what));
  }
  /// Answers all orders until none comes any more; returns how many.
  size_t work_off(player& who) {
    size_t count = 0;
    for (auto some = orders(who); !some.empty(); some = orders(who))
      for (const auto& order : some) {
        answer(who, order, "by " + who.hello.name);
        ++count;
      }
    return count;
  }
  void leave(const std::shared_ptr<player>& who) { says(who, node_gone{who->hello.session}); }
  size_t count(event_kind kind) const {
    return static_cast<size_t>(
        std::count_if(events.begin(), events.end(), [kind](const auto& e) { return e.kind == kind; }));
  }
};

TEST_F(hub_test, a_node_has_no_more_orders_than_slots_and_gets_another_for_each_answer) {
  plan(20);
  spawn_all();
  auto a = join("a", 3);
  auto first = orders(*a);
  ASSERT_EQ(first.size(), 3u);
  pass(500ms);
  EXPECT_TRUE(orders(*a).empty());
  answer(*a, first[0], "one");
  ASSERT_EQ(a->heard->kept.size(), 1u);
  EXPECT_TRUE(a->heard->kept[0].taken);
  EXPECT_EQ(orders(*a).size(), 1u);
}

TEST_F(hub_test, a_run_on_nodes_alone_ends_and_says_farewell) {
  plan(12);
  spawn_all();
  auto a = join("a", 2);
  EXPECT_EQ(work_off(*a), 12u);
  EXPECT_EQ(a->heard->farewells, 1u);
  leave(a);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 12u);
  EXPECT_EQ(provider->total_asked(), 0u);
}

TEST_F(hub_test, the_tasks_of_a_silent_node_go_to_another_after_the_lease) {
  plan(3);
  spawn_all();
  auto silent = join("silent", 3);
  ASSERT_EQ(orders(*silent).size(), 3u);
  auto other = join("other", 3);
  for (int i = 0; i < 12; ++i) {
    pass(1s);
    pulse(other);
  }
  EXPECT_TRUE(orders(*other).empty()) << "the lease is not over";
  for (int i = 0; i < 3; ++i) {
    pass(1s);
    pulse(other);
  }
  const auto again = orders(*other);
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].order.attempt, 2u);
  EXPECT_EQ(count(event_kind::node_lost), 1u);
  pulse(silent);
  ASSERT_FALSE(silent->heard->pulses.empty());
  EXPECT_FALSE(silent->heard->pulses.back().known) << "it has to join again";
}

TEST_F(hub_test, the_tasks_of_a_node_whose_connection_ended_go_to_another_at_once) {
  plan(3);
  spawn_all();
  auto gone = join("gone", 3);
  auto other = join("other", 3);
  ASSERT_EQ(orders(*gone).size(), 3u);
  end(gone->actor);
  pass(300ms);
  EXPECT_EQ(orders(*other).size(), 3u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 6000) << "three may have been billed, three are under way";
}

struct late_to_hub : hub_test {
  std::shared_ptr<player> lost, other;
  remote_order first, second;

  /// One task, given to a node that was lost, and then to another one.
  void lose_one() {
    plan(1);
    spawn_all();
    lost = join("lost", 1);
    first = orders(*lost).at(0);
    other = join("other", 1);
    end(lost->actor);
    pass(300ms);
    second = orders(*other).at(0);
  }
  void comes_back() {
    lost = join("lost", 1, {{ledger->identity().value(), stored().id, first.order.task, first.order.attempt}});
    EXPECT_TRUE(welcome && welcome->accepted);
  }
};

TEST_F(late_to_hub, the_first_stored_answer_wins_and_the_later_one_only_costs) {
  lose_one();
  comes_back();
  answer(*lost, first, "late");
  ASSERT_EQ(lost->heard->kept.size(), 1u);
  answer(*other, second, "second");
  leave(other);
  leave(lost);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(read_file(root / "out" / task(0).target).value(), "late");
  EXPECT_EQ(stored().duplicate_answers, 1u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 0);
  EXPECT_EQ(stored().spent().confirmed.count, 200);
}

TEST_F(late_to_hub, an_answer_that_is_on_its_way_when_the_run_ends_is_taken_in_before_the_end) {
  lose_one();
  comes_back();
  answer(*other, second, "second");
  leave(other);
  EXPECT_EQ(lost->heard->farewells, 1u);
  pass(2s);
  pulse(lost);
  EXPECT_FALSE(outcome()) << "a paid answer is still on its way";
  answer(*lost, first, "late");
  leave(lost);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().duplicate_answers, 1u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 0) << "what it cost is known";
  EXPECT_EQ(stored().spent().confirmed.count, 200);
}

TEST_F(late_to_hub, a_node_that_comes_back_while_the_run_ends_hands_over_first) {
  lose_one();
  auto third = join("third", 1);  // Holds up the end: it does not say that it has gone.
  answer(*other, second, "second");
  leave(other);
  comes_back();
  pass(300ms);
  EXPECT_EQ(lost->heard->farewells, 1u);
  answer(*lost, first, "late");
  leave(lost);
  leave(third);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().duplicate_answers, 1u);
  join("newcomer", 1);
  EXPECT_FALSE(welcome->accepted) << "the run is over";
  EXPECT_EQ(welcome->code, ec::interrupted);
}

TEST_F(late_to_hub, the_end_waits_for_nobody_longer_than_the_lease) {
  lose_one();
  comes_back();
  answer(*other, second, "second");
  leave(other);
  for (int i = 0; i < 14; ++i) {
    pass(1s);
    pulse(lost);
  }
  EXPECT_FALSE(outcome());
  pass(2s);
  EXPECT_TRUE(outcome());
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000) << "it stays charged";
}

TEST_F(late_to_hub, a_second_signal_does_not_wait_for_nodes) {
  lose_one();
  comes_back();
  answer(*other, second, "second");
  pass(1s);
  EXPECT_FALSE(outcome());
  self->send(owner, stop_now{});
  pass(100ms);
  EXPECT_TRUE(outcome());
}

TEST_F(late_to_hub, an_answer_for_a_failed_task_that_comes_at_the_end_is_delivered) {
  lose_one();
  comes_back();
  fail_with(*other, second, ec::request_invalid, billing::unbilled, false);
  leave(other);
  EXPECT_EQ(stored().tasks().failed, 1u);
  answer(*lost, first, "late");
  leave(lost);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(read_file(root / "out" / task(0).target).value(), "late");
}

TEST_F(hub_test, answers_for_another_ledger_are_left_with_their_node) {
  plan(2);
  spawn_all();
  auto a = join("a", 1);
  answer(*a, orders(*a).at(0), "elsewhere", std::string(32, 'a'));
  ASSERT_EQ(a->heard->kept.size(), 1u);
  EXPECT_FALSE(a->heard->kept[0].taken);
  EXPECT_EQ(stored().tasks().delivered, 0u);
}

TEST_F(hub_test, a_fast_node_does_more_and_a_slow_one_is_not_left_out) {
  plan(30);
  spawn_all();
  auto slow = join("slow", 4);
  auto fast = join("fast", 4);
  auto waiting = orders(*slow);
  EXPECT_EQ(waiting.size(), 4u);
  EXPECT_EQ(work_off(*fast), 26u);
  for (const auto& order : waiting) answer(*slow, order, "slowly");
  leave(slow);
  leave(fast);
  EXPECT_EQ(finish(1s).status, run_status::finished);
}

TEST_F(hub_test, a_node_with_a_bad_key_is_put_aside_with_its_reason_and_its_tasks_cost_nothing) {
  plan(6);
  spawn_all();
  auto good = join("good", 1);
  auto bad = join("bad", 2);
  for (const auto& order : orders(*bad)) fail_with(*bad, order, ec::authentication, billing::unbilled, false);
  pass(300ms);
  EXPECT_EQ(count(event_kind::node_put_aside), 1u);
  EXPECT_FALSE(bad->heard->recalls.empty());
  EXPECT_TRUE(orders(*bad).empty());
  EXPECT_EQ(work_off(*good), 6u);
  leave(good);
  leave(bad);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().failed, 0u);
  EXPECT_EQ(stored().spent().total().count, 600);
}

TEST_F(hub_test, the_only_node_is_not_put_aside_and_its_bad_key_stops_the_run) {
  plan(6);
  spawn_all();
  auto bad = join("bad", 1);
  fail_with(*bad, orders(*bad).at(0), ec::authentication, billing::unbilled, false);
  leave(bad);
  const auto ended = finish(5s);
  EXPECT_EQ(ended.status, run_status::failed);
  EXPECT_EQ(ended.code, ec::authentication);
}

TEST_F(hub_test, a_node_that_cannot_reach_its_provider_is_put_aside_and_tried_again) {
  plan(6);
  spawn_all();
  auto good = join("good", 1);
  auto blocked = join("blocked", 1);
  ASSERT_EQ(orders(*blocked).size(), 1u);
  for (int i = 0; i < 5; ++i) {
    pulse(good);
    pulse(blocked, "connection refused");
    pass(1s);
  }
  ASSERT_EQ(count(event_kind::node_put_aside), 1u);
  const auto reported =
      std::find_if(events.begin(), events.end(), [](const auto& e) { return e.kind == event_kind::node_put_aside; });
  EXPECT_NE(reported->text.find("connection refused"), std::string::npos);
}

TEST_F(hub_test, another_version_of_the_protocol_is_told_so) {
  plan(1);
  spawn_all();
  auto old = join("old", 1, {}, cluster_protocol + 1);
  ASSERT_TRUE(welcome);
  EXPECT_FALSE(welcome->accepted);
  EXPECT_EQ(welcome->code, ec::protocol_mismatch);
  EXPECT_TRUE(orders(*old).empty());
}

TEST_F(hub_test, a_task_that_a_returning_node_holds_is_not_asked_again_after_a_restart) {
  plan(2);
  ASSERT_TRUE(ledger->begin());
  for (uint32_t i = 0; i < 2; ++i)
    ASSERT_TRUE(ledger->record(
        stored().id, intent{task(i).id, 1, i + 1, {1000}, "nano-model", placement(id_of("a"), process_of("a"))}));
  ASSERT_TRUE(ledger->commit());
  spawn_all();
  auto other = join("other", 2);
  EXPECT_TRUE(orders(*other).empty()) << "a node may hold both";
  auto a = join("a", 2, {{ledger->identity().value(), stored().id, task(0).id, 1}});
  pass(300ms);
  auto asked = orders(*other);
  for (auto& order : orders(*a)) asked.push_back(order);
  ASSERT_EQ(asked.size(), 1u) << "what it does not hold was never sent";
  EXPECT_EQ(asked[0].order.task, task(1).id);
  EXPECT_EQ(stored().spent().unconfirmed.count, 2000 - 1000 + 1000);
}

TEST_F(hub_test, what_a_node_reported_as_doubtful_stays_charged_after_a_restart) {
  plan(1);
  ASSERT_TRUE(ledger->begin());
  ASSERT_TRUE(ledger->record(stored().id,
                             intent{task(0).id, 1, 1, {1000}, "nano-model", placement(id_of("a"), process_of("a"))}));
  attempt_failed doubtful;
  doubtful.task = task(0).id;
  doubtful.attempt = 1;
  doubtful.failure.code = ec::timeout;
  doubtful.failure.billed = billing::unknown;
  ASSERT_TRUE(ledger->record(stored().id, doubtful));
  ASSERT_TRUE(ledger->commit());
  spawn_all();
  auto a = join("a", 1);
  pass(300ms);
  EXPECT_EQ(orders(*a).size(), 1u) << "it is asked again";
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000 + 1000);
}

TEST_F(hub_test, draining_calls_back_what_nodes_have_not_sent_and_hands_out_nothing_more) {
  plan(9);
  spawn_all();
  auto a = join("a", 2);
  const auto held = orders(*a);
  ASSERT_EQ(held.size(), 2u);
  self->send(owner, drain{});
  run();
  EXPECT_EQ(a->heard->recalls.size(), 1u);
  answer(*a, held[0], "was sent");
  fail_with(*a, held[1], ec::node_left, billing::unbilled, true);
  leave(a);
  EXPECT_EQ(finish(1s).status, run_status::interrupted);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(stored().spent().total().count, 100);
  EXPECT_TRUE(orders(*a).empty());
}

// --- Nodes that do not keep to the protocol
// ----------------------------------------------------------------------------------------

struct hostile_node : hub_test {
  std::shared_ptr<player> evil, honest;
  std::vector<remote_order> given;

  void both(uint32_t tasks = 6) {
    plan(tasks);
    spawn_all();
    evil = join("evil", 2);
    given = orders(*evil);
    ASSERT_EQ(given.size(), 2u);
    honest = join("honest", 2);
  }
  work_report answer_to(const remote_order& order) const {
    auto what = report_for(order);
    what.answered = true;
    what.answer = good_answer("planted").answer;
    return what;
  }
  bool is_cut_off() const {
    const auto reported = std::count_if(events.begin(), events.end(), [](const run_event& event) {
      return event.kind == event_kind::node_put_aside && event.node == "evil" &&
             event.text.find("does not keep to the protocol") != std::string::npos;
    });
    EXPECT_LE(reported, 1) << "it is told once";
    return reported == 1 && std::count(expelled.begin(), expelled.end(), evil->actor.address()) == 1;
  }
  /// The honest node does everything, and nothing of the other one is delivered.
  void others_finish(uint32_t tasks = 6) {
    for (int i = 0; i < 50 && stored().tasks().delivered < tasks; ++i) {
      (void)work_off(*honest);
      pass(100ms);
      pulse(honest);
    }
    EXPECT_EQ(stored().tasks().delivered, tasks);
    for (uint32_t i = 0; i < tasks; ++i)
      EXPECT_EQ(read_file(root / "out" / task(i).target).value_or(""), "by honest") << i;
    leave(honest);
    EXPECT_EQ(finish(20s).status, run_status::finished);
  }
};

TEST_F(hostile_node, that_claims_an_impossible_usage_is_not_believed_and_its_reservation_stays) {
  settings.budget = nano_dollars{20'000};
  both();
  auto what = answer_to(given[0]);
  what.answer.usage.output_tokens = ~uint64_t{0};
  report(*evil, what);
  EXPECT_TRUE(is_cut_off());
  others_finish();
  EXPECT_EQ(stored().spent().confirmed.count, 600);
  EXPECT_EQ(stored().spent().unconfirmed.count, 2000) << "both of its attempts may be billed";
}

TEST_F(hostile_node,
       that_claims_to_have_used_more_than_was_asked_for_is_charged_with_the_reservation_and_that_is_said) {
  both(2);
  for (const auto& order : given) {
    auto what = answer_to(order);
    what.answer.usage.output_tokens = 1'000'000;
    report(*evil, what);
  }
  leave(evil);
  leave(honest);
  EXPECT_EQ(finish(20s).status, run_status::finished);
  EXPECT_EQ(stored().spent().confirmed.count, 2 * 1000);
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const run_event& event) {
    return event.kind == event_kind::warning && event.text.find("is not believed") != std::string::npos;
  }));
}

TEST_F(hostile_node, whose_answer_is_longer_than_its_tokens_can_be_is_cut_off) {
  both();
  auto what = answer_to(given[0]);
  what.answer.text.assign(1U << 20, 'x');
  report(*evil, what);
  EXPECT_TRUE(is_cut_off());
  others_finish();
}

TEST_F(hostile_node, that_breaks_the_form_of_a_report_is_cut_off) {
  const std::vector<std::function<void(work_report&)>> ways{
      [](auto& x) { x.took = milliseconds::min(); },
      [](auto& x) { x.answer.stop = static_cast<stop_reason>(200); },
      [](auto& x) { x.answer.usage.tier = static_cast<service_tier>(77); },
      [](auto& x) { x.task = {}; },
      [](auto& x) { x.attempt = 0; },
      [](auto& x) { x.answered = false, x.failure.code = static_cast<ec>(251); },
      [](auto& x) {
        x.answered = false, x.failure.code = ec::server_error, x.failure.billed = static_cast<billing>(9);
      },
      [](auto& x) { x.answered = false, x.failure.code = ec::server_error, x.failure.retry_after = -1s; },
      [](auto& x) { x.answered = false, x.failure.code = ec::state_corrupt; },
  };
  both();
  for (const auto& spoil : ways) {
    auto what = answer_to(given[0]);
    spoil(what);
    const remote_report whole{evil->ledger_id, stored().id, what};
    EXPECT_TRUE(!fault_in(whole).empty() || blame_for(what.failure.code) == blame::liar);
  }
  auto what = answer_to(given[0]);
  what.took = milliseconds::min();
  report(*evil, what);
  EXPECT_TRUE(is_cut_off());
  others_finish();
}

TEST_F(hostile_node, that_says_its_call_failed_as_no_call_does_stops_nobody_else) {
  both();
  fail_with(*evil, given[0], ec::state_corrupt, billing::unbilled, false);
  EXPECT_TRUE(is_cut_off());
  others_finish();
}

TEST_F(hostile_node, that_sends_parts_without_end_is_cut_off) {
  both();
  const auto& session = evil->hello.session;
  says(evil, message_part{session, 1, 0, 100, message_kind::report, std::string(part_bytes, 'x')});
  EXPECT_FALSE(is_cut_off());
  says(evil, message_part{session, 2, 0, 100, message_kind::report, std::string(part_bytes, 'x')});
  EXPECT_TRUE(is_cut_off()) << "one parcel is open at a time";
  others_finish();
}

TEST_F(hostile_node, whose_parts_are_too_many_too_large_or_of_another_kind_is_cut_off) {
  both();
  const auto& session = evil->hello.session;
  EXPECT_NE(fault_in(message_part{session, 1, 0, 1, message_kind::report, std::string(part_bytes + 1, 'x')},
                     message_kind::report),
            "");
  EXPECT_NE(fault_in(message_part{session, 1, 0, 1U << 30, message_kind::report, std::string(part_bytes, 'x')},
                     message_kind::report),
            "");
  EXPECT_NE(fault_in(message_part{session, 1, 0, 2, message_kind::report, "short"}, message_kind::report), "");
  EXPECT_NE(fault_in(message_part{session, 1, 0, 1, static_cast<message_kind>(7), "x"}, message_kind::report), "");
  says(evil, message_part{session, 1, 0, 1, message_kind::order, "x"});
  EXPECT_TRUE(is_cut_off());
  others_finish();
}

TEST_F(hostile_node, that_sends_what_is_no_report_is_cut_off) {
  both();
  says(evil, message_part{evil->hello.session, 1, 0, 1, message_kind::report, "no report"});
  EXPECT_TRUE(is_cut_off());
  others_finish();
}

TEST_F(hostile_node, cannot_answer_what_another_was_given_or_what_it_has_given_back) {
  both(2);
  says(evil, node_leaving{evil->hello.session});
  for (const auto& order : given) fail_with(*evil, order, ec::node_left, billing::unbilled, true);
  auto theirs = orders(*honest);
  ASSERT_EQ(theirs.size(), 2u);
  for (const auto& order : theirs) {
    report(*evil, answer_to(order));  // Another's attempt.
    auto again = answer_to(order);
    again.attempt = 1;  // Its own, given back unsent: the money is the other's now.
    report(*evil, again);
    again.attempt = order.order.attempt + 1;  // One that nobody has been given yet.
    report(*evil, again);
  }
  EXPECT_EQ(stored().spent().confirmed.count, 0);
  EXPECT_EQ(stored().tasks().delivered, 0u);
  for (const auto& kept : evil->heard->kept) EXPECT_TRUE(!kept.taken || kept.attempt == 1);
  for (const auto& order : theirs) answer(*honest, order, "by honest");
  leave(evil);
  others_finish(2);
  EXPECT_EQ(stored().spent().confirmed.count, 200);
}

TEST_F(hostile_node, cannot_speak_in_anothers_session) {
  both();
  auto theirs = orders(*honest);
  ASSERT_EQ(theirs.size(), 2u);
  const remote_report stolen{evil->ledger_id, stored().id, answer_to(theirs[0])};
  for (auto& part : cut(honest->hello.session, 1, message_kind::report, pack(stolen))) says(evil, std::move(part));
  says(evil, node_gone{honest->hello.session});
  says(evil, node_leaving{honest->hello.session});
  says(evil, message_part{honest->hello.session, 2, 9, 1, message_kind::report, "x"});
  says(evil, node_pulse{honest->hello.session, 1U << 31, 0, {}});
  EXPECT_EQ(stored().tasks().delivered, 0u);
  EXPECT_EQ(count(event_kind::node_left), 0u);
  EXPECT_TRUE(expelled.empty());
  for (const auto& order : theirs) answer(*honest, order, "by honest");
  EXPECT_EQ(stored().tasks().delivered, 2u);
}

TEST_F(hostile_node, cannot_give_another_way_back_than_its_own) {
  both();
  auto hello = evil->hello;
  hello.session = random_hex(16);
  hello.node = id_of("another");
  says(evil, node_call{hello, caf::actor_cast<node_actor>(honest->actor)});
  EXPECT_FALSE(evil->heard->welcome->accepted);
  EXPECT_EQ(std::count(expelled.begin(), expelled.end(), evil->actor.address()), 1);
}

TEST_F(hostile_node, with_an_impossible_hello_is_not_let_in) {
  plan(1);
  spawn_all();
  const std::vector<std::function<void(node_hello&)>> ways{
      [](auto& x) { x.node = "../../etc"; },
      [](auto& x) { x.session = "short"; },
      [](auto& x) { x.process_id = "a/b"; },
      [](auto& x) { x.name = std::string(10'000, 'n'); },
      [](auto& x) { x.slots = 0; },
      [](auto& x) { x.slots = 1U << 30; },
      [](auto& x) { x.busy = 1U << 30; },
      [](auto& x) { x.held.resize(most_held + 1); },
      [](auto& x) {
        x.held.push_back({"no ledger", 1, task_id{1, 2}, 1});
      },
      [](auto& x) {
        x.held.push_back({std::string(32, 'a'), -1, task_id{1, 2}, 1});
      },
  };
  for (const auto& spoil : ways) {
    auto hello = join("fine", 1)->hello;
    spoil(hello);
    EXPECT_NE(fault_in(hello), "");
  }
  auto last = players.back();
  auto hello = last->hello;
  hello.session = random_hex(16);
  hello.slots = 1U << 30;
  says(last, node_call{hello, caf::actor_cast<node_actor>(last->actor)});
  EXPECT_FALSE(last->heard->welcome->accepted);
  EXPECT_EQ(expelled.size(), 1u);
}

TEST_F(hostile_node, that_was_cut_off_is_not_let_in_again) {
  both();
  says(evil, message_part{evil->hello.session, 1, 0, 1, message_kind::report, "no report"});
  ASSERT_TRUE(is_cut_off());
  join("evil", 2);
  EXPECT_FALSE(welcome->accepted);
  EXPECT_EQ(welcome->code, ec::protocol_mismatch);
}

TEST_F(hostile_node, cannot_send_escapes_to_anybodys_terminal) {
  const std::string escape =
      "n\x1b[31m\x1b]0;t\x07 \xc2\x9b"
      "2J";
  plan(4);
  spawn_all();
  honest = join("honest", 1);
  evil = join(escape, 1);
  const auto order = orders(*evil).at(0);
  auto what = report_for(order);
  what.failure = failed_call(ec::authentication, billing::unbilled, false).failure;
  what.failure.message = escape;
  report(*evil, what);
  pulse(evil, escape);
  pass(5s);
  EXPECT_EQ(count(event_kind::node_put_aside), 1u);
  for (const auto& event : events)
    for (const auto& text : {event.text, event.node})
      EXPECT_EQ(text.find_first_of("\x1b\x07\x9b"), std::string::npos) << text;
}

TEST_F(hostile_node, alone_ends_the_run_with_a_message_instead_of_hanging) {
  plan(6);
  spawn_all();
  evil = join("evil", 2);
  auto what = answer_to(orders(*evil).at(0));
  what.answer.usage.output_tokens = ~uint64_t{0};
  report(*evil, what);
  EXPECT_TRUE(is_cut_off());
  const auto ended = finish(30s);
  EXPECT_EQ(ended.status, run_status::failed);
  EXPECT_NE(ended.message.find("no node is left that can work (evil: "), std::string::npos) << ended.message;
}

// --- Nodes that are set up badly
// ----------------------------------------------------------------------------------------

struct badly_set_up : hub_test, ::testing::WithParamInterface<ec> {};

TEST_P(badly_set_up, is_put_aside_and_its_tasks_cost_nothing) {
  plan(6);
  spawn_all();
  auto good = join("good", 1);
  auto bad = join("bad", 2);
  for (const auto& order : orders(*bad)) fail_with(*bad, order, GetParam(), billing::unbilled, false);
  pass(300ms);
  EXPECT_EQ(count(event_kind::node_put_aside), 1u);
  EXPECT_TRUE(orders(*bad).empty());
  EXPECT_EQ(work_off(*good), 6u);
  leave(good);
  leave(bad);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().failed, 0u);
  EXPECT_EQ(stored().spent().total().count, 600);
}

INSTANTIATE_TEST_SUITE_P(for_any_reason, badly_set_up,
                         ::testing::Values(ec::config_invalid, ec::no_credentials, ec::authentication, ec::billing,
                                           ec::forbidden, ec::spend_limit, ec::model_not_found, ec::disk_full, ec::io),
                         [](const auto& one) { return std::string{name(one.param)}; });

TEST_F(hub_test, a_node_behind_a_broken_gateway_is_put_aside_and_what_may_be_billed_stays_charged) {
  plan(6);
  spawn_all();
  auto good = join("good", 1);
  auto bad = join("bad", 3);
  for (const auto& order : orders(*bad)) fail_with(*bad, order, ec::server_error, billing::unknown, true);
  EXPECT_EQ(count(event_kind::node_put_aside), 1u);
  for (const auto& order : orders(*bad)) fail_with(*bad, order, ec::node_left, billing::unbilled, true);  // Recalled.
  pass(300ms);
  EXPECT_TRUE(orders(*bad).empty());
  for (int i = 0; i < 40 && stored().tasks().delivered < 6; ++i) {
    (void)work_off(*good);
    pass(100ms);
  }
  EXPECT_EQ(stored().tasks().delivered, 6u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 3000);
  EXPECT_EQ(stored().spent().confirmed.count, 600);
}

}  // namespace
}  // namespace cohort::actors
