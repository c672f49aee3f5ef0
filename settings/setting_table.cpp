// The table of settings, and reading and writing one by its row.

#include "settings/setting_table.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace cohort::settings {

namespace {

using kind = setting_kind;

constexpr std::string_view no_value = "none";
constexpr std::string_view automatic = "auto";

std::vector<setting> what_to_work_on() {
  return {
      {.name = "min_complexity",
       .option = "--min-complexity",
       .kind = kind::number,
       .field = &run_settings::min_complexity,
       .column = "min_complexity",
       .help = "Least complexity of a file, 1 to 10",
       .standard = "5",
       .least = 1,
       .most = 10,
       .least_option = 1,
       .changes_plan = true},
      {.name = "output_directory",
       .option = "--tests-dir",
       .kind = kind::text,
       .field = &run_settings::output_directory,
       .column = "output_directory",
       .help = "Where tests are written, relative to the project",
       .standard = ".claude-testing/tests",
       .changes_plan = true,
       .in_users_file = false},
  };
}

std::vector<setting> how_to_ask() {
  return {
      {.name = "model",
       .option = "-m,--model",
       .kind = kind::text,
       .field = &run_settings::model,
       .column = "model",
       .help = "opus, sonnet, haiku, fable or a full model id",
       .standard = "sonnet"},
      {.name = "fallback_model",
       .option = "--fallback-model",
       .kind = kind::text,
       .field = &run_settings::fallback,
       .column = "fallback",
       .help = "The model that stands in while the first is overloaded; auto: as config/models.json says; none",
       .valid = "a model, auto or none",
       .can_be_none = true},
      {.name = "effort",
       .option = "--effort",
       .kind = kind::choice,
       .field = &run_settings::effort,
       .column = "effort",
       .help = "How hard the model works: low, medium, high; none: as it does by itself",
       .choices = {"low", "medium", "high"},
       .can_be_none = true,
       .changes_plan = true},
  };
}

std::vector<setting> how_fast() {
  return {
      {.name = "concurrent",
       .option = "-c,--concurrent",
       .kind = kind::number,
       .field = &run_settings::concurrent,
       .column = "concurrent",
       .help = "Requests in flight at once",
       .standard = "3",
       .least = 1,
       .most = 10'000,
       .least_option = 0},
      {.name = "timeout_seconds",
       .option = "--timeout",
       .kind = kind::seconds,
       .field = &run_settings::timeout,
       .column = "timeout",
       .help = "Seconds for one task, all its attempts together",
       .standard = "900",
       .least = 1,
       .most = longest_timeout_seconds,
       .least_option = 1},
  };
}

std::vector<setting> money() {
  return {
      {.name = "cost_limit",
       .option = "--cost-limit",
       .kind = kind::dollars,
       .field = &run_settings::cost_limit,
       .column = "cost_limit",
       .help = "Most that each batch may cost, in dollars; none lifts it",
       .can_be_none = true},
      {.name = "on_limit",
       .option = "--on-limit",
       .kind = kind::choice,
       .field = &run_settings::on_limit,
       .column = "on_limit",
       .help = "At a batch's limit: stop, next (go on with the next batch) or warn",
       .standard = "stop",
       .choices = {"stop", "next", "warn"}},
      {.name = "budget",
       .option = "--budget",
       .kind = kind::dollars,
       .field = &run_settings::budget,
       .column = "budget",
       .help = "Most that the whole run may cost, in dollars; none lifts it",
       .can_be_none = true},
  };
}

std::vector<setting> batches() {
  return {
      {.name = "batch_size",
       .option = "-b,--batch-size",
       .kind = kind::number_or_auto,
       .field = &run_settings::batch_size,
       .column = "batch_size",
       .help = "Tasks in a batch, 1 to 50, or auto",
       .standard = "10",
       .least = 1,
       .most = most_batch_size,
       .least_option = 1,
       .changes_plan = true},
      {.name = "parallel_batches",
       .option = "--parallel-batches",
       .kind = kind::number_or_auto,
       .field = &run_settings::parallel_batches,
       .column = "parallel_batches",
       .help =
           "Batches under way at once, or auto: the next begins when the present ones have nothing left to hand out",
       .standard = "auto",
       .least = 1,
       .most = 1000,
       .least_option = 1},
  };
}

std::vector<setting> made_table() {
  std::vector<setting> table;
  for (auto* group : {what_to_work_on, how_to_ask, how_fast, money, batches})
    for (auto& row : group()) table.push_back(std::move(row));
  return table;
}

std::optional<uint64_t> whole_number(std::string_view text, uint64_t least, uint64_t most) noexcept {
  uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

std::optional<limit_policy> policy_named(std::string_view text) noexcept {
  for (auto policy : {limit_policy::stop, limit_policy::next, limit_policy::warn})
    if (text == name(policy)) return policy;
  return std::nullopt;
}

/// Writes one value into its field.
class value_writer {
 public:
  value_writer(const setting& which, const std::string& text, run_settings& target)
      : which_(which), text_(text), target_(target) {}

  expected<void> operator()(uint32_t run_settings::*field) const {
    if (which_.kind == kind::number_or_auto && text_ == automatic) return target_.*field = 0, expected<void>{};
    const auto value = whole_number(text_, which_.least_option, which_.most);
    if (!value) return refuse(is_number_text());
    target_.*field = static_cast<uint32_t>(*value);
    return {};
  }
  expected<void> operator()(milliseconds run_settings::*field) const {
    const auto value = whole_number(text_, which_.least_option, which_.most);
    if (!value) return refuse(is_number_text());
    target_.*field = std::chrono::seconds{*value};
    return {};
  }
  expected<void> operator()(std::string run_settings::*field) const {
    if (which_.kind == kind::choice && !is_none() && !is_choice())
      return refuse(fmt::format("'{}' is none of {}", text_, fmt::join(which_.choices, ", ")));
    if (text_.empty() && which_.can_be_none) return refuse(fmt::format("name {}", which_.valid));
    target_.*field = is_none() ? std::string{} : text_;
    return {};
  }
  expected<void> operator()(std::optional<nano_dollars> run_settings::*field) const {
    if (is_none()) return (target_.*field).reset(), expected<void>{};
    const auto amount = parse_dollars(text_);
    if (!amount) return refuse(amount.error().message);
    if (amount->count == 0) return refuse("a limit of nothing lets no task run");
    target_.*field = *amount;
    return {};
  }
  expected<void> operator()(limit_policy run_settings::*field) const {
    const auto policy = policy_named(text_);
    if (!policy) return refuse(fmt::format("'{}' is none of {}", text_, fmt::join(which_.choices, ", ")));
    target_.*field = *policy;
    return {};
  }

 private:
  [[nodiscard]] bool is_none() const { return which_.can_be_none && text_ == no_value; }
  [[nodiscard]] bool is_choice() const {
    return std::find(which_.choices.begin(), which_.choices.end(), text_) != which_.choices.end();
  }
  [[nodiscard]] std::string is_number_text() const {
    if (which_.kind == kind::number_or_auto)
      return fmt::format("'{}' is neither 'auto' nor a number from {} to {}", text_, which_.least_option, which_.most);
    return fmt::format("'{}' is no number from {} to {}", text_, which_.least_option, which_.most);
  }
  [[nodiscard]] tl::unexpected<error> refuse(const std::string& why) const {
    return fail(ec::usage, fmt::format("{}: {}", long_option(which_), why));
  }

  const setting& which_;
  const std::string& text_;
  run_settings& target_;
};

}  // namespace

std::span<const setting> setting_table() {
  static const auto table = made_table();
  return table;
}

const setting* find_setting(std::string_view name) noexcept {
  const auto table = setting_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::string_view long_option(const setting& which) noexcept {
  const auto comma = which.option.find(',');
  return comma == std::string_view::npos ? which.option : which.option.substr(comma + 1);
}

expected<void> apply(const setting_values& values, run_settings& target) {
  for (const auto& [name, text] : values) {
    const auto* which = find_setting(name);
    if (which == nullptr) return fail(ec::usage, fmt::format("there is no setting '{}'", name));
    if (auto written = std::visit(value_writer{*which, text, target}, which->field); !written) return written;
  }
  return {};
}

std::string value_of(const setting& which, const run_settings& settings) {
  struct {
    const setting& which;
    const run_settings& from;
    std::string operator()(uint32_t run_settings::*field) const {
      const bool is_auto = which.kind == kind::number_or_auto && from.*field == 0;
      return is_auto ? std::string{automatic} : std::to_string(from.*field);
    }
    std::string operator()(milliseconds run_settings::*field) const {
      return std::to_string((from.*field).count() / 1000);
    }
    std::string operator()(std::string run_settings::*field) const {
      return (from.*field).empty() && which.can_be_none ? std::string{no_value} : from.*field;
    }
    std::string operator()(std::optional<nano_dollars> run_settings::*field) const {
      return from.*field ? exact_dollars(*(from.*field)) : std::string{no_value};
    }
    std::string operator()(limit_policy run_settings::*field) const { return std::string{name(from.*field)}; }
  } const read{which, settings};
  return std::visit(read, which.field);
}

bool asks_for_another_plan(const run_settings& wanted, const run_settings& stored) {
  const auto table = setting_table();
  return std::any_of(table.begin(), table.end(), [&](const auto& row) {
    return row.changes_plan && value_of(row, wanted) != value_of(row, stored);
  });
}

}  // namespace cohort::settings
