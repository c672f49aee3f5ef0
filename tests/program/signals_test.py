"""Signals: the first drains, the second stops at once, and the same command goes on."""

import signal
import subprocess
import time

from program import PROGRAM, Book, Case


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.shop = self.bookshop()

    def begin(self, server, requests, *more):
        run = self.start("generate-logical-batch", self.shop, "-c", "4", *more, server=server)
        self.until(lambda: len(server.bill.lines()) >= requests, f"request {requests}")
        return run

    def goes_on(self, server):
        """The same command finishes, and asks for no stored answer again."""
        with Book(self.shop) as book:
            stored = book.answered_prompts()
        asked = len(server.bill.lines())
        self.ends(self.batch(self.shop, "-c", "4", server=server), 0)
        self.assertEqual(stored & set(server.bill.prompts()[asked:]), set())
        self.assertEqual(self.view(self.shop)["status"], "finished")
        self.assertEqual(self.view(self.shop)["completedTasks"], 39)

    def drains(self, number):
        server = self.simulator("latency.fixed_ms=150")
        run = self.begin(server, 6)
        run.send_signal(number)
        ended = self.finish(run)
        self.ends(ended, 130)
        self.unlocked(self.shop)
        self.assertEqual(self.view(self.shop)["status"], "interrupted")
        with Book(self.shop) as book:
            self.assertEqual(book.one("SELECT count(*) FROM answer"), len(server.bill.lines()),
                             "what was in flight is finished and stored")
            self.assertEqual(book.charged(), server.bill.nanos())
            self.assertEqual(book.one("SELECT count(*) FROM task WHERE state = 1"), 0)
        self.assertLess(len(server.bill.lines()), 39)
        self.goes_on(server)
        with Book(self.shop) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos())
        self.assertEqual(len(server.bill.lines()), 39)

    def test_ctrl_c_drains_and_the_same_command_goes_on(self):
        self.drains(signal.SIGINT)

    def test_sigterm_drains(self):
        self.drains(signal.SIGTERM)

    def test_sighup_drains(self):
        self.drains(signal.SIGHUP)

    def test_a_second_ctrl_c_stops_at_once(self):
        server = self.simulator("latency.fixed_ms=20000")
        run = self.begin(server, 4)
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)  # Two signals sent together would be one.
        self.assertIsNone(run.poll(), "it drains after the first")
        begun = time.monotonic()
        run.send_signal(signal.SIGINT)
        self.ends(self.finish(run), 130)
        self.assertLess(time.monotonic() - begun, 3)
        self.unlocked(self.shop)
        with Book(self.shop) as book:
            self.assertGreaterEqual(book.charged(), server.bill.nanos(), "what may be billed stays charged")
            self.assertEqual(book.one("SELECT count(*) FROM task WHERE state = 0"), 39)

    def test_ctrl_c_at_any_moment_of_the_start_is_heeded(self):
        server = self.simulator("latency.fixed_ms=300")
        for step in range(12):
            run = self.start("generate-logical-batch", self.shop, "-c", "1", "-b", "5", server=server)
            time.sleep(0.004 * step)
            asked = len(server.bill.lines())
            run.send_signal(signal.SIGINT)
            ended = self.finish(run, timeout=20)
            # Before the program has set itself up, the signal's own action ends it.
            self.assertIn(ended.code, (130, -signal.SIGINT), (step, ended))
            self.assertLessEqual(len(server.bill.lines()) - asked, 2, f"signal {step} was lost")
            self.unlocked(self.shop)

    def test_ctrl_c_while_a_large_project_is_read_ends_at_once_and_leaves_no_lock(self):
        large = self.project(2000, "large")
        server = self.simulator()
        run = self.start("generate-logical-batch", large, server=server)
        self.until(lambda: (large / ".claude-testing" / "ballast").exists(), "the begin of the run")
        time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        begun = time.monotonic()
        self.ends(self.finish(run), 130)
        self.assertLess(time.monotonic() - begun, 0.5)
        self.assertEqual(server.bill.lines(), [])
        self.unlocked(large)
        self.ends(self.batch(large, "--stats"), 2)

    def test_what_nohup_ignores_stays_ignored(self):
        server = self.simulator("latency.fixed_ms=100")
        run = subprocess.Popen([PROGRAM, "generate-logical-batch", self.shop], env=self.env(server), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.started.append(run)
        self.until(lambda: len(server.bill.lines()) >= 4, "request 4")
        run.send_signal(signal.SIGHUP)
        self.ends(self.finish(run), 0)
        self.assertEqual(self.view(self.shop)["completedTasks"], 39)

    def test_the_grace_time_ends_what_does_not_answer(self):
        server = self.simulator("latency.fixed_ms=20000")
        run = self.begin(server, 4, "--grace", "1")
        run.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        ended = self.finish(run)
        self.ends(ended, 130)
        self.assertIn("unconfirmed", ended.err)
        self.assertGreater(time.monotonic() - begun, 0.9, "what is in flight gets its time")
        self.assertLess(time.monotonic() - begun, 3)
        self.unlocked(self.shop)

    def test_ctrl_c_ends_what_only_looks(self):
        slow = self.project(2000, "large")
        for arguments in (["generate-logical-batch", slow, "--dry-run"], ["analyze-gaps", slow]):
            run = self.start(*arguments)
            time.sleep(0.1)
            if run.poll() is not None:
                self.skipTest("this machine reads 2000 files in 0.1 s")
            run.send_signal(signal.SIGINT)
            begun = time.monotonic()
            self.assertNotEqual(self.finish(run).code, 0)
            self.assertLess(time.monotonic() - begun, 0.5)
