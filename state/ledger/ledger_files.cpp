// Delivered files and finished attempts, as `verify` and the reports want them.

#include <fmt/format.h>

#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace {

const std::string files_of_run = fmt::format(
    "SELECT t.id, f.path, f.digest, f.synced, t.conflict_copy, {} AND {} FROM task t JOIN file f ON f.id = t.file "
    "WHERE t.run "
    "= "
    "? AND t.state = 2 ORDER BY t.key",
    sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::file, "f"));
const std::string files_unsynced = fmt::format(
    "SELECT t.id, f.path, f.digest, f.synced, t.conflict_copy, {} AND {} FROM file f JOIN task t ON t.key = f.task "
    "WHERE "
    "f.synced = 0 ORDER BY f.id",
    sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::file, "f"));
const std::string attempts_of_run = fmt::format(
    "SELECT t.id, a.number, a.outcome, a.reserved, a.cost, {}, a.model, a.answered_by, a.request_id, a.code, "
    "a.input_tokens, a.cache_write_5m, a.cache_write_1h, a.cache_read, a.output_tokens, a.tier, a.us_inference "
    "FROM task t JOIN attempt a ON a.task = t.key WHERE t.run = ? ORDER BY t.key, a.number",
    sound_sql(ledger_table::attempt, "a"));

}  // namespace

token_usage read_usage(statement& row) {
  token_usage usage;
  usage.input_tokens = row.as<uint64_t>();
  usage.cache_write_5m_tokens = row.as<uint64_t>();
  usage.cache_write_1h_tokens = row.as<uint64_t>();
  usage.cache_read_tokens = row.as<uint64_t>();
  usage.output_tokens = row.as<uint64_t>();
  usage.tier = row.as<service_tier>();
  usage.us_inference = row.whole() != 0;
  return usage;
}

expected<std::optional<digest>> ledger::delivered_content(const std::string& path) const {
  return self_->guard("look up a file", [&]() -> expected<std::optional<digest>> {
    const auto stored = self_->stored_path(path);
    static const auto by_path =
        fmt::format("SELECT digest, {} FROM file WHERE path = ?", sound_sql(ledger_table::file));
    statement row{self_->prepared(by_path)};
    if (!row.blob(stored).next()) return std::optional<digest>{};
    const auto content = row.hash();
    if (row.whole() == 0) return self_->corrupt("the record of a delivered file was altered");
    return content;
  });
}

expected<std::vector<std::string>> ledger::delivered_paths() const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<std::string>> {
    std::vector<std::string> paths;
    static const auto all = fmt::format("SELECT path, {} FROM file", sound_sql(ledger_table::file));
    statement row{self_->prepared(all)};
    while (row.next()) {
      paths.push_back(self_->shown_path(row.bytes()));
      if (row.whole() == 0) return self_->corrupt("the record of a delivered file was altered");
    }
    return paths;
  });
}

namespace {

/// Nothing if a row was altered.
template <class Shown>
std::optional<std::vector<delivered_file>> read_files(statement& row, const Shown& shown) {
  std::vector<delivered_file> files;
  while (row.next()) {
    delivered_file file;
    file.task = row.identity();
    file.path = shown(row.bytes());
    file.content = row.hash();
    file.synced = row.whole() != 0;
    file.conflict_copy = row.whole() != 0;
    if (row.whole() == 0) return std::nullopt;
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

expected<std::vector<delivered_file>> ledger::unsynced() const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<delivered_file>> {
    statement row{self_->prepared(files_unsynced)};
    auto files = read_files(row, [&](const std::string& path) { return self_->shown_path(path); });
    if (!files) return self_->corrupt("the record of a delivered file was altered");
    return std::move(*files);
  });
}

expected<std::vector<delivered_file>> ledger::deliveries(int64_t run) const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<delivered_file>> {
    statement row{self_->prepared(files_of_run)};
    row.whole(run);
    auto files = read_files(row, [&](const std::string& path) { return self_->shown_path(path); });
    if (!files) return self_->corrupt("the record of a delivered file was altered");
    return std::move(*files);
  });
}

expected<void> ledger::mark_synced(const std::vector<delivered_file>& files) {
  if (auto may = self_->check_writable(); !may) return may;
  const bool alone = !self_->in_transaction();
  if (alone)
    if (auto opened = begin(); !opened) return opened;
  static const auto by_content =
      fmt::format("SELECT id FROM file WHERE path = ? AND digest = ? AND {}", sound_sql(ledger_table::file));
  auto marked = self_->guard("store what is synced", [&]() -> expected<void> {
    for (const auto& file : files) {
      const auto stored = self_->stored_path(file.path);
      statement row{self_->prepared(by_content)};
      if (!row.blob(stored).blob(file.content).next()) continue;
      const auto id = row.whole();
      statement{self_->prepared("UPDATE file SET synced = 1 WHERE id = ?")}.whole(id).run();
      self_->sign(ledger_table::file, id);
    }
    return {};
  });
  if (!alone) return marked;
  if (marked) marked = commit();
  if (!marked) rollback();
  return marked;
}

expected<std::vector<attempt_record>> ledger::attempts(int64_t run) const {
  return self_->guard("read the attempts", [&]() -> expected<std::vector<attempt_record>> {
    std::vector<attempt_record> attempts;
    statement row{self_->prepared(attempts_of_run)};
    row.whole(run);
    while (row.next()) {
      attempt_record x;
      x.task = row.identity();
      x.attempt = row.as<uint32_t>();
      const auto how = row.as<attempt_outcome>();
      x.open = how == attempt_outcome::open;
      x.unconfirmed = x.open || how == attempt_outcome::unconfirmed;
      x.reserved = row.money();
      x.cost = row.money();
      if (row.whole() == 0) return self_->corrupt("the money of an attempt was altered");
      x.model = row.bytes();
      if (auto answered_by = row.bytes(); !answered_by.empty()) x.model = std::move(answered_by);
      x.request_id = row.bytes();
      x.code = row.as<ec>();
      x.usage = read_usage(row);
      attempts.push_back(std::move(x));
    }
    return attempts;
  });
}

}  // namespace cohort::state
