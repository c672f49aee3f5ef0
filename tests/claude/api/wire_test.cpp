#include "claude/api/wire.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "claude/api/settings.hpp"
#include "tests/claude/api/scripted_server.hpp"

namespace cohort::claude {
namespace {

using nlohmann::json;

const wall_time now{1'750'000'000'000};

wire_settings settings() { return load_claude_settings(COHORT_SOURCE_DIR "/config/defaults.json").value().wire; }

http_end end_of(uint16_t status, std::vector<std::pair<std::string, std::string>> fields = {}) {
  fields.emplace_back("request-id", "req_1");
  return {.code = ec::none, .message = {}, .sent_whole = true, .head = {status, std::move(fields)}};
}

completion_result read_json(const std::string& body, cache_mode cache = cache_mode::none, http_end end = end_of(200)) {
  answer_reader reader{settings(), cache};
  EXPECT_EQ(reader.feed(end.head, body), reader_demand::more);
  return reader.finish(end, now);
}

http_end sse_end() { return end_of(200, {{"content-type", "text/event-stream; charset=utf-8"}}); }

completion_result read_stream(std::string_view bytes, size_t cut = std::string::npos) {
  answer_reader reader{settings(), cache_mode::none};
  const auto end = sse_end();
  (void)reader.feed(end.head, bytes.substr(0, cut));
  if (cut < bytes.size()) (void)reader.feed(end.head, bytes.substr(cut));
  return reader.finish(end, now);
}

std::string event(const std::string& name, const std::string& data, const std::string& line_end = "\n") {
  return "event: " + name + line_end + "data: " + data + line_end + line_end;
}

std::string stream_text(const std::string& line_end = "\n") {
  const auto e = [&](const char* name, const char* data) { return event(name, data, line_end); };
  return e("message_start",
           R"({"type":"message_start","message":{"model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":1}}})") +
         e("content_block_start",
           R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}})") +
         e("content_block_delta",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})") +
         ": a comment" + line_end + e("ping", R"({"type":"ping"})") +
         e("content_block_start",
           R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})") +
         e("content_block_delta",
           R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grü"}})") +
         e("something_new", R"({"type":"something_new","x":[1]})") +
         e("content_block_delta",
           R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"ße"}})") +
         e("content_block_stop", R"({"type":"content_block_stop","index":1})") +
         e("message_delta",
           R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":42}})") +
         e("message_stop", R"({"type":"message_stop"})");
}

TEST(wire_request, says_what_was_asked_and_nothing_else) {
  completion_request request{"m", "rules", "p \"q\"\n", 100, cache_mode::none, ""};
  const auto body = json::parse(encode_request(request, settings()).value());
  EXPECT_EQ(
      body,
      json::parse(
          R"({"model":"m","system":"rules","max_tokens":100,"messages":[{"role":"user","content":"p \"q\"\n"}]})"));
}

TEST(wire_request, marks_the_prefix_for_the_cache_only_when_asked) {
  completion_request request{.model = "m",
                             .shared_prefix = "rules",
                             .prompt = "p",
                             .max_tokens = 1,
                             .cache = cache_mode::one_hour,
                             .effort = "low"};
  auto body = json::parse(encode_request(request, settings()).value());
  EXPECT_EQ(body["system"],
            json::parse(R"([{"type":"text","text":"rules","cache_control":{"type":"ephemeral","ttl":"1h"}}])"));
  EXPECT_EQ(body["output_config"], json::parse(R"({"effort":"low"})"));
  request.cache = cache_mode::five_minutes;
  EXPECT_EQ(json::parse(encode_request(request, settings()).value())["system"][0]["cache_control"]["ttl"], "5m");
}

TEST(wire_request, streams_above_the_bound_and_refuses_what_cannot_be_sent) {
  completion_request request{"m", "", "p", 16000, cache_mode::none, ""};
  EXPECT_EQ(encode_request(request, settings())->find("stream"), std::string::npos);
  request.max_tokens = 16'001;
  EXPECT_TRUE(json::parse(encode_request(request, settings()).value())["stream"]);
  request.prompt = "\xFF";
  EXPECT_EQ(encode_request(request, settings()).error().code, ec::request_invalid);
  request.prompt = std::string(40 << 20, 'x');
  EXPECT_EQ(encode_request(request, settings()).error().code, ec::request_too_large);
}

TEST(wire_answer, joins_text_blocks_and_passes_over_unknown_ones) {
  const auto got = read_json(
      R"({"type":"message","model":"m","stop_reason":"max_tokens","content":[{"type":"thinking","thinking":"x"},
    {"type":"text","text":"a"},{"type":"novelty","text":"no"},7,{"type":"text","text":"b"}],
    "usage":{"input_tokens":1,"cache_creation_input_tokens":30,"cache_read_input_tokens":4,
    "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":5,"service_tier":"priority","inference_geo":"us"}})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->text, "ab");
  EXPECT_EQ(got->request_id, "req_1");
  EXPECT_EQ(got->stop, stop_reason::max_tokens);
  EXPECT_EQ(got->usage, (token_usage{1, 10, 20, 4, 5, service_tier::priority, true}));
}

TEST(wire_answer, takes_nulls_as_nothing_and_a_lump_of_cache_writes_as_what_was_asked_for) {
  const std::string usage =
      R"({"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":9,"cache_read_input_tokens":null,"cache_creation":null,"service_tier":null})";
  EXPECT_EQ(read_json(message_json("t", usage), cache_mode::one_hour)->usage.cache_write_1h_tokens, 9U);
  EXPECT_EQ(read_json(message_json("t", usage), cache_mode::five_minutes)->usage.cache_write_5m_tokens, 9U);
}

TEST(wire_answer, names_every_stop_reason_and_calls_new_ones_unknown) {
  const std::pair<const char*, stop_reason> rows[] = {
      {"\"end_turn\"", stop_reason::end_turn},
      {"\"max_tokens\"", stop_reason::max_tokens},
      {"\"tool_use\"", stop_reason::tool_use},
      {"\"stop_sequence\"", stop_reason::stop_sequence},
      {"\"refusal\"", stop_reason::refusal},
      {"\"pause_turn\"", stop_reason::pause_turn},
      {"\"brand_new\"", stop_reason::unknown},
      {"null", stop_reason::unknown},
      {"\"model_context_window_exceeded\"", stop_reason::context_window_exceeded}};
  for (const auto& [name, reason] : rows) {
    const auto got = read_json(
        std::string{R"({"type":"message","content":[],"usage":{"input_tokens":1,"output_tokens":0},"stop_reason":)"} +
        name + "}");
    ASSERT_TRUE(got) << name;
    EXPECT_EQ(got->stop, reason) << name;
    EXPECT_EQ(got->text, "");
  }
}

TEST(wire_answer, marks_a_usage_that_cannot_be_true_and_keeps_the_answer) {
  for (const char* usage :
       {"null", "{}", R"({"input_tokens":-1,"output_tokens":1})", R"({"input_tokens":1})", "7",
        R"({"input_tokens":null,"output_tokens":1})", R"({"input_tokens":1,"output_tokens":99999999999})",
        R"({"input_tokens":18446744073709551616,"output_tokens":1})", R"({"input_tokens":1e300,"output_tokens":1})",
        R"({"input_tokens":1,"output_tokens":18446744073709551615})",
        R"({"input_tokens":1,"output_tokens":1,"cache_creation":{"ephemeral_1h_input_tokens":-9223372036854775808}})",
        R"({"input_tokens":1.5,"output_tokens":1})", R"({"input_tokens":"1","output_tokens":1})",
        R"({"input_tokens":1,"output_tokens":1,"cache_read_input_tokens":-5})"}) {
    const auto got = read_json(message_json("paid", usage));
    ASSERT_TRUE(got) << usage;
    EXPECT_EQ(got->text, "paid");
    EXPECT_EQ(got->request_id, "req_1");
    EXPECT_EQ(got->usage, (token_usage{.tier = service_tier::as_reserved})) << usage;
  }
}

TEST(wire_answer, does_not_unfold_a_body_of_millions_of_values) {
  std::string bomb = R"({"type":"message","x":[)";
  while (bomb.size() < 4'000'000) bomb += "[],{},";
  bomb += R"(1],"content":[],"usage":{"input_tokens":1,"output_tokens":1}})";
  const auto got = read_json(bomb);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ec::malformed_answer);
  EXPECT_EQ(got.error().billed, billing::unknown);
}

TEST(wire_answer, allows_an_answer_as_much_as_its_tokens_can_be) {
  const auto all = settings();
  EXPECT_LT(bounds_for(all, 1000).answer_bytes, bounds_for(all, 16'000).answer_bytes);
  EXPECT_LE(bounds_for(all, 16'000).answer_bytes, 2U << 20U);
  EXPECT_GE(bounds_for(all, 1).answer_bytes, 100'000U);
  EXPECT_EQ(bounds_for(all, UINT32_MAX).answer_bytes, all.answer_bytes);
}

TEST(wire_answer, hides_a_key_that_the_server_sends_back) {
  register_secret("sk-ant-echoed-0123456789");
  auto body = json::parse(message_json("key = 'sk-ant-echoed-0123456789'"));
  body["model"] = "m sk-ant-echoed-0123456789";
  const auto got =
      read_json(body.dump(), cache_mode::none, {.head = {200, {{"request-id", "r-sk-ant-echoed-0123456789"}}}});
  EXPECT_EQ(got->text, "key = '[redacted]'");
  EXPECT_EQ(got->model, "m [redacted]");
  EXPECT_EQ(got->request_id, "r-[redacted]");
}

TEST(wire_failure, reads_no_more_of_an_error_than_it_can_show) {
  answer_reader reader{settings(), cache_mode::none};
  const auto end = end_of(503);
  const std::string megabyte(1 << 20, 'x');
  EXPECT_EQ(reader.feed(end.head, megabyte), reader_demand::complete);
  EXPECT_LE(reader.buffered(), 2 * settings().error_bytes);
  EXPECT_EQ(reader.finish(end, now).error().code, ec::server_error);
}

TEST(wire_answer, takes_nothing_but_a_whole_message_for_an_answer) {
  const auto whole = message_json("x");
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const auto got = read_json(whole.substr(0, cut));
    ASSERT_FALSE(got) << cut;
    EXPECT_EQ(got.error().code, ec::malformed_answer);
    EXPECT_EQ(got.error().billed, billing::unknown);
    EXPECT_TRUE(got.error().retry);
  }
  for (const std::string bad :
       {"", "<html>", "[]", "null", "{}", R"({"type":"message"})", R"({"type":"completion","content":[]})"})
    EXPECT_EQ(read_json(bad).error().code, ec::malformed_answer) << bad;
}

TEST(wire_answer, stops_at_deep_json_and_invalid_utf8) {
  EXPECT_EQ(read_json(std::string(1'000'000, '[')).error().code, ec::malformed_answer);
  const auto bad = read_json(message_json("a\xFFz"));
  EXPECT_EQ(bad.error().code, ec::malformed_answer);
  EXPECT_EQ(bad.error().text, "a\xEF\xBF\xBDz");
}

TEST(wire_answer, refuses_to_hold_more_than_the_bound) {
  answer_reader reader{settings(), cache_mode::none};
  const auto end = end_of(200);
  const std::string megabyte(1 << 20, 'x');
  reader_demand last = reader_demand::more;
  for (int i = 0; i < 1024 && last == reader_demand::more; ++i) last = reader.feed(end.head, megabyte);
  EXPECT_EQ(last, reader_demand::refuse);
  EXPECT_LE(reader.buffered(), settings().answer_bytes);
}

TEST(wire_answer, accepts_a_whole_message_although_the_connection_broke_after_it) {
  auto end = end_of(200);
  end.code = ec::connection_lost;
  EXPECT_EQ(read_json(message_json("x"), cache_mode::none, end)->text, "x");
  answer_reader cut{settings(), cache_mode::none};
  (void)cut.feed(end.head, "{");
  EXPECT_EQ(cut.finish(end, now).error().code, ec::connection_lost);
}

TEST(wire_stream, reads_the_same_message_however_it_is_split) {
  for (const char* line_end : {"\n", "\r\n", "\r"}) {
    const auto bytes = stream_text(line_end);
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      const auto got = read_stream(bytes, cut);
      ASSERT_TRUE(got) << cut << got.error().message;
      ASSERT_EQ(got->text, "Grüße") << cut;
      ASSERT_EQ(got->usage, (token_usage{.input_tokens = 7, .cache_read_tokens = 3, .output_tokens = 42}));
      ASSERT_EQ(got->stop, stop_reason::end_turn);
    }
  }
}

TEST(wire_stream, reads_byte_by_byte_and_after_a_byte_order_mark) {
  const auto bytes = "\xEF\xBB\xBF" + stream_text();
  answer_reader reader{settings(), cache_mode::none};
  const auto end = sse_end();
  auto last = reader_demand::more;
  for (const char c : bytes) last = reader.feed(end.head, {&c, 1});
  EXPECT_EQ(last, reader_demand::complete);
  EXPECT_EQ(reader.finish(end, now)->text, "Grüße");
}

TEST(wire_stream, is_no_answer_until_the_message_has_stopped) {
  const auto bytes = stream_text();
  const auto stop = bytes.find("event: message_stop");
  for (size_t length = 0; length <= stop; ++length) {
    const auto got = read_stream(bytes.substr(0, length));
    ASSERT_FALSE(got) << length;
    EXPECT_EQ(got.error().code, ec::malformed_answer);
    EXPECT_EQ(got.error().billed, billing::unknown);
  }
  EXPECT_EQ(read_stream(bytes.substr(0, stop)).error().text, "Grüße");
}

TEST(wire_stream, reports_an_error_event_after_the_200_with_its_own_code) {
  const auto begun = stream_text().substr(0, stream_text().find("event: message_delta"));
  const auto got = read_stream(
      begun + event("error", R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ec::overloaded);
  EXPECT_EQ(got.error().billed, billing::unknown);
  EXPECT_TRUE(got.error().retry);
  EXPECT_EQ(got.error().text, "Grüße");
}

TEST(wire_stream, never_lets_a_later_count_shrink_the_bill) {
  const auto bytes =
      event("message_start", R"({"type":"message_start","message":{"usage":{"input_tokens":500,"output_tokens":1}}})") +
      event(
          "message_delta",
          R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":0,"output_tokens":9}})") +
      event("message_stop", R"({"type":"message_stop"})");
  EXPECT_EQ(read_stream(bytes)->usage.input_tokens, 500U);
}

TEST(wire_stream, is_recognised_under_a_wrong_content_type_and_json_where_a_stream_was_asked_for) {
  EXPECT_EQ(read_json(stream_text(), cache_mode::none, end_of(200, {{"content-type", "application/json"}}))->text,
            "Grüße");
  EXPECT_EQ(read_json(message_json("x"), cache_mode::none, end_of(200, {{"content-type", "text/html"}}))->text, "x");
}

// Names come from the server, too: what is stored, logged and shown of them is short and plain.
TEST(wire_stream, shows_a_hostile_name_of_an_event_or_a_model_as_plain_short_text) {
  const auto torn = read_stream("event: " + std::string(100'000, '\x1b') + "\xff\ndata: {\n\n");
  ASSERT_FALSE(torn);
  EXPECT_LT(torn.error().message.size(), 500U);
  EXPECT_EQ(torn.error().message.find('\x1b'), std::string::npos);
  auto body = stream_text();
  body.replace(body.find("\"m\""), 3, "\"" + std::string(100'000, 'm') + "\\u001b\"");
  EXPECT_LT(read_stream(body)->model.size(), 250U);
  auto whole = json::parse(message_json("x"));
  whole["model"] = std::string(100'000, '\x07');
  EXPECT_LT(read_json(whole.dump())->model.size(), 250U);
}

std::string delta(uint64_t index, const std::string& text) {
  return event("content_block_delta", R"({"type":"content_block_delta","index":)" + std::to_string(index) +
                                          R"(,"delta":{"type":"text_delta","text":")" + text + "\"}}");
}

TEST(wire_stream, holds_nothing_for_blocks_without_text) {
  answer_reader reader{settings(), cache_mode::none};
  const auto end = sse_end();
  auto last = reader_demand::more;
  for (uint64_t i = 0; i < 1000 && last == reader_demand::more; ++i) last = reader.feed(end.head, delta(i, ""));
  EXPECT_EQ(last, reader_demand::more);
  EXPECT_LT(reader.buffered(), 10'000U);
}

TEST(wire_stream, refuses_more_blocks_than_an_answer_has) {
  for (const uint64_t index : {uint64_t{1024}, uint64_t{1} << 40U, UINT64_MAX}) {
    answer_reader reader{settings(), cache_mode::none};
    EXPECT_EQ(reader.feed(sse_end().head, delta(index, "x")), reader_demand::refuse) << index;
  }
  answer_reader reader{settings(), cache_mode::none};
  EXPECT_EQ(reader.feed(sse_end().head,
                        event("content_block_delta", R"({"type":"content_block_delta","index":-1,"delta":{"type":)"
                                                     R"("text_delta","text":"x"}})")),
            reader_demand::refuse);
}

TEST(wire_stream, ends_although_its_pings_never_do) {
  answer_reader reader{bounds_for(settings(), 1000), cache_mode::none};
  const auto end = sse_end();
  auto last = reader_demand::more;
  uint64_t sent = 0;
  const auto pings = event("ping", R"({"type":"ping"})") + ": comment\n\n\n";
  for (; sent < (64U << 20U) && last == reader_demand::more; sent += pings.size()) last = reader.feed(end.head, pings);
  EXPECT_EQ(last, reader_demand::refuse);
  EXPECT_LT(sent, 4U << 20U);
}

TEST(wire_stream, bounds_a_line_that_never_ends) {
  answer_reader reader{settings(), cache_mode::none};
  const auto end = sse_end();
  const std::string megabyte(1 << 20, 'x');
  auto last = reader_demand::more;
  for (int i = 0; i < 1024 && last == reader_demand::more; ++i) last = reader.feed(end.head, megabyte);
  EXPECT_EQ(last, reader_demand::refuse);
  EXPECT_LE(reader.buffered(), settings().answer_bytes + megabyte.size() + 100);
}

std::string error_json(const std::string& type, const std::string& message = "why", const std::string& details = "") {
  return R"({"type":"error","error":{"type":")" + type + R"(","message":")" + message + "\"" +
         (details.empty() ? "" : R"(,"details":)" + details) + R"(},"request_id":"req_body"})";
}

call_failure failure_of(http_end end, const std::string& body) { return decode_failure(end, body, settings(), now); }

TEST(wire_failure, follows_every_row_of_the_error_table) {
  struct row {
    uint16_t status;
    const char* type;
    ec code;
    bool retry;
  };
  const row rows[] = {{400, "invalid_request_error", ec::request_invalid, false},
                      {401, "authentication_error", ec::authentication, false},
                      {402, "billing_error", ec::billing, false},
                      {403, "permission_error", ec::forbidden, false},
                      {404, "not_found_error", ec::model_not_found, false},
                      {408, "", ec::timeout, true},
                      {409, "conflict_error", ec::conflict, true},
                      {413, "request_too_large", ec::request_too_large, false},
                      {429, "rate_limit_error", ec::rate_limited, true},
                      {500, "api_error", ec::server_error, true},
                      {503, "", ec::server_error, true},
                      {504, "timeout_error", ec::timeout, true},
                      {529, "overloaded_error", ec::overloaded, true},
                      {500, "overloaded_error", ec::overloaded, true},
                      {418, "", ec::request_invalid, false},
                      {599, "", ec::server_error, true}};
  for (const auto& r : rows) {
    const bool formed = *r.type != '\0';
    const auto got = failure_of(end_of(r.status), formed ? error_json(r.type) : "");
    EXPECT_EQ(got.code, r.code) << r.status;
    EXPECT_EQ(got.retry, r.retry) << r.status;
    EXPECT_EQ(got.http_status, r.status);
    EXPECT_EQ(got.request_id, "req_1");
    const bool doubtful = !formed && (r.status >= 500 || r.status == 408);
    EXPECT_EQ(got.billed, doubtful ? billing::unknown : billing::unbilled) << r.status;
  }
  for (const auto code : {ec::authentication, ec::billing, ec::forbidden, ec::spend_limit})
    EXPECT_TRUE(stops_run(code));
}

TEST(wire_failure, stops_the_run_when_the_accounts_money_is_the_matter) {
  const auto capped = [](const char* code) {
    return error_json("rate_limit_error", "no", std::string{R"({"error_code":")"} + code + "\"}");
  };
  EXPECT_EQ(failure_of(end_of(429), capped("enforced_spend_limit_reached")).code, ec::spend_limit);
  EXPECT_EQ(failure_of(end_of(429), capped("contract_spend_limit_reached")).code, ec::spend_limit);
  EXPECT_EQ(failure_of(end_of(429), capped("something_else")).code, ec::rate_limited);
  EXPECT_EQ(
      failure_of(end_of(400), error_json("invalid_request_error", "Your credit balance is too low to access the API"))
          .code,
      ec::billing);
  EXPECT_EQ(
      failure_of(end_of(400), error_json("invalid_request_error", "You have reached your specified API usage limits."))
          .code,
      ec::spend_limit);
  EXPECT_EQ(failure_of(end_of(400), error_json("invalid_request_error", "prompt is too long: 2 tokens")).code,
            ec::request_invalid);
  EXPECT_FALSE(failure_of(end_of(429), capped("enforced_spend_limit_reached")).retry);
}

TEST(wire_failure, heeds_the_servers_wishes) {
  EXPECT_FALSE(failure_of(end_of(529, {{"x-should-retry", "false"}}), "").retry);
  EXPECT_TRUE(failure_of(end_of(400, {{"x-should-retry", "true"}}), "").retry);
  const auto wait = [](const char* name, const char* value) {
    return decode_retry_after({429, {{name, value}}}, now).count();
  };
  EXPECT_EQ(wait("retry-after-ms", "250"), 250);
  EXPECT_EQ(wait("retry-after", "7"), 7000);
  EXPECT_EQ(wait("retry-after", "0.5"), 500);
  EXPECT_EQ(wait("retry-after", "Sun, 15 Jun 2025 15:06:50 GMT"), 10'000);
  EXPECT_EQ(wait("retry-after", "Sun, 15 Jun 2025 15:06:30 GMT"), 0);
  EXPECT_EQ(wait("retry-after", "-3"), 0);
  EXPECT_EQ(wait("retry-after", "nan"), 0);
  EXPECT_EQ(wait("retry-after", "soon"), 0);
  EXPECT_EQ(wait("retry-after", "1e30"), 24 * 3600 * 1000);
  EXPECT_EQ(decode_retry_after({429, {{"retry-after", "9"}, {"retry-after-ms", "20"}}}, now).count(), 20);
}

TEST(wire_failure, shows_no_control_characters_and_names_the_cure_for_a_redirect) {
  EXPECT_EQ(failure_of(end_of(400), error_json("x", "a\\u001b[31m")).message, "HTTP 400: a\\x1b[31m");
  const auto moved = failure_of(end_of(302, {{"location", "https://elsewhere.test/"}}), "");
  EXPECT_EQ(moved.code, ec::config_invalid);
  EXPECT_NE(moved.message.find("ANTHROPIC_BASE_URL"), std::string::npos);
  auto nameless = end_of(500);
  nameless.head.fields.clear();
  EXPECT_EQ(failure_of(nameless, error_json("api_error")).request_id, "req_body");
}

TEST(wire_failure, is_unbilled_if_the_request_never_left_whole) {
  http_end end{.code = ec::connection_lost, .message = "gone", .sent_whole = false, .head = {}};
  EXPECT_EQ(failure_of(end, "").billed, billing::unbilled);
  end.sent_whole = true;
  EXPECT_EQ(failure_of(end, "").billed, billing::unknown);
}

TEST(wire_limits, are_read_from_headers_and_doubted) {
  const auto got = decode_rate_limits({200,
                                       {{"anthropic-ratelimit-requests-limit", "1000"},
                                        {"anthropic-ratelimit-requests-remaining", "999"},
                                        {"anthropic-ratelimit-requests-reset", "2025-06-15T15:06:41Z"},
                                        {"anthropic-ratelimit-input-tokens-limit", "-5"},
                                        {"anthropic-ratelimit-input-tokens-remaining", "1"},
                                        {"anthropic-ratelimit-output-tokens-limit", "5"}}});
  EXPECT_TRUE(got.requests.known);
  EXPECT_EQ(got.requests.remaining, 999U);
  EXPECT_EQ(got.requests.reset.ms, now.ms + 1000);
  EXPECT_FALSE(got.input_tokens.known);
  EXPECT_FALSE(got.output_tokens.known);
}

TEST(wire_free, reads_token_counts_and_models) {
  EXPECT_EQ(decode_token_count(end_of(200), R"({"input_tokens":12})", settings(), now).value(), 12U);
  EXPECT_EQ(decode_token_count(end_of(200), "{}", settings(), now).error().code, ec::malformed_answer);
  EXPECT_EQ(decode_token_count(end_of(401), error_json("authentication_error"), settings(), now).error().code,
            ec::authentication);
  const auto facts =
      decode_model(end_of(200), R"({"id":"m","max_input_tokens":5,"max_tokens":6,"retires_at":null})", settings(), now);
  EXPECT_EQ(facts->max_output_tokens, 6U);
  EXPECT_EQ(facts->retires_at, "");
}

}  // namespace
}  // namespace cohort::claude
