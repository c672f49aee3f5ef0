// Faults, lies and the bill: what the client sees, and what the witness wrote down.

#include <gmock/gmock.h>

#include <thread>

#include "tests/simulator/test_client.hpp"

namespace cohort::simulator {
namespace {

using namespace fixture;
using testing::HasSubstr;

class faults_test : public simulator_test {
 protected:
  http_answer with_fault(double fault_rates::*which) {
    scenario rules;
    rules.faults.*which = 1.0;
    serve(rules);
    return client().post(message("Hello"));
  }
  http_answer with_form(double answer_rates::*which) {
    scenario rules;
    rules.answers.*which = 1.0;
    serve(rules);
    return client().post(message(task_prompt));
  }
  const std::string task_prompt =
      "<task language=\"python\" framework=\"pytest\" path=\"a.py\" part=\"1\" parts=\"1\">\n<import>\nfrom a import "
      "f\n</import>\n<symbols>\n{\"name\":\"f\",\"kind\":\"function\",\"signature\":\"def "
      "f()\",\"parameters\":[],\"methods\":[]}\n</symbols>\n<source fence=\"x\">\ndef f():\n    return 1\n</source "
      "fence=\"x\">\n</task>\n";
};

TEST_F(faults_test, status_faults_are_not_billed) {
  auto limited = with_fault(&fault_rates::rate_limited);
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers["retry-after"], "1");
  EXPECT_EQ(with_fault(&fault_rates::overloaded).status, 529);
  EXPECT_EQ(with_fault(&fault_rates::server_error).error_type(), "api_error");
  EXPECT_TRUE(bill().empty());
}

TEST_F(faults_test, a_reset_before_reading_is_not_billed_and_one_after_billing_is) {
  EXPECT_NE(with_fault(&fault_rates::reset_unread).code, CURLE_OK);
  EXPECT_TRUE(bill().empty());
  const auto answer = with_fault(&fault_rates::reset_after_billing);
  EXPECT_TRUE(answer.code == CURLE_RECV_ERROR || answer.code == CURLE_GOT_NOTHING) << answer.code;
  ASSERT_EQ(bill().size(), 1u);
  EXPECT_EQ(bill()[0]["outcome"], "reset");
  EXPECT_EQ(server().counters().resets, 1u);
}

TEST_F(faults_test, a_truncated_answer_is_billed) {
  EXPECT_EQ(with_fault(&fault_rates::truncated).code, CURLE_PARTIAL_FILE);
  EXPECT_EQ(bill().at(0)["outcome"], "truncated");
}

TEST_F(faults_test, hangs_are_on_the_bill_before_the_client_gives_up) {
  for (auto which : {&fault_rates::hang, &fault_rates::hang_billed}) {
    scenario rules;
    rules.faults.*which = 1.0;
    serve(rules);
    http_request request;
    request.body = message("Hello").dump();
    request.timeout_ms = 150;
    EXPECT_EQ(client().send(request).code, CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(server().counters().hangs, 1u);
  }
  EXPECT_EQ(bill().size(), 1u);
}

TEST_F(faults_test, a_trickle_arrives_whole) {
  scenario rules;
  rules.faults.trickle = 1.0;
  rules.faults.trickle_pause_ms = 1;
  serve(rules);
  const auto answer = client().post(message("Hello"));
  EXPECT_EQ(answer.code, CURLE_OK);
  EXPECT_TRUE(answer.parsed().is_object());
  auto streaming = message("Hello");
  streaming["stream"] = true;
  EXPECT_THAT(client().post(streaming).body, HasSubstr("event: message_stop"));
}

TEST_F(faults_test, wrong_content_type_and_stream_errors) {
  EXPECT_EQ(with_fault(&fault_rates::wrong_content_type).headers["content-type"], "text/html");
  EXPECT_EQ(with_fault(&fault_rates::stream_error).status, 500);
  auto streaming = message("Hello");
  streaming["stream"] = true;
  const auto answer = client().post(streaming);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("event: error"));
  EXPECT_EQ(bill().back()["outcome"], "stream_error");
}

TEST_F(faults_test, answers_take_the_forms_that_are_asked_for) {
  EXPECT_EQ(with_form(&answer_rates::refusal).parsed()["stop_reason"], "refusal");
  const auto cut = with_form(&answer_rates::max_tokens).parsed();
  EXPECT_EQ(cut["stop_reason"], "max_tokens");
  EXPECT_EQ(cut["usage"]["output_tokens"], 4000);
  EXPECT_TRUE(with_form(&answer_rates::empty).parsed()["content"].empty());
  EXPECT_THAT(with_form(&answer_rates::prose).text(), testing::Not(HasSubstr("```")));
  EXPECT_THAT(with_form(&answer_rates::bare).text(), testing::StartsWith("\"\"\""));
  EXPECT_THAT(with_form(&answer_rates::chatty).text(), HasSubstr("Here is the test file"));
  EXPECT_THAT(with_form(&answer_rates::broken_code).text(), HasSubstr("}}} ("));
  EXPECT_EQ(with_form(&answer_rates::thinking).parsed()["content"][0]["type"], "thinking");
}

TEST_F(faults_test, an_answer_never_exceeds_max_tokens) {
  serve();
  const auto body = client().post(message(task_prompt, 20)).parsed();
  EXPECT_EQ(body["stop_reason"], "max_tokens");
  EXPECT_EQ(body["usage"]["output_tokens"], 20);
}

TEST_F(faults_test, account_errors_begin_with_the_nth_request) {
  scenario rules;
  rules.account = {account_error::billing, 2};
  serve(rules);
  EXPECT_EQ(client().post(message("one")).status, 200);
  EXPECT_EQ(client().post(message("two")).error_type(), "billing_error");
  EXPECT_EQ(client().post(message("two")).status, 402);
  rules.account = {account_error::enforced_spend_limit, 1};
  serve(rules);
  EXPECT_EQ(client().post(message("one")).parsed()["error"]["details"]["error_code"], "enforced_spend_limit_reached");
  rules.account = {account_error::credit_too_low, 1};
  serve(rules);
  EXPECT_THAT(client().post(message("one")).body, HasSubstr("credit balance is too low"));
}

TEST_F(faults_test, an_outage_turns_every_request_of_its_model_and_time_away_unbilled) {
  constexpr uint64_t long_enough = 3'600'000;
  scenario rules;
  rules.outage = {0, long_enough, ""};
  serve(rules);
  EXPECT_EQ(client().post(message("one")).status, 529);
  EXPECT_EQ(client().post(message("one")).error_type(), "overloaded_error");
  EXPECT_TRUE(bill().empty());
  rules.outage.model = message("one")["model"].get<std::string>();
  serve(rules);
  EXPECT_EQ(client().post(message("one")).status, 529);
  rules.outage.model = "another-model";
  serve(rules);
  EXPECT_EQ(client().post(message("one")).status, 200);
  rules.outage = {long_enough, long_enough, ""};
  serve(rules);
  EXPECT_EQ(client().post(message("one")).status, 200) << "it has not begun";
}

TEST_F(faults_test, lies_are_billed_as_they_are_told) {
  scenario rules;
  rules.malformed.bill_max_tokens = rules.malformed.dearest_cache_writes = true;
  serve(rules);
  const auto usage = client().post(message(std::string(2500, 'x'), 1000)).parsed()["usage"];
  EXPECT_EQ(usage["output_tokens"], 1000);
  EXPECT_EQ(usage["cache_creation"]["ephemeral_1h_input_tokens"], 1007);
  // 1007 x 0.20 + 1000 x 0.50 dollars a million
  EXPECT_EQ(bill().back()["cost_nano_dollars"], 1007 * 200 + 1000 * 500);
  rules.malformed = {};
  rules.malformed.missing_usage = true;
  serve(rules);
  EXPECT_FALSE(client().post(message("x")).parsed().contains("usage"));
  rules.malformed = {};
  rules.malformed.negative_usage = true;
  serve(rules);
  EXPECT_LT(client().post(message("x")).parsed()["usage"]["output_tokens"], 0);
  EXPECT_GT(bill().back()["cost_nano_dollars"], 0);
}

TEST_F(faults_test, doubled_answers_are_twice_as_long) {
  serve();
  const auto once = client().post(message(task_prompt)).text().size();
  scenario rules;
  rules.malformed.double_output = true;
  serve(rules);
  const auto twice = client().post(message(task_prompt)).text().size();
  EXPECT_GT(twice, once * 18 / 10);
}

TEST_F(faults_test, the_bill_names_the_prompt_but_never_the_key) {
  serve();
  auto answer = client().post(message("Hello"));
  const auto lines = bill();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["prompt_sha256"], to_hex(sha256("Hello")));
  EXPECT_EQ(lines[0]["request_id"], answer.headers["request-id"]);
  EXPECT_EQ(lines[0]["output_tokens"], answer.parsed()["usage"]["output_tokens"]);
  EXPECT_THAT(lines[0].dump(), testing::Not(HasSubstr("test-key")));
  client().post(message("Hello"));
  EXPECT_EQ(server().counters().repeated_prompts, 1u);
  EXPECT_EQ(server().counters().billed_amount.count, bill()[0]["cost_nano_dollars"].get<int64_t>() * 2);
}

TEST_F(faults_test, a_cached_prefix_is_written_once_and_then_read) {
  serve();
  auto body = message("Hello");
  body["system"] = json::array({{{"type", "text"},
                                 {"text", std::string(10'000, 's')},
                                 {"cache_control", {{"type", "ephemeral"}, {"ttl", "1h"}}}}});
  const auto first = client().post(body).parsed()["usage"];
  EXPECT_EQ(first["cache_creation"]["ephemeral_1h_input_tokens"], 4000);
  EXPECT_EQ(first["cache_read_input_tokens"], 0);
  body["messages"][0]["content"] = "Another";
  const auto second = client().post(body).parsed()["usage"];
  EXPECT_EQ(second["cache_creation_input_tokens"], 0);
  EXPECT_EQ(second["cache_read_input_tokens"], 4000);
  body["system"][0]["text"] = "short";
  EXPECT_EQ(client().post(body).parsed()["usage"]["cache_creation_input_tokens"], 0);
}

TEST_F(faults_test, stops_while_answers_are_pending) {
  scenario rules;
  rules.latency.fixed_ms = 3'600'000;
  serve(rules);
  std::thread waiting{[this] { EXPECT_NE(client().post(message("x")).code, CURLE_OK); }};
  while (server().counters().in_flight == 0) std::this_thread::yield();
  server().stop();
  waiting.join();
  EXPECT_EQ(server().counters().open_connections, 0u);
  EXPECT_EQ(server().counters().in_flight, 0u);
  EXPECT_EQ(bill().size(), 1u) << "who dies while waiting has been billed";
}

}  // namespace
}  // namespace cohort::simulator
