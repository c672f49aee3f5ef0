#include "base/signing_key.hpp"

#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace cohort::inline base {
namespace {

namespace fs = std::filesystem;

struct signing_key_test : ::testing::Test {
  fs::path home = fs::temp_directory_path() / ("cohort-key-" + random_hex(6));
  std::string before = std::getenv("XDG_STATE_HOME") != nullptr ? std::getenv("XDG_STATE_HOME") : "";
  signing_key_test() {
    fs::create_directories(home);
    ::setenv("XDG_STATE_HOME", home.c_str(), 1);
  }
  ~signing_key_test() override {
    if (before.empty())
      ::unsetenv("XDG_STATE_HOME");
    else
      ::setenv("XDG_STATE_HOME", before.c_str(), 1);
    fs::remove_all(home);
  }
  fs::path file() const { return home / "cohort/signing-key"; }
};

TEST_F(signing_key_test, is_made_once_and_for_this_user_alone) {
  EXPECT_FALSE(signing_key::load().value()) << "loading makes nothing";
  EXPECT_FALSE(fs::exists(home / "cohort"));
  const auto made = signing_key::load_or_make().value();
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(info.st_size, 32);
  ASSERT_EQ(::stat(file().parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  EXPECT_EQ(made.sign("x"), signing_key::load_or_make().value().sign("x"));
  EXPECT_EQ(made.sign("x"), signing_key::load().value().value().sign("x"));
}

TEST_F(signing_key_test, is_one_key_when_many_make_the_first) {
  std::vector<digest> signatures(8);
  std::vector<std::thread> threads;
  for (auto& signature : signatures)
    threads.emplace_back([&signature] { signature = signing_key::load_or_make().value().sign("x"); });
  for (auto& thread : threads) thread.join();
  for (const auto& signature : signatures) EXPECT_EQ(signature, signatures.front());
  EXPECT_EQ(std::distance(fs::directory_iterator{home / "cohort"}, fs::directory_iterator{}), 1);
}

TEST_F(signing_key_test, purposes_and_names_have_keys_of_their_own) {
  const auto key = signing_key::load_or_make().value();
  EXPECT_NE(key.for_purpose("ledger", "a").sign("x"), key.for_purpose("ledger", "b").sign("x"));
  EXPECT_NE(key.for_purpose("ledger", "a").sign("x"), key.for_purpose("cache", "a").sign("x"));
  EXPECT_NE(key.for_purpose("ab", "c").sign("x"), key.for_purpose("a", "bc").sign("x"));
  EXPECT_EQ(key.for_purpose("ledger", "a").sign("x"), key.for_purpose("ledger", "a").sign("x"));
}

TEST_F(signing_key_test, a_key_that_others_may_read_is_refused) {
  ASSERT_TRUE(signing_key::load_or_make());
  for (const mode_t mode : {0640, 0604, 0660}) {
    ::chmod(file().c_str(), mode);
    EXPECT_EQ(signing_key::load_or_make().error().code, ec::permission_denied);
    EXPECT_NE(signing_key::load().error().message.find("chmod 600"), std::string::npos);
  }
  ::chmod(file().c_str(), 0600);
  EXPECT_TRUE(signing_key::load_or_make());
  ::chmod(file().parent_path().c_str(), 0777);
  EXPECT_EQ(signing_key::load_or_make().error().code, ec::permission_denied);
}

TEST_F(signing_key_test, a_damaged_key_is_never_replaced) {
  ASSERT_TRUE(signing_key::load_or_make());
  std::ofstream{file(), std::ios::trunc} << "short";
  EXPECT_EQ(signing_key::load_or_make().error().code, ec::config_invalid);
  EXPECT_EQ(fs::file_size(file()), 5u);
}

TEST_F(signing_key_test, a_link_in_the_place_of_the_key_is_refused) {
  ASSERT_TRUE(signing_key::load_or_make());
  fs::rename(file(), home / "elsewhere");
  fs::create_symlink(home / "elsewhere", file());
  EXPECT_EQ(signing_key::load_or_make().error().code, ec::permission_denied);
}

}  // namespace
}  // namespace cohort::inline base
