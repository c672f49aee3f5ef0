// Turns a request into an HTTP call, and the reply into an outcome.

#include "claude/api/messages_client.hpp"

#include <cctype>

#include <fmt/format.h>

namespace cohort::claude {

namespace {

call_failure not_sent(const error& why) {
  call_failure failure;
  failure.code = why.code;
  failure.message = why.message;
  failure.billed = billing::unbilled;
  return failure;
}

/// Escapes an id as one path segment: a model id is data, not a path.
std::string escaped(std::string_view id) {
  std::string result;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || (c == '.' && id != "." && id != "..");
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return result;
}

}  // namespace

transport_options transport_options_for(const endpoint& where, const claude_settings& settings) {
  return {settings.transport, settings.wire.header_bytes, settings.wire.header_lines, where.ca_file, where.proxy};
}

messages_client::messages_client(transport& transport, endpoint where, claude_settings settings)
    : transport_(transport), where_(std::move(where)), settings_(std::move(settings)) {}

http_call messages_client::call(http_method method, std::string_view path, std::string body,
                                milliseconds timeout) const {
  http_call call;
  call.method = method;
  call.url = fmt::format("{}{}", where_.base_url, path);
  call.headers = where_.headers;
  call.headers.push_back("anthropic-version: " + where_.api_version);
  call.headers.emplace_back("User-Agent: cohort");
  if (method == http_method::post) call.headers.emplace_back("Content-Type: application/json");
  call.body = std::move(body);
  call.timeout = timeout;
  return call;
}

uint64_t messages_client::complete(const completion_request& request, milliseconds timeout, on_completion done) {
  auto body = encode_request(request, settings_.wire);
  if (!body) {
    done({tl::unexpected(not_sent(body.error())), {}});
    return 0;
  }
  auto reader = std::make_shared<answer_reader>(bounds_for(settings_.wire, request.max_tokens), request.cache);
  auto finish = [reader, done = std::move(done)](const http_end& end) {
    done({reader->finish(end, wall_now()), decode_rate_limits(end.head)});
  };
  auto post = call(http_method::post, "/v1/messages", std::move(*body), timeout);
  post.headers.emplace_back(is_streamed(request, settings_.wire) ? "Accept: text/event-stream"
                                                                 : "Accept: application/json");
  return transport_.submit(std::move(post), reader, std::move(finish));
}

uint64_t messages_client::count_tokens(const completion_request& request, milliseconds timeout, on_count done) {
  auto body = encode_count_request(request, settings_.wire);
  if (!body) {
    done(tl::unexpected(not_sent(body.error())));
    return 0;
  }
  auto reader = std::make_shared<body_reader>(settings_.wire.error_bytes);
  auto finish = [reader, wire = settings_.wire, done = std::move(done)](const http_end& end) {
    done(decode_token_count(end, reader->body(), wire, wall_now()));
  };
  return transport_.submit(call(http_method::post, "/v1/messages/count_tokens", std::move(*body), timeout), reader,
                           std::move(finish));
}

uint64_t messages_client::model(const std::string& id, milliseconds timeout, on_model done) {
  auto reader = std::make_shared<body_reader>(settings_.wire.error_bytes);
  auto finish = [reader, wire = settings_.wire, done = std::move(done)](const http_end& end) {
    done({decode_model(end, reader->body(), wire, wall_now()), decode_date(end.head)});
  };
  return transport_.submit(call(http_method::get, "/v1/models/" + escaped(id), {}, timeout), reader, std::move(finish));
}

}  // namespace cohort::claude
