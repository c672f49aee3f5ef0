// Answers a message request in these steps: account, checks, faults, limits, answer, bill, body. It is billed when it
// is accepted, before any latency: a client that dies while it waits has been billed.

#include <fmt/format.h>

#include "base/digest.hpp"
#include "simulator/api/messages_api.hpp"
#include "simulator/behaviour/malformed_bodies.hpp"

namespace cohort::simulator {

namespace {

std::string_view outcome_of(fault happens, bool stream) {
  switch (happens) {
    case fault::hang_billed: return "hang";
    case fault::reset_after_billing: return "reset";
    case fault::truncated: return "truncated";
    case fault::wrong_content_type: return "wrong_content_type";
    case fault::stream_error: return stream ? "stream_error" : "answered";
    case fault::trickle: return "trickled";
    case fault::rate_limited:
    case fault::overloaded:
    case fault::server_error:
    case fault::reset_unread:
    case fault::hang:
    case fault::none: break;
  }
  return "answered";
}

}  // namespace

std::optional<api_problem> messages_api::account_problem() const {
  if (ordinal_ < rules_.account.from_request) return std::nullopt;
  switch (rules_.account.error) {
    case account_error::none: return std::nullopt;
    case account_error::authentication: return api_problem{401, "authentication_error", "invalid x-api-key"};
    case account_error::billing:
      return api_problem{402, "billing_error", "There is a problem with your billing or payment information"};
    case account_error::permission:
      return api_problem{403, "permission_error", "Your API key does not have permission to use this resource"};
    case account_error::credit_too_low:
      return api_problem{400, "invalid_request_error",
                         "Your credit balance is too low to access the Anthropic API. "
                         "Please go to Plans & Billing to upgrade or purchase credits."};
    case account_error::spend_limit:
      return api_problem{400, "invalid_request_error",
                         "You have reached your specified API usage limits. You will regain access next month."};
    case account_error::enforced_spend_limit:
      return api_problem{429, "rate_limit_error", "Your organisation has reached its spend limit",
                         "enforced_spend_limit_reached"};
    case account_error::contract_spend_limit:
      return api_problem{429, "rate_limit_error", "Your organisation has reached its contract's spend limit",
                         "contract_spend_limit_reached"};
  }
  return std::nullopt;
}

bool messages_api::in_outage(steady_time now) {
  const auto& outage = rules_.outage;
  if (outage.for_ms == 0) return false;
  if (first_message_ == steady_time{}) first_message_ = now;
  const auto since = static_cast<uint64_t>(std::chrono::duration_cast<milliseconds>(now - first_message_).count());
  const bool concerned = outage.model.empty() || request_.model->id == outage.model;
  return concerned && since >= outage.from_ms && since < outage.from_ms + outage.for_ms;
}

void messages_api::message(const received_call& call, std::string_view path, reply& out) {
  out.message = true;
  ++ordinal_;
  counters_.change([](auto& c) {
    ++c.message_requests;
    c.peak_in_flight = std::max(c.peak_in_flight, ++c.in_flight);
  });
  if (const auto problem = account_problem()) return error(*problem, out);
  api_problem problem;
  if (!reader_.read(call.body, call.version, request_use::message, request_, problem)) return error(problem, out);
  if (in_outage(steady_clock::now())) return error({529, "overloaded_error", "Overloaded"}, out);
  const std::string prompt_hash = to_hex(sha256(request_.text));
  const uint64_t content = std::stoull(prompt_hash.substr(0, 16), nullptr, 16);
  const drawn_faults drawn = draw_faults(rules_, content, ++prompts_[content].attempts);
  out.delay = drawn.latency;
  if (fails_unbilled(drawn, out)) return;
  generate(drawn, prompt_hash, path, out);
}

void messages_api::too_many(uint32_t wait_seconds, std::string message, reply& out) {
  fmt::format_to(std::back_inserter(out.headers), "retry-after: {}\r\n", wait_seconds);
  error({429, "rate_limit_error", std::move(message)}, out);
}

bool messages_api::fails_unbilled(const drawn_faults& drawn, reply& out) {
  const auto at_once = [&out] { out.delay = {}; };
  switch (drawn.happens) {
    case fault::rate_limited:
      at_once();
      too_many(rules_.faults.retry_after_seconds, "This request would exceed your organisation's rate limit", out);
      return true;
    case fault::overloaded:
      at_once();
      error({529, "overloaded_error", "Overloaded"}, out);
      return true;
    case fault::server_error: error({500, "api_error", "Internal server error"}, out); return true;
    case fault::reset_unread:
      at_once();
      out.how = transmission::reset;
      return true;
    case fault::hang: out.how = transmission::hang; return true;
    case fault::stream_error:
      if (request_.stream) return false;
      error({500, "api_error", "Internal server error"}, out);
      return true;
    case fault::hang_billed:
    case fault::reset_after_billing:
    case fault::truncated:
    case fault::wrong_content_type:
    case fault::trickle:
    case fault::none: break;
  }
  return false;
}

model_buckets& messages_api::buckets_of(const served_model& model, steady_time now) {
  return buckets_.try_emplace(&model, rules_.limits, now).first->second;
}

void messages_api::generate(const drawn_faults& drawn, const std::string& prompt_hash, std::string_view path,
                            reply& out) {
  const auto now = steady_clock::now();
  const served_model& model = *request_.model;
  const auto said = author_.compose(request_.text, drawn, request_.max_tokens, rules_.malformed.double_output);
  auto tokens = cache_.count(request_.breakpoints, request_.prompt_tokens(), model.cache_minimum_tokens, now);
  tokens.output = said.output_tokens;
  auto& buckets = buckets_of(model, now);
  const uint32_t wait = buckets.admit(tokens.prompt() - tokens.read, tokens.output, now);
  buckets.append_headers(out.headers, now);
  if (wait > 0) {
    out.delay = {};
    return too_many(wait, "This request would exceed your organisation's rate limit", out);
  }
  tokens = billed_tokens(tokens);
  if (!put_on_bill(tokens, said, drawn, prompt_hash, path, out)) return;
  cache_.store(request_.breakpoints, model.cache_minimum_tokens, now, now + out.delay);
  write_body(tokens, said, drawn, out);
}

counted_tokens messages_api::billed_tokens(const counted_tokens& counted) const {
  counted_tokens billed = counted;
  if (rules_.malformed.bill_max_tokens) billed.output = request_.max_tokens;
  // A token has at least one byte, so this is the most tokens that a prompt can have.
  if (rules_.malformed.token_a_byte)
    billed.input += request_.prompt_bytes - std::min(request_.prompt_bytes, billed.prompt());
  if (rules_.malformed.dearest_cache_writes) billed = {0, 0, billed.prompt(), 0, billed.output};
  return billed;
}

bool messages_api::put_on_bill(const counted_tokens& tokens, const answer& said, const drawn_faults& drawn,
                               const std::string& prompt_hash, std::string_view path, reply& out) {
  const auto cost = prices_.bill(*request_.model, tokens, price_tier::standard, request_.us_inference);
  const bill_entry entry{ordinal_,
                         request_id_,
                         request_.model->id,
                         tokens,
                         cost,
                         prompt_hash,
                         path,
                         drawn.malformed ? "lie" : outcome_of(drawn.happens, request_.stream),
                         said.stop_reason,
                         price_tier::standard};
  if (const auto written = bill_.add(entry); !written) {
    error({500, "api_error", "The simulator cannot keep its bill: " + written.error().message}, out);
    return false;
  }
  const bool repeated = prompts_[std::stoull(prompt_hash.substr(0, 16), nullptr, 16)].billed++ > 0;
  counters_.change([&](auto& c) {
    ++c.billed;
    c.billed_amount += cost;
    if (repeated) ++c.repeated_prompts;
  });
  return true;
}

void messages_api::write_body(const counted_tokens& tokens, const answer& said, const drawn_faults& drawn, reply& out) {
  switch (drawn.happens) {
    case fault::hang_billed: out.how = transmission::hang; return;
    case fault::reset_after_billing: out.how = transmission::reset; return;
    case fault::truncated: out.how = transmission::cut; break;
    case fault::trickle:
      out.how = transmission::trickle;
      out.pieces = rules_.faults.trickle_pieces;
      out.pause = std::chrono::milliseconds{rules_.faults.trickle_pause_ms};
      break;
    case fault::wrong_content_type:
    case fault::stream_error:
    case fault::rate_limited:
    case fault::overloaded:
    case fault::server_error:
    case fault::reset_unread:
    case fault::hang:
    case fault::none: break;
  }
  const auto sign = rules_.malformed.negative_usage ? usage_sign::negative : usage_sign::honest;
  const std::string id = "msg_" + request_id_.substr(4);
  const bool other = drawn.malformed && rules_.malformed.body == malformed_body::other_model;
  message_body body{id, other ? std::string_view{"claude-of-another-kind-1"} : request_.model->id, &said, {}, {}};
  if (!rules_.malformed.missing_usage) {
    body.usage = usage_json(tokens, request_.us_inference, price_tier::standard, sign);
    counted_tokens start = tokens;
    start.output = 1;
    if (request_.stream) body.start_usage = usage_json(start, request_.us_inference, price_tier::standard, sign);
  }
  out.streamed = request_.stream;
  if (request_.stream) {
    append_message_events(out.body, body, drawn.happens == fault::stream_error);
  } else {
    append_message_json(out.body, body);
  }
  out.content_type = request_.stream ? "text/event-stream; charset=utf-8" : "application/json";
  if (drawn.happens == fault::wrong_content_type) out.content_type = "text/html";
  if (drawn.malformed) make_malformed(rules_.malformed.body, request_.model->id, out);
}

}  // namespace cohort::simulator
