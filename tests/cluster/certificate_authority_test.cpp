#include "cluster/certificate_authority.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cluster/address.hpp"
#include "cluster/credentials.hpp"
#include "fixture.hpp"

namespace cohort::cluster {
namespace {

namespace fs = std::filesystem;

struct authority : folder_fixture {
  fs::path cluster = root / "cluster";
  std::string problem_of(cluster_side side, const std::string& name = {}) const {
    return problem_in(cluster, side, name);
  }
  static std::string problem_in(const fs::path& folder, cluster_side side, const std::string& name = {}) {
    const auto loaded = cluster_credentials::load(folder, side, name);
    return loaded ? std::string{} : loaded.error().message;
  }
};

TEST_F(authority, makes_certificates_that_both_sides_accept) {
  const auto made = found_cluster(cluster, {"alpha", "beta"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->nodes, (std::vector<std::string>{"alpha", "beta"}));
  EXPECT_EQ(problem_of(cluster_side::coordinator), "");
  EXPECT_EQ(problem_of(cluster_side::node, "beta"), "");
}

TEST_F(authority, keeps_keys_from_others) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha"}));
  for (const auto* name : {"ca.key", "coordinator.key", "alpha.key"}) {
    struct stat info {};
    ASSERT_EQ(::stat((cluster / name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
  fs::permissions(cluster / "alpha.key", fs::perms::group_read, fs::perm_options::add);
  EXPECT_NE(problem_of(cluster_side::node).find("chmod 600"), std::string::npos);
}

TEST_F(authority, refuses_to_replace_a_cluster) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha"}));
  const auto again = found_cluster(cluster, {"alpha"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::usage);
}

TEST_F(authority, adds_nodes_that_fit_what_was_there) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha"}));
  ASSERT_TRUE(add_nodes(cluster, {"beta"}));
  EXPECT_EQ(problem_in(copy_for(cluster, "beta"), cluster_side::node), "");
  EXPECT_EQ(add_nodes(cluster, {"beta"}).error().code, ec::usage);
  EXPECT_EQ(add_nodes(cluster, {"../beta"}).error().code, ec::usage);
  EXPECT_EQ(add_nodes(cluster, {"coordinator"}).error().code, ec::usage);
}

TEST_F(authority, a_revoked_certificate_fits_no_more) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha", "beta"}));
  const auto old = copy_for(cluster, "beta");
  const auto left = revoke_nodes(cluster, {"beta"});
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(left->nodes, (std::vector<std::string>{"alpha"}));
  EXPECT_EQ(problem_of(cluster_side::node, "alpha"), "");
  fs::copy_file(cluster / "ca.crt", old / "ca.crt", fs::copy_options::overwrite_existing);
  EXPECT_NE(problem_in(old, cluster_side::node).find("does not fit the authority"), std::string::npos);
  EXPECT_EQ(revoke_nodes(cluster, {"gamma"}).error().code, ec::usage);
}

TEST_F(authority, a_nodes_certificate_cannot_play_the_coordinator) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha"}));
  for (const auto* kind : {".crt", ".key"})
    fs::copy_file(cluster / (std::string{"alpha"} + kind), cluster / (std::string{"coordinator"} + kind),
                  fs::copy_options::overwrite_existing);
  EXPECT_NE(problem_of(cluster_side::coordinator).find("was not made for a coordinator"), std::string::npos);
}

TEST_F(authority, says_which_certificate_it_takes) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha", "beta"}));
  EXPECT_NE(problem_of(cluster_side::node, "gamma").find("alpha, beta"), std::string::npos);
  EXPECT_EQ(problem_in(copy_for(cluster, "beta"), cluster_side::node, "gamma"), "");
  EXPECT_NE(problem_in(root / "nothing", cluster_side::node).find("cluster init"), std::string::npos);
}

TEST_F(authority, holds_its_credentials_when_the_files_are_gone) {
  ASSERT_TRUE(found_cluster(cluster, {"alpha"}));
  const auto own = cluster_credentials::load(cluster, cluster_side::node);
  ASSERT_TRUE(own);
  fs::remove_all(cluster);
  std::ifstream key{own->key_path()};
  std::string first;
  EXPECT_TRUE(std::getline(key, first));
  EXPECT_NE(first.find("BEGIN"), std::string::npos);
}

TEST(address, is_read_in_every_form) {
  EXPECT_EQ(parse_address("host:4242")->port, 4242);
  EXPECT_EQ(parse_address("[::1]:1")->host, "::1");
  EXPECT_EQ(to_string(*parse_address("[::1]:1")), "[::1]:1");
  for (const auto* wrong : {"host", "host:", ":1", "host:65536", "::1:4242", "[]:1", "host:12a"})
    EXPECT_FALSE(parse_address(wrong)) << wrong;
}

/// Sets a mode for the time of a test.
void allow(const std::filesystem::path& path, unsigned mode) {
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
}

TEST_F(authority, is_not_founded_where_others_may_write) {
  for (const unsigned mode : {0777U, 0775U, 0757U, 01777U}) {
    const auto open = root / "open";
    std::filesystem::create_directories(open);
    allow(open, mode);
    const auto refused = found_cluster(open, {"node"});
    ASSERT_FALSE(refused) << mode;
    EXPECT_EQ(refused.error().code, ec::permission_denied);
    EXPECT_NE(refused.error().message.find("chmod go-w " + open.string()), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(open / "ca.crt"));
  }
}

TEST_F(authority, is_not_founded_below_a_folder_that_anybody_may_write_unless_it_is_sticky) {
  const auto open = root / "open";
  std::filesystem::create_directories(open);
  allow(open, 0777);
  const auto refused = found_cluster(open / "deep" / "cluster", {"node"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("chmod o-w " + open.string()), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(open / "deep"));
  allow(open, 01777);
  EXPECT_TRUE(found_cluster(open / "deep" / "cluster", {"node"}));
}

TEST_F(authority, certificates_that_others_may_replace_are_of_no_use) {
  ASSERT_TRUE(found_cluster(cluster, {"node"}));
  const auto copy = copy_for(cluster, "node");
  const auto load = [&] { return cluster_credentials::load(copy, cluster_side::node, "node"); };
  ASSERT_TRUE(load()) << load().error().message;
  allow(copy, 0770);
  EXPECT_NE(load().error().message.find("chmod go-w " + copy.string()), std::string::npos);
  allow(copy, 0755);
  for (const auto* file : {"ca.crt", "node.crt", "node.key"}) {
    allow(copy / file, 0602);
    ASSERT_FALSE(load()) << file;
    EXPECT_EQ(load().error().code, ec::permission_denied);
    EXPECT_NE(load().error().message.find((copy / file).string()), std::string::npos);
    EXPECT_NE(load().error().message.find("chmod"), std::string::npos);
    allow(copy / file, 0600);
  }
  EXPECT_TRUE(load());
  allow(cluster, 0777);
  EXPECT_FALSE(add_nodes(cluster, {"beta"}));
  EXPECT_FALSE(revoke_nodes(cluster, {"node"}));
  EXPECT_FALSE(cluster_credentials::load(cluster, cluster_side::coordinator));
}

TEST_F(authority, what_it_writes_is_its_users_alone_whatever_the_umask_is) {
  const auto before = ::umask(0);
  ASSERT_TRUE(found_cluster(root / "a" / "cluster", {"node"}));
  ::umask(before);
  namespace fs = std::filesystem;
  for (const auto& folder : {root / "a", root / "a" / "cluster"})
    EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all) << folder;
  for (const auto& entry : fs::directory_iterator{root / "a" / "cluster"})
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << entry.path();
}

}  // namespace
}  // namespace cohort::cluster
