// The HUB with the whole run behind it, under virtual time; nodes are played by the test.

#include <gtest/gtest.h>

#include "actors/wire.hpp"
#include "base/files.hpp"
#include "fixture.hpp"

namespace cohort {
namespace {

using namespace std::chrono_literals;

/// What a node hears.
struct ear {
  std::vector<wire_part> parts;
  std::vector<report_kept> kept;
  std::vector<hub_pulse> pulses;
  uint32_t farewells = 0;
  std::vector<std::string> recalls;
};

node_actor::behavior_type listen(node_actor::pointer, std::shared_ptr<ear> into) {
  return {
      [into](const wire_part& part) { into->parts.push_back(part); },
      [into](const report_kept& kept) { into->kept.push_back(kept); },
      [into](const hub_pulse& pulse) { into->pulses.push_back(pulse); },
      [into](const hub_farewell&) { ++into->farewells; },
      [into](const node_recall& recall) { into->recalls.push_back(recall.reason); },
  };
}

struct player {
  node_actor actor;
  std::shared_ptr<ear> heard;
  node_hello hello;
  std::string book;
  uint64_t parcel = 0;
  size_t read = 0;  ///< Of the parts that it heard.
  parcel_joiner joiner;
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
    one->hello.node = "id-of-" + name;
    one->hello.life = "life-of-" + name;
    one->hello.name = name;
    one->hello.slots = slots;
    one->hello.held = std::move(held);
    one->book = book->identity().value();
    players.push_back(one);
    welcome.reset();
    self->send(services.hub, node_call{one->hello, one->actor});
    run();
    self->receive([this](const node_welcome& answer) { welcome = answer; }, caf::after(0s) >> [] {});
    return one;
  }
  template <class What>
  void says(const player& from, What what) {
    caf::send_as(from.actor, services.hub, std::move(what));
    run();
  }
  void pulse(const player& from, std::string trouble = {}) {
    says(from, node_pulse{from.hello.session, 0, 0, std::move(trouble)});
  }
  /// Orders that came since the last call.
  std::vector<remote_order> orders(player& of) {
    std::vector<remote_order> found;
    for (; of.read < of.heard->parts.size(); ++of.read)
      if (const auto whole = of.joiner.add(of.heard->parts[of.read])) found.push_back(unpack_order(*whole).value());
    return found;
  }
  void report(player& from, work_report what, const std::string& of_book = {}) {
    const remote_report whole{of_book.empty() ? from.book : of_book, stored().id, std::move(what)};
    for (auto& part : cut(from.hello.session, ++from.parcel, parcel_kind::report, pack(whole)))
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
  void answer(player& from, const remote_order& order, const std::string& text, const std::string& of_book = {}) {
    auto what = report_for(order);
    what.answered = true;
    what.answer = good_answer(text).answer;
    what.answer.request_id = text;
    report(from, std::move(what), of_book);
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
  void leave(const player& who) { says(who, node_gone{who.hello.session}); }
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
  leave(*a);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 12u);
  EXPECT_EQ(way->total_asked(), 0u);
}

TEST_F(hub_test, the_tasks_of_a_silent_node_go_to_another_after_the_lease) {
  plan(3);
  spawn_all();
  auto silent = join("silent", 3);
  ASSERT_EQ(orders(*silent).size(), 3u);
  auto other = join("other", 3);
  for (int i = 0; i < 12; ++i) {
    pass(1s);
    pulse(*other);
  }
  EXPECT_TRUE(orders(*other).empty()) << "the lease is not over";
  for (int i = 0; i < 3; ++i) {
    pass(1s);
    pulse(*other);
  }
  const auto again = orders(*other);
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].order.attempt, 2u);
  EXPECT_EQ(count(event_kind::node_lost), 1u);
  pulse(*silent);
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
    lost = join("lost", 1, {{book->identity().value(), stored().id, first.order.task, first.order.attempt}});
    EXPECT_TRUE(welcome && welcome->accepted);
  }
};

TEST_F(late_to_hub, the_first_stored_answer_wins_and_the_later_one_only_costs) {
  lose_one();
  comes_back();
  answer(*lost, first, "late");
  ASSERT_EQ(lost->heard->kept.size(), 1u);
  answer(*other, second, "second");
  leave(*other);
  leave(*lost);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(read_file(root / "out" / task(0).target).value(), "late");
  EXPECT_EQ(stored().spare_answers, 1u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 0);
  EXPECT_EQ(stored().spent().confirmed.count, 200);
}

TEST_F(late_to_hub, an_answer_that_is_on_its_way_when_the_run_ends_is_taken_in_before_the_end) {
  lose_one();
  comes_back();
  answer(*other, second, "second");
  leave(*other);
  EXPECT_EQ(lost->heard->farewells, 1u);
  pass(2s);
  pulse(*lost);
  EXPECT_FALSE(outcome()) << "a paid answer is still on its way";
  answer(*lost, first, "late");
  leave(*lost);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().spare_answers, 1u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 0) << "what it cost is known";
  EXPECT_EQ(stored().spent().confirmed.count, 200);
}

TEST_F(late_to_hub, a_node_that_comes_back_while_the_run_ends_hands_over_first) {
  lose_one();
  auto third = join("third", 1);  // Holds up the end: it does not say that it has gone.
  answer(*other, second, "second");
  leave(*other);
  comes_back();
  pass(300ms);
  EXPECT_EQ(lost->heard->farewells, 1u);
  answer(*lost, first, "late");
  leave(*lost);
  leave(*third);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().spare_answers, 1u);
  join("newcomer", 1);
  EXPECT_FALSE(welcome->accepted) << "the run is over";
  EXPECT_EQ(welcome->code, ec::interrupted);
}

TEST_F(late_to_hub, the_end_waits_for_nobody_longer_than_the_lease) {
  lose_one();
  comes_back();
  answer(*other, second, "second");
  leave(*other);
  for (int i = 0; i < 14; ++i) {
    pass(1s);
    pulse(*lost);
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
  leave(*other);
  EXPECT_EQ(stored().tasks().failed, 1u);
  answer(*lost, first, "late");
  leave(*lost);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(read_file(root / "out" / task(0).target).value(), "late");
}

TEST_F(hub_test, answers_for_another_ledger_are_left_with_their_node) {
  plan(2);
  spawn_all();
  auto a = join("a", 1);
  answer(*a, orders(*a).at(0), "elsewhere", "another-ledger");
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
  leave(*slow);
  leave(*fast);
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
  leave(*good);
  leave(*bad);
  EXPECT_EQ(finish(1s).status, run_status::finished);
  EXPECT_EQ(stored().tasks().failed, 0u);
  EXPECT_EQ(stored().spent().total().count, 600);
}

TEST_F(hub_test, the_only_node_is_not_put_aside_and_its_bad_key_stops_the_run) {
  plan(6);
  spawn_all();
  auto bad = join("bad", 1);
  fail_with(*bad, orders(*bad).at(0), ec::authentication, billing::unbilled, false);
  leave(*bad);
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
    pulse(*good);
    pulse(*blocked, "connection refused");
    pass(1s);
  }
  ASSERT_EQ(count(event_kind::node_put_aside), 1u);
  const auto told =
      std::find_if(events.begin(), events.end(), [](const auto& e) { return e.kind == event_kind::node_put_aside; });
  EXPECT_NE(told->text.find("connection refused"), std::string::npos);
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
  ASSERT_TRUE(book->begin());
  for (uint32_t i = 0; i < 2; ++i)
    ASSERT_TRUE(book->record(stored().id, intent{task(i).id, 1, i + 1, {1000}, "nano-model", "id-of-a/life-of-a"}));
  ASSERT_TRUE(book->commit());
  spawn_all();
  auto other = join("other", 2);
  EXPECT_TRUE(orders(*other).empty()) << "a node may hold both";
  auto a = join("a", 2, {{book->identity().value(), stored().id, task(0).id, 1}});
  pass(300ms);
  auto asked = orders(*other);
  for (auto& order : orders(*a)) asked.push_back(order);
  ASSERT_EQ(asked.size(), 1u) << "what it does not hold was never sent";
  EXPECT_EQ(asked[0].order.task, task(1).id);
  EXPECT_EQ(stored().spent().unconfirmed.count, 2000 - 1000 + 1000);
}

TEST_F(hub_test, what_a_node_reported_as_doubtful_stays_charged_after_a_restart) {
  plan(1);
  ASSERT_TRUE(book->begin());
  ASSERT_TRUE(book->record(stored().id, intent{task(0).id, 1, 1, {1000}, "nano-model", "id-of-a/life-of-a"}));
  attempt_failed doubtful;
  doubtful.task = task(0).id;
  doubtful.attempt = 1;
  doubtful.failure.code = ec::timeout;
  doubtful.failure.billed = billing::unknown;
  ASSERT_TRUE(book->record(stored().id, doubtful));
  ASSERT_TRUE(book->commit());
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
  leave(*a);
  EXPECT_EQ(finish(1s).status, run_status::interrupted);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(stored().spent().total().count, 100);
  EXPECT_TRUE(orders(*a).empty());
}

}  // namespace
}  // namespace cohort
