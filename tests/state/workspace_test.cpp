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
  fs::remove_all(workspace.root());
  fs::create_directories(root / "outside");
  fs::create_directory_symlink(root / "outside", workspace.root());
  EXPECT_EQ(open_workspace(project).error().code, ec::state_untrusted);
  EXPECT_EQ(prepare(workspace).error().code, ec::state_untrusted);
  EXPECT_EQ(archive_state(workspace).error().code, ec::state_untrusted);
  EXPECT_TRUE(fs::is_empty(root / "outside"));
  fs::remove(workspace.root());
  fs::create_directory_symlink(root / "nowhere", workspace.root());
  EXPECT_EQ(prepare(workspace).error().code, ec::state_untrusted);
  fs::remove(workspace.root());
  fs::create_directories(project / "inside");
  fs::create_directory_symlink("inside", workspace.root());
  EXPECT_EQ(open_workspace(project).error().code, ec::state_untrusted) << "a link within the project";
  EXPECT_EQ(prepare(workspace).error().code, ec::state_untrusted);
  EXPECT_TRUE(fs::is_empty(project / "inside"));
}

TEST_F(workspace_test, refuses_every_link_within_the_state_folder) {
  ASSERT_TRUE(prepare(workspace));
  fs::create_directories(root / "outside");
  fs::create_directories(project / "inside");
  const auto wal = fs::path{workspace.ledger_file().native() + "-wal"};
  for (const auto& path :
       {workspace.default_output(), workspace.log_file().parent_path(), workspace.root() / "archive", wal}) {
    for (const auto& target : {root / "outside", root / "nowhere", project / "inside"}) {
      fs::remove_all(path);
      fs::create_symlink(target, path);
      EXPECT_EQ(open_workspace(project).error().code, ec::state_untrusted) << path;
      EXPECT_EQ(prepare(workspace).error().code, ec::state_untrusted) << path;
      fs::remove(path);
    }
  }
  EXPECT_TRUE(fs::is_empty(project / "inside"));
  EXPECT_TRUE(fs::is_empty(root / "outside"));
}

TEST_F(workspace_test, finds_no_way_out_for_results_though_their_folder_is_replaced_meanwhile) {
  ASSERT_TRUE(prepare(workspace));
  const auto output = workspace.default_output();
  EXPECT_EQ(result_path(workspace, output, "a/test_b.py").value(), output / "a/test_b.py");
  EXPECT_EQ(known_path(workspace, output, output / "a/test_b.py").value(), output / "a/test_b.py");
  EXPECT_EQ(known_path(workspace, output, project / "old/test_b.py").value(), project / "old/test_b.py");
  EXPECT_EQ(known_path(workspace, output, root / "test_b.py").error().code, ec::permission_denied);
  fs::create_directories(root / "outside");
  fs::create_symlink(root / "outside", output);
  EXPECT_EQ(result_path(workspace, output, "a/test_b.py").error().code, ec::permission_denied);
  EXPECT_EQ(known_path(workspace, output, output / "test_b.py").error().code, ec::permission_denied);
  EXPECT_TRUE(result_path(workspace, root / "outside", "test_b.py")) << "the user named this folder";
  fs::remove(output);
  fs::create_directories(project / "inside");
  fs::create_symlink("../inside", output);
  EXPECT_TRUE(result_path(workspace, output, "test_b.py"));
}

TEST_F(workspace_test, keeps_state_out_of_git_but_not_the_tests_nor_a_rule_of_the_user) {
  ASSERT_TRUE(prepare(workspace));
  const auto rules = read_file(workspace.root() / ".gitignore").value();
  for (const auto* rule : {"/ledger.db*\n", "/batch-state.json\n", "/lock\n", "/logs/\n", "/archive/\n"})
    EXPECT_NE(rules.find(rule), std::string::npos) << rule;
  EXPECT_EQ(rules.find("/tests"), std::string::npos);
  overwrite(workspace.root() / ".gitignore", "mine");
  ASSERT_TRUE(prepare(workspace));
  EXPECT_EQ(read_file(workspace.root() / ".gitignore").value(), "mine");
}

TEST_F(workspace_test, archives_everything_and_keeps_the_generated_tests) {
  ASSERT_TRUE(prepare(workspace));
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              plan(ledger, {"a"});
              ::_exit(7);
            }),
            7);
  overwrite(workspace.batch_state_path(), "view");
  must(replace_file(workspace.cache_file(), "cache", durability::later));
  must(replace_file(workspace.default_output() / "test_a.py", "test", durability::later));
  const auto ledger = read_file(workspace.ledger_file()).value();
  const auto wal = read_file(workspace.ledger_file().native() + "-wal").value();
  const auto archive = archive_state(workspace).value();
  EXPECT_EQ(archive.parent_path(), workspace.root() / "archive");
  EXPECT_EQ(read_file(archive / "ledger.db").value(), ledger);
  EXPECT_EQ(read_file(archive / "ledger.db-wal").value(), wal);
  EXPECT_EQ(read_file(archive / "batch-state.json").value(), "view");
  EXPECT_EQ(read_file(archive / "cache" / "survey.bin").value(), "cache");
  EXPECT_EQ(read_file(workspace.default_output() / "test_a.py").value(), "test");
  EXPECT_FALSE(fs::exists(workspace.ledger_file()));
  EXPECT_EQ(open().newest_run().value(), std::nullopt);
  EXPECT_NE(archive_state(workspace).value(), archive);
  EXPECT_EQ(archived_ledgers(workspace).front(), archive / "ledger.db");
  EXPECT_EQ(archived_ledgers(workspace).size(), 2u);
}

TEST_F(workspace_test, keeps_real_disk_blocks_in_reserve) {
  ASSERT_TRUE(reserve_ballast(workspace, 1 << 20));
  struct stat info {};
  ASSERT_EQ(::stat(workspace.ballast_file().c_str(), &info), 0);
  EXPECT_GE(info.st_blocks * 512, 1 << 20);
  ASSERT_TRUE(reserve_ballast(workspace, 4096));
  EXPECT_EQ(fs::file_size(workspace.ballast_file()), 4096u);
  release_ballast(workspace);
  EXPECT_FALSE(fs::exists(workspace.ballast_file()));
}

}  // namespace
}  // namespace cohort::state
