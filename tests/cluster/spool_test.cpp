#include "cluster/spool.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace cohort {
namespace {

struct node_spool : folder_fixture {
  static spooled_answer answer(uint32_t number, std::string text) {
    spooled_answer x;
    x.book = "b00k";
    x.run = 3;
    x.task = task_id_from(sha256("task " + std::to_string(number)));
    x.attempt = number;
    x.lease = 7;
    x.answer.request_id = "req_1";
    x.answer.model = "a-model";
    x.answer.stop = stop_reason::max_tokens;
    x.answer.text = std::move(text);
    x.answer.usage.input_tokens = 11;
    x.answer.usage.output_tokens = 12;
    x.answer.usage.cache_read_tokens = 13;
    return x;
  }
};

TEST_F(node_spool, gives_back_what_was_kept_after_a_restart) {
  const std::string text{"any \xFF bytes\0 and lines\n", 23};
  std::string identity;
  {
    const auto first = spool::open(root);
    ASSERT_TRUE(first);
    identity = first->node_id();
    ASSERT_TRUE(first->keep(answer(1, text)));
    ASSERT_TRUE(first->keep(answer(2, "two")));
    ASSERT_TRUE(first->forget(answer(2, "")));
  }
  const auto again = spool::open(root);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->node_id(), identity);
  const auto found = again->load();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->answers.size(), 1u);
  const auto& kept = found->answers.front();
  EXPECT_EQ(kept.task, answer(1, "").task);
  EXPECT_EQ(kept.run, 3);
  EXPECT_EQ(kept.answer.text, text);
  EXPECT_EQ(kept.answer.stop, stop_reason::max_tokens);
  EXPECT_EQ(kept.answer.usage, answer(1, "").answer.usage);
}

TEST_F(node_spool, belongs_to_one_process) {
  const auto first = spool::open(root);
  ASSERT_TRUE(first);
  const auto second = spool::open(root);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ec::state_locked);
}

TEST_F(node_spool, puts_torn_and_altered_answers_aside) {
  const auto place = spool::open(root);
  ASSERT_TRUE(place);
  ASSERT_TRUE(place->keep(answer(1, "one")));
  ASSERT_TRUE(place->keep(answer(2, "two")));
  for (const auto& entry : std::filesystem::directory_iterator{root}) {
    if (entry.path().extension() != ".answer") continue;
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) - 1);
    break;
  }
  const auto found = place->load();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->answers.size(), 1u);
  ASSERT_EQ(found->damaged.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(found->damaged.front()));
  EXPECT_TRUE(place->load()->damaged.empty()) << "it is told once";
}

}  // namespace
}  // namespace cohort
