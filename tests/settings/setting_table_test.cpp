// The table of settings: it agrees with the ledger, with what the program comes with, and with itself.

#include "settings/setting_table.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort::settings {
namespace {

using testing::HasSubstr;

run_settings with(const std::string& name, const std::string& value) {
  run_settings settings;
  EXPECT_TRUE(apply({{name, value}}, settings)) << name;
  return settings;
}

std::string refusal(const std::string& name, const std::string& value) {
  run_settings settings;
  const auto applied = apply({{name, value}}, settings);
  if (applied) return {};
  EXPECT_EQ(applied.error().code, ec::usage);
  return applied.error().message;
}

TEST(setting_table, each_setting_has_names_of_its_own_and_says_what_it_is) {
  std::set<std::string_view> seen;
  for (const auto& row : setting_table()) {
    for (const auto name : {row.name, row.option}) EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_FALSE(row.column.empty()) << row.name;
    EXPECT_THAT(std::string{long_option(row)}, testing::StartsWith("--"));
    EXPECT_EQ(find_setting(row.name), &row);
  }
  EXPECT_EQ(find_setting("provider"), nullptr);
}

TEST(setting_table, a_value_that_is_written_is_read_again) {
  for (const auto& [name, value] : setting_values{{"batch_size", "7"},
                                                  {"parallel_batches", "auto"},
                                                  {"model", "haiku"},
                                                  {"fallback_model", "auto"},
                                                  {"effort", "high"},
                                                  {"timeout_seconds", "60"},
                                                  {"cost_limit", "0.25"},
                                                  {"budget", "none"},
                                                  {"on_limit", "warn"}})
    EXPECT_EQ(value_of(*find_setting(name), with(name, value)), name == "cost_limit" ? "$0.25" : value) << name;
}

TEST(setting_table, none_takes_a_setting_away) {
  auto settings = with("budget", "5");
  settings.effort = "low";
  settings.fallback = "haiku";
  ASSERT_TRUE(apply({{"budget", "none"}, {"effort", "none"}, {"fallback_model", "none"}}, settings));
  EXPECT_FALSE(settings.budget);
  EXPECT_EQ(settings.effort, "");
  EXPECT_EQ(settings.fallback, "");
}

TEST(setting_table, refuses_what_makes_no_sense_and_names_the_option) {
  EXPECT_EQ(refusal("batch_size", "51"), "--batch-size: '51' is neither 'auto' nor a number from 1 to 50");
  EXPECT_EQ(refusal("parallel_batches", "0"), "--parallel-batches: '0' is neither 'auto' nor a number from 1 to 1000");
  EXPECT_EQ(refusal("budget", "0"), "--budget: a limit of nothing lets no task run");
  EXPECT_THAT(refusal("cost_limit", "much"), HasSubstr("--cost-limit: "));
  EXPECT_EQ(refusal("fallback_model", ""), "--fallback-model: name a model, auto or none");
  EXPECT_THAT(refusal("on_limit", "never"), HasSubstr("stop, next, warn"));
  EXPECT_THAT(refusal("timeout_seconds", "604801"), HasSubstr("--timeout"));
  EXPECT_THAT(refusal("no_such", "1"), HasSubstr("no_such"));
}

TEST(setting_table, only_the_command_line_can_ask_for_no_workers) {
  EXPECT_EQ(with("concurrent", "0").concurrent, 0u);
  EXPECT_EQ(find_setting("concurrent")->least, 1u);
}

TEST(setting_table, another_plan_is_asked_for_by_what_changes_the_tasks_alone) {
  const std::map<std::string, std::string> others{
      {"batch_size", "7"},       {"min_complexity", "1"},    {"output_directory", "t"},
      {"effort", "low"},         {"concurrent", "9"},        {"timeout_seconds", "1"},
      {"budget", "1"},           {"cost_limit", "1"},        {"on_limit", "next"},
      {"parallel_batches", "4"}, {"fallback_model", "auto"}, {"model", "opus"}};
  std::set<std::string> replan;
  for (const auto& row : setting_table()) {
    const std::string name{row.name};
    ASSERT_TRUE(others.contains(name)) << name;
    if (asks_for_another_plan(with(name, others.at(name)), run_settings{})) replan.insert(name);
  }
  EXPECT_THAT(replan, testing::ElementsAre("batch_size", "effort", "min_complexity", "output_directory"));
}

TEST(setting_table, says_what_the_program_comes_with) {
  const auto text = read_file(std::filesystem::path{COHORT_SOURCE_DIR} / "config" / "defaults.json", 1U << 20);
  const auto listed = nlohmann::json::parse(text.value())["run"]["settings"];
  for (const auto& row : setting_table()) {
    const auto found = listed.find(std::string{row.name});
    const auto value = found == listed.end() ? "" : found->is_string() ? found->get<std::string>() : found->dump();
    EXPECT_EQ(value, row.standard) << row.name;
    if (row.name != "output_directory" && !row.standard.empty()) {
      EXPECT_EQ(value_of(row, run_settings{}), row.standard) << row.name;
    }
  }
}

TEST(setting_table, a_users_file_cannot_say_where_files_are_written) {
  for (const auto& row : setting_table()) EXPECT_EQ(row.in_users_file, row.name != "output_directory") << row.name;
}

/// The ledger's columns, its bounds and its schema are read as text: the rooms do not know each other.
TEST(setting_table, names_a_column_of_the_ledger_for_each) {
  const auto schema =
      read_file(std::filesystem::path{COHORT_SOURCE_DIR} / "state" / "ledger" / "schema.cpp", 1U << 20).value();
  const auto begin = schema.find("CREATE TABLE run(");
  const auto table = schema.substr(begin, schema.find("STRICT", begin) - begin);
  for (const auto& row : setting_table())
    EXPECT_THAT(table, HasSubstr("\n  " + std::string{row.column} + " ")) << row.name;
}

/// Each option has a row in a table of the page, whose second column is the default; each key is named for files.
TEST(setting_table, is_what_the_documentation_describes) {
  const auto page = read_file(std::filesystem::path{COHORT_SOURCE_DIR} / "docs" / "commands.md", 1U << 20).value();
  for (const auto& row : setting_table()) {
    EXPECT_THAT(page, HasSubstr("`" + std::string{row.name} + "`")) << row.name;
    const auto option = page.find(std::string{long_option(row)} + " ");
    ASSERT_NE(option, std::string::npos) << row.name;
    const auto begin = page.rfind('\n', option) + 1;
    const auto line = page.substr(begin, page.find('\n', option) - begin);
    EXPECT_EQ(line.substr(0, 3), "| `") << row.name;
    const auto second = line.find(" | ") + 3;
    const auto column = line.substr(second, line.find(" | ", second) - second);
    if (!row.standard.empty()) {
      EXPECT_THAT(column, testing::AnyOf(std::string{row.standard}, "`" + std::string{row.standard} + "`")) << line;
    }
  }
}

}  // namespace
}  // namespace cohort::settings
