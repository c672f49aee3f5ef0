// completion_request -> JSON.

#include <fmt/format.h>

#include "base/text.hpp"
#include "claude/json.hpp"
#include "claude/wire.hpp"

namespace cohort {

namespace {

using nlohmann::json;

/// A plain string unless a cache mark is asked for: servers other than Anthropic's know the string best.
json system_of(const completion_request& request) {
  const auto block = [&](const char* ttl) {
    return json::array({{{"type", "text"},
                         {"text", request.shared_prefix},
                         {"cache_control", {{"type", "ephemeral"}, {"ttl", ttl}}}}});
  };
  switch (request.cache) {
    case cache_mode::none: return request.shared_prefix;
    case cache_mode::five_minutes: return block("5m");
    case cache_mode::one_hour: return block("1h");
  }
  return request.shared_prefix;
}

json prompt_of(const completion_request& request) {
  json body{{"model", request.model}, {"messages", json::array({{{"role", "user"}, {"content", request.prompt}}})}};
  if (!request.shared_prefix.empty()) body["system"] = system_of(request);
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
  auto body = prompt_of(request);
  body["max_tokens"] = request.max_tokens;
  if (!request.effort.empty()) body["output_config"] = {{"effort", request.effort}};
  if (is_streamed(request, settings)) body["stream"] = true;
  return within(body.dump(), settings);
}

expected<std::string> encode_count_request(const completion_request& request, const wire_settings& settings) {
  if (auto ok = check(request); !ok) return tl::unexpected(ok.error());
  return within(prompt_of(request).dump(), settings);
}

}  // namespace cohort
