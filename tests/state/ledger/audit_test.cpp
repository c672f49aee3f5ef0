// Everything computed again: what agrees, and each way in which something does not.

#include <sqlite3.h>

#include "state/ledger/price_history.hpp"
#include "tests/state/fixture.hpp"

namespace cohort::state {

namespace {

model_info priced(const std::string& id, int64_t rate = 2'000'000) {
  model_info model;
  model.id = id;
  model.batch_percent = 50;
  model.us_inference_percent = 110;
  model.cards = {{0, {rate}, {rate * 5}, {rate * 2}, {rate * 3}, {rate / 10}},
                 {200'000, {rate * 2}, {rate * 9}, {rate * 4}, {rate * 6}, {rate / 5}}};
  return model;
}

const std::string asked = "claude-sonnet-4-5";

struct audit_test : state_test {
  model_info prices = priced(asked);

  /// An answer whose cost is what its usage makes.
  [[nodiscard]] attempt_done honest(const std::string& name, uint32_t attempt) const {
    auto x = answer_for(name, attempt);
    x.cost = cost_of(x.answer.usage, prices);
    return x;
  }
  [[nodiscard]] std::string deliver_file(const std::string& name, const std::string& content) const {
    const auto path = project / "tests" / name;
    must(replace_file(path, content, durability::later));
    return path.string();
  }
  /// Two tasks delivered, one with an unconfirmed attempt, one failed for nothing.
  int64_t a_run(ledger& ledger) {
    must(ledger.record_prices({prices}));
    const auto run = plan(ledger, {"a.py", "b.py", "c.py"});
    store(ledger, run, intent_for("a.py", 1), honest("a.py", 1), delivery_of("a.py", deliver_file("a", "A"), "A"));
    store(ledger, run, intent_for("b.py", 1), failure_for("b.py", 1, billing::unknown), intent_for("b.py", 2),
          honest("b.py", 2), delivery_of("b.py", deliver_file("b", "B"), "B"));
    store(ledger, run, intent_for("c.py", 1), failure_for("c.py", 1, billing::unbilled),
          task_ended{task_named("c.py").id, task_state::failed, ec::overloaded, "busy"});
    return run;
  }
  void change(const std::string& sql) const {
    sqlite3* base = nullptr;
    ASSERT_EQ(::sqlite3_open(workspace.ledger_file().c_str(), &base), SQLITE_OK);
    EXPECT_EQ(::sqlite3_exec(base, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << ::sqlite3_errmsg(base);
    ::sqlite3_close(base);
  }
  [[nodiscard]] std::vector<disagreement> found_after(const std::string& sql) {
    {
      auto ledger = open();
      a_run(ledger);
    }
    change(sql);
    std::vector<disagreement> kinds;
    const auto ledger = open(mode::read_only);
    const auto audit = ledger.audit({}).value();
    for (const auto& finding : audit.findings) kinds.push_back(finding.kind);
    return kinds;
  }
};

using kinds = std::vector<disagreement>;

TEST_F(audit_test, agrees_with_an_honest_ledger) {
  auto ledger = open();
  a_run(ledger);
  const auto audit = ledger.audit({}).value();
  EXPECT_TRUE(audit.findings.empty()) << audit.findings.front().what;
  EXPECT_EQ(audit.attempts, 4u);
  EXPECT_EQ(audit.tasks, 3u);
  EXPECT_EQ(audit.answers, 2u);
  EXPECT_EQ(audit.runs, 1u);
  EXPECT_EQ(audit.files.size(), 2u);
  EXPECT_EQ(audit.newest_run.confirmed.count, 2 * honest("a.py", 1).cost.count);
  EXPECT_EQ(audit.newest_run.unconfirmed.count, 5 * cent);
  EXPECT_EQ(audit.newest_run.confirmed, newest(ledger).spent().confirmed);
}

TEST_F(audit_test, adds_up_every_run_and_the_newest_by_itself) {
  auto ledger = open();
  const auto first = a_run(ledger);
  must(ledger.update_run(first, {}, run_status::finished));
  const auto second = plan(ledger, {"d.py"});
  store(ledger, second, intent_for("d.py", 1), honest("d.py", 1));
  const auto audit = ledger.audit({}).value();
  EXPECT_EQ(audit.newest_run.confirmed, honest("d.py", 1).cost);
  EXPECT_EQ(audit.spent.confirmed.count, 3 * honest("d.py", 1).cost.count);
  EXPECT_EQ(audit.runs, 2u);
}

TEST_F(audit_test, finds_a_cost_that_its_usage_does_not_make) {
  auto ledger = open();
  must(ledger.record_prices({prices}));
  const auto run = plan(ledger, {"a.py"});
  auto dear = honest("a.py", 1);
  dear.cost.count += 1;
  store(ledger, run, intent_for("a.py", 1), dear);
  const auto findings = ledger.audit({}).value().findings;
  ASSERT_EQ(findings.size(), 2u);  // the attempt, and the sum
  EXPECT_EQ(findings[0].kind, disagreement::money);
  EXPECT_NE(findings[0].where.find("a.py, attempt 1"), std::string::npos);
  EXPECT_EQ(findings[1].kind, disagreement::money);
}

TEST_F(audit_test, altered_usage_is_damage) {
  {
    auto ledger = open();
    a_run(ledger);
  }
  change("UPDATE attempt SET output_tokens = output_tokens + 1 WHERE number = 2");
  EXPECT_EQ(open_error(mode::read_only), ec::state_corrupt);
}

TEST_F(audit_test, finds_altered_answers_plans_and_prices) {
  EXPECT_EQ(found_after("UPDATE answer SET text = x'41' WHERE task = 1"), (kinds{disagreement::altered}));
}

TEST_F(audit_test, finds_an_altered_prompt) {
  EXPECT_EQ(found_after("UPDATE spec SET prompt = x'41' WHERE task = 3"), (kinds{disagreement::altered}));
}

TEST_F(audit_test, finds_altered_prices_and_cannot_compute_without_them) {
  const auto found = found_after(
      "UPDATE meta SET value = CAST(replace(value, '2000000', '1000000') AS BLOB) WHERE key LIKE 'prices/%'");
  EXPECT_EQ(found, (kinds{disagreement::altered, disagreement::money, disagreement::money}));
}

TEST_F(audit_test, finds_states_that_nothing_stands_behind) {
  EXPECT_EQ(found_after("DELETE FROM answer WHERE task = 1"), (kinds{disagreement::state}));
}

TEST_F(audit_test, finds_a_delivery_without_a_recorded_file) {
  EXPECT_EQ(found_after("DELETE FROM file WHERE task = 1"), (kinds{disagreement::state}));
}

TEST_F(audit_test, uses_the_prices_of_the_attempts_own_time) {
  auto ledger = open();
  must(ledger.record_prices({prices}));
  const auto run = plan(ledger, {"a.py", "b.py"});
  store(ledger, run, intent_for("a.py", 1), honest("a.py", 1));
  while (wall_now() <= wall_time{wall_now().ms}) {
    // until the next millisecond: a note of the same one replaces the first
  }
  prices = priced(asked, 7'000'000);
  must(ledger.record_prices({prices}));
  store(ledger, run, intent_for("b.py", 1), honest("b.py", 1));
  const auto findings = ledger.audit({priced(asked, 1)}).value().findings;
  EXPECT_TRUE(findings.empty()) << findings.front().what;
}

TEST_F(audit_test, takes_present_prices_where_none_were_noted) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  store(ledger, run, intent_for("a.py", 1), honest("a.py", 1));
  EXPECT_TRUE(ledger.audit({prices}).value().findings.empty());
  EXPECT_EQ(ledger.audit({}).value().findings.size(), 1u) << "an unknown price is said to be unknown";
}

TEST_F(audit_test, writes_nothing) {
  {
    auto ledger = open();
    a_run(ledger);
  }
  const auto before = snapshot(root);
  { EXPECT_TRUE(open(mode::read_only).audit({}).value().findings.empty()); }
  EXPECT_EQ(snapshot(root), before);
}

TEST_F(audit_test, tells_the_conditions_of_files_apart) {
  const auto path = deliver_file("a", "A");
  EXPECT_EQ(condition_of(path, sha256("A")), file_condition::intact);
  EXPECT_EQ(condition_of(path, sha256("B")), file_condition::edited);
  EXPECT_EQ(condition_of(path + "x", sha256("A")), file_condition::missing);
  EXPECT_EQ(condition_of(path + "/x", sha256("A")), file_condition::missing);
  EXPECT_EQ(condition_of((project / "tests").string(), sha256("A")), file_condition::unreadable);
  fs::create_symlink(path, path + "-link");
  EXPECT_EQ(condition_of(path + "-link", sha256("A")), file_condition::edited) << "a link is not what was delivered";
  fs::create_symlink("nowhere", path + "-dangling");
  EXPECT_FALSE(is_missing(path + "-dangling")) << "something stands there";
}

TEST(price_notes_test, come_back_as_they_went) {
  const auto model = priced("claude-opus-5-5");
  const auto back = unpack_prices(pack_prices(model));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, model.id);
  EXPECT_EQ(back->batch_percent, 50u);
  EXPECT_EQ(back->us_inference_percent, 110u);
  ASSERT_EQ(back->cards.size(), 2u);
  const token_usage usage{150'000, 30'000, 20'000, 10'000, 777, service_tier::batch, true};
  EXPECT_EQ(cost_of(usage, *back), cost_of(usage, model));
}

TEST(price_notes_test, refuse_what_is_no_price) {
  for (const auto* text : {"", "m", "m 50 110", "m 50 110;", "m -50 110;0 1 1 1 1 1", "m 50 110;0 -1 1 1 1 1",
                           "m 50 110;0 1 1 1 1", "m 50 110;0 x 1 1 1 1", "m 50 110;-1 1 1 1 1 1",
                           "m 50 110;0 9223372036854775807 1 1 1 1", "m 99999999999 110;0 1 1 1 1 1"})
    EXPECT_FALSE(unpack_prices(text)) << text;
}

}  // namespace

}  // namespace cohort::state
