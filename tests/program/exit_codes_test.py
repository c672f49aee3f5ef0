"""Exit codes are part of the interface: each, with what the user reads."""

import signal
import time

from program import STATE, Bill, Book, Case, tree


class ExitCodes(Case):
    def test_without_a_key_it_names_both_ways_on_and_touches_nothing(self):
        shop = self.bookshop()
        before = tree(shop, times=True)
        for command in ("generate-logical-batch", "generate-logical"):
            ended = self.cohort(command, shop)
            self.ends(ended, 2)
            self.assertIn("ANTHROPIC_API_KEY", ended.err)
            self.assertIn("--provider simulator", ended.err)
        self.assertEqual(tree(shop, times=True), before)

    def test_failed_tasks_end_with_3_and_are_named(self):
        shop = self.bookshop()
        bill = Bill(self.room / "bill")
        ended = self.batch(shop, "--provider", "simulator", "--set", "answers.refusal=0.3", "--bill", bill.path)
        self.ends(ended, 3)
        state = self.view(shop)
        self.assertGreater(state["failedTasks"], 3)
        refused = [line for line in bill.lines() if line["stop_reason"] == "refusal"]
        self.assertEqual(state["failedTasks"], len(refused))
        self.assertIn("refus", ended.out)
        files = [p for p in (shop / STATE / "tests").rglob("*") if p.is_file()]
        self.assertEqual(len(files), state["totalTasks"] - state["failedTasks"], "a failure left a file")
        with Book(shop) as book:
            self.assertEqual(book.confirmed(), bill.nanos())

    def test_a_budget_ends_with_4_and_raising_it_continues(self):
        self.stops_and_goes_on(["--budget", "0.50"], ["--budget", "50"], 500_000_000)

    def test_a_limit_for_each_batch_ends_with_4_and_raising_it_continues(self):
        self.stops_and_goes_on(["--cost-limit", "0.25"], ["--cost-limit", "20"], 250_000_000)

    def stops_and_goes_on(self, low, high, most):
        shop = self.bookshop()
        bill = Bill(self.room / "bill")
        how = ["--provider", "simulator", "--bill", bill.path, "--set", "lies.bill_max_tokens=true", "-c", "8"]
        ended = self.batch(shop, *how, *low)
        self.ends(ended, 4)
        self.assertIn(low[0], ended.err)
        self.assertLessEqual(bill.nanos(), most)
        self.assertEqual(self.view(shop)["status"], "stopped")
        asked = bill.prompts()
        self.assertGreater(len(asked), 0)
        self.ends(self.batch(shop, *how, *low), 4)
        self.ends(self.batch(shop, *how, *high), 0)
        self.assertEqual(len(bill.prompts()), len(set(bill.prompts())), "something was asked twice")
        self.assertEqual(self.view(shop)["completedTasks"], 39)

    def test_a_second_run_ends_with_11_and_does_no_harm(self):
        shop = self.bookshop()
        server = self.simulator("latency.fixed_ms=100")
        first = self.start("generate-logical-batch", shop, server=server)
        self.until(lambda: len(server.bill.lines()) >= 3, "the 3rd request")
        for command in (["generate-logical-batch", shop], ["generate-logical", shop], ["generate-logical-batch", shop, "--clean"]):
            second = self.cohort(*command, server=server)
            self.ends(second, 11)
            self.assertIn(str(first.pid), second.err)
        self.ends(self.finish(first), 0)
        self.assertEqual(len(server.bill.lines()), 39)

    def test_a_refused_key_ends_with_1_after_a_few_requests_and_loses_nothing(self):
        shop = self.bookshop()
        server = self.simulator()
        ended = self.batch(shop, "-c", "4", server=server, key="sk-ant-invalid-key-of-a-test")
        self.ends(ended, 1)
        self.assertRegex(ended.err, "(?i)key|authenti")
        self.assertNotIn("sk-ant-invalid-key-of-a-test", ended.out + ended.err)
        self.assertEqual(server.bill.lines(), [])
        with Book(shop) as book:
            self.assertEqual(book.all("SELECT DISTINCT state FROM task"), [(0,)])
            self.assertEqual(book.charged(), 0)
        self.unlocked(shop)
        self.assertLessEqual(server.requests(), 4)
        honest = self.simulator()
        self.ends(self.batch(shop, server=honest), 0)
        self.assertEqual(len(honest.bill.lines()), 39)

    def test_account_trouble_in_the_middle_ends_with_1_and_keeps_what_is_paid(self):
        for trouble in ("billing", "permission", "enforced_spend_limit", "credit_too_low", "spend_limit"):
            shop = self.bookshop("shop-" + trouble)
            server = self.simulator(f"account.error={trouble}", "account.from_request=11")
            ended = self.batch(shop, server=server)
            self.ends(ended, 1)
            with Book(shop) as book:
                self.assertEqual(book.confirmed(), server.bill.nanos(), trouble)
                self.assertEqual(book.one("SELECT count(*) FROM task WHERE state = 2"), 10, trouble)
                self.assertEqual(book.one("SELECT count(*) FROM task WHERE state = 0"), 29, trouble)

    def test_ctrl_c_ends_a_run_whose_server_is_away(self):
        shop = self.bookshop()
        server = self.simulator()
        server.stop()
        run = self.start("generate-logical-batch", shop, "--timeout", "1", server=server)
        self.until((shop / STATE / "batch-state.json").exists, "the run's beginning")
        time.sleep(4)  # Enough refused connections for the breaker to hold everything back.
        run.send_signal(signal.SIGINT)
        ended = self.finish(run, timeout=15)  # What the breaker holds back was never sent and is not waited for.
        self.ends(ended, 130)
        self.assertEqual(len(list((shop / STATE).rglob("test_*.py"))), 0)
        with Book(shop) as book:
            self.assertEqual(book.charged(), 0, "what was never sent cannot be billed")

    def test_help_and_version_end_with_0_and_help_names_the_codes(self):
        self.assertRegex(self.cohort("--version").out, r"^cohort \d+\.\d+\.\d+\n$")
        for command in ([], ["generate-logical-batch"], ["generate-logical"], ["analyze-gaps"], ["simulator"]):
            ended = self.cohort(*command, "--help")
            self.ends(ended, 0)
            for code in ("0 done", "1 fatal", "2 usage", "3 finished", "4 stopped", "11 another", "130 interrupted"):
                self.assertIn(code, ended.out, command)


class BadOptions(Case):
    """Each option with values that make no sense: code 2, the option's name, and nothing written."""

    BAD = {
        "--batch-size": ["0", "-1", "51", "99999999999999999999", "ten", "2.5", "", "1e1"],
        "--concurrent": ["0", "-1", "10001", "99999999999999999999", "many", "1.5", ""],
        "--timeout": ["0", "-1", "99999999999999999999", "soon", "604801", ""],
        "--min-complexity": ["0", "-1", "11", "high", "99999999999999999999", ""],
        "--max-batches": ["0", "-1", "all", "99999999999999999999", ""],
        "--parallel-batches": ["0", "-1", "1001", "some", "99999999999999999999", ""],
        "--cost-limit": ["0", "-1", "cheap", "1e999", "nan", "inf", "99999999999999999999", ""],
        "--budget": ["0", "-1", "cheap", "1e999", "nan", "inf", "99999999999999999999", ""],
        "--on-limit": ["never", "", "1"],
        "--model": ["gpt", "", "claude-"],
        "--effort": ["extreme", "", "3"],
        "--provider": ["other", ""],
        "--template": ["unknown", "../defaults", "/etc/passwd"],
        "--scenario": ["unknown"],
        "--set": ["latency", "faults.none=1", "faults.hang=2", "faults.hang=x"],
        "--gap-report": ["/nonexistent.json"],
    }

    def test_every_option_refuses_them(self):
        shop = self.bookshop()
        before = tree(shop)
        for option, values in self.BAD.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    ended = self.batch(shop, "--provider", "simulator", f"{option}={value}")
                    self.assertEqual(ended.code, 2, ended)
                    self.assertTrue(ended.err.strip(), "it says nothing")
                    self.assertEqual(ended.out, "")
                    self.assertEqual(tree(shop, without=[STATE]), before)

    def test_a_refused_command_leaves_no_state(self):
        shop = self.bookshop()
        for arguments in (["--batch-size", "0"], ["--budget", "nothing"], ["--model", "gpt"], ["--template", "unknown"],
                          ["--scenario", "unknown"], ["--gap-report", "/nonexistent.json"], ["--resume"]):
            with self.subTest(arguments=arguments):
                self.ends(self.batch(shop, "--provider", "simulator", *arguments), 2)
                self.assertFalse((shop / STATE / "ledger.db").exists() and self.has_run(shop))

    def has_run(self, shop):
        with Book(shop) as book:
            return book.one("SELECT count(*) FROM run") > 0

    def test_excluding_options_and_unknown_ones(self):
        shop = self.bookshop()
        for arguments in (["--stats", "--dry-run"], ["--stats", "--clean"], ["--clean", "--resume"], ["--unknown"],
                          ["--dry-run", "--clean"], ["second-project"]):
            self.ends(self.batch(shop, *arguments), 2)
        self.ends(self.cohort("generate-logical", shop, "-b", "5"), 2)
        self.ends(self.cohort(), 2)
        unknown = self.cohort("unknown-command")
        self.ends(unknown, 2)
        self.assertIn("'unknown-command'", unknown.err)
        self.ends(self.cohort("generate-logical-batch"), 2)
        for value in ("0", "11", "x"):
            self.ends(self.cohort("analyze-gaps", shop, "-t", value), 2)
        self.ends(self.cohort("analyze-gaps", shop, "-f", "xml"), 2)
        for value in ("-1", "65536", "x"):
            ended = self.cohort("simulator", "--port", value)
            self.ends(ended, 2)
            self.assertIn("65535", ended.err)

    def test_a_number_that_is_refused_is_refused_with_its_bounds(self):
        shop = self.bookshop()
        for option, most in (("--concurrent", "10000"), ("--timeout", "604800"), ("--min-complexity", "10"), ("--batch-size", "50"),
                             ("--parallel-batches", "1000"), ("--max-batches", "4294967295"), ("--grace", "604800")):
            for value in ("-1", "x", "99999999999999999999"):
                with self.subTest(option=option, value=value):
                    self.assertRegex(self.batch(shop, "--dry-run", f"{option}={value}").err, rf"\b{most}\b")

    def test_a_project_that_is_none(self):
        (self.room / "file").write_text("")
        for project in (self.room / "missing", self.room / "file", ""):
            for command in ("generate-logical-batch", "analyze-gaps"):
                self.ends(self.cohort(command, project), 2)
