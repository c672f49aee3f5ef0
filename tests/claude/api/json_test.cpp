#include "claude/api/json.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace cohort::claude {
namespace {

constexpr uint32_t depth = 64;

std::string nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

/// What the library that has the last word makes of it.
std::optional<nlohmann::json> expected_of(const std::string& text) {
  auto value = nlohmann::json::parse(text, nullptr, false);
  return value.is_discarded() ? std::nullopt : std::optional{std::move(value)};
}

TEST(json, means_the_same_to_both_readers) {
  const std::vector<std::string> texts{
      "",
      " ",
      "null",
      "true",
      "[]",
      "{}",
      "0",
      "-0",
      "-1",
      "12",
      "9223372036854775807",
      "9223372036854775808",
      "-9223372036854775808",
      "18446744073709551615",
      "18446744073709551616",
      "-9223372036854775809",
      "1e400",
      "1.0",
      "0.1",
      "-2.5e-3",
      "1E5",
      "01",
      "1.",
      "+1",
      "NaN",
      R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")",
      R"("\ud83d")",
      R"("\u0000")",
      "\"\xff\"",
      "\"\xed\xa0\x80\"",
      "\"a\nb\"",
      R"({"a":1,"b":[true,false,null,{"c":"d"}],"e":{}})",
      R"({"a":1,"a":2})",
      R"({"a":1,})",
      R"([1,2,])",
      R"({"a" 1})",
      "[1] [2]",
      "[1]x",
      "\xef\xbb\xbf{\"a\":1}",
      " \t\r\n{\"a\":1} \t\r\n",
      "[1,2",
      "\"abc",
      std::string{"[1]\0", 4},
  };
  for (const auto& text : texts) {
    const auto seen = parse_json(text, depth);
    const auto wanted = expected_of(text);
    ASSERT_EQ(seen.has_value(), wanted.has_value()) << text;
    if (!seen) continue;
    EXPECT_EQ(*seen, *wanted) << text;
    EXPECT_EQ(seen->dump(), wanted->dump()) << text;
  }
}

TEST(json, is_read_up_to_its_depth_and_no_deeper) {
  for (const uint32_t most : {8u, 64u, 8u, 1000u}) {
    EXPECT_TRUE(parse_json(nested(most), most)) << most;
    EXPECT_FALSE(parse_json(nested(most + 1), most)) << most;
  }
  EXPECT_FALSE(parse_json(std::string(1 << 22, '['), depth));
}

TEST(json, may_be_long) {
  const std::string small(1000, 'x');
  const std::string large(3 << 20, 'y');
  for (const auto& text : {small, large, small})
    EXPECT_EQ(text_at(*parse_json(R"({"text":")" + text + "\"}", depth), "text"), text);
}

TEST(json, is_read_on_many_threads) {
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([i] {
      for (int n = 0; n < 200; ++n) EXPECT_EQ(parse_json(std::to_string(i * 1000 + n), depth), i * 1000 + n);
    });
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace cohort::claude
