// The life of a task: what is written while a run goes on. The rules of docs/state.md, "What counts when".

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace {

const std::string find_task = fmt::format("SELECT key, batch, state, answer, {} FROM task WHERE id = ? AND run = ?",
                                          sound_sql(ledger_table::task));
const std::string find_attempt =
    fmt::format("SELECT outcome, reserved, model, holder, {} FROM attempt WHERE task = ? AND number = ?",
                sound_sql(ledger_table::attempt));
constexpr const char* insert_intent =
    "INSERT INTO attempt(task, number, kind, max_tokens, holder, duplicate, outcome, reserved, cost, sent, ended, "
    "lease, input_tokens, cache_write_5m, cache_write_1h, cache_read, output_tokens, tier, us_inference, stop, code, "
    "http, model, answered_by, request_id, message, prompt, signature) VALUES(?, ?, ?, ?, ?, 0, 0, ?, 0, ?, 0, ?, 0, "
    "0, 0, 0, 0, 0, 0, 0, 0, 0, ?, '', '', '', nullif(?, x''), 0) ON CONFLICT(task, number) DO NOTHING";
constexpr const char* widen_intent =
    "UPDATE attempt SET reserved = ?, lease = ?, model = ?, kind = ?, max_tokens = ?, holder = ?, prompt = nullif(?, "
    "x'') WHERE task = ? AND number = ?";
constexpr const char* store_answered =
    "INSERT INTO attempt(task, number, kind, max_tokens, holder, duplicate, outcome, reserved, cost, sent, ended, "
    "lease, input_tokens, cache_write_5m, cache_write_1h, cache_read, output_tokens, tier, us_inference, stop, code, "
    "http, model, answered_by, request_id, message, signature) VALUES(?, ?, 1, 0, '', 0, 1, 0, ?, 0, ?, ?, ?, ?, ?, "
    "?, ?, ?, ?, ?, 0, 200, '', ?, ?, '', 0) "
    "ON CONFLICT(task, number) DO UPDATE SET outcome = 1, cost = excluded.cost, ended = excluded.ended, "
    "input_tokens = excluded.input_tokens, cache_write_5m = excluded.cache_write_5m, "
    "cache_write_1h = excluded.cache_write_1h, cache_read = excluded.cache_read, "
    "output_tokens = excluded.output_tokens, tier = excluded.tier, us_inference = excluded.us_inference, "
    "stop = excluded.stop, code = 0, http = 200, answered_by = excluded.answered_by, "
    "request_id = excluded.request_id, message = ''";
constexpr const char* store_failed =
    "INSERT INTO attempt(task, number, kind, max_tokens, holder, duplicate, outcome, reserved, cost, sent, ended, "
    "lease, input_tokens, cache_write_5m, cache_write_1h, cache_read, output_tokens, tier, us_inference, stop, code, "
    "http, model, answered_by, request_id, message, signature) VALUES(?, ?, 1, 0, '', 0, ?, 0, 0, 0, ?, ?, 0, 0, 0, "
    "0, 0, 0, 0, 0, ?, ?, '', '', ?, ?, 0) "
    "ON CONFLICT(task, number) DO UPDATE SET outcome = excluded.outcome, ended = excluded.ended, code = excluded.code, "
    "http = excluded.http, request_id = excluded.request_id, message = excluded.message";
constexpr const char* insert_answer =
    "INSERT INTO answer(task, number, stop, signature, text) VALUES(?, ?, ?, 0, ?) ON CONFLICT(task, number) DO "
    "NOTHING";
constexpr const char* mark_duplicate = "UPDATE attempt SET duplicate = 1 WHERE task = ? AND number = ?";
constexpr const char* choose_answer = "UPDATE task SET answer = ? WHERE key = ?";
constexpr const char* change_state = "UPDATE task SET state = ?, changed = ?, code = ?, reason = ? WHERE key = ?";
constexpr const char* store_file =
    "INSERT INTO file(path, digest, task, synced, signature) VALUES(?, ?, ?, 0, 0) ON CONFLICT(path) DO UPDATE SET "
    "digest = excluded.digest, task = excluded.task, synced = 0 RETURNING id";
constexpr const char* deliver =
    "UPDATE task SET state = 2, changed = ?, code = 0, reason = '', file = ?, conflict_copy = ? WHERE key = ?";

// What the provider, a node or a library says is stored up to these bounds, which the schema checks, so that no text of
// theirs can keep a paid answer from being stored.
constexpr size_t longest_name = 4096;
constexpr size_t longest_message = 16'384;
constexpr uint64_t most_tokens = 1'000'000'000'000;
constexpr int64_t most_money = 1'000'000'000'000'000;

expected<void> check_attempt(uint32_t number, nano_dollars amount) {
  if (number == 0) return fail(ec::usage, "attempts count from 1");
  if (amount.count < 0 || amount.count > most_money)
    return fail(ec::usage, fmt::format("an attempt cannot cost {}", to_string(amount)));
  return {};
}

uint64_t bounded(uint64_t tokens) noexcept { return std::min(tokens, most_tokens); }

}  // namespace

expected<task_row> ledger::impl::find(int64_t run, const task_id& id) const {
  statement row{prepared(find_task)};
  if (!row.identity(id).whole(run).next())
    return fail(ec::task_unknown, fmt::format("run {} has no task {}; was its ledger replaced?", run, to_string(id)));
  const auto key = row.whole();
  const auto batch = row.as<uint32_t>();
  const auto state = row.as<task_state>();
  const auto answer = row.as<uint32_t>();
  if (row.whole() == 0) return corrupt("the state of a task was altered");
  return task_row{key, batch, state, answer};
}

expected<std::optional<attempt_row>> ledger::impl::find_attempt(int64_t task, uint32_t number) const {
  statement row{prepared(cohort::state::find_attempt)};
  if (!row.whole(task).whole(number).next()) return std::optional<attempt_row>{};
  attempt_row found;
  found.how = row.as<attempt_outcome>();
  found.reserved = row.money();
  found.model = row.bytes();
  found.holder = row.bytes();
  if (row.whole() == 0) return corrupt("the money of an attempt was altered");
  return found;
}

void ledger::impl::set_state(const task_row& row, task_state state, ec code, const std::string& reason) const {
  const auto kept = clipped(reason, longest_message);
  statement{prepared(change_state)}
      .whole(static_cast<uint32_t>(state))
      .whole(wall_now().ms)
      .whole(static_cast<uint32_t>(code))
      .text(kept)
      .whole(row.key)
      .run();
  sign(ledger_table::task, row.key);
}

/// Each attempt keeps its answer. It becomes the task's if the task waits for one: never answered, or put back because
/// its last answer was unusable, or failed without any text, for instance because every worker that had it was lost. A
/// skipped task takes a late text, since it is paid for. Any other answer is a duplicate: paid, and not needed.
void ledger::impl::store_answer(const task_row& row, const attempt_done& x) const {
  const bool waits = row.state == task_state::planned || row.state == task_state::deferred ||
                     (row.state == task_state::failed && row.answer == 0);
  statement{prepared(insert_answer)}
      .whole(row.key)
      .whole(x.attempt)
      .whole(static_cast<uint32_t>(x.answer.stop))
      .blob(x.answer.text)
      .run();
  sign(ledger_table::answer, row.key, x.attempt);
  if (!waits && row.answer != 0) {
    statement{prepared(mark_duplicate)}.whole(row.key).whole(x.attempt).run();
    sign(ledger_table::attempt, row.key, x.attempt);
    return;
  }
  statement{prepared(choose_answer)}.whole(x.attempt).whole(row.key).run();
  if (waits)
    set_state(row, task_state::answered, ec::none, {});
  else
    sign(ledger_table::task, row.key);
}

/// An intent that was stored before: its reservation never shrinks.
expected<void> ledger::impl::widen(const task_row& row, const intent& x) const {
  const auto before = find_attempt(row.key, x.attempt);
  if (!before) return tl::unexpected{before.error()};
  if (*before && (*before)->how != attempt_outcome::open)
    return fail(ec::conflict, fmt::format("attempt {} of task {} has ended already; the next one needs the next number",
                                          x.attempt, to_string(x.task)));
  statement{prepared(widen_intent)}
      .money(std::max(x.reserved, *before ? (*before)->reserved : nano_dollars{}))
      .whole(x.lease)
      .text(x.model)
      .whole(static_cast<uint32_t>(x.kind))
      .whole(x.max_tokens)
      .text(x.holder)
      .blob(x.prompt)
      .whole(row.key)
      .whole(x.attempt)
      .run();
  return {};
}

expected<void> ledger::record(int64_t run, const intent& x) {
  if (auto open = self_->check_transaction(); !open) return open;
  if (auto sane = check_attempt(x.attempt, x.reserved); !sane) return sane;
  return self_->guard("store an intent", [&]() -> expected<void> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto inserted = statement{self_->prepared(insert_intent)}
                              .whole(row->key)
                              .whole(x.attempt)
                              .whole(static_cast<uint32_t>(x.kind))
                              .whole(x.max_tokens)
                              .text(x.holder)
                              .money(x.reserved)
                              .whole(wall_now().ms)
                              .whole(x.lease)
                              .text(x.model)
                              .blob(x.prompt)
                              .run();
    if (inserted == 0)
      if (auto widened = self_->widen(*row, x); !widened) return widened;
    self_->sign(ledger_table::attempt, row->key, x.attempt);
    return {};
  });
}

expected<bool> ledger::record(int64_t run, const attempt_done& x) {
  if (auto open = self_->check_transaction(); !open) return tl::unexpected{open.error()};
  if (auto sane = check_attempt(x.attempt, x.cost); !sane) return tl::unexpected{sane.error()};
  return self_->guard("store an answer", [&]() -> expected<bool> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto before = self_->find_attempt(row->key, x.attempt);
    if (!before) return tl::unexpected{before.error()};
    if (*before && (*before)->how == attempt_outcome::answered) return false;
    const auto model = clipped(x.answer.model, longest_name);
    const auto request_id = clipped(x.answer.request_id, longest_name);
    const auto& usage = x.answer.usage;
    statement store{self_->prepared(store_answered)};
    store.whole(row->key).whole(x.attempt).money(x.cost).whole(wall_now().ms).whole(x.lease);
    store.whole(bounded(usage.input_tokens)).whole(bounded(usage.cache_write_5m_tokens));
    store.whole(bounded(usage.cache_write_1h_tokens)).whole(bounded(usage.cache_read_tokens));
    store.whole(bounded(usage.output_tokens)).whole(static_cast<uint32_t>(usage.tier));
    store.whole(uint32_t{usage.us_inference}).whole(static_cast<uint32_t>(x.answer.stop));
    store.text(model).text(request_id).run();
    self_->sign(ledger_table::attempt, row->key, x.attempt);
    self_->store_answer(*row, x);
    return true;
  });
}

expected<bool> ledger::record(int64_t run, const attempt_failed& x) {
  if (auto open = self_->check_transaction(); !open) return tl::unexpected{open.error()};
  if (auto sane = check_attempt(x.attempt, {}); !sane) return tl::unexpected{sane.error()};
  return self_->guard("store a failed attempt", [&]() -> expected<bool> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto found = self_->find_attempt(row->key, x.attempt);
    if (!found) return tl::unexpected{found.error()};
    const auto& before = *found;
    const bool now_known =
        before && before->how == attempt_outcome::unconfirmed && x.failure.billed == billing::unbilled;
    if (before && before->how != attempt_outcome::open && !now_known) return false;
    const auto how = x.failure.billed == billing::unknown ? attempt_outcome::unconfirmed : attempt_outcome::free;
    const auto request_id = clipped(x.failure.request_id, longest_name);
    const auto message = clipped(x.failure.message, longest_message);
    statement store{self_->prepared(store_failed)};
    store.whole(row->key).whole(x.attempt).whole(static_cast<uint32_t>(how)).whole(wall_now().ms).whole(x.lease);
    store.whole(static_cast<uint32_t>(x.failure.code)).whole(uint32_t{x.failure.http_status});
    store.text(request_id).text(message).run();
    self_->sign(ledger_table::attempt, row->key, x.attempt);
    return true;
  });
}

expected<attempt_state> ledger::attempt_state_of(int64_t run, const task_id& id, uint32_t attempt) const {
  return self_->guard("look up an attempt", [&]() -> expected<attempt_state> {
    const auto row = self_->find(run, id);
    if (!row) return tl::unexpected{row.error()};
    attempt_state found;
    found.batch = row->batch;
    found.state = row->state;
    const auto known = self_->find_attempt(row->key, attempt);
    if (!known) return tl::unexpected{known.error()};
    if (!*known) return found;
    const auto how = (*known)->how;
    found.owed = how == attempt_outcome::open || how == attempt_outcome::unconfirmed;
    found.answered = how == attempt_outcome::answered;
    found.reserved = (*known)->reserved;
    if (found.owed) found.charged = found.reserved;
    found.model = (*known)->model;
    found.holder = (*known)->holder;
    return found;
  });
}

expected<void> ledger::record(int64_t run, const task_ended& x) {
  if (auto open = self_->check_transaction(); !open) return open;
  if (x.state == task_state::delivered || x.state == task_state::answered)
    return fail(ec::usage, fmt::format("a task is {} by its answer or its file, not by being told so", name(x.state)));
  return self_->guard("store how a task ended", [&]() -> expected<void> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    if (row->state != task_state::delivered) self_->set_state(*row, x.state, x.code, x.reason);
    return {};
  });
}

expected<void> ledger::record(int64_t run, const delivery& x) {
  if (auto open = self_->check_transaction(); !open) return open;
  return self_->guard("store a delivery", [&]() -> expected<void> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto path = self_->stored_path(x.path);
    statement file{self_->prepared(store_file)};
    const auto id = file.blob(path).blob(x.content).whole(row->key).next() ? file.whole() : 0;
    self_->sign(ledger_table::file, id);
    statement{self_->prepared(deliver)}
        .whole(wall_now().ms)
        .whole(id)
        .whole(uint32_t{x.conflict_copy})
        .whole(row->key)
        .run();
    self_->sign(ledger_table::task, row->key);
    return {};
  });
}

}  // namespace cohort::state
