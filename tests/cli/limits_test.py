"""The limit is hard: by the provider's own bill, whatever it bills and whatever goes wrong on the way."""

import re

from program import Bill, Book, Case


class HardLimits(Case):
    WORST = ["--set", "lies.bill_max_tokens=true", "--set", "lies.dearest_cache_writes=true"]
    LOSSES = ["--set", "faults.reset_after_billing=0.2"]

    def test_no_bill_passes_the_budget_at_any_concurrency(self):
        for number, (concurrent, budget, faults) in enumerate([
                (1, "0.60", []), (4, "1.10", self.LOSSES), (32, "1.00", []), (32, "2.345678901", self.LOSSES),
                (16, "0.45", self.LOSSES), (8, "3", self.LOSSES)]):
            with self.subTest(concurrent=concurrent, budget=budget, faults=faults):
                shop, bill = self.bookshop(f"shop-{number}"), Bill(self.room / f"bill-{number}")
                how = ["--provider", "simulator", "--bill", bill.path, "-c", str(concurrent), "--budget", budget,
                       "--set", f"seed={number + 1}", *self.WORST, *faults]
                for _ in range(2):  # The second start must not get the money again.
                    self.assertIn(self.batch(shop, *how).code, (4,))
                    self.assertLessEqual(bill.nanos(), round(float(budget) * 1e9))
                self.assertGreater(bill.nanos(), 0)
                with Book(shop) as book:
                    self.assertGreaterEqual(book.charged(), bill.nanos())
                    self.assertLessEqual(book.charged(), round(float(budget) * 1e9))

    def test_no_bill_passes_the_budget_over_kills(self):
        server = self.simulator("lies.bill_max_tokens=true", "lies.dearest_cache_writes=true", "latency.median_ms=30")
        shop = self.bookshop()
        for _ in range(6):
            run = self.start("generate-logical-batch", shop, "-c", "6", "--budget", "2", server=server)
            try:
                run.wait(timeout=0.15)
            except Exception as problem:
                self.assertEqual(type(problem).__name__, "TimeoutExpired")
            run.kill()
            run.wait()
            self.assertLessEqual(server.bill.nanos(), 2_000_000_000)
        self.ends(self.batch(shop, "-c", "6", "--budget", "2", server=server), 4)
        self.assertLessEqual(server.bill.nanos(), 2_000_000_000)
        self.assertGreater(server.bill.nanos(), 0)

    def test_a_budget_below_one_task_names_the_least_that_works(self):
        shop = self.bookshop()
        bill = Bill(self.room / "bill")
        how = ["--provider", "simulator", "--bill", bill.path, "-c", "1"]
        for option in ("--budget", "--cost-limit"):
            ended = self.batch(shop, *how, option, "0.001")
            self.ends(ended, 2)
            self.assertEqual(bill.lines(), [])
            least = re.search(r"least that works is \$([0-9.]+[0-9])", ended.err)
            self.assertTrue(least, ended.err)
            again = self.batch(shop, *how, option, least.group(1))
            self.ends(again, 4)
            self.assertGreaterEqual(len(bill.lines()), 1, "the least that works did not work: " + ended.err)
            bill.path.unlink()
            self.ends(self.batch(shop, "--clean"), 0)

    def test_on_limit_next_goes_on_with_the_next_batch(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        ended = self.batch(shop, "--provider", "simulator", "--bill", bill.path, "--cost-limit", "0.25", "--on-limit", "next")
        self.ends(ended, 4)
        with Book(shop) as book:
            each = book.all("SELECT t.batch, sum(a.cost), count(*) FROM attempt a JOIN task t ON t.key = a.task GROUP BY 1")
        self.assertEqual(len(each), 4, "every batch has its turn")
        for _, spent, _ in each:
            self.assertLessEqual(spent, 250_000_000)

    def test_on_limit_stop_does_not_begin_the_next_batch(self):
        shop = self.bookshop()
        ended = self.batch(shop, "--provider", "simulator", "--cost-limit", "0.25", "--on-limit", "stop",
                           "--parallel-batches", "1", "--set", "lies.bill_max_tokens=true")
        self.ends(ended, 4)
        with Book(shop) as book:
            self.assertEqual(book.all("SELECT DISTINCT t.batch FROM attempt a JOIN task t ON t.key = a.task"), [(0,)])

    def test_on_limit_warn_finishes_and_warns(self):
        shop = self.bookshop()
        ended = self.batch(shop, "--provider", "simulator", "--cost-limit", "0.05", "--on-limit", "warn")
        self.ends(ended, 0)
        self.assertIn("warning", ended.err)
        self.assertEqual(self.view(shop)["config"]["costLimit"], 0.05)
        self.assertEqual(self.view(shop)["completedTasks"], 39)
