"""A server that lies: what it says has a name and a bound, and the rest goes on."""

import os
import re
import subprocess

from program import SANITIZED, STATE, Book, Case, PROGRAM


class LyingServer(Case):
    UNUSABLE = "the answer cannot be used: "
    STOPPED = "so reading it was stopped"

    def run_against(self, *settings, tasks=6, concurrent=3):
        """Runs against a server with these settings. Returns exit code, what was said, and the peak memory in MiB."""
        self.project_path = self.project(tasks, f"project-{len(self.started)}")
        self.server = self.simulator(*settings)
        said = self.room / f"said-{len(self.started)}"
        with open(said, "w") as out:
            run = subprocess.Popen([PROGRAM, "generate-logical-batch", str(self.project_path), "--force", "-c", str(concurrent)],
                                   stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   env=self.env(self.server), cwd=self.room)
            self.started.append(run)
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        return run.returncode, said.read_text(), usage.ru_maxrss // 1024

    def fails_by_name(self, lie, reason, attempts, memory=120, **how):
        """Prompts that are lied to fail for `reason` after `attempts`; the others are delivered; all of it is charged."""
        share = how.pop("share", 0.5)
        with self.subTest(lie=lie):
            code, said, peak = self.run_against(f"lies.body={lie}", f"lies.share={share}", **how)
            self.assertEqual(code, 3, said)
            lines = self.server.bill.lines()
            lied = {line["prompt_sha256"] for line in lines if line["outcome"] == "lie"}
            asked = {line["prompt_sha256"] for line in lines}
            self.assertTrue(lied)
            with Book(self.project_path) as book:
                failed = book.all("SELECT t.reason FROM task t WHERE t.state = 3 AND t.code = 83")
                self.assertEqual(len(failed), len(lied), said)
                self.assertEqual(len(book.delivered()), len(asked - lied), said)
                self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE outcome = 3"), attempts * len(lied))
                self.assertGreaterEqual(book.charged(), self.server.bill.nanos())
            for (text,) in failed:
                self.assertIn(reason, text)
                self.assertLess(len(text), 1000)
                self.assertTrue(text.isprintable(), text)
            self.assertEqual(len(lines), attempts * len(lied) + len(asked - lied))
            if not SANITIZED:
                self.assertLess(peak, memory, "MiB of memory")
            self.unlocked(self.project_path)

    def test_what_is_no_answer_fails_by_name(self):
        self.fails_by_name("html", self.UNUSABLE + "it is not valid JSON", 3)
        self.fails_by_name("mistyped_content", self.UNUSABLE + "it is not a message", 3)
        self.fails_by_name("deep_json", self.UNUSABLE, 3)
        self.fails_by_name("invalid_utf8", self.UNUSABLE + "it is not valid UTF-8", 3)
        self.fails_by_name("short_length", self.UNUSABLE, 3)

    def test_usage_that_cannot_be_true_is_charged_as_reserved_and_the_answer_counts(self):
        for lie in ("lies.body=huge_usage", "lies.body=mistyped_usage", "lies.negative_usage=true", "lies.missing_usage=true"):
            with self.subTest(lie=lie):
                code, said, _ = self.run_against(lie)
                self.assertEqual(code, 0, said)
                self.assertEqual(len(self.server.bill.lines()), 6)
                self.assertEqual(said.count("is not believed"), 1, said)
                with Book(self.project_path) as book:
                    self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE outcome = 1 AND cost = reserved AND cost > 0"), 6)
                    self.assertGreaterEqual(book.confirmed(), self.server.bill.nanos())
                self.ends(self.cohort("verify", self.project_path), 0)

    def test_what_was_said_without_being_a_whole_answer_is_kept(self):
        """It may be paid for, so the user can have it, and is told where."""
        code, said, _ = self.run_against("lies.body=invalid_utf8")
        self.assertEqual(code, 3, said)
        with Book(self.project_path) as book:
            reasons = [reason for (reason,) in book.all("SELECT reason FROM task")]
        self.assertEqual(len(reasons), 6)
        for reason in reasons:
            path = re.search(rf"{re.escape(STATE)}/unusable/\S+\.txt", reason)
            self.assertTrue(path, reason)
            self.assertTrue((self.project_path / path.group(0)).read_text())

    def test_what_has_no_end_is_stopped_and_takes_no_memory(self):
        self.fails_by_name("header_flood", self.STOPPED, 3)
        self.fails_by_name("gigabytes", self.STOPPED, 3, memory=300, tasks=8, concurrent=8)
        self.fails_by_name("endless", self.STOPPED, 3, memory=300)

    def test_streams_that_have_no_end_are_stopped_and_take_no_memory(self):
        self.fails_by_name("endless_line", self.STOPPED, 3, memory=300, tasks=2, share=1)
        self.fails_by_name("endless_events", self.STOPPED, 3, tasks=1, share=1)

    def test_an_answer_that_is_whole_counts_although_the_length_was_a_lie(self):
        code, said, _ = self.run_against("lies.body=long_length")
        self.assertEqual(code, 0, said)
        self.assertEqual(len(self.server.bill.lines()), 6)

    def test_another_model_than_asked_is_said(self):
        code, said, _ = self.run_against("lies.body=other_model", "lies.share=0.5")
        self.assertEqual(code, 0, said)
        self.assertIn("claude-of-another-kind-1", said)
        with Book(self.project_path) as book:
            models = dict(book.all("SELECT answered_by, count(*) FROM attempt GROUP BY 1"))
        self.assertGreater(models["claude-of-another-kind-1"], 0)
        self.assertGreater(models["claude-sonnet-5-5"], 0)
        self.assertTrue((self.project_path / STATE / "tests").is_dir())
