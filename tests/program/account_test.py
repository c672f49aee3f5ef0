"""Errors of the whole account stop the run at the cost of what was in flight; errors of one task stop nobody else."""

from program import Book, Case

ERRORS = ["authentication", "billing", "permission", "credit_too_low", "spend_limit", "enforced_spend_limit",
          "contract_spend_limit"]


class Account(Case):
    def test_each_error_stops_within_what_was_in_flight_and_the_same_command_continues(self):
        for number, error in enumerate(ERRORS):
            with self.subTest(error=error):
                self.stops_and_goes_on(error, self.bookshop(f"shop-{number}"))

    def stops_and_goes_on(self, error, shop):
        at, workers = 14, 8
        bad = self.simulator(f"account.error={error}", f"account.from_request={at}", "latency.median_ms=40")
        how = ["-c", str(workers), "-b", "5", "--parallel-batches", "3"]
        ended = self.batch(shop, *how, server=bad)
        self.ends(ended, 1)
        billed = bad.bill.lines()
        self.assertLessEqual(bad.requests(), at - 1 + workers, "more requests than were in flight")
        with Book(shop) as book:
            states = dict(book.all("SELECT state, count(*) FROM task GROUP BY state"))
            self.assertEqual(set(states) - {0, 2}, set(), f"neither waiting nor delivered: {states}")
            self.assertEqual(states[2], len(billed))
            self.assertEqual(book.charged(), bad.bill.nanos(), "an error of the account is not billed")
        good = self.simulator()
        self.ends(self.batch(shop, server=good), 0)
        again = {line["prompt_sha256"] for line in good.bill.lines()}
        self.assertEqual(again & {line["prompt_sha256"] for line in billed}, set(), "paid twice")
        self.assertEqual(len(again) + len(billed), 39)


class Poison(Case):
    def test_a_task_is_bounded_in_attempts_and_dollars_and_stops_nobody(self):
        # A second attempt is as likely to fail as the first, in every way that costs money.
        for seed in (1, 2, 3):
            with self.subTest(seed=seed):
                shop = self.bookshop(f"shop-{seed}")
                server = self.simulator("faults.reset_after_billing=0.3", "faults.truncated=0.2", "answers.broken_code=0.3",
                                        "answers.empty=0.2", "answers.max_tokens=0.2", f"seed={seed}")
                self.ends(self.batch(shop, "-c", "16", server=server), 3)
                with Book(shop) as book:
                    self.assertEqual(book.one("SELECT count(*) FROM task WHERE state NOT IN (2, 3)"), 0)
                    self.assertGreater(book.one("SELECT count(*) FROM task WHERE state = 2"), 8)
                    attempts = book.one("SELECT max(number) FROM attempt")
                    self.assertGreaterEqual(attempts, 3, "the faults were too mild to show anything")
                    self.assertLessEqual(attempts, 5)
                    # Three attempts whose outcome is unknown, two paid ones that were not usable, of which a cut-off
                    # one doubles the next one's room.
                    worst = book.one("SELECT max(total) FROM (SELECT sum(CASE outcome WHEN 1 THEN cost WHEN 2 THEN 0 ELSE "
                                     "reserved END) * 1.0 / (SELECT worst FROM task WHERE key = attempt.task) AS total "
                                     "FROM attempt GROUP BY task)")
                    self.assertLessEqual(worst, 10)
                    self.assertGreaterEqual(book.charged(), server.bill.nanos())

    def test_with_a_budget_the_poison_stays_below_it(self):
        shop = self.bookshop()
        server = self.simulator("faults.hang_billed=1", "latency.median_ms=1")
        ended = self.batch(shop, "-c", "8", "--timeout", "1", "--budget", "3", server=server)
        self.assertIn(ended.code, (3, 4))
        self.assertLessEqual(server.bill.nanos(), 3_000_000_000)
        with Book(shop) as book:
            self.assertLessEqual(book.charged(), 3_000_000_000)
            self.assertGreaterEqual(book.charged(), server.bill.nanos())
