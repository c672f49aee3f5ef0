#include "cluster/spool.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "fixture.hpp"

namespace cohort::cluster {
namespace {

struct node_spool : folder_fixture {
  static spooled_answer answer(uint32_t number, std::string text) {
    spooled_answer x;
    x.ledger_id = std::string(32, 'b');
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
  const auto spool = spool::open(root);
  ASSERT_TRUE(spool);
  ASSERT_TRUE(spool->keep(answer(1, "one")));
  ASSERT_TRUE(spool->keep(answer(2, "two")));
  for (const auto& entry : std::filesystem::directory_iterator{root}) {
    if (entry.path().extension() != ".answer") continue;
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) - 1);
    break;
  }
  const auto found = spool->load();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->answers.size(), 1u);
  ASSERT_EQ(found->damaged.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(found->damaged.front()));
  EXPECT_TRUE(spool->load()->damaged.empty()) << "it is told once";
}

TEST_F(node_spool, writes_nowhere_else_whatever_an_answer_says_of_itself) {
  const auto spool = spool::open(root / "spool");
  ASSERT_TRUE(spool);
  std::ofstream{root / "victim"} << "mine";
  auto foreign = answer(1, "planted");
  for (std::string ledger_id :
       {std::string{root / "victim"} + '\0', std::string{"../victim"}, std::string{"../victim\0", 10}, std::string{},
        std::string(32, 'B'), std::string(31, 'b'), std::string(32, '/')}) {
    foreign.ledger_id = ledger_id;
    const auto kept = spool->keep(foreign);
    ASSERT_FALSE(kept) << ledger_id;
    EXPECT_EQ(kept.error().code, ec::usage);
    EXPECT_FALSE(spool->forget(foreign));
  }
  foreign = answer(1, "planted");
  foreign.run = -1;
  EXPECT_FALSE(spool->keep(foreign));
  foreign.run = 1;
  foreign.attempt = 0;
  EXPECT_FALSE(spool->keep(foreign));
  std::string now;
  std::ifstream{root / "victim"} >> now;
  EXPECT_EQ(now, "mine");
  EXPECT_TRUE(spool->load()->answers.empty());
}

TEST_F(node_spool, does_not_follow_links_that_stand_where_an_answer_belongs) {
  const auto spool = spool::open(root / "spool");
  ASSERT_TRUE(spool);
  ASSERT_TRUE(spool->keep(answer(1, "one")));
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator{root / "spool"})
    if (entry.path().extension() == ".answer") file = entry.path();
  std::ofstream{root / "victim"} << "mine";
  std::filesystem::remove(file);
  std::filesystem::create_symlink(root / "victim", file);
  (void)spool->keep(answer(1, "one"));
  std::string now;
  std::ifstream{root / "victim"} >> now;
  EXPECT_EQ(now, "mine");
}

TEST_F(node_spool, is_its_users_alone_whatever_the_umask_is) {
  const auto before = ::umask(0);
  {
    const auto spool = spool::open(root / "deep" / "spool");
    ASSERT_TRUE(spool);
    ASSERT_TRUE(spool->keep(answer(1, "one")));
  }
  ::umask(before);
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(root / "deep" / "spool").permissions(), fs::perms::owner_all);
  for (const auto& entry : fs::directory_iterator{root / "deep" / "spool"})
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << entry.path();
}

}  // namespace
}  // namespace cohort::cluster
