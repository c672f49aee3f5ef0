// What the user asks for when a run is started, as given: what is not said here, stored settings and configuration
// files say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/provider_registry.hpp"
#include "settings/setting_table.hpp"

namespace cohort::app {

/// Where nodes may join.
struct listen_request {
  std::optional<std::string> address;   ///< HOST:PORT; nothing: nowhere.
  std::filesystem::path cluster;        ///< Folder with the certificates.
  std::optional<double> lease_seconds;  ///< Silence after which a node is lost.
};

struct run_request {
  std::filesystem::path project;
  settings::setting_values given;  ///< Settings of the run, by name.
  std::string preset;              ///< Name of a template; may be empty.
  provider_choice provider;
  listen_request listen;
  std::optional<uint64_t> grace_seconds;  ///< Of this start; not stored.
  uint32_t max_batches = 0;
  std::optional<std::filesystem::path> report_dir;
  std::optional<std::filesystem::path> gap_report;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::optional<std::vector<std::string>> regenerate;  ///< Globs of sources whose tests are made anew; empty: all.
  bool must_continue = false;                          ///< There has to be a run to continue.
  bool force = false;                                  ///< Also where batching brings no benefit.
  bool batched = true;                                 ///< False: all in one go.
  bool shows_batches = true;                           ///< False: people are told of none.
};

}  // namespace cohort::app
