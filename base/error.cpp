// Holds the one table of error codes: name, sentence, whether trying again can help, what the error concerns.

#include "base/error.hpp"

#include <algorithm>
#include <array>

namespace cohort::inline base {

namespace {

enum class again : bool { no, yes };
enum class error_scope : bool { task, run };

struct row {
  ec code;
  std::string_view name;
  again retry;
  error_scope concerns;
  std::string_view sentence;
};

constexpr std::array rows{
    row{ec::none, "none", again::no, error_scope::task, "No error."},
    row{ec::usage, "usage", again::no, error_scope::run, "The command line is not valid."},
    row{ec::config_invalid, "config_invalid", again::no, error_scope::run, "A configuration file is not valid."},
    row{ec::no_credentials, "no_credentials", again::no, error_scope::run, "No API key is set."},
    row{ec::model_unknown, "model_unknown", again::no, error_scope::run, "The model has no entry in the price list."},
    row{ec::not_found, "not_found", again::no, error_scope::task, "A file or directory does not exist."},
    row{ec::permission_denied, "permission_denied", again::no, error_scope::task, "The file system refused access."},
    row{ec::io, "io", again::no, error_scope::run, "Reading or writing failed."},
    row{ec::disk_full, "disk_full", again::no, error_scope::run, "The disk is full."},
    row{ec::binary_file, "binary_file", again::no, error_scope::task, "The file holds binary data."},
    row{ec::not_utf8, "not_utf8", again::no, error_scope::task, "The file is not UTF-8 text."},
    row{ec::file_too_large, "file_too_large", again::no, error_scope::task, "The file is larger than 1 MiB."},
    row{ec::unparsable, "unparsable", again::no, error_scope::task, "The file could not be parsed."},
    row{ec::not_importable, "not_importable", again::no, error_scope::task,
        "The file's symbols cannot be imported by a test."},
    row{ec::state_corrupt, "state_corrupt", again::no, error_scope::run, "The stored state is damaged."},
    row{ec::state_newer, "state_newer", again::no, error_scope::run,
        "The stored state was written by a newer version."},
    row{ec::state_foreign, "state_foreign", again::no, error_scope::run,
        "The stored state belongs to another project."},
    row{ec::state_locked, "state_locked", again::no, error_scope::run, "Another run is active on this project."},
    row{ec::state_missing, "state_missing", again::no, error_scope::run, "There is no stored state to continue from."},
    row{ec::state_untrusted, "state_untrusted", again::no, error_scope::run,
        "The stored state was not signed by this user."},
    row{ec::task_unknown, "task_unknown", again::no, error_scope::run, "The plan does not contain this task."},
    row{ec::request_invalid, "request_invalid", again::no, error_scope::task,
        "The provider rejected the request as invalid."},
    row{ec::authentication, "authentication", again::no, error_scope::run, "The provider did not accept the API key."},
    row{ec::billing, "billing", again::no, error_scope::run,
        "The provider reports a billing problem with the account."},
    row{ec::forbidden, "forbidden", again::no, error_scope::run, "The API key lacks permission for this request."},
    row{ec::model_not_found, "model_not_found", again::no, error_scope::task,
        "The provider does not know the model or the address."},
    row{ec::request_too_large, "request_too_large", again::no, error_scope::task,
        "The request is larger than the provider accepts."},
    row{ec::rate_limited, "rate_limited", again::yes, error_scope::task, "The provider's rate limit was reached."},
    row{ec::spend_limit, "spend_limit", again::no, error_scope::run, "The account's own spending limit was reached."},
    row{ec::server_error, "server_error", again::yes, error_scope::task, "The provider had an internal error."},
    row{ec::overloaded, "overloaded", again::yes, error_scope::task, "The provider is overloaded."},
    row{ec::conflict, "conflict", again::yes, error_scope::task, "The provider reported a conflict."},
    row{ec::connect_failed, "connect_failed", again::yes, error_scope::task,
        "The provider could not be reached; nothing was sent."},
    row{ec::connection_lost, "connection_lost", again::yes, error_scope::task,
        "The connection was lost; the request may have been billed."},
    row{ec::timeout, "timeout", again::yes, error_scope::task,
        "No answer came in time; the request may have been billed."},
    row{ec::malformed_answer, "malformed_answer", again::yes, error_scope::task,
        "The answer could not be read; it may have been billed."},
    row{ec::cancelled, "cancelled", again::no, error_scope::task, "The request was cancelled."},
    row{ec::refused, "refused", again::no, error_scope::task, "The model refused to answer."},
    row{ec::cut_off, "cut_off", again::yes, error_scope::task, "The answer was cut off at the token limit."},
    row{ec::empty_answer, "empty_answer", again::yes, error_scope::task, "The answer holds no text."},
    row{ec::no_code, "no_code", again::yes, error_scope::task, "The answer holds no code."},
    row{ec::broken_code, "broken_code", again::yes, error_scope::task, "The code in the answer does not parse."},
    row{ec::context_exceeded, "context_exceeded", again::no, error_scope::task,
        "The prompt does not fit the model's context window."},
    row{ec::answer_too_costly, "answer_too_costly", again::no, error_scope::task,
        "Reading the answer takes more time or memory than an answer is given."},
    row{ec::source_gone, "source_gone", again::no, error_scope::task, "The source file no longer exists."},
    row{ec::source_changed, "source_changed", again::no, error_scope::task,
        "The source file changed after it was planned."},
    row{ec::limit_reached, "limit_reached", again::no, error_scope::task, "A cost limit leaves no room for this task."},
    row{ec::limit_too_low, "limit_too_low", again::no, error_scope::task,
        "A cost limit is below what this one task can cost."},
    row{ec::worker_lost, "worker_lost", again::yes, error_scope::task, "The worker died or fell silent."},
    row{ec::interrupted, "interrupted", again::no, error_scope::run, "The run was interrupted."},
    row{ec::certificate_refused, "certificate_refused", again::no, error_scope::run,
        "A certificate does not belong to this cluster."},
    row{ec::protocol_mismatch, "protocol_mismatch", again::no, error_scope::run,
        "Node and coordinator are of different versions."},
    row{ec::node_left, "node_left", again::yes, error_scope::task,
        "The node gave the task back before it sent the request."},
};

const row& find(ec code) noexcept {
  const auto* hit = std::find_if(rows.begin(), rows.end(), [code](const row& r) { return r.code == code; });
  return hit == rows.end() ? rows.front() : *hit;
}

}  // namespace

std::string_view name(ec code) noexcept { return find(code).name; }

std::string_view sentence(ec code) noexcept { return find(code).sentence; }

bool retryable(ec code) noexcept { return find(code).retry == again::yes; }

bool stops_run(ec code) noexcept { return find(code).concerns == error_scope::run; }

ec code_named(std::string_view wanted) noexcept {
  const auto* hit = std::find_if(rows.begin(), rows.end(), [wanted](const row& r) { return r.name == wanted; });
  return hit == rows.end() ? ec::none : hit->code;
}

}  // namespace cohort::inline base
