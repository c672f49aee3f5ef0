// Three sinks over the same events.

#include "cli/screen/progress_screen.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/screen/node_screen.hpp"

namespace cohort::cli {

namespace {

constexpr auto plain_interval = std::chrono::seconds{10};

bool warns(event_kind kind) {
  return kind == event_kind::warning || kind == event_kind::node_lost || kind == event_kind::node_put_aside;
}

/// What is worth a line of its own; empty if nothing is.
std::string event_line(const run_event& event, const actors::run_snapshot& now, const screen_options& options) {
  switch (event.kind) {
    case event_kind::run_started:
      if (options.shows_batches) return {};
      return fmt::format("{} tasks to do", event.counts.total() - event.counts.final());
    case event_kind::batch_started:
      if (!options.shows_batches) return {};
      return fmt::format("batch {}/{} started: {} tasks to do", event.batch + 1, now.batches_total,
                         event.counts.total() - event.counts.final());
    case event_kind::batch_ended:
      if (!options.shows_batches) return {};
      return fmt::format("batch {}/{} ended: {} delivered, {} failed, {} skipped, {} deferred, {} left",
                         event.batch + 1, now.batches_total, event.counts.delivered, event.counts.failed,
                         event.counts.skipped, event.counts.deferred, event.counts.planned + event.counts.answered);
    case event_kind::task_ended:
      if (event.state == task_state::failed)
        return fmt::format("failed: {} ({}: {})", printable(event.label), name(event.code), printable(event.text, 300));
      if (event.state == task_state::skipped || options.level == verbosity::verbose)
        return fmt::format("{}: {}{}{}", name(event.state), printable(event.label), event.text.empty() ? "" : " -> ",
                           printable(event.text, 300));
      return {};
    case event_kind::task_retried:
      if (options.level != verbosity::verbose) return {};
      return fmt::format("asking again: {} ({})", printable(event.label), name(event.code));
    case event_kind::node_lost:
    case event_kind::node_put_aside:
    case event_kind::warning: return fmt::format("warning: {}", printable(event.text, 1000));
    case event_kind::node_joined:
    case event_kind::node_left:
    case event_kind::notice: return printable(event.text, 1000);
    case event_kind::task_started:
    case event_kind::spent:
    case event_kind::run_ended: return {};
  }
  return {};
}

class quiet_screen : public actors::event_sink {
 public:
  void show(const run_event& event, const actors::run_snapshot&) override {
    if (warns(event.kind)) warn(printable(event.text, 1000));
  }
  void refresh(const actors::run_snapshot&) override {}
};

class json_screen : public actors::event_sink {
 public:
  void show(const run_event& event, const actors::run_snapshot& now) override { print(event_as_json(event, now)); }
  void refresh(const actors::run_snapshot&) override {}
};

/// Lines; a status line every few seconds of silence.
class plain_screen : public actors::event_sink {
 public:
  explicit plain_screen(screen_options options) : options_(std::move(options)) {}

  void show(const run_event& event, const actors::run_snapshot& now) override {
    const auto line = event_line(event, now, options_);
    if (!line.empty()) notice(line);
  }
  void refresh(const actors::run_snapshot& now) override {
    const auto at = steady_clock::now();
    if (at - last_ < plain_interval) return;
    if (last_ != steady_time{}) notice(status_line(now, options_, at));
    last_ = at;
  }

 private:
  screen_options options_;
  steady_time last_{};
};

/// A line that is drawn over itself, with events scrolling above it.
class live_screen : public actors::event_sink {
 public:
  explicit live_screen(screen_options options) : options_(std::move(options)) {}
  ~live_screen() override { erase(); }

  void show(const run_event& event, const actors::run_snapshot& now) override {
    const auto line = event_line(event, now, options_);
    if (!line.empty()) {
      erase();
      notice(line);
    }
    if (event.kind == event_kind::run_ended) {
      erase();
      over_ = true;
    } else if (!line.empty()) {
      refresh(now);
    }
  }
  void refresh(const actors::run_snapshot& now) override {
    if (over_) return;
    draw_line(status_line(now, options_, steady_clock::now()));
    drawn_ = true;
  }

 private:
  void erase() {
    if (drawn_) erase_line();
    drawn_ = false;
  }

  screen_options options_;
  bool drawn_ = false;
  bool over_ = false;
};

}  // namespace

std::string status_line(const actors::run_snapshot& now, const screen_options& options, steady_time at) {
  const auto& settings = options.settings;
  std::string line;
  if (options.shows_batches) line = fmt::format("batches {}/{}  ", now.batches_done, now.batches_total);
  line += fmt::format("tasks {}/{}", now.tasks.final(), now.tasks.total());
  if (now.tasks.failed > 0) line += fmt::format("  {} failed", now.tasks.failed);
  line += fmt::format("  {} of about {}", to_string(now.spent.total()), to_string(now.estimated));
  if (settings.budget) line += fmt::format(", budget {}", to_string(*settings.budget));
  if (settings.cost_limit) line += fmt::format(", limit {} a batch", to_string(*settings.cost_limit));
  line += fmt::format("  {} in flight", now.in_flight);
  if (!now.nodes.empty()) line += "  nodes: " + nodes_line(now.nodes);
  const auto left = now.time_left(at);
  if (left > milliseconds{0}) line += fmt::format("  {} left", human_duration(left));
  return line;
}

std::string event_as_json(const run_event& event, const actors::run_snapshot& now) {
  auto line = app::new_event(name(event.kind));
  const bool of_task = !event.label.empty();
  const bool of_batch = of_task || event.kind == event_kind::batch_started || event.kind == event_kind::batch_ended;
  if (of_batch) line["batch"] = event.batch;
  if (of_task) {
    line["task"] = to_string(event.task);
    line["source"] = event.label;
    line["state"] = name(event.state);
    line["attempt"] = event.attempt;
    line["model"] = event.model;
  }
  if (!event.node.empty()) line["node"] = event.node;
  if (event.code != ec::none) line["code"] = name(event.code);
  const bool is_path = event.kind == event_kind::task_ended && event.state == task_state::delivered;
  if (!event.text.empty()) line[is_path ? "path" : "message"] = event.text;
  if (event.cost > nano_dollars{}) line["cost"] = as_dollars(event.cost);
  line["totals"] = {{"batchesDone", now.batches_done},
                    {"batches", now.batches_total},
                    {"tasks", now.tasks.total()},
                    {"delivered", now.tasks.delivered},
                    {"failed", now.tasks.failed},
                    {"skipped", now.tasks.skipped},
                    {"deferred", now.tasks.deferred},
                    {"cost", as_dollars(now.spent.confirmed)},
                    {"unconfirmedCost", as_dollars(now.spent.unconfirmed)}};
  return app::on_one_line(line);
}

std::shared_ptr<actors::event_sink> make_screen(const screen_options& options) {
  if (options.json) return std::make_shared<json_screen>();
  if (options.level == verbosity::quiet) return std::make_shared<quiet_screen>();
  if (terminal_width() > 0) return std::make_shared<live_screen>(options);
  return std::make_shared<plain_screen>(options);
}

}  // namespace cohort::cli
