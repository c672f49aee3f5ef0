// The API's surface: routes, credentials, bad requests, models, token counts, streams.

#include <gmock/gmock.h>

#include "base/clock.hpp"
#include "tests/simulator/test_client.hpp"

namespace cohort::simulator {
namespace {

using namespace fixture;
using testing::HasSubstr;

class protocol_test : public simulator_test {
 protected:
  void SetUp() override { serve(); }

  /// The error that `change` to a good request meets.
  http_answer refused(const json& patch, std::vector<std::string> headers = {}) {
    auto body = message("Hello");
    body.merge_patch(patch);
    http_request request;
    request.body = body.dump();
    if (!headers.empty()) request.headers = std::move(headers);
    auto answer = client().send(request);
    EXPECT_THAT(answer.headers["request-id"], HasSubstr("req_"));
    EXPECT_EQ(answer.parsed().value("request_id", ""), answer.headers["request-id"]);
    return answer;
  }
};

TEST_F(protocol_test, answers_a_message_with_text_and_usage) {
  auto answer = client().post(message("Hello"));
  EXPECT_EQ(answer.status, 200);
  const auto body = answer.parsed();
  EXPECT_EQ(body["type"], "message");
  EXPECT_EQ(body["role"], "assistant");
  EXPECT_EQ(body["model"], "claude-haiku-5-5");
  EXPECT_EQ(body["stop_reason"], "end_turn");
  EXPECT_FALSE(answer.text().empty());
  EXPECT_EQ(body["usage"]["input_tokens"], 2 + 7);  // 5 characters, and what stands around them
  EXPECT_GT(body["usage"]["output_tokens"], 0);
}

TEST_F(protocol_test, ignores_the_query_string_when_routing) {
  http_request request;
  request.path = "/v1/messages?beta=true";
  request.body = message("Hello").dump();
  EXPECT_EQ(client().send(request).status, 200);
}

TEST_F(protocol_test, refuses_each_kind_of_bad_request) {
  EXPECT_EQ(refused({{"model", nullptr}}).status, 400);
  EXPECT_EQ(refused({{"model", "claude-unheard-of"}}).error_type(), "not_found_error");
  EXPECT_EQ(refused({{"model", "claude-unheard-of"}}).status, 404);
  EXPECT_EQ(refused({{"model", "haiku"}}).status, 404) << "aliases are not the API's";
  EXPECT_THAT(refused({{"max_tokens", nullptr}}).body, HasSubstr("max_tokens: Field required"));
  EXPECT_EQ(refused({{"max_tokens", 0}}).status, 400);
  EXPECT_EQ(refused({{"max_tokens", "many"}}).status, 400);
  EXPECT_THAT(refused({{"max_tokens", 128001}}).body, HasSubstr("128001 > 128000"));
  EXPECT_EQ(refused({{"messages", json::array()}}).status, 400);
  EXPECT_EQ(refused({{"messages", "Hello"}}).status, 400);
  EXPECT_EQ(refused({{"messages", json::array({{{"role", "robot"}, {"content", "x"}}})}}).status, 400);
  EXPECT_EQ(refused({{"messages", json::array({{{"role", "user"}, {"content", ""}}})}}).status, 400);
  EXPECT_EQ(refused({{"messages", json::array({{{"role", "user"}, {"content", 7}}})}}).status, 400);
  EXPECT_EQ(refused({{"stream", "yes"}}).status, 400);
  EXPECT_EQ(refused({{"temperature", 0.5}}).status, 400);
  const auto prefilled = json::array({{{"role", "user"}, {"content", "x"}}, {{"role", "assistant"}, {"content", "y"}}});
  EXPECT_THAT(refused({{"messages", prefilled}}).body, HasSubstr("prefill"));
  EXPECT_TRUE(bill().empty()) << "nothing of this is billed";
}

TEST_F(protocol_test, sampling_depends_on_model_and_version) {
  const json patch{{"model", "claude-sonnet-4-6"}, {"temperature", 0.5}};
  auto body = message("Hello");
  body.merge_patch(patch);
  EXPECT_EQ(client().post(body).status, 200);
  EXPECT_EQ(refused(patch, {"x-api-key: k", "anthropic-version: 2026-10-21"}).status, 400);
}

TEST_F(protocol_test, refuses_what_is_no_json_or_no_utf8) {
  for (const std::string bad : {"", "{", "[]", "{\"model\":}", "{\"a\":1}x", "\"\xff\""}) {
    http_request request;
    request.body = bad;
    const auto answer = client().send(request);
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.error_type(), "invalid_request_error") << bad;
  }
}

TEST_F(protocol_test, checks_credentials_and_version) {
  const auto with = [this](std::vector<std::string> headers) {
    http_request request;
    request.headers = std::move(headers);
    request.body = message("Hello").dump();
    return client().send(request);
  };
  EXPECT_EQ(with({"anthropic-version: 2023-06-01"}).status, 401);
  EXPECT_EQ(with({"x-api-key: sk-ant-invalid-1", "anthropic-version: 2023-06-01"}).error_type(),
            "authentication_error");
  EXPECT_EQ(with({"Authorization: Bearer sk-ant-invalid", "anthropic-version: 2023-06-01"}).status, 401);
  EXPECT_EQ(with({"Authorization: Bearer token", "anthropic-version: 2023-06-01"}).status, 200);
  EXPECT_EQ(with({"x-api-key: k"}).status, 400);
  EXPECT_EQ(with({"x-api-key: k", "anthropic-version: tomorrow"}).status, 400);
}

TEST_F(protocol_test, accepts_only_the_listed_keys_if_there_are_any) {
  scenario rules;
  rules.keys.accepted = {"good"};
  serve(rules);
  http_request request;
  request.body = message("Hello").dump();
  EXPECT_EQ(client().send(request).status, 401);
  request.headers[0] = "x-api-key: good";
  EXPECT_EQ(client().send(request).status, 200);
}

TEST_F(protocol_test, knows_its_paths_and_methods) {
  http_request request;
  request.path = "/v1/complete";
  EXPECT_EQ(client().send(request).status, 404);
  request = {};
  request.method = "GET";
  EXPECT_EQ(client().send(request).status, 405);
  request.method = "DELETE";
  request.path = "/v1/models";
  EXPECT_EQ(client().send(request).status, 405);
}

TEST_F(protocol_test, answers_413_above_32_megabytes_and_reads_the_rest) {
  http_request request;
  request.body = message(std::string(33U << 20, 'x')).dump();
  const auto answer = client().send(request);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.error_type(), "request_too_large");
}

TEST_F(protocol_test, refuses_a_prompt_longer_than_the_context) {
  EXPECT_THAT(refused({{"messages", json::array({{{"role", "user"}, {"content", std::string(2'600'000, 'x')}}})}}).body,
              HasSubstr("prompt is too long"));
}

TEST_F(protocol_test, pages_through_the_models) {
  std::vector<std::string> ids;
  std::string after;
  for (bool more = true; more;) {
    http_request request;
    request.method = "GET";
    request.path = "/v1/models?limit=3" + (after.empty() ? std::string{} : "&after_id=" + after);
    const auto page = client().send(request).parsed();
    for (const auto& model : page["data"]) ids.push_back(model["id"]);
    more = page["has_more"].get<bool>();
    after = page["last_id"].get<std::string>();
  }
  EXPECT_EQ(ids.size(), 8u);
  EXPECT_EQ(ids.front(), "claude-fable-5-2");
  http_request one;
  one.method = "GET";
  one.path = "/v1/models/claude-haiku-4-5";
  EXPECT_EQ(client().send(one).parsed()["max_tokens"], 64000);
  one.path = "/v1/models/none";
  EXPECT_EQ(client().send(one).status, 404);
}

TEST_F(protocol_test, counts_tokens_for_nothing) {
  http_request request;
  request.path = "/v1/messages/count_tokens";
  auto body = message(std::string(2500, 'x'));
  body.erase("max_tokens");
  request.body = body.dump();
  EXPECT_EQ(client().send(request).parsed()["input_tokens"], 1007);
  EXPECT_TRUE(bill().empty());
}

TEST_F(protocol_test, streams_the_same_text_that_it_answers_whole) {
  auto body = message("Hello");
  const auto whole = client().post(body);
  body["stream"] = true;
  auto streamed = client().post(body);
  EXPECT_THAT(streamed.headers["content-type"], HasSubstr("text/event-stream"));
  std::string text, names;
  size_t at = 0;
  for (size_t end; (end = streamed.body.find("\n\n", at)) != std::string::npos; at = end + 2) {
    const auto event = streamed.body.substr(at, end - at);
    const auto data = json::parse(event.substr(event.find("data: ") + 6));
    EXPECT_EQ(event.substr(7, event.find('\n') - 7), data["type"]);
    names += data["type"].get<std::string>() + " ";
    if (data["type"] == "content_block_delta") text += data["delta"]["text"].get<std::string>();
  }
  EXPECT_EQ(at, streamed.body.size());
  EXPECT_EQ(text, whole.text());
  EXPECT_EQ(
      names,
      "message_start ping content_block_start content_block_delta content_block_stop message_delta message_stop ");
}

TEST_F(protocol_test, sets_rate_limit_headers_that_are_true) {
  scenario rules;
  rules.limits.requests_per_minute = 2;
  serve(rules);
  auto first = client().post(message("one"));
  EXPECT_EQ(first.headers["anthropic-ratelimit-requests-limit"], "2");
  EXPECT_EQ(first.headers["anthropic-ratelimit-requests-remaining"], "1");
  EXPECT_TRUE(parse_iso8601(first.headers["anthropic-ratelimit-requests-reset"]));
  EXPECT_EQ(client().post(message("two")).status, 200);
  auto third = client().post(message("three"));
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.error_type(), "rate_limit_error");
  const int wait = std::stoi(third.headers["retry-after"]);
  EXPECT_GE(wait, 25);
  EXPECT_LE(wait, 30);
  EXPECT_EQ(bill().size(), 2u);
}

TEST_F(protocol_test, never_listens_beyond_loopback) {
  simulator_options options;
  options.host = "0.0.0.0";
  EXPECT_EQ(simulator::start(options).error().code, ec::config_invalid);
}

TEST_F(protocol_test, says_when_the_port_is_taken) {
  simulator_options options;
  options.port = server().port();
  const auto second = simulator::start(options);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("--port"));
}

}  // namespace
}  // namespace cohort::simulator
