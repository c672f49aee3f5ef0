// Holds what the provider knows of its models: limits and prices from `config/models.json`, behaviour from
// `config/simulator/model-traits.json`.
// Invariant: the simulator computes the bill with this code only, so that the bill is an independent witness.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/money.hpp"

namespace cohort::simulator {

/// Tokens of one answer as the provider counts them.
struct counted_tokens {
  uint64_t input = 0;  ///< Uncached part of the prompt.
  uint64_t write_5m = 0;
  uint64_t write_1h = 0;
  uint64_t read = 0;
  uint64_t output = 0;  ///< Thinking included.

  [[nodiscard]] uint64_t prompt() const noexcept { return input + write_5m + write_1h + read; }
};

/// Prices for prompts longer than `above`.
struct price_column {
  uint64_t above = 0;
  pico_rate input;
  pico_rate output;
  pico_rate write_5m;
  pico_rate write_1h;
  pico_rate read;
};

struct served_model {
  std::string id;
  std::string display_name;
  std::string created_at;  ///< RFC 3339.
  uint64_t context_tokens = 0;
  uint64_t max_output_tokens = 0;
  uint64_t cache_minimum_tokens = 0;  ///< Shorter prefixes are silently not cached.
  bool accepts_prefill = false;
  bool accepts_sampling = false;      ///< `temperature`, `top_p`, `top_k` with `anthropic-version: 2023-06-01`.
  std::vector<price_column> columns;  ///< Ascending by `above`; never empty.
};

enum class price_tier : uint8_t { standard, batch };

class price_list {
 public:
  /// Reads both files. Fails with `ec::config_invalid` or the error of reading.
  [[nodiscard]] static expected<price_list> load(const std::filesystem::path& models,
                                                 const std::filesystem::path& traits);

  [[nodiscard]] const std::vector<served_model>& models() const noexcept { return models_; }

  /// The model with this full id, or null: the API knows no aliases.
  [[nodiscard]] const served_model* find(std::string_view id) const noexcept;

  /// Exact sum of tokens x rate, rounded up once to the nano-dollar; the column goes by the whole prompt's length.
  [[nodiscard]] nano_dollars bill(const served_model& model, const counted_tokens& tokens, price_tier tier,
                                  bool us_inference) const noexcept;

 private:
  std::vector<served_model> models_;
  int64_t batch_percent_ = 100;
  int64_t us_percent_ = 100;
};

}  // namespace cohort::simulator
