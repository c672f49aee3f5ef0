// Opening a ledger, and the state of its transactions.

#include "state/ledger/ledger.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/digest.hpp"
#include "base/folder.hpp"
#include "base/log.hpp"
#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

ledger::ledger(std::unique_ptr<impl> self) : self_(std::move(self)) {}
ledger::ledger(ledger&&) noexcept = default;
ledger& ledger::operator=(ledger&&) noexcept = default;
ledger::~ledger() = default;

namespace {

/// Only a writer makes the key of this user; a reader who has none has signed nothing.
expected<ledger_file> open_store(const fs::path& file, const fs::path& project, ledger::access mode) {
  if (mode == ledger::access::read_only) {
    const auto key = signing_key::load();
    if (!key) return tl::unexpected{key.error()};
    return ledger_file::open_for_reading(file, *key);
  }
  const auto key = signing_key::load_or_make();
  if (!key) return tl::unexpected{key.error()};
  return ledger_file::open_for_writing(file, project, *key);
}

}  // namespace

expected<ledger> ledger::open(const fs::path& file, const fs::path& project, access mode) {
  const bool writable = mode == access::read_write;
  auto opened = open_store(file, project, mode);
  if (!opened) return tl::unexpected{opened.error()};
  ledger ledger{std::make_unique<impl>(std::move(*opened), project, writable)};
  if (auto ours = ledger.self_->adopt_project(); !ours) return tl::unexpected{ours.error()};
  if (auto sound = ledger.newest_run(); !sound)
    return tl::unexpected{sound.error()};  // checks the signatures on its way
  if (writable)
    if (auto begun = ledger.self_->file.begin_session(); !begun) return tl::unexpected{begun.error()};
  return ledger;
}

expected<ledger> ledger::open_with(const fs::path& file, const fs::path& project, const signing_key& key) {
  auto opened = ledger_file::open_for_reading(file, key);
  if (!opened) return tl::unexpected{opened.error()};
  return ledger{std::make_unique<impl>(std::move(*opened), project, false)};
}

namespace {

/// True if the ledger at `other`, in the project that this one was made for, shows that this one was not moved here:
/// it is the same one, or that project's own was put elsewhere, too. A project that was moved leaves none behind; a new
/// one in its old place has a ledger of its own.
bool contradicts_a_move(const fs::path& other, const fs::path& file, const std::string& ledger_id,
                        const fs::path& project) {
  std::error_code failed;
  if (fs::equivalent(other, file, failed) || !fs::exists(other, failed)) return false;
  const auto there = open_store(other, project, ledger::access::read_only);
  return there && (there->meta("ledger_id") == ledger_id || fs::path{there->meta("project")} != project);
}

}  // namespace

expected<void> ledger::impl::adopt_project() {
  return guard("open the ledger", [&]() -> expected<void> {
    const fs::path stored = file.meta("project");
    if (stored == project) return {};
    const auto inside = file.file().lexically_relative(project);
    const bool outside = inside.empty() || *inside.begin() == "..";
    std::error_code failed;
    const bool foreign = outside ? fs::exists(stored, failed)
                                 : contradicts_a_move(stored / inside, file.file(), file.meta("ledger_id"), stored);
    if (foreign || (fs::is_directory(stored, failed) && !knows_a_source()))
      return fail(
          ec::state_foreign,
          fmt::format(
              "the ledger '{}' was made for the project '{}', which is still there. If it got here by mistake, put it "
              "back; to start afresh here run `cohort generate-logical-batch PROJECT --clean`, which archives it",
              file.file().string(), stored.string()));
    if (!writable) return {};
    file.set_meta("project", project.native());
    log_info("the project moved from '{}' to '{}'; its ledger follows", stored.string(), project.string());
    return {};
  });
}

/// True if a file of the newest plan is here as it was planned, or there is no plan.
bool ledger::impl::knows_a_source() const {
  static const auto newest_sources = fmt::format(
      "SELECT source, source_digest, {} FROM spec ORDER BY task DESC LIMIT 1000", sound_sql(ledger_table::spec));
  statement rows{prepared(newest_sources)};
  const auto here = folder::open(project);
  bool any = false;
  while (rows.next()) {
    any = true;
    const fs::path source{rows.bytes()};
    const auto planned = rows.hash();
    if (rows.whole() == 0 || !here || !stays_below(source)) continue;
    const auto content = here->read(source, 16U << 20);
    if (content && sha256(*content) == planned) return true;
  }
  return !any;
}

SQLite::Statement& ledger::impl::prepared(const char* sql) const {
  const auto found = statements.find(sql);
  if (found != statements.end()) return found->second;
  return statements.try_emplace(sql, file.database(), sql).first->second;
}

namespace {

/// One statement for each table, made once.
const std::string& signing_statement(ledger_table table) {
  static const auto statements = [] {
    std::array<std::string, ledger_tables.size()> made;
    for (const auto each : ledger_tables) {
      const auto numbered = each == ledger_table::attempt || each == ledger_table::answer;
      const auto columns = columns_of(each);
      made[static_cast<size_t>(each)] =
          fmt::format("UPDATE {} SET signature = {} WHERE {} = ?{}", name(each), signature_sql(each),
                      columns.substr(0, columns.find(',')), numbered ? " AND number = ?" : "");
    }
    return made;
  }();
  return statements[static_cast<size_t>(table)];
}

}  // namespace

void ledger::impl::sign(ledger_table table, int64_t key) const {
  statement{prepared(signing_statement(table))}.whole(key).run();
}

void ledger::impl::sign(ledger_table table, int64_t task, uint32_t number) const {
  statement{prepared(signing_statement(table))}.whole(task).whole(number).run();
}

std::string ledger::impl::stored_path(const std::string& path) const {
  const auto folder = project.native() + "/";
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 ? path.substr(folder.size()) : path;
}

std::string ledger::impl::shown_path(const std::string& path) const {
  return path.empty() || path.front() == '/' ? path : project.native() + "/" + path;
}

bool ledger::impl::in_transaction() const noexcept {
  return ::sqlite3_get_autocommit(file.database().getHandle()) == 0;
}

expected<void> ledger::impl::check_writable() const {
  if (writable) return {};
  return fail(ec::permission_denied, fmt::format("the ledger '{}' was opened for reading only", file.file().string()));
}

expected<void> ledger::impl::check_transaction() const {
  if (in_transaction() && !draft) return {};
  return fail(ec::usage, "an entry of the ledger belongs between `begin` and `commit`");
}

expected<void> ledger::begin() {
  if (auto may = self_->check_writable(); !may) return may;
  if (self_->in_transaction()) return fail(ec::usage, "a transaction of the ledger is open already");
  return self_->guard("write the ledger", [&]() -> expected<void> {
    statement{self_->prepared("BEGIN IMMEDIATE")}.run();
    return {};
  });
}

expected<void> ledger::commit() {
  if (auto open = self_->check_transaction(); !open) return open;
  return self_->guard("write the ledger", [&]() -> expected<void> {
    self_->count_commit();
    statement{self_->prepared("COMMIT")}.run();
    return {};
  });
}

/// In each transaction, so that each commit of the WAL carries the page that says whose it is.
void ledger::impl::count_commit() const {
  const auto text = file.meta("commits");
  uint64_t commits = 0;
  std::from_chars(text.data(), text.data() + text.size(), commits);
  file.set_meta("commits", std::to_string(commits + 1));
}

/// After a full disk SQLite may have rolled back already.
void ledger::rollback() noexcept {
  self_->draft.reset();
  if (self_->in_transaction()) (void)self_->file.database().tryExec("ROLLBACK");
}

void ledger::abandon_plan() noexcept {
  if (self_->draft) rollback();
}

}  // namespace cohort::state
