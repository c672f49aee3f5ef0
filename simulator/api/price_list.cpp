// Reads prices, which are decimal strings in USD per million tokens; they become whole pico-dollars per token without
// rounding.

#include "simulator/api/price_list.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort::simulator {

namespace {

using nlohmann::json;

struct wrong {
  std::string what;
};

pico_rate rate_of(const json& column, const char* key) {
  const auto dollars = parse_dollars(column.at(key).get<std::string>());
  if (!dollars) throw wrong{fmt::format("price \"{}\": {}", key, dollars.error().message)};
  if (dollars->count % 1000 != 0) throw wrong{fmt::format("price \"{}\" is no whole number of pico-dollars", key)};
  return {dollars->count / 1000};
}

price_column column_of(const json& x) {
  return {x.value("above_prompt_tokens", uint64_t{0}),
          rate_of(x, "input"),
          rate_of(x, "output"),
          rate_of(x, "cache_write_5m"),
          rate_of(x, "cache_write_1h"),
          rate_of(x, "cache_read")};
}

served_model model_of(const json& x) {
  served_model model;
  model.id = x.at("id").get<std::string>();
  model.context_tokens = x.at("context_tokens").get<uint64_t>();
  model.max_output_tokens = x.at("max_output_tokens").get<uint64_t>();
  for (const auto& column : x.at("cards")) model.columns.push_back(column_of(column));
  if (model.columns.empty()) throw wrong{fmt::format("model {} has no prices", model.id)};
  std::sort(model.columns.begin(), model.columns.end(), [](const auto& a, const auto& b) { return a.above < b.above; });
  return model;
}

void add_traits(served_model& model, const json& traits) {
  json own = traits.at("default");
  if (traits.at("models").contains(model.id)) own.update(traits.at("models").at(model.id));
  model.display_name = own.value("display_name", model.id);
  model.created_at = own.at("created_at").get<std::string>();
  model.cache_minimum_tokens = own.at("cache_minimum_tokens").get<uint64_t>();
  model.accepts_prefill = own.at("accepts_prefill").get<bool>();
  model.accepts_sampling = own.at("accepts_sampling").get<bool>();
}

expected<json> read_json(const std::filesystem::path& path) {
  auto text = read_file(path, 16 << 20);
  if (!text) return tl::unexpected(text.error());
  auto document = json::parse(*text, nullptr, false);
  if (document.is_discarded()) return fail(ec::config_invalid, fmt::format("{}: not valid JSON", path.string()));
  return document;
}

}  // namespace

expected<price_list> price_list::load(const std::filesystem::path& models, const std::filesystem::path& traits) {
  const auto listed = read_json(models);
  if (!listed) return tl::unexpected(listed.error());
  const auto habits = read_json(traits);
  if (!habits) return tl::unexpected(habits.error());
  price_list list;
  const std::filesystem::path* at = &models;
  try {
    list.batch_percent_ = listed->at("batch_percent").get<int64_t>();
    list.us_percent_ = listed->at("us_inference_percent").get<int64_t>();
    for (const auto& x : listed->at("models")) list.models_.push_back(model_of(x));
    at = &traits;
    for (auto& model : list.models_) add_traits(model, *habits);
  } catch (const json::exception& problem) {
    return fail(ec::config_invalid, fmt::format("{}: {}", at->string(), problem.what()));
  } catch (const wrong& problem) {
    return fail(ec::config_invalid, fmt::format("{}: {}", at->string(), problem.what));
  }
  if (list.models_.empty()) return fail(ec::config_invalid, fmt::format("{}: names no model", models.string()));
  return list;
}

const served_model* price_list::find(std::string_view id) const noexcept {
  for (const auto& model : models_)
    if (model.id == id) return &model;
  return nullptr;
}

nano_dollars price_list::bill(const served_model& model, const counted_tokens& tokens, price_tier tier,
                              bool us_inference) const noexcept {
  const price_column* column = &model.columns.front();
  for (const auto& candidate : model.columns)
    if (tokens.prompt() > candidate.above) column = &candidate;
  // Percentages are applied to the exact sum, in units of pico-dollars / 10,000, and rounded once.
  wide_integer sum = 0;
  const auto add = [&sum](uint64_t count, pico_rate rate) { sum += static_cast<wide_integer>(count) * rate.per_token; };
  add(tokens.input, column->input);
  add(tokens.write_5m, column->write_5m);
  add(tokens.write_1h, column->write_1h);
  add(tokens.read, column->read);
  add(tokens.output, column->output);
  sum *= tier == price_tier::batch ? batch_percent_ : 100;
  sum *= us_inference ? us_percent_ : 100;
  constexpr wide_integer divisor = 10'000'000;  // percent twice, and pico to nano
  const wide_integer nano = (sum + divisor - 1) / divisor;
  return nano > nano_dollars::max().count ? nano_dollars::max() : nano_dollars{static_cast<int64_t>(nano)};
}

}  // namespace cohort::simulator
