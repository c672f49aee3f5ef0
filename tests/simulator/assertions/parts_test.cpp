// The parts that need no server: buckets under virtual time, the cache, the price list.

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "simulator/api/price_list.hpp"
#include "simulator/api/prompt_cache.hpp"
#include "simulator/api/rate_buckets.hpp"

namespace cohort::simulator {
namespace {

using std::chrono::seconds;

TEST(rate_buckets_test, refill_continuously_and_say_how_long_to_wait) {
  const steady_time start{};
  model_buckets buckets({60, 0, 0}, start);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(buckets.admit(1, 1, start), 0u);
  EXPECT_EQ(buckets.admit(1, 1, start), 1u);
  EXPECT_EQ(buckets.admit(1, 1, start + seconds{1}), 0u);
  EXPECT_NE(buckets.admit(1, 1, start + seconds{1}), 0u);
}

TEST(rate_buckets_test, a_request_larger_than_the_bucket_is_let_through_when_it_is_full) {
  const steady_time start{};
  model_buckets buckets({0, 1000, 0}, start);
  EXPECT_EQ(buckets.admit(3000, 1, start), 0u);
  EXPECT_EQ(buckets.admit(1, 1, start), 121u);
  EXPECT_EQ(buckets.admit(1, 1, start + seconds{121}), 0u);
}

TEST(prompt_cache_test, reads_only_after_the_writer_began_to_answer_and_within_the_ttl) {
  prompt_cache cache;
  const steady_time start{};
  const std::vector<cache_breakpoint> marks{{42, 2000, cache_ttl::five_minutes}};
  EXPECT_EQ(cache.count(marks, 3000, 1024, start).write_5m, 2000u);
  cache.store(marks, 1024, start, start + seconds{2});
  EXPECT_EQ(cache.count(marks, 3000, 1024, start + seconds{1}).read, 0u);
  EXPECT_EQ(cache.count(marks, 3000, 1024, start + seconds{2}).read, 2000u);
  EXPECT_EQ(cache.count(marks, 3000, 1024, start + seconds{303}).read, 0u);
  cache.store(marks, 1024, start + seconds{200}, start + seconds{200});
  EXPECT_EQ(cache.count(marks, 3000, 1024, start + seconds{303}).read, 2000u) << "a read refreshes";
}

TEST(prompt_cache_test, writes_what_follows_the_part_that_it_reads) {
  prompt_cache cache;
  const steady_time start{};
  cache.store(std::vector<cache_breakpoint>{{1, 2000, cache_ttl::one_hour}}, 1024, start, start);
  const std::vector<cache_breakpoint> marks{{1, 2000, cache_ttl::one_hour}, {2, 5000, cache_ttl::five_minutes}};
  const auto counted = cache.count(marks, 5500, 1024, start);
  EXPECT_EQ(counted.read, 2000u);
  EXPECT_EQ(counted.write_5m, 3000u);
  EXPECT_EQ(counted.input, 500u);
  EXPECT_EQ(counted.prompt(), 5500u);
}

class price_list_test : public testing::Test {
 protected:
  price_list prices =
      price_list::load(config_directory() / "models.json", config_directory() / "simulator" / "model-traits.json")
          .value();
  nano_dollars bill(const char* model, counted_tokens tokens, price_tier tier = price_tier::standard, bool us = false) {
    return prices.bill(*prices.find(model), tokens, tier, us);
  }
};

TEST_F(price_list_test, bills_each_kind_at_its_rate) {
  EXPECT_EQ(bill("claude-opus-5", {100, 0, 0, 0, 0}).count, 500'000);
  EXPECT_EQ(bill("claude-opus-5", {0, 100, 0, 0, 0}).count, 625'000);
  EXPECT_EQ(bill("claude-opus-5", {0, 0, 100, 0, 0}).count, 1'000'000);
  EXPECT_EQ(bill("claude-opus-5", {0, 0, 0, 100, 0}).count, 50'000);
  EXPECT_EQ(bill("claude-opus-5", {0, 0, 0, 0, 100}).count, 2'500'000);
}

TEST_F(price_list_test, chooses_the_card_by_the_whole_prompt) {
  EXPECT_EQ(bill("claude-haiku-5-5", {50'000, 0, 0, 50'000, 10}).count, 50'000 * 100 + 50'000 * 10 + 10 * 500);
  EXPECT_EQ(bill("claude-haiku-5-5", {50'000, 0, 0, 50'001, 10}).count, 50'000 * 500 + 50'001 * 50 + 10 * 2500);
}

TEST_F(price_list_test, rounds_up_once) {
  // 1 token read at 10 nano-dollars, half of it in a batch, 10 % more in the US: 5.5, so 6.
  EXPECT_EQ(bill("claude-haiku-5-5", {0, 0, 0, 1, 0}, price_tier::batch, true).count, 6);
  EXPECT_EQ(bill("claude-haiku-5-5", {0, 0, 0, 3, 0}, price_tier::batch, true).count, 17);  // 16.5
  EXPECT_EQ(bill("claude-haiku-5-5", {0, 0, 0, 0, 0}).count, 0);
}

}  // namespace
}  // namespace cohort::simulator
