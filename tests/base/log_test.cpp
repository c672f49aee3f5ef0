// The log file: whose it is, and what cannot get into it.

#include "base/log.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.hpp"

namespace cohort::inline base {
namespace {

namespace fs = std::filesystem;

class log : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "cohort-log-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    mask_ = ::umask(0);
  }
  void TearDown() override {
    close_log();
    ::umask(mask_);
    fs::remove_all(root_);
  }
  [[nodiscard]] std::string content() const { return read_file(root_ / "state/logs/x.log").value(); }
  static mode_t mode_of(const fs::path& path) {
    struct stat found {};
    EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777;
  }
  [[nodiscard]] auto open() const { return open_log(root_, "state/logs/x.log", log_level::info); }

  fs::path root_;
  mode_t mask_ = 0;
};

TEST_F(log, can_be_read_by_its_user_alone_whatever_the_umask_is) {
  ASSERT_TRUE(open());
  log_info("a line");
  EXPECT_EQ(mode_of(root_ / "state/logs/x.log"), 0600u);
  EXPECT_EQ(mode_of(root_ / "state/logs"), 0700u);
}

TEST_F(log, is_closed_to_others_when_an_earlier_version_left_it_open) {
  fs::create_directories(root_ / "state/logs");
  ASSERT_TRUE(replace_file(root_ / "state/logs/x.log", "before\n", durability::later));
  ASSERT_EQ(::chmod((root_ / "state/logs/x.log").c_str(), 0644), 0);
  ASSERT_TRUE(open());
  log_info("after");
  EXPECT_EQ(mode_of(root_ / "state/logs/x.log"), 0600u);
  EXPECT_EQ(content().substr(0, 7), "before\n");
  EXPECT_NE(content().find("after"), std::string::npos);
}

TEST_F(log, is_one_line_for_each_message_and_moves_no_cursor) {
  ASSERT_TRUE(open());
  log_info("a\n2026-01-01T00:00:00.000 I forged \x1b[2J\u202e\u009b{}", "\r");
  close_log();
  const auto text = content();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_NE(text.find("a\\n2026-01-01T00:00:00.000 I forged \\x1b[2J\\u202e\\u009b\\r"), std::string::npos) << text;
}

TEST_F(log, follows_no_link) {
  ASSERT_TRUE(replace_file(root_ / "victim", "mine\n", durability::later));
  fs::create_directories(root_ / "state/logs");
  fs::create_symlink(root_ / "victim", root_ / "state/logs/x.log");
  EXPECT_FALSE(open());
  fs::remove_all(root_ / "state");
  fs::create_directories(root_ / "elsewhere");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "state");
  EXPECT_FALSE(open());
  log_info("lost");
  EXPECT_EQ(read_file(root_ / "victim").value(), "mine\n");
  EXPECT_TRUE(fs::is_empty(root_ / "elsewhere"));
}

TEST_F(log, leaves_a_file_alone_that_it_shares_with_another_name) {
  ASSERT_TRUE(replace_file(root_ / "victim", "mine\n", durability::later));
  fs::create_directories(root_ / "state/logs");
  fs::create_hard_link(root_ / "victim", root_ / "state/logs/x.log");
  ASSERT_TRUE(open());
  log_info("a line");
  EXPECT_EQ(read_file(root_ / "victim").value(), "mine\n");
  EXPECT_NE(content().find("a line"), std::string::npos);
}

TEST_F(log, does_not_wait_for_somebody_to_read_a_pipe) {
  fs::create_directories(root_ / "state/logs");
  ASSERT_EQ(::mkfifo((root_ / "state/logs/x.log").c_str(), 0600), 0);
  EXPECT_FALSE(open());
}

TEST_F(log, keeps_three_old_files_when_it_grows) {
  ASSERT_TRUE(open());
  const std::string mebibyte(1 << 20, 'x');
  for (int i = 0; i < 60; ++i) log_info("{}", mebibyte);
  close_log();
  for (const auto* name : {"x.log", "x.1.log", "x.2.log", "x.3.log"}) {
    EXPECT_LE(fs::file_size(root_ / "state/logs" / name), 10u << 20U) << name;
    EXPECT_EQ(mode_of(root_ / "state/logs" / name), 0600u);
  }
  EXPECT_FALSE(fs::exists(root_ / "state/logs/x.4.log"));
}

}  // namespace
}  // namespace cohort::inline base
