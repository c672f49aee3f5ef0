// Answers that were on disk, and not judged yet, when the program ended.

#include <gtest/gtest.h>

#include "actors/recording/result_writer.hpp"
#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

struct stored_answers : run_fixture {
  stored_answers() { retries.after_answer[ec::cut_off] = 1; }

  void store_answer(uint32_t number, const std::string& text, stop_reason stop) {
    const auto id = task(number).id;
    auto answer = good_answer(text).answer;
    answer.stop = stop;
    ASSERT_TRUE(ledger->begin());
    ASSERT_TRUE(ledger->record(stored().id, intent{id, 1, 1, {1000}, "nano-model", {}}));
    ASSERT_TRUE(ledger->record(stored().id, attempt_done{id, 1, 1, answer, {100}, "nano-model"}));
    ASSERT_TRUE(ledger->commit());
  }
  /// `count` tasks that answer parts of one target.
  void plan_parts(uint32_t count) {
    open_ledger();
    ASSERT_TRUE(ledger->begin_plan(settings, "nano-model"));
    for (uint32_t number = 0; number < count; ++number) {
      auto part = task(number);
      part.target = "file.txt";
      part.part = number + 1;
      part.parts = count;
      ASSERT_TRUE(ledger->add_task(part));
    }
    ASSERT_TRUE(ledger->commit_plan(std::vector<uint32_t>(count, 0)));
  }
  std::string file(const std::string& name) const { return read_file(root / "out" / name).value_or("nothing"); }
};

TEST_F(stored_answers, that_were_cut_off_are_not_taken_for_whole) {
  plan(1);
  store_answer(0, "the first ha", stop_reason::max_tokens);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->total_asked(), 1u);
  EXPECT_EQ(file("file-0.txt"), "answer to task-0");
}

TEST_F(stored_answers, that_are_whole_are_delivered_without_asking) {
  plan(1);
  store_answer(0, "whole", stop_reason::end_turn);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->total_asked(), 0u);
  EXPECT_EQ(file("file-0.txt"), "whole");
}

TEST_F(stored_answers, of_a_refused_part_are_no_part_of_the_file) {
  plan_parts(2);
  store_answer(0, "I would rather not", stop_reason::refusal);
  store_answer(1, "the second part", stop_reason::end_turn);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file("file.txt"), "the second part");
  EXPECT_EQ(stored().tasks().failed, 1u);
}

TEST_F(stored_answers, of_a_part_that_stands_alone_become_a_file_of_its_own) {
  plan_parts(4);
  ASSERT_TRUE(replace_file(root / "out" / "file.txt.part4", "the user's", durability::later));
  store_answer(0, "first", stop_reason::end_turn);
  store_answer(1, "alone: second", stop_reason::end_turn);
  store_answer(2, "third", stop_reason::end_turn);
  store_answer(3, "alone: fourth", stop_reason::end_turn);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file("file.txt"), "firstthird");
  EXPECT_EQ(file("file.txt.part2"), "alone: second");
  EXPECT_EQ(file("file.txt.part4"), "the user's");
  EXPECT_EQ(file("file.txt.part4_2"), "alone: fourth");
  EXPECT_EQ(stored().tasks().delivered, 4u);
  const auto again = [&](const std::string& name) {
    std::filesystem::remove(root / "out" / name);
    EXPECT_TRUE(write_again(*ledger, handler, workspace, {"", "file.txt"}, root / "out" / name));
    return file(name);
  };
  EXPECT_EQ(again("file.txt"), "firstthird");
  EXPECT_EQ(again("file.txt.part4_2"), "alone: fourth");
}

}  // namespace
}  // namespace cohort::actors
