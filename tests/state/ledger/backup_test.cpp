// Copies of ledgers in the user's own folder, and what a checkout or a deletion does.

#include <cstdlib>
#include <thread>

#include <sys/stat.h>

#include "state/ledger/ledger_backup.hpp"
#include "tests/state/fixture.hpp"

namespace cohort::state {
namespace {

struct backup_test : state_test {
  fs::path file = workspace.ledger_file();

  /// One answer, and a copy of that ledger.
  void one_answer_and_a_copy() {
    auto ledger = open();
    store(ledger, plan(ledger, {"a", "b", "c"}), answer_for("a", 1));
    must(ledger.write_backup());
  }
  int64_t spent(mode how) {
    note.clear();
    const auto ledger = open_ledger(workspace, how, &note);
    if (!ledger) throw std::runtime_error{ledger.error().message};
    return newest(*ledger).spent().confirmed.count;
  }
  std::string note;
};

TEST_F(backup_test, a_deleted_ledger_is_read_from_its_copy_and_put_back_by_a_writer) {
  one_answer_and_a_copy();
  fs::remove_all(workspace.root());
  fs::create_directories(workspace.root());
  EXPECT_EQ(spent(mode::read_only), cent);
  EXPECT_NE(note.find("is gone"), std::string::npos);
  EXPECT_FALSE(fs::exists(file)) << "a reader writes nothing";
  EXPECT_EQ(spent(mode::read_write), cent);
  EXPECT_NE(note.find("put back"), std::string::npos);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(spent(mode::read_write), cent);
  EXPECT_TRUE(note.empty()) << note;
}

TEST_F(backup_test, an_older_ledger_of_the_same_identity_gives_way_to_the_copy) {
  {
    auto ledger = open();
    plan(ledger, {"a", "b"});
  }
  const auto old = read_file(file).value();
  {
    auto ledger = open();
    store(ledger, 1, answer_for("a", 1), answer_for("b", 1));
    must(ledger.write_backup());
  }
  overwrite(file, old);
  EXPECT_EQ(spent(mode::read_only), 2 * cent);
  EXPECT_EQ(read_file(file).value(), old);
  EXPECT_EQ(spent(mode::read_write), 2 * cent);
  const auto older = ledger::open(archived_ledgers(workspace).at(0), project, mode::read_only);
  EXPECT_EQ(newest(*older).spent().total().count, 0) << "the older one is kept";
}

TEST_F(backup_test, a_newer_ledger_than_its_copy_stays) {
  one_answer_and_a_copy();
  {
    auto ledger = open();
    store(ledger, 1, answer_for("b", 1));
  }
  EXPECT_EQ(spent(mode::read_write), 2 * cent);
  EXPECT_TRUE(note.empty());
}

TEST_F(backup_test, a_foreign_ledger_stays_and_the_way_back_is_told) {
  one_answer_and_a_copy();
  const auto mine = std::string{std::getenv("XDG_STATE_HOME")};
  fs::remove(file);
  ::setenv("XDG_STATE_HOME", (root / "another").c_str(), 1);
  {
    auto ledger = open();
    plan(ledger, {"x"});
  }
  ::setenv("XDG_STATE_HOME", mine.c_str(), 1);
  const auto before = read_file(file).value();
  for (const auto how : {mode::read_only, mode::read_write}) {
    const auto opened = open_ledger(workspace, how);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ec::state_untrusted);
    EXPECT_NE(opened.error().message.find("verify --restore"), std::string::npos);
  }
  EXPECT_EQ(read_file(file).value(), before);
  EXPECT_TRUE(restore_own_ledger(workspace).value());
  EXPECT_EQ(spent(mode::read_only), cent);
  EXPECT_EQ(read_file(archived_ledgers(workspace).at(0)).value(), before);
  EXPECT_FALSE(restore_own_ledger(workspace).value());
}

TEST_F(backup_test, a_journal_alone_goes_to_the_archive) {
  one_answer_and_a_copy();
  fs::rename(file, file.native() + "-wal");
  EXPECT_EQ(spent(mode::read_write), cent);
  EXPECT_FALSE(fs::exists(file.native() + "-wal"));
}

TEST_F(backup_test, a_new_folder_at_the_same_path_does_not_take_the_copy_by_itself) {
  one_answer_and_a_copy();
  fs::rename(project, root / "moved");
  fs::create_directories(workspace.root());
  EXPECT_EQ(backups_of(workspace).size(), 1u);
  EXPECT_FALSE(backups_of(workspace).at(0).same_folder);
  EXPECT_EQ(open_ledger(workspace, mode::read_only).error().code, ec::state_missing);
}

TEST_F(backup_test, is_made_while_the_ledger_is_written) {
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b", "c"});
  must(ledger.begin());
  must(ledger.record(run, answer_for("a", 1)));
  std::thread{[&ledger] { must(ledger.write_backup()); }}.join();
  must(ledger.commit());
  const auto before = ledger::open(backups_of(workspace).at(0).file, project, mode::read_only);
  EXPECT_EQ(newest(*before).spent().total().count, 0) << "what was not committed is not in the copy";
  std::thread{[&ledger] { must(ledger.write_backup()); }}.join();
  EXPECT_EQ(backups_of(workspace).size(), 1u);
  const auto copy = ledger::open(backups_of(workspace).at(0).file, project, mode::read_only);
  EXPECT_EQ(newest(*copy).spent().confirmed.count, cent);
  struct stat info {};
  ASSERT_EQ(::stat(backups_of(workspace).at(0).file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(backup_test, cleaning_leaves_no_copy_behind_that_would_come_back) {
  one_answer_and_a_copy();
  const auto archive = archive_state(workspace).value();
  must(archive_backups(workspace, archive));
  EXPECT_TRUE(backups_of(workspace).empty());
  EXPECT_EQ(archived_ledgers(workspace).size(), 1u) << "the archive had it already";
  EXPECT_EQ(open_ledger(workspace, mode::read_only).error().code, ec::state_missing);
}

TEST_F(backup_test, cleaning_keeps_a_copy_that_the_archive_lacks) {
  one_answer_and_a_copy();
  fs::remove(file);
  const auto archive = archive_state(workspace).value();
  must(archive_backups(workspace, archive));
  EXPECT_TRUE(backups_of(workspace).empty());
  ASSERT_EQ(archived_ledgers(workspace).size(), 1u);
  EXPECT_TRUE(ledger::open(archived_ledgers(workspace).at(0), project, mode::read_only));
}

}  // namespace
}  // namespace cohort::state
