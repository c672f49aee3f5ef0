// The models that can be asked for, with their limits and prices.
// Invariant: a catalog that loads is sane as a whole; money is never computed from a doubtful price.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "messages/price.hpp"

namespace cohort::claude {

/// The price list, as `config/models.json` has it.
class catalog {
 public:
  /// Reads and checks `file`. `ec::config_invalid` names the file, the model and the field.
  [[nodiscard]] static expected<catalog> load(const std::filesystem::path& file);
  /// From `config_directory() / "models.json"`.
  [[nodiscard]] static expected<catalog> load();
  /// The same from text; `origin` stands for the file in messages.
  [[nodiscard]] static expected<catalog> parse(std::string_view json, std::string_view origin);

  /// By alias or full id. `ec::model_unknown` lists what exists.
  [[nodiscard]] expected<model_info> find(std::string_view alias_or_id) const;

  /// The models that stand in for `first` while it is overloaded, in order: none for an empty `wish`, those that the
  /// price list names one after the other for "auto", else the one model `wish`. `ec::usage` if that is `first` itself.
  [[nodiscard]] expected<std::vector<model_info>> fallbacks_of(const model_info& first, std::string_view wanted) const;

  /// In the file's order.
  [[nodiscard]] const std::vector<model_info>& models() const noexcept { return models_; }

 private:
  std::vector<model_info> models_;
};

}  // namespace cohort::claude
