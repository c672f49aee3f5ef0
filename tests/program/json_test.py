"""With --json stdout is for scripts: every line is an event, and whatever a user is told is among them."""

import json

from program import STATE, Case, module_text, tree

SIMULATED = ("--provider", "simulator")


class EventsOnly(Case):
    def events(self, result, code=0):
        self.ends(result, code)
        events = [json.loads(line) for line in result.out.splitlines()]
        for event in events:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$", event)
        return events

    def one(self, events, kind):
        found = [event for event in events if event["event"] == kind]
        self.assertEqual(len(found), 1, events)
        return found[0]

    def messages(self, events, kind):
        return " | ".join(event["message"] for event in events if event["event"] == kind)

    def test_a_dry_run_is_one_plan(self):
        shop = self.bookshop()
        before = tree(shop)
        dry = self.batch(shop, "--dry-run", "--json", "-b", "15", "--fallback-model", "auto")
        [plan] = self.events(dry)
        self.assertEqual(dry.err, "")
        self.assertEqual(tree(shop), before)
        self.assertEqual((plan["event"], plan["model"]), ("plan", "claude-sonnet-5-5"))
        self.assertEqual(plan["fallbackModels"], ["claude-haiku-5-5"])
        self.assertEqual((plan["tasks"], plan["deliveredBefore"], plan["batching"]), (39, 0, "recommended"))
        files = plan["files"]
        self.assertEqual((files["sources"], files["tests"], files["withGaps"], files["fullyTested"]), (68, 7, 39, 6))
        self.assertEqual((files["tooSimple"], files["nothingToTest"], files["notLacking"]), (1, 21, []))
        self.assertEqual([left["source"] for left in files["leftOut"]], ["storefront/src/components/BookCard.jsx"])
        self.assertTrue(files["leftOut"][0]["reason"] and files["leftOut"][0]["code"])
        self.assertEqual([(batch["batch"], len(batch["sources"])) for batch in plan["batches"]], [(0, 15), (1, 15), (2, 9)])
        for key in ("estimateLow", "estimateExpected", "estimateWorst"):
            self.assertAlmostEqual(sum(batch["cost"][key] for batch in plan["batches"]), plan["cost"][key], places=6)
        self.assertLess(plan["cost"]["estimateLow"], plan["cost"]["estimateWorst"])
        # The run does what was said, and says it again.
        events = self.events(self.batch(shop, *SIMULATED, "--json", "-b", "15"))
        said = self.one(events, "plan")
        for key in ("files", "tasks", "deliveredBefore", "batching"):
            self.assertEqual(said[key], plan[key])
        for batch in plan["batches"]:
            done = {e["source"] for e in events if e["event"] == "task_ended" and e["batch"] == batch["batch"]}
            self.assertEqual(done, set(batch["sources"]))

    def test_a_function_that_fits_no_request_is_left_out_by_name(self):
        huge = "def huge(value):\n    if value:\n" + "        value = value + 1\n" * 20_000
        project = self.project(1)
        (project / "both.py").write_text(module_text("both") + "\n\n" + huge)
        plan = self.one(self.events(self.batch(project, "--dry-run", "--json", "--min-complexity", "1")), "plan")
        self.assertEqual(plan["tasks"], 2)
        [left] = plan["files"]["leftOut"]
        self.assertEqual((left["source"], left["symbol"], left["code"]), ("both.py", "huge", "file_too_large"))
        report = json.loads(self.cohort("analyze-gaps", project, "-f", "json", "-t", "1").out)
        self.assertIn("both.py", [gap["path"] for gap in report["gaps"]])
        [skipped] = report["skipped"]
        self.assertEqual((skipped["path"], skipped["code"]), ("both.py", "file_too_large"))
        self.assertIn("'huge'", skipped["reason"])
        # The rest of the file gets its test.
        ended = self.batch(project, *SIMULATED, "--force", "--min-complexity", "1")
        self.ends(ended, 0)
        self.assertRegex(ended.err, "both.py: 'huge' with the file's imports has .* bytes")
        [written] = (project / STATE / "tests").rglob("test_both.py")
        self.assertIn("both_rule_2", written.read_text())

    def test_gaps_that_cannot_be_planned_are_no_lack_of_gaps(self):
        project = self.project(0)
        (project / "huge.py").write_text("def huge(value):\n    if value:\n" + "        value = value + 1\n" * 20_000)
        for arguments in (["--dry-run"], [*SIMULATED, "-q"]):
            said = self.batch(project, "--min-complexity", "1", *arguments)
            self.ends(said, 0)
            self.assertNotIn("No gaps", said.out + said.err)
            self.assertRegex(said.out + said.err, "1 file has gaps and cannot be planned:\n  huge.py: 'huge' .* raise max_prompt_bytes")
        (project / "vast.py").write_text((project / "huge.py").read_text())
        said = self.events(self.batch(project, "--min-complexity", "1", *SIMULATED, "--json"))
        self.assertIn("2 files have gaps, none can be planned:", self.messages(said, "notice"))

    def test_a_dry_run_of_an_unfinished_run_is_what_is_left(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED, "--max-batches", "1"), 0)
        events = self.events(self.batch(shop, "--dry-run", "--json", "--include", "api/**"))
        plan = self.one(events, "plan")
        self.assertEqual(plan["batchId"], self.view(shop)["batchId"])
        self.assertEqual(plan["tasks"], 29)
        self.assertEqual([batch["batch"] for batch in plan["batches"]], [1, 2, 3])
        self.assertIn("--include", self.messages(events, "warning"))

    def test_a_dry_run_with_nothing_to_do_is_a_plan_without_batches(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, *SIMULATED), 0)
        [plan] = self.events(self.batch(shop, "--dry-run", "--json"))
        self.assertEqual((plan["tasks"], plan["deliveredBefore"], plan["batches"]), (0, 39, []))

    def test_clean_names_the_archive(self):
        shop = self.bookshop()
        self.assertIn("no state", self.messages(self.events(self.batch(shop, "--clean", "--json")), "notice"))
        self.ends(self.batch(shop, *SIMULATED, "--max-batches", "1"), 0)
        [cleaned] = self.events(self.batch(shop, "--clean", "--json"))
        self.assertEqual(cleaned["event"], "cleaned")
        self.assertIn(str(shop / STATE / "archive"), cleaned["archive"])
        before = tree(shop)
        self.assertIn("no state", self.messages(self.events(self.batch(shop, "--clean", "--json")), "notice"))
        self.assertEqual(tree(shop), before, "an archive of nothing")

    def test_stats_are_one_summary(self):
        shop = self.bookshop()
        events = self.events(self.batch(shop, *SIMULATED, "--json", "--max-batches", "1"))
        [stats] = self.events(self.batch(shop, "--stats", "--json"))
        self.assertEqual(dict(stats, time=""), dict(events[-1], time=""))

    def test_that_batching_brings_little_is_a_warning(self):
        for more in ([], ["-q"]):
            with self.subTest(more=more):
                project = self.project(13, "project" + "".join(more))
                events = self.events(self.batch(project, *SIMULATED, "--json", *more))
                self.assertIn("brings little", self.messages(events, "warning"))
                self.assertEqual([e["event"] for e in events[:3]], ["plan", "warning", "run_started"])
                self.assertEqual(self.one(events, "plan")["batching"], "minimal")

    def test_that_there_is_nothing_to_do_is_said(self):
        empty = self.room / "empty"
        empty.mkdir()
        events = self.events(self.batch(empty, *SIMULATED, "--json"))
        self.assertIn("No source file in a known language", self.messages(events, "notice"))
        self.assertEqual(self.one(events, "plan")["batching"], "nothing_to_do")
        small = self.project(4)
        events = self.events(self.batch(small, *SIMULATED, "--json"))
        self.assertIn("generate-logical", self.messages(events, "notice"))
        self.assertEqual(self.one(events, "plan")["batching"], "none")
        self.ends(self.batch(small, *SIMULATED, "--force"), 0)
        (small / STATE / "tests" / "test_unit_001.py").unlink()
        events = self.events(self.batch(small, *SIMULATED, "--json"))
        self.assertIn("Everything is delivered", self.messages(events, "notice"))
        self.assertIn("1 delivered files are not there", self.messages(events, "warning"))
        self.assertEqual(self.one(events, "plan")["deliveredBefore"], 4)

    def test_what_becomes_of_the_plan_and_the_state_is_said(self):
        shop = self.bookshop()
        once = (*SIMULATED, "--json", "--max-batches", "1")
        self.events(self.batch(shop, *once))
        (shop / STATE / "batch-state.json").unlink()
        events = self.events(self.batch(shop, *once, "--exclude", "api/**"))
        self.assertIn("--exclude", self.messages(events, "warning"))
        self.assertIn("built again", self.messages(events, "warning"))
        self.assertIn("continuing", self.messages(events, "notice"))
        events = self.events(self.batch(shop, "--dry-run", "--json", "-b", "7"))
        self.assertIn("another plan", self.messages(events, "notice"))
        events = self.events(self.batch(shop, *once, "-b", "7"))
        self.assertIn("another plan", self.messages(events, "notice"))

    def test_a_warning_about_a_delivered_task_has_a_message_and_no_path(self):
        shop = self.bookshop()
        [plan] = self.events(self.batch(shop, "--dry-run", "--json"))
        self.ends(self.batch(shop, *SIMULATED), 0)
        mine = next((shop / STATE / "tests").rglob("test_*.py"))
        self.ends(self.batch(shop, "--clean"), 0)
        mine.write_text("# mine\n")
        events = self.events(self.batch(shop, *SIMULATED, "--json"))
        warning = self.one(events, "warning")
        self.assertIn("left alone", warning["message"])
        self.assertNotIn("path", warning)
        self.assertEqual(warning["state"], "delivered")
        ended = [e for e in events if e["event"] == "task_ended" and e["task"] == warning["task"]]
        self.assertTrue(ended[0]["path"].startswith(str(shop)), ended)
        self.assertNotIn("message", ended[0])

    def test_an_error_is_an_event_and_words_on_stderr(self):
        shop = self.bookshop()
        for arguments, code, kind in ((["--resume"], 2, "state_missing"), (["--stats"], 2, "state_missing"),
                                      ([], 2, "no_credentials"), (["--dry-run", "-m", "gpt"], 2, "model_unknown"),
                                      ([*SIMULATED, "--budget", "0.0001"], 2, "limit_too_low")):
            with self.subTest(arguments=arguments):
                ended = self.batch(shop, "--json", *arguments)
                error = self.one(self.events(ended, code), "error")
                self.assertEqual(error["code"], kind)
                self.assertIn(error["message"], ended.err)

    def test_where_nodes_may_join_is_said(self):
        self.ends(self.cohort("cluster", "init", self.room / "cluster"), 0)
        ended = self.batch(self.project(3), *SIMULATED, "--force", "--json", "--listen", "127.0.0.1:0", "--cluster",
                           self.room / "cluster")
        self.assertRegex(self.messages(self.events(ended), "notice"), r"nodes may join at 127\.0\.0\.1:\d+")

    def test_what_a_gap_report_names_in_vain_is_listed(self):
        project = self.project(14)
        self.ends(self.cohort("analyze-gaps", project, "-f", "json", "-o", self.room / "gaps.json"), 0)
        for number in range(12):
            (project / f"unit_{number:03}.py").unlink()
        report = ("--gap-report", self.room / "gaps.json", "--dry-run")
        [plan] = self.events(self.batch(project, *report, "--json"))
        self.assertEqual((plan["tasks"], len(plan["files"]["notLacking"])), (2, 12))
        self.assertIn("unit_000.py", plan["files"]["notLacking"][0])
        brief = self.batch(project, *report)
        self.assertIn("12 entries of the gap report", brief.out)
        self.assertIn("2 more (-v lists all)", brief.out)
        self.assertIn("unit_011.py", self.batch(project, *report, "-v").out)


class WithoutJson(Case):
    def test_that_batching_brings_little_is_a_warning_also_when_quiet(self):
        ended = self.batch(self.project(13), *SIMULATED, "-q")
        self.ends(ended, 0)
        self.assertRegex(ended.err, "cohort: warning: 13 tasks .* batching brings little")

    def test_a_rest_of_a_project_is_not_told_that_batching_brings_nothing(self):
        project = self.project(12)
        self.ends(self.batch(project, *SIMULATED), 0)
        (project / "late.py").write_text(module_text("late"))
        for more in (["--dry-run"], SIMULATED):
            ended = self.batch(project, *more)
            self.ends(ended, 0)
            self.assertNotIn("batching brings nothing", ended.out + ended.err)
        self.assertTrue((project / STATE / "tests" / "test_late.py").exists())
