#include "base/files.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "base/digest.hpp"

namespace cohort::inline base {
namespace {

namespace fs = std::filesystem;

struct files_test : ::testing::Test {
  fs::path root = fs::temp_directory_path() / ("cohort-files-" + random_hex(6));
  files_test() { fs::create_directories(root); }
  ~files_test() override { fs::remove_all(root); }
};

TEST_F(files_test, replaces_a_file_and_leaves_no_temporary) {
  ASSERT_TRUE(replace_file(root / "a/b c\n.txt", "one", durability::now));
  ASSERT_TRUE(replace_file(root / "a/b c\n.txt", "two", durability::later));
  EXPECT_EQ(read_file(root / "a/b c\n.txt").value(), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator{root / "a"}, fs::directory_iterator{}), 1);
}

TEST_F(files_test, keeps_the_old_file_when_the_new_one_cannot_be_written) {
  ASSERT_TRUE(replace_file(root / "kept", "old", durability::later));
  fs::create_directory(root / "kept-dir");
  EXPECT_FALSE(replace_file(root / "kept-dir", "new", durability::later));
  EXPECT_FALSE(replace_file(root / "kept" / "below-a-file", "new", durability::later));
  EXPECT_EQ(read_file(root / "kept").value(), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator{root}, fs::directory_iterator{}), 2);
}

TEST_F(files_test, replaces_only_what_it_expects) {
  const auto path = root / "sub/file";
  const auto is_ours = [](const std::string& content) { return content == "ours"; };
  EXPECT_TRUE(replace_file_if(path, "ours", durability::now, is_ours).value()) << "nothing stood there";
  EXPECT_TRUE(replace_file_if(path, "theirs", durability::later, is_ours).value());
  EXPECT_FALSE(replace_file_if(path, "ours", durability::later, is_ours).value());
  EXPECT_EQ(read_file(path).value(), "theirs");
  EXPECT_EQ(std::distance(fs::directory_iterator{path.parent_path()}, fs::directory_iterator{}), 1);
}

TEST_F(files_test, puts_back_what_somebody_wrote_after_the_look) {
  const auto path = root / "file";
  ASSERT_TRUE(replace_file(path, "ours", durability::later));
  int looks = 0;
  const auto done = replace_file_if(path, "new", durability::later, [&](const std::string& content) {
    if (++looks == 1) std::ofstream{path} << "an edit";
    return content == "ours";
  });
  EXPECT_FALSE(done.value());
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(read_file(path).value(), "an edit");
  EXPECT_EQ(std::distance(fs::directory_iterator{root}, fs::directory_iterator{}), 1);
}

TEST_F(files_test, takes_the_place_of_what_was_deleted_after_the_look) {
  const auto path = root / "file";
  ASSERT_TRUE(replace_file(path, "ours", durability::later));
  const auto done =
      replace_file_if(path, "new", durability::later, [&](const std::string&) { return fs::remove(path); });
  EXPECT_TRUE(done.value());
  EXPECT_EQ(read_file(path).value(), "new");
}

TEST_F(files_test, never_replaces_links_and_folders) {
  const auto always = [](const std::string&) { return true; };
  ASSERT_TRUE(replace_file(root / "aim", "kept", durability::later));
  fs::create_symlink(root / "aim", root / "link");
  fs::create_directory(root / "folder");
  EXPECT_FALSE(replace_file_if(root / "link", "new", durability::later, always).value());
  EXPECT_FALSE(replace_file_if(root / "folder", "new", durability::later, always).value());
  EXPECT_EQ(read_file(root / "aim").value(), "kept");
  EXPECT_TRUE(fs::is_symlink(root / "link"));
  EXPECT_EQ(std::distance(fs::directory_iterator{root}, fs::directory_iterator{}), 3);
}

TEST_F(files_test, refuses_to_read_past_the_limit) {
  ASSERT_TRUE(replace_file(root / "big", std::string(100, 'x'), durability::later));
  EXPECT_EQ(read_file(root / "big", 99).error().code, ec::file_too_large);
  EXPECT_TRUE(read_file(root / "big", 100));
}

TEST_F(files_test, never_joins_a_path_that_leads_outside) {
  fs::create_directories(root / "out");
  fs::create_directories(root / "in");
  fs::create_directory_symlink(root / "out", root / "in/link");
  for (const char* bad : {"", "/etc/passwd", "../x", "a/../../x", "link/x"})
    EXPECT_EQ(join_inside(root / "in", bad).error().code, ec::permission_denied) << bad;
  EXPECT_FALSE(join_inside(root / "in", std::string_view{"a\0b", 3}));
  EXPECT_EQ(join_inside(root / "in", "a/b.py").value(), root / "in/a/b.py");
  fs::create_directories(root / "in/there");
  fs::create_directory_symlink("there", root / "in/relative");
  fs::create_directory_symlink(root / "in/there", root / "in/absolute");
  for (const char* good : {"b.py", "there/b.py", "relative/b.py", "absolute/b.py", "there/new/b.py"})
    EXPECT_EQ(join_inside(root / "in", good).value(), root / "in" / good);
}

}  // namespace
}  // namespace cohort::inline base
