"""`--fallback-model`: while a model is overloaded the next one does its work, at its own price and under its own name."""

import collections
import json

from program import STATE, Bill, Book, Case

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"


class Fallback(Case):
    def answered_by(self, server):
        return collections.Counter(line["model"] for line in server.bill.lines())

    def overloaded(self, model, for_ms=600_000, *more):
        return self.simulator(f"outage.model={model}", f"outage.for_ms={for_ms}", *more)

    def test_the_next_model_does_the_work_and_is_named_everywhere(self):
        server, shop = self.overloaded(OPUS), self.bookshop()
        how = ["-m", "opus", "--fallback-model", "auto", "-c", "8", "-o", self.room / "reports"]
        ended = self.batch(shop, *how, server=server)
        self.ends(ended, 0)
        self.assertIn(f"{OPUS} is failing", ended.err)
        self.assertIn(f"39 by {SONNET}", ended.out)
        self.assertEqual(self.answered_by(server), {SONNET: 39})
        self.assertEqual(self.view(shop)["answersByModel"], {SONNET: 39})
        self.assertEqual(self.view(shop)["config"]["model"], "opus")
        stats = json.loads(self.batch(shop, "--stats", "--json").out)
        self.assertEqual([(x["model"], x["answers"]) for x in stats["models"]], [(SONNET, 39)])
        self.assertEqual(stats["model"], OPUS)
        with Book(shop) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos())
            self.assertEqual(book.all("SELECT DISTINCT model FROM attempt WHERE outcome = 1"), [(SONNET,)])
            self.assertEqual(book.all("SELECT DISTINCT model FROM spec"), [(OPUS,)])
        reports = [json.loads(p.read_text()) for p in sorted((self.room / "reports").iterdir())]
        models = {a["model"] for r in reports for t in r["results"] for a in t["attempts"] if "code" not in a}
        self.assertEqual(models, {SONNET})
        self.ends(self.cohort("verify", shop), 0)
        # An answer by the fallback delivers the task: nothing is asked again, by whichever model.
        self.ends(self.batch(shop, *how, server=server), 0)
        self.ends(self.batch(shop, "-m", "opus", server=server), 0)
        self.assertEqual(sum(self.answered_by(server).values()), 39)

    def test_it_goes_down_two_steps_if_it_must(self):
        shop = self.project(3)
        # Every model is overloaded for a second: the tasks end up waiting for the last one.
        server = self.overloaded("", 1000)
        self.ends(self.batch(shop, "-m", "opus", "--fallback-model", "auto", "-c", "3", "--force", "--json", server=server), 0)
        self.assertEqual(sum(self.answered_by(server).values()), 3)

    def test_it_returns_to_the_first_model_when_that_recovers(self):
        server, shop = self.overloaded(OPUS, 2500, "latency.fixed_ms=400"), self.bookshop()
        self.ends(self.batch(shop, "-m", "opus", "--fallback-model", "sonnet", "-c", "3", server=server), 0)
        by = [line["model"] for line in server.bill.lines()]
        self.assertGreater(by.count(SONNET), 0)
        self.assertEqual(by[-5:], [OPUS] * 5)
        self.assertEqual(len(by), 39)
        with Book(shop) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos())

    def test_a_limit_stays_hard_with_a_dearer_fallback(self):
        server = self.overloaded(HAIKU, 600_000, "lies.bill_max_tokens=true", "lies.dearest_cache_writes=true")
        shop = self.bookshop()
        ended = self.batch(shop, "-m", "haiku", "--fallback-model", "opus", "--budget", "2.5", "-c", "16", server=server)
        self.ends(ended, 4)
        self.assertLessEqual(server.bill.nanos(), 2_500_000_000)
        self.assertGreater(len(server.bill.lines()), 2)
        with Book(shop) as book:
            self.assertGreaterEqual(book.charged(), server.bill.nanos())
            self.assertLessEqual(book.charged(), 2_500_000_000)

    def test_without_the_option_work_is_held_until_the_model_recovers(self):
        server, shop = self.overloaded(OPUS, 1500), self.bookshop()
        self.ends(self.batch(shop, "-m", "opus", "-c", "8", server=server), 0)
        self.assertEqual(self.answered_by(server), {OPUS: 39})

    def test_the_wish_is_kept_with_the_run_and_can_be_taken_back(self):
        server, shop = self.overloaded(OPUS), self.bookshop()
        self.ends(self.batch(shop, "-m", "opus", "--fallback-model", "sonnet", "--max-batches", "1", "-c", "10", server=server), 0)
        self.assertEqual(self.view(shop)["config"]["fallbackModel"], "sonnet")
        self.ends(self.batch(shop, "--max-batches", "1", server=server), 0)
        self.assertEqual(self.answered_by(server), {SONNET: 20})
        self.ends(self.batch(shop, "--fallback-model", "haiku", "--max-batches", "1", server=server), 0)
        self.assertEqual(self.answered_by(server), {SONNET: 20, HAIKU: 10})
        self.ends(self.batch(shop, "--fallback-model", "none", "--dry-run"), 0)

    def test_what_cannot_stand_in_is_refused_or_said(self):
        shop = self.bookshop()
        for value in ("gpt", "", "sonnet"):
            ended = self.batch(shop, "--provider", "simulator", f"--fallback-model={value}")
            self.ends(ended, 2)
        ended = self.batch(shop, "--provider", "simulator", "-m", "haiku", "--fallback-model", "auto", "-c", "8")
        self.ends(ended, 0)
        self.assertIn("no model stands in", ended.err)
        plan = self.batch(self.bookshop("other"), "--dry-run", "-m", "opus", "--fallback-model", "auto")
        self.assertIn(f"while it is overloaded: {SONNET}", plan.out)
        self.assertIn(f"while it is overloaded: {HAIKU}", plan.out)
