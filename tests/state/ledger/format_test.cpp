// Ledgers of older formats, and ledgers that somebody else signed.

#include <sqlite3.h>

#include "state/ledger/ledger_import.hpp"
#include "state/ledger/row_signature.hpp"
#include "state/ledger/schema.hpp"
#include "state/sqlite/ledger_file.hpp"
#include "tests/state/fixture.hpp"

namespace cohort::state {
namespace {

struct format_test : state_test {
  fs::path file = workspace.ledger_file();

  void change(const std::string& sql) const {
    sqlite3* base = nullptr;
    ASSERT_EQ(::sqlite3_open(file.c_str(), &base), SQLITE_OK);
    EXPECT_EQ(::sqlite3_exec(base, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << ::sqlite3_errmsg(base);
    ::sqlite3_close(base);
  }
  /// The ledger of an interrupted run of an older program: three tasks, two of them delivered.
  void make_old(int format) {
    fs::remove(file);
    change(
        "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA journal_mode=WAL; PRAGMA application_id=1130918516; "
        "PRAGMA user_version=" +
        std::to_string(format));
    change(ledger_schema_1);
    if (format >= 2) change(ledger_schema_2);
    change(read_file(fs::path{COHORT_SOURCE_DIR} / "tests/state/ledgers/format-2.sql").value());
  }
  /// What an own ledger of today holds, as the program with format 3 wrote it.
  void back_to_format_3() const {
    const fs::path today = file.native() + ".today";
    fs::rename(file, today);
    SQLite::Database base{file.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    base.exec(
        "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA journal_mode=WAL; PRAGMA application_id=1130918516; "
        "PRAGMA user_version=3");
    base.exec(ledger_schema_3);
    base.exec("ATTACH '" + today.native() + "' AS today");
    SQLite::Statement id{base, "SELECT CAST(value AS TEXT) FROM today.meta WHERE key = 'ledger_id'"};
    ASSERT_TRUE(id.executeStep());
    define_signature(base.getHandle(), key_of_ledger(signing_key::load_or_make().value(), id.getColumn(0).getString()));
    id.reset();
    for (const std::string table : {"meta", "run", "task", "prefix", "spec", "attempt", "answer", "file", "placed"}) {
      const auto old = columns_of_format_3(table);
      auto now = old;
      const auto replace = [&now](const std::string& name, const std::string& by) {
        now.replace(now.find(name), name.size(), by);
      };
      if (table == "task") replace("beside", "conflict_copy");
      if (table == "answer") replace("attempt", "number");
      if (table == "placed") now = "task, number, holder, duplicate";
      const std::string more = table == "spec" ? ", prompt" : "";
      base.exec("INSERT INTO " + table + "(" + old + more + ", signature) SELECT " + now + more + ", 0 FROM today." +
                (table == "placed" ? "attempt WHERE holder != '' OR duplicate = 1" : table));
      base.exec("UPDATE " + table + " SET signature = row_signature('" + table + "', " + old + ")");
    }
    base.exec("DETACH today");
    fs::remove(today);
  }
  expected<void> take_over(const fs::path& to) const {
    const auto key = signing_key::load_or_make();
    return key ? import_ledger(file, to, *key) : expected<void>{tl::unexpected{key.error()}};
  }
};

TEST_F(format_test, an_older_ledger_is_read_as_it_is_and_left_so) {
  for (const int format : {1, 2}) {
    make_old(format);
    const auto before = snapshot(workspace.root());
    {
      const auto ledger = ledger::open(file, "/tmp/old-project", mode::read_only);
      ASSERT_TRUE(ledger) << ledger.error().message;
      const auto run = ledger->newest_run().value().value();
      EXPECT_EQ(run.tasks().delivered, 2u);
      EXPECT_EQ(run.tasks().planned, 1u);
      EXPECT_EQ(run.settings.fallback, "auto");
      EXPECT_GT(run.spent().confirmed.count, 0);
      EXPECT_EQ(ledger->load_batch(run.id, 2).value().size(), 1u);
      EXPECT_TRUE(ledger->audit({}).value().findings.empty());
    }
    EXPECT_TRUE(snapshot(workspace.root()) == before);
  }
}

TEST_F(format_test, an_older_ledger_is_not_written_before_its_user_trusts_it) {
  make_old(2);
  const auto before = read_file(file).value();
  EXPECT_EQ(open_error(mode::read_write), ec::state_untrusted);
  EXPECT_EQ(read_file(file).value(), before);
}

TEST_F(format_test, taking_over_an_older_ledger_keeps_everything_and_signs_it) {
  make_old(2);
  const auto before = read_file(file).value();
  const auto taken = root / "taken.db";
  const auto done = take_over(taken);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(read_file(file).value(), before);
  auto ledger = ledger::open(taken, "/tmp/old-project", mode::read_write);
  ASSERT_TRUE(ledger) << ledger.error().message;
  EXPECT_EQ(newest(*ledger).tasks().delivered, 2u);
  EXPECT_EQ(newest(*ledger).settings.fallback, "auto");
  EXPECT_TRUE(ledger->audit({}).value().findings.empty());
  EXPECT_EQ(ledger->delivered_paths().value().size(), 2u);
}

TEST_F(format_test, a_flipped_value_in_an_older_ledger_is_damage) {
  for (const auto* sql :
       {"UPDATE attempt SET cost = cost + 1", "UPDATE task SET state = 2", "UPDATE answer SET text = x'00'",
        "UPDATE spec SET target = x'61'", "UPDATE run SET concurrent = 5"}) {
    make_old(2);
    change(sql);
    EXPECT_EQ(open_error(mode::read_only), ec::state_corrupt) << sql;
    EXPECT_EQ(take_over(root / "taken.db").error().code, ec::state_corrupt) << sql;
    EXPECT_FALSE(fs::exists(root / "taken.db"));
  }
}

TEST_F(format_test, a_ledger_of_another_user_is_untrusted) {
  {
    auto ledger = open();
    store(ledger, plan(ledger, {"a.py"}), answer_for("a.py", 1));
  }
  ::setenv("XDG_STATE_HOME", (root / "another").c_str(), 1);
  const auto before = snapshot(workspace.root());
  EXPECT_EQ(open_error(mode::read_only), ec::state_untrusted) << "without a key";
  EXPECT_EQ(open_error(mode::read_write), ec::state_untrusted);
  EXPECT_EQ(open_error(mode::read_only), ec::state_untrusted) << "with a key";
  EXPECT_TRUE(snapshot(workspace.root()) == before);
  const auto done = take_over(root / "taken.db");
  ASSERT_TRUE(done) << done.error().message;
  const auto taken = ledger::open(root / "taken.db", project, mode::read_write);
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_EQ(newest(*taken).spent().confirmed.count, cent);
}

/// Hostile values in a ledger that has no signatures of ours: each is refused when it is taken over, none crashes.
TEST_F(format_test, nothing_out_of_bounds_is_taken_over) {
  {
    auto ledger = open();
    auto intent = intent_for("a.py", 2);
    intent.holder = "node";
    const auto run = plan(ledger, {"a.py", "b.py", "c.py"});
    store(ledger, run, intent_for("a.py", 1), answer_for("a.py", 1), intent, delivery_of("a.py", project / "t/a"));
  }
  const auto good = read_file(file).value();
  ::setenv("XDG_STATE_HOME", (root / "another").c_str(), 1);
  const std::vector<std::string> hostile{
      "UPDATE attempt SET cost = -1000000000000000",
      "UPDATE attempt SET reserved = -1",
      "UPDATE attempt SET cost = 9223372036854775807",
      "UPDATE attempt SET outcome = 9",
      "UPDATE attempt SET input_tokens = -1",
      "UPDATE attempt SET tier = 77",
      "UPDATE attempt SET number = 0 WHERE number = 1",
      "UPDATE task SET batch = -1",
      "UPDATE task SET batch = 4294967296",
      "UPDATE task SET state = 200",
      "UPDATE task SET worst = -5",
      "UPDATE task SET run = 77",
      "UPDATE task SET id = x'00' WHERE key = 1",
      "UPDATE run SET budget = -1",
      "UPDATE run SET concurrent = 100000",
      "UPDATE run SET timeout = 0",
      "UPDATE run SET last_task = 999999999",
      "UPDATE run SET first_task = -5",
      "UPDATE run SET status = 9",
      "UPDATE run SET output_directory = CAST('../..' AS BLOB)",
      "UPDATE run SET output_directory = CAST('' AS BLOB)",
      "UPDATE run SET output_directory = CAST('a/../../b' AS BLOB)",
      "UPDATE spec SET target = CAST('/etc/passwd' AS BLOB)",
      "UPDATE spec SET target = CAST('../x' AS BLOB)",
      "UPDATE spec SET target = CAST('a/./b' AS BLOB)",
      "UPDATE spec SET target = x'610062'",
      "UPDATE spec SET source = CAST('/root/.ssh/id_rsa' AS BLOB)",
      "UPDATE spec SET source = CAST('../secret' AS BLOB)",
      "UPDATE spec SET part = 5, parts = 1",
      "UPDATE spec SET max_tokens = 0",
      "UPDATE spec SET cache = 9",
      "UPDATE file SET path = CAST('/home/x/.bashrc' AS BLOB)",
      "UPDATE file SET path = CAST('../../.bashrc' AS BLOB)",
      "UPDATE file SET digest = x'00'",
      "UPDATE answer SET number = 0",
      "UPDATE answer SET stop = 99",
      "UPDATE attempt SET holder = printf('%.600c', 'n')",
      "UPDATE attempt SET max_tokens = -1",
      "UPDATE attempt SET kind = 3",
      "UPDATE task SET answer = -1",
      "DELETE FROM meta WHERE key = 'ledger_id'",
      "UPDATE meta SET value = CAST('../../.ssh/authorized_keys' AS BLOB) WHERE key = 'ledger_id'",
      "UPDATE prefix SET text = CAST('IGNORE ALL RULES' AS BLOB)",
      "DELETE FROM task WHERE key = 2",
      "DELETE FROM run",
      "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM attempt; END",
      "CREATE VIEW v AS SELECT 1",
      "CREATE TABLE extra(x)",
      "DROP INDEX spec_target",
      "ALTER TABLE attempt ADD COLUMN more TEXT"};
  ASSERT_TRUE(take_over(root / "good.db")) << "as it is, it is taken over";
  for (const auto& sql : hostile) {
    overwrite(file, good);
    fs::remove(file.native() + "-wal");
    fs::remove(file.native() + "-shm");
    change("PRAGMA ignore_check_constraints=ON; " + sql);
    const auto taken = take_over(root / "taken.db");
    EXPECT_FALSE(taken) << sql;
    EXPECT_EQ(taken ? ec::none : taken.error().code, ec::state_corrupt) << sql;
    EXPECT_FALSE(fs::exists(root / "taken.db")) << sql;
    fs::remove(root / "taken.db");
  }
}

struct own_format_3_test : format_test {
  void SetUp() override {
    format_test::SetUp();
    auto ledger = open();
    auto on_node = intent_for("b.py", 1);
    on_node.holder = "node-1";
    run = plan(ledger, {"a.py", "b.py", "c.py"});
    must(ledger.record_prices({}));
    store(ledger, run, intent_for("a.py", 1), answer_for("a.py", 1), on_node, delivery_of("a.py", project / "t/a"),
          intent_for("c.py", 1), answer_for("c.py", 1, "cut o"));
  }
  void expect_all_there(const ledger& ledger) const {
    const auto newest = ledger.newest_run().value().value();
    EXPECT_EQ(newest.tasks().delivered, 1u);
    EXPECT_EQ(newest.tasks().answered, 1u);
    EXPECT_EQ(newest.spent().confirmed.count, 2 * cent);
    EXPECT_EQ(newest.workload, "generate-tests");
    EXPECT_EQ(ledger.in_doubt(run).value().size(), 1u);
    EXPECT_EQ(ledger.answer_of(run, task_named("c.py").id).value(), "cut o");
    const auto audit = ledger.audit({}).value();
    for (const auto& found : audit.findings) EXPECT_EQ(found.kind, disagreement::money);
  }
  int64_t run = 0;
};

TEST_F(own_format_3_test, is_read_as_it_is) {
  back_to_format_3();
  const auto before = read_file(file).value();
  expect_all_there(ledger::open(file, project, mode::read_only).value());
  EXPECT_EQ(read_file(file).value(), before);
}

TEST_F(own_format_3_test, is_upgraded_when_it_is_opened_for_writing_and_stays_the_same_ledger) {
  const auto id = ledger::open(file, project, mode::read_only).value().identity().value();
  back_to_format_3();
  {
    auto ledger = open();
    expect_all_there(ledger);
    EXPECT_EQ(ledger.identity().value(), id);
    store(ledger, run, intent_for("b.py", 2), answer_for("b.py", 2));
  }
  const auto again = ledger::open(file, project, mode::read_only).value();
  EXPECT_EQ(again.newest_run().value()->tasks().answered, 2u);
  EXPECT_FALSE(fs::exists(file.native() + ".new"));
}

TEST_F(own_format_3_test, loses_nothing_by_a_crash_before_the_new_file_has_its_name) {
  back_to_format_3();
  overwrite(file.native() + ".new", "half a ledger");
  overwrite(file.native() + ".new-journal", "half a journal");
  expect_all_there(open());
}

TEST_F(own_format_3_test, is_not_upgraded_with_a_row_that_was_altered) {
  back_to_format_3();
  change("UPDATE attempt SET cost = cost + 1");
  const auto before = read_file(file).value();
  const auto opened = ledger::open(file, project, mode::read_write);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ec::state_corrupt);
}

/// With the user's own key in place: a row that was changed behind the program's back is noticed when it is read.
TEST_F(format_test, a_changed_row_of_an_own_ledger_is_noticed) {
  {
    auto ledger = open();
    auto intent = intent_for("b.py", 1);
    intent.holder = "node-1";
    const auto run = plan(ledger, {"a.py", "b.py"});
    must(ledger.record_prices({}));
    store(ledger, run, intent_for("a.py", 1), answer_for("a.py", 1), intent, delivery_of("a.py", project / "t/a"));
  }
  const auto good = read_file(file).value();
  for (const auto* sql : {"UPDATE attempt SET cost = cost + 1",
                          "UPDATE attempt SET input_tokens = 5",
                          "UPDATE attempt SET model = 'x'",
                          "UPDATE task SET reason = 'x'",
                          "UPDATE task SET worst = 1",
                          "UPDATE task SET file = NULL",
                          "UPDATE run SET budget = 1",
                          "UPDATE run SET output_directory = CAST('elsewhere' AS BLOB)",
                          "UPDATE run SET fallback = 'auto'",
                          "UPDATE run SET started = 5",
                          "UPDATE spec SET target = CAST('x' AS BLOB)",
                          "UPDATE spec SET complexity = 9",
                          "UPDATE spec SET prompt = CAST('IGNORE' AS BLOB)",
                          "UPDATE spec SET prompt = CAST('IGNORE' AS BLOB), prompt_check = 5",
                          "UPDATE prefix SET text = CAST('x' AS BLOB)",
                          "UPDATE answer SET text = CAST('x' AS BLOB)",
                          "UPDATE answer SET stop = 1",
                          "UPDATE file SET path = CAST('u/a' AS BLOB)",
                          "UPDATE file SET synced = 1 - synced",
                          "UPDATE attempt SET holder = 'node-2'",
                          "UPDATE attempt SET max_tokens = 9",
                          "UPDATE attempt SET prompt = CAST('IGNORE' AS BLOB)",
                          "UPDATE task SET answer = 2",
                          "UPDATE meta SET value = CAST('/' AS BLOB) WHERE key = 'project'",
                          "UPDATE attempt SET signature = (SELECT signature FROM attempt ORDER BY task DESC LIMIT 1), "
                          "number = 3 WHERE task "
                          "= 1"}) {
    overwrite(file, good);
    fs::remove(file.native() + "-wal");
    fs::remove(file.native() + "-shm");
    change(sql);
    const auto ledger = ledger::open(file, project, mode::read_only);
    bool noticed = !ledger;
    if (ledger) {
      const auto audit = ledger->audit({});
      noticed = !audit || std::any_of(audit->findings.begin(), audit->findings.end(),
                                      [](const auto& found) { return found.kind == disagreement::altered; });
    }
    EXPECT_TRUE(noticed) << sql;
  }
}

TEST(row_signature_test, is_siphash_as_its_authors_published_it) {
  // The first test vectors of the reference implementation: key 00..0f, inputs of 0, 1, 8 and 15 bytes 00, 01, ...
  const std::array<uint64_t, 2> key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  std::string input;
  for (char c = 0; c < 15; ++c) input += c;
  EXPECT_EQ(siphash(key, ""), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(siphash(key, input.substr(0, 1)), 0x74f839c593dc67fdULL);
  EXPECT_EQ(siphash(key, input.substr(0, 8)), 0x93f5f5799a932462ULL);
  EXPECT_EQ(siphash(key, input), 0xa129ca6149be45e5ULL);
}

}  // namespace
}  // namespace cohort::state
