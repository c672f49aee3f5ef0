// Reads `config/models.json` and refuses every doubtful value: a typing error there would be a wrong bill.

#include "claude/api/catalog.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "claude/api/json.hpp"

namespace cohort::claude {

namespace {

using nlohmann::json;

constexpr uint64_t most_tokens = 100'000'000;
constexpr int64_t dearest_rate = 100'000LL * 1'000'000;  ///< 100,000 USD per million tokens: surely a mistake.
constexpr int64_t nanos_per_rate_step = 1000;            ///< USD per million tokens -> pico-dollars per token.
constexpr uint32_t config_depth = 32;

/// The path of the present member, for messages.
struct location {
  std::string origin;
  std::string model;

  [[nodiscard]] tl::unexpected<error> refuse(std::string_view field, std::string_view why) const {
    const auto which = model.empty() ? std::string{} : fmt::format(" model '{}',", printable(model));
    return fail(ec::config_invalid, fmt::format("{}:{} field '{}' {}. Correct the file.", origin, which, field, why));
  }
};

expected<void> only_known(const json& object, std::initializer_list<std::string_view> known, const location& at) {
  for (const auto& [key, _] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) return at.refuse(printable(key), "is not known");
  return {};
}

expected<uint64_t> whole_number(const json& object, const char* key, uint64_t least, uint64_t most,
                                const location& at) {
  const auto& value = member(object, key);
  const bool whole = value.is_number_integer() && value >= 0;
  if (!whole || value.get<uint64_t>() < least || value.get<uint64_t>() > most)
    return at.refuse(key, fmt::format("has to be a whole number from {} to {}", least, most));
  return value.get<uint64_t>();
}

expected<pico_rate> rate_at(const json& card, const char* key, const location& at) {
  const auto& value = member(card, key);
  if (!value.is_string()) return at.refuse(key, "has to be a price as a string such as \"0.125\"");
  const auto dollars = parse_dollars(value.get<std::string>());
  if (!dollars) return at.refuse(key, fmt::format("is no price: {}", dollars.error().message));
  if (dollars->count % nanos_per_rate_step != 0) return at.refuse(key, "has more than six decimals");
  const pico_rate rate{dollars->count / nanos_per_rate_step};
  if (rate.per_token > dearest_rate) return at.refuse(key, "is above 100,000 USD per million tokens");
  return rate;
}

expected<price_card> card_from(const json& value, const location& at) {
  if (!value.is_object()) return at.refuse("cards", "has to hold objects");
  if (auto ok = only_known(
          value, {"above_prompt_tokens", "input", "output", "cache_write_5m", "cache_write_1h", "cache_read"}, at);
      !ok)
    return tl::unexpected(ok.error());
  price_card card;
  if (value.contains("above_prompt_tokens")) {
    const auto above = whole_number(value, "above_prompt_tokens", 0, most_tokens, at);
    if (!above) return tl::unexpected(above.error());
    card.above_prompt_tokens = *above;
  }
  const std::pair<const char*, pico_rate*> rates[] = {{"input", &card.input},
                                                      {"output", &card.output},
                                                      {"cache_write_5m", &card.cache_write_5m},
                                                      {"cache_write_1h", &card.cache_write_1h},
                                                      {"cache_read", &card.cache_read}};
  for (const auto& [key, target] : rates) {
    const auto rate = rate_at(value, key, at);
    if (!rate) return tl::unexpected(rate.error());
    *target = *rate;
  }
  return card;
}

expected<std::vector<price_card>> cards_from(const json& value, const location& at) {
  if (!value.is_array() || value.empty()) return at.refuse("cards", "has to be a list with at least one price card");
  std::vector<price_card> cards;
  for (const auto& entry : value) {
    auto card = card_from(entry, at);
    if (!card) return tl::unexpected(card.error());
    if (cards.empty() && card->above_prompt_tokens != 0)
      return at.refuse("above_prompt_tokens", "has to be 0 or absent on the first card");
    if (!cards.empty() && card->above_prompt_tokens <= cards.back().above_prompt_tokens)
      return at.refuse("above_prompt_tokens", "has to rise from card to card");
    cards.push_back(*card);
  }
  return cards;
}

bool plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

expected<model_info> model_from(const json& value, location at) {
  if (!value.is_object()) return at.refuse("models", "has to hold objects");
  model_info model;
  model.id = at.model = text_at(value, "id");
  if (!plain_name(model.id)) return at.refuse("id", "has to be a name of printable ASCII characters without spaces");
  if (auto ok = only_known(
          value, {"id", "alias", "comment", "context_tokens", "max_output_tokens", "effort", "fallback", "cards"}, at);
      !ok)
    return tl::unexpected(ok.error());
  if (value.contains("alias")) {
    model.alias = text_at(value, "alias");
    if (!plain_name(model.alias))
      return at.refuse("alias", "has to be a name of printable ASCII characters without spaces");
  }
  if (value.contains("effort")) {
    if (!value["effort"].is_boolean()) return at.refuse("effort", "has to be true or false");
    model.takes_effort = value["effort"].get<bool>();
  }
  if (value.contains("fallback")) {
    model.fallback = text_at(value, "fallback");
    if (!plain_name(model.fallback)) return at.refuse("fallback", "has to be a model's alias or id");
  }
  const auto context = whole_number(value, "context_tokens", 1, most_tokens, at);
  if (!context) return tl::unexpected(context.error());
  const auto output = whole_number(value, "max_output_tokens", 1, *context, at);
  if (!output) return tl::unexpected(output.error());
  auto cards = cards_from(member(value, "cards"), at);
  if (!cards) return tl::unexpected(cards.error());
  model.context_tokens = *context;
  model.max_output_tokens = static_cast<uint32_t>(*output);
  model.cards = std::move(*cards);
  return model;
}

/// Checks that every fallback is a model of the list, and that no chain of fallbacks is a circle.
expected<void> fallbacks_end(const catalog& listed, const std::string& origin) {
  for (const auto& model : listed.models()) {
    const location at{origin, model.id};
    auto next = model.fallback;
    for (size_t steps = 0; !next.empty(); ++steps) {
      const auto found = listed.find(next);
      if (!found) return at.refuse("fallback", fmt::format("names '{}', which is not in the list", printable(next)));
      if (steps == listed.models().size()) return at.refuse("fallback", "leads back to the model itself");
      next = found->fallback;
    }
  }
  return {};
}

/// Finds an alias or id that already names another model.
expected<void> unused(const std::vector<model_info>& models, const model_info& added, const std::string& origin) {
  const location at{origin, added.id};
  for (const auto& other : models) {
    if (other.id == added.id || other.alias == added.id) return at.refuse("id", "is given twice");
    if (!added.alias.empty() && (other.alias == added.alias || other.id == added.alias))
      return at.refuse("alias", fmt::format("'{}' is given twice", added.alias));
  }
  return {};
}

}  // namespace

expected<catalog> catalog::parse(std::string_view text, std::string_view origin) {
  const location at{std::string{origin}, {}};
  const auto root = parse_json(text, config_depth);
  if (!root || !root->is_object())
    return fail(ec::config_invalid, fmt::format("{} is not a valid JSON object. Correct the file.", origin));
  if (auto ok = only_known(*root, {"comment", "models", "batch_percent", "us_inference_percent"}, at); !ok)
    return tl::unexpected(ok.error());
  const auto batch = whole_number(*root, "batch_percent", 1, 100, at);
  if (!batch) return tl::unexpected(batch.error());
  const auto us = whole_number(*root, "us_inference_percent", 100, 1000, at);
  if (!us) return tl::unexpected(us.error());
  const auto& list = member(*root, "models");
  if (!list.is_array() || list.empty()) return at.refuse("models", "has to be a list with at least one model");
  catalog result;
  for (const auto& entry : list) {
    auto model = model_from(entry, at);
    if (!model) return tl::unexpected(model.error());
    if (auto ok = unused(result.models_, *model, at.origin); !ok) return tl::unexpected(ok.error());
    model->batch_percent = static_cast<uint32_t>(*batch);
    model->us_inference_percent = static_cast<uint32_t>(*us);
    result.models_.push_back(std::move(*model));
  }
  if (auto end = fallbacks_end(result, at.origin); !end) return tl::unexpected(end.error());
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
