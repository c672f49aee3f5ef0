// Reads `config/models.json` and refuses every doubtful value: a typing error there would be a wrong bill.

#include "claude/api/catalog.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::claude {

namespace {

constexpr uint64_t most_tokens = 100'000'000;
constexpr int64_t dearest_rate = 100'000LL * 1'000'000;  ///< 100,000 USD per million tokens: surely a mistake.
constexpr int64_t nanos_per_rate_step = 1000;            ///< USD per million tokens -> pico-dollars per token.

pico_rate rate_at(const config_reader& card, const char* key) {
  const auto field = card.at(key);
  const auto refuse = [&](std::string_view why) { return field.refuse(why), pico_rate{}; };
  if (!field.json().is_string()) return refuse("must be a price as a text such as \"0.125\"");
  const auto dollars = parse_dollars(field.as_text());
  if (!dollars) return refuse(fmt::format("is no price: {}", dollars.error().message));
  if (dollars->count % nanos_per_rate_step != 0) return refuse("has more than six decimals");
  const pico_rate rate{dollars->count / nanos_per_rate_step};
  if (rate.per_token > dearest_rate) return refuse("is above 100,000 USD per million tokens");
  return rate;
}

price_card card_from(const config_reader& read) {
  price_card card;
  read.read("above_prompt_tokens", 0, most_tokens, card.above_prompt_tokens);
  card.input = rate_at(read, "input");
  card.output = rate_at(read, "output");
  card.cache_write_5m = rate_at(read, "cache_write_5m");
  card.cache_write_1h = rate_at(read, "cache_write_1h");
  card.cache_read = rate_at(read, "cache_read");
  return card;
}

std::vector<price_card> cards_from(const config_reader& list) {
  std::vector<price_card> cards;
  for (const auto& entry : list.items()) {
    const auto card = card_from(entry);
    if (cards.empty() && card.above_prompt_tokens != 0)
      entry.refuse("above_prompt_tokens", "must be 0 or absent on the first card");
    if (!cards.empty() && card.above_prompt_tokens <= cards.back().above_prompt_tokens)
      entry.refuse("above_prompt_tokens", "must rise from card to card");
    cards.push_back(card);
  }
  if (cards.empty()) list.refuse("must be a list with at least one price card");
  return cards;
}

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

std::string name_at(const config_reader& read, const char* key) {
  auto value = read.text(key);
  if (!plain_name(value)) read.refuse(key, "must be a name of printable ASCII characters without spaces");
  return value;
}

model_info model_from(const config_reader& entry) {
  model_info model;
  model.id = name_at(entry, "id");
  const auto read = entry.called(fmt::format("model '{}'", printable(model.id)));
  if (read.has("alias")) model.alias = name_at(read, "alias");
  if (read.has("fallback")) model.fallback = name_at(read, "fallback");
  model.takes_effort = read.flag_or("effort", model.takes_effort);
  model.context_tokens = read.number("context_tokens", 1, most_tokens);
  model.max_output_tokens = static_cast<uint32_t>(read.number("max_output_tokens", 1, model.context_tokens));
  model.cards = cards_from(read.at("cards"));
  return model;
}

/// Checks that every fallback is a model of the list, and that no chain of fallbacks is a circle.
void check_fallbacks(const catalog& listed, const config_reader& top) {
  for (const auto& model : listed.models()) {
    const auto at = top.called(fmt::format("model '{}'", printable(model.id)));
    auto next = model.fallback;
    for (size_t steps = 0; !next.empty(); ++steps) {
      const auto found = listed.find(next);
      if (!found) return at.refuse("fallback", fmt::format("names '{}', which is not in the list", printable(next)));
      if (steps == listed.models().size()) return at.refuse("fallback", "leads back to the model itself");
      next = found->fallback;
    }
  }
}

/// Finds an alias or id that already names another model.
void check_unused(const std::vector<model_info>& models, const model_info& added, const config_reader& entry) {
  const auto at = entry.called(fmt::format("model '{}'", printable(added.id)));
  for (const auto& other : models) {
    if (other.id == added.id || other.alias == added.id) at.refuse("id", "is given twice");
    if (!added.alias.empty() && (other.alias == added.alias || other.id == added.alias))
      at.refuse("alias", fmt::format("'{}' is given twice", added.alias));
  }
}

}  // namespace

expected<catalog> catalog::parse(std::string_view text, std::string_view origin) {
  const auto document = config_document::parse(text, std::string{origin});
  if (!document) return tl::unexpected(document.error());
  const auto top = document->top();
  const auto batch = static_cast<uint32_t>(top.number("batch_percent", 1, 100));
  const auto us = static_cast<uint32_t>(top.number("us_inference_percent", 100, 1000));
  catalog result;
  for (const auto& entry : top.at("models").items()) {
    auto model = model_from(entry);
    check_unused(result.models_, model, entry);
    if (document->has_mistake()) break;
    model.batch_percent = batch;
    model.us_inference_percent = us;
    result.models_.push_back(std::move(model));
  }
  if (result.models_.empty()) top.refuse("models", "must be a list with at least one model");
  if (!document->has_mistake()) check_fallbacks(result, top);
  if (auto fine = document->finish(); !fine) return tl::unexpected(fine.error());
  return result;
}

expected<catalog> catalog::load(const std::filesystem::path& file) {
  const auto text = read_file(file, 1 << 20);
  if (!text) return fail(ec::config_invalid, fmt::format("the price list cannot be read: {}", text.error().message));
  return parse(*text, file.string());
}

expected<catalog> catalog::load() { return load(config_directory() / "models.json"); }

expected<std::vector<model_info>> catalog::fallbacks_of(const model_info& first, std::string_view wanted) const {
  std::vector<model_info> chain;
  if (wanted.empty()) return chain;
  if (wanted != "auto") {
    auto one = find(wanted);
    if (!one) return tl::unexpected(one.error());
    if (one->id == first.id)
      return fail(ec::usage, fmt::format("--fallback-model: {} is the model that is to be replaced", first.id));
    chain.push_back(std::move(*one));
    return chain;
  }
  for (auto next = first.fallback; !next.empty(); next = chain.back().fallback) {
    auto found = find(next);
    if (!found) return tl::unexpected(found.error());
    chain.push_back(std::move(*found));
  }
  return chain;
}

expected<model_info> catalog::find(std::string_view wanted) const {
  std::vector<std::string> names;
  for (const auto& model : models_) {
    if (model.id == wanted || (!model.alias.empty() && model.alias == wanted)) return model;
    names.push_back(model.alias.empty() ? model.id : fmt::format("{} ({})", model.alias, model.id));
  }
  return fail(ec::model_unknown, fmt::format("the model '{}' is not in the price list. Known are: {}",
                                             printable(wanted), fmt::join(names, ", ")));
}

}  // namespace cohort::claude
