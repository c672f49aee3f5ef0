// A folder of its own for each test, and tasks, answers and attempts to fill a ledger with.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

namespace fs = std::filesystem;
using mode = ledger::access;

inline constexpr int64_t cent = 10'000'000;  ///< In nano-dollars.

inline task_spec task_named(const std::string& name, size_t prompt_bytes = 300) {
  task_spec spec;
  spec.id = task_id_from(sha256(name));
  spec.label = spec.source = name;
  spec.source_digest = sha256("content of " + name);
  spec.target = "test_" + name;
  spec.complexity = 6;
  spec.request = {.model = "claude-sonnet-4-5",
                  .shared_prefix = "You write tests.",
                  .prompt = {},
                  .max_tokens = 4096,
                  .cache = cache_mode::five_minutes,
                  .effort = "low"};
  for (size_t i = 0; spec.request.prompt.size() < prompt_bytes; ++i)
    spec.request.prompt += name + std::to_string(i * 7919) + "\n";
  spec.estimate = {100, 200, {cent}, {2 * cent}, {5 * cent}};
  spec.traits = {{"language", "python"}, {"odd", std::string{"\0:\xff", 3}}};
  return spec;
}

inline intent intent_for(const std::string& name, uint32_t attempt, int64_t reserved = 5 * cent) {
  return {.task = task_named(name, 0).id,
          .attempt = attempt,
          .lease = 7,
          .reserved = {reserved},
          .model = "claude-sonnet-4-5",
          .holder = {},
          .kind = attempt == 1 ? attempt_kind::asked : attempt_kind::asked_again,
          .max_tokens = 4000,
          .prompt = {}};
}

inline attempt_done answer_for(const std::string& name, uint32_t attempt, const std::string& text = "def test(): pass",
                               int64_t cost = cent) {
  attempt_done x;
  x.task = task_named(name, 0).id;
  x.attempt = attempt;
  x.lease = 7;
  x.answer = {.request_id = "req_" + std::to_string(attempt),
              .model = "claude-sonnet-4-5-20250929",
              .stop = stop_reason::end_turn,
              .text = text,
              .usage = {.input_tokens = 10,
                        .cache_write_5m_tokens = 1,
                        .cache_write_1h_tokens = 2,
                        .cache_read_tokens = 3,
                        .output_tokens = 20,
                        .tier = service_tier::priority,
                        .us_inference = true}};
  x.cost = {cost};
  return x;
}

inline attempt_failed failure_for(const std::string& name, uint32_t attempt, billing billed, ec code = ec::timeout) {
  attempt_failed x{.task = task_named(name, 0).id, .attempt = attempt, .lease = 7, .failure = {}};
  x.failure.code = code;
  x.failure.message = "no answer";
  x.failure.billed = billed;
  return x;
}

inline delivery delivery_of(const std::string& name, const fs::path& path, const std::string& content = "file") {
  return {.task = task_named(name, 0).id, .path = path.string(), .content = sha256(content), .conflict_copy = false};
}

/// Throws if `outcome` is an error, so that a test ends there.
inline void must(const expected<void>& outcome) {
  if (!outcome) throw std::runtime_error{outcome.error().message};
}
inline void must(const expected<bool>& outcome) {
  if (!outcome) throw std::runtime_error{outcome.error().message};
}

struct state_test : ::testing::Test {
  fs::path root = fs::canonical(fs::temp_directory_path()) / ("cohort-state-" + random_hex(6));
  fs::path project = root / "project";
  state::workspace workspace{project};

  state_test() {
    ::setenv("XDG_STATE_HOME", (root / "user").c_str(), 1);
    fs::create_directories(project / ".claude-testing");
  }
  ~state_test() override { fs::remove_all(root); }

  ledger open(mode how = mode::read_write) {
    auto ledger = ledger::open(workspace.ledger_file(), project, how);
    if (!ledger) throw std::runtime_error{ledger.error().message};
    return std::move(*ledger);
  }
  ec open_error(mode how = mode::read_write) {
    const auto ledger = ledger::open(workspace.ledger_file(), project, how);
    return ledger ? ec::none : ledger.error().code;
  }
  static int64_t plan(ledger& ledger, const std::vector<std::string>& names, uint32_t batch_size = 2,
                      size_t prompt_bytes = 300) {
    run_settings settings;
    settings.output_directory = ".claude-testing/tests";
    const auto run = ledger.begin_plan(settings, "claude-sonnet-4-5").value();
    std::vector<uint32_t> batch_of;
    for (const auto& name : names) {
      must(ledger.add_task(task_named(name, prompt_bytes)));
      batch_of.push_back(static_cast<uint32_t>(batch_of.size()) / batch_size);
    }
    must(ledger.commit_plan(batch_of));
    return run;
  }
  template <class... Entries>
  static void store(ledger& ledger, int64_t run, const Entries&... entries) {
    must(ledger.begin());
    (must(ledger.record(run, entries)), ...);
    must(ledger.commit());
  }
  static run_record newest(const ledger& ledger) { return ledger.newest_run().value().value(); }

  /// Every file below `folder` with its content and time of change.
  static std::map<std::string, std::pair<std::string, fs::file_time_type>> snapshot(const fs::path& folder) {
    std::map<std::string, std::pair<std::string, fs::file_time_type>> files;
    files["."] = {"", fs::last_write_time(folder)};
    for (const auto& entry : fs::recursive_directory_iterator{folder})
      files[entry.path().string()] = {entry.is_regular_file() ? read_file(entry.path()).value() : "",
                                      entry.last_write_time()};
    return files;
  }
  static void overwrite(const fs::path& file, const std::string& content) {
    std::ofstream{file, std::ios::binary | std::ios::trunc}.write(content.data(),
                                                                  static_cast<std::streamsize>(content.size()));
  }
};

/// Runs `body` in a child process. `body` ends with `_exit`, so that nothing is cleaned up, as after kill -9.
template <class Body>
int in_killed_child(Body&& body) {
  const auto child = ::fork();
  if (child == 0) {
    try {
      body();
    } catch (...) {
      ::_exit(98);
    }
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace cohort::state
