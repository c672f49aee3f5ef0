// The life of a task: what is written while a run goes on. The rules of docs/state.md, "What counts when".

#include <fmt/format.h>

#include "state/ledger_impl.hpp"

namespace cohort {

namespace {

constexpr const char* find_task = "SELECT key, batch, state FROM task WHERE id = ? AND run = ?";
constexpr const char* find_attempt = "SELECT outcome, reserved FROM attempt WHERE task = ? AND number = ?";
constexpr const char* insert_intent =
    "INSERT INTO attempt(task, number, outcome, reserved, cost, sent, ended, lease, input_tokens, cache_write_5m, "
    "cache_write_1h, cache_read, output_tokens, tier, us_inference, stop, code, http, model, answered_by, request_id, "
    "message, seal) VALUES(?, ?, 0, ?, 0, ?, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?, '', '', '', ?) "
    "ON CONFLICT(task, number) DO NOTHING";
constexpr const char* widen_intent =
    "UPDATE attempt SET reserved = ?, lease = ?, model = ?, seal = ? WHERE task = ? AND number = ?";
constexpr const char* store_answered =
    "INSERT INTO attempt(task, number, outcome, reserved, cost, sent, ended, lease, input_tokens, cache_write_5m, "
    "cache_write_1h, cache_read, output_tokens, tier, us_inference, stop, code, http, model, answered_by, request_id, "
    "message, seal) VALUES(?, ?, 1, 0, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 200, '', ?, ?, '', ?) "
    "ON CONFLICT(task, number) DO UPDATE SET outcome = 1, cost = excluded.cost, ended = excluded.ended, "
    "input_tokens = excluded.input_tokens, cache_write_5m = excluded.cache_write_5m, "
    "cache_write_1h = excluded.cache_write_1h, cache_read = excluded.cache_read, "
    "output_tokens = excluded.output_tokens, tier = excluded.tier, us_inference = excluded.us_inference, "
    "stop = excluded.stop, code = 0, http = 200, answered_by = excluded.answered_by, "
    "request_id = excluded.request_id, message = '', seal = excluded.seal";
constexpr const char* store_failed =
    "INSERT INTO attempt(task, number, outcome, reserved, cost, sent, ended, lease, input_tokens, cache_write_5m, "
    "cache_write_1h, cache_read, output_tokens, tier, us_inference, stop, code, http, model, answered_by, request_id, "
    "message, seal) VALUES(?, ?, ?, 0, 0, 0, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, ?, ?, '', '', ?, ?, ?) "
    "ON CONFLICT(task, number) DO UPDATE SET outcome = excluded.outcome, ended = excluded.ended, code = excluded.code, "
    "http = excluded.http, request_id = excluded.request_id, message = excluded.message, seal = excluded.seal";
constexpr const char* replace_answer =
    "INSERT INTO answer(task, attempt, stop, seal, text) VALUES(?, ?, ?, ?, ?) ON CONFLICT(task) DO UPDATE SET "
    "attempt = excluded.attempt, stop = excluded.stop, seal = excluded.seal, text = excluded.text";
constexpr const char* keep_answer =
    "INSERT INTO answer(task, attempt, stop, seal, text) VALUES(?, ?, ?, ?, ?) ON CONFLICT(task) DO NOTHING";
constexpr const char* place_attempt =
    "INSERT INTO placed(task, number, node, spare) VALUES(?, ?, ?, 0) ON CONFLICT(task, number) DO UPDATE SET "
    "node = excluded.node";
constexpr const char* note_spare =
    "INSERT INTO placed(task, number, node, spare) VALUES(?, ?, '', 1) ON CONFLICT(task, number) DO UPDATE SET spare = "
    "1";
constexpr const char* change_state =
    "UPDATE task SET state = ?, changed = ?, code = ?, reason = ?, seal = ? WHERE key = ?";
constexpr const char* store_file =
    "INSERT INTO file(path, digest, task, synced) VALUES(?, ?, ?, 0) ON CONFLICT(path) DO UPDATE SET "
    "digest = excluded.digest, task = excluded.task, synced = 0 RETURNING id";
constexpr const char* deliver =
    "UPDATE task SET state = 2, changed = ?, code = 0, reason = '', file = ?, beside = ?, seal = ? WHERE key = ?";

/// An attempt as it stands: nothing if it is not in the ledger.
struct standing {
  outcome how = outcome::open;
  nano_dollars reserved;
};

std::optional<standing> find_standing(SQLite::Statement& statement, int64_t task, uint32_t number) {
  query row{statement};
  if (!row.whole(task).whole(number).next()) return std::nullopt;
  const auto how = row.as<outcome>();
  return standing{how, row.money()};
}

expected<void> check_attempt(uint32_t number, nano_dollars amount) {
  if (number == 0) return fail(ec::usage, "attempts count from 1");
  if (amount.count < 0) return fail(ec::usage, fmt::format("an attempt cannot cost {}", to_string(amount)));
  return {};
}

}  // namespace

expected<task_row> ledger::impl::find(int64_t run, const task_id& id) const {
  query row{prepared(find_task)};
  if (!row.identity(id).whole(run).next())
    return fail(ec::task_unknown, fmt::format("run {} has no task {}; was its ledger replaced?", run, to_string(id)));
  const auto key = row.whole();
  const auto batch = row.as<uint32_t>();
  return task_row{key, batch, row.as<task_state>()};
}

void ledger::impl::set_state(const task_row& row, const task_id& id, task_state state, ec code,
                             const std::string& reason) const {
  query{prepared(change_state)}
      .whole(static_cast<uint32_t>(state))
      .whole(wall_now().ms)
      .whole(static_cast<uint32_t>(code))
      .text(reason)
      .whole(seal_of_task(id, row.batch, state, code))
      .whole(row.key)
      .run();
}

/// The text is taken if the task waits for one: never answered, or put back because its last answer was unusable, or
/// failed without any text, for instance because every worker that had it was lost. A skipped task keeps a late text,
/// since it is paid for. Any other answer is spare: paid, and not needed.
void ledger::impl::store_answer(const task_row& row, const attempt_done& x) const {
  query known{prepared("SELECT 1 FROM answer WHERE task = ?")};
  const bool has_text = known.whole(row.key).next();
  const bool waits = row.state == task_state::planned || row.state == task_state::deferred ||
                     (row.state == task_state::failed && !has_text);
  if (!waits && has_text) query{prepared(note_spare)}.whole(row.key).whole(x.attempt).run();
  query{prepared(waits ? replace_answer : keep_answer)}
      .whole(row.key)
      .whole(x.attempt)
      .whole(static_cast<uint32_t>(x.answer.stop))
      .whole(seal_of_answer(row.key, x.attempt, x.answer.text))
      .blob(x.answer.text)
      .run();
  if (waits) set_state(row, x.task, task_state::answered, ec::none, {});
}

expected<void> ledger::record(int64_t run, const intent& x) {
  if (auto open = self_->check_transaction(); !open) return open;
  if (auto sane = check_attempt(x.attempt, x.reserved); !sane) return sane;
  return self_->guard("store an intent", [&]() -> expected<void> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto inserted = query{self_->prepared(insert_intent)}
                              .whole(row->key)
                              .whole(x.attempt)
                              .money(x.reserved)
                              .whole(wall_now().ms)
                              .whole(x.lease)
                              .text(x.model)
                              .whole(seal_of_attempt(row->key, x.attempt, outcome::open, x.reserved, {}))
                              .run();
    if (inserted != 0 && !x.node.empty())
      query{self_->prepared(place_attempt)}.whole(row->key).whole(x.attempt).text(x.node).run();
    if (inserted != 0) return {};
    const auto before = find_standing(self_->prepared(find_attempt), row->key, x.attempt);
    if (before && before->how != outcome::open)
      return fail(ec::conflict,
                  fmt::format("attempt {} of task {} has ended already; the next one needs the next number", x.attempt,
                              to_string(x.task)));
    const auto reserved = std::max(x.reserved, before ? before->reserved : nano_dollars{});
    if (!x.node.empty()) query{self_->prepared(place_attempt)}.whole(row->key).whole(x.attempt).text(x.node).run();
    query{self_->prepared(widen_intent)}
        .money(reserved)
        .whole(x.lease)
        .text(x.model)
        .whole(seal_of_attempt(row->key, x.attempt, outcome::open, reserved, {}))
        .whole(row->key)
        .whole(x.attempt)
        .run();
    return {};
  });
}

expected<bool> ledger::record(int64_t run, const attempt_done& x) {
  if (auto open = self_->check_transaction(); !open) return tl::unexpected{open.error()};
  if (auto sane = check_attempt(x.attempt, x.cost); !sane) return tl::unexpected{sane.error()};
  return self_->guard("store an answer", [&]() -> expected<bool> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto before = find_standing(self_->prepared(find_attempt), row->key, x.attempt);
    if (before && before->how == outcome::answered) return false;
    const auto reserved = before ? before->reserved : nano_dollars{};
    const auto& usage = x.answer.usage;
    query store{self_->prepared(store_answered)};
    store.whole(row->key).whole(x.attempt).money(x.cost).whole(wall_now().ms).whole(x.lease);
    store.whole(usage.input_tokens).whole(usage.cache_write_5m_tokens).whole(usage.cache_write_1h_tokens);
    store.whole(usage.cache_read_tokens).whole(usage.output_tokens).whole(static_cast<uint32_t>(usage.tier));
    store.whole(uint32_t{usage.us_inference}).whole(static_cast<uint32_t>(x.answer.stop));
    store.text(x.answer.model).text(x.answer.request_id);
    store.whole(seal_of_attempt(row->key, x.attempt, outcome::answered, reserved, x.cost)).run();
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
    const auto before = find_standing(self_->prepared(find_attempt), row->key, x.attempt);
    const bool now_known = before && before->how == outcome::unconfirmed && x.failure.billed == billing::unbilled;
    if (before && before->how != outcome::open && !now_known) return false;
    const auto how = x.failure.billed == billing::unknown ? outcome::unconfirmed : outcome::free;
    const auto reserved = before ? before->reserved : nano_dollars{};
    query store{self_->prepared(store_failed)};
    store.whole(row->key).whole(x.attempt).whole(static_cast<uint32_t>(how)).whole(wall_now().ms).whole(x.lease);
    store.whole(static_cast<uint32_t>(x.failure.code)).whole(uint32_t{x.failure.http_status});
    store.text(x.failure.request_id).text(x.failure.message);
    store.whole(seal_of_attempt(row->key, x.attempt, how, reserved, {})).run();
    return true;
  });
}

expected<attempt_standing> ledger::standing(int64_t run, const task_id& id, uint32_t attempt) const {
  return self_->guard("look up an attempt", [&]() -> expected<attempt_standing> {
    const auto row = self_->find(run, id);
    if (!row) return tl::unexpected{row.error()};
    attempt_standing found{row->batch, row->state, {}, {}};
    query known{self_->prepared("SELECT outcome, reserved, model FROM attempt WHERE task = ? AND number = ?")};
    if (!known.whole(row->key).whole(attempt).next()) return found;
    const auto how = known.as<outcome>();
    const auto reserved = known.money();
    if (how == outcome::open || how == outcome::unconfirmed) found.charged = reserved;
    found.model = known.bytes();
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
    if (row->state != task_state::delivered) self_->set_state(*row, x.task, x.state, x.code, x.reason);
    return {};
  });
}

expected<void> ledger::record(int64_t run, const delivery& x) {
  if (auto open = self_->check_transaction(); !open) return open;
  return self_->guard("store a delivery", [&]() -> expected<void> {
    const auto row = self_->find(run, x.task);
    if (!row) return tl::unexpected{row.error()};
    const auto path = self_->stored_path(x.path);
    query file{self_->prepared(store_file)};
    const auto id = file.blob(path).blob(x.content).whole(row->key).next() ? file.whole() : 0;
    query{self_->prepared(deliver)}
        .whole(wall_now().ms)
        .whole(id)
        .whole(uint32_t{x.beside})
        .whole(seal_of_task(x.task, row->batch, task_state::delivered, ec::none))
        .whole(row->key)
        .run();
    return {};
  });
}

}  // namespace cohort
