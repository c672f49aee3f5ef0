// Answers requests by route: credentials, models, token counts. Message requests are answered in
// messages_api_answers.cpp.

#include "simulator/api/messages_api.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::simulator {

namespace {

constexpr std::string_view known_versions[] = {"2023-01-01", "2023-06-01", "2026-10-21"};

/// The value of `key` in a query string, without percent-decoding: ids and numbers need none.
std::string_view query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return pair.substr(key.size() + 1);
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

void append_model(std::string& out, const served_model& model) {
  fmt::format_to(std::back_inserter(out),
                 "{{\"type\":\"model\",\"id\":\"{}\",\"display_name\":\"{}\",\"created_at\":\"{}\","
                 "\"max_input_tokens\":{},\"max_tokens\":{},\"retires_at\":null}}",
                 model.id, model.display_name, model.created_at, model.context_tokens, model.max_output_tokens);
}

}  // namespace

messages_api::messages_api(const simulator_options& options, price_list prices, test_text tests, bill_file bill)
    : rules_(options.rules),
      credential_(options.credential),
      prices_(std::move(prices)),
      reader_(prices_),
      author_(std::move(tests)),
      bill_(std::move(bill)),
      run_(random_hex(4)) {}

expected<std::unique_ptr<messages_api>> messages_api::create(const simulator_options& options) {
  const auto data = options.data.empty() ? config_directory() / "simulator" : options.data;
  const auto models = options.models.empty() ? config_directory() / "models.json" : options.models;
  auto prices = price_list::load(models, data / "model-traits.json");
  if (!prices) return tl::unexpected(prices.error());
  auto tests = test_text::load(data / "frameworks");
  if (!tests) return tl::unexpected(tests.error());
  auto bill = bill_file::open(options.bill);
  if (!bill) return tl::unexpected(bill.error());
  return std::unique_ptr<messages_api>(
      new messages_api(options, std::move(*prices), std::move(*tests), std::move(*bill)));
}

bool messages_api::knows(std::string_view api_key, std::string_view authorization) const noexcept {
  if (credential_.empty()) return true;
  auto shown = api_key;
  if (shown.empty() && authorization.starts_with("Bearer ")) shown = authorization.substr(7);
  // Compares each byte, so that the time does not depend on where the first difference is.
  unsigned differs = shown.size() == credential_.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(shown.size(), credential_.size()); ++i)
    differs |= static_cast<unsigned char>(shown[i]) ^ static_cast<unsigned char>(credential_[i]);
  return differs == 0;
}

void messages_api::turn_away(reply& out) {
  refuse({401, "authentication_error", "this simulator belongs to one run and answers no other client"}, out);
}

void messages_api::begin(reply& out) {
  out.clear();
  request_id_ = fmt::format("req_{}{:010}", run_, ++requests_);
  out.headers.append("request-id: ").append(request_id_).append("\r\n");
}

void messages_api::refuse(const api_problem& problem, reply& out) {
  begin(out);
  counters_.change([](auto& c) { ++c.requests; });
  error(problem, out);
}

void messages_api::error(const api_problem& problem, reply& out) {
  out.status = problem.status;
  out.streamed = false;
  out.content_type = "application/json";
  out.body.clear();
  append_error_json(out.body, problem, request_id_);
  counters_.change([&](auto& c) {
    if (problem.status == 429) {
      ++c.rate_limited;
    } else if (problem.status == 529) {
      ++c.overloaded;
    } else if (problem.status >= 500) {
      ++c.server_errors;
    } else {
      ++c.refused;
    }
  });
}

void messages_api::respond(const received_call& call, reply& out) {
  begin(out);
  counters_.change([](auto& c) { ++c.requests; });
  const size_t question = std::min(call.target.find('?'), call.target.size());
  const std::string_view path = call.target.substr(0, question);
  const std::string_view query = call.target.substr(std::min(question + 1, call.target.size()));
  constexpr std::string_view model_prefix = "/v1/models/";
  const bool to_message = path == "/v1/messages";
  const bool to_count = path == "/v1/messages/count_tokens";
  const bool to_list = path == "/v1/models";
  const bool to_model = path.starts_with(model_prefix) && path.size() > model_prefix.size();
  if (!to_message && !to_count && !to_list && !to_model)
    return error({404, "not_found_error", fmt::format("Not found: {}", printable(path))}, out);
  const std::string_view method = to_message || to_count ? "POST" : "GET";
  if (call.method != method) {
    out.headers.append("allow: ").append(method).append("\r\n");
    return error({405, "invalid_request_error", "Method Not Allowed"}, out);
  }
  if (const auto problem = check_credentials(call)) return error(*problem, out);
  if (to_message) return message(call, path, out);
  if (to_count) return count_tokens(call, out);
  if (to_list) return list_models(query, out);
  show_model(path.substr(model_prefix.size()), out);
}

std::optional<api_problem> messages_api::check_credentials(const received_call& call) const {
  std::string_view key = call.api_key;
  if (key.empty() && call.authorization.starts_with("Bearer ")) key = call.authorization.substr(7);
  if (key.empty())
    return api_problem{401, "authentication_error", "x-api-key or Authorization: Bearer header is required"};
  const auto& refused = rules_.keys.refused_prefixes;
  const auto& accepted = rules_.keys.accepted;
  const bool bad = std::any_of(refused.begin(), refused.end(), [key](const auto& x) { return key.starts_with(x); });
  const bool good = accepted.empty() || std::find(accepted.begin(), accepted.end(), key) != accepted.end();
  if (bad || !good)
    return api_problem{401, "authentication_error",
                       call.api_key.empty() ? "Invalid bearer token" : "invalid x-api-key"};
  if (call.version.empty()) return api_problem{400, "invalid_request_error", "anthropic-version: header is required"};
  if (std::find(std::begin(known_versions), std::end(known_versions), call.version) == std::end(known_versions))
    return api_problem{400, "invalid_request_error",
                       fmt::format("anthropic-version: \"{}\" is not a valid version", printable(call.version))};
  return std::nullopt;
}

void messages_api::list_models(std::string_view query, reply& out) {
  const auto& models = prices_.models();
  const auto position = [&models](std::string_view id) {
    return static_cast<size_t>(std::find_if(models.begin(), models.end(), [id](const auto& m) { return m.id == id; }) -
                               models.begin());
  };
  size_t limit = 20;
  if (const auto text = query_value(query, "limit"); !text.empty()) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (code != std::errc{} || end != text.data() + text.size() || limit < 1 || limit > 1000)
      return error({400, "invalid_request_error", "limit: Input should be between 1 and 1000"}, out);
  }
  const auto after = query_value(query, "after_id");
  const auto before = query_value(query, "before_id");
  if ((!after.empty() && position(after) == models.size()) || (!before.empty() && position(before) == models.size()))
    return error({400, "invalid_request_error", "after_id, before_id: unknown model"}, out);
  size_t first = after.empty() ? 0 : position(after) + 1;
  size_t last = before.empty() ? models.size() : position(before);
  const bool more = last > first && last - first > limit;
  if (!before.empty()) {
    first = more ? last - limit : first;
  } else {
    last = more ? first + limit : last;
  }
  out.body.append("{\"data\":[");
  for (size_t i = first; i < last; ++i) {
    if (i > first) out.body.push_back(',');
    append_model(out.body, models[i]);
  }
  const auto id = [&](size_t i) { return first < last ? "\"" + models[i].id + "\"" : std::string{"null"}; };
  fmt::format_to(std::back_inserter(out.body), "],\"has_more\":{},\"first_id\":{},\"last_id\":{}}}", more, id(first),
                 id(last - 1));
}

void messages_api::show_model(std::string_view id, reply& out) {
  const served_model* model = prices_.find(id);
  if (model == nullptr) return error({404, "not_found_error", fmt::format("model: {}", printable(id))}, out);
  append_model(out.body, *model);
}

void messages_api::count_tokens(const received_call& call, reply& out) {
  counters_.change([](auto& c) { ++c.count_token_requests; });
  api_problem problem;
  if (!reader_.read(call.body, call.version, request_use::count_tokens, request_, problem)) return error(problem, out);
  fmt::format_to(std::back_inserter(out.body), "{{\"input_tokens\":{}}}", request_.prompt_tokens());
}

}  // namespace cohort::simulator
