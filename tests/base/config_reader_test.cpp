// Reading configuration: the first mistake, where it is, and keys that nobody knows.

#include "base/config_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cohort {
namespace {

using testing::HasSubstr;

config_document read(std::string_view text) { return std::move(config_document::parse(text, "x.json").value()); }

std::string mistake_in(const config_document& document) {
  const auto fine = document.finish();
  if (fine) return {};
  EXPECT_EQ(fine.error().code, ec::config_invalid);
  return fine.error().message;
}

TEST(config_reader, reads_what_is_there_and_leaves_the_rest_as_it_was) {
  const auto document = read(R"({"n": 3, "t": "x", "list": ["a", "b"], "on": true, "pairs": {"k": "v"}})");
  const auto top = document.top();
  uint32_t n = 0;
  uint32_t missing = 7;
  top.read("n", 1, 5, n);
  top.read("missing", 1, 5, missing);
  EXPECT_EQ(n, 3u);
  EXPECT_EQ(missing, 7u);
  EXPECT_EQ(top.text("t"), "x");
  EXPECT_EQ(top.text_or("u", "y"), "y");
  EXPECT_THAT(top.texts("list"), testing::ElementsAre("a", "b"));
  EXPECT_TRUE(top.flag_or("on", false));
  EXPECT_EQ(top.pairs_or_none("pairs").at("k"), "v");
  EXPECT_EQ(mistake_in(document), "");
}

TEST(config_reader, names_file_place_and_what_is_valid) {
  const auto document = read(R"({"run": {"settings": {"concurrent": 0}}})");
  EXPECT_EQ(document.top().at("run").at("settings").number("concurrent", 1, 9), 1u);
  EXPECT_EQ(mistake_in(document), R"('x.json', key "run.settings": "concurrent" must be a whole number from 1 to 9)");
}

TEST(config_reader, keeps_the_first_mistake) {
  const auto document = read(R"({"a": 1, "b": 2})");
  (void)document.top().text("b");
  (void)document.top().text("a");
  EXPECT_EQ(mistake_in(document), R"('x.json': "b" must be a text)");
}

TEST(config_reader, refuses_keys_that_nobody_asked_for_but_comments) {
  const auto document = read(R"({"comment": "fine", "a": {"comment": "", "b": 1, "bb": 2}})");
  (void)document.top().at("a").number("b", 0, 9);
  EXPECT_EQ(mistake_in(document), R"('x.json', key "a": "bb" is not known; known are b)");
}

TEST(config_reader, passes_over_other_keys_where_that_is_asked_for) {
  const auto document = config_document::parse(R"({"a": 1, "z": 2})", "x.json", unknown_keys::passed_over).value();
  EXPECT_EQ(document.top().number("a", 0, 9), 1u);
  EXPECT_EQ(mistake_in(document), "");
}

TEST(config_reader, leaves_the_other_groups_of_a_file_to_others) {
  const auto document = read(R"({"mine": {"a": 1}, "yours": {"b": 1}})");
  EXPECT_EQ(document.group("mine").number("a", 0, 9), 1u);
  EXPECT_EQ(mistake_in(document), "");
  (void)document.group("nobodys");
  EXPECT_EQ(mistake_in(document), R"('x.json': "nobodys" must be an object)");
}

TEST(config_reader, counts_the_entries_of_lists) {
  const auto document = read(R"({"list": [{"n": 1}, {"n": "1"}]})");
  for (const auto& item : document.top().at("list").items()) (void)item.number("n", 0, 9);
  EXPECT_EQ(mistake_in(document), R"('x.json', key "list[1]": "n" must be a whole number from 0 to 9)");
}

TEST(config_reader, says_what_an_entry_is_called) {
  const auto document = read(R"({"models": [{"cards": [{}]}]})");
  const auto model = document.top().at("models").items().front().called("model 'm'");
  (void)model.at("cards").items().front().text("input");
  EXPECT_EQ(mistake_in(document), R"('x.json', model 'm', key "cards[0]": "input" is missing)");
}

TEST(config_reader, takes_nothing_for_a_number_but_whole_ones_within_bounds) {
  for (const auto* value : {"-1", "1.0", "\"3\"", "null", "[]", "true", "10", "1e2", "99999999999999999999"}) {
    const auto document = read(std::string{R"({"n": )"} + value + "}");
    uint8_t n = 5;
    document.top().read("n", 1, 9, n);
    EXPECT_EQ(n, 5) << value;
    EXPECT_THAT(mistake_in(document), HasSubstr("from 1 to 9")) << value;
  }
}

TEST(config_reader, says_what_stands_beside_a_missing_key_which_may_be_misspelt) {
  const auto document = read(R"({"metods": []})");
  (void)document.top().texts("methods");
  EXPECT_EQ(mistake_in(document), R"('x.json': "methods" is missing; there are metods)");
}

TEST(config_reader, wants_an_object_where_members_are_read) {
  for (const auto* text : {"[]", "3", "null", R"("x")"}) {
    const auto document = read(text);
    (void)document.top().has("a");
    EXPECT_EQ(mistake_in(document), "'x.json': the document must be an object") << text;
  }
}

TEST(config_reader, refuses_what_is_no_json_or_nested_too_deep) {
  for (const auto& text :
       {std::string{"{"}, std::string{}, std::string(100'000, '['), "{\"a\":" + std::string(33, '[')})
    EXPECT_EQ(config_document::parse(text, "x.json").error().code, ec::config_invalid);
  EXPECT_TRUE(config_document::parse(R"({"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[[["})", "x.json"));
}

}  // namespace
}  // namespace cohort
