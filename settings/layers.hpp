// The files that say how a run is to be set: `config/defaults.json`, the user's own file, and the templates. Each is a
// layer of values; later ones win: defaults, the user's file, a template. What the command line says wins over all.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "settings/setting_table.hpp"

namespace cohort::inline base {
class config_reader;
}

namespace cohort::settings {

/// Who wrote a file of settings.
enum class file_author : uint8_t { program, user };

/// The settings in an object of a configuration file. Mistakes are kept by the reader.
[[nodiscard]] setting_values read_settings(const config_reader& object, file_author author);

/// `$XDG_CONFIG_HOME/cohort/config.json`, else `~/.config/cohort/config.json`. Nothing if neither variable is an
/// absolute path.
[[nodiscard]] std::optional<std::filesystem::path> users_file();

/// What `file` says; nothing if it does not exist. `ec::config_invalid` names the file, the key and what is valid.
[[nodiscard]] expected<setting_values> load_users_file(const std::filesystem::path& file);

/// What the template `NAME.json` in `folder` says. `ec::usage` lists the templates if there is no such one.
[[nodiscard]] expected<setting_values> load_template(const std::filesystem::path& folder, const std::string& name);

}  // namespace cohort::settings
