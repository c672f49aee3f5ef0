// "id batch us;above input output write5m write1h read;..."; ids hold no spaces. The row that holds it is signed.

#include "state/ledger/price_history.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace cohort::state {

namespace {

constexpr int64_t dearest_rate = 1'000'000'000'000;  ///< In pico-dollars: a dollar for a token.

/// The next part of `rest` up to `end`, which is taken off as well.
std::string_view take(std::string_view& rest, char end) {
  const auto length = std::min(rest.find(end), rest.size());
  const auto part = rest.substr(0, length);
  rest.remove_prefix(std::min(length + 1, rest.size()));
  return part;
}

/// A number that can be one: digits alone, within what a price or a limit may be. Anything else spoils the note.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string pack_prices(const model_info& model) {
  auto text = fmt::format("{} {} {}", model.id, model.batch_percent, model.us_inference_percent);
  for (const auto& card : model.cards)
    text += fmt::format(";{} {} {} {} {} {}", card.above_prompt_tokens, card.input.per_token, card.output.per_token,
                        card.cache_write_5m.per_token, card.cache_write_1h.per_token, card.cache_read.per_token);
  return text;
}

std::optional<model_info> unpack_prices(std::string_view packed) {
  auto rest = packed;
  auto head = take(rest, ';');
  model_info model;
  model.id = take(head, ' ');
  const auto batch = number<uint32_t>(take(head, ' '));
  const auto us = number<uint32_t>(head);
  if (!batch || !us) return std::nullopt;
  model.batch_percent = *batch;
  model.us_inference_percent = *us;
  while (!rest.empty()) {
    auto row = take(rest, ';');
    price_card card;
    const auto above = number<uint64_t>(take(row, ' '));
    if (!above) return std::nullopt;
    card.above_prompt_tokens = *above;
    for (auto* rate : {&card.input, &card.output, &card.cache_write_5m, &card.cache_write_1h, &card.cache_read}) {
      const auto price = number<int64_t>(take(row, ' '));
      if (!price || *price > dearest_rate) return std::nullopt;
      rate->per_token = *price;
    }
    model.cards.push_back(card);
  }
  if (model.cards.empty()) return std::nullopt;
  return model;
}

void price_history::add(wall_time from, model_info prices) {
  const auto later = std::upper_bound(notes_.begin(), notes_.end(), from,
                                      [](wall_time time, const note& other) { return time < other.from; });
  notes_.insert(later, note{from, std::move(prices)});
}

const model_info* price_history::at(const std::string& model, wall_time when) const noexcept {
  const model_info* found = nullptr;
  for (const auto& entry : notes_) {
    if (entry.prices.id != model) continue;
    if (found != nullptr && entry.from > when) break;
    found = &entry.prices;
  }
  return found;
}

}  // namespace cohort::state
