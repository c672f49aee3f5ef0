#include "state/workspace.hpp"

#include <sys/stat.h>

#include "fixture.hpp"

namespace cohort::state {
namespace {

using workspace_test = state_test;

TEST_F(workspace_test, opens_a_directory_under_its_real_name_and_writes_nothing) {
  fs::create_directory_symlink(project, root / "link");
  const auto before = snapshot(root);
  EXPECT_EQ(open_workspace(root / "link").value().project, project);
  EXPECT_EQ(snapshot(root), before);
  EXPECT_EQ(open_workspace(root / "none").error().code, ec::not_found);
  overwrite(root / "file", "x");
  EXPECT_EQ(open_workspace(root / "file").error().code, ec::not_found);
}

TEST_F(workspace_test, refuses_a_state_folder_that_is_a_link) {
  fs::remove_all(place.root());
  fs::create_directories(root / "outside");
  fs::create_directory_symlink(root / "outside", place.root());
  EXPECT_EQ(open_workspace(project).error().code, ec::state_untrusted);
  EXPECT_EQ(prepare(place).error().code, ec::state_untrusted);
  EXPECT_EQ(archive_state(place).error().code, ec::state_untrusted);
  EXPECT_TRUE(fs::is_empty(root / "outside"));
  fs::remove(place.root());
  fs::create_directory_symlink(root / "nowhere", place.root());
  EXPECT_EQ(prepare(place).error().code, ec::state_untrusted);
  fs::remove(place.root());
  fs::create_directories(project / "inside");
  fs::create_directory_symlink("inside", place.root());
  EXPECT_EQ(open_workspace(project).error().code, ec::state_untrusted) << "a link within the project";
  EXPECT_EQ(prepare(place).error().code, ec::state_untrusted);
  EXPECT_TRUE(fs::is_empty(project / "inside"));
}

TEST_F(workspace_test, refuses_every_link_within_the_state_folder) {
  ASSERT_TRUE(prepare(place));
  fs::create_directories(root / "outside");
  fs::create_directories(project / "inside");
  const auto wal = fs::path{place.ledger_file().native() + "-wal"};
  for (const auto& path : {place.default_output(), place.log_file().parent_path(), place.root() / "archive", wal}) {
    for (const auto& target : {root / "outside", root / "nowhere", project / "inside"}) {
      fs::remove_all(path);
      fs::create_symlink(target, path);
      EXPECT_EQ(open_workspace(project).error().code, ec::state_untrusted) << path;
      EXPECT_EQ(prepare(place).error().code, ec::state_untrusted) << path;
      fs::remove(path);
    }
  }
  EXPECT_TRUE(fs::is_empty(project / "inside"));
  EXPECT_TRUE(fs::is_empty(root / "outside"));
}

TEST_F(workspace_test, finds_no_way_out_for_results_though_their_folder_is_replaced_meanwhile) {
  ASSERT_TRUE(prepare(place));
  const auto output = place.default_output();
  EXPECT_EQ(result_path(place, output, "a/test_b.py").value(), output / "a/test_b.py");
  EXPECT_EQ(known_path(place, output, output / "a/test_b.py").value(), output / "a/test_b.py");
  EXPECT_EQ(known_path(place, output, project / "old/test_b.py").value(), project / "old/test_b.py");
  EXPECT_EQ(known_path(place, output, root / "test_b.py").error().code, ec::permission_denied);
  fs::create_directories(root / "outside");
  fs::create_symlink(root / "outside", output);
  EXPECT_EQ(result_path(place, output, "a/test_b.py").error().code, ec::permission_denied);
  EXPECT_EQ(known_path(place, output, output / "test_b.py").error().code, ec::permission_denied);
  EXPECT_TRUE(result_path(place, root / "outside", "test_b.py")) << "the user named this folder";
  fs::remove(output);
  fs::create_directories(project / "inside");
  fs::create_symlink("../inside", output);
  EXPECT_TRUE(result_path(place, output, "test_b.py"));
}

TEST_F(workspace_test, keeps_state_out_of_git_but_not_the_tests_nor_a_rule_of_the_user) {
  ASSERT_TRUE(prepare(place));
  const auto rules = read_file(place.root() / ".gitignore").value();
  for (const auto* rule : {"/ledger.db*\n", "/batch-state.json\n", "/lock\n", "/logs/\n", "/archive/\n"})
    EXPECT_NE(rules.find(rule), std::string::npos) << rule;
  EXPECT_EQ(rules.find("/tests"), std::string::npos);
  overwrite(place.root() / ".gitignore", "mine");
  ASSERT_TRUE(prepare(place));
  EXPECT_EQ(read_file(place.root() / ".gitignore").value(), "mine");
}

TEST_F(workspace_test, archives_everything_and_keeps_the_generated_tests) {
  ASSERT_TRUE(prepare(place));
  EXPECT_EQ(in_killed_child([&] {
              auto book = open();
              plan(book, {"a"});
              ::_exit(7);
            }),
            7);
  overwrite(place.view_file(), "view");
  must(replace_file(place.cache_file(), "cache", durability::later));
  must(replace_file(place.default_output() / "test_a.py", "test", durability::later));
  const auto ledger = read_file(place.ledger_file()).value();
  const auto wal = read_file(place.ledger_file().native() + "-wal").value();
  const auto archive = archive_state(place).value();
  EXPECT_EQ(archive.parent_path(), place.root() / "archive");
  EXPECT_EQ(read_file(archive / "ledger.db").value(), ledger);
  EXPECT_EQ(read_file(archive / "ledger.db-wal").value(), wal);
  EXPECT_EQ(read_file(archive / "batch-state.json").value(), "view");
  EXPECT_EQ(read_file(archive / "cache" / "survey.bin").value(), "cache");
  EXPECT_EQ(read_file(place.default_output() / "test_a.py").value(), "test");
  EXPECT_FALSE(fs::exists(place.ledger_file()));
  EXPECT_EQ(open().newest_run().value(), std::nullopt);
  EXPECT_NE(archive_state(place).value(), archive);
  EXPECT_EQ(archived_ledgers(place).front(), archive / "ledger.db");
  EXPECT_EQ(archived_ledgers(place).size(), 2u);
}

TEST_F(workspace_test, keeps_real_disk_blocks_in_reserve) {
  ASSERT_TRUE(reserve_ballast(place, 1 << 20));
  struct stat info {};
  ASSERT_EQ(::stat(place.ballast_file().c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 1 << 20);
  ASSERT_TRUE(reserve_ballast(place, 4096));
  EXPECT_EQ(fs::file_size(place.ballast_file()), 4096u);
  release_ballast(place);
  EXPECT_FALSE(fs::exists(place.ballast_file()));
}

}  // namespace
}  // namespace cohort::state
