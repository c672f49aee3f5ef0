#include "state/run_lock.hpp"

#include <fcntl.h>

#include "fixture.hpp"

namespace cohort::state {
namespace {

struct lock_test : state_test {
  fs::path file = workspace.lock_file();
  lock_holder me{.process = 4711,
                 .host = "build-box",
                 .command = "cohort generate-logical-batch .",
                 .since = {1735689600000},
                 .listens = "0.0.0.0:4000",
                 .cluster = {}};
};

TEST_F(lock_test, tells_the_second_run_who_holds_the_lock_since_when_and_how_to_watch) {
  const auto first = run_lock::acquire(file, me);
  ASSERT_TRUE(first);
  const auto second = run_lock::acquire(file, me);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ec::state_locked);
  for (const auto* part :
       {"4711", "build-box", "cohort generate-logical-batch .", "2025-01-01T00:00:00.000Z", "--stats"})
    EXPECT_NE(second.error().message.find(part), std::string::npos) << part;
  const auto holder = current_holder(file).value();
  EXPECT_EQ(holder.process, 4711);
  EXPECT_EQ(holder.host, "build-box");
  EXPECT_EQ(holder.command, me.command);
  EXPECT_EQ(holder.since, me.since);
  EXPECT_EQ(holder.listens, "0.0.0.0:4000");
}

TEST_F(lock_test, ends_with_its_owner_and_leaves_no_file) {
  {
    auto first = run_lock::acquire(file, me).value();
    const auto moved = std::move(first);
    EXPECT_FALSE(run_lock::acquire(file, me));
  }
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(current_holder(file).error().code, ec::state_missing);
  EXPECT_TRUE(run_lock::acquire(file, me));
}

TEST_F(lock_test, a_killed_run_or_a_reused_process_id_holds_nothing) {
  EXPECT_EQ(in_killed_child([&] {
              auto mine = me;
              mine.process = ::getppid();  // as if its id were given to a process that lives
              const auto lock = run_lock::acquire(file, mine);
              ::_exit(lock ? 7 : 1);
            }),
            7);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(current_holder(file).error().code, ec::state_missing);
  EXPECT_TRUE(run_lock::acquire(file, me));
}

TEST_F(lock_test, keeps_out_other_processes) {
  const auto first = run_lock::acquire(file, me);
  ASSERT_TRUE(first);
  EXPECT_EQ(in_killed_child([&] {
              const auto second = run_lock::acquire(file, me);
              ::_exit(!second && second.error().code == ec::state_locked && current_holder(file) ? 7 : 1);
            }),
            7);
  EXPECT_EQ(current_holder(file).value().process, 4711) << "the refused one wrote over the holder";
}

TEST_F(lock_test, a_lock_file_that_is_deleted_while_held_lets_nobody_in) {
  auto first = run_lock::acquire(file, me);
  ASSERT_TRUE(first);
  fs::remove(file);
  EXPECT_EQ(run_lock::acquire(file, me).error().code, ec::state_locked);
  first = fail(ec::none, "");
  EXPECT_TRUE(run_lock::acquire(file, me));
}

TEST_F(lock_test, an_empty_or_garbled_lock_file_is_no_obstacle) {
  for (const auto* content :
       {"", "{", "[]", R"({"process":"x","since":3})", R"({"process":12345678901234567890123})"}) {
    overwrite(file, content);
    EXPECT_TRUE(run_lock::acquire(file, me)) << content;
  }
}

TEST_F(lock_test, refuses_to_follow_a_symbolic_link) {
  fs::create_symlink(root / "victim", file);
  EXPECT_FALSE(run_lock::acquire(file, me));
  EXPECT_FALSE(fs::exists(root / "victim"));
}

TEST_F(lock_test, is_not_inherited_by_programs_that_are_started) {
  const auto lock = run_lock::acquire(file, me);
  ASSERT_TRUE(lock);
  for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) == file) {
      EXPECT_TRUE(::fcntl(std::stoi(entry.path().filename().string()), F_GETFD) & FD_CLOEXEC);
    }
  }
}

}  // namespace
}  // namespace cohort::state
