"""What a limit does, as its user meets it. That no bill passes one is for tests/campaigns/limits.py to break."""

import json
import re
import shutil

from program import SOURCE, Bill, Book, Case, tree


class HardLimits(Case):
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

    def test_what_a_batch_has_spent_counts_towards_the_least_that_works(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        how = ["--provider", "simulator", "--bill", bill.path, "-c", "1", "--parallel-batches", "1", "--cost-limit"]
        self.ends(self.batch(shop, *how, "0.25"), 4)
        billed = len(bill.lines())
        again = self.batch(shop, *how, "0.25")
        self.ends(again, 4)
        self.assertEqual(len(bill.lines()), billed)
        said = re.search(r"--cost-limit \$0.25 lets no task run: \$([0-9.]+) is spent in batch 1, .*least that works is \$([0-9.]+[0-9])",
                         again.err)
        self.assertTrue(said, again.err)
        self.assertEqual(round(float(said.group(1)) * 1e9), bill.nanos())
        self.ends(self.batch(shop, *how, said.group(2)), 4)
        self.assertGreater(len(bill.lines()), billed, "the least that works did not work")

    def test_on_limit_next_goes_on_with_the_next_batch(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        ended = self.batch(shop, "--provider", "simulator", "--bill", bill.path, "--cost-limit", "0.25", "--on-limit", "next")
        self.ends(ended, 4)
        with Book(shop) as book:
            each = book.all("SELECT t.batch, sum(a.cost), count(*) FROM attempt a JOIN task t ON t.key = a.task GROUP BY 1")
        self.assertEqual(len(each), 4, "every batch has its turn")
        for _, spent, _ in each:
            self.assertLessEqual(spent, 250_000_000)

    def test_on_limit_next_goes_on_under_a_budget_when_the_first_batch_has_used_its_limit_up(self):
        shop, bill = self.bookshop(), Bill(self.room / "bill")
        how = ["--provider", "simulator", "--bill", bill.path, "-c", "1", "--cost-limit", "0.25", "--budget", "5"]
        self.ends(self.batch(shop, *how, "--parallel-batches", "1"), 4)
        billed = len(bill.lines())
        self.ends(self.batch(shop, *how, "--on-limit", "next"), 4)
        self.assertGreater(len(bill.lines()), billed, "the other batches had room")

    def test_on_limit_stop_does_not_begin_the_next_batch(self):
        shop = self.bookshop()
        ended = self.batch(shop, "--provider", "simulator", "--cost-limit", "0.25", "--on-limit", "stop",
                           "--parallel-batches", "1", "--set", "lies.bill_max_tokens=true")
        self.ends(ended, 4)
        with Book(shop) as book:
            self.assertEqual(book.all("SELECT DISTINCT t.batch FROM attempt a JOIN task t ON t.key = a.task"), [(0,)])

    def test_on_limit_warn_finishes_and_warns_at_50_80_and_100_percent(self):
        shop = self.bookshop()
        ended = self.batch(shop, "--provider", "simulator", "--cost-limit", "0.08", "--on-limit", "warn", "-c", "1",
                           "--parallel-batches", "1")
        self.ends(ended, 0)
        self.assertEqual(self.view(shop)["config"]["costLimit"], 0.08)
        self.assertEqual(self.view(shop)["completedTasks"], 39)
        said = re.findall(r"warning: batch (\d+) has spent \$[0-9.]+ of its cost limit of \$0.080 \((\d+) %\)", ended.err)
        of_first = [int(percent) for batch, percent in said if batch == "1"]
        self.assertEqual(len(of_first), 3, ended.err)
        for percent, least, below in zip(of_first, (50, 80, 100), (80, 100, 150)):
            self.assertTrue(least <= percent < below, of_first)


    def test_a_stored_limit_can_be_raised_and_lifted_in_one_go(self):
        shop = self.bookshop()
        in_one_go = ("generate-logical", shop, "--provider", "simulator")
        self.ends(self.batch(shop, "--provider", "simulator", "--cost-limit", "0.25", "--on-limit", "stop"), 4)
        self.ends(self.cohort(*in_one_go), 4)
        self.ends(self.cohort(*in_one_go, "--cost-limit", "0.45"), 4)
        self.assertEqual(self.view(shop)["config"]["costLimit"], 0.45)
        ended = self.cohort(*in_one_go, "--cost-limit", "none")
        self.ends(ended, 0)
        self.assertNotIn("costLimit", self.view(shop)["config"])
        self.assertEqual(json.loads(self.batch(shop, "--stats", "--json").out)["limits"], {})


class RefusedMoney(Case):
    def refused(self, shop, *how, words, config=None):
        before, bill = tree(shop, times=True), Bill(self.room / "bill")
        more = {"COHORT_CONFIG_DIR": str(config)} if config else {}
        self.env = lambda server=None, key="": dict(super(RefusedMoney, self).env(server, key), **more)
        ended = self.batch(shop, "--provider", "simulator", "--bill", bill.path, *how)
        self.ends(ended, 2)
        for word in words:
            self.assertIn(word, ended.err)
        self.assertEqual(bill.lines(), [])
        self.assertEqual(tree(shop, times=True), before, "something was written")

    def test_absurd_limits_are_refused_by_name(self):
        shop = self.bookshop()
        for option in ("--budget", "--cost-limit"):
            for amount in ("-1", "-0.5", "0", "0.00", "", "abc", "nan", "inf", "1e9", "1,50", "$5", "1.0000000001", "1000000001",
                           "99999999999999999999", "0x10", " 5"):
                with self.subTest(option=option, amount=amount):
                    self.refused(shop, f"{option}={amount}", words=[option])

    def test_an_unknown_model_is_refused_and_the_known_ones_are_named(self):
        self.refused(self.bookshop(), "--model", "gpt-9", words=["gpt-9", "sonnet", "haiku"])

    def test_a_broken_price_list_is_refused_by_file_model_and_field(self):
        shop = self.bookshop()
        mistakes = {"a_price_that_is_negative": (lambda m: m["models"][3]["cards"][0].update(input="-2"), ["sonnet", "input"]),
                    "a_price_that_is_a_number": (lambda m: m["models"][3]["cards"][0].update(output=10), ["sonnet", "output"]),
                    "no_price": (lambda m: m["models"][3]["cards"][0].pop("cache_read"), ["sonnet", "cache_read"]),
                    "no_cards": (lambda m: m["models"][3].update(cards=[]), ["sonnet", "cards"]),
                    "an_absurd_price": (lambda m: m["models"][3]["cards"][0].update(output="1000000000"), ["sonnet", "output"]),
                    "two_of_a_name": (lambda m: m["models"].append(m["models"][3]), ["sonnet", "twice"]),
                    "no_models": (lambda m: m.update(models=[]), ["models"]),
                    "a_percentage_that_is_none": (lambda m: m.update(batch_percent=0), ["batch_percent"])}
        for name, (mistake, words) in mistakes.items():
            with self.subTest(mistake=name):
                config = self.room / name
                shutil.copytree(SOURCE / "config", config)
                models = json.loads((config / "models.json").read_text())
                mistake(models)
                (config / "models.json").write_text(json.dumps(models))
                self.refused(shop, "--budget", "5", words=["models.json", *words], config=config)
        config = self.room / "torn"
        shutil.copytree(SOURCE / "config", config)
        (config / "models.json").write_text((SOURCE / "config" / "models.json").read_text()[:500])
        self.refused(shop, words=["models.json"], config=config)
