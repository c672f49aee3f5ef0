#include "claude/api/credentials.hpp"

#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "base/log.hpp"

namespace cohort::claude {
namespace {

claude_settings settings() { return load_claude_settings(COHORT_SOURCE_DIR "/config/defaults.json").value(); }

expected<endpoint> from(std::map<std::string, std::string> variables) {
  return endpoint_from(
      [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
        const auto hit = variables.find(name);
        if (hit == variables.end()) return std::nullopt;
        return hit->second;
      },
      settings());
}

TEST(credentials, uses_the_key_then_the_token) {
  EXPECT_EQ(from({{"ANTHROPIC_API_KEY", "key-123456"}})->headers, std::vector<std::string>{"x-api-key: key-123456"});
  EXPECT_EQ(from({{"ANTHROPIC_AUTH_TOKEN", " tok-123456\n"}})->headers,
            std::vector<std::string>{"Authorization: Bearer tok-123456"});
  EXPECT_EQ(from({{"ANTHROPIC_API_KEY", "key-123456"}, {"ANTHROPIC_AUTH_TOKEN", "tok-123456"}})->headers,
            std::vector<std::string>{"x-api-key: key-123456"});
  EXPECT_EQ(from({{"ANTHROPIC_API_KEY", "key-123456"}})->base_url, "https://api.anthropic.com");
}

TEST(credentials, names_both_ways_on_when_there_is_no_key) {
  for (const auto& got : {from({}), from({{"ANTHROPIC_API_KEY", "  "}})}) {
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ec::no_credentials);
    for (const char* way : {"ANTHROPIC_API_KEY", "--provider simulator"})
      EXPECT_NE(got.error().message.find(way), std::string::npos);
  }
}

TEST(credentials, makes_every_credential_a_secret_and_shows_none) {
  ASSERT_TRUE(from({{"ANTHROPIC_API_KEY", "key-secret-1"}, {"ANTHROPIC_AUTH_TOKEN", "tok-secret-2"}}));
  EXPECT_EQ(redact("a key-secret-1 b tok-secret-2"), "a [redacted] b [redacted]");
  const auto bad = from({{"ANTHROPIC_API_KEY", "key\r\nx-evil: 1"}});
  EXPECT_EQ(bad.error().code, ec::config_invalid);
  EXPECT_EQ(bad.error().message.find("evil"), std::string::npos);
}

TEST(credentials, finds_the_proxy_of_the_scheme_and_hides_its_password) {
  const std::map<std::string, std::string> variables{{"ANTHROPIC_API_KEY", "key-123456"},
                                                     {"http_proxy", "http://plain:pass-word-1@proxy:1"},
                                                     {"HTTPS_PROXY", "https://user:pass-word-2@proxy:2"},
                                                     {"ALL_PROXY", "all:pass-word-3@proxy:3"}};
  EXPECT_EQ(from(variables)->proxy, "https://user:pass-word-2@proxy:2");
  auto plain = variables;
  plain["ANTHROPIC_BASE_URL"] = "http://api.test";
  EXPECT_EQ(from(plain)->proxy, "http://plain:pass-word-1@proxy:1");
  plain.erase("http_proxy");
  EXPECT_EQ(from(plain)->proxy, "all:pass-word-3@proxy:3");
  EXPECT_EQ(redact("pass-word-1 pass-word-2 pass-word-3"), "[redacted] [redacted] [redacted]");
  EXPECT_EQ(from({{"ANTHROPIC_API_KEY", "key-123456"}, {"HTTP_PROXY", "http://from-a-header"}})->proxy, "");
}

TEST(credentials, takes_only_an_address_that_can_be_one) {
  const std::pair<const char*, const char*> good[] = {{"https://api.test", "https://api.test"},
                                                      {"https://api.test/", "https://api.test"},
                                                      {"http://127.0.0.1:8080/a/b//", "http://127.0.0.1:8080/a/b"},
                                                      {"http://[::1]:80", "http://[::1]:80"}};
  for (const auto& [given, kept] : good) EXPECT_EQ(checked_base_url(given).value_or("refused"), kept);
  for (const char* bad : {"", "api.test", "ftp://api.test", "https://", "https:///x", "https://u:p@api.test",
                          "https://a b", "file:///etc/passwd", "https://api.test?x=1", "https://api.test#x",
                          "http://h:0", "http://h:99999", "http://h:x", "https://a\r\nb", "http://[::1"})
    EXPECT_FALSE(checked_base_url(bad)) << bad;
}

TEST(settings, names_the_file_and_field_that_is_wrong) {
  const std::string path = testing::TempDir() + "/defaults.json";
  const auto with = [&](const std::string& text) {
    std::ofstream{path} << text;
    return load_claude_settings(path);
  };
  EXPECT_EQ(with("{").error().code, ec::config_invalid);
  const auto missing = with(
      R"({"claude":{"endpoint":{"base_url":"https://x","api_version":"1"},"wire":{"stream_above_max_tokens":-1}}})");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find(R"(key "claude.wire": "stream_above_max_tokens" must be)"), std::string::npos)
      << missing.error().message;
  EXPECT_NE(missing.error().message.find("defaults.json"), std::string::npos);
  EXPECT_FALSE(load_claude_settings(path + ".missing"));
}

}  // namespace
}  // namespace cohort::claude
