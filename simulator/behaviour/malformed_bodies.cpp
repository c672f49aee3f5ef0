// Makes malformed bodies. Each is a small text; an endless one is a beginning and a tail that is repeated.

#include "simulator/behaviour/malformed_bodies.hpp"

#include <fmt/format.h>

namespace cohort::simulator {

namespace {

constexpr uint64_t stated_gigabytes = 8ULL << 30;
constexpr std::string_view honest_content = R"([{"type":"text","text":"def test_lie():\n    assert True\n"}])";
constexpr std::string_view honest_usage = R"({"input_tokens":10,"output_tokens":10})";

std::string message(std::string_view model, std::string_view content, std::string_view usage) {
  return fmt::format(
      R"({{"id":"msg_lie","type":"message","role":"assistant","model":"{}","content":{},"stop_reason":"end_turn","usage":{}}})",
      model, content, usage);
}

std::string deeply_nested(std::string_view model) {
  constexpr size_t levels = 100'000;
  return message(model, std::string(levels, '[') + std::string(levels, ']'), honest_usage);
}

/// An answer whose text never ends.
std::string open_text(std::string_view model) {
  auto body = message(model, honest_content, honest_usage);
  body.resize(body.find("def test_lie"));
  return body;
}

std::string flood() {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += fmt::format("x-flood-{}: {}\r\n", i, std::string(1000, 'f'));
  return lines;
}

void never_end(reply& out, std::string opening, std::string_view repeated_tail) {
  out.body = std::move(opening);
  out.how = transmission::endless;
  out.repeated_tail = repeated_tail;
  out.streamed = true;
}

}  // namespace

void make_malformed(malformed_body lie, std::string_view model, reply& out) {
  constexpr std::string_view ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  if (lie == malformed_body::none || lie == malformed_body::other_model) return;
  out.streamed = false;
  if (lie == malformed_body::long_length) {  // Else honest and usable: its usage has to be what is billed.
    out.stated_length = out.body.size() * 2;
    out.how = transmission::whole_then_close;
    return;
  }
  out.how = transmission::whole;
  out.content_type = "application/json";
  switch (lie) {
    case malformed_body::none:
    case malformed_body::other_model:
    case malformed_body::long_length: break;
    case malformed_body::html:
      out.body = "<!doctype html><html><body><h1>Welcome to the hotel's network</h1></body></html>";
      out.content_type = "text/html";
      break;
    case malformed_body::huge_usage:
      out.body = message(model, honest_content,
                         R"({"input_tokens":18446744073709551615,"output_tokens":9000000000000000000})");
      break;
    case malformed_body::mistyped_usage:
      out.body = message(model, honest_content, R"({"input_tokens":"10","output_tokens":[10]})");
      break;
    case malformed_body::mistyped_content:
      out.body = message(model, R"({"type":"text","text":7})", honest_usage);
      break;
    case malformed_body::deep_json: out.body = deeply_nested(model); break;
    case malformed_body::invalid_utf8:
      out.body = message(model, "[{\"type\":\"text\",\"text\":\"\xFF\xFE\"}]", honest_usage);
      break;
    case malformed_body::short_length:
      out.body = message(model, honest_content, honest_usage);
      out.stated_length = out.body.size() / 2;
      break;
    case malformed_body::header_flood:
      out.body = message(model, honest_content, honest_usage);
      out.headers += flood();
      break;
    case malformed_body::gigabytes:
      never_end(out, open_text(model), "all work and no play ");
      out.streamed = false;
      out.stated_length = stated_gigabytes;
      break;
    case malformed_body::endless: never_end(out, open_text(model), "all work and no play "); break;
    case malformed_body::endless_events:
      never_end(out, std::string{ping}, ping);
      out.content_type = "text/event-stream";
      break;
    case malformed_body::endless_line:
      never_end(out, "data: ", "all work and no play ");
      out.content_type = "text/event-stream";
      break;
  }
}

}  // namespace cohort::simulator
