// What the provider says about key, model and time: GET /v1/models/ID, which costs nothing and fails as every other
// request would.

#include <future>

#include <fmt/format.h>

#include "app/health/health.hpp"
#include "app/resolve_run.hpp"
#include "base/text.hpp"
#include "claude/api/messages_client.hpp"

namespace cohort::app {

namespace {

constexpr milliseconds patience{15'000};
constexpr milliseconds clock_tolerance{30'000};  ///< One-way delays and whole seconds stay far below.
constexpr milliseconds clock_is_wrong{300'000};  ///< Rate-limit resets and certificates no longer make sense.

health_check failed_key(const error& problem) { return {"key", health_grade::wrong, problem.message, "", true}; }

/// Which of the lines a failure belongs to.
std::string_view line_of(ec code) {
  if (code == ec::authentication || code == ec::forbidden) return "key";
  if (code == ec::billing || code == ec::spend_limit) return "account";
  if (code == ec::model_not_found) return "model";
  return "server";
}

health_check check_clock(const std::optional<wall_time>& server) {
  if (!server) return {"clock", health_grade::unasked, "the server does not tell its time", "", false};
  const milliseconds apart{std::abs(wall_now().ms - server->ms)};
  const auto text = fmt::format("{} apart from the server's", human_duration(apart));
  if (apart > clock_is_wrong) return {"clock", health_grade::wrong, text, "set this machine's clock", false};
  if (apart > clock_tolerance)
    return {"clock", health_grade::unsure, text, "set this machine's clock: waits for rate limits go by it", false};
  return {"clock", health_grade::good, "as the server's", "", false};
}

health_check check_model(const model_info& wanted, const claude::model_facts& facts) {
  const auto retires = facts.retires_at.empty() ? std::string{} : ", retires " + printable(facts.retires_at);
  if (facts.max_output_tokens != 0 && facts.max_output_tokens < wanted.max_output_tokens)
    return {"model", health_grade::unsure,
            fmt::format("{} answers with at most {} tokens; config/models.json says {}", wanted.id,
                        facts.max_output_tokens, wanted.max_output_tokens),
            "correct config/models.json", false};
  if (!retires.empty()) {
    const auto end = parse_iso8601(facts.retires_at);
    if (end && *end < wall_now())
      return {"model", health_grade::unsure, wanted.id + retires, "choose another --model soon", false};
  }
  return {"model", health_grade::good, wanted.id + retires, "", false};
}

/// The line "model" as far as the price list knows; the provider's word comes later. State that cannot be used has a
/// line of its own.
expected<model_info> wanted_model(const project_context& context) {
  const auto stored = look_at_state(context).value_or(stored_state{});
  const auto base = settings_to_start_from(context, stored.run).value_or(context.defaults.settings);
  const auto resolved = resolve_over(context, base, stored);
  if (!resolved) return tl::unexpected{resolved.error()};
  return resolved->model;
}

void ask(const server_address& address, const claude::claude_settings& settings, const provider_entry& provider,
         const model_info& model, health_report& report) {
  auto transport = claude::transport::start(claude::transport_options_for(address.where, settings));
  if (!transport) {
    report.push_back({"server", health_grade::wrong, transport.error().message, "", false});
    return;
  }
  claude::messages_client client{**transport, address.where, settings};
  std::promise<claude::model_answer> promise;
  client.model(model.id, patience, [&](claude::model_answer got) { promise.set_value(std::move(got)); });
  const auto got = promise.get_future().get();
  const auto url = printable(address.where.base_url, 300);
  const auto location = got.facts ? std::string_view{} : line_of(got.facts.error().code);
  if (location == "server") {
    report.push_back({"server", health_grade::wrong, fmt::format("{}: {}", url, got.facts.error().message),
                      std::string{provider.advice_before(got.facts.error().code)}, false});
  } else {
    report.push_back({"server", health_grade::good, url + " answers", "", false});
    report.push_back(check_clock(got.server_time));
  }
  if (got.facts) {
    report.push_back(check_model(model, *got.facts));
  } else if (location == "model") {
    report.push_back({"model", health_grade::wrong,
                      fmt::format("the server does not know {}: {}", model.id, got.facts.error().message),
                      "choose another --model, or check ANTHROPIC_BASE_URL", true});
  } else if (location != "server") {
    report.push_back({std::string{location}, health_grade::wrong, fmt::format("refused: {}", got.facts.error().message),
                      std::string{provider.advice_before(got.facts.error().code)}, false});
  }
  (*transport)->stop();
}

}  // namespace

void check_provider(const project_context& context, health_report& report) {
  const auto settings = claude::load_claude_settings();
  if (!settings) {
    report.push_back({"configuration", health_grade::wrong, settings.error().message, "", true});
    return;
  }
  const auto model = wanted_model(context);
  if (!model) report.push_back({"model", health_grade::wrong, model.error().message, "choose another --model", true});
  const auto& provider = provider_named(context.request.provider.name);
  const auto address = provider.find(context.request.provider, *settings);
  if (!address) {
    report.push_back(failed_key(address.error()));
    report.push_back({"server", health_grade::unasked, "not asked", "", false});
    return;
  }
  report.push_back({"key", health_grade::good, std::string{provider.credential()}, "", false});
  if (!model) {
    report.push_back({"server", health_grade::unasked, "not asked", "", false});
    return;
  }
  ask(*address, *settings, provider, *model, report);
}

}  // namespace cohort::app
