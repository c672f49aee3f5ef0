// The settings of a run, each in one row: what it is called, what it can be, where it is kept, what it changes. The
// command line, the configuration files, the plan and the tests of ledger and documentation go by this table; a setting
// that is not in it does not exist.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "messages/run.hpp"

namespace cohort::settings {

inline constexpr uint32_t most_batch_size = 50;  ///< What `batch-state.json` can hold, and its readers accept.
inline constexpr uint64_t longest_timeout_seconds = 7ULL * 24 * 3600;

enum class setting_kind : uint8_t {
  number,          ///< Whole, within bounds.
  number_or_auto,  ///< The same, or "auto", which is kept as 0.
  seconds,         ///< Whole seconds within bounds, kept as milliseconds.
  choice,          ///< One of the words in `choices`.
  text,            ///< Not empty.
  dollars,         ///< An amount above 0, written as text.
};

/// Where a setting is kept while the program runs.
using setting_field = std::variant<uint32_t run_settings::*, milliseconds run_settings::*, std::string run_settings::*,
                                   std::optional<nano_dollars> run_settings::*, limit_policy run_settings::*>;

struct setting {
  std::string_view name;    ///< Key in every configuration file.
  std::string_view option;  ///< On the command line: "-m,--model".
  setting_kind kind = setting_kind::text;
  setting_field field;
  std::string_view column;  ///< In the ledger's table `run`.
  std::string_view help;    ///< For `--help`, without the default.
  /// What the program comes with, as `config/defaults.json` has it. Empty: nothing.
  std::string_view standard{};
  uint64_t least = 0;  ///< Of numbers.
  uint64_t most = 0;
  uint64_t least_option = 0;  ///< As `least`, on the command line.
  std::vector<std::string_view> choices{};
  std::string_view valid{};   ///< What else is good for the text: "a model, auto or none".
  bool can_be_none = false;   ///< "none" takes the setting away.
  bool changes_plan = false;  ///< Another value asks for another plan.
  /// False: it says where files are written. A file of settings that applies to every project has no say in that.
  bool in_users_file = true;
};

/// In the order in which documentation and `--help` speak of them.
[[nodiscard]] std::span<const setting> setting_table();

/// Null if there is none of this name.
[[nodiscard]] const setting* find_setting(std::string_view name) noexcept;

/// "--model", as messages call it.
[[nodiscard]] std::string_view long_option(const setting& which) noexcept;

/// Values by name, as text: "10", "auto", "none", "2.00".
using setting_values = std::map<std::string, std::string, std::less<>>;

/// Sets what `values` name. `ec::usage` names the option and says what is valid.
[[nodiscard]] expected<void> apply(const setting_values& values, run_settings& target);

/// The value as text, as `apply` takes it; "none" or an empty text if there is none.
[[nodiscard]] std::string value_of(const setting& which, const run_settings& settings);

/// True if `wanted` asks for another plan than the one that was made for `stored`, the model aside.
[[nodiscard]] bool asks_for_another_plan(const run_settings& wanted, const run_settings& stored);

}  // namespace cohort::settings
