// A NODE and a played HUB over a real link: loopback, DOORKEEPER, TLS, the framework's sockets. Real time, so it waits
// for what is to happen, and never for time to pass.

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include <gtest/gtest.h>
#include <caf/all.hpp>

#include "actors/nodes/node_framing.hpp"
#include "actors/nodes/node_process.hpp"
#include "actors/nodes/remoting.hpp"
#include "base/digest.hpp"
#include "cluster/certificate_authority.hpp"
#include "cluster/tls_gate.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::actors {
namespace {

using namespace std::chrono_literals;

/// What the HUB has heard, for the test's thread.
struct hub_log {
  std::mutex guard;
  std::condition_variable changed;
  std::vector<node_call> calls;
  std::optional<remote_report> report;
  steady_time last_pulse{};
  milliseconds longest_silence{0};
  uint32_t pulses = 0;
  uint32_t gone = 0;

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock{guard};
    return changed.wait_for(lock, 20s, condition);
  }
};

hub_actor::behavior_type play_hub(hub_actor::pointer self, std::shared_ptr<hub_log> log, node_welcome welcome) {
  auto joiner = std::make_shared<message_joiner>();
  return {
      [log, welcome](const node_call& call) {
        const std::lock_guard lock{log->guard};
        log->calls.push_back(call);
        log->changed.notify_all();
        return welcome;
      },
      [log, joiner](const message_part& part) {
        const auto whole = joiner->add(part);
        if (!whole) return;
        const std::lock_guard lock{log->guard};
        log->report = unpack_report(*whole);
        log->changed.notify_all();
      },
      [self, log](const node_pulse& pulse) {
        const std::lock_guard lock{log->guard};
        const auto now = steady_clock::now();
        if (log->pulses++ > 0)
          log->longest_silence =
              std::max(log->longest_silence, std::chrono::duration_cast<milliseconds>(now - log->last_pulse));
        log->last_pulse = now;
        log->changed.notify_all();
        self->send(caf::actor_cast<node_actor>(self->current_sender()), hub_pulse{pulse.session, true});
      },
      [](const node_leaving&) {},
      [self, log](const node_gone& node) {
        const std::lock_guard lock{log->guard};
        ++log->gone;
        self->send(caf::actor_cast<node_actor>(self->current_sender()), hub_pulse{node.session, false});
      },
  };
}

/// Answers each prompt with as many bytes, turned round; or never.
class echo : public provider {
 public:
  explicit echo(bool answers) : answers_(answers) {}
  call_permit admit(steady_time, const completion_request&) override { return {++last_ticket_, 0ms}; }
  void settle(steady_time, uint64_t, const gateway_result&) override {}
  ec failing(steady_time, const std::string&) const override { return ec::none; }
  void submit(uint64_t, const completion_request& request, milliseconds, on_done done) override {
    ++asked;
    if (!answers_) return kept_.push_back(std::move(done));
    gateway_result result;
    result.answered = true;
    result.answer.text.assign(request.prompt.rbegin(), request.prompt.rend());
    done(std::move(result));
  }
  void cancel(uint64_t) override {
    for (auto& done : kept_) {
      gateway_result result;
      result.failure.code = ec::cancelled;
      done(std::move(result));
    }
    kept_.clear();
  }
  std::atomic<uint32_t> asked{0};

 private:
  bool answers_;
  uint64_t last_ticket_ = 0;
  std::vector<on_done> kept_;
};

struct silent_sink : event_sink {
  void show(const run_event&, const run_snapshot&) override {}
  void refresh(const run_snapshot&) override {}
};

struct link : ::testing::Test {
  std::filesystem::path root = std::filesystem::temp_directory_path() / ("cohort-link-" + random_hex(6));
  std::shared_ptr<hub_log> log = std::make_shared<hub_log>();
  std::shared_ptr<echo> provider = std::make_shared<echo>(true);
  std::shared_ptr<const cluster::cluster_credentials> own;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  hub_actor hub;
  std::unique_ptr<cluster::tls_gate> gate;
  node_controls controls;
  std::future<node_outcome> ended;

  link() {
    std::filesystem::create_directories(root);
    EXPECT_TRUE(cluster::found_cluster(root / "cluster", {"node"}));
  }
  ~link() override {
    if (ended.valid()) controls.stop_now(), (void)ended.get();
    gate.reset();
    caf::anon_send_exit(hub, caf::exit_reason::user_shutdown);
    hub = nullptr;
    system.reset();
    std::filesystem::remove_all(root);
  }

  void coordinate(node_welcome welcome) {
    own = std::make_shared<const cluster::cluster_credentials>(
        std::move(*cluster::cluster_credentials::load(root / "cluster", cluster::cluster_side::coordinator, {})));
    load_remoting(config, *own, {1000ms, 10'000ms});
    system = std::make_unique<caf::actor_system>(config);
    hub = system->spawn(play_hub, log, std::move(welcome));
    gate = std::move(*cluster::tls_gate::listen({"127.0.0.1", 0}, own));
    gate->open_to(let_in(hub), [](const std::string&) {});
  }
  void join() {
    join_parts parts;
    parts.where = gate->address();
    parts.own = std::make_shared<const cluster::cluster_credentials>(
        std::move(*cluster::cluster_credentials::load(root / "cluster", cluster::cluster_side::node, "node")));
    parts.spool = std::make_shared<const cluster::spool>(std::move(*cluster::spool::open(root / "spool")));
    parts.name = "n";
    parts.slots = 2;
    parts.provider = provider;
    parts.resend = [](uint32_t, milliseconds, const call_failure&) { return std::optional<milliseconds>{}; };
    parts.sink = std::make_shared<silent_sink>();
    ended = std::async(std::launch::async,
                       [this, parts = std::move(parts)]() mutable { return join_cluster(std::move(parts), controls); });
  }
  static node_welcome yes() {
    node_welcome welcome;
    welcome.accepted = true;
    welcome.ledger_id = std::string(32, 'b');
    welcome.lease = 1800ms;  // Pulses every 300 ms.
    return welcome;
  }
  void give(std::string prompt) {
    remote_order order;
    order.run = 1;
    order.order.task = task_id_from(sha256("task"));
    order.order.attempt = 1;
    order.order.timeout = 60s;
    order.order.request.prompt = std::move(prompt);
    order.order.request.model = "a-model";
    order.order.request.max_tokens = 100'000;
    order.with_prefix = true;
    order.prefix = sha256({});
    const auto& call = log->calls.front();
    for (auto& part : cut(call.hello.session, 1, message_kind::order, pack(order)))
      caf::send_as(hub, call.node, std::move(part));
  }
};

TEST_F(link, a_prompt_and_an_answer_of_12_megabytes_pass_whole_and_pulses_go_on) {
  coordinate(yes());
  join();
  ASSERT_TRUE(log->wait([this] { return log->pulses >= 2; }));
  std::string prompt(12 << 20, 'p');
  for (size_t i = 0; i < prompt.size(); i += 1000) prompt[i] = static_cast<char>('a' + i % 23);
  give(prompt);
  ASSERT_TRUE(log->wait([this] { return log->report.has_value(); }));
  EXPECT_EQ(log->report->report.answer.text, std::string(prompt.rbegin(), prompt.rend()));
  const auto now = log->pulses;
  ASSERT_TRUE(log->wait([&] { return log->pulses >= now + 2; }));
  EXPECT_EQ(log->calls.size(), 1u) << "the session went on";
  EXPECT_LT(log->longest_silence, 1800ms);
}

TEST_F(link, a_coordinator_of_another_version_ends_the_node_with_the_reason) {
  node_welcome no;
  no.code = ec::protocol_mismatch;
  no.reason = "use the same program on both machines";
  coordinate(no);
  join();
  const auto outcome = ended.get();
  EXPECT_EQ(outcome.code, ec::protocol_mismatch);
  EXPECT_EQ(outcome.message, no.reason);
}

TEST_F(link, leaving_says_goodbye_before_the_process_ends) {
  coordinate(yes());
  join();
  ASSERT_TRUE(log->wait([this] { return log->pulses >= 1; }));
  controls.drain();
  EXPECT_EQ(ended.get().code, ec::none);
  EXPECT_EQ(log->gone, 1u);
}

TEST_F(link, a_second_signal_ends_a_node_that_waits_for_the_provider) {
  provider = std::make_shared<echo>(false);
  coordinate(yes());
  join();
  ASSERT_TRUE(log->wait([this] { return log->pulses >= 1; }));
  give("a question");
  ASSERT_TRUE(log->wait([this] { return provider->asked > 0 || log->pulses > 60; }));
  controls.drain();
  EXPECT_EQ(ended.wait_for(500ms), std::future_status::timeout) << "it finishes what it has";
  controls.stop_now();
  EXPECT_EQ(ended.wait_for(5s), std::future_status::ready);
}

}  // namespace
}  // namespace cohort::actors
