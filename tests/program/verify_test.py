"""`cohort verify`: says what does not agree, finds everything that was altered, and restores only what is gone."""

import json
import os
import shutil
import sqlite3

from program import STATE, Bill, Book, Case, tree


class VerifyBase(Case):
    def finished(self, *how):
        shop = self.bookshop()
        self.bill = Bill(self.room / "bill")
        self.ends(self.batch(shop, "--provider", "simulator", "--bill", self.bill.path, "-c", "8", *how), 0)
        return shop

    def verify(self, project, code, *arguments):
        ended = self.cohort("verify", project, "--json", *arguments)
        self.ends(ended, code)
        return json.loads(ended.out)

    def files_of(self, shop):
        return sorted(p for p in (shop / STATE / "tests").rglob("*") if p.is_file())

    def kinds(self, report):
        return sorted(x["kind"] for x in report["differences"])


class Verify(VerifyBase):
    def test_a_finished_run_agrees_with_itself_and_with_the_bill_and_nothing_is_written(self):
        shop = self.finished("--set", "answers.broken_code=0.1", "--set", "seed=4")
        before = tree(shop, times=True)
        report = self.verify(shop, 0)
        self.assertEqual(tree(shop, times=True), before)
        self.assertTrue(report["ok"] and report["viewCompared"])
        self.assertEqual(report["differences"], [])
        self.assertEqual(round(report["cost"]["allRuns"]["confirmed"] * 1e9), self.bill.nanos())
        self.assertEqual(report["files"], {"recorded": len(self.files_of(shop)), "intact": len(self.files_of(shop))})
        self.assertGreater(report["ledger"]["attempts"], report["ledger"]["tasks"], "an answer was broken and asked again")
        words = self.cohort("verify", shop)
        self.ends(words, 0)
        self.assertIn("Everything agrees", words.out)

    def test_missing_edited_and_unreadable_files_are_named(self):
        shop = self.finished()
        gone, edited, hidden, linked = self.files_of(shop)[:4]
        gone.unlink()
        edited.write_text(edited.read_text() + "\n# mine\n")
        hidden.unlink()
        hidden.mkdir()
        content = linked.read_bytes()
        linked.unlink()
        (self.room / "elsewhere").write_bytes(content)
        linked.symlink_to(self.room / "elsewhere")
        report = self.verify(shop, 1)
        found = {x["where"]: x["kind"] for x in report["differences"]}
        self.assertEqual(found, {str(gone): "missing", str(edited): "edited", str(hidden): "unreadable", str(linked): "edited"})
        words = self.cohort("verify", shop)
        self.ends(words, 1)
        for path in found:
            self.assertIn(path, words.out)

    def test_a_view_that_says_otherwise_is_named_by_field(self):
        shop = self.finished()
        view = shop / STATE / "batch-state.json"
        good = view.read_text()
        for field, value in (("completedTasks", 38), ("actualCostSoFar", 0.1), ("status", "running")):
            state = json.loads(good)
            state[field] = value
            view.write_text(json.dumps(state))
            report = self.verify(shop, 1)
            self.assertEqual([(x["kind"], field in x["what"]) for x in report["differences"]], [("view", True)])
        view.write_text(good[:100])
        self.assertEqual(self.kinds(self.verify(shop, 1)), ["view"])
        view.unlink()
        self.assertEqual(self.kinds(self.verify(shop, 1)), ["view"])
        self.ends(self.batch(shop, "--provider", "simulator"), 0)  # the next start builds it again
        self.verify(shop, 0)

    def test_altered_usage_and_costs_are_found(self):
        for change, kind in (("UPDATE attempt SET input_tokens = input_tokens + 1 WHERE task = 5", None),
                             ("UPDATE answer SET text = x'41' WHERE task = 7", "altered"),
                             ("DELETE FROM file WHERE task = 9", "state")):
            with self.subTest(change=change):
                shutil.rmtree(self.room / "bookshop", ignore_errors=True)
                shop = self.finished()
                with sqlite3.connect(shop / STATE / "ledger.db") as base:
                    base.execute(change)
                base.close()
                report = self.verify(shop, 1)
                if kind:
                    self.assertIn(kind, self.kinds(report))
                else:  # Nothing is computed from money that somebody changed.
                    self.assertEqual(report["error"]["code"], "state_corrupt")

    def test_a_damaged_ledger_is_a_clear_error_and_stays_as_it_is(self):
        shop = self.finished()
        ledger = shop / STATE / "ledger.db"
        ledger.write_bytes(ledger.read_bytes()[:20000])
        before = tree(shop, times=True)
        ended = self.cohort("verify", shop, "--json")
        self.ends(ended, 1)
        self.assertEqual(json.loads(ended.out)["error"]["code"], "state_corrupt")
        self.assertIn("damaged", ended.err)
        self.assertEqual(tree(shop, times=True), before)

    def test_a_damaged_ledger_comes_back_from_its_copy(self):
        shop = self.finished()
        ledger = shop / STATE / "ledger.db"
        ledger.write_bytes(ledger.read_bytes()[:20000])
        ended = self.batch(shop, "--provider", "simulator", "--bill", self.bill.path)
        self.ends(ended, 1)
        self.assertIn("verify --restore", ended.err)
        paid = len(self.bill.lines())
        self.assertTrue(self.verify(shop, 0, "--restore")["ok"])
        self.ends(self.batch(shop, "--provider", "simulator", "--bill", self.bill.path), 0)
        self.assertEqual(len(self.bill.lines()), paid)

    def test_without_a_state_it_ends_with_2_and_writes_nothing(self):
        shop = self.bookshop()
        before = tree(shop, times=True)
        for arguments in ([], ["--restore"]):
            self.ends(self.cohort("verify", shop, *arguments), 2)
        self.assertEqual(tree(shop, times=True), before)
        self.ends(self.cohort("verify", self.room / "nowhere"), 2)

    def test_a_killed_run_can_be_verified_and_its_late_view_is_said(self):
        server = self.simulator("latency.median_ms=15")
        shop = self.bookshop()
        run = self.start("generate-logical-batch", shop, "-c", "4", server=server)
        self.until(lambda: len(server.bill.lines()) >= 15, "the 15th request")
        run.kill()
        run.wait()
        before = tree(shop, times=True)
        ended = self.cohort("verify", shop, "--json")
        report = json.loads(ended.out)
        self.assertEqual(set(self.kinds(report)) - {"view"}, set(), report)
        self.assertEqual(tree(shop, times=True), before)
        self.ends(self.batch(shop, server=server), 0)
        self.verify(shop, 0)

    def test_while_a_run_is_active_it_says_so_and_finds_nothing_wrong(self):
        server = self.simulator("latency.fixed_ms=60")
        shop = self.bookshop()
        run = self.start("generate-logical-batch", shop, "-c", "4", server=server)
        looks = 0
        self.until(lambda: len(server.bill.lines()) >= 3, "the 3rd request")
        while run.poll() is None and looks < 20:
            ended = self.cohort("verify", shop, "--json")
            report = json.loads(ended.out)
            if "activeRun" not in report:
                break
            self.ends(ended, 0)
            self.assertEqual(report["activeRun"]["process"], run.pid)
            self.assertFalse(report["viewCompared"])
            looks += 1
        self.assertGreater(looks, 2)
        self.ends(self.cohort("verify", "--restore", shop), 11) if run.poll() is None else None
        self.ends(self.finish(run), 0)
        self.verify(shop, 0)

    def test_archives_are_checked_when_wished(self):
        shop = self.finished()
        self.ends(self.batch(shop, "--clean"), 0)
        self.ends(self.batch(shop, "--provider", "simulator", "-c", "8"), 0)
        report = self.verify(shop, 0, "--archives")
        self.assertEqual(report["archives"], 1)
        archive = next((shop / STATE / "archive").iterdir()) / "ledger.db"
        base = sqlite3.connect(archive)
        base.execute("UPDATE attempt SET output_tokens = 1 WHERE task = 2")
        base.commit()
        base.close()
        self.verify(shop, 0)
        self.assertIn("archive", self.kinds(self.verify(shop, 1, "--archives")))
        archive.write_bytes(b"no ledger" * 1000)
        self.assertEqual(self.kinds(self.verify(shop, 1, "--archives")), ["archive"])


class Restore(VerifyBase):
    def test_missing_files_come_back_as_they_were_and_edited_ones_stay_edited(self):
        shop = self.finished()
        whole = tree(shop / STATE / "tests")
        edited = self.files_of(shop)[0]
        original = edited.read_bytes()
        edited.write_bytes(b"# mine\n")
        for path in self.files_of(shop)[1::2]:
            path.unlink()
        shutil.rmtree(self.files_of(shop)[-1].parent)
        asked = len(self.bill.lines())
        missing = [x["where"] for x in self.verify(shop, 1)["differences"] if x["kind"] == "missing"]
        stats = self.batch(shop, "--stats")
        self.assertIn(f"{len(missing)} delivered files are not there", stats.out)
        self.assertEqual(json.loads(self.batch(shop, "--stats", "--json").out)["missingFiles"], len(missing))
        nothing_to_do = self.batch(shop, "--provider", "simulator", "--bill", self.bill.path)
        self.ends(nothing_to_do, 0)
        self.assertIn("verify --restore", nothing_to_do.err)
        report = self.verify(shop, 1, "--restore")
        self.assertEqual(sorted(report["restored"]), sorted(missing))
        self.assertEqual([(x["kind"], x["where"]) for x in report["differences"]], [("edited", str(edited))])
        self.assertEqual(edited.read_bytes(), b"# mine\n")
        edited.write_bytes(original)
        self.assertEqual(tree(shop / STATE / "tests"), whole)
        self.verify(shop, 0)
        self.assertEqual(len(self.bill.lines()), asked, "it asked again")
        self.unlocked(shop)

    def test_a_file_of_several_parts_comes_back_whole(self):
        project = self.room / "split"
        project.mkdir()
        (project / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n[tool.pytest.ini_options]\n')
        from program import module_text
        (project / "large.py").write_text(module_text("large", 60))
        self.ends(self.batch(project, "--provider", "simulator", "--force"), 0)
        with Book(project) as book:
            self.assertGreater(book.one("SELECT max(parts) FROM spec"), 1)
        files = self.files_of(project)
        self.assertEqual(len(files), 1)
        content = files[0].read_bytes()
        files[0].unlink()
        self.verify(project, 0, "--restore")
        self.assertEqual(files[0].read_bytes(), content)

    def test_a_link_that_leads_out_is_not_followed(self):
        shop = self.finished()
        folder = self.files_of(shop)[0].parent
        outside = self.room / "outside"
        outside.mkdir()
        shutil.rmtree(folder)
        folder.symlink_to(outside)
        report = self.verify(shop, 1, "--restore")
        self.assertEqual(os.listdir(outside), [])
        self.assertIn("missing", self.kinds(report))

    def test_a_read_only_folder_is_said(self):
        if os.geteuid() == 0:
            self.skipTest("root may write anywhere")
        shop = self.finished()
        gone = self.files_of(shop)[0]
        gone.unlink()
        gone.parent.chmod(0o555)
        report = self.verify(shop, 1, "--restore")
        gone.parent.chmod(0o755)
        self.assertIn("cannot be written again", json.dumps(report))
