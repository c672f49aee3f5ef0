"""What a power cut or a kill leaves beside the ledger. Kills themselves: tests/campaigns/kill.py."""

import json
import subprocess
import time

from program import FAULTY, STATE, Book, Case, tree

LATENCY = ("latency.median_ms=15", "latency.sigma=0.4")


class DamageByAKill(Case):
    def setUp(self):
        super().setUp()
        self.plain = self.bookshop("uninterrupted/shop")
        # Nothing but the path of the project may differ, and prompts do not hold it.
        server = self.simulator("latency.median_ms=1")
        self.ends(self.batch(self.plain, server=server), 0)
        self.tests = tree(self.plain / STATE / "tests")

    def test_a_test_file_that_a_power_cut_emptied_is_written_again(self):
        server = self.simulator(*LATENCY)
        shop = self.bookshop("cut/shop")
        run = self.start("generate-logical-batch", shop, "-b", "39", "--force", server=server)
        self.until(lambda: len(list((shop / STATE / "tests").rglob("*.py"))) >= 5, "the fifth file")
        run.kill()
        run.wait()
        for path in (shop / STATE / "tests").rglob("*.py"):
            path.write_bytes(b"")
            break
        asked = server.bill.prompts()
        with Book(shop) as book:
            stored = book.answered_prompts()
        self.ends(self.batch(shop, "-b", "39", "--force", server=server), 0)
        self.assertEqual(tree(shop / STATE / "tests"), self.tests)
        self.assertEqual(set(server.bill.prompts()[len(asked):]) & stored, set())

    def unrecorded_files(self, server):
        """A project whose run was killed after it wrote a test and before the ledger knew of it."""
        for commit in range(1, 30):
            shop = self.bookshop(f"unrecorded-{time.monotonic_ns()}/shop")
            env = dict(self.env(server), COHORT_FAULT=f"commit.applied:{commit}")
            subprocess.run([FAULTY, "generate-logical-batch", shop, "-c", "1"], env=env, capture_output=True, timeout=60)
            files = [path for path in (shop / STATE / "tests").rglob("*") if path.is_file()]
            with Book(shop) as book:
                if len(files) > book.one("SELECT count(*) FROM file"):
                    return shop, files
        self.fail("no kill came between a test and its record")

    def test_a_test_file_is_written_again_also_if_the_ledger_never_heard_of_it(self):
        for left in (b"", b"\0" * 4096):
            server = self.simulator("latency.median_ms=1")
            shop, files = self.unrecorded_files(server)
            for path in files:
                path.write_bytes(left)
            self.ends(self.batch(shop, server=server), 0)
            self.assertEqual(tree(shop / STATE / "tests"), self.tests)

    def test_a_missing_or_torn_view_is_built_again(self):
        server = self.simulator(*LATENCY)
        for damage in (lambda view: view.unlink(), lambda view: view.write_bytes(view.read_bytes()[:100])):
            shop = self.bookshop(f"torn-{time.monotonic_ns()}")
            self.ends(self.batch(shop, "--max-batches", "1", server=server), 0)
            damage(shop / STATE / "batch-state.json")
            asked = len(server.bill.lines())
            self.ends(self.batch(shop, server=server), 0)
            self.assertEqual(len(server.bill.lines()) - asked, 29)
            self.assertEqual(self.view(shop)["completedTasks"], 39)


class RoomAfterAKill(Case):
    def test_an_answer_that_was_cut_off_is_not_asked_for_with_the_same_room_again(self):
        """The doubled room is a fact of the attempt, so that no kill makes the too small one be paid for once more."""
        kills = 0
        for commit in range(1, 12):
            server = self.simulator("latency.median_ms=1", "answers.max_tokens=1")
            project = self.project(1, f"cut-{commit}")
            env = dict(self.env(server), COHORT_FAULT=f"commit.applied:{commit}")
            first = subprocess.run([FAULTY, "generate-logical-batch", project, "--force"], env=env, capture_output=True, timeout=60)
            kills += first.returncode == -9
            self.batch(project, "--force", server=server)
            with Book(project) as book:
                asked = book.all("SELECT task, max_tokens FROM attempt ORDER BY task, number")
                cut = book.all("SELECT task, max_tokens FROM attempt WHERE stop = 1 ORDER BY task, number")
            self.assertEqual(asked, sorted(asked), commit)
            self.assertEqual(len(cut), len(set(cut)), f"paid twice for the same cut-off answer, killed at commit {commit}: {asked}")
            self.assertGreater(len(cut), 1, "nothing was asked again")
        self.assertGreater(kills, 3, "hardly anything was killed")


class StandingAfterAKill(Case):
    """The state says "running" and nobody runs: who reads is told so, and who writes puts it right."""

    def killed(self, *arguments, name="shop"):
        server = self.simulator("latency.median_ms=20")
        shop = self.bookshop(name)
        run = self.start("generate-logical-batch", shop, *arguments, server=server)
        self.until(lambda: len(server.bill.lines()) >= 5, "the fifth request")
        self.assert_stands(shop, "running", active=run.pid)
        run.kill()
        run.wait()
        self.assertEqual(self.view(shop)["status"], "running")
        return shop

    def assert_stands(self, shop, status, killed=False, active=None):
        stats = json.loads(self.batch(shop, "--stats", "--json").out)
        verified = json.loads(self.cohort("verify", shop, "--json").out)
        for run in (stats, verified["run"]):
            self.assertEqual((run["status"], run.get("killed", False)), (status, killed))
        for told in (stats, verified):
            self.assertEqual(told.get("activeRun", {}).get("process"), active)

    def test_whoever_reads_is_told_that_it_was_interrupted(self):
        shop = self.killed()
        before = tree(shop, times=True)
        self.assert_stands(shop, "interrupted", killed=True)
        self.assertIn("interrupted (it ended without saying so)", self.batch(shop, "--stats").out)
        self.assertNotIn("running", self.batch(shop, "--stats").out)
        self.assertIn("was interrupted without a word", self.cohort("doctor", shop, "--provider", "simulator").out)
        self.assertEqual(tree(shop, times=True), before)

    def test_a_command_that_writes_puts_it_right_also_if_it_cannot_go_on(self):
        (self.room / "file").write_text("")
        for number, arguments in enumerate((["generate-logical-batch", "-o", self.room / "file" / "reports"],
                                            ["generate-logical-batch", "-m", "haiku", "--budget", "0.00001"],
                                            ["verify", "--restore"])):
            with self.subTest(arguments=arguments):
                shop = self.killed(name=f"shop-{number}")
                command, *rest = arguments
                simulated = [] if command == "verify" else ["--provider", "simulator"]
                ended = self.cohort(command, shop, *rest, *simulated)
                self.assertIn(ended.code, (0, 1, 2, 4), ended)
                self.assertNotEqual(self.view(shop)["status"], "running", ended)
                self.assert_stands(shop, self.view(shop)["status"])

    def test_the_next_run_says_so_and_finishes(self):
        shop = self.killed()
        ended = self.batch(shop, "--provider", "simulator")
        self.ends(ended, 0)
        self.assertIn("ended without saying so", ended.err)
        self.assert_stands(shop, "finished")

    def test_a_run_that_cannot_start_does_not_say_that_it_is_running(self):
        shop = self.bookshop()
        (self.room / "file").write_text("")
        ended = self.batch(shop, "--provider", "simulator", "-o", self.room / "file" / "reports")
        self.assertNotEqual(ended.code, 0)
        self.assertEqual(self.view(shop)["status"], "interrupted")
        self.assert_stands(shop, "interrupted")
        self.ends(self.batch(shop, "--provider", "simulator"), 0)
