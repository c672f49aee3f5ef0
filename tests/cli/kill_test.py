"""kill -9 at random moments: no paid answer is lost, and the end is that of an uninterrupted run."""

import random
import time

from program import STATE, Book, Case, tree

CONCURRENT = 4
LATENCY = ("latency.median_ms=15", "latency.sigma=0.4")


class KillBase(Case):
    def setUp(self):
        super().setUp()
        self.plain = self.bookshop("uninterrupted/shop")
        # Nothing but the path of the project may differ, and prompts do not hold it.
        server = self.simulator("latency.median_ms=1")
        self.ends(self.batch(self.plain, server=server), 0)
        self.tests = tree(self.plain / STATE / "tests")
        with Book(self.plain) as book:
            self.delivered = book.delivered()

    def killed_again_and_again(self, seed, server):
        dice = random.Random(seed)
        shop = self.bookshop(f"seed-{seed}/shop")
        first = len(server.bill.lines())
        kills = 0
        while True:
            begun = len(server.bill.lines())
            run = self.start("generate-logical-batch", shop, "-c", str(CONCURRENT), "-b", "7", server=server)
            try:
                run.wait(timeout=dice.uniform(0.0, 0.35) if kills < 4 else 60)
                self.ends(self.finish(run), 0)
                break
            except Exception as problem:
                if type(problem).__name__ != "TimeoutExpired":
                    raise
            run.kill()
            run.wait()
            kills += 1
            self.after_a_kill(shop, server, begun, f"seed {seed}, kill {kills}")
        self.at_the_end(shop, server, first, kills, f"seed {seed} with {kills} kills")
        return kills

    def after_a_kill(self, shop, server, begun, where):
        """What was billed is stored or was in flight; and what was stored before was not asked again."""
        if not (shop / STATE / "ledger.db").exists():
            self.assertEqual(len(server.bill.lines()), begun, where)
            return
        with Book(shop) as book:
            stored = book.answered_prompts()
        asked = server.bill.prompts()[begun:]
        self.assertEqual(set(asked) & self.stored_before.get(shop, set()), set(), where)
        self.assertLessEqual(len([p for p in asked if p not in stored]), CONCURRENT, where)
        self.stored_before[shop] = stored

    def at_the_end(self, shop, server, first, kills, where):
        self.assertEqual(tree(shop / STATE / "tests"), self.tests, where)
        lines = server.bill.lines()[first:]
        with Book(shop) as book:
            self.assertEqual(book.delivered(), self.delivered, where)
            self.assertEqual(book.one("PRAGMA integrity_check"), "ok", where)
            self.assertLessEqual(sum(line["cost_nano_dollars"] for line in lines), book.charged(), where)
            answered = dict(book.all("SELECT request_id, cost FROM attempt WHERE outcome = 1"))
        billed = {line["request_id"]: line["cost_nano_dollars"] for line in lines}
        self.assertEqual({r: billed[r] for r in answered}, answered, where)
        self.assertLessEqual(len(lines), len(self.delivered) + kills * CONCURRENT, where)
        state = self.view(shop)
        self.assertEqual((state["status"], state["completedTasks"], state["failedTasks"]),
                         ("finished", len(self.delivered), 0), where)
        self.assertEqual(round(state["actualCostSoFar"] * 1e9), sum(answered.values()), where)
        self.unlocked(shop)

    def kill_with(self, seeds):
        self.stored_before = {}
        server = self.simulator(*LATENCY)
        kills = sum(self.killed_again_and_again(seed, server) for seed in seeds)
        self.assertGreater(kills, len(seeds), "hardly anything was killed: this shows nothing")


class SeedsFrom0(KillBase):
    def test_ten_seeds(self):
        self.kill_with(range(0, 10))


class SeedsFrom10(KillBase):
    def test_ten_seeds(self):
        self.kill_with(range(10, 20))


class DamageByAKill(KillBase):
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
