// Reads failure statuses, error bodies and their headers.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "claude/api/json.hpp"
#include "claude/api/wire.hpp"

namespace cohort::claude {

namespace {

constexpr int64_t longest_retry_after_ms = 24LL * 3600 * 1000;
constexpr size_t shown_bytes = 500;

/// The API's error object, as far as it is there.
struct api_error {
  bool present = false;
  std::string type;
  std::string message;
  std::string error_code;
  std::string request_id;
};

api_error error_from(std::string_view body, const wire_settings& settings) {
  const auto root = parse_json(body, settings.json_depth, settings.json_values);
  if (!root) return {};
  const auto& inner = member(*root, "error");
  return {.present = text_at(*root, "type") == "error" && inner.is_object() && !text_at(inner, "type").empty(),
          .type = text_at(inner, "type"),
          .message = text_at(inner, "message"),
          .error_code = text_at(member(inner, "details"), "error_code"),
          .request_id = text_at(*root, "request_id")};
}

ec code_of_type(std::string_view type) {
  constexpr std::pair<std::string_view, ec> known[] = {{"invalid_request_error", ec::request_invalid},
                                                       {"authentication_error", ec::authentication},
                                                       {"billing_error", ec::billing},
                                                       {"permission_error", ec::forbidden},
                                                       {"not_found_error", ec::model_not_found},
                                                       {"conflict_error", ec::conflict},
                                                       {"request_too_large", ec::request_too_large},
                                                       {"rate_limit_error", ec::rate_limited},
                                                       {"api_error", ec::server_error},
                                                       {"timeout_error", ec::timeout},
                                                       {"overloaded_error", ec::overloaded}};
  const auto* hit =
      std::find_if(std::begin(known), std::end(known), [type](const auto& row) { return row.first == type; });
  return hit == std::end(known) ? ec::none : hit->second;
}

ec code_of_status(uint16_t status) {
  constexpr std::pair<uint16_t, ec> known[] = {
      {400, ec::request_invalid}, {401, ec::authentication}, {402, ec::billing},      {403, ec::forbidden},
      {404, ec::model_not_found}, {408, ec::timeout},        {409, ec::conflict},     {413, ec::request_too_large},
      {429, ec::rate_limited},    {500, ec::server_error},   {503, ec::server_error}, {504, ec::timeout},
      {529, ec::overloaded}};
  const auto* hit =
      std::find_if(std::begin(known), std::end(known), [status](const auto& row) { return row.first == status; });
  return hit == std::end(known) ? ec::none : hit->second;
}

bool mentions(std::string_view text, std::string_view phrase) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), phrase.begin(), phrase.end(), same) != text.end();
}

/// A limit on the account's money: every further request would meet it too.
ec code_of_account(uint16_t status, const api_error& said) {
  if (said.error_code == "enforced_spend_limit_reached" || said.error_code == "contract_spend_limit_reached")
    return ec::spend_limit;
  if (mentions(said.message, "credit balance is too low") || said.type == "billing_error") return ec::billing;
  if (status != 400) return ec::none;
  for (const auto* phrase : {"usage limit", "spend limit", "spending limit", "spend cap"})
    if (mentions(said.message, phrase)) return ec::spend_limit;
  return ec::none;
}

ec code_of(uint16_t status, const api_error& said) {
  if (const auto account = code_of_account(status, said); account != ec::none) return account;
  const auto by_type = code_of_type(said.type);
  if (status < 300) return by_type == ec::none ? ec::server_error : by_type;
  if (status < 400) return ec::config_invalid;
  if (status >= 500 && by_type == ec::overloaded) return ec::overloaded;
  if (const auto by_status = code_of_status(status); by_status != ec::none) return by_status;
  if (by_type != ec::none) return by_type;
  return status < 500 ? ec::request_invalid : ec::server_error;
}

/// Unbilled: only the API can have made this answer, or somebody else answered before the API did any work.
billing billing_of(uint16_t status, const api_error& said) {
  if (status < 300) return billing::unknown;
  const bool gave_up_waiting = status >= 500 || status == 408;
  return said.present || !gave_up_waiting ? billing::unbilled : billing::unknown;
}

std::string describe(const http_end& end, const api_error& said, std::string_view body) {
  if (end.head.status >= 300 && end.head.status < 400)
    return fmt::format(
        "HTTP {}: the server redirects to '{}'. Redirects are not followed with a credential; set "
        "ANTHROPIC_BASE_URL to the final address.",
        end.head.status, printable(redact(end.head.find("location"))));
  std::string what = said.message;
  if (what.empty() && !said.type.empty()) what = said.type;
  if (what.empty()) what = body.empty() ? "no explanation" : std::string{body.substr(0, shown_bytes)};
  return fmt::format("HTTP {}: {}", end.head.status, printable(redact(what), shown_bytes));
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

milliseconds bounded(double ms) {
  return milliseconds{
      static_cast<int64_t>(std::ceil(std::clamp(ms, 0.0, static_cast<double>(longest_retry_after_ms))))};
}

std::optional<wall_time> http_date(const std::string& text) {
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return wall_time{static_cast<int64_t>(timegm(&parts)) * 1000};
}

rate_limit_window window_of(const http_head& head, std::string_view kind) {
  const auto whole = [&](std::string_view what) -> std::optional<uint64_t> {
    const auto text = head.find(fmt::format("anthropic-ratelimit-{}-{}", kind, what));
    uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  rate_limit_window window;
  const auto limit = whole("limit");
  const auto remaining = whole("remaining");
  window.known = limit && remaining && *limit > 0;
  if (!window.known) return {};
  window.limit = *limit;
  window.remaining = std::min(*remaining, *limit);
  const auto reset = head.find(fmt::format("anthropic-ratelimit-{}-reset", kind));
  if (const auto time = parse_iso8601(reset)) window.reset = *time;
  return window;
}

}  // namespace

milliseconds decode_retry_after(const http_head& head, wall_time now) {
  if (const auto ms = number_in(head.find("retry-after-ms"))) return bounded(*ms);
  const std::string after{head.find("retry-after")};
  if (const auto seconds = number_in(after)) return bounded(*seconds * 1000);
  if (const auto date = http_date(after)) return bounded(static_cast<double>(date->ms - now.ms));
  return milliseconds{0};
}

std::optional<wall_time> decode_date(const http_head& head) { return http_date(std::string{head.find("date")}); }

rate_limit_headers decode_rate_limits(const http_head& head) {
  return {window_of(head, "requests"), window_of(head, "tokens"), window_of(head, "input-tokens"),
          window_of(head, "output-tokens")};
}

call_failure decode_failure(const http_end& end, std::string_view body, const wire_settings& settings, wall_time now) {
  call_failure failure;
  failure.request_id = printable(redact(end.head.find("request-id")));
  failure.http_status = end.head.status;
  if (end.head.status == 0) {
    failure.code = end.code == ec::none ? ec::connection_lost : end.code;
    failure.message = end.message;
    failure.retry = retryable(failure.code);
    failure.billed = end.sent_whole ? billing::unknown : billing::unbilled;
    return failure;
  }
  const auto said = error_from(body, settings);
  failure.code = code_of(end.head.status, said);
  failure.message = describe(end, said, body);
  if (failure.request_id.empty()) failure.request_id = printable(redact(said.request_id));
  failure.retry_after = decode_retry_after(end.head, now);
  const auto retry_header = end.head.find("x-should-retry");
  failure.retry = retry_header == "true" || (retry_header != "false" && retryable(failure.code));
  failure.billed = billing_of(end.head.status, said);
  return failure;
}

}  // namespace cohort::claude
