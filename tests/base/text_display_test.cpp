// What acts on a display never passes, in whatever form a text is shown.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace cohort::inline base {
namespace {

std::string utf8(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
}

/// Every class that a terminal, an editor or a reader could be misled by.
std::vector<char32_t> controls() {
  std::vector<char32_t> all{0x7F,   0xAD,    0x61C,  0x115F, 0x180E,  0x200B,  0x200C,  0x200D,  0x200E,
                            0x200F, 0x2028,  0x2029, 0x2060, 0x2064,  0x3164,  0xFEFF,  0xFFF9,  0xFFFB,
                            0xFFA0, 0x1D173, 0x206A, 0x206F, 0xE0001, 0xE0041, 0xE007F, 0xE0100, 0xE01EF};
  for (char32_t c = 0; c < 0x20; ++c) all.push_back(c);
  for (char32_t c = 0x80; c < 0xA0; ++c) all.push_back(c);
  for (char32_t c = 0x202A; c <= 0x202E; ++c) all.push_back(c);
  for (char32_t c = 0x2066; c <= 0x2069; ++c) all.push_back(c);
  return all;
}

TEST(text_display, shows_whatever_acts_on_a_display_as_an_escape) {
  for (const char32_t c : controls()) {
    EXPECT_TRUE(acts_on_display(c)) << std::hex << static_cast<uint32_t>(c);
    const auto shown = printable("a" + utf8(c) + "b");
    EXPECT_EQ(shown.find(utf8(c)), std::string::npos) << shown;
    EXPECT_EQ(shown.substr(0, 2), "a\\");
    EXPECT_EQ(shown.back(), 'b');
  }
  EXPECT_EQ(printable("\u202e\u0085\U000e0041\x7f"), "\\u202e\\u0085\\U000e0041\\x7f");
}

TEST(text_display, leaves_what_people_write_as_it_is) {
  for (const std::string text : {"shop/käse.py", "ценник", "日本語.go", "שלום", "emoji 😀", "a\u00a0b", "\u0301"})
    EXPECT_EQ(printable(text), text);
}

TEST(text_display, shows_each_byte_that_is_no_utf8) {
  EXPECT_EQ(printable("\xc2"), "\\xc2");
  EXPECT_EQ(printable("a\x9b"
                      "2Jb"),
            "a\\x9b2Jb");  // An eight-bit CSI.
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");
}

TEST(text_display, cuts_without_running_past_its_limit) {
  for (size_t limit = 0; limit < 12; ++limit) {
    const auto shown = printable(
        "ab\x1b\x1b\x1b\x1b"
        "cd",
        limit);
    EXPECT_LE(shown.size(), limit + 3 + 3) << limit;
  }
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdef", 5), "abcde...");
}

TEST(text_display, keeps_only_line_breaks_and_tabs_in_text_of_several_lines) {
  EXPECT_EQ(printable_lines("a\n\tb\r\x1b[2J\u2028"), "a\n\tb\\r\\x1b[2J\\u2028");
}

TEST(text_display, keeps_the_meaning_of_json) {
  EXPECT_EQ(printable_json("{\"a\":\"\u202e\x7f\u009b\U000e0041ä\"}\n"),
            "{\"a\":\"\\u202e\\u007f\\u009b\\udb40\\udc41ä\"}\n");
}

TEST(text_display, gives_names_no_meaning_in_markdown) {
  const auto line = [](std::string_view text) { return markdown_code(text, markdown_context::line); };
  EXPECT_EQ(line("a_b*c*.py"), "`a_b*c*.py`");
  EXPECT_EQ(line("a`b``c"), "```a`b``c```");
  EXPECT_EQ(line("`x"), "`` `x ``");
  EXPECT_EQ(markdown_code("a|b\\|c", markdown_context::cell), "`a\\x7cb\\\\x7cc`");
  EXPECT_EQ(line("a\n# b"), "`a\\n# b`");
  EXPECT_EQ(markdown_text("[x](http://e) <b> www.e"), "\\[x\\]\\(http\\://e\\) \\<b\\> www\\.e");
}

}  // namespace
}  // namespace cohort::inline base
