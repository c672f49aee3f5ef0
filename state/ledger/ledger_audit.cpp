// The ledger computed again from its rows, within one transaction, so that a run at work cannot blur the picture.

#include <fmt/format.h>

#include "base/text.hpp"
#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace {

constexpr std::string_view price_prefix = "prices/";

const std::string all_attempts = fmt::format(
    "SELECT a.number, a.outcome, a.reserved, a.cost, {}, a.sent, a.model, s.model, s.label, t.run, "
    "a.input_tokens, a.cache_write_5m, a.cache_write_1h, a.cache_read, a.output_tokens, a.tier, a.us_inference "
    "FROM attempt a LEFT JOIN task t ON t.key = a.task LEFT JOIN spec s ON s.task = a.task ORDER BY a.task, a.number",
    sound_sql(ledger_table::attempt, "a"));
const std::string all_answers =
    fmt::format("SELECT {}, coalesce(s.label, '') FROM answer a LEFT JOIN spec s ON s.task = a.task",
                sound_sql(ledger_table::answer, "a"));
constexpr const char* all_standings =
    "SELECT s.label, t.state, t.file IS NOT NULL AND EXISTS (SELECT 1 FROM file f WHERE f.id = t.file), "
    "(SELECT count(*) FROM attempt a WHERE a.task = t.key AND a.outcome = 1), "
    "EXISTS (SELECT 1 FROM answer x WHERE x.task = t.key AND x.number = t.answer) FROM task t JOIN spec s ON s.task = "
    "t.key ORDER BY t.key";
const std::string all_files = fmt::format(
    "SELECT f.path, f.digest, t.run, t.id, s.label, s.target, r.output_directory, t.conflict_copy, {} FROM file f JOIN "
    "task t "
    "ON "
    "t.key = f.task JOIN spec s ON s.task = t.key JOIN run r ON r.id = t.run ORDER BY f.id",
    sound_sql(ledger_table::file, "f"));

/// A row of `all_attempts`.
struct audited_attempt {
  explicit audited_attempt(statement& row) {
    number = row.as<uint32_t>();
    how = row.as<attempt_outcome>();
    reserved = row.money();
    cost = row.money();
    sound = row.whole() != 0;
    sent = {row.whole()};
    model = row.bytes();
    auto planned_for = row.bytes();
    if (model.empty()) model = std::move(planned_for);
    label = row.bytes();
    run = row.whole();
    usage = read_usage(row);
  }
  uint32_t number = 0;
  attempt_outcome how = attempt_outcome::open;
  nano_dollars reserved;
  nano_dollars cost;
  bool sound = false;
  wall_time sent;
  std::string model;  ///< That was asked.
  std::string label;
  int64_t run = 0;
  token_usage usage;
};

std::string label_of(const std::string& text) {
  return text.empty() ? "a task that is not in the plan" : printable(text);
}

}  // namespace

expected<void> ledger::record_prices(const std::vector<model_info>& models) {
  if (auto may = self_->check_writable(); !may) return may;
  return self_->guard("note the prices", [&]() -> expected<void> {
    const auto now = wall_now();
    const auto known = self_->read_price_history(nullptr);
    for (const auto& model : models) {
      const auto* last = known.at(model.id, now);
      const auto packed = pack_prices(model);
      if (last != nullptr && pack_prices(*last) == packed) continue;
      const auto key = fmt::format("{}{}/{:016}", price_prefix, model.id, now.ms);
      self_->file.set_meta(key, packed);
    }
    return {};
  });
}

price_history ledger::impl::read_price_history(std::vector<audit_finding>* findings) const {
  price_history history;
  static const auto noted = fmt::format("SELECT key, value, {} FROM meta WHERE key LIKE 'prices/%' ORDER BY key",
                                        sound_sql(ledger_table::meta));
  statement row{prepared(noted)};
  while (row.next()) {
    const auto key = row.bytes();
    auto prices = unpack_prices(row.bytes());
    const auto slash = key.rfind('/');
    const bool sound = row.whole() != 0 && prices && slash >= price_prefix.size() &&
                       key.substr(price_prefix.size(), slash - price_prefix.size()) == prices->id;
    if (sound)
      history.add({std::atoll(key.c_str() + slash + 1)}, std::move(*prices));
    else if (findings != nullptr)
      findings->push_back({disagreement::altered, printable(key), "the prices that were noted do not hold"});
  }
  return history;
}

/// Reads each run whole; what the ordinary reading refuses becomes a finding.
void ledger::impl::audit_plans(const ledger& ledger, ledger_audit& audit) const {
  std::vector<std::pair<int64_t, uint32_t>> batches;
  {
    statement row{prepared("SELECT run, batch, count(*) FROM task GROUP BY run, batch ORDER BY run, batch")};
    while (row.next()) {
      const auto run = row.whole();
      batches.emplace_back(run, row.as<uint32_t>());
      audit.tasks += row.as<uint64_t>();
    }
  }
  for (const auto& [run, batch] : batches)
    if (const auto read = ledger.load_batch(run, batch); !read)
      audit.findings.push_back(
          {disagreement::altered, fmt::format("run {}, batch {}", run, batch + 1), read.error().message});
  statement runs{prepared("SELECT count(*) FROM run")};
  if (runs.next()) audit.runs = runs.as<uint32_t>();
}

void ledger::impl::audit_attempts(const price_history& present, ledger_audit& audit) const {
  const auto noted = read_price_history(&audit.findings);
  statement newest{prepared("SELECT max(id) FROM run")};
  const auto last_run = newest.next() ? newest.whole() : 0;
  statement row{prepared(all_attempts)};
  while (row.next()) {
    audited_attempt x{row};
    ++audit.attempts;
    const auto where = fmt::format("{}, attempt {}", label_of(x.label), x.number);
    if (!x.sound) audit.findings.push_back({disagreement::altered, where, "the money of this attempt was altered"});
    spending one;
    if (x.how == attempt_outcome::answered) {
      const bool as_reserved = x.usage.tier == service_tier::as_reserved;
      const auto* prices = noted.at(x.model, x.sent);
      if (prices == nullptr) prices = present.at(x.model, x.sent);
      one.confirmed = as_reserved ? x.reserved : prices == nullptr ? x.cost : cost_of(x.usage, *prices);
      if (prices == nullptr && !as_reserved)
        audit.findings.push_back({disagreement::money, where,
                                  fmt::format("no price is known for the model '{}', so that its cost of {} cannot be "
                                              "computed",
                                              printable(x.model), exact_dollars(x.cost))});
      else if (one.confirmed != x.cost)
        audit.findings.push_back(
            {disagreement::money, where,
             fmt::format("{} {}, its recorded cost is {}",
                         as_reserved ? "its usage was not believed, it reserved" : "its usage makes",
                         exact_dollars(one.confirmed), exact_dollars(x.cost))});
    } else {
      if (x.how != attempt_outcome::free) one.unconfirmed = x.reserved;
      if (x.cost.count != 0)
        audit.findings.push_back(
            {disagreement::money, where, fmt::format("it has no answer, but a cost of {}", exact_dollars(x.cost))});
    }
    for (auto* sum : {&audit.spent, x.run == last_run ? &audit.newest_run : nullptr}) {
      if (sum == nullptr) continue;
      sum->confirmed += one.confirmed;
      sum->unconfirmed += one.unconfirmed;
    }
  }
}

void ledger::impl::audit_answers(ledger_audit& audit) const {
  statement row{prepared(all_answers)};
  while (row.next()) {
    const bool sound = row.whole() != 0;
    ++audit.answers;
    if (!sound)
      audit.findings.push_back({disagreement::altered, label_of(row.bytes()), "its stored answer was altered"});
  }
}

void ledger::impl::audit_states(ledger_audit& audit) const {
  statement row{prepared(all_standings)};
  while (row.next()) {
    const auto label = row.bytes();
    const auto state = row.as<task_state>();
    const bool has_file = row.whole() != 0;
    const bool paid = row.whole() != 0;
    const bool has_answer = row.whole() != 0;
    const bool needs_answer = state == task_state::answered || state == task_state::delivered;
    const auto complain = [&](std::string what) {
      audit.findings.push_back({disagreement::state, label_of(label), std::move(what)});
    };
    if (paid && !has_answer) complain("an answer was paid for, and its text is not stored");
    if (needs_answer && !paid) complain(fmt::format("it is {} without an attempt that was answered", name(state)));
    if (state == task_state::delivered && !has_file) complain("it is delivered, and no file is recorded");
  }
}

void ledger::impl::audit_files(ledger_audit& audit) const {
  statement row{prepared(all_files)};
  while (row.next()) {
    recorded_file found;
    found.path = shown_path(row.bytes());
    found.content = row.hash();
    found.run = row.whole();
    found.task = row.identity();
    found.label = row.bytes();
    found.target = row.bytes();
    found.output_directory = row.bytes();
    found.conflict_copy = row.whole() != 0;
    if (row.whole() == 0)
      audit.findings.push_back({disagreement::altered, printable(found.path), "the record of this file was altered"});
    audit.files.push_back(std::move(found));
  }
}

/// The tables whose rows no other part of the audit reads.
void ledger::impl::audit_signatures(ledger_audit& audit) const {
  for (const auto table : {ledger_table::meta, ledger_table::run, ledger_table::prefix}) {
    SQLite::Statement altered{file.database(),
                              fmt::format("SELECT count(*) FROM {} WHERE NOT {}{}", name(table), sound_sql(table),
                                          table == ledger_table::meta ? " AND key NOT LIKE 'prices/%'" : "")};
    const auto count = altered.executeStep() ? altered.getColumn(0).getInt64() : 0;
    if (count > 0)
      audit.findings.push_back(
          {disagreement::altered, std::string{name(table)}, fmt::format("{} of its rows were altered", count)});
  }
}

expected<ledger_audit> ledger::audit(const std::vector<model_info>& present) const {
  price_history listed;
  for (const auto& model : present) listed.add({}, model);
  const bool alone = !self_->in_transaction();
  auto audited = self_->guard("check the ledger", [&]() -> expected<ledger_audit> {
    if (alone) self_->file.database().exec("BEGIN");
    ledger_audit audit;
    self_->audit_plans(*this, audit);
    self_->audit_attempts(listed, audit);
    self_->audit_answers(audit);
    self_->audit_states(audit);
    self_->audit_files(audit);
    self_->audit_signatures(audit);
    const auto stored = newest_run();
    if (!stored) return tl::unexpected{stored.error()};
    if (*stored && ((*stored)->spent().confirmed != audit.newest_run.confirmed ||
                    (*stored)->spent().unconfirmed != audit.newest_run.unconfirmed))
      audit.findings.push_back(
          {disagreement::money, (*stored)->batch_id,
           fmt::format("the attempts make {} confirmed and {} unconfirmed, the run's totals are {} and {}",
                       exact_dollars(audit.newest_run.confirmed), exact_dollars(audit.newest_run.unconfirmed),
                       exact_dollars((*stored)->spent().confirmed), exact_dollars((*stored)->spent().unconfirmed))});
    return audit;
  });
  if (alone && self_->in_transaction()) (void)self_->file.database().tryExec("ROLLBACK");
  return audited;
}

}  // namespace cohort::state
