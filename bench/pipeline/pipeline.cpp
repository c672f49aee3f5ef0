// The whole engine with everything on - ledger, cost monitor, files, test craft - over N tasks against the simulator
// in a process of its own, beside a bare libcurl loop and, if wished, the official SDK against the same server in the
// same run.

#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "actors/run/run_system.hpp"
#include "answers/generated_tests.hpp"
#include "app/project_plan.hpp"
#include "app/run_defaults.hpp"
#include "base/files.hpp"
#include "bench/process_usage.hpp"
#include "child_process.hpp"
#include "claude/api/catalog.hpp"
#include "claude/api/claude_provider.hpp"
#include "claude/api/credentials.hpp"
#include "claude/api/settings.hpp"
#include "claude/api/wire.hpp"

namespace cohort::bench {
namespace {

namespace fs = std::filesystem;

struct measurement {
  uint32_t tasks = 1000;
  uint32_t concurrency = 64;
  uint32_t latency_ms = 0;
  uint32_t batch_size = 50;
  bool with_sdk = false;
  std::string folder;
};

struct silent_notices : app::notices {
  void tell(app::notice_kind, std::string_view) override {}
  void tell_lines(app::notice_kind, std::string_view) override {}
  void planned(const app::plan_outline&) override {}
  void reading(size_t, size_t) override {}
  void hurry() noexcept override {}
};

struct silent_sink : actors::event_sink {
  void show(const run_event& event, const actors::run_snapshot&) override {
    if (event.kind == event_kind::warning) fmt::print(stderr, "warning: {}\n", event.text);
  }
  void refresh(const actors::run_snapshot&) override {}
};

template <class T>
T take(expected<T> value, const char* what) {
  if (value) return std::move(*value);
  fmt::print(stderr, "{}: {}\n", what, value.error().message);
  std::exit(1);
}

void must(const expected<void>& done, const char* what) {
  if (done) return;
  fmt::print(stderr, "{}: {}\n", what, done.error().message);
  std::exit(1);
}

/// `tasks` small Python modules, each a task of its own.
void write_project(const fs::path& root, uint32_t tasks) {
  for (uint32_t i = 0; i < tasks; ++i) {
    std::string text;
    for (const char* verb : {"price", "weigh", "label"})
      text += fmt::format(
          "def {0}_{1}(item, factor=1):\n    if item is None:\n        raise ValueError('no item')\n"
          "    total = 0\n    for part in item:\n        if part > factor:\n            total += part * factor\n"
          "        elif part == factor:\n            total += {1}\n        else:\n            total -= part\n"
          "    return total\n\n\n",
          verb, i);
    must(replace_file(root / fmt::format("area_{}", i / 100) / fmt::format("module_{}.py", i), text, durability::later),
         "project");
  }
}

struct planned_run {
  run_record run;
  model_info model;
  std::string sample_body;
};

planned_run plan(state::ledger& ledger, const state::workspace& workspace, const run_settings& settings,
                 const claude::claude_settings& claude) {
  planned_run planned;
  planned.model = take(take(claude::catalog::load(), "models").find(settings.model), "model");
  app::plan_request request;
  request.workspace = workspace;
  request.settings = settings;
  request.model = planned.model;
  request.planning = take(planning::load_planning_defaults(config_directory()), "planning");
  request.cache = cache_mode::five_minutes;
  std::vector<uint32_t> batch_of;
  take(ledger.begin_plan(settings, planned.model.id), "plan");
  silent_notices out;
  take(app::plan_project(request, out,
                         [&](task_spec&& task) {
                           if (planned.sample_body.empty())
                             planned.sample_body = take(claude::encode_request(task.request, claude.wire), "body");
                           must(ledger.add_task(task), "task");
                           batch_of.push_back(static_cast<uint32_t>(batch_of.size() / settings.batch_size));
                           return true;
                         }),
       "survey");
  if (batch_of.empty()) must(fail(ec::config_invalid, "no task came of the project"), "plan");
  must(ledger.commit_plan(batch_of), "plan");
  planned.run = *take(ledger.newest_run(), "run");
  return planned;
}

struct figures {
  double wall_s = 0;
  double cpu_ms_per_task = 0;
  double peak_rss_mb = 0;
  uint32_t delivered = 0;
};

figures run_engine(const measurement& wanted, const state::workspace& workspace, const std::string& url,
                   std::string& sample_body) {
  const auto claude = take(claude::load_claude_settings(), "settings");
  const auto defaults = take(app::load_run_defaults(), "defaults");
  auto settings = defaults.settings;
  settings.concurrent = wanted.concurrency;
  settings.batch_size = wanted.batch_size;
  settings.min_complexity = 1;
  auto ledger = std::make_shared<state::ledger>(take(
      state::ledger::open(workspace.ledger_file(), workspace.project, state::ledger::access::read_write), "ledger"));
  auto planned = plan(*ledger, workspace, settings, claude);
  sample_body = planned.sample_body;
  const auto handler = take(answers::load_test_answer_handler(config_directory()), "craft");
  auto context = std::make_shared<actors::run_context>();
  context->settings = settings;
  context->model = planned.model;
  context->handler = handler.get();
  context->outcomes = actors::outcome_policy{defaults.retries};
  auto provider =
      take(claude::claude_provider::start(take(claude::endpoint_at(url, "bench-key", claude), "endpoint"), claude),
           "transport");
  actors::run_parts parts;
  parts.context = context;
  parts.workspace = workspace;
  parts.output = workspace.default_output();
  parts.ledger = ledger;
  parts.run = planned.run;
  parts.provider = provider;
  parts.resend = [](uint32_t, milliseconds, const call_failure&) { return std::nullopt; };
  parts.sink = std::make_shared<silent_sink>();
  actors::run_controls controls;
  const auto cpu_before = cpu_ms();
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = actors::execute(std::move(parts), controls);
  figures seen;
  seen.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  seen.cpu_ms_per_task = (cpu_ms() - cpu_before) / wanted.tasks;
  seen.peak_rss_mb = peak_rss_mb();
  seen.delivered = take(ledger->newest_run(), "run")->tasks().delivered;
  if (outcome.status != run_status::finished) fmt::print(stderr, "the run did not finish: {}\n", outcome.message);
  return seen;
}

nlohmann::json run_floor(const measurement& wanted, const std::string& url, const fs::path& body) {
  child_process floor{{HTTP_FLOOR_PROGRAM, "--url", url + "/v1/messages", "--requests", std::to_string(wanted.tasks),
                       "--concurrency", std::to_string(wanted.concurrency), "--body", body.string()}};
  return nlohmann::json::parse(floor.line());
}

void run_sdk(const measurement& wanted, const std::string& url, const fs::path& body, double ideal) {
  child_process peer{{NODE_PROGRAM, SDK_PEER_SCRIPT, url, std::to_string(wanted.tasks),
                      std::to_string(wanted.concurrency), body.string()}};
  const auto seen = nlohmann::json::parse(peer.line());
  const auto wall = seen["wall_s"].get<double>();
  fmt::print(
      "  the official SDK, which keeps nothing:  CPU {:.3f} ms/request  wall {:.2f} s = {:.3f} x {}  peak {:.0f} MB\n",
      seen["cpu_ms_per_request"].get<double>(), wall, wall / ideal, wanted.latency_ms == 0 ? "floor" : "ideal",
      seen["peak_rss_mb"].get<double>());
}

int measure(const measurement& wanted) {
  const fs::path root = fs::path{wanted.folder} / random_hex(6);
  fs::create_directories(root);
  write_project(root, wanted.tasks);
  const auto workspace = take(state::open_workspace(root), "workspace");
  must(state::prepare(workspace), "workspace");
  child_process server{{COHORT_PROGRAM, "simulator", "--port", "0", "--scenario", "calm", "--set",
                        "latency.median_ms=0", "--set", fmt::format("latency.fixed_ms={}", wanted.latency_ms)}};
  const auto url = server.line();
  std::string body;
  const auto ours = run_engine(wanted, workspace, url, body);
  must(replace_file(root / "body.json", body, durability::later), "body");
  const auto floor = run_floor(wanted, url, root / "body.json");
  const auto floor_wall = floor["wall_s"].get<double>();
  const double ideal = wanted.latency_ms == 0
                           ? floor_wall
                           : wanted.latency_ms / 1e3 * ((wanted.tasks + wanted.concurrency - 1) / wanted.concurrency);
  fmt::print(
      "{:>6} tasks {:>4} in flight {:>4} ms  {:>6.0f} tasks/s  CPU {:.3f} ms/task (floor {:.3f})  wall {:.2f} s = "
      "{:.3f} x {} "
      "(floor's wall {:.2f} s)  peak {:.0f} MB  delivered {}  body {} bytes\n",
      wanted.tasks, wanted.concurrency, wanted.latency_ms, wanted.tasks / ours.wall_s, ours.cpu_ms_per_task,
      floor["cpu_ms_per_request"].get<double>(), ours.wall_s, ours.wall_s / ideal,
      wanted.latency_ms == 0 ? "floor" : "ideal", floor_wall, ours.peak_rss_mb, ours.delivered, body.size());
  if (wanted.with_sdk) run_sdk(wanted, url, root / "body.json", ideal);
  return ours.delivered == wanted.tasks ? 0 : 1;
}

}  // namespace
}  // namespace cohort::bench

int main(int argc, char** argv) {
  cohort::bench::measurement wanted;
  CLI::App app{"The engine over N tasks, beside a bare HTTP loop against the same server."};
  app.add_option("--tasks", wanted.tasks, "How many tasks")->check(CLI::PositiveNumber);
  app.add_option("--concurrency", wanted.concurrency, "How many in flight")->check(CLI::PositiveNumber);
  app.add_option("--latency", wanted.latency_ms, "The server's latency in ms");
  app.add_option("--batch-size", wanted.batch_size, "Tasks in a batch")->check(CLI::Range(1, 50));
  app.add_flag("--sdk", wanted.with_sdk, "Also the official TypeScript SDK on Node, over as many requests");
  app.add_option("folder", wanted.folder,
                 "Where the project is made; left there, because ext4 makes new files slowly for "
                 "half a minute after many were deleted")
      ->required();
  CLI11_PARSE(app, argc, argv);
  return cohort::bench::measure(wanted);
}
