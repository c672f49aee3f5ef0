#include "base/text.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/log.hpp"

namespace cohort::inline base {
namespace {

TEST(text, knows_well_formed_utf8) {
  EXPECT_TRUE(is_utf8("plain, ä, €, 😀"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80", "\xE2\x82"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_TRUE(is_utf8(to_valid_utf8("a\xFFz")));
}

TEST(text, shows_control_characters_as_escapes) {
  EXPECT_EQ(printable("a\nb\x1b[31m\xFF"), "a\\nb\\x1b[31m\\xff");
  EXPECT_EQ(printable(std::string(300, 'x'), 10), "xxxxxxxxxx...");
}

TEST(text, is_quoted_as_json) {
  std::string out = "[";
  append_json_string(out, "a\n\t\r\"\\\x01\x1f/\u00e9");
  EXPECT_EQ(out, "[\"a\\n\\t\\r\\\"\\\\\\u0001\\u001f/\u00e9\"");
}

TEST(text, is_quoted_as_json_wherever_a_special_byte_stands) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    std::string alone;
    append_json_string(alone, {&c, 1});
    const auto quoted = alone.substr(1, alone.size() - 2);
    EXPECT_EQ(quoted == std::string(1, c), byte >= 0x20 && c != '"' && c != '\\') << byte;
    for (size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = c;
      std::string out;
      append_json_string(out, text);
      EXPECT_EQ(out, '"' + std::string(at, 'x') + quoted + std::string(19 - at, 'x') + '"') << byte << " at " << at;
    }
  }
}

TEST(text, reads_the_times_it_writes) {
  const wall_time noon{1751284800123};
  EXPECT_EQ(to_iso8601(noon), "2025-06-30T12:00:00.123Z");
  EXPECT_EQ(parse_iso8601(to_iso8601(noon)).value(), noon);
  EXPECT_EQ(parse_iso8601("2025-06-30T14:00:00.123+02:00").value(), noon);
  EXPECT_FALSE(parse_iso8601("yesterday"));
}

TEST(text, digests_keep_field_borders) {
  EXPECT_NE(sha256_of_fields({"ab", "c"}), sha256_of_fields({"a", "bc"}));
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_from_hex(to_hex(sha256("abc"))), sha256("abc"));
}

TEST(text, redacts_registered_secrets) {
  register_secret("sk-test-0123456789");
  EXPECT_EQ(redact("key=sk-test-0123456789 sk-test-0123456789."), "key=[redacted] [redacted].");
}

}  // namespace
}  // namespace cohort::inline base
