// A usage is believed where it can be true; else the answer costs what was reserved, never more and never less.

#include "messages/priced_answer.hpp"

#include <functional>
#include <limits>

#include <gtest/gtest.h>

namespace cohort::inline messages {
namespace {

model_info model() {
  model_info info;
  info.id = "m";
  info.cards = {{0, {2'000'000}, {10'000'000}, {2'500'000}, {4'000'000}, {200'000}}};
  info.us_inference_percent = 110;
  info.batch_percent = 50;
  return info;
}

const std::string prompt(6000, 'p');
const asked_size asked{6000, 4000};
const nano_dollars reserved = most_it_can_cost(prompt_token_bound(6000), 4000, model());

completion honest() {
  completion answer;
  answer.text = std::string(3000, 't');
  answer.usage.input_tokens = 2000;
  answer.usage.output_tokens = 1000;
  return answer;
}

priced_answer priced(const std::function<void(token_usage&)>& change, std::optional<asked_size> size = asked) {
  auto answer = honest();
  change(answer.usage);
  return price_of(answer, size, model(), reserved);
}

TEST(priced_answer, follows_a_usage_that_can_be_true) {
  const auto price = priced([](auto&) {});
  EXPECT_EQ(price.doubt, usage_doubt::none);
  EXPECT_EQ(price.cost, cost_of(honest().usage, model()));
  EXPECT_EQ(price.usage, honest().usage);
  EXPECT_EQ(priced([](auto& usage) { usage.tier = service_tier::priority; }).doubt, usage_doubt::none);
  EXPECT_EQ(priced([](auto& usage) { usage = {0, 0, 0, 6064, 4000}; }).doubt, usage_doubt::none);
}

TEST(priced_answer, costs_its_reservation_where_the_usage_cannot_be_true) {
  constexpr auto most = std::numeric_limits<uint64_t>::max();
  const std::vector<std::pair<usage_doubt, std::function<void(token_usage&)>>> lies{
      {usage_doubt::small_prompt, [](auto& usage) { usage = {}; }},
      {usage_doubt::small_prompt, [](auto& usage) { usage.input_tokens = 0; }},
      {usage_doubt::small_prompt, [](auto& usage) { usage.input_tokens = 1; }},
      {usage_doubt::small_output, [](auto& usage) { usage.output_tokens = 0; }},
      {usage_doubt::small_output, [](auto& usage) { usage.output_tokens = 1; }},
      {usage_doubt::large_prompt, [](auto& usage) { usage.input_tokens = 6065; }},
      {usage_doubt::large_prompt, [](auto& usage) { usage.cache_write_1h_tokens = 99'999'999; }},
      {usage_doubt::large_prompt, [](auto& usage) { usage.cache_read_tokens = most; }},
      {usage_doubt::large_prompt,
       [](auto& usage) {
         usage = {most, most, most, most, 100};
       }},
      {usage_doubt::large_output, [](auto& usage) { usage.output_tokens = 4001; }},
      {usage_doubt::large_output, [](auto& usage) { usage.output_tokens = most; }},
      {usage_doubt::other_tier, [](auto& usage) { usage.tier = service_tier::batch; }},
      {usage_doubt::other_tier, [](auto& usage) { usage.tier = static_cast<service_tier>(200); }},
      {usage_doubt::not_counted, [](auto& usage) { usage.tier = service_tier::as_reserved; }},
  };
  for (const auto& [doubt, lie] : lies) {
    const auto price = priced(lie);
    EXPECT_EQ(price.doubt, doubt) << sentence(price.doubt);
    EXPECT_EQ(price.cost, reserved) << sentence(doubt);
    EXPECT_EQ(price.usage.tier, service_tier::as_reserved);
    EXPECT_EQ(price.usage.prompt_tokens() + price.usage.output_tokens, 0u);
    EXPECT_FALSE(sentence(doubt).empty());
  }
}

TEST(priced_answer, never_costs_more_than_was_reserved_when_the_request_is_not_known) {
  const auto forgotten = [](const auto& change) { return priced(change, std::nullopt); };
  EXPECT_EQ(forgotten([](auto&) {}).doubt, usage_doubt::none);
  EXPECT_EQ(forgotten([](auto& usage) { usage.output_tokens = 5'000'000; }).cost, reserved);
  EXPECT_EQ(forgotten([](auto& usage) { usage = {}; }).cost, reserved);
}

TEST(priced_answer, believes_an_answer_without_text_and_without_output) {
  completion refusal;
  refusal.usage.input_tokens = 2000;
  EXPECT_EQ(price_of(refusal, asked, model(), reserved).doubt, usage_doubt::none);
}

TEST(priced_answer, adds_counts_without_wrapping) {
  constexpr auto most = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ((token_usage{most, most, 1, 0, 0}).prompt_tokens(), most);
  EXPECT_EQ((token_usage{1, 2, 3, 4, 0}).prompt_tokens(), 10u);
}

}  // namespace
}  // namespace cohort::inline messages
