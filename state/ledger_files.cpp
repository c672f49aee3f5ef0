// Delivered files and finished attempts, as `verify` and the reports want them.

#include "state/ledger_impl.hpp"

namespace cohort {

namespace {

constexpr const char* files_of_run =
    "SELECT t.id, f.path, f.digest, f.synced, t.beside FROM task t JOIN file f ON f.id = t.file WHERE t.run = ? AND "
    "t.state = 2 "
    "ORDER BY t.key";
constexpr const char* files_unsynced =
    "SELECT t.id, f.path, f.digest, f.synced, t.beside FROM file f JOIN task t ON t.key = f.task WHERE f.synced = 0 "
    "ORDER BY "
    "f.id";
constexpr const char* attempts_of_run =
    "SELECT t.id, a.number, a.outcome, a.reserved, a.cost, a.seal, a.task, a.model, a.answered_by, a.request_id, "
    "a.code, "
    "a.input_tokens, a.cache_write_5m, a.cache_write_1h, a.cache_read, a.output_tokens, a.tier, a.us_inference "
    "FROM task t JOIN attempt a ON a.task = t.key WHERE t.run = ? ORDER BY t.key, a.number";

}  // namespace

token_usage read_usage(query& row) {
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
    query row{self_->prepared("SELECT digest FROM file WHERE path = ?")};
    if (!row.blob(stored).next()) return std::optional<digest>{};
    return row.hash();
  });
}

expected<std::vector<std::string>> ledger::delivered_paths() const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<std::string>> {
    std::vector<std::string> paths;
    query row{self_->prepared("SELECT path FROM file")};
    while (row.next()) paths.push_back(self_->shown_path(row.bytes()));
    return paths;
  });
}

namespace {

template <class Shown>
std::vector<delivered_file> read_files(query& row, const Shown& shown) {
  std::vector<delivered_file> files;
  while (row.next()) {
    delivered_file file;
    file.task = row.identity();
    file.path = shown(row.bytes());
    file.content = row.hash();
    file.synced = row.whole() != 0;
    file.beside = row.whole() != 0;
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

expected<std::vector<delivered_file>> ledger::unsynced() const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<delivered_file>> {
    query row{self_->prepared(files_unsynced)};
    return read_files(row, [&](const std::string& path) { return self_->shown_path(path); });
  });
}

expected<std::vector<delivered_file>> ledger::deliveries(int64_t run) const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<delivered_file>> {
    query row{self_->prepared(files_of_run)};
    row.whole(run);
    return read_files(row, [&](const std::string& path) { return self_->shown_path(path); });
  });
}

expected<void> ledger::mark_synced(const std::vector<delivered_file>& files) {
  if (auto may = self_->check_writable(); !may) return may;
  const bool alone = !self_->in_transaction();
  if (alone)
    if (auto opened = begin(); !opened) return opened;
  auto marked = self_->guard("store what is synced", [&]() -> expected<void> {
    for (const auto& file : files) {
      const auto stored = self_->stored_path(file.path);
      query{self_->prepared("UPDATE file SET synced = 1 WHERE path = ? AND digest = ?")}
          .blob(stored)
          .blob(file.content)
          .run();
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
    query row{self_->prepared(attempts_of_run)};
    row.whole(run);
    while (row.next()) {
      attempt_record x;
      x.task = row.identity();
      x.attempt = row.as<uint32_t>();
      const auto how = row.as<outcome>();
      x.open = how == outcome::open;
      x.unconfirmed = x.open || how == outcome::unconfirmed;
      x.reserved = row.money();
      x.cost = row.money();
      const auto seal = row.whole();
      if (seal != seal_of_attempt(row.whole(), x.attempt, how, x.reserved, x.cost))
        return self_->corrupt("the money of an attempt was altered");
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

}  // namespace cohort
