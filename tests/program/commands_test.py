"""The commands and options as a user meets them."""

import json
import re
import subprocess
import sys

from program import STATE, Bill, Book, Case, module_text, tree

SIMULATED = ("--provider", "simulator")


class Batching(Case):
    def test_a_small_project_is_told_so_and_nothing_is_asked(self):
        project, bill = self.project(6), Bill(self.room / "bill")
        ended = self.batch(project, *SIMULATED, "--bill", bill.path)
        self.ends(ended, 0)
        self.assertIn("generate-logical", ended.err)
        self.assertEqual(bill.lines(), [])
        self.assertFalse((project / STATE / "tests").exists())
        self.ends(self.batch(project, *SIMULATED, "--bill", bill.path, "--force"), 0)
        self.assertEqual(len(bill.lines()), 6)

    def test_a_medium_project_is_warned_and_runs(self):
        project = self.project(13)
        ended = self.batch(project, *SIMULATED)
        self.ends(ended, 0)
        self.assertRegex(ended.err, "(?i)minimal|little")
        self.assertEqual(self.view(project)["completedTasks"], 13)

    def test_a_large_project_is_recommended_batches(self):
        ended = self.batch(self.project(20), *SIMULATED)
        self.ends(ended, 0)
        self.assertIn("recommended", ended.err)

    def test_a_project_without_gaps_has_nothing_to_do(self):
        project = self.room / "empty"
        project.mkdir()
        self.ends(self.batch(project, *SIMULATED), 0)
        (project / "constants.py").write_text("LIMIT = 3\n")
        self.ends(self.batch(project, *SIMULATED), 0)

    def test_max_batches_stops_after_so_many(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "--max-batches", "1"), 0)
        state = self.view(shop)
        self.assertEqual((state["completedBatches"], state["nextBatchIndex"], state["completedTasks"]), (1, 1, 10))
        self.ends(self.batch(shop, *SIMULATED, "--max-batches", "2"), 0)
        self.assertEqual(self.view(shop)["completedBatches"], 3)

    def test_automatic_batch_sizes(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "--batch-size", "auto"), 0)
        self.assertEqual(self.view(shop)["completedTasks"], 39)
        self.assertGreaterEqual(self.view(shop)["totalBatches"], 4)
        with Book(shop) as book:
            self.assertLessEqual(max(row[0] for row in book.all("SELECT count(*) FROM task GROUP BY batch")), 50)

    def test_a_template_sets_what_the_command_line_does_not(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "--template", "trial", "-c", "6", "--max-batches", "1"), 0)
        self.assertEqual(dict(self.view(shop)["config"]), {"batchSize": 5, "model": "sonnet", "maxConcurrent": 6,
                                                           "timeout": 900000, "minComplexity": 5, "costLimit": 1.0})

    def test_the_state_gives_what_the_command_line_does_not(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "-b", "5", "-c", "2", "-m", "haiku", "--max-batches", "1"), 0)
        self.ends(self.batch(shop, *SIMULATED, "--timeout", "60"), 0)
        self.assertEqual(dict(self.view(shop)["config"]), {"batchSize": 5, "model": "haiku", "maxConcurrent": 2,
                                                           "timeout": 60000, "minComplexity": 5})
        with Book(shop) as book:
            self.assertEqual(book.one("SELECT count(*) FROM run"), 1)

    def test_strict_order_keeps_one_batch_at_a_time(self):
        shop = self.bookshop()
        ended = self.batch(shop, *SIMULATED, "--parallel-batches", "1", "-c", "8", "--json")
        self.ends(ended, 0)
        open_batches = 0
        for line in ended.out.splitlines():
            kind = json.loads(line)["event"]
            open_batches += (kind == "batch_started") - (kind == "batch_ended")
            self.assertLessEqual(open_batches, 1)


class State(Case):
    def test_resume_without_a_state_is_refused(self):
        shop = self.bookshop()
        ended = self.batch(shop, *SIMULATED, "--resume")
        self.ends(ended, 2)
        self.assertIn("--resume", ended.err)
        self.assertFalse((shop / STATE).exists())

    def test_resume_continues(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        self.ends(self.batch(shop, *SIMULATED, "--bill", bill.path, "--max-batches", "2"), 0)
        self.ends(self.batch(shop, *SIMULATED, "--bill", bill.path, "--resume"), 0)
        self.assertEqual(len(bill.lines()), 39)
        self.assertEqual(len(set(bill.prompts())), 39)

    def test_clean_puts_the_state_into_an_archive(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "--max-batches", "1"), 0)
        tests = tree(shop / STATE / "tests")
        self.ends(self.batch(shop, "--clean"), 0)
        self.assertFalse((shop / STATE / "ledger.db").exists())
        self.assertFalse((shop / STATE / "batch-state.json").exists())
        kept = list((shop / STATE / "archive").rglob("ledger.db"))
        self.assertEqual(len(kept), 1)
        self.assertEqual(tree(shop / STATE / "tests"), tests)
        self.unlocked(shop)
        self.ends(self.batch(shop, "--stats"), 2)
        self.ends(self.batch(shop, *SIMULATED), 0)
        self.assertEqual(self.view(shop)["completedTasks"], 39)

    def test_a_foreign_state_without_a_ledger_is_imported(self):
        """A batch-state.json without a ledger, as the TypeScript original leaves it, is imported once it is trusted."""
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        (shop / STATE).mkdir()
        foreign = {"batchId": "batch-1735689600000", "projectPath": str(shop), "totalTasks": 45, "completedBatches": 3,
                   "totalBatches": 5, "completedTasks": 30, "failedTasks": 2, "totalEstimatedCost": 12.5,
                   "actualCostSoFar": 7.85, "startTime": "2025-06-30T12:00:00.000Z",
                   "lastUpdate": "2025-06-30T12:45:00.000Z", "nextBatchIndex": 3,
                   "config": {"batchSize": 7, "model": "haiku", "maxConcurrent": 2, "timeout": 600000,
                              "minComplexity": 5, "costLimit": 2.0}}
        (shop / STATE / "batch-state.json").write_text(json.dumps(foreign))
        self.ends(self.batch(shop, *SIMULATED, "--bill", bill.path), 2)
        self.assertEqual(bill.lines(), [])
        self.ends(self.cohort("trust", "--yes", shop), 0)
        self.ends(self.batch(shop, *SIMULATED, "--bill", bill.path), 0)
        self.assertEqual(dict(self.view(shop)["config"]), foreign["config"])
        self.assertIn("haiku", bill.lines()[0]["model"])

    def test_a_damaged_foreign_state_is_not_overwritten(self):
        shop = self.bookshop()
        (shop / STATE).mkdir()
        (shop / STATE / "batch-state.json").write_text('{"batchId": "batch-1", "totalTasks": 4')
        ended = self.batch(shop, *SIMULATED)
        if ended.code == 0:  # Then what was there must still be somewhere.
            kept = [p for p in (shop / STATE).rglob("*") if p.is_file() and p.read_bytes().startswith(b'{"batchId": "batch-1", "total')]
            self.assertEqual(len(kept), 1, "an unreadable state was overwritten without a word")
        else:
            self.assertIn("batch-state.json", ended.err)

    def test_a_damaged_ledger_is_refused_and_left_alone(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED), 0)
        (shop / STATE / "ledger.db").write_bytes(b"not a database at all" * 500)
        before = (shop / STATE / "ledger.db").read_bytes()
        ended = self.batch(shop, *SIMULATED)
        self.ends(ended, 1)
        self.assertIn("ledger.db", ended.err)
        self.assertIn("--clean", ended.err)
        self.assertEqual((shop / STATE / "ledger.db").read_bytes(), before)


    def test_a_stored_effort_can_be_taken_back(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "--effort", "low", "--max-batches", "1"), 0)
        self.ends(self.batch(shop, *SIMULATED, "--effort", "none"), 0)
        with Book(shop) as book:
            self.assertEqual(book.all("SELECT effort FROM run ORDER BY id"), [("low",), ("",)])


class InOneGo(Case):
    def test_generate_logical_speaks_of_batches_only_with_batch_mode(self):
        of_batches = r"\bbatch(es)?\b(?!-\d)"  # The run's name aside.
        one_go, batches = self.project(60, "one_go"), self.project(12, "batches")
        for arguments in (["--dry-run"], [*SIMULATED], ["--stats"]):
            said = self.cohort("generate-logical", one_go, "--min-complexity", "1", *arguments)
            self.ends(said, 0)
            self.assertNotRegex(said.out + said.err, of_batches)
        self.assertIn("60 tasks to do\n", self.cohort("generate-logical", self.project(60, "again"), *SIMULATED).err)
        for arguments in (["--dry-run"], [*SIMULATED]):
            said = self.cohort("generate-logical", batches, "--batch-mode", *arguments)
            self.ends(said, 0)
            self.assertRegex(said.out + said.err, of_batches)
        self.assertIn("batch 1/2 started: 10 tasks to do", said.err)

    def test_generate_logical_does_everything(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        ended = self.cohort("generate-logical", shop, *SIMULATED, "--bill", bill.path)
        self.ends(ended, 0)
        self.assertEqual(len(bill.lines()), 39)
        self.ends(self.cohort("generate-logical", shop, *SIMULATED, "--bill", bill.path), 0)
        self.assertEqual(len(bill.lines()), 39)

    def test_generate_logical_takes_a_small_project(self):
        project = self.project(3)
        self.ends(self.cohort("generate-logical", project, *SIMULATED), 0)
        self.assertEqual(len(list((project / STATE / "tests").rglob("test_*.py"))), 3)

    def test_generate_logical_in_batch_mode(self):
        shop = self.bookshop()
        self.ends(self.cohort("generate-logical", shop, *SIMULATED, "--batch-mode", "--batch-size", "8"), 0)
        self.assertEqual((self.view(shop)["totalBatches"], self.view(shop)["config"]["batchSize"]), (5, 8))


class Reports(Case):
    def test_gaps_in_three_formats_and_back(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        for form, mark in (("json", "{"), ("markdown", "#"), ("text", "")):
            ended = self.cohort("analyze-gaps", shop, "-f", form)
            self.ends(ended, 0)
            self.assertTrue(ended.out.startswith(mark) and "rates.py" in ended.out, form)
        report = self.room / "gaps.json"
        self.ends(self.cohort("analyze-gaps", shop, "-f", "json", "-o", report, "--include", "backend/**"), 0)
        json.loads(report.read_text())
        self.assertFalse((shop / STATE).exists())
        self.ends(self.batch(shop, *SIMULATED, "--bill", bill.path, "-g", report), 0)
        with Book(shop) as book:
            sources = [row[0].decode() for row in book.all("SELECT source FROM spec")]
        self.assertEqual(len(sources), len(bill.lines()))
        self.assertGreater(len(sources), 10)
        self.assertEqual([s for s in sources if not s.startswith("backend/")], [])

    def test_a_report_for_each_batch(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        self.ends(self.batch(shop, *SIMULATED, "--bill", bill.path, "-o", self.room / "new" / "reports"), 0)
        files = sorted((self.room / "new" / "reports").iterdir())
        self.assertEqual([f.name for f in files], [f"batch-{i:03}.json" for i in range(1, 5)])
        reports = [json.loads(f.read_text()) for f in files]
        self.assertEqual(sum(len(r["results"]) for r in reports), 39)
        self.assertEqual(round(sum(r["cost"]["confirmed"] for r in reports) * 1e9), bill.nanos())
        self.assertEqual({a["requestId"] for r in reports for t in r["results"] for a in t["attempts"]},
                         {line["request_id"] for line in bill.lines()})

    def test_tests_go_where_the_user_wants_them(self):
        shop = self.bookshop()
        before = tree(shop)
        self.ends(self.batch(shop, *SIMULATED, "--tests-dir", "generated"), 0)
        self.assertFalse((shop / STATE / "tests").exists())
        self.assertEqual(tree(shop, without=[STATE, "generated"]), before)
        done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(shop / "generated")],
                              capture_output=True, text=True, cwd=shop)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        again = self.batch(shop, *SIMULATED)
        self.assertIn(again.code, (0,), again)

    def test_tests_that_cannot_be_written_are_not_paid_for(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        (shop / "a file").write_text("no folder")
        before = tree(shop, times=True)
        for place in ("/proc/tests", "a file", "a file/below"):
            ended = self.batch(shop, *SIMULATED, "--bill", bill.path, "--tests-dir", place)
            self.ends(ended, 2)
            self.assertIn(place.removesuffix("/below"), ended.err)
            self.assertIn("--tests-dir", ended.err)
        self.assertEqual(tree(shop, times=True), before, "something was written")
        self.assertEqual(bill.lines(), [])

    def test_answers_that_cannot_be_written_wait_and_each_message_says_how_to_get_them(self):
        shop, bill, tests = self.bookshop(), Bill(self.room / "bill"), self.room / "tests"
        how = [*SIMULATED, "--bill", bill.path]
        tests.mkdir()
        (tests / "backend").write_text("a file in the way")
        self.ends(self.batch(shop, *how, "--tests-dir", tests), 1)
        with Book(shop) as book:
            self.assertGreater(book.one("SELECT count(*) FROM task WHERE state = 1"), 0)
        tests.rename(self.room / "away")
        tests.symlink_to("/proc")
        stuck = self.batch(shop, *how)
        self.ends(stuck, 1)
        self.assertIn("Make it writable: answers that are paid for wait", stuck.err)
        other = self.batch(shop, *how, "--tests-dir", "elsewhere")
        self.ends(other, 2)
        self.assertIn(f"writes them into '{tests}'", other.err)
        tests.unlink()
        (self.room / "away").rename(tests)
        (tests / "backend").unlink()
        self.ends(self.batch(shop, *how), 0)
        self.assertEqual(len(bill.lines()), 39, "an answer was paid for twice")


class Paths(Case):
    NAMES = ["with space.py", "ünï_cödé.py", "quote'\".py", "日本.py", "-dash.py", "$(touch x).py"]
    UNIMPORTABLE = ["new\nline.py", "tab\there.py"]  # No import can name them: skipped, with a reason that is shown.

    def test_odd_names_of_project_and_files(self):
        for number, name in enumerate(["a project", "prøjekt", "new\nline", "-dash", "日本 $(id)"]):
            with self.subTest(project=name):
                project = self.project(3, name)
                for i, file in enumerate(self.NAMES + self.UNIMPORTABLE):
                    (project / file).write_text(module_text(f"odd_{i}"))
                bill = Bill(self.room / f"bill-{number}")
                ended = self.batch(project, *SIMULATED, "--bill", bill.path, "--force", "-v")
                self.ends(ended, 0)
                self.assertEqual(len(bill.lines()), 3 + len(self.NAMES))
                for file in ("new\\nline.py", "tab\\there.py"):
                    self.assertRegex(ended.err, re.escape(file) + ".*cannot be imported")
                self.assertEqual(self.view(project)["projectPath"], str(project.resolve()))
                self.assertFalse((project / "x").exists())
                written = [p for p in (project / STATE / "tests").rglob("*.py")]
                self.assertEqual(len(written), 3 + len(self.NAMES))
                self.ends(self.batch(project, *SIMULATED, "--bill", bill.path, "--force"), 0)
                self.assertEqual(len(bill.lines()), 3 + len(self.NAMES))

    def test_a_name_that_is_no_utf8(self):
        project = self.project(2)
        with open(bytes(project) + b"/caf\xe9.py", "w") as source:
            source.write(module_text("latin"))
        self.ends(self.batch(project, *SIMULATED, "--force"), 0)
        json.loads(self.batch(project, "--stats", "--json").out)
        json.loads((project / STATE / "batch-state.json").read_text())
