// Actors without threads or time: CAF's testing scheduler, a provider that answers as told, a ledger in a
// temporary folder.
#pragma once

#include <deque>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/money/cost_monitor.hpp"
#include "actors/nodes/hub.hpp"
#include "actors/progress/progress.hpp"
#include "actors/recording/recorder.hpp"
#include "actors/run/coordinator.hpp"
#include "actors/slots/gateway.hpp"
#include "actors/slots/worker.hpp"
#include "actors/slots/worker_pool.hpp"
#include "base/files.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::actors {

struct test_config : caf::actor_system_config {
  test_config() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

struct actor_fixture : ::testing::Test {
  test_config cfg;
  caf::actor_system sys{cfg};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  caf::scoped_actor self{sys};

  void run() {
    while (sched.try_run_once()) {
    }
  }
  /// Lets time pass in small steps, running what becomes ready.
  void pass(milliseconds duration, milliseconds step = milliseconds{10}) {
    run();
    for (milliseconds gone{0}; gone < duration; gone += step) {
      sched.advance_time(step);
      run();
    }
  }
  template <class Handle>
  void end(const Handle& handle) {
    caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    run();
  }
  ~actor_fixture() override { run(); }
};

/// Answers when told to; remembers what was asked.
class scripted_provider : public provider {
 public:
  using script = std::function<gateway_result(const completion_request&, uint32_t times)>;
  struct call {
    uint64_t id = 0;
    completion_request request;
    on_done done;
  };

  call_permit admit(steady_time, const completion_request& request) override {
    const auto wait = !failing_model.empty() && request.model == failing_model ? milliseconds{500} : hold;
    return wait > milliseconds{0} ? call_permit{0, wait} : call_permit{++last_ticket, wait};
  }
  void settle(steady_time, uint64_t, const gateway_result&) override {}
  void submit(uint64_t id, const completion_request& request, milliseconds, on_done done) override {
    ++asked[request.prompt];
    most_in_flight = std::max(most_in_flight, ++in_flight);
    calls.push_back({id, request, std::move(done)});
    if (at_once) answer_all();
  }
  void cancel(uint64_t id) override {
    for (auto it = calls.begin(); it != calls.end(); ++it) {
      if (it->id != id) continue;
      auto done = std::move(it->done);
      calls.erase(it);
      --in_flight;
      gateway_result result;
      result.failure.code = ec::cancelled;
      result.failure.billed = billing::unknown;
      done(result);
      return;
    }
  }
  void answer_all() {
    while (!calls.empty()) {
      auto next = std::move(calls.front());
      calls.pop_front();
      --in_flight;
      next.done(answer(next.request, asked[next.request.prompt]));
    }
  }
  [[nodiscard]] uint32_t total_asked() const {
    uint32_t sum = 0;
    for (const auto& [_, times] : asked) sum += times;
    return sum;
  }

  script answer;
  bool at_once = true;
  milliseconds hold{0};
  uint64_t last_ticket = 0;
  bool is_failing = false;
  std::string failing_model;  ///< Overloaded as a whole: held, and turned away where another model can be asked.
  ec failing(steady_time, const std::string& model) const override {
    if (!failing_model.empty()) return model == failing_model ? ec::overloaded : ec::none;
    return is_failing ? ec::overloaded : ec::none;
  }
  std::deque<call> calls;
  std::map<std::string, uint32_t> asked;
  size_t in_flight = 0;
  size_t most_in_flight = 0;
};

inline gateway_result good_answer(std::string text = "fine", uint64_t output_tokens = 100) {
  gateway_result result;
  result.answered = true;
  result.answer.text = std::move(text);
  result.answer.stop = stop_reason::end_turn;
  result.answer.usage.input_tokens = 1;  // Costs nothing here, and no prompt has none.
  result.answer.usage.output_tokens = output_tokens;
  return result;
}

inline gateway_result failed_call(ec code, billing billed, bool retry = true) {
  gateway_result result;
  result.failure.code = code;
  result.failure.billed = billed;
  result.failure.retry = retry;
  result.failure.message = std::string{sentence(code)};
  return result;
}

/// A model where a token of output costs one nano-dollar and input is free.
inline model_info nano_model() {
  model_info model;
  model.id = "nano-model";
  model.max_output_tokens = 100'000;
  model.context_tokens = 1'000'000;
  model.cards = {{0, {0}, {1000}, {0}, {0}, {0}}};
  return model;
}

/// Answers are files as they are; "broken" does not parse.
class plain_handler : public answer_handler {
 public:
  expected<std::string> extract(const task_spec&, std::string_view answer) const override {
    if (reading) reading();
    if (answer.empty()) return fail(ec::empty_answer, "nothing");
    if (answer == "broken") return fail(ec::broken_code, "does not parse");
    return std::string{answer};
  }
  expected<std::string> assemble(const task_spec&, const std::vector<std::string>& parts) const override {
    std::string all;
    for (const auto& part : parts) all += part;
    return all;
  }
  std::string why_not_mergeable(const task_spec&, const std::string& extracted) const override {
    return extracted.starts_with("alone") ? "it says so" : "";
  }
  std::string alternative_name(const task_spec& task, const std::string& ending) const override {
    if (meanwhile) meanwhile();
    return task.target + "." + ending;
  }
  bool is_result_name(const task_spec&, const std::string& name) const override { return !name.starts_with("bad"); }
  /// Its lines.
  std::vector<std::string> results_in(const task_spec&, const std::string& content) const override {
    std::vector<std::string> lines;
    for (size_t at = 0; at < content.size();) {
      const auto end = std::min(content.find('\n', at), content.size());
      lines.push_back(content.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }
  std::function<void()> meanwhile;  ///< Happens while a file's second name is looked for.
  std::function<void()> reading;    ///< Happens while an answer is judged.
};

/// A whole run over a plan of N tasks, under virtual time.
struct run_fixture : actor_fixture {
  std::filesystem::path root = std::filesystem::temp_directory_path() / ("cohort-run-" + random_hex(6));
  state::workspace workspace{root};
  std::shared_ptr<scripted_provider> provider = std::make_shared<scripted_provider>();
  plain_handler handler;
  run_settings settings;
  retry_limits retries;
  uint32_t max_batches = 0;
  uint32_t most_unread = 512;
  std::vector<model_info> fallbacks;
  std::optional<node_rules> nodes;  ///< Set: nodes can join.
  std::vector<run_event> events;
  std::vector<caf::actor_addr> expelled;  ///< Nodes whose connections the HUB has ended.
  std::shared_ptr<state::ledger> ledger;
  run_services services;
  coordinator_actor owner;

  struct collector : event_sink {
    explicit collector(std::vector<run_event>& target) : seen(target) {}
    void show(const run_event& event, const run_snapshot&) override { seen.push_back(event); }
    void refresh(const run_snapshot&) override {}
    std::vector<run_event>& seen;
  };

  run_fixture() {
    std::filesystem::create_directories(root);
    settings.output_directory = "out";
    settings.batch_size = 5;
    retries.after_answer = {{ec::broken_code, 1}, {ec::empty_answer, 1}};
    provider->answer = [](const completion_request& request, uint32_t) {
      return good_answer("answer to " + request.prompt);
    };
  }
  ~run_fixture() override {
    take_down();
    ledger.reset();
    std::filesystem::remove_all(root);
  }

  task_spec task(uint32_t number, uint32_t max_tokens = 1000) const {
    task_spec spec;
    spec.label = "task-" + std::to_string(number);
    spec.id = task_id_from(sha256(spec.label));
    spec.target = "file-" + std::to_string(number) + ".txt";
    spec.request.model = "nano-model";
    spec.request.prompt = spec.label;
    spec.request.max_tokens = max_tokens;
    spec.estimate.worst = reservation_for(spec.request, nano_model());
    return spec;
  }

  /// Stores a plan of `tasks` tasks in batches of `settings.batch_size`.
  void plan(uint32_t tasks) {
    open_ledger();
    ASSERT_TRUE(ledger->begin_plan(settings, "nano-model"));
    std::vector<uint32_t> batch_of;
    for (uint32_t i = 0; i < tasks; ++i) {
      ASSERT_TRUE(ledger->add_task(task(i)));
      batch_of.push_back(i / settings.batch_size);
    }
    ASSERT_TRUE(ledger->commit_plan(batch_of));
  }
  void open_ledger() {
    auto opened = state::ledger::open(workspace.ledger_file(), root, state::ledger::access::read_write);
    ASSERT_TRUE(opened) << opened.error().message;
    ledger = std::make_shared<state::ledger>(std::move(*opened));
  }
  run_record stored() const { return ledger->newest_run().value().value(); }

  /// Long enough for what is recorded to be committed.
  void run() { pass(milliseconds{30}, milliseconds{2}); }

  void spawn_all() {
    spawn_before_the_start();
    self->send(owner, run_start{});
    run();
  }
  void spawn_before_the_start() {
    auto context = std::make_shared<run_context>();
    context->settings = settings;
    context->model = nano_model();
    context->fallbacks = fallbacks;
    context->handler = &handler;
    context->outcomes = outcome_policy{retries};
    context->max_batches = max_batches;
    const auto before = stored();
    services.backlog = std::make_shared<validation_backlog>(most_unread);
    owner = sys.spawn(coordinator, context, before, [this, context, before](const coordinator_actor& home) {
      services.progress = sys.spawn(progress, snapshot_of(before, steady_time{}), std::make_shared<collector>(events));
      const auto in_doubt = nodes ? ledger->in_doubt(before.id).value() : std::vector<state::in_doubt_attempt>{};
      services.recorder = sys.spawn(recorder, context, ledger,
                                    recorder_options{workspace, root / "out", before.id, nodes.has_value()}, home);
      budget money{{settings.on_limit == limit_policy::warn ? std::nullopt : settings.cost_limit, settings.budget}};
      for (const auto& batch : before.batches) money.carry_over(batch.index, batch.spent);
      services.money = sys.spawn(cost_monitor, money, services.progress,
                                 settings.on_limit == limit_policy::warn ? settings.cost_limit : std::nullopt);
      services.validator = sys.spawn(answer_validator, context, services.backlog);
      services.gateway = sys.spawn(gateway, provider, services.progress);
      const resend_rule rule = [](uint32_t sends, milliseconds, const call_failure&) {
        return sends < 3 ? std::optional{milliseconds{100}} : std::nullopt;
      };
      services.pool = sys.spawn(
          worker_pool, settings.concurrent, [this, rule] { return sys.spawn(worker, services.gateway, rule); }, home);
      if (nodes)
        services.hub =
            sys.spawn(hub, hub_parts{context, ledger->identity().value(), before.id, before.batch_id, *nodes, in_doubt,
                                     services.recorder, services.pool, services.money, services.progress, home,
                                     [this](const caf::actor_addr& whom) { expelled.push_back(whom); }});
      return services;
    });
  }
  /// The run's outcome, if it has ended.
  std::optional<run_outcome> outcome() {
    std::optional<run_outcome> ended;
    self->receive([&](const run_outcome& x) { ended = x; }, caf::after(std::chrono::seconds{0}) >> [] {});
    return ended;
  }
  /// Runs to the end, letting virtual time pass.
  run_outcome finish(milliseconds most = std::chrono::seconds{60}) {
    for (milliseconds gone{0}; gone < most; gone += milliseconds{50}) {
      if (auto ended = outcome()) return *ended;
      pass(milliseconds{50});
    }
    ADD_FAILURE() << "the run did not end";
    return {};
  }
  void take_down() {
    if (!owner) return;
    end(owner);
    if (services.hub) end(services.hub);
    end(services.validator);
    end(services.pool);
    end(services.money);
    end(services.gateway);
    end(services.recorder);
    end(services.progress);
    owner = nullptr;
    services = {};
    sched.advance_time(std::chrono::minutes{2});
    run();
  }
};

}  // namespace cohort::actors
