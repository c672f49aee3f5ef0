#include "messages/price.hpp"

#include <gtest/gtest.h>

#include "messages/task_id.hpp"

namespace cohort::inline messages {
namespace {

/// A model with two cards: cheap up to 100 prompt tokens, five times dearer above.
model_info two_cards() {
  model_info model;
  model.id = "two-cards";
  model.cards = {{0, {100'000}, {500'000}, {125'000}, {200'000}, {10'000}},
                 {100, {500'000}, {2'500'000}, {625'000}, {1'000'000}, {50'000}}};
  model.batch_percent = 50;
  model.us_inference_percent = 110;
  return model;
}

TEST(price, chooses_the_card_by_the_whole_prompt) {
  token_usage usage;
  usage.input_tokens = 60;
  usage.cache_read_tokens = 40;
  EXPECT_EQ(cost_of(usage, two_cards()).count, 60 * 100 + 40 * 10);
  usage.cache_read_tokens = 41;
  EXPECT_EQ(cost_of(usage, two_cards()).count, 60 * 500 + 41 * 50);
}

TEST(price, halves_the_batch_tier_and_adds_the_inference_region) {
  token_usage usage;
  usage.cache_read_tokens = 1;
  usage.tier = service_tier::batch;
  usage.us_inference = true;
  EXPECT_EQ(cost_of(usage, two_cards()).count, 6);  // 5.5 nano-dollars, rounded up.
}

TEST(price, bounds_every_bill_that_the_request_can_cause) {
  const auto model = two_cards();
  for (uint64_t prompt : {0, 1, 99, 100, 101, 5000})
    for (uint32_t kind = 0; kind < 4; ++kind)
      for (bool us : {false, true}) {
        token_usage usage;
        (kind == 0   ? usage.input_tokens
         : kind == 1 ? usage.cache_write_5m_tokens
         : kind == 2 ? usage.cache_write_1h_tokens
                     : usage.cache_read_tokens) = prompt;
        usage.output_tokens = 200;
        usage.us_inference = us;
        EXPECT_LE(cost_of(usage, model), most_it_can_cost(prompt, 200, model)) << prompt << ' ' << kind;
      }
}

// A price list may hold a cache that is dearer to read than to fill.
TEST(price, bounds_the_bill_of_reads_that_cost_more_than_writes) {
  auto model = two_cards();
  model.cards[0].cache_read = {900'000};
  token_usage usage;
  usage.cache_read_tokens = 80;
  EXPECT_LE(cost_of(usage, model), most_it_can_cost(80, 1, model));
}

TEST(identity, survives_text) {
  const auto id = task_id_from(sha256("x"));
  EXPECT_EQ(task_id_from_hex(to_string(id)), id);
  EXPECT_EQ(task_id_from_hex("zz"), task_id{});
}

}  // namespace
}  // namespace cohort::inline messages
