// "id batch us;above input output write5m write1h read;...#check"; ids hold no spaces.

#include "state/price_notes.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "state/seal.hpp"

namespace cohort {

namespace {

std::string check_of(std::string_view text) { return fmt::format("{}", seal{}.add(text).value()); }

/// The next part of `rest` up to `end`, which is taken off as well.
std::string_view take(std::string_view& rest, char end) {
  const auto length = std::min(rest.find(end), rest.size());
  const auto part = rest.substr(0, length);
  rest.remove_prefix(std::min(length + 1, rest.size()));
  return part;
}

/// The check value has held, so that what stands here was written by `pack_prices`.
template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string pack_prices(const model_info& model) {
  auto text = fmt::format("{} {} {}", model.id, model.batch_percent, model.us_inference_percent);
  for (const auto& card : model.cards)
    text += fmt::format(";{} {} {} {} {} {}", card.above_prompt_tokens, card.input.per_token, card.output.per_token,
                        card.cache_write_5m.per_token, card.cache_write_1h.per_token, card.cache_read.per_token);
  return text + "#" + check_of(text);
}

std::optional<model_info> unpack_prices(std::string_view packed) {
  const auto mark = packed.rfind('#');
  if (mark == std::string_view::npos || packed.substr(mark + 1) != check_of(packed.substr(0, mark)))
    return std::nullopt;
  auto rest = packed.substr(0, mark);
  auto head = take(rest, ';');
  model_info model;
  model.id = take(head, ' ');
  model.batch_percent = number<uint32_t>(take(head, ' '));
  model.us_inference_percent = number<uint32_t>(head);
  while (!rest.empty()) {
    auto row = take(rest, ';');
    price_card card;
    card.above_prompt_tokens = number<uint64_t>(take(row, ' '));
    for (auto* rate : {&card.input, &card.output, &card.cache_write_5m, &card.cache_write_1h, &card.cache_read})
      rate->per_token = number<int64_t>(take(row, ' '));
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

}  // namespace cohort
