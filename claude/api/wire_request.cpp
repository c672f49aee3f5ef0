// Writes a completion_request as JSON.

#include <fmt/format.h>

#include "base/text.hpp"
#include "claude/api/wire.hpp"

namespace cohort::claude {

namespace {

/// A plain string unless a cache mark is asked for: servers other than Anthropic's know the string best.
void append_system(std::string& body, const completion_request& request) {
  const auto block = [&](const char* ttl) {
    body += R"([{"type":"text","text":)";
    append_json_string(body, request.shared_prefix);
    body += fmt::format(R"(,"cache_control":{{"type":"ephemeral","ttl":"{}"}}}}])", ttl);
  };
  body += R"(,"system":)";
  switch (request.cache) {
    case cache_mode::none: return append_json_string(body, request.shared_prefix);
    case cache_mode::five_minutes: return block("5m");
    case cache_mode::one_hour: return block("1h");
  }
}

/// Writes text directly: prompts are long, and a tree of JSON values would copy and check each byte several times.
/// `{"model":...,"messages":[...]` with the system prompt, if there is one; the object is left open.
std::string opening_of(const completion_request& request) {
  std::string body;
  body.reserve(request.shared_prefix.size() + request.prompt.size() + request.prompt.size() / 8 + 512);
  body += R"({"model":)";
  append_json_string(body, request.model);
  if (!request.shared_prefix.empty()) append_system(body, request);
  body += R"(,"messages":[{"role":"user","content":)";
  append_json_string(body, request.prompt);
  body += "}]";
  return body;
}

expected<void> check(const completion_request& request) {
  if (request.model.empty()) return fail(ec::request_invalid, "the request names no model");
  if (request.prompt.empty()) return fail(ec::request_invalid, "the request has no prompt");
  for (const auto* text : {&request.model, &request.shared_prefix, &request.prompt, &request.effort})
    if (!is_utf8(*text)) return fail(ec::request_invalid, "the prompt is not UTF-8 text, so it cannot be sent as JSON");
  return {};
}

expected<std::string> within(std::string body, const wire_settings& settings) {
  if (body.size() > settings.request_bytes)
    return fail(ec::request_too_large,
                fmt::format("the request has {} bytes; the API takes at most {}. Split the task.", body.size(),
                            settings.request_bytes));
  return body;
}

}  // namespace

bool is_streamed(const completion_request& request, const wire_settings& settings) noexcept {
  return request.max_tokens > settings.stream_above_max_tokens;
}

expected<std::string> encode_request(const completion_request& request, const wire_settings& settings) {
  if (auto ok = check(request); !ok) return tl::unexpected(ok.error());
  if (request.max_tokens == 0) return fail(ec::request_invalid, "the request allows no answer: max_tokens is 0");
  auto body = opening_of(request);
  body += fmt::format(R"(,"max_tokens":{})", request.max_tokens);
  if (!request.effort.empty()) {
    body += R"(,"output_config":{"effort":)";
    append_json_string(body, request.effort);
    body += '}';
  }
  if (is_streamed(request, settings)) body += R"(,"stream":true)";
  body += '}';
  return within(std::move(body), settings);
}

expected<std::string> encode_count_request(const completion_request& request, const wire_settings& settings) {
  if (auto ok = check(request); !ok) return tl::unexpected(ok.error());
  return within(opening_of(request) + '}', settings);
}

}  // namespace cohort::claude
