#include "claude/api/catalog.hpp"

#include <gtest/gtest.h>

namespace cohort::claude {
namespace {

std::string list_of(const std::string& models) {
  return R"({"batch_percent":50,"us_inference_percent":110,"models":[)" + models + "]}";
}

std::string model(const std::string& id, const std::string& extra = "", const std::string& input = R"("2")") {
  return R"({"id":")" + id + R"(",)" + extra + R"("context_tokens":1000,"max_output_tokens":100,"cards":[{"input":)" +
         input + R"(,"output":"10","cache_write_5m":"2.5","cache_write_1h":"4","cache_read":"0.1"}]})";
}

TEST(catalog, reads_the_shipped_price_list_exactly) {
  const auto list = catalog::load(COHORT_SOURCE_DIR "/config/models.json");
  ASSERT_TRUE(list) << list.error().message;
  const auto haiku = list->find("haiku");
  ASSERT_TRUE(haiku);
  EXPECT_EQ(haiku->id, "claude-haiku-5-5");
  ASSERT_EQ(haiku->cards.size(), 2U);
  EXPECT_EQ(haiku->cards[0].cache_write_5m.per_token, 125'000);
  EXPECT_EQ(haiku->cards[1].above_prompt_tokens, 100'000U);
  EXPECT_EQ(haiku->batch_percent, 50U);
  EXPECT_EQ(list->find("claude-sonnet-4-6")->cards[0].output.per_token, 15'000'000);
}

TEST(catalog, names_what_exists_when_a_model_is_unknown) {
  const auto list = catalog::load(COHORT_SOURCE_DIR "/config/models.json");
  const auto missing = list->find("gpt");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ec::model_unknown);
  EXPECT_NE(missing.error().message.find("opus (claude-opus-5-5)"), std::string::npos);
  EXPECT_NE(missing.error().message.find("claude-haiku-4-5"), std::string::npos);
  EXPECT_FALSE(list->find(""));
}

TEST(catalog, refuses_a_price_that_cannot_be_meant_and_names_file_model_and_field) {
  for (const char* bad : {R"("-1")", "2", R"("two")", R"("0.0000001")", R"("100001")", "null", R"("")", R"("1e3")"}) {
    const auto list = catalog::parse(list_of(model("m1", "", bad)), "prices.json");
    ASSERT_FALSE(list) << bad;
    EXPECT_EQ(list.error().code, ec::config_invalid);
    for (const char* named : {"prices.json", "model 'm1'", "\"input\""})
      EXPECT_NE(list.error().message.find(named), std::string::npos) << list.error().message;
  }
}

TEST(catalog, refuses_duplicates_and_broken_shapes) {
  const std::string broken[] = {list_of(model("m") + "," + model("m")),
                                list_of(model("a", R"("alias":"x",)") + "," + model("b", R"("alias":"x",)")),
                                list_of(model("a", R"("alias":"b",)") + "," + model("b")),
                                list_of(""),
                                list_of("7"),
                                list_of(model("m", R"("cards2":1,)")),
                                list_of(model("")),
                                "{",
                                "[]",
                                R"({"models":[]})",
                                R"({"batch_percent":0,"us_inference_percent":110,"models":[]})",
                                list_of(R"({"id":"m","context_tokens":10,"max_output_tokens":11,"cards":[]})"),
                                list_of(R"({"id":"m","context_tokens":-1,"max_output_tokens":1,"cards":[]})"),
                                list_of(R"({"id":"m","context_tokens":10,"max_output_tokens":1,"cards":[]})")};
  for (const auto& text : broken) {
    const auto list = catalog::parse(text, "prices.json");
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error().code, ec::config_invalid) << text;
  }
  EXPECT_TRUE(catalog::parse(list_of(model("m")), "prices.json"));
}

TEST(catalog, follows_fallbacks_to_their_end) {
  const auto list = catalog::parse(
      list_of(model("a", R"("alias":"first","fallback":"second",)") + "," +
              model("b", R"("alias":"second","fallback":"c",)") + "," + model("c", R"("effort":false,)")),
      "prices.json");
  ASSERT_TRUE(list) << list.error().message;
  const auto chain = list->fallbacks_of(*list->find("first"), "auto");
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ((*chain)[0].id, "b");
  EXPECT_EQ((*chain)[1].id, "c");
  EXPECT_TRUE((*chain)[0].takes_effort);
  EXPECT_FALSE((*chain)[1].takes_effort);
  EXPECT_TRUE(list->fallbacks_of(*list->find("c"), "auto")->empty());
  EXPECT_TRUE(list->fallbacks_of(*list->find("a"), "")->empty());
  EXPECT_EQ(list->fallbacks_of(*list->find("c"), "first")->front().id, "a");
  EXPECT_EQ(list->fallbacks_of(*list->find("a"), "first").error().code, ec::usage);
  EXPECT_EQ(list->fallbacks_of(*list->find("a"), "x").error().code, ec::model_unknown);
}

TEST(catalog, refuses_fallbacks_that_lead_nowhere_or_in_a_circle) {
  EXPECT_FALSE(catalog::parse(list_of(model("a", R"("fallback":"b",)")), "p"));
  EXPECT_FALSE(catalog::parse(list_of(model("a", R"("fallback":"a",)")), "p"));
  EXPECT_FALSE(catalog::parse(list_of(model("a", R"("fallback":"b",)") + "," + model("b", R"("fallback":"a",)")), "p"));
  EXPECT_FALSE(catalog::parse(list_of(model("a", R"("effort":"no",)")), "p"));
}

TEST(catalog, the_models_that_come_with_the_program_fall_back_from_opus_to_sonnet_to_haiku) {
  const auto list = catalog::load();
  ASSERT_TRUE(list) << list.error().message;
  const auto chain = list->fallbacks_of(*list->find("opus"), "auto");
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ((*chain)[0].alias, "sonnet");
  EXPECT_EQ((*chain)[1].alias, "haiku");
}

TEST(catalog, refuses_cards_that_do_not_rise) {
  const auto card = [](const char* above) {
    return std::string{R"({"above_prompt_tokens":)"} + above +
           R"(,"input":"1","output":"1","cache_write_5m":"1","cache_write_1h":"1","cache_read":"1"})";
  };
  const auto with = [&](const char* a, const char* b) {
    return list_of(R"({"id":"m","context_tokens":10,"max_output_tokens":1,"cards":[)" + card(a) + "," + card(b) + "]}");
  };
  EXPECT_TRUE(catalog::parse(with("0", "5"), "p"));
  EXPECT_FALSE(catalog::parse(with("0", "0"), "p"));
  EXPECT_FALSE(catalog::parse(with("5", "9"), "p"));
}

}  // namespace
}  // namespace cohort::claude
