// Form and bounds, field by field.

#include "actors/nodes/message_checks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace cohort::actors {

namespace {

constexpr int64_t most_runs = 1LL << 40;
constexpr uint64_t most_tokens = 1ULL << 32;  // Of one kind, in one answer.
constexpr uint32_t most_output_tokens = 10'000'000;
constexpr milliseconds day{24LL * 3600 * 1000};
constexpr size_t longest_line = 1000;
constexpr size_t most_text_bytes = 16U << 10;  // As they come; shown are `longest_line`.
constexpr size_t longest_name = 256;
constexpr size_t longest_shown_name = 200;
constexpr size_t least_process_id = 16;
constexpr size_t most_process_id = 64;

bool is_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool within(milliseconds value, milliseconds most) noexcept { return value >= milliseconds{0} && value <= most; }

/// The value is one that this program knows.
bool known(ec code) noexcept { return code == ec::none || name(code) != name(ec::none); }
bool known(stop_reason stop) noexcept { return stop <= stop_reason::unknown; }
bool known(service_tier tier) noexcept { return tier <= service_tier::as_reserved; }
bool known(billing billed) noexcept { return billed <= billing::unknown; }
bool known(cache_mode mode) noexcept { return mode <= cache_mode::one_hour; }

bool is_model_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_name &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F' && c != '"' && c != '\\'; });
}

bool is_word(std::string_view text) noexcept {
  return text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

std::string fault_in(const task_id& task, uint32_t attempt, int64_t run) {
  if (run < 1 || run > most_runs) return fmt::format("run {} cannot be", run);
  if (task == task_id{}) return "a task has no identity";
  if (attempt == 0 || attempt > most_attempts) return fmt::format("attempt {} cannot be", attempt);
  return {};
}

std::string fault_in(const token_usage& usage) {
  for (const auto tokens : {usage.input_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens,
                            usage.cache_read_tokens, usage.output_tokens})
    if (tokens > most_tokens) return fmt::format("a usage of {} tokens cannot be", tokens);
  if (!known(usage.tier)) return "its answer has an unknown tier";
  return {};
}

std::string fault_in(const completion& answer) {
  if (!known(answer.stop)) return "its answer ended for an unknown reason";
  if (answer.text.size() > largest_answer) return "its answer is too long";
  if (answer.request_id.size() > longest_name || answer.model.size() > longest_name)
    return "its answer has a name that is too long";
  return fault_in(answer.usage);
}

std::string fault_in(const call_failure& failure) {
  if (!known(failure.code)) return fmt::format("it failed with the unknown code {}", static_cast<int>(failure.code));
  if (!known(failure.billed)) return "it does not say whether a failure is billed";
  if (!within(failure.retry_after, day)) return "it wants to wait for an impossible time";
  if (failure.http_status > 999) return fmt::format("HTTP {} cannot be", failure.http_status);
  if (failure.message.size() > most_text_bytes || failure.request_id.size() > longest_name ||
      failure.text.size() > largest_answer)
    return "its failure has a text that is too long";
  return {};
}

void shorten(std::string& text, size_t limit) { text = printable(text, limit); }

}  // namespace

std::string fault_in(const node_hello& hello) {
  if (!is_identity(hello.session)) return "its session has no proper identity";
  if (!is_identity(hello.node)) return "it has no proper identity";
  if (hello.process_id.size() < least_process_id || hello.process_id.size() > most_process_id ||
      !is_hex(hello.process_id))
    return "its process has no proper identity";
  if (hello.name.empty() || hello.name.size() > longest_name) return "it has no proper name";
  if (hello.slots == 0 || hello.slots > most_node_slots) return fmt::format("it offers {} slots", hello.slots);
  if (hello.busy > most_node_slots) return fmt::format("{} slots of it are busy", hello.busy);
  if (hello.held.size() > most_held) return fmt::format("it says that it holds {} attempts", hello.held.size());
  for (const auto& one : hello.held) {
    if (!is_identity(one.ledger_id)) return "it holds an attempt of no ledger";
    if (auto fault = fault_in(one.task, one.attempt, one.run); !fault.empty()) return fault;
  }
  return {};
}

std::string fault_in(const node_pulse& pulse) {
  if (pulse.in_flight > most_node_slots || pulse.earlier > most_node_slots) return "it has more in flight than can be";
  if (pulse.trouble.size() > most_text_bytes) return "its trouble is too long to be told";
  return {};
}

std::string fault_in(const message_part& part, message_kind wanted) {
  if (part.kind != wanted) return "a parcel is of the wrong kind";
  if (part.count == 0 || part.count > (largest_message + part_bytes - 1) / part_bytes || part.index >= part.count)
    return "a parcel has an impossible number of parts";
  const bool last = part.index + 1 == part.count;
  if (part.bytes.size() > part_bytes || (!last && part.bytes.size() != part_bytes))
    return "a part of a parcel has an impossible size";
  return {};
}

std::string fault_in(const remote_report& report) {
  const auto& what = report.report;
  if (!is_identity(report.ledger_id)) return "a report is for no ledger";
  if (auto fault = fault_in(what.task, what.attempt, report.run); !fault.empty()) return fault;
  if (!within(what.took, 30 * day)) return "an attempt took an impossible time";
  return what.answered ? fault_in(what.answer) : fault_in(what.failure);
}

std::string fault_in(const node_welcome& welcome) {
  if (!known(welcome.code)) return "its welcome has an unknown code";
  if (welcome.reason.size() > most_text_bytes || welcome.run.size() > longest_name) return "its welcome is too long";
  if (!welcome.accepted) return {};
  if (!is_identity(welcome.ledger_id)) return "its ledger has no proper identity";
  if (!within(welcome.lease, day) || welcome.lease < milliseconds{100}) return "its lease is no time that can be kept";
  return {};
}

std::string fault_in(const remote_order& order) {
  const auto& what = order.order;
  const auto& request = what.request;
  if (auto fault = fault_in(what.task, what.attempt, order.run); !fault.empty()) return fault;
  if (!is_model_name(request.model)) return "an order is for no model";
  if (!is_word(request.effort)) return "an order has an impossible effort";
  if (request.max_tokens == 0 || request.max_tokens > most_output_tokens) return "an order is for an impossible length";
  if (!known(request.cache)) return "an order has an unknown mode of caching";
  if (!request.shared_prefix.empty()) return "an order repeats what all have in common";
  if (what.timeout <= milliseconds{0} || !within(what.timeout, 30 * day))
    return "an order has an impossible time limit";
  if (order.with_prefix && sha256(order.prefix_text) != order.prefix) return "a digest is not that of its text";
  return {};
}

void make_showable(node_hello& hello) { shorten(hello.name, 60); }
void make_showable(node_pulse& pulse) { shorten(pulse.trouble, longest_line); }

void make_showable(remote_report& report) {
  auto& what = report.report;
  shorten(what.answer.request_id, longest_shown_name);
  shorten(what.answer.model, longest_shown_name);
  shorten(what.failure.request_id, longest_shown_name);
  shorten(what.failure.message, longest_line);
}

void make_showable(node_welcome& welcome) {
  shorten(welcome.reason, longest_line);
  shorten(welcome.run, longest_shown_name);
}

std::string veiled(const std::string& ledger_id, const std::string& session) {
  return to_hex(sha256_of_fields({"ledger of a hello", session, ledger_id})).substr(0, 32);
}

}  // namespace cohort::actors
