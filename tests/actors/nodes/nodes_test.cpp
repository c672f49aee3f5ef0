// The plain rules about nodes: who may join, who is lost, who is not fed, whose answers are waited for; parcels; fair
// slots.

#include <gtest/gtest.h>

#include "actors/attempts/in_doubt_attempts.hpp"
#include "actors/nodes/node_framing.hpp"
#include "actors/nodes/node_table.hpp"
#include "actors/run/attempt_policy.hpp"
#include "actors/slots/lease_table.hpp"

namespace cohort::actors {
namespace {

using namespace std::chrono_literals;

node_hello hello_of(const std::string& node, const std::string& session) {
  node_hello hello;
  hello.session = session + std::string(16, '.');
  hello.node = node;
  hello.name = node;
  hello.slots = 4;
  return hello;
}

work_report failed(ec code, billing billed) {
  work_report report;
  report.failure.code = code;
  report.failure.billed = billed;
  return report;
}

struct nodes : ::testing::Test {
  node_table table{node_rules{}};
  steady_time start{};
};

TEST_F(nodes, another_protocol_version_is_told_so) {
  auto hello = hello_of("a", "1");
  hello.protocol = cluster_protocol + 1;
  const auto objection = table.objection(hello);
  ASSERT_TRUE(objection);
  EXPECT_EQ(objection->code, ec::protocol_mismatch);
  EXPECT_NE(objection->message.find("use the same program"), std::string::npos);
}

TEST_F(nodes, a_node_that_comes_again_ends_its_earlier_session) {
  table.join(hello_of("a", "1"), start);
  EXPECT_EQ(table.earlier_session(hello_of("a", "2")), hello_of("a", "1").session);
  EXPECT_FALSE(table.earlier_session(hello_of("b", "2")));
  EXPECT_TRUE(table.objection(hello_of("b", "1"))) << "a session is joined once";
}

TEST_F(nodes, silence_as_long_as_the_lease_ends_a_session) {
  auto& node = table.join(hello_of("a", "1"), start);
  EXPECT_TRUE(table.silent(start + 14s).empty());
  EXPECT_EQ(table.silent(start + 15s).size(), 1u);
  table.note_pulse(node, start + 10s, {});
  EXPECT_TRUE(table.silent(start + 16s).empty());
}

TEST_F(nodes, what_a_node_did_is_remembered_when_it_comes_back) {
  auto& node = table.join(hello_of("a", "1"), start);
  work_report good;
  good.answered = true;
  EXPECT_EQ(table.verdict_on(node, good), node_verdict::fine);
  table.end(node.session, node_status::lost);
  ASSERT_EQ(table.views().nodes.size(), 1u);
  EXPECT_EQ(table.views().nodes.front().status, node_status::lost);
  table.join(hello_of("a", "2"), start);
  ASSERT_EQ(table.views().nodes.size(), 1u);
  EXPECT_EQ(table.views().nodes.front().done, 1u);
}

TEST_F(nodes, a_refused_key_puts_a_node_aside_at_once) {
  auto& node = table.join(hello_of("a", "1"), start);
  EXPECT_EQ(table.verdict_on(node, failed(ec::authentication, billing::unbilled)), node_verdict::aside_for_good);
}

TEST_F(nodes, a_blocked_network_puts_a_node_aside_after_three_calls_in_a_row) {
  auto& node = table.join(hello_of("a", "1"), start);
  const auto blocked = failed(ec::connect_failed, billing::unbilled);
  work_report good;
  good.answered = true;
  EXPECT_EQ(table.verdict_on(node, blocked), node_verdict::fine);
  EXPECT_EQ(table.verdict_on(node, blocked), node_verdict::fine);
  EXPECT_EQ(table.verdict_on(node, good), node_verdict::fine);
  EXPECT_EQ(table.verdict_on(node, blocked), node_verdict::fine);
  EXPECT_EQ(table.verdict_on(node, blocked), node_verdict::fine);
  EXPECT_EQ(table.verdict_on(node, blocked), node_verdict::aside_for_now);
}

TEST_F(nodes, whose_matter_a_failure_is) {
  for (const auto code : {ec::config_invalid, ec::no_credentials, ec::authentication, ec::billing, ec::forbidden,
                          ec::spend_limit, ec::model_not_found, ec::disk_full, ec::io})
    EXPECT_EQ(blame_for(code), blame::node) << name(code);
  for (const auto code : {ec::request_invalid, ec::request_too_large, ec::rate_limited, ec::overloaded, ec::cancelled})
    EXPECT_EQ(blame_for(code), blame::task) << name(code);
  for (const auto code : {ec::server_error, ec::timeout, ec::connection_lost, ec::malformed_answer})
    EXPECT_EQ(blame_for(code), blame::unclear) << name(code);
  for (const auto code : {ec::state_corrupt, ec::task_unknown, ec::interrupted, ec::none, static_cast<ec>(251)})
    EXPECT_EQ(blame_for(code), blame::liar) << name(code);
}

TEST_F(nodes, each_time_that_a_node_is_put_aside_it_stays_so_for_longer) {
  auto& node = table.join(hello_of("a", "1"), start);
  node.view.status = node_status::put_aside;
  node.aside_since = start;
  node.asides = 1;
  EXPECT_EQ(table.due_again(start + 30s).size(), 1u);
  node.asides = 3;
  EXPECT_TRUE(table.due_again(start + 119s).empty());
  EXPECT_EQ(table.due_again(start + 120s).size(), 1u);
  node.asides = 4'000'000'000;
  EXPECT_EQ(table.due_again(start + 960s).size(), 1u);
}

TEST_F(nodes, trouble_that_lasts_puts_a_node_aside_and_it_is_tried_again_later) {
  auto& node = table.join(hello_of("a", "1"), start);
  const node_pulse trouble{node.session, 0, 0, "no way to the provider"};
  EXPECT_FALSE(table.should_suspend(node, trouble, start));
  EXPECT_FALSE(table.should_suspend(node, node_pulse{node.session, 0, 0, {}}, start + 2s));
  EXPECT_FALSE(table.should_suspend(node, trouble, start + 3s));
  EXPECT_TRUE(table.should_suspend(node, trouble, start + 6s));
  node.view.status = node_status::put_aside;
  node.aside_since = start + 6s;
  EXPECT_TRUE(table.due_again(start + 35s).empty());
  EXPECT_EQ(table.due_again(start + 36s).size(), 1u);
  node.for_good = true;
  EXPECT_TRUE(table.due_again(start + 99s).empty());
}

TEST_F(nodes, a_node_is_not_alone_while_another_takes_work) {
  auto& a = table.join(hello_of("a", "1"), start);
  EXPECT_FALSE(table.others_work(a));
  auto& b = table.join(hello_of("b", "2"), start);
  EXPECT_TRUE(table.others_work(a));
  b.view.status = node_status::put_aside;
  EXPECT_FALSE(table.others_work(a));
}

struct in_doubt : ::testing::Test {
  task_id one = task_id_from(sha256("one"));
  task_id two = task_id_from(sha256("two"));
  steady_time until = steady_time{} + 15s;
  in_doubt_attempts tasks{{{one, 1, "a/x"}, {two, 1, "a/x"}, {two, 2, "b/y"}}, until};
};

TEST_F(in_doubt, a_node_that_comes_back_without_an_attempt_releases_it) {
  EXPECT_EQ(tasks.came("a", {{two, 1}}), (std::vector<task_id>{one}));
  EXPECT_EQ(tasks.of(one), in_doubt_attempts::status::free);
  EXPECT_EQ(tasks.of(two), in_doubt_attempts::status::awaited);
}

TEST_F(in_doubt, a_node_that_does_not_come_back_in_time_is_given_up) {
  EXPECT_TRUE(tasks.came("a", {{one, 1}, {two, 1}}).empty());
  EXPECT_TRUE(tasks.at(until - 1ms).empty());
  EXPECT_TRUE(tasks.at(until).empty()) << "b is given up, but a holds both";
  EXPECT_EQ(tasks.went("a", until).size(), 2u);
}

TEST_F(in_doubt, a_connection_that_is_lost_soon_after_the_return_releases_nothing) {
  EXPECT_TRUE(tasks.came("a", {{one, 1}, {two, 1}}).empty());
  EXPECT_TRUE(tasks.went("a", until - 1ms).empty());
  EXPECT_EQ(tasks.at(until).size(), 2u);
}

TEST_F(in_doubt, a_task_is_released_when_its_last_attempt_has_failed) {
  EXPECT_FALSE(tasks.settled({two, 1}));
  EXPECT_TRUE(tasks.settled({two, 2}));
  EXPECT_FALSE(tasks.settled({two, 2}));
}

TEST_F(in_doubt, an_answered_task_is_never_released) {
  tasks.answered(one);
  EXPECT_EQ(tasks.of(one), in_doubt_attempts::status::answered);
  EXPECT_EQ(tasks.at(until), (std::vector<task_id>{two}));
}

TEST(wire, carries_an_order_of_several_megabytes_in_parts) {
  remote_order order;
  order.run = 5;
  order.order.task = task_id_from(sha256("task"));
  order.order.attempt = 2;
  order.order.timeout = 7s;
  order.order.request.prompt.assign(5 << 20, 'p');
  order.order.request.model = "m";
  order.with_prefix = true;
  order.prefix_text = "prefix";
  const auto parts = cut("session", 9, message_kind::order, pack(order));
  EXPECT_GT(parts.size(), 20u);
  message_joiner joiner;
  std::optional<std::string> whole;
  for (const auto& part : parts) {
    EXPECT_LE(part.bytes.size(), part_bytes);
    EXPECT_FALSE(whole);
    whole = joiner.add(part);
  }
  ASSERT_TRUE(whole);
  const auto back = unpack_order(*whole);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->order.request.prompt, order.order.request.prompt);
  EXPECT_EQ(back->order.task, order.order.task);
  EXPECT_EQ(back->order.timeout, order.order.timeout);
  EXPECT_EQ(back->prefix_text, "prefix");
  EXPECT_EQ(back->run, 5);
}

TEST(wire, drops_parcels_with_missing_parts_and_bytes_that_are_no_order) {
  const auto parts = cut("session", 1, message_kind::order, std::string(3 * part_bytes, 'x'));
  message_joiner joiner;
  EXPECT_FALSE(joiner.add(parts[0]));
  EXPECT_FALSE(joiner.add(parts[2]));
  EXPECT_FALSE(joiner.add(parts[1]));
  EXPECT_FALSE(unpack_order("garbage"));
  EXPECT_FALSE(unpack_report(""));
}

TEST(fair_slots, the_machine_with_the_largest_free_share_gives_the_next_slot) {
  lease_table leases;
  for (uint32_t slot = 0; slot < 2; ++slot) leases.add_slot(slot, 1);
  for (uint32_t slot = 10; slot < 14; ++slot) leases.add_slot(slot, 2);
  leases.want(0, 6);
  std::map<uint32_t, int> given;
  for (int i = 0; i < 3; ++i) ++given[leases.next()->slot / 10];
  EXPECT_EQ(given[0], 1);
  EXPECT_EQ(given[1], 2);
}

TEST(fair_slots, a_retired_slot_ends_with_its_lease) {
  lease_table leases;
  leases.add_slot(1, 1);
  leases.add_slot(2, 1);
  leases.want(0, 3);
  const auto held = leases.next();
  EXPECT_FALSE(leases.retire_slot(held->slot));
  EXPECT_TRUE(leases.give_back(held->lease));
  EXPECT_EQ(leases.free_slots(), 1u);
  EXPECT_EQ(leases.slots(), 1u);
}

TEST(outcomes, a_lost_worker_is_no_reason_to_wait_but_only_so_often) {
  const outcome_policy policy{retry_limits{}};
  auto report = failed(ec::worker_lost, billing::unknown);
  report.failure.retry = true;
  EXPECT_EQ(policy.after_failure(report.failure, 1).what, next_step::action::again);
  EXPECT_EQ(policy.after_failure(report.failure, 1).pause, 0ms);
  EXPECT_EQ(policy.after_failure(report.failure, 8).what, next_step::action::again);
  EXPECT_GT(policy.after_failure(report.failure, 8).pause, policy.after_failure(report.failure, 7).pause);
  EXPECT_EQ(policy.after_failure(report.failure, 9).what, next_step::action::fail);
}

TEST(outcomes, a_task_that_a_node_gave_back_unsent_goes_to_another_without_being_counted) {
  const outcome_policy policy{retry_limits{}};
  const auto report = failed(ec::node_left, billing::unbilled);
  EXPECT_EQ(policy.after_failure(report.failure, 0).what, next_step::action::again);
  EXPECT_EQ(policy.after_failure(report.failure, 99).what, next_step::action::again);
}

}  // namespace
}  // namespace cohort::actors
