#!/usr/bin/env python3
"""The user works on the same files while a run is going on: delivered tests, sources, the folder of the tests, the view.

Then the same command, a restoration or a kill, and something that would write the tests anew. What the user made stays.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import campaign
from program import PROGRAM, STATE, Book, digest, module_text, tree

CONCURRENT = 3
SMALL = 12
LATENCY = "latency.fixed_ms=50"


class Users(campaign.Trial):
    """What the user does goes by the seed, in turn."""

    def runTest(self):
        ways = sorted(name for name in dir(self) if name.startswith("when_"))
        way = ways[self.seed % len(ways)]
        self.server = self.simulator(LATENCY)
        self.shop = self.project(SMALL)
        (self.shop / "large.py").write_text(module_text("large", 60))  # Asked for in parts, whose tests are merged.
        self.tests = self.shop / STATE / "tests"
        self.mine = {}
        self.moment = self.dice.randrange(5, SMALL)
        return {"way": way[5:], "at request": self.moment, "outcome": getattr(self, way)()}

    # --- Steps ----------------------------------------------------------------------------------------------------------

    def begin(self, concurrent=CONCURRENT):
        """A run that has come to the chosen moment, and has delivered something."""
        run = subprocess.Popen([PROGRAM, "generate-logical-batch", self.shop, "-b", "4", "-c", str(concurrent), "--force"],
                               env=self.env(self.server), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
        self.started.append(run)
        self.until(lambda: (len(self.server.bill.lines()) >= self.moment and self.delivered()) or run.poll() is not None,
                   "the moment")
        return run

    def again(self, *more, code=0):
        ended = self.batch(self.shop, "-c", str(CONCURRENT), "--force", *more, server=self.server)
        self.ends(ended, code)
        return ended

    def delivered(self):
        return [path for path in sorted(self.tests.rglob("test_*.py")) if path.is_file()] if self.tests.exists() else []

    def account(self):
        """All that is billed is charged and stored, and no prompt was asked twice."""
        prompts = self.server.bill.prompts()
        self.assertEqual(len(prompts), len(set(prompts)), "something was paid for twice")
        with Book(self.shop) as book:
            self.assertGreaterEqual(book.charged(), self.server.bill.nanos(), "the bill is above what is charged")
            self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE outcome = 1"), len(prompts))

    # --- Delivered tests ------------------------------------------------------------------------------------------------

    @staticmethod
    def look(path):
        facts = os.lstat(path)
        return (facts.st_mode, facts.st_ino, os.readlink(path) if path.is_symlink() else path.is_file() and digest(path))

    def edit_some(self, tests):
        """Each in another way, as editors, shells and file browsers do it."""
        edits = [self.make_edited, self.make_replaced, self.make_linked, self.make_dangling, self.make_folder]
        self.dice.shuffle(edits)
        large = [path for path in tests if "large" in path.name]
        for test in large + self.dice.sample(tests, min(len(tests), 5)):
            if test not in self.mine:
                edits[len(self.mine) % len(edits)](test)
                self.mine[test] = self.look(test)

    @staticmethod
    def put_instead(path, make):
        """The run may put a file of its own in between."""
        while True:
            path.unlink(missing_ok=True)
            try:
                return make()
            except FileExistsError:
                pass

    def make_edited(self, test):
        with open(test, "a") as stream:
            stream.write("\n# mine\n")

    def make_replaced(self, test):
        draft = test.with_suffix(".swp")
        draft.write_text("# mine\n")
        draft.rename(test)

    def make_linked(self, test):
        target = self.room / f"{test.name}-{test.stat().st_ino}"
        shutil.move(test, target)
        self.make_edited(target)
        self.put_instead(test, lambda: test.symlink_to(target))

    def make_dangling(self, test):
        self.put_instead(test, lambda: test.symlink_to("nowhere.py"))

    def make_folder(self, test):
        self.put_instead(test, test.mkdir)

    def untouched(self):
        for test, before in self.mine.items():
            self.assertEqual(self.look(test), before, f"{test} was touched")

    def named(self, said):
        """All that lies beside the user's files is in the summary, as text and as JSON. Returns how many there are."""
        beside = {str(path) for test in self.mine for path in test.parent.glob(f"{test.stem}_*.py")}
        summary = json.loads(said.out.splitlines()[-1]) if said.out.startswith("{") else None
        if summary:
            self.assertEqual(set(summary["beside"]), beside)
        else:
            self.assertEqual({path for path in beside if path in said.out}, beside)
        self.assertEqual(set(json.loads(self.batch(self.shop, "--stats", "--json").out)["beside"]), beside)
        return len(beside)

    def edited_while_it_runs(self):
        run = self.begin()
        self.edit_some(self.delivered())
        return run

    def when_tests_are_edited_and_parts_are_merged(self):
        """The next part of a split file would be merged into a test that the user has changed meanwhile."""
        self.moment = 1
        run = self.begin(concurrent=1)  # So that the parts come one after the other.
        large = self.tests / "test_large.py"
        self.until(lambda: large.exists() or run.poll() is not None, "the first part")
        self.edit_some(self.delivered())
        ended = self.finish(run)
        self.ends(ended, 0)
        self.untouched()
        self.account()
        beside = self.named(ended)
        self.assertGreater(beside, 0)
        return f"{len(self.mine)} edited, {beside} beside them"

    def when_tests_are_edited_and_sources_change(self):
        run = self.edited_while_it_runs()
        self.ends(self.finish(run), 0)
        self.untouched()
        for source in self.shop.glob("*.py"):
            source.write_text(source.read_text() + "\n# changed\n")
        ended = self.again("--regenerate", *(["--json"] if self.dice.random() < 0.5 else []))
        self.untouched()
        self.account()
        beside = self.named(ended)
        self.assertEqual(beside, len(self.mine))
        return f"{len(self.mine)} edited, {beside} beside them"

    def when_tests_are_edited_and_others_restored(self):
        run = self.edited_while_it_runs()
        self.ends(self.finish(run), 0)
        others = {path: path.read_bytes() for path in self.delivered() if path not in self.mine and "_2" not in path.stem}
        for path in others:
            path.unlink()
        self.ends(self.cohort("verify", self.shop, "--restore"), 1)  # What is edited is a difference.
        self.untouched()
        self.assertEqual({path: path.read_bytes() for path in others}, others)
        self.account()
        return f"{len(self.mine)} edited, {len(others)} restored"

    def when_tests_are_edited_and_it_is_killed(self):
        """What was not synced yet is compared with the ledger at the next start."""
        run = self.edited_while_it_runs()
        run.send_signal(signal.SIGKILL)
        self.finish(run)
        ended = self.again()
        self.untouched()
        with Book(self.shop) as book:
            self.assertGreaterEqual(book.charged(), self.server.bill.nanos())
        return f"{len(self.mine)} edited, {self.named(ended)} beside them"

    # --- Sources --------------------------------------------------------------------------------------------------------

    def when_sources_turn_into_something_else(self):
        """What is not asked yet is skipped by name; once they are back, all are delivered."""
        run = self.begin()
        kinds = (self.source_deleted, self.source_folder, self.source_linked, self.source_dangling, self.source_pipe,
                 self.source_changed)
        sources = sorted(self.shop.glob("*.py"))
        before = {source: source.read_bytes() for source in self.dice.sample(sources, 8)}
        for number, source in enumerate(before):
            kinds[number % len(kinds)](source)
        ended = self.finish(run)
        self.ends(ended, 0)
        self.account()
        counts = json.loads(self.batch(self.shop, "--stats", "--json").out)
        self.assertEqual(counts["tasks"]["delivered"] + counts["tasks"]["skipped"], counts["tasks"]["total"])
        self.assertEqual({one["code"] for one in counts["attention"]} - {"source_gone", "source_changed"}, set())
        for source, content in before.items():
            if source.is_dir():
                source.rmdir()
            source.unlink(missing_ok=True)
            source.write_bytes(content)
        if counts["tasks"]["skipped"]:
            self.again()
        self.account()
        return f"{counts['tasks']['skipped']} skipped"

    def source_deleted(self, source):
        source.unlink()

    def source_folder(self, source):
        source.unlink()
        source.mkdir()

    def source_linked(self, source):
        source.unlink()
        target = self.room / f"other-{source.name}"
        target.write_text(module_text("other"))
        source.symlink_to(target)

    def source_dangling(self, source):
        source.unlink()
        source.symlink_to("nowhere.py")

    def source_pipe(self, source):
        source.unlink()
        os.mkfifo(source)

    def source_changed(self, source):
        source.write_text(source.read_text() + "\n# changed\n")

    # --- The folder of the tests ----------------------------------------------------------------------------------------

    def moved_and_linked(self, to):
        """The folder may be made again between the two steps."""
        self.tests.rename(to)
        while True:
            try:
                return self.tests.symlink_to(to)
            except FileExistsError:
                for path in self.tests.rglob("*.py"):
                    shutil.move(path, to / path.relative_to(self.tests))
                shutil.rmtree(self.tests)

    def when_tests_folder_is_moved_within_the_project(self):
        return self.a_link_instead_of_the_folder(self.shop / "generated")

    def when_tests_folder_becomes_a_way_out(self):
        return self.a_link_instead_of_the_folder(self.room / "outside")

    def a_link_instead_of_the_folder(self, to):
        """Nothing is written behind it; the answers are kept, and delivered once the link is gone."""
        run = self.begin()
        self.moved_and_linked(to)
        time.sleep(0.05)  # What was about to be written is.
        before = tree(to)
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 1), ended.err)
        self.assertEqual(tree(to), before, "something was written behind the link")
        asked = len(self.server.bill.lines())
        refused = self.batch(self.shop, "--force", server=self.server)
        self.ends(refused, 2)
        self.assertIn("is a symbolic link, and none is followed there", refused.err)
        self.assertEqual(len(self.server.bill.lines()), asked)
        self.tests.unlink()
        shutil.move(to, self.tests)
        self.again()
        self.account()
        self.ends(self.cohort("verify", self.shop), 0)
        return f"code {ended.code}, {asked} were asked"

    def when_tests_folder_is_deleted(self):
        run = self.begin()
        shutil.rmtree(self.tests, ignore_errors=True)
        self.assertIn(self.finish(run).code, (0, 1))
        self.again()
        self.account()
        self.cohort("verify", self.shop, "--restore")
        self.ends(self.cohort("verify", self.shop), 0)
        return f"{len(self.delivered())} tests"

    # --- The view -------------------------------------------------------------------------------------------------------

    def when_view_is_changed(self):
        """It is only a view: it is written anew, and nothing is believed of it."""
        run = self.begin()
        view = self.shop / STATE / "batch-state.json"
        kind = self.dice.choice(("deleted", "emptied", "edited", "linked", "folder"))
        outside = self.room / "outside.json"
        outside.write_text("{}")
        if kind == "edited":
            state = json.loads(view.read_text())
            state.update(completedTasks=state["totalTasks"], actualCostSoFar=0, nextBatchIndex=99, status="finished")
            view.write_text(json.dumps(state))
        elif kind == "emptied":
            view.write_text("")
        else:
            makes = {"deleted": lambda: None, "linked": lambda: view.symlink_to(outside), "folder": view.mkdir}
            self.put_instead(view, makes[kind])
        killed = kind != "folder" and self.dice.random() < 0.5
        if killed:
            run.send_signal(signal.SIGKILL)
        ended = self.finish(run)
        if kind == "folder" and view.is_dir():
            self.assertIn("batch-state.json", ended.err)
            view.rmdir()
        elif not killed:
            self.ends(ended, 0)
        if view.is_symlink():
            self.ends(self.batch(self.shop, server=self.server), 2)
            view.unlink()
        self.again()
        if not killed:
            self.account()
        self.assertEqual(outside.read_text(), "{}")
        self.assertEqual(self.view(self.shop)["status"], "finished")
        self.ends(self.cohort("verify", self.shop), 0)
        return f"{kind}{', killed' if killed else ''}"

    @classmethod
    def verdict(cls, facts):
        return f"{len({fact['way'] for fact in facts})} kinds of change; tests of the user that were touched: 0"


if __name__ == "__main__":
    campaign.main("what the user changes while a run is going on stays, and nothing is paid for twice", Users, 9)
