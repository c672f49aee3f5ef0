// Reads scenario files. There is one table of keys for each group, so that a key that is not in a table is refused.

#include "simulator/behaviour/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::simulator {

namespace {

using nlohmann::json;
using setter = std::function<bool(const json&)>;  ///< False: wrong type.
using table = std::map<std::string, setter>;

setter number(double& target) {
  return [&target](const json& x) { return x.is_number() && (target = x.get<double>(), true); };
}

template <class Integer>
setter whole(Integer& target) {
  return [&target](const json& x) {
    if (!x.is_number_unsigned() || x.get<uint64_t>() > std::numeric_limits<Integer>::max()) return false;
    target = x.get<Integer>();
    return true;
  };
}

setter flag(bool& target) {
  return [&target](const json& x) { return x.is_boolean() && (target = x.get<bool>(), true); };
}

setter text(std::string& target) {
  return [&target](const json& x) { return x.is_string() && (target = x.get<std::string>(), true); };
}

setter strings(std::vector<std::string>& target) {
  return [&target](const json& x) {
    if (!x.is_array()) return false;
    std::vector<std::string> read;
    for (const auto& element : x) {
      if (!element.is_string() || element.get_ref<const std::string&>().empty()) return false;
      read.push_back(element.get<std::string>());
    }
    target = std::move(read);
    return true;
  };
}

setter account_error_name(account_error& target) {
  return [&target](const json& x) {
    static const std::map<std::string, account_error> names{
        {"none", account_error::none},
        {"authentication", account_error::authentication},
        {"billing", account_error::billing},
        {"permission", account_error::permission},
        {"credit_too_low", account_error::credit_too_low},
        {"spend_limit", account_error::spend_limit},
        {"enforced_spend_limit", account_error::enforced_spend_limit},
        {"contract_spend_limit", account_error::contract_spend_limit}};
    const auto found = x.is_string() ? names.find(x.get_ref<const std::string&>()) : names.end();
    if (found == names.end()) return false;
    target = found->second;
    return true;
  };
}

setter malformed_body_name(malformed_body& target) {
  return [&target](const json& x) {
    static const std::map<std::string, malformed_body> names{{"none", malformed_body::none},
                                                             {"html", malformed_body::html},
                                                             {"huge_usage", malformed_body::huge_usage},
                                                             {"mistyped_usage", malformed_body::mistyped_usage},
                                                             {"mistyped_content", malformed_body::mistyped_content},
                                                             {"other_model", malformed_body::other_model},
                                                             {"deep_json", malformed_body::deep_json},
                                                             {"invalid_utf8", malformed_body::invalid_utf8},
                                                             {"short_length", malformed_body::short_length},
                                                             {"long_length", malformed_body::long_length},
                                                             {"header_flood", malformed_body::header_flood},
                                                             {"gigabytes", malformed_body::gigabytes},
                                                             {"endless", malformed_body::endless},
                                                             {"endless_events", malformed_body::endless_events},
                                                             {"endless_line", malformed_body::endless_line}};
    const auto found = x.is_string() ? names.find(x.get_ref<const std::string&>()) : names.end();
    if (found == names.end()) return false;
    target = found->second;
    return true;
  };
}

std::map<std::string, table> tables_of(scenario& s) {
  auto& f = s.faults;
  auto& a = s.answers;
  return {
      {"", {{"seed", whole(s.seed)}, {"comment", [](const json& x) { return x.is_string(); }}}},
      {"latency",
       {{"fixed_ms", number(s.latency.fixed_ms)},
        {"median_ms", number(s.latency.median_ms)},
        {"sigma", number(s.latency.sigma)}}},
      {"limits",
       {{"requests_per_minute", whole(s.limits.requests_per_minute)},
        {"input_tokens_per_minute", whole(s.limits.input_tokens_per_minute)},
        {"output_tokens_per_minute", whole(s.limits.output_tokens_per_minute)}}},
      {"faults",
       {{"rate_limited", number(f.rate_limited)},
        {"overloaded", number(f.overloaded)},
        {"server_error", number(f.server_error)},
        {"reset_unread", number(f.reset_unread)},
        {"hang", number(f.hang)},
        {"hang_billed", number(f.hang_billed)},
        {"reset_after_billing", number(f.reset_after_billing)},
        {"truncated", number(f.truncated)},
        {"wrong_content_type", number(f.wrong_content_type)},
        {"stream_error", number(f.stream_error)},
        {"trickle", number(f.trickle)},
        {"retry_after_seconds", whole(f.retry_after_seconds)},
        {"trickle_pieces", whole(f.trickle_pieces)},
        {"trickle_pause_ms", whole(f.trickle_pause_ms)}}},
      {"answers",
       {{"refusal", number(a.refusal)},
        {"max_tokens", number(a.max_tokens)},
        {"empty", number(a.empty)},
        {"prose", number(a.prose)},
        {"bare", number(a.bare)},
        {"chatty", number(a.chatty)},
        {"broken_code", number(a.broken_code)},
        {"thinking", number(a.thinking)}}},
      {"outage",
       {{"from_ms", whole(s.outage.from_ms)}, {"for_ms", whole(s.outage.for_ms)}, {"model", text(s.outage.model)}}},
      {"account", {{"error", account_error_name(s.account.error)}, {"from_request", whole(s.account.from_request)}}},
      {"lies",
       {{"bill_max_tokens", flag(s.malformed.bill_max_tokens)},
        {"dearest_cache_writes", flag(s.malformed.dearest_cache_writes)},
        {"double_output", flag(s.malformed.double_output)},
        {"negative_usage", flag(s.malformed.negative_usage)},
        {"missing_usage", flag(s.malformed.missing_usage)},
        {"token_a_byte", flag(s.malformed.token_a_byte)},
        {"body", malformed_body_name(s.malformed.body)},
        {"share", number(s.malformed.share)}}},
      {"keys", {{"accepted", strings(s.keys.accepted)}, {"refused_prefixes", strings(s.keys.refused_prefixes)}}},
  };
}

std::string known_keys(const table& keys) {
  std::string list;
  for (const auto& [key, ignored] : keys) list.append(list.empty() ? "" : ", ").append(key);
  return list;
}

expected<void> set_all(const table& keys, const json& values, const std::string& group, std::string_view source) {
  for (const auto& [key, value] : values.items()) {
    const std::string full = group.empty() ? key : fmt::format("{}.{}", group, key);
    const auto found = keys.find(key);
    if (found == keys.end())
      return fail(ec::config_invalid,
                  fmt::format("{}: unknown key \"{}\"; known here: {}", source, full, known_keys(keys)));
    if (!found->second(value))
      return fail(ec::config_invalid, fmt::format("{}: \"{}\" has a value of the wrong kind: {}", source, full,
                                                  value.dump(-1, ' ', false, json::error_handler_t::replace)));
  }
  return {};
}

expected<void> apply(scenario& target, const json& document, std::string_view source) {
  if (!document.is_object()) return fail(ec::config_invalid, fmt::format("{}: a scenario is a JSON object", source));
  const auto tables = tables_of(target);
  json top = json::object();
  for (const auto& [key, value] : document.items()) {
    const auto group = key.empty() ? tables.end() : tables.find(key);
    if (group == tables.end()) {
      top[key] = value;
      continue;
    }
    if (!value.is_object()) return fail(ec::config_invalid, fmt::format("{}: \"{}\" must be an object", source, key));
    if (auto done = set_all(group->second, value, key, source); !done) return done;
  }
  return set_all(tables.at(""), top, "", source);
}

template <size_t N>
expected<void> check_shares(const std::array<double, N>& shares, std::string_view group) {
  for (const double share : shares)
    if (!(share >= 0 && share <= 1))
      return fail(ec::config_invalid,
                  fmt::format("scenario: each share in \"{}\" must be 0 to 1, not {}", group, share));
  if (std::accumulate(shares.begin(), shares.end(), 0.0) > 1.0 + 1e-9)
    return fail(ec::config_invalid, fmt::format("scenario: the shares in \"{}\" add up to more than 1", group));
  return {};
}

/// The folder has other data, too: a file counts as a scenario if it can be read as one.
std::string scenario_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{folder, ignored}) {
    if (entry.path().extension() != ".json") continue;
    if (const auto text = read_file(entry.path(), 1 << 20); text && parse_scenario(*text, entry.path().string()))
      names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::array<double, 11> in_order(const fault_rates& r) noexcept {
  return {r.rate_limited,        r.overloaded, r.server_error,       r.reset_unread, r.hang,   r.hang_billed,
          r.reset_after_billing, r.truncated,  r.wrong_content_type, r.stream_error, r.trickle};
}

std::array<double, 7> in_order(const answer_rates& r) noexcept {
  return {r.refusal, r.max_tokens, r.empty, r.prose, r.bare, r.chatty, r.broken_code};
}

expected<void> scenario::validate() const {
  if (auto fine = check_shares(in_order(faults), "faults"); !fine) return fine;
  if (auto fine = check_shares(in_order(answers), "answers"); !fine) return fine;
  if (auto fine = check_shares(std::array{answers.thinking}, "answers.thinking"); !fine) return fine;
  if (auto fine = check_shares(std::array{malformed.share}, "lies.share"); !fine) return fine;
  const auto plausible = [](double x, double most) { return x >= 0 && x <= most; };
  if (!plausible(latency.fixed_ms, 3.6e6) || !plausible(latency.median_ms, 3.6e6) || !plausible(latency.sigma, 10))
    return fail(ec::config_invalid, "scenario: \"latency\" takes 0 to 3600000 ms and a sigma of 0 to 10");
  if (faults.trickle_pieces == 0 || faults.trickle_pieces > 10000)
    return fail(ec::config_invalid, "scenario: \"faults.trickle_pieces\" must be 1 to 10000");
  if (account.from_request == 0) return fail(ec::config_invalid, "scenario: \"account.from_request\" counts from 1");
  return {};
}

expected<scenario> parse_scenario(std::string_view text, std::string_view source) {
  const auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return fail(ec::config_invalid, fmt::format("{}: not valid JSON", source));
  scenario read;
  if (auto done = apply(read, document, source); !done) return tl::unexpected(done.error());
  if (auto fine = read.validate(); !fine) return tl::unexpected(fine.error());
  return read;
}

expected<scenario> load_scenario(const std::string& name_or_path) {
  const auto folder = config_directory() / "simulator";
  std::filesystem::path path{name_or_path};
  if (name_or_path.find('/') == std::string::npos && path.extension().empty()) path = folder / (name_or_path + ".json");
  auto text = read_file(path, 1 << 20);
  if (!text && text.error().code == ec::not_found && path.parent_path() == folder)
    return fail(ec::usage, fmt::format("there is no scenario '{}'; there are: {}; or name a file",
                                       printable(name_or_path), scenario_names(folder)));
  if (!text) return tl::unexpected(text.error());
  return parse_scenario(*text, path.string());
}

expected<void> override_scenario(scenario& base, std::string_view assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return fail(ec::usage, fmt::format("\"{}\": expected group.key=value", assignment));
  const std::string key{assignment.substr(0, equals)};
  const std::string word{assignment.substr(equals + 1)};
  json value = json::parse(word, nullptr, false);
  if (value.is_discarded()) value = word;
  const size_t dot = key.find('.');
  json document = json::object();
  if (dot == std::string::npos) {
    document[key] = std::move(value);
  } else {
    document[key.substr(0, dot)][key.substr(dot + 1)] = std::move(value);
  }
  scenario changed = base;
  if (auto done = apply(changed, document, "override"); !done) return done;
  if (auto fine = changed.validate(); !fine) return fine;
  base = std::move(changed);
  return {};
}

}  // namespace cohort::simulator
