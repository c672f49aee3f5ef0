// Lists the models that can be asked for, with their limits and prices.
// Invariant: a catalog that loads has been checked as a whole; money is never computed from a doubtful price.
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
  /// The same from text; messages name `origin` instead of a file.
  [[nodiscard]] static expected<catalog> parse(std::string_view json, std::string_view origin);

  /// Finds a model by alias or full id. The error `ec::model_unknown` lists the models that exist.
  [[nodiscard]] expected<model_info> find(std::string_view alias_or_id) const;

  /// The models that stand in for `first` while it is overloaded, in order: none if `wanted` is empty, the chain of
  /// fallbacks in the price list if it is "auto", else the one model that it names. `ec::usage` if that is `first`
  /// itself.
  [[nodiscard]] expected<std::vector<model_info>> fallbacks_of(const model_info& first, std::string_view wanted) const;

  /// In the file's order.
  [[nodiscard]] const std::vector<model_info>& models() const noexcept { return models_; }

 private:
  std::vector<model_info> models_;
};

}  // namespace cohort::claude
