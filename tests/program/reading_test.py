"""What only looks must not touch: --stats, --dry-run, analyze-gaps; and what stands on stdout."""

import json
import os

from program import STATE, Case, tree


class LookingOnly(Case):
    def looks(self, project):
        """Every command that only looks, without a key; nothing may change."""
        before = tree(project, times=True)
        for arguments in (["--stats"], ["--stats", "--json"], ["--stats", "-v"], ["--dry-run"], ["--dry-run", "-v"],
                          ["--dry-run", "--budget", "3", "-b", "7"]):
            for command in ("generate-logical-batch", "generate-logical"):
                if command == "generate-logical" and "-b" in arguments:
                    continue
                ended = self.cohort(command, project, *arguments)
                self.assertIn(ended.code, (0, 2), ended)
                self.assertNotIn("ANTHROPIC_API_KEY", ended.err)
                self.assertEqual(tree(project, times=True), before, (command, arguments))
        self.ends(self.cohort("analyze-gaps", project), 0)
        self.assertEqual(tree(project, times=True), before, "analyze-gaps")

    def test_in_a_project_without_state(self):
        shop = self.bookshop()
        self.looks(shop)
        self.assertFalse((shop / STATE).exists())
        self.ends(self.batch(shop, "--dry-run"), 0)
        self.ends(self.batch(shop, "--stats"), 2)

    def test_in_a_finished_project(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator"), 0)
        self.looks(shop)
        self.ends(self.batch(shop, "--stats"), 0)

    def test_in_a_project_that_was_killed(self):
        shop = self.bookshop()
        server = self.simulator("latency.median_ms=20")
        run = self.start("generate-logical-batch", shop, server=server)
        self.until(lambda: len(server.bill.lines()) >= 12, "the 12th request")
        run.kill()
        run.wait()
        self.looks(shop)
        self.ends(self.batch(shop, "--stats"), 0)

    def test_in_a_read_only_project(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator", "--max-batches", "1"), 0)
        for folder, _, files in os.walk(shop):
            for name in files:
                os.chmod(os.path.join(folder, name), 0o444)
            os.chmod(folder, 0o555)
        try:
            self.looks(shop)
            self.ends(self.batch(shop, "--stats"), 0)
        finally:
            for folder, _, _ in os.walk(shop):
                os.chmod(folder, 0o755)

    def test_while_a_run_is_on(self):
        shop = self.bookshop()
        server = self.simulator("latency.fixed_ms=100")
        run = self.start("generate-logical-batch", shop, server=server)
        self.until(lambda: len(server.bill.lines()) >= 4, "the 4th request")
        stats = self.batch(shop, "--stats", "--json")
        self.ends(stats, 0)
        self.assertEqual(json.loads(stats.out)["status"], "running")
        self.ends(self.finish(run), 0)

    def test_a_dry_run_of_a_finished_project_plans_nothing(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator"), 0)
        ended = self.batch(shop, "--dry-run")
        self.ends(ended, 0)
        self.assertIn("nothing to do", ended.out)


class WhatStandsOnStdout(Case):
    def lines(self, result):
        events = [json.loads(line) for line in result.out.splitlines()]
        for event in events:
            self.assertIsInstance(event, dict)
        return events

    def test_stats_as_json_is_one_document(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator", "--max-batches", "2"), 0)
        stats = self.batch(shop, "--stats", "--json")
        self.ends(stats, 0)
        said = json.loads(stats.out)
        self.assertEqual(stats.err, "")
        self.assertEqual(len(stats.out.splitlines()), 1)
        self.assertEqual(said["tasks"]["delivered"], 20)
        self.assertEqual(said["tasks"]["total"], sum(v for k, v in said["tasks"].items() if k != "total"))
        self.assertEqual(said["batches"]["completed"], 2)

    def test_json_is_one_event_a_line(self):
        shop = self.bookshop()
        ended = self.batch(shop, "--provider", "simulator", "--json")
        self.ends(ended, 0)
        events = self.lines(ended)
        kinds = [event.get("event") for event in events]
        self.assertEqual(kinds[:3], ["plan", "notice", "run_started"])
        self.assertEqual(kinds.count("batch_ended"), 4)
        self.assertEqual(kinds.count("task_ended"), 39)
        self.assertIn("run_ended", kinds)
        self.assertEqual(kinds[-1], "summary")

    def test_json_stays_json_when_tasks_fail_or_a_limit_stops(self):
        for arguments, code in ((["--set", "answers.refusal=0.3"], 3), (["--cost-limit", "0.30"], 4),
                                (["--max-batches", "1"], 0)):
            shop = self.bookshop("shop" + str(code))
            ended = self.batch(shop, "--provider", "simulator", "--json", *arguments)
            self.ends(ended, code)
            self.assertTrue(self.lines(ended))

    def test_json_says_so_when_there_is_nothing_to_do(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator", "-q"), 0)
        again = self.batch(shop, "--provider", "simulator", "--json")
        self.ends(again, 0)
        self.lines(again)

    def test_quiet_says_little(self):
        shop = self.bookshop()
        ended = self.batch(shop, "--provider", "simulator", "-q")
        self.ends(ended, 0)
        self.assertLessEqual(len(ended.err.splitlines()), 1)
        self.assertIn("39 delivered", ended.out)

    def test_a_closed_pipe_does_not_end_a_run(self):
        shop = self.bookshop()
        run = self.start("generate-logical-batch", shop, "--provider", "simulator", "--json")
        run.stdout.close()
        run.stdout = None
        self.assertEqual(run.wait(timeout=60), 0)
        self.assertEqual(self.view(shop)["status"], "finished")
