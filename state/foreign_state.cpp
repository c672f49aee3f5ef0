// Foreign state is always read through a copy that was imported, so that whatever is shown has passed the checks.

#include "state/foreign_state.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"
#include "state/ledger/ledger_backup.hpp"
#include "state/ledger/ledger_import.hpp"
#include "state/sqlite/file_check.hpp"
#include "state/sqlite/ledger_file.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

bool has_ledger(const workspace& workspace) {
  const auto state = open_state(workspace);
  return state &&
         (state->kind_of("ledger.db") != file_kind::missing || state->kind_of("ledger.db-wal") != file_kind::missing);
}

error untrusted_batch_state(const workspace& workspace) {
  return {
      ec::state_untrusted,
      fmt::format("'{}' was not written by this user: it may have come with the project. It is not used, and nothing "
                  "was changed. `cohort trust PROJECT` shows the settings that it would bring, and takes them over if "
                  "you agree; `cohort generate-logical-batch PROJECT --clean` puts it aside",
                  printable(workspace.batch_state_path().native(), 1000))};
}

/// Whether this user signed the ledger, in whichever project.
expected<void> check_own_ledger(const workspace& workspace) {
  const auto format = ledger_format(workspace.ledger_file());
  if (!format) return {};  // Damaged or gone: the one who opens it says so.
  if (*format < first_signed_format())
    return tl::unexpected{with_way_back(
        workspace,
        untrusted(workspace.ledger_file(), "was written by an older version of this program, which did not sign it"))};
  const auto ledger = ledger::open(workspace.ledger_file(), workspace.project, ledger::access::read_only);
  if (!ledger && ledger.error().code == ec::state_untrusted)
    return tl::unexpected{with_way_back(workspace, ledger.error())};
  return {};
}

/// A folder for the time of one look.
struct temporary_folder {
  temporary_folder() : path((fs::temp_directory_path() / "cohort-trust-XXXXXX").native()) {
    if (::mkdtemp(path.data()) == nullptr) path.clear();
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
  std::string path;
};

expected<foreign_state> read_imported(const workspace& workspace, const fs::path& file, const signing_key& key) {
  auto opened = ledger_file::open_for_reading(file, key);
  if (!opened) return tl::unexpected{opened.error()};
  foreign_state found;
  return guarded(&opened->database(), workspace.ledger_file(), "read the ledger", [&]() -> expected<foreign_state> {
    found.made_for = opened->meta("project");
    SQLite::Statement counts{
        opened->database(),
        "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM file), (SELECT count(*) FROM answer), "
        "(SELECT coalesce(sum(CAST(cost AS REAL)), 0) FROM attempt WHERE outcome = 1), "
        "(SELECT coalesce(sum(CAST(reserved AS REAL)), 0) FROM attempt WHERE outcome IN (0, 3))"};
    if (counts.executeStep()) {
      found.runs = counts.getColumn(0).getUInt();
      found.files = static_cast<uint64_t>(counts.getColumn(1).getInt64());
      found.stored_answers = static_cast<uint64_t>(counts.getColumn(2).getInt64());
      constexpr double most = 9e18;
      found.of_all_runs.confirmed = {static_cast<int64_t>(std::min(counts.getColumn(3).getDouble(), most))};
      found.of_all_runs.unconfirmed = {static_cast<int64_t>(std::min(counts.getColumn(4).getDouble(), most))};
    }
    SQLite::Statement outside{opened->database(),
                              "SELECT path FROM file WHERE substr(path, 1, 1) = '/' ORDER BY 1 LIMIT 10"};
    while (outside.executeStep()) found.files_outside.push_back(outside.getColumn(0).getString());
    SQLite::Statement folders{opened->database(), "SELECT DISTINCT output_directory FROM run ORDER BY 1 LIMIT 20"};
    while (folders.executeStep()) {
      const fs::path named{folders.getColumn(0).getString()};
      const auto absolute = named.is_absolute() ? named : workspace.project / named;
      found.folders.push_back({absolute, !path_below(workspace.project, absolute).empty()});
    }
    return found;
  });
}

expected<foreign_state> look_at_ledger(const workspace& workspace) {
  const temporary_folder folder;
  if (folder.path.empty()) return tl::unexpected{system_error(errno, "create a folder in", fs::temp_directory_path())};
  const auto key = signing_key::ephemeral();
  if (!key) return tl::unexpected{key.error()};
  const fs::path copy = fs::path{folder.path} / "ledger.db";
  if (auto done = import_ledger(workspace.ledger_file(), copy, *key, {workspace.project, false}); !done)
    return tl::unexpected{done.error()};
  auto found = read_imported(workspace, copy, *key);
  if (!found) return found;
  auto ledger = ledger::open_with(copy, workspace.project, *key);
  if (!ledger) return tl::unexpected{ledger.error()};
  auto newest = ledger->newest_run();
  if (!newest) return tl::unexpected{damaged(workspace.ledger_file(), "its newest run does not add up")};
  found->newest = std::move(*newest);
  return found;
}

}  // namespace

expected<void> check_own_state(const workspace& workspace) {
  if (has_ledger(workspace)) return check_own_ledger(workspace);
  const auto view = read_batch_state(workspace.batch_state_path());
  if (view && !view->is_signed) return tl::unexpected{untrusted_batch_state(workspace)};
  if (!view && view.error().code == ec::state_corrupt) {  // We write it as a whole: it is not ours, or was edited.
    auto problem = untrusted_batch_state(workspace);
    problem.message += ". Besides, " + view.error().message;
    return tl::unexpected{std::move(problem)};
  }
  return {};
}

expected<foreign_state> look_at_foreign_state(const workspace& workspace) {
  const auto nothing = [] {
    return fail(ec::state_missing, "there is nothing to trust: no state is there that this user has not signed");
  };
  if (has_ledger(workspace)) {
    const auto own = ledger::open(workspace.ledger_file(), workspace.project, ledger::access::read_only);
    const auto format = ledger_format(workspace.ledger_file());
    if (own && format && *format >= first_signed_format()) return nothing();
    return look_at_ledger(workspace);
  }
  auto view = read_batch_state(workspace.batch_state_path());
  if (!view && view.error().code == ec::state_missing) return nothing();
  if (!view) return tl::unexpected{view.error()};
  if (view->is_signed) return nothing();
  foreign_state found;
  found.view = std::move(*view);
  return found;
}

/// The new ledger takes the name of the old one in one step; the old one, whose journal was copied before, follows into
/// the archive. A crash in between leaves either ledger in its place, and the old one with its journal in the archive.
expected<std::optional<fs::path>> take_over_state(const workspace& workspace) {
  if (!has_ledger(workspace)) {
    if (auto done = sign_batch_state(workspace); !done) return tl::unexpected{done.error()};
    return std::optional<fs::path>{};
  }
  const auto key = signing_key::load_or_make();
  if (!key) return tl::unexpected{key.error()};
  const auto state = open_state(workspace);
  if (!state) return tl::unexpected{state.error()};
  const fs::path fresh = workspace.ledger_file().native() + ".new";
  if (auto done = import_ledger(workspace.ledger_file(), fresh, *key, {workspace.project, true}); !done)
    return tl::unexpected{done.error()};
  const auto archive = make_archive(workspace);
  if (!archive) return tl::unexpected{archive.error()};
  if (state->kind_of("ledger.db-wal") == file_kind::regular) {
    const auto journal = state->read("ledger.db-wal");
    if (!journal) return tl::unexpected{journal.error()};
    if (auto kept = archive->replace("ledger.db-wal", *journal, durability::now, access::own); !kept)
      return tl::unexpected{kept.error()};
  }
  for (const auto* rest : {"ledger.db-wal", "ledger.db-shm"})
    if (auto gone = state->remove(rest); !gone) return tl::unexpected{gone.error()};
  if (::renameat2(state->fd(), "ledger.db.new", state->fd(), "ledger.db", RENAME_EXCHANGE) != 0)
    return tl::unexpected{system_error(errno, "replace the ledger", workspace.ledger_file())};
  if (auto synced = state->sync(); !synced) return tl::unexpected{synced.error()};
  if (::renameat(state->fd(), "ledger.db.new", archive->fd(), "ledger.db") != 0)
    return tl::unexpected{system_error(errno, "archive the ledger", workspace.ledger_file())};
  if (auto synced = archive->sync(); !synced) return tl::unexpected{synced.error()};
  // The user chose this ledger: a copy of another one must not take its place.
  if (auto moved = archive_backups(workspace, archive->path()); !moved) return tl::unexpected{moved.error()};
  return std::optional{archive->path()};
}

}  // namespace cohort::state
