// Files of settings: templates and the user's own.

#include "settings/layers.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/files.hpp"

namespace cohort::settings {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class layers_test : public testing::Test {
 protected:
  ~layers_test() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(make_directories(folder_));
    EXPECT_TRUE(replace_file(folder_ / name, text, durability::later));
    return folder_ / name;
  }

  fs::path folder_ = fs::temp_directory_path() / ("cohort-layers-" + random_hex(16));
};

TEST_F(layers_test, a_users_file_that_is_not_there_says_nothing) {
  EXPECT_TRUE(load_users_file(folder_ / "config.json").value().empty());
}

TEST_F(layers_test, reads_the_users_settings) {
  const auto file = write("config.json", R"({"comment": "mine", "model": "haiku", "concurrent": 12, "budget": "2.50",
                                            "batch_size": "auto", "effort": "none"})");
  const auto values = load_users_file(file);
  ASSERT_TRUE(values) << values.error().message;
  run_settings settings;
  settings.effort = "high";
  ASSERT_TRUE(apply(*values, settings));
  EXPECT_EQ(settings.model, "haiku");
  EXPECT_EQ(settings.concurrent, 12u);
  EXPECT_EQ(settings.batch_size, 0u);
  EXPECT_EQ(settings.budget->count, 2'500'000'000);
  EXPECT_EQ(settings.effort, "");
}

TEST_F(layers_test, refuses_keys_that_are_none_and_values_that_make_no_sense) {
  const auto refused = [&](const std::string& text) {
    const auto values = load_users_file(write("config.json", text));
    if (values) return std::string{};
    EXPECT_EQ(values.error().code, ec::config_invalid);
    EXPECT_THAT(values.error().message, HasSubstr("config.json"));
    return values.error().message;
  };
  EXPECT_THAT(refused(R"({"modell": "haiku"})"), HasSubstr("\"modell\" is not known; known are min_complexity, model"));
  EXPECT_THAT(refused(R"({"concurrent": 0})"), HasSubstr("\"concurrent\" must be a whole number from 1 to 10000"));
  EXPECT_THAT(refused(R"({"batch_size": "7"})"), HasSubstr("must be \"auto\" or a whole number from 1 to 50"));
  EXPECT_THAT(refused(R"({"batch_size": 51})"), HasSubstr("must be \"auto\" or a whole number from 1 to 50"));
  EXPECT_THAT(refused(R"({"effort": "extreme"})"), HasSubstr("one of low, medium, high, none"));
  EXPECT_THAT(refused(R"({"budget": 2})"), HasSubstr("\"2.00\""));
  EXPECT_THAT(refused(R"({"budget": "0"})"), HasSubstr("\"2.00\""));
  EXPECT_THAT(refused(R"({"model": ""})"), HasSubstr("not empty"));
  EXPECT_THAT(refused("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(refused("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused(R"({"description": "of a template"})"), HasSubstr("not known"));
}

TEST_F(layers_test, a_users_file_has_no_key_for_folders_and_programs) {
  for (const auto* key : {"output_directory", "provider", "program", "command", "base_url"})
    EXPECT_EQ(load_users_file(write("config.json", fmt::format(R"({{"{}": "x"}})", key))).error().code,
              ec::config_invalid)
        << key;
}

TEST_F(layers_test, a_folder_in_the_files_place_is_refused) {
  EXPECT_TRUE(make_directories(folder_ / "config.json"));
  EXPECT_EQ(load_users_file(folder_ / "config.json").error().code, ec::config_invalid);
}

TEST_F(layers_test, templates_are_found_by_name_and_listed_where_there_is_none) {
  write("small.json", R"({"description": "few", "concurrent": 2, "output_directory": "t"})");
  write("large.json", R"({"concurrent": 20})");
  EXPECT_EQ(load_template(folder_, "small")->at("concurrent"), "2");
  EXPECT_EQ(load_template(folder_, "small")->at("output_directory"), "t");
  for (const auto* name : {"huge", "", "..", "../small", "a/b"}) {
    const auto missing = load_template(folder_, name);
    ASSERT_FALSE(missing) << name;
    EXPECT_EQ(missing.error().code, ec::usage);
    EXPECT_THAT(missing.error().message, HasSubstr("large, small"));
  }
}

/// Sets variables of this process, and puts them back.
class environment {
 public:
  environment(const char* config, const char* home) : config_(kept("XDG_CONFIG_HOME")), home_(kept("HOME")) {
    set("XDG_CONFIG_HOME", config);
    set("HOME", home);
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() {
    set("XDG_CONFIG_HOME", config_ ? config_->c_str() : nullptr);
    set("HOME", home_ ? home_->c_str() : nullptr);
  }

 private:
  static std::optional<std::string> kept(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
  }
  static void set(const char* name, const char* value) {
    if (value == nullptr)
      ::unsetenv(name);
    else
      ::setenv(name, value, 1);
  }
  std::optional<std::string> config_;
  std::optional<std::string> home_;
};

std::string file_with(const char* config, const char* home) {
  const environment changed{config, home};
  const auto file = users_file();
  return file ? file->string() : "none";
}

TEST(users_file, lies_where_the_desktop_says_or_in_the_home_folder) {
  EXPECT_EQ(file_with("/etc/mine", "/home/me"), "/etc/mine/cohort/config.json");
  EXPECT_EQ(file_with(nullptr, "/home/me"), "/home/me/.config/cohort/config.json");
  EXPECT_EQ(file_with("", "/home/me"), "/home/me/.config/cohort/config.json");
  EXPECT_EQ(file_with("relative", "/home/me"), "/home/me/.config/cohort/config.json");
  EXPECT_EQ(file_with(nullptr, nullptr), "none");
}

}  // namespace
}  // namespace cohort::settings
