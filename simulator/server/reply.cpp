// Writes bodies piece by piece, because a JSON library would build values that are thrown away at once.

#include "simulator/server/reply.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"

namespace cohort::simulator {

namespace {

constexpr size_t delta_bytes = 400;

/// The end of the next delta: at most `delta_bytes`, at a character's start.
size_t delta_end(std::string_view text, size_t from) {
  size_t end = std::min(text.size(), from + delta_bytes);
  while (end < text.size() && end > from + 1 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end;
}

void begin_event(std::string& out, std::string_view name) {
  out.append("event: ").append(name).append("\ndata: {\"type\":\"").append(name).append("\"");
}

void end_event(std::string& out) { out.append("}\n\n"); }

struct block_text {
  std::string_view opening;  ///< The empty block.
  std::string_view delta;    ///< Start of a delta, up to its text.
};

constexpr block_text text_block{"{\"type\":\"text\",\"text\":\"\"}", "{\"type\":\"text_delta\",\"text\":"};
constexpr block_text thinking_block{"{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}",
                                    "{\"type\":\"thinking_delta\",\"thinking\":"};

void append_block_events(std::string& out, int index, const block_text& block, std::string_view text, bool signature) {
  begin_event(out, "content_block_start");
  fmt::format_to(std::back_inserter(out), ",\"index\":{},\"content_block\":{}", index, block.opening);
  end_event(out);
  for (size_t at = 0; at < text.size();) {
    const size_t end = delta_end(text, at);
    begin_event(out, "content_block_delta");
    fmt::format_to(std::back_inserter(out), ",\"index\":{},\"delta\":{}", index, block.delta);
    append_json_string(out, text.substr(at, end - at));
    out.push_back('}');
    end_event(out);
    at = end;
  }
  if (signature) {
    begin_event(out, "content_block_delta");
    fmt::format_to(std::back_inserter(out),
                   ",\"index\":{},\"delta\":{{\"type\":\"signature_delta\",\"signature\":\"c2ln\"}}", index);
    end_event(out);
  }
  begin_event(out, "content_block_stop");
  fmt::format_to(std::back_inserter(out), ",\"index\":{}", index);
  end_event(out);
}

}  // namespace

void reply::clear() {
  status = 200;
  headers.clear();
  body.clear();
  content_type = "application/json";
  streamed = message = false;
  how = transmission::whole;
  repeated_tail = {};
  stated_length.reset();
  delay = {};
  pieces = 1;
  pause = {};
}

std::string usage_json(const counted_tokens& tokens, bool us_inference, price_tier tier, usage_sign sign) {
  const auto shown = [sign](uint64_t count) {
    const auto value = static_cast<int64_t>(count);
    return sign == usage_sign::negative ? -value : value;
  };
  return fmt::format(
      "{{\"input_tokens\":{},\"cache_creation_input_tokens\":{},\"cache_read_input_tokens\":{},"
      "\"cache_creation\":{{\"ephemeral_5m_input_tokens\":{},\"ephemeral_1h_input_tokens\":{}}},"
      "\"output_tokens\":{},\"service_tier\":\"{}\",\"inference_geo\":{}}}",
      shown(tokens.input), shown(tokens.write_5m + tokens.write_1h), shown(tokens.read), shown(tokens.write_5m),
      shown(tokens.write_1h), shown(tokens.output), tier == price_tier::batch ? "batch" : "standard",
      us_inference ? "\"us\"" : "null");
}

void append_message_json(std::string& out, const message_body& message) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{{\"id\":\"{}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{}\",\"content\":[",
                 message.id, message.model);
  const answer& said = *message.said;
  if (!said.thinking.empty()) {
    out.append("{\"type\":\"thinking\",\"thinking\":");
    append_json_string(out, said.thinking);
    out.append(",\"signature\":\"c2ln\"}");
  }
  if (!said.text.empty()) {
    out.append(said.thinking.empty() ? "" : ",").append("{\"type\":\"text\",\"text\":");
    append_json_string(out, said.text);
    out.push_back('}');
  }
  fmt::format_to(to, "],\"stop_reason\":\"{}\",\"stop_sequence\":null", said.stop_reason);
  if (!message.usage.empty()) out.append(",\"usage\":").append(message.usage);
  out.push_back('}');
}

void append_message_events(std::string& out, const message_body& message, bool failing) {
  const answer& said = *message.said;
  const auto to = std::back_inserter(out);
  begin_event(out, "message_start");
  fmt::format_to(to,
                 ",\"message\":{{\"id\":\"{}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{}\","
                 "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null",
                 message.id, message.model);
  if (!message.start_usage.empty()) out.append(",\"usage\":").append(message.start_usage);
  out.push_back('}');
  end_event(out);
  begin_event(out, "ping");
  end_event(out);
  int index = 0;
  if (!said.thinking.empty()) append_block_events(out, index++, thinking_block, said.thinking, true);
  if (failing) {
    begin_event(out, "error");
    out.append(",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}");
    end_event(out);
    return;
  }
  if (!said.text.empty()) append_block_events(out, index, text_block, said.text, false);
  begin_event(out, "message_delta");
  fmt::format_to(to, ",\"delta\":{{\"stop_reason\":\"{}\",\"stop_sequence\":null}}", said.stop_reason);
  if (!message.usage.empty()) out.append(",\"usage\":").append(message.usage);
  end_event(out);
  begin_event(out, "message_stop");
  end_event(out);
}

void append_error_json(std::string& out, const api_problem& problem, std::string_view request_id) {
  out.append("{\"type\":\"error\",\"error\":{\"type\":\"").append(problem.type).append("\",\"message\":");
  append_json_string(out, problem.message);
  if (!problem.code.empty()) out.append(",\"details\":{\"error_code\":\"").append(problem.code).append("\"}");
  out.append("},\"request_id\":\"").append(request_id).append("\"}");
}

}  // namespace cohort::simulator
