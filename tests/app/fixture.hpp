// A project in a folder of its own, with a copy of config/, a ledger, and notices that are collected.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/notices.hpp"
#include "app/plan_builder.hpp"
#include "app/project_context.hpp"
#include "app/resolve_run.hpp"
#include "base/digest.hpp"
#include "base/files.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::app {

namespace fs = std::filesystem;

inline constexpr int64_t one_cent = 10'000'000;  ///< In nano-dollars.
inline constexpr const char* sonnet_id = "claude-sonnet-5-5";

class collected_notices final : public notices {
 public:
  void tell(notice_kind kind, std::string_view text) override { said.emplace_back(kind, text); }
  void tell_lines(notice_kind kind, std::string_view text) override { said.emplace_back(kind, text); }
  void planned(const plan_outline&) override { ++plans; }
  void reading(size_t, size_t) override {}
  void hurry() noexcept override {}

  /// All that was said, a line each.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& [_, line] : said) all += line + "\n";
    return all;
  }

  std::vector<std::pair<notice_kind, std::string>> said;
  int plans = 0;
};

class app_test : public ::testing::Test {
 protected:
  app_test() {
    fs::create_directories(project / ".claude-testing");
    fs::copy(fs::path{COHORT_SOURCE_DIR} / "config", config, fs::copy_options::recursive);
    ::setenv("XDG_STATE_HOME", (root / "state").c_str(), 1);
    ::setenv("XDG_CONFIG_HOME", (root / "mine").c_str(), 1);
    ::setenv("COHORT_CONFIG_DIR", config.c_str(), 1);
    request.project = project;
  }
  ~app_test() override {
    ::unsetenv("COHORT_CONFIG_DIR");
    ::unsetenv("XDG_CONFIG_HOME");
    fs::remove_all(root);
  }

  static void write(const fs::path& file, const std::string& text) {
    ASSERT_TRUE(make_directories(file.parent_path()));
    ASSERT_TRUE(replace_file(file, text, durability::later)) << file;
  }
  void write_users_file(const std::string& text) const { write(root / "mine" / "cohort" / "config.json", text); }
  /// Python modules with a gap each.
  void write_modules(int count) const {
    write(project / "pyproject.toml", "[project]\nname = \"p\"\nversion = \"1\"\n[tool.pytest.ini_options]\n");
    for (int i = 0; i < count; ++i)
      write(project / fmt::format("unit_{:03}.py", i),
            fmt::format("def rate_{0}(x):\n    if x > {0}:\n        return x\n    return {0}\n", i));
  }
  void replace_in_models(const std::string& from, const std::string& to) const {
    auto text = read_file(config / "models.json").value();
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    write(config / "models.json", text);
  }

  [[nodiscard]] project_context context() const { return make_context(request).value(); }
  [[nodiscard]] state::ledger open_ledger() const {
    return std::move(state::ledger::open(project / ".claude-testing" / "ledger.db", workspace.project,
                                         state::ledger::access::read_write)
                         .value());
  }
  [[nodiscard]] static task_spec task_named(const std::string& name, int64_t worst = 5 * one_cent) {
    task_spec spec;
    spec.id = task_id_from(sha256(name));
    spec.label = spec.source = name;
    spec.source_digest = sha256("content of " + name);
    spec.target = "test_" + name;
    spec.complexity = 6;
    spec.request.model = sonnet_id;
    spec.request.shared_prefix = "You write tests.";
    spec.request.prompt = "Write a test of " + name;
    spec.request.max_tokens = 4096;
    spec.estimate = {100, 200, {one_cent}, {2 * one_cent}, {worst}};
    spec.traits = {{"language", "python"}};
    return spec;
  }
  /// A run whose tasks stand two in a batch. Unfinished.
  static run_record plan(state::ledger& ledger, const run_settings& settings, const std::vector<task_spec>& tasks) {
    EXPECT_TRUE(ledger.begin_plan(settings, sonnet_id));
    std::vector<uint32_t> batch_of;
    for (const auto& task : tasks) {
      EXPECT_TRUE(ledger.add_task(task));
      batch_of.push_back(static_cast<uint32_t>(batch_of.size()) / 2);
    }
    EXPECT_TRUE(ledger.commit_plan(batch_of));
    return ledger.newest_run().value().value();
  }
  [[nodiscard]] static intent intent_for(const std::string& task, int64_t reserved) {
    intent x;
    x.task = task_named(task).id;
    x.attempt = 1;
    x.lease = 1;
    x.reserved = {reserved};
    x.model = sonnet_id;
    x.max_tokens = 4096;
    return x;
  }
  template <class... Entries>
  static void store(state::ledger& ledger, int64_t run, const Entries&... entries) {
    EXPECT_TRUE(ledger.begin());
    const std::vector<bool> recorded{ledger.record(run, entries).has_value()...};
    EXPECT_THAT(recorded, testing::Each(true));
    EXPECT_TRUE(ledger.commit());
  }
  static void end(state::ledger& ledger, const run_record& run, run_status status) {
    EXPECT_TRUE(ledger.update_run(run.id, run.settings, status));
  }
  /// Settings as the program comes with them.
  [[nodiscard]] run_settings usual() const { return context().defaults.settings; }

  fs::path root = fs::canonical(fs::temp_directory_path()) / ("cohort-app-" + random_hex(12));
  fs::path project = root / "shop";
  fs::path config = root / "config";
  state::workspace workspace{project};
  run_request request;
  collected_notices out;
};

}  // namespace cohort::app
