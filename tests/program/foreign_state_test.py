"""State that this user did not sign: never used, never moved, shown and taken over by `cohort trust`."""

import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess

from program import PROGRAM, SOURCE, STATE, Bill, Book, Case, environment, tree

OLD = (SOURCE / "tests" / "state" / "ledgers" / "format-2.sql").read_text()


def schema(*names):
    text = (SOURCE / "state" / "ledger" / "schema.cpp").read_text()
    return [text.split(f"{name} = R\"sql(")[1].split(")sql\"")[0] for name in names]


def journal_that_deletes(victim):
    """A rollback journal that names another file, which SQLite deletes once it has played the journal back."""
    name, magic = os.fsencode(victim), bytes.fromhex("d9d505f920a163d7")
    head = (magic + struct.pack(">IIIII", 0, 0, 30, 512, 4096)).ljust(512, b"\0")
    return head + struct.pack(">I", 0x40000000 // 4096 + 1) + name + struct.pack(">II", len(name), sum(name)) + magic


class ForeignBase(Case):
    def setUp(self):
        super().setUp()
        self.bill = Bill(self.room / "bill")

    def run_it(self, project, *how):
        return self.batch(project, "--provider", "simulator", "--bill", self.bill.path, *how)

    def as_another_user(self, *arguments):
        home = self.room / "another"
        home.mkdir(exist_ok=True)
        return subprocess.run([PROGRAM, *map(os.fspath, arguments)], env=environment(home), capture_output=True, timeout=60)

    def finished_by_another_user(self, count=3):
        project = self.project(count)
        done = self.as_another_user("generate-logical-batch", project, "--provider", "simulator", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        return project

    def old_ledger(self, project):
        """The ledger of an interrupted run of a program that did not sign."""
        (project / STATE).mkdir(exist_ok=True)
        base = sqlite3.connect(project / STATE / "ledger.db", isolation_level=None)
        base.executescript("PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA journal_mode=WAL; "
                           "PRAGMA application_id=1130918516; PRAGMA user_version=2;")
        for text in schema("ledger_schema_1", "ledger_schema_2"):
            base.executescript(text)
        base.executescript(OLD)
        base.execute("UPDATE meta SET value = ? WHERE key = 'project'", (os.fsencode(self.room / "nowhere"),))
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.close()


class Foreign(ForeignBase):
    def test_a_run_on_foreign_state_ends_with_2_pays_nothing_and_changes_nothing(self):
        project = self.finished_by_another_user()
        before = tree(project, times=True)
        for how in ([], ["--force"], ["--resume"], ["--budget", "5"], ["--dry-run"], ["--stats"]):
            ended = self.run_it(project, *how)
            self.ends(ended, 2)
            self.assertIn("cohort trust", ended.err)
        self.ends(self.cohort("generate-logical", project, "--provider", "simulator"), 2)
        self.ends(self.cohort("verify", project), 2)
        self.ends(self.cohort("verify", project, "--restore"), 2)
        self.assertEqual(tree(project, times=True), before)
        self.assertEqual(self.bill.lines(), [])

    def test_trust_shows_and_asks_and_takes_over_only_when_told(self):
        project = self.finished_by_another_user()
        before = tree(project, times=True)
        shown = self.cohort("trust", project)
        self.ends(shown, 2)
        for said in ("sonnet", "3 delivered files", "confirmed", str(project / STATE / "tests")):
            self.assertIn(said, shown.out)
        told = json.loads(self.cohort("trust", "--json", project).out.splitlines()[0])
        self.assertEqual(told["files"], 3)
        self.assertEqual(told["folders"], [{"path": str(project / STATE / "tests"), "inProject": True}])
        self.assertEqual(tree(project, times=True), before)
        self.ends(self.cohort("trust", "--yes", project), 0)
        again = self.run_it(project)
        self.ends(again, 0)
        self.assertEqual(self.bill.lines(), [], "what was delivered is not bought again")
        self.ends(self.cohort("verify", project), 0)
        self.assertIn("nothing to trust", self.cohort("trust", project).err)

    def test_an_older_ledger_is_read_as_it_is_and_continued_after_trust(self):
        project = self.project(1)
        self.old_ledger(project)
        before = tree(project, times=True)
        stats = self.batch(project, "--stats")
        self.ends(stats, 0)
        self.assertIn("2 of 3", stats.out)
        self.ends(self.run_it(project), 2)
        self.assertEqual(tree(project, times=True), before)
        self.ends(self.cohort("trust", "--yes", project), 0)
        archives = list((project / STATE / "archive").glob("*/ledger.db"))
        self.assertEqual(len(archives), 1)
        self.assertIn("2 of 3", self.batch(project, "--stats").out)

    def test_a_batch_state_that_came_along_chooses_nothing(self):
        project = self.project(2)
        (project / STATE).mkdir()
        view = project / STATE / "batch-state.json"
        view.write_text(json.dumps({"totalTasks": 0, "completedTasks": 0, "actualCostSoFar": 0,
                                    "startTime": "2026-01-01T00:00:00.000Z",
                                    "config": {"model": "opus", "maxConcurrent": 77, "minComplexity": 1,
                                               "timeout": 604800000}}))
        before = tree(project, times=True)
        self.ends(self.run_it(project, "--force"), 2)
        shown = self.cohort("trust", project)
        self.ends(shown, 2)
        self.assertIn("opus", shown.out)
        self.assertIn("77", shown.out)
        self.assertEqual(tree(project, times=True), before)
        self.ends(self.cohort("trust", "--yes", project), 0)
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual({line["model"] for line in self.bill.lines()}, {"claude-opus-5-5"})

    def test_clean_puts_foreign_state_aside(self):
        project = self.finished_by_another_user()
        self.ends(self.batch(project, "--clean"), 0)
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual(len(self.bill.lines()), 3)

    def test_links_in_the_state_folder_are_refused(self):
        project = self.project(1)
        (project / ".git").mkdir()
        (project / ".git" / "config").write_text("[core]\n")
        for name in ("logs", "logs/cohort.log", "tests", "cache", "batch-state.json", "ledger.db", "lock", "archive"):
            state = project / STATE
            shutil.rmtree(state, ignore_errors=True)
            (state / name).parent.mkdir(parents=True)
            (state / name).symlink_to(project / ".git" / ("config" if "." in name else ""))
            before = tree(project, times=True)
            self.ends(self.run_it(project, "--force"), 2)
            self.assertEqual(tree(project, times=True), before, name)
        shutil.rmtree(project / STATE)
        (project / STATE).symlink_to(project / ".git")
        self.ends(self.run_it(project, "--force"), 2)
        self.assertEqual(self.bill.lines(), [])

    def test_a_rollback_journal_that_came_along_deletes_nothing(self):
        """SQLite would take it for its own and delete the file that it names."""
        victim = self.room / "victim"
        victim.write_text("precious")
        for own in (False, True):
            with self.subTest(own=own):
                project = self.project(1, f"own-{own}")
                if own:
                    self.ends(self.run_it(project, "--force"), 0)
                (project / STATE).mkdir(exist_ok=True)
                (project / STATE / "ledger.db-journal").write_bytes(journal_that_deletes(victim))
                before = tree(project, times=True)
                for arguments in (["generate-logical-batch", project, "--provider", "simulator", "--force"],
                                  ["verify", "--restore", project], ["trust", "--yes", project]):
                    self.ends(self.cohort(*arguments), 2)
                self.assertEqual(tree(project, times=True), before)
                self.assertEqual(victim.read_text(), "precious")

    def test_the_journal_of_a_draft_is_removed_and_not_played_back(self):
        """A crash while a ledger is made leaves a draft, and a project may bring one along with a journal."""
        victim = self.room / "victim"
        victim.write_text("precious")
        project = self.project(1)
        (project / STATE).mkdir()
        (project / STATE / "ledger.db.new").write_bytes(b"")
        (project / STATE / "ledger.db.new-journal").write_bytes(journal_that_deletes(victim))
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual([path.name for path in (project / STATE).glob("ledger.db.new*")], [])
        self.assertEqual(victim.read_text(), "precious")

    def test_pipes_in_the_place_of_state_hang_nothing(self):
        project = self.finished_by_another_user(1)
        for name in ("ledger.db-shm", "ledger.db-wal", "lock", "ballast", "batch-state.json", "cache/reading"):
            (project / STATE / name).unlink(missing_ok=True)
            os.mkfifo(project / STATE / name)
            for arguments in (["generate-logical-batch", project, "--provider", "simulator"],
                              ["generate-logical-batch", project, "--stats"], ["verify", project], ["trust", "--yes", project]):
                self.ends(self.cohort(*arguments, timeout=20), 2)
            (project / STATE / name).unlink()

    def test_what_cannot_be_is_not_taken_over(self):
        project = self.finished_by_another_user(2)
        ledger = project / STATE / "ledger.db"
        good = ledger.read_bytes()
        for sql in ("UPDATE spec SET model = 'claude-fable-5-2'", "UPDATE file SET id = 1000000000000 WHERE id = 1",
                    "UPDATE attempt SET number = 1000000", "UPDATE run SET output_directory = CAST('.git/hooks' AS BLOB)",
                    "UPDATE run SET output_directory = CAST('.claude-testing/logs' AS BLOB)"):
            ledger.write_bytes(good)
            base = sqlite3.connect(ledger, isolation_level=None)
            base.execute(sql)
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            base.close()
            self.ends(self.cohort("trust", "--yes", project), 1)
        ledger.write_bytes(good)
        base = sqlite3.connect(ledger, isolation_level=None)
        base.execute("UPDATE run SET model = 'haiku'")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.close()
        self.assertIn("claude-sonnet-5-5 (haiku)", self.cohort("trust", project).out, "what is asked is shown")

    def test_a_copied_project_can_take_over_what_was_paid(self):
        project = self.project(3)
        self.ends(self.run_it(project, "--force"), 0)
        paid = len(self.bill.lines())
        copy = self.room / "copy"
        shutil.copytree(project, copy)
        self.assertNotEqual(self.run_it(copy).code, 0)
        self.ends(self.cohort("trust", "--yes", copy), 0)
        self.ends(self.run_it(copy), 0)
        self.ends(self.run_it(project), 0)
        self.assertEqual(len(self.bill.lines()), paid)


class OwnCopy(ForeignBase):
    def test_a_checkout_takes_nothing_away(self):
        def git(*arguments):
            subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments], cwd=project, check=True,
                           capture_output=True)
        project = self.project(3)
        git("init", "-q", "-b", "main", ".")
        git("add", "-A")
        git("commit", "-qm", "base")
        git("checkout", "-q", "-b", "pr")
        self.as_another_user("generate-logical-batch", project, "--provider", "simulator", "--force")
        git("add", "-A", "-f")
        git("commit", "-qm", "comes with state")
        git("checkout", "-q", "main")
        shutil.rmtree(project / STATE, ignore_errors=True)
        self.ends(self.run_it(project, "--force"), 0)
        paid = len(self.bill.lines())
        shutil.rmtree(project / STATE / "tests")
        git("checkout", "-q", "pr")
        foreign = self.run_it(project)
        self.ends(foreign, 2)
        self.assertIn("verify --restore", foreign.err)
        git("checkout", "-q", "main")
        stats = self.batch(project, "--stats")
        self.ends(stats, 0)
        self.assertIn("3 of 3", stats.out)
        again = self.run_it(project)
        self.ends(again, 0)
        self.assertIn("put back", again.err)
        self.assertEqual(len(self.bill.lines()), paid, "nothing is bought twice")
        self.assertEqual(len(list((project / STATE / "tests").rglob("test_*.py"))), 3)

    def test_a_foreign_ledger_in_the_place_of_an_own_one_gives_way_on_request(self):
        other = self.finished_by_another_user()
        project = self.project(3, "mine")
        self.ends(self.run_it(project, "--force"), 0)
        shutil.copy(other / STATE / "ledger.db", project / STATE / "ledger.db")
        self.ends(self.run_it(project), 2)
        self.ends(self.cohort("verify", "--restore", project), 0)
        self.ends(self.run_it(project), 0)
        self.assertEqual(len(self.bill.lines()), 3)

    def test_an_older_ledger_of_ones_own_does_not_come_back(self):
        project = self.project(3)
        self.ends(self.run_it(project, "--force"), 0)
        old = (project / STATE / "ledger.db").read_bytes()
        self.ends(self.batch(project, "--clean"), 0)
        self.ends(self.run_it(project, "--force"), 0)
        (project / "unit_new.py").write_bytes((project / "unit_000.py").read_bytes().replace(b"unit_000", b"unit_new"))
        self.ends(self.run_it(project, "--force"), 0)
        paid = len(self.bill.lines())
        (project / STATE / "ledger.db").write_bytes(old)
        again = self.run_it(project, "--force")
        self.ends(again, 0)
        self.assertIn("used last", again.err)
        self.assertEqual(len(self.bill.lines()), paid)

    def test_a_home_that_is_reached_by_a_link_keeps_the_copy_as_well(self):
        project = self.project(2)
        (self.room / "real").mkdir()
        (self.room / "link").symlink_to(self.room / "real")
        self.user_state = self.room / "link"
        self.ends(self.run_it(project, "--force"), 0)
        shutil.rmtree(project / STATE)
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual(len(self.bill.lines()), 2)

    def test_after_a_deletion_the_copy_counts_until_clean(self):
        project = self.project(3)
        self.ends(self.run_it(project, "--force"), 0)
        shutil.rmtree(project / STATE)
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual(len(self.bill.lines()), 3)
        self.ends(self.batch(project, "--clean"), 0)
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual(len(self.bill.lines()), 6)

    def test_a_new_project_at_the_same_place_starts_afresh(self):
        project = self.project(3)
        self.ends(self.run_it(project, "--force"), 0)
        shutil.rmtree(project)
        self.project(3)
        self.ends(self.run_it(project, "--force"), 0)
        self.assertEqual(len(self.bill.lines()), 6)

    def test_files_with_sources_prompts_and_answers_are_their_users_alone(self):
        project = self.project(2)
        done = subprocess.run(["bash", "-c", 'umask 000; exec "$@"', "x", PROGRAM, "generate-logical-batch", project,
                               "--provider", "simulator", "--force"], env=self.env(), capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        open_ones = []
        for folder, _, files in os.walk(project / STATE):
            inside = pathlib.Path(folder).relative_to(project / STATE)
            if inside.parts[:1] in (("tests",), ()):
                files = [f for f in files if f.startswith("ledger")]
            open_ones += [inside / f for f in files if (pathlib.Path(folder) / f).stat().st_mode & 0o077
                          and (pathlib.Path(folder)).stat().st_mode & 0o077]
        self.assertEqual(open_ones, [])
        for found in (self.room / ".local").rglob("*"):
            if "state" in found.parts and "cohort" in found.parts:
                self.assertEqual(found.stat().st_mode & 0o077, 0, found)
