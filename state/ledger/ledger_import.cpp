// Copies row by row into tables with bounds of their own: SQLite refuses what lies outside of them. Then everything is
// signed, and the paths are looked at.

#include "state/ledger/ledger_import.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"
#include "state/ledger/legacy_checksum.hpp"
#include "state/ledger/row_signature.hpp"
#include "state/ledger/schema.hpp"
#include "state/ledger/statement.hpp"
#include "state/sqlite/file_check.hpp"
#include "state/sqlite/ledger_file.hpp"
#include "state/sqlite/read_copy.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

/// The columns of `table` as a ledger of `version` has them, in the order of `columns_of`.
std::string columns_before(ledger_table table, int64_t version) {
  auto columns = ", " + columns_of(table) + ",";
  const auto replace = [&columns](std::string_view name, const std::string& by) {
    const auto at = columns.find(fmt::format(", {},", name));
    columns.replace(at + 2, name.size(), by);
  };
  if (version < 4 && table == ledger_table::run) replace("workload", "'generate-tests'");
  if (version < 4 && table == ledger_table::task) {
    replace("conflict_copy", "beside");
    replace("answer", "coalesce((SELECT a.attempt FROM old.answer a WHERE a.task = task.key), 0)");
  }
  if (version < 4 && table == ledger_table::attempt) {
    const std::string placed = version < 2 ? "(SELECT '' AS node, 0 AS spare WHERE 0)"
                                           : "(SELECT node, spare FROM old.placed p WHERE p.task = attempt.task AND "
                                             "p.number = attempt.number)";
    replace("kind", "number > 1");
    replace("max_tokens", "0");
    replace("holder", fmt::format("coalesce((SELECT node FROM {}), '')", placed));
    replace("duplicate", fmt::format("coalesce((SELECT spare FROM {}), 0)", placed));
    replace("prompt", "NULL");
  }
  if (version < 4 && table == ledger_table::answer) replace("number", "attempt");
  if (version < first_signed_version) {
    // Prices had a check value behind them; the fallback model was a row of `meta`.
    if (table == ledger_table::meta)
      replace("value",
              "CASE WHEN key LIKE 'prices/%' AND instr(CAST(value AS TEXT), '#') > 0 THEN CAST(substr(CAST(value AS "
              "TEXT), 1, instr(CAST(value AS TEXT), '#') - 1) AS BLOB) ELSE value END");
    if (table == ledger_table::run)
      replace("fallback", "coalesce((SELECT CAST(value AS TEXT) FROM old.meta WHERE key = 'fallback/' || run.id), '')");
    if (table == ledger_table::spec) replace("prompt_check", "0");
  }
  return columns.substr(2, columns.size() - 3);
}

void copy_rows(SQLite::Database& to, ledger_table table, int64_t version) {
  const bool is_spec = table == ledger_table::spec;
  to.exec(
      fmt::format("INSERT INTO main.{0}({1}{2}, signature) SELECT {3}{2}, 0 FROM old.{0}{4}", name(table),
                  columns_of(table), is_spec ? ", prompt" : "", columns_before(table, version),
                  table == ledger_table::meta ? " WHERE key NOT IN ('session') AND key NOT LIKE 'fallback/%'" : ""));
  if (is_spec) to.exec("UPDATE main.spec SET prompt_check = " + prompt_check_sql());
}

/// Rows of an own ledger are taken over only with the signatures that they have.
expected<void> check_signatures_of_format_3(const SQLite::Database& ledger, const fs::path& from) {
  for (const auto* table : {"meta", "run", "task", "spec", "prefix", "attempt", "answer", "file", "placed"}) {
    SQLite::Statement altered{ledger, fmt::format("SELECT 1 FROM old.{0} WHERE signature IS NOT row_signature('{0}', "
                                                  "{1}){2} LIMIT 1",
                                                  table, columns_of_format_3(table),
                                                  std::string_view{table} == "spec"
                                                      ? " OR prompt_check IS NOT row_signature('prompt', task, prompt)"
                                                      : "")};
    if (altered.executeStep())
      return tl::unexpected{damaged(from, fmt::format("a row of its table '{}' was altered", table))};
  }
  return {};
}

expected<void> check_paths(const SQLite::Database& ledger, const fs::path& from) {
  const auto refuse = [&from](std::string_view what, const std::string& path) {
    return tl::unexpected{damaged(from, fmt::format("{} is '{}', which cannot be", what, printable(path, 1000)))};
  };
  const auto below = [](const std::string& path) { return stays_below(fs::path{path}); };
  SQLite::Statement outputs{ledger, "SELECT output_directory FROM run"};
  for (statement row{outputs}; row.next();)
    if (const auto path = row.bytes(); (!below(path) && !fs::path{path}.is_absolute()) || !may_hold_tests(path))
      return refuse("the folder for the tests", path);
  SQLite::Statement specs{ledger, "SELECT source, target FROM spec"};
  for (statement row{specs}; row.next();) {
    if (const auto source = row.bytes(); !below(source)) return refuse("the source of a task", source);
    if (const auto target = row.bytes(); !below(target)) return refuse("the file for a test", target);
  }
  // A file is in the project, or below an absolute folder that a run names.
  SQLite::Statement files{ledger, "SELECT path FROM file"};
  for (statement row{files}; row.next();) {
    const auto path = row.bytes();
    bool known = below(path);
    SQLite::Statement folders{ledger, "SELECT DISTINCT output_directory FROM run"};
    for (statement folder{folders}; !known && folder.next();) {
      const fs::path root{folder.bytes()};
      known = root.is_absolute() && !path_below(root, path).empty();
    }
    if (!known) return refuse("a delivered file", path);
  }
  return {};
}

/// Tasks find their prefix by its row; the digest says what it should hold.
expected<void> check_prefixes(const SQLite::Database& ledger, const fs::path& from) {
  SQLite::Statement prefixes{ledger, "SELECT digest, text FROM prefix"};
  for (statement row{prefixes}; row.next();) {
    const auto digest = row.hash();
    if (sha256(row.bytes()) != digest) return tl::unexpected{damaged(from, "a shared prefix was altered")};
  }
  return {};
}

/// What cannot be in a ledger of ours although each value by itself is within its bounds. Rows that are added later
/// need room above the present numbers.
expected<void> check_sense(const SQLite::Database& ledger, const fs::path& from) {
  constexpr std::pair<const char*, const char*> claims[]{
      {"SELECT 1 FROM spec s JOIN task t ON t.key = s.task JOIN run r ON r.id = t.run WHERE s.model != r.model_id",
       "a task asks for another model than its run"},
      {"SELECT 1 FROM task t JOIN run r ON r.id = t.run WHERE t.batch > r.last_task - r.first_task",
       "a task names an impossible batch"},
      {"SELECT 1 FROM run WHERE id > 10000000", "its runs have impossible numbers"},
      {"SELECT 1 FROM task WHERE key > 100000000000", "its tasks have impossible numbers"},
      {"SELECT 1 FROM file WHERE id > 100000000000", "its files have impossible numbers"},
      {"SELECT 1 FROM prefix WHERE id > 100000000000", "its prefixes have impossible numbers"},
      {"SELECT 1 FROM attempt WHERE number > 100000", "its attempts have impossible numbers"},
      {"SELECT 1 FROM (SELECT sum(CAST(cost AS REAL)) + sum(CAST(reserved AS REAL)) AS all_money FROM attempt) WHERE "
       "all_money > 1e18",
       "more was spent than can be"}};
  for (const auto& [sql, what] : claims) {
    SQLite::Statement broken{ledger, sql};
    if (broken.executeStep()) return tl::unexpected{damaged(from, what)};
  }
  return {};
}

expected<void> check_references(const SQLite::Database& ledger, const fs::path& from) {
  SQLite::Statement orphans{ledger, "PRAGMA foreign_key_check"};
  if (orphans.executeStep()) return tl::unexpected{damaged(from, "rows of it belong to rows that are not there")};
  SQLite::Statement plans{ledger,
                          "SELECT 1 FROM run r WHERE (SELECT count(*) FROM task t WHERE t.run = r.id AND t.key BETWEEN "
                          "r.first_task AND r.last_task) != r.last_task - r.first_task + 1 LIMIT 1"};
  if (plans.executeStep()) return tl::unexpected{damaged(from, "tasks of a plan are missing")};
  return {};
}

expected<void> fill(SQLite::Database& ledger, const fs::path& readable, const fs::path& from, const signing_key& key,
                    const import_target& target) {
  SQLite::Statement attach{ledger, "ATTACH ? AS old"};
  attach.bind(1, readable.native());
  attach.exec();
  SQLite::Statement format{ledger, "PRAGMA old.user_version"};
  const int64_t version = format.executeStep() ? format.getColumn(0).getInt64() : 0;
  format.reset();
  SQLite::Statement id{ledger, "SELECT CAST(value AS TEXT) FROM old.meta WHERE key = 'ledger_id'"};
  auto ledger_id = id.executeStep() ? id.getColumn(0).getString() : std::string{};
  id.reset();
  if (!is_identity(ledger_id)) return tl::unexpected{damaged(from, "it does not say which ledger it is")};
  if (target.may_be_renamed && version >= first_signed_version) ledger_id = random_hex(16);
  if (version < first_signed_version)
    if (auto sound = check_legacy_checksums(ledger, from); !sound) return sound;
  define_signature(ledger.getHandle(), key_of_ledger(key, ledger_id));
  if (target.is_ours)
    if (auto ours = check_signatures_of_format_3(ledger, from); !ours) return ours;
  ledger.exec("BEGIN");
  // Rows that others refer to come first.
  for (const auto table : {ledger_table::meta, ledger_table::run, ledger_table::task, ledger_table::prefix,
                           ledger_table::spec, ledger_table::attempt, ledger_table::answer, ledger_table::file})
    copy_rows(ledger, table, version);
  write_meta(ledger, "session", "");
  if (!target.is_ours) write_meta(ledger, "commits", "1");  // No copy of this ledger is older.
  write_meta(ledger, "ledger_id", ledger_id);
  if (!target.project.empty()) write_meta(ledger, "project", target.project.native());
  for (const auto table : ledger_tables)
    ledger.exec(fmt::format("UPDATE main.{} SET signature = {}", name(table), signature_sql(table)));
  ledger.exec("COMMIT; DETACH old");
  if (auto fine = check_references(ledger, from); !fine) return fine;
  if (auto fine = check_prefixes(ledger, from); !fine) return fine;
  if (auto fine = check_sense(ledger, from); !fine) return fine;
  return check_paths(ledger, from);
}

/// The ledger and its WAL under a name of their own, checked. The name lives as long as the copy.
expected<std::pair<ledger_copy, fs::path>> readable_copy(const fs::path& from) {
  if (auto plain = check_neighbours(from); !plain) return tl::unexpected{damaged(from, plain.error().message)};
  if (auto sound = check_header(from); !sound) return tl::unexpected{sound.error()};
  if (auto sound = check_wal(from); !sound) return tl::unexpected{sound.error()};
  auto copy = ledger_copy::take(from);
  if (!copy) return tl::unexpected{copy.error()};
  auto named = copy->give_name();
  if (!named) return tl::unexpected{named.error()};
  SQLite::Database opened{named->native(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
  harden(opened);
  const auto sound = guarded(&opened, from, "read the ledger", [&] {
    const auto tables = check_tables(opened, from);
    return tables ? check_trees(opened, from) : tables;
  });
  if (!sound && sound.error().code == ec::state_untrusted)
    return tl::unexpected{damaged(from, "it has other tables than a ledger of this program")};
  if (!sound) return tl::unexpected{sound.error()};
  return std::pair{std::move(*copy), std::move(*named)};
}

}  // namespace

expected<void> import_ledger(const fs::path& from, const fs::path& to, const signing_key& key,
                             const import_target& target) {
  return guarded(nullptr, from, "take over the ledger", [&]() -> expected<void> {
    auto copy = readable_copy(from);
    if (!copy) return tl::unexpected{copy.error()};
    if (auto made = create_ledger_file(to); !made) return made;
    auto filled = expected<void>{};
    {
      SQLite::Database ledger{to.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
      harden(ledger);
      filled =
          guarded(&ledger, from, "take over the ledger", [&] { return fill(ledger, copy->second, from, key, target); });
    }
    if (filled) return sync_file(to);
    for (const auto& path : {to, wal_of(to), shm_of(to)}) ::unlink(path.c_str());
    if (filled.error().code == ec::state_corrupt || filled.error().code == ec::disk_full) return filled;
    return tl::unexpected{damaged(from, filled.error().message)};
  });
}

}  // namespace cohort::state
