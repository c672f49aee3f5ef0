#include "base/folder.hpp"

#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/digest.hpp"

namespace cohort::inline base {
namespace {

namespace fs = std::filesystem;

constexpr auto always = [](const std::string&) { return true; };

struct folder_test : ::testing::Test {
  fs::path root = fs::temp_directory_path() / ("cohort-folder-" + random_hex(6));
  fs::path outside = root / "outside";
  folder_test() {
    fs::create_directories(root / "inside/sub");
    fs::create_directories(outside);
    std::ofstream{outside / "file"} << "untouched";
  }
  ~folder_test() override {
    ::umask(022);
    fs::remove_all(root);
  }
  folder inside() const { return folder::open(root / "inside").value(); }
  std::string untouched() const { return read_file(outside / "file").value(); }
  static unsigned mode_of(const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
  }
};

TEST_F(folder_test, refuses_names_that_lead_out) {
  const std::string nul{"a\0b", 3};
  for (const fs::path name :
       {fs::path{}, fs::path{"/etc/x"}, fs::path{".."}, fs::path{"../x"}, fs::path{"a/../../x"}, fs::path{"a/.."},
        fs::path{"."}, fs::path{"./x"}, fs::path{"a//x"}, fs::path{"a/"}, fs::path{nul}}) {
    EXPECT_EQ(inside().replace(name, "x", durability::later).error().code, ec::permission_denied) << name;
    EXPECT_EQ(inside().replace_if(name, "x", durability::later, access::usual, always).error().code,
              ec::permission_denied);
    EXPECT_EQ(inside().read(name).error().code, ec::permission_denied);
    EXPECT_EQ(inside().make_sub(name).error().code, ec::permission_denied);
    EXPECT_EQ(inside().remove(name).error().code, ec::permission_denied);
    EXPECT_EQ(inside().open_file(name, O_RDONLY).error().code, ec::permission_denied);
    EXPECT_EQ(inside().kind_of(name), file_kind::missing);
  }
}

TEST_F(folder_test, follows_no_link_on_the_way) {
  fs::create_directory_symlink(outside, root / "inside/link");
  fs::create_directory_symlink("../../outside", root / "inside/sub/link");
  for (const auto* name : {"link/file", "sub/link/file", "link/new/file", "sub/link/new"}) {
    EXPECT_EQ(inside().replace(name, "x", durability::later).error().code, ec::permission_denied) << name;
    EXPECT_EQ(inside().replace_if(name, "x", durability::later, access::usual, always).error().code,
              ec::permission_denied);
    EXPECT_EQ(inside().read(name).error().code, ec::permission_denied);
    EXPECT_FALSE(inside().remove(name));
    EXPECT_FALSE(inside().move(name, "moved"));
    EXPECT_FALSE(inside().open_file(name, O_WRONLY | O_CREAT));
  }
  EXPECT_FALSE(inside().sub("link"));
  EXPECT_FALSE(inside().make_sub("sub/link/deeper"));
  EXPECT_EQ(untouched(), "untouched");
  EXPECT_EQ(std::distance(fs::directory_iterator{outside}, fs::directory_iterator{}), 1);
}

TEST_F(folder_test, a_link_in_the_place_of_a_file_is_neither_read_nor_written_through) {
  fs::create_symlink(outside / "file", root / "inside/link");
  EXPECT_EQ(inside().read("link").error().code, ec::permission_denied);
  EXPECT_EQ(inside().open_file("link", O_WRONLY | O_CREAT | O_APPEND).error().code, ec::permission_denied);
  EXPECT_FALSE(inside().replace_if("link", "x", durability::later, access::usual, always).value());
  ASSERT_TRUE(inside().replace("link", "new", durability::now)) << "the link itself is replaced";
  EXPECT_EQ(inside().kind_of("link"), file_kind::regular);
  EXPECT_EQ(untouched(), "untouched");
}

TEST_F(folder_test, creates_what_is_missing_on_the_way) {
  ASSERT_TRUE(inside().replace("a/b/c.txt", "text", durability::now));
  EXPECT_EQ(inside().read("a/b/c.txt").value(), "text");
  ASSERT_TRUE(inside().move("a/b/c.txt", "d/e"));
  EXPECT_EQ(inside().sub("d").value().names(), std::vector<std::string>{"e"});
  ASSERT_TRUE(inside().remove("d/e"));
  ASSERT_TRUE(inside().remove("d/e")) << "nothing to remove is fine";
  EXPECT_EQ(inside().sub("missing").error().code, ec::not_found);
}

TEST_F(folder_test, what_is_for_this_user_alone_is_so_under_any_umask) {
  for (const mode_t mask : {0000, 0022, 0077}) {
    ::umask(mask);
    const auto name = "private-" + std::to_string(mask);
    ASSERT_TRUE(inside().replace(name + "/file", "x", durability::later, access::own));
    EXPECT_EQ(mode_of(root / "inside" / name), 0700U);
    EXPECT_EQ(mode_of(root / "inside" / name / "file"), 0600U);
    ASSERT_TRUE(folder::make(root / name, access::own));
    EXPECT_EQ(mode_of(root / name), 0700U);
  }
}

TEST_F(folder_test, does_not_hang_on_a_pipe) {
  ASSERT_EQ(::mkfifo((root / "inside/pipe").c_str(), 0600), 0);
  EXPECT_EQ(inside().read("pipe").error().code, ec::io);
  EXPECT_FALSE(inside().replace_if("pipe", "x", durability::later, access::usual, always).value());
  EXPECT_EQ(inside().kind_of("pipe"), file_kind::other);
}

}  // namespace
}  // namespace cohort::inline base
