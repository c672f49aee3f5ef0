"""The first command of the README, on the example project: what it makes, what it costs, what it leaves alone."""

import subprocess
import sys

from program import NODE, STATE, Bill, Book, Case, tree


class BookshopBase(Case):
    def setUp(self):
        super().setUp()
        self.shop = self.bookshop()
        self.bill = Bill(self.room / "bill")

    def generate(self, *arguments):
        return self.batch(self.shop, "--provider", "simulator", "--bill", self.bill.path, *arguments)


class OneRun(BookshopBase):
    def setUp(self):
        super().setUp()
        self.before = tree(self.shop)
        self.ended = self.generate()
        self.ends(self.ended, 0)

    def test_spends_what_the_bill_says_to_the_nano_dollar(self):
        lines = self.bill.lines()
        self.assertGreaterEqual(len(lines), 25)
        with Book(self.shop) as book:
            self.assertEqual(book.confirmed(), self.bill.nanos())
            self.assertEqual(book.charged(), self.bill.nanos())
            by_request = dict(book.all("SELECT request_id, cost FROM attempt"))
        self.assertEqual(by_request, {line["request_id"]: line["cost_nano_dollars"] for line in lines})
        self.assertEqual(round(self.view(self.shop)["actualCostSoFar"] * 1e9), self.bill.nanos())

    def test_changes_nothing_outside_its_own_folder(self):
        self.assertEqual(tree(self.shop, without=[STATE]), self.before)

    def test_leaves_no_lock_and_no_temporary_file(self):
        self.unlocked(self.shop)
        left = {path.name for path in (self.shop / STATE).iterdir()}
        self.assertLessEqual(left, {".gitignore", "batch-state.json", "cache", "ledger.db", "ledger.db-wal",
                                    "ledger.db-shm", "logs", "tests"})
        odd = [p for p in (self.shop / STATE / "tests").rglob("*") if p.is_file() and
               p.suffix not in {".py", ".ts", ".tsx", ".mjs", ".cjs", ".js"}]
        self.assertEqual(odd, [])

    def test_writes_the_specified_state_in_the_specified_order(self):
        state = self.view(self.shop)
        self.assertEqual(list(state), ["batchId", "projectPath", "totalTasks", "completedBatches", "totalBatches",
                                       "completedTasks", "failedTasks", "totalEstimatedCost", "actualCostSoFar",
                                       "startTime", "lastUpdate", "nextBatchIndex", "config", "schemaVersion", "status", "signature"])
        self.assertEqual(list(state["config"]), ["batchSize", "model", "maxConcurrent", "timeout", "minComplexity"])
        self.assertRegex(state["batchId"], r"^batch-\d{13}$")
        self.assertEqual(state["projectPath"], str(self.shop.resolve()))
        for field in ("totalTasks", "completedBatches", "totalBatches", "completedTasks", "failedTasks",
                      "nextBatchIndex", "schemaVersion"):
            self.assertIs(type(state[field]), int, field)
        for field in ("totalEstimatedCost", "actualCostSoFar"):
            self.assertIs(type(state[field]), float, field)
        for field in ("startTime", "lastUpdate"):
            self.assertRegex(state[field], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(dict(state["config"]), {"batchSize": 10, "model": "sonnet", "maxConcurrent": 3,
                                                 "timeout": 900000, "minComplexity": 5})
        tasks = len(self.bill.lines())
        self.assertEqual((state["totalTasks"], state["completedTasks"], state["failedTasks"]), (tasks, tasks, 0))
        batches = -(-tasks // 10)
        self.assertEqual((state["totalBatches"], state["completedBatches"], state["nextBatchIndex"]), (batches,) * 3)
        self.assertEqual((state["schemaVersion"], state["status"]), (1, "finished"))

    def test_generated_python_tests_are_collected_and_pass(self):
        done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                               str(self.shop / STATE / "tests")], capture_output=True, text=True, cwd=self.shop)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])
        written = list((self.shop / STATE / "tests").rglob("test_*.py"))
        self.assertGreaterEqual(len(written), 15)
        self.assertNotIn("skipped", done.stdout.splitlines()[-1])

    def test_what_node_cannot_load_is_left_out_with_a_reason(self):
        self.assertIn("storefront/src/components/BookCard.jsx: Node does not load JSX", self.ended.err)
        self.assertEqual(list((self.shop / STATE / "tests").rglob("BookCard*")), [])

    def test_generated_node_tests_pass(self):
        written = sorted(p for p in (self.shop / STATE / "tests" / "storefront").rglob("*.test.?js"))
        self.assertGreaterEqual(len(written), 6)
        done = subprocess.run([NODE, "--test", *map(str, written)], capture_output=True, text=True, cwd=self.shop)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-2000:])


class RunningAgain(BookshopBase):
    def test_the_same_command_asks_for_nothing_again(self):
        self.ends(self.generate(), 0)
        asked, files = len(self.bill.lines()), tree(self.shop / STATE / "tests", times=True)
        self.ends(self.generate(), 0)
        self.assertEqual(len(self.bill.lines()), asked)
        self.assertEqual(tree(self.shop / STATE / "tests", times=True), files)

    def test_one_changed_source_is_the_only_one_asked_again(self):
        self.ends(self.generate(), 0)
        asked = len(self.bill.lines())
        with open(self.shop / "backend/bookshop/shipping/rates.py", "a") as source:
            source.write("\n\ndef surcharge_for(zone):\n    if zone in (3, 4):\n        return 7\n    return 0\n")
        self.ends(self.generate("--force"), 0)
        again = self.bill.lines()[asked:]
        self.assertEqual(len(again), 1)
        with Book(self.shop) as book:
            self.assertEqual(book.all("SELECT s.source FROM task t JOIN spec s ON s.task = t.key WHERE t.run = 2"),
                             [(b"backend/bookshop/shipping/rates.py",)])
            self.assertEqual(book.confirmed(), self.bill.nanos())
        self.assertIn("surcharge_for", (self.shop / STATE / "tests/backend/bookshop/shipping/test_rates.py").read_text())

    def test_failed_tasks_are_tried_again_and_only_those(self):
        self.ends(self.generate("--set", "answers.refusal=0.3", "--set", "seed=5"), 3)
        failed = self.view(self.shop)["failedTasks"]
        self.assertGreater(failed, 0)
        asked = len(self.bill.lines())
        self.ends(self.generate("--force"), 0)
        self.assertEqual(len(self.bill.lines()) - asked, failed)
