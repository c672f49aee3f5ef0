// The whole way: request, transport, scripted server, outcome.
#include "claude/api/messages_client.hpp"

#include <algorithm>
#include <future>

#include <gtest/gtest.h>

#include "tests/claude/api/scripted_server.hpp"

namespace cohort::claude {
namespace {

claude_settings settings() { return load_claude_settings(COHORT_SOURCE_DIR "/config/defaults.json").value(); }

/// A client of `url` with its own transport.
struct client {
  explicit client(const std::string& url, claude_settings with = settings())
      : where(endpoint_at(url, "sk-test-0123456789", with).value()),
        transport(transport::start(transport_options_for(where, with)).value()),
        api(*transport, where, with) {}

  std::future<call_outcome> begin(const completion_request& request, milliseconds timeout = std::chrono::seconds{60}) {
    auto promise = std::make_shared<std::promise<call_outcome>>();
    auto future = promise->get_future();
    last_id = api.complete(request, timeout, [promise](call_outcome got) { promise->set_value(std::move(got)); });
    return future;
  }
  completion_result ask(const completion_request& request, milliseconds timeout = std::chrono::seconds{60}) {
    return begin(request, timeout).get().result;
  }

  endpoint where;
  std::unique_ptr<claude::transport> transport;
  messages_client api;
  uint64_t last_id = 0;
};

completion_request small() { return {"m", "rules", "hello", 100, cache_mode::none, ""}; }

completion_request large() {
  auto request = small();
  request.max_tokens = 64'000;
  return request;
}

/// Answers every request of a connection with the same bytes.
scripted_server::script always(std::string bytes) {
  return [bytes = std::move(bytes)](scripted_connection& peer, int) {
    while (peer.read_request()) peer.send(bytes);
  };
}

const std::string whole_stream =
    "event: message_start\ndata: "
    "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n"
    "event: content_block_delta\ndata: "
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n"
    "event: message_delta\ndata: "
    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n"
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

TEST(messages_client, sends_what_the_api_wants_and_reads_the_answer) {
  std::promise<std::string> seen;
  scripted_server server{[&](scripted_connection& peer, int) {
    if (auto request = peer.read_request()) seen.set_value(*request);
    peer.send(http_answer(200, message_json("done"),
                          "request-id: req_7\r\nanthropic-ratelimit-requests-limit: "
                          "50\r\nanthropic-ratelimit-requests-remaining: 49\r\n"));
    peer.hang();
  }};
  client c{server.url() + "/proxy/"};
  const auto got = c.begin(small()).get();
  ASSERT_TRUE(got.result) << got.result.error().message;
  EXPECT_EQ(got.result->text, "done");
  EXPECT_EQ(got.result->request_id, "req_7");
  EXPECT_EQ(got.limits.requests.remaining, 49U);
  const auto request = seen.get_future().get();
  for (const char* part :
       {"POST /proxy/v1/messages HTTP/1.1\r\n", "x-api-key: sk-test-0123456789\r\n",
        "anthropic-version: 2023-06-01\r\n", "Content-Type: application/json\r\n", "\"max_tokens\":100"})
    EXPECT_NE(request.find(part), std::string::npos) << part << request;
  for (const char* part : {"temperature", "top_p", "top_k", "Expect:", "metadata"})
    EXPECT_EQ(request.find(part), std::string::npos) << part;
}

TEST(messages_client, keeps_a_connection_for_the_next_request) {
  scripted_server server{always(http_answer(200, message_json("x")))};
  client c{server.url()};
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(c.ask(small()));
  EXPECT_EQ(server.requests(), 20);
  EXPECT_EQ(server.connections(), 1);
}

TEST(messages_client, never_sends_a_request_twice_when_a_kept_connection_dies) {
  for (const bool with_reset : {true, false}) {
    scripted_server server{[&](scripted_connection& peer, int) {
      (void)peer.read_request();
      peer.send(http_answer(200, message_json("first")));
      if (!peer.read_request()) return;  // The second request has been read whole: it may be billed.
      if (with_reset) peer.reset();
    }};
    client c{server.url()};
    ASSERT_TRUE(c.ask(small()));
    const auto second = c.ask(small());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ec::connection_lost);
    EXPECT_EQ(second.error().billed, billing::unknown);
    EXPECT_TRUE(second.error().retry);
    EXPECT_EQ(server.requests(), 2) << "the resend of libcurl itself reached the server";
  }
}

TEST(messages_client, never_sends_a_large_request_twice_either) {
  scripted_server server{[&](scripted_connection& peer, int) {
    (void)peer.read_request();
    peer.send(http_answer(200, message_json("first")));
    if (peer.read_request()) peer.reset();
  }};
  client c{server.url()};
  ASSERT_TRUE(c.ask(small()));
  auto request = small();
  request.prompt = std::string(3 << 20, 'p');
  EXPECT_EQ(c.ask(request).error().billed, billing::unknown);
  EXPECT_EQ(server.requests(), 2);
}

TEST(messages_client, takes_a_fresh_connection_when_the_kept_one_was_closed_before) {
  std::promise<void> closed;
  scripted_server server{[&](scripted_connection& peer, int number) {
    (void)peer.read_request();
    peer.send(http_answer(200, message_json("x")));
    peer.close();
    if (number == 1) closed.set_value();
  }};
  client c{server.url()};
  ASSERT_TRUE(c.ask(small()));
  closed.get_future().wait();
  // The end of a connection travels through the loopback before `close` returns, except for the server's duplicate.
  for (int i = 0; i < 1000 && !c.ask(small()); ++i) continue;
  EXPECT_GE(server.connections(), 2);
}

TEST(messages_client, knows_that_nothing_was_sent_when_nobody_listens) {
  std::string url;
  { url = scripted_server{always("")}.url(); }
  client c{url};
  const auto got = c.ask(small());
  EXPECT_EQ(got.error().code, ec::connect_failed);
  EXPECT_EQ(got.error().billed, billing::unbilled);
  EXPECT_TRUE(got.error().retry);
}

TEST(messages_client, reports_a_lie_by_name_and_stays_within_its_bounds) {
  struct row {
    std::string bytes;
    ec code;
  };
  const auto ok = message_json("x");
  const row rows[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{", ec::connection_lost},
                      {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + ok, ec::malformed_answer},
                      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n", ec::connection_lost},
                      {http_answer(200, "<html>", "", "text/html"), ec::malformed_answer},
                      {http_answer(200, std::string(200'000, '[')), ec::malformed_answer},
                      {http_answer(200, ""), ec::malformed_answer},
                      {"garbage\r\n\r\n", ec::malformed_answer},
                      {"HTTP/1.1 200 OK\r\n" + std::string(90'000, 'h') + ": 1\r\n\r\n", ec::malformed_answer},
                      {"", ec::connection_lost}};
  for (const auto& r : rows) {
    scripted_server server{[&](scripted_connection& peer, int) {
      if (peer.read_request()) peer.send(r.bytes);
    }};
    client c{server.url()};
    const auto got = c.ask(small());
    ASSERT_FALSE(got) << r.bytes.substr(0, 60);
    EXPECT_EQ(got.error().code, r.code) << r.bytes.substr(0, 60) << " " << got.error().message;
    EXPECT_EQ(got.error().billed, billing::unknown) << r.bytes.substr(0, 60);
    EXPECT_EQ(server.requests(), 1);
  }
}

TEST(messages_client, stops_a_flood_of_headers_and_a_body_of_a_gigabyte) {
  for (const bool headers : {true, false}) {
    std::atomic<uint64_t> sent{0};
    {
      scripted_server server{[&](scripted_connection& peer, int) {
        (void)peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\n");
        if (!headers) peer.send("Content-Length: 1073741824\r\n\r\n");
        const std::string piece = headers ? "x-flood: 1\r\n" : std::string(1 << 16, ' ');
        for (uint64_t all = 0; all < (1ULL << 30) && peer.send(piece); all += piece.size()) sent += piece.size();
      }};
      client c{server.url()};
      const auto got = c.ask(small());
      EXPECT_EQ(got.error().code, ec::malformed_answer);
      EXPECT_EQ(got.error().billed, billing::unknown);
    }
    EXPECT_LT(sent, 64ULL << 20);
  }
}

/// Begins an answer of `bytes` bytes and does not end it.
scripted_server::script begins(size_t bytes) {
  return [bytes](scripted_connection& peer, int) {
    (void)peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(bytes, ' '));
    peer.hang();
  };
}

TEST(messages_client, bounds_the_memory_of_all_answers_together) {
  auto with = settings();
  with.transport.buffered_bytes = 400'000;  // A text of 150,000 bytes takes up to twice that.
  scripted_server server{begins(150'000)};
  client c{server.url(), with};
  std::vector<std::pair<uint64_t, std::future<call_outcome>>> calls;
  for (int i = 0; i < 4; ++i) {
    auto call = c.begin(small());
    calls.emplace_back(c.last_id, std::move(call));
  }
  const auto ended = [](const auto& call) {
    return call.second.wait_for(milliseconds{1}) == std::future_status::ready;
  };
  while (std::none_of(calls.begin(), calls.end(), ended)) continue;
  for (const auto& [id, _] : calls) c.api.cancel(id);
  size_t given_up = 0;
  for (auto& [_, call] : calls) {
    const auto failure = call.get().result.error();
    given_up += failure.code == ec::malformed_answer ? 1 : 0;
    EXPECT_EQ(failure.billed, billing::unknown);
  }
  EXPECT_GE(given_up, 1U);
  EXPECT_LT(given_up, 4U);
}

TEST(messages_client, gives_up_the_largest_answer_when_memory_is_short) {
  auto with = settings();
  with.transport.buffered_bytes = 200'000;
  scripted_server modest{begins(20'000)};
  scripted_server greedy{begins(250'000)};
  client c{modest.url(), with};
  auto kept = c.begin(small());
  const auto kept_id = c.last_id;
  while (modest.requests() == 0) continue;
  messages_client other{*c.transport, endpoint_at(greedy.url(), "sk-test-0123456789", with).value(), with};
  std::promise<call_outcome> taken;
  other.complete(small(), std::chrono::seconds{60}, [&](call_outcome got) { taken.set_value(std::move(got)); });
  const auto lost = taken.get_future().get();
  EXPECT_EQ(lost.result.error().code, ec::malformed_answer);
  EXPECT_NE(lost.result.error().message.find("more memory than allowed"), std::string::npos);
  EXPECT_EQ(kept.wait_for(milliseconds{0}), std::future_status::timeout);
  c.api.cancel(kept_id);
  const auto left = kept.get().result.error();
  EXPECT_EQ(left.code, ec::cancelled) << left.message;
}

TEST(messages_client, stops_at_headers_without_number) {
  scripted_server server{[](scripted_connection& peer, int) {
    (void)peer.read_request();
    std::string lines = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 5000; ++i) lines += "a:\r\n";
    peer.send(lines + "\r\n");
    peer.hang();
  }};
  client c{server.url()};
  EXPECT_EQ(c.ask(small()).error().code, ec::malformed_answer);
}

TEST(messages_client, reads_a_stream_cut_into_chunks_at_every_place) {
  for (size_t cut = 1; cut < whole_stream.size(); cut += 7) {
    scripted_server server{
        always(stream_head + chunk(whole_stream.substr(0, cut)) + chunk(whole_stream.substr(cut)) + "0\r\n\r\n")};
    client c{server.url()};
    const auto got = c.ask(large());
    ASSERT_TRUE(got) << got.error().message;
    ASSERT_EQ(got->text, "hi");
  }
}

TEST(messages_client, takes_the_message_of_a_stream_that_is_never_closed) {
  scripted_server server{[](scripted_connection& peer, int) {
    (void)peer.read_request();
    peer.send(stream_head + chunk(whole_stream));
    peer.hang();
  }};
  client c{server.url()};
  EXPECT_EQ(c.ask(large())->text, "hi");
}

TEST(messages_client, ends_an_endless_stream_by_its_time) {
  scripted_server server{[](scripted_connection& peer, int) {
    (void)peer.read_request();
    peer.send(stream_head);
    while (peer.send(chunk("event: ping\ndata: {\"type\":\"ping\"}\n\n"))) std::this_thread::sleep_for(milliseconds{1});
  }};
  client c{server.url()};
  const auto got = c.ask(large(), milliseconds{300});
  EXPECT_EQ(got.error().code, ec::timeout);
  EXPECT_EQ(got.error().billed, billing::unknown);
}

TEST(messages_client, gives_up_on_a_silent_server_in_time_and_calls_the_bill_unknown) {
  scripted_server server{[](scripted_connection& peer, int) {
    (void)peer.read_request();
    peer.hang();
  }};
  client c{server.url()};
  const auto begun = steady_clock::now();
  const auto got = c.ask(small(), milliseconds{200});
  EXPECT_EQ(got.error().code, ec::timeout);
  EXPECT_EQ(got.error().billed, billing::unknown);
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds{5});
}

TEST(messages_client, knows_that_a_request_that_never_left_whole_is_not_billed) {
  std::promise<void> accepted;
  scripted_server server{[&](scripted_connection& peer, int) {
    accepted.get_future().wait();
    peer.reset();
  }};
  client c{server.url()};
  auto request = small();
  request.prompt = std::string(30 << 20, 'p');  // More than the sockets' buffers take.
  auto pending = c.begin(request, milliseconds{500});
  const auto got = pending.get().result;
  accepted.set_value();
  EXPECT_EQ(got.error().billed, billing::unbilled);
}

TEST(messages_client, hears_a_refusal_that_comes_before_the_request_is_sent) {
  scripted_server server{[](scripted_connection& peer, int) {
    peer.send(http_answer(413, R"({"type":"error","error":{"type":"request_too_large","message":"big"}})",
                          "Connection: close\r\n"));
    peer.hang();
  }};
  client c{server.url()};
  auto request = small();
  request.prompt = std::string(20 << 20, 'p');
  const auto got = c.ask(request);
  EXPECT_EQ(got.error().code, ec::request_too_large);
  EXPECT_EQ(got.error().billed, billing::unbilled);
}

TEST(messages_client, does_not_send_what_is_already_too_late) {
  scripted_server server{always(http_answer(200, message_json("x")))};
  client c{server.url()};
  const auto got = c.ask(small(), milliseconds{0});
  EXPECT_EQ(got.error().code, ec::timeout);
  EXPECT_EQ(got.error().billed, billing::unbilled);
  EXPECT_EQ(server.connections(), 0);
}

TEST(messages_client, cancels_one_request_and_leaves_the_others) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  scripted_server server{[&](scripted_connection& peer, int) {
    (void)peer.read_request();
    released.wait();
    peer.send(http_answer(200, message_json("x")));
    peer.hang();
  }};
  client c{server.url()};
  auto first = c.begin(small());
  const auto id = c.last_id;
  auto second = c.begin(small());
  while (server.requests() < 2) std::this_thread::yield();
  c.api.cancel(id);
  const auto cancelled = first.get().result;
  EXPECT_EQ(cancelled.error().code, ec::cancelled);
  EXPECT_EQ(cancelled.error().billed, billing::unknown) << "the server had read it";
  release.set_value();
  EXPECT_TRUE(second.get().result);
  c.api.cancel(id);
  c.api.cancel(12345);
}

TEST(messages_client, answers_everything_that_is_in_flight_when_it_stops) {
  scripted_server server{[](scripted_connection& peer, int) {
    (void)peer.read_request();
    peer.hang();
  }};
  client c{server.url()};
  std::vector<std::future<call_outcome>> pending;
  for (int i = 0; i < 20; ++i) pending.push_back(c.begin(small()));
  c.transport->stop();
  for (auto& p : pending) EXPECT_EQ(p.get().result.error().code, ec::cancelled);
  EXPECT_EQ(c.transport->in_flight(), 0U);
  const auto late = c.ask(small());
  EXPECT_EQ(late.error().code, ec::cancelled);
  EXPECT_EQ(late.error().billed, billing::unbilled);
}

TEST(messages_client, carries_500_requests_at_once) {
  std::atomic<int> waiting{0};
  std::promise<void> all;
  const auto everyone = all.get_future().share();
  scripted_server server{[&](scripted_connection& peer, int) {
    (void)peer.read_request();
    if (++waiting == 500) all.set_value();
    everyone.wait();  // Nobody is answered before all are here.
    peer.send(http_answer(200, message_json("x")));
    peer.hang();
  }};
  client c{server.url()};
  std::vector<std::future<call_outcome>> pending;
  for (int i = 0; i < 500; ++i) pending.push_back(c.begin(small()));
  for (auto& p : pending) ASSERT_TRUE(p.get().result);
  EXPECT_EQ(server.requests(), 500);
}

TEST(messages_client, holds_back_what_the_connections_do_not_carry_and_loses_nothing) {
  auto with = settings();
  with.transport.connections = 4;
  scripted_server server{always(http_answer(200, message_json("x")))};
  client c{server.url(), with};
  std::vector<std::future<call_outcome>> pending;
  for (int i = 0; i < 200; ++i) pending.push_back(c.begin(small()));
  for (auto& p : pending) ASSERT_TRUE(p.get().result);
  EXPECT_LE(server.connections(), 4);
}

TEST(messages_client, does_not_follow_a_redirect_with_the_key) {
  scripted_server thief{always(http_answer(200, message_json("stolen")))};
  scripted_server server{always(http_answer(307, "", "Location: " + thief.url() + "/v1/messages\r\n"))};
  client c{server.url()};
  EXPECT_EQ(c.ask(small()).error().code, ec::config_invalid);
  EXPECT_EQ(thief.connections(), 0);
}

TEST(messages_client, never_shows_the_key_in_an_error) {
  scripted_server server{[](scripted_connection& peer, int) {
    while (const auto request = peer.read_request()) peer.send(http_answer(401, *request, "", "text/plain"));
  }};
  client c{server.url()};
  const auto got = c.ask(small());
  EXPECT_EQ(got.error().code, ec::authentication);
  EXPECT_NE(got.error().message.find("[redacted]"), std::string::npos);
  EXPECT_EQ(got.error().message.find("sk-test"), std::string::npos) << got.error().message;
}

TEST(messages_client, passes_over_interim_answers) {
  scripted_server server{always("HTTP/1.1 103 Early Hints\r\nrequest-id: wrong\r\n\r\n" +
                                http_answer(200, message_json("x"), "request-id: right\r\n"))};
  client c{server.url()};
  EXPECT_EQ(c.ask(small())->request_id, "right");
}

TEST(messages_client, asks_free_questions) {
  scripted_server server{[](scripted_connection& peer, int) {
    while (const auto request = peer.read_request()) {
      if (request->substr(0, 30) == "POST /v1/messages/count_tokens")
        peer.send(http_answer(200, R"({"input_tokens":77})"));
      else if (request->substr(0, 19) == "GET /v1/models/a%2F")
        peer.send(http_answer(200, R"({"id":"a/","max_tokens":5})"));
      else
        peer.send(http_answer(404, R"({"type":"error","error":{"type":"not_found_error","message":"no"}})"));
    }
  }};
  client c{server.url()};
  std::promise<tl::expected<uint64_t, call_failure>> count;
  c.api.count_tokens(small(), std::chrono::seconds{30}, [&](auto got) { count.set_value(std::move(got)); });
  EXPECT_EQ(count.get_future().get().value(), 77U);
  for (const auto& [id, found] : {std::pair{"a/", true}, std::pair{"zzz", false}}) {
    std::promise<model_answer> model;
    c.api.model(id, std::chrono::seconds{30}, [&](auto got) { model.set_value(std::move(got)); });
    const auto [got, clock] = model.get_future().get();
    ASSERT_EQ(got.has_value(), found) << id;
    EXPECT_FALSE(clock) << "this server tells no time";
    if (!found) {
      EXPECT_EQ(got.error().code, ec::model_not_found);
    }
  }
}

}  // namespace
}  // namespace cohort::claude
