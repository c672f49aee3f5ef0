// Who shares a commit, in which order, and what is kept while the ledger refuses.

#include "actors/recording/group_commit.hpp"

#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "base/files.hpp"

namespace cohort::actors {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

struct group_commit_test : ::testing::Test {
  fs::path root = fs::canonical(fs::temp_directory_path()) / ("cohort-groups-" + random_hex(6));
  state::workspace workspace{root};
  std::shared_ptr<state::ledger> ledger;
  std::unique_ptr<ledger_watch> watch;
  std::unique_ptr<group_commit> commits;
  std::vector<milliseconds> wakes;    ///< Each is a `flush` to come.
  std::vector<std::string> halts;     ///< Why the run was stopped.
  std::vector<std::string> applied;   ///< In this order, since the last look.
  std::vector<std::string> answered;  ///< "name" or "name: error".
  expected<void> ledger_says;

  void SetUp() override {
    fs::create_directories(root / ".claude-testing");
    ledger = std::make_shared<state::ledger>(
        std::move(*state::ledger::open(workspace.ledger_file(), root, state::ledger::access::read_write)));
    watch = std::make_unique<ledger_watch>(ledger, workspace);
    commits = std::make_unique<group_commit>(
        ledger, workspace, *watch,
        group_commit::callbacks{[this](milliseconds pause) { wakes.push_back(pause); },
                                [this](const stop_run& why) { halts.push_back(why.message); }});
  }
  ~group_commit_test() override { fs::remove_all(root); }

  void add(const std::string& name, bool intent = false, const expected<void>& own = {}) {
    const auto apply = [this, name, own]() -> expected<void> {
      applied.push_back(name);
      if (!own) return own;
      return commits->note_ledger_error(ledger_says);
    };
    const auto answer = [this, name](const error* problem) {
      answered.push_back(problem == nullptr ? name : name + ": " + problem->message);
    };
    commits->add({apply, answer, intent});
  }
  /// The end of the pause that was asked for.
  void end_pause() {
    ASSERT_FALSE(wakes.empty());
    wakes.erase(wakes.begin());
    commits->flush();
  }
};

TEST_F(group_commit_test, a_record_waits_eight_milliseconds_for_company) {
  add("a");
  add("b");
  EXPECT_THAT(wakes, ElementsAre(milliseconds{4}));
  end_pause();
  EXPECT_THAT(answered, IsEmpty());
  EXPECT_THAT(wakes, ElementsAre(milliseconds{4}));
  end_pause();
  EXPECT_THAT(answered, ElementsAre("a", "b"));
  EXPECT_THAT(wakes, IsEmpty());
}

TEST_F(group_commit_test, rounds_are_short_while_many_intents_come) {
  for (const auto* name : {"a", "b", "c"}) add(name, true);
  end_pause();
  add("d");
  EXPECT_THAT(wakes, ElementsAre(milliseconds{2}));
  for (int round = 0; round < 3; ++round) {
    end_pause();
    EXPECT_EQ(answered.size(), 3U);
  }
  end_pause();
  EXPECT_EQ(answered.size(), 4U) << "a group without intents says nothing of how many come";
  add("e", true);
  EXPECT_THAT(wakes, ElementsAre(milliseconds{2}));
  end_pause();
  add("f", true);
  EXPECT_THAT(wakes, ElementsAre(milliseconds{4}));
}

TEST_F(group_commit_test, an_intent_ends_the_round_and_goes_first) {
  add("answer");
  end_pause();
  add("intent", true);
  end_pause();
  EXPECT_THAT(answered, ElementsAre("intent", "answer"));
}

TEST_F(group_commit_test, of_many_records_a_quarter_is_taken_and_the_rest_waits_for_the_next_commit_at_once) {
  for (int i = 0; i < 200; ++i) add(std::to_string(i));
  add("intent", true);
  end_pause();
  EXPECT_EQ(answered.size(), 51U);
  EXPECT_EQ(answered.front(), "intent");
  EXPECT_THAT(wakes, ElementsAre(milliseconds{0}));
  commits->flush_all();
  EXPECT_EQ(answered.size(), 201U);
  EXPECT_EQ(answered.back(), "199");
}

TEST_F(group_commit_test, a_record_that_is_refused_does_not_take_the_others_with_it) {
  add("a", true);
  add("b", true, fail(ec::task_unknown, "no such task"));
  add("c", true);
  end_pause();
  EXPECT_THAT(answered, ElementsAre("a", "b: no such task", "c"));
  EXPECT_THAT(halts, IsEmpty());
}

TEST_F(group_commit_test, a_ledger_that_cannot_be_written_keeps_what_is_paid_and_refuses_intents) {
  ledger_says = fail(ec::io, "the disk is gone");
  add("answer");
  add("intent", true);
  end_pause();
  EXPECT_THAT(answered, ElementsAre("intent: the disk is gone"));
  EXPECT_EQ(halts.size(), 1U);
  EXPECT_THAT(wakes, ElementsAre(milliseconds{1000}));
  end_pause();
  EXPECT_EQ(halts.size(), 1U) << "told once";
  ledger_says = {};
  end_pause();
  EXPECT_THAT(answered, ElementsAre("intent: the disk is gone", "answer"));
}

TEST_F(group_commit_test, what_cannot_be_written_is_answered_when_the_run_gives_up) {
  ledger_says = fail(ec::io, "the disk is gone");
  add("answer");
  commits->give_up();
  EXPECT_THAT(answered, ElementsAre("answer: the disk is gone"));
}

TEST_F(group_commit_test, a_full_disk_costs_the_reserve_and_loses_nothing) {
  ASSERT_TRUE(replace_file(workspace.ballast_file(), std::string(100, 'x'), durability::later));
  bool full = true;
  const auto apply = [&]() -> expected<void> {
    if (std::exchange(full, false))
      return commits->note_ledger_error(expected<void>{fail(ec::disk_full, "no space left")});
    return {};
  };
  commits->add({apply, [this](const error* problem) { answered.push_back(problem ? problem->message : "stored"); }});
  commits->flush_all();
  EXPECT_THAT(answered, ElementsAre("stored"));
  EXPECT_FALSE(fs::exists(workspace.ballast_file()));
  EXPECT_EQ(halts.size(), 1U);
}

TEST_F(group_commit_test, a_ledger_that_is_moved_stops_the_run_and_goes_on_where_it_is) {
  fs::rename(workspace.ledger_file(), root / "elsewhere.db");
  add("a", true);
  end_pause();
  EXPECT_THAT(answered, ElementsAre("a"));
  EXPECT_EQ(halts.size(), 1U);
  EXPECT_TRUE(watch->displaced());
}

}  // namespace
}  // namespace cohort::actors
