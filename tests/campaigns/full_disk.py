#!/usr/bin/env python3
"""A disk that fills up, errors of the disk, folders that vanish, and files that the user changes, at random moments.

Then the cause is mended, as far as one is, and the same command runs to its end.
"""

import os
import re
import shutil
import signal
import subprocess
import time

import campaign
from program import FAULTY, PROGRAM, STATE, Book, digest, tree

CONCURRENT = 4
TASKS = 39
LATENCY = "latency.fixed_ms=40"
EIO, EROFS, ENOSPC = 5, 30, 28


class Disks(campaign.Trial):
    """What goes wrong goes by the seed, in turn."""

    @classmethod
    def prepare(cls, home):
        for folder in (home.room.parent, home.room):
            folder.chmod(0o755)
        shop = home.bookshop("uninterrupted")
        home.ends(home.batch(shop, server=home.simulator("latency.median_ms=1")), 0)
        return tree(shop / STATE / "tests")

    def runTest(self):
        ways = sorted(name for name in dir(self) if name.startswith("when_"))
        way = ways[self.seed % len(ways)]
        self.server = self.simulator(LATENCY)
        self.stored, self.moment = set(), self.dice.randrange(1, TASKS - 8)
        outcome = getattr(self, way)()
        return {"way": way[5:], "at request": self.moment, "outcome": outcome}

    # --- Steps ----------------------------------------------------------------------------------------------------------

    def begin(self, shop, *more, program=PROGRAM, **faults):
        """A run that has come to the chosen moment, or to its end."""
        env = dict(self.env(self.server), **faults)
        run = subprocess.Popen([program, "generate-logical-batch", shop, "-b", "7", "-c", str(CONCURRENT), *more], env=env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.started.append(run)
        if not faults:
            self.until(lambda: len(self.server.bill.lines()) >= self.moment or run.poll() is not None, "the moment")
        return run

    def account(self, shop, lost=0):
        """All that is billed is charged, and all but `lost` of it is stored."""
        with Book(shop) as book:
            self.assertGreaterEqual(book.charged(), self.server.bill.nanos(), "the bill is above what is charged")
            answers = book.one("SELECT count(*) FROM attempt WHERE outcome = 1")
            self.stored = book.answered_prompts()
        self.assertLessEqual(len(self.server.bill.lines()) - answers, lost, "a paid answer is not stored")

    def completed(self, shop, plan=TASKS, tests=True):
        """The same command ends well and asks for nothing that is stored."""
        asked = len(self.server.bill.lines())
        self.ends(self.batch(shop, "-c", str(CONCURRENT), server=self.server), 0)
        self.assertEqual(self.stored & set(self.server.bill.prompts()[asked:]), set(), "a stored answer was asked for again")
        self.assertEqual(self.view(shop)["completedTasks"], plan)
        if tests:
            self.assertEqual(tree(shop / STATE / "tests"), self.shared)
        self.unlocked(shop)

    def mounted(self, size):
        place = self.room / "small"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True)
        if done.returncode != 0:
            return None
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)], capture_output=True)
        return place

    @staticmethod
    def fill(filler):
        for block in (1 << 20, 1 << 12):
            try:
                while True:
                    filler.write(b"\1" * block)
            except OSError:
                pass

    # --- Full disks -----------------------------------------------------------------------------------------------------

    def disk_fills_up(self, with_reserve):
        place = self.mounted("24m")
        if place is None:
            return "not possible: mounting a tmpfs is not permitted"
        shop = place / "shop"
        shutil.copytree(self.bookshop(), shop)
        run = self.begin(shop)
        if not with_reserve:  # Somebody took it: what is paid must wait in memory.
            (shop / STATE / "ballast").unlink(missing_ok=True)
        with open(place / "filler", "wb", buffering=0) as filler:
            run.send_signal(signal.SIGSTOP)  # Or it could give its reserve back while the disk is being filled.
            self.fill(filler)
            run.send_signal(signal.SIGCONT)
            if not with_reserve:
                time.sleep(self.dice.uniform(0.2, 1.2))  # What is in flight arrives meanwhile.
                self.fill(filler)
                waited = run.poll() is None
                os.unlink(place / "filler")
        ended = self.finish(run)
        (place / "filler").unlink(missing_ok=True)
        self.assertIn(ended.code, (0, 1), ended.err)
        if ended.code == 1:
            self.assertRegex(ended.err, "(?i)disk|space")
        self.account(shop)
        self.completed(shop)
        return f"code {ended.code}" + ("" if with_reserve else ", waited in memory" if waited else ", had ended before")

    def when_disk_fills_up(self):
        return self.disk_fills_up(True)

    def when_disk_fills_up_without_reserve(self):
        return self.disk_fills_up(False)

    def when_disk_stays_full_and_the_user_gives_up(self):
        """SIGTERM and then SIGINT while answers wait in memory: it ends, and what is lost stays charged."""
        place = self.mounted("24m")
        if place is None:
            return "not possible: mounting a tmpfs is not permitted"
        shop = place / "shop"
        shutil.copytree(self.bookshop(), shop)
        run = self.begin(shop)
        (shop / STATE / "ballast").unlink(missing_ok=True)
        with open(place / "filler", "wb", buffering=0) as filler:
            self.fill(filler)
            time.sleep(0.3)
            self.fill(filler)
        run.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        run.send_signal(signal.SIGINT)
        begun = time.monotonic()
        ended = self.finish(run)
        took = time.monotonic() - begun
        self.assertIn(ended.code, (0, 1, 130), ended.err)
        self.assertLess(took, 2)
        (place / "filler").unlink()
        self.account(shop, lost=CONCURRENT)
        self.completed(shop)
        return f"code {ended.code} in {took:.2f} s"

    # --- Errors of the disk, from within SQLite's writes ----------------------------------------------------------------

    def writes_fail(self, number, count):
        """`count` writes of the ledger fail from some moment on."""
        shop = self.bookshop()
        planned = 260  # Writes that the plan takes; what fails there refuses the run.
        first = self.dice.randrange(planned, planned + 600)
        run = self.begin(shop, program=FAULTY, COHORT_FAULT=f"ledger.write:{first}:{number}:{count}")
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 1), ended.err)
        self.account(shop)
        self.completed(shop)
        return f"code {ended.code} from write {first} on"

    def when_writes_fail_for_a_moment(self):
        return self.writes_fail(EIO, self.dice.randint(1, 3))

    def when_writes_find_no_space_for_a_moment(self):
        return self.writes_fail(ENOSPC, self.dice.randint(1, 3))

    def when_file_system_turns_read_only_for_a_moment(self):
        return self.writes_fail(EROFS, self.dice.randint(1, 3))

    # --- Folders that vanish --------------------------------------------------------------------------------------------

    def when_state_is_deleted(self):
        shop = self.bookshop()
        run = self.begin(shop)
        alive = run.poll() is None
        shutil.rmtree(shop / STATE, ignore_errors=True)
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 1), ended.err)
        if not (shop / STATE / "ledger.db").exists():  # It was deleted after the end: then nothing could be done.
            self.assertTrue(not alive or ended.code == 0, ended.err)
            return "deleted after its end"
        self.assertIn("deleted", ended.err)
        self.account(shop)
        self.completed(shop, tests=False)
        return f"code {ended.code}, put back"

    def when_state_is_moved_away_and_back(self):
        shop = self.bookshop()
        run = self.begin(shop)
        (shop / STATE).rename(shop / "elsewhere")
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 1), ended.err)
        self.assertFalse((shop / STATE / "ledger.db").exists(), "a second ledger was made")
        if (shop / STATE).exists():
            shutil.rmtree(shop / STATE)
        (shop / "elsewhere").rename(shop / STATE)
        self.account(shop)
        (shop / STATE / "lock").unlink(missing_ok=True)  # Its holder could not find it any more.
        self.completed(shop)
        return f"code {ended.code}"

    def when_project_is_moved(self):
        shop = self.bookshop()
        run = self.begin(shop)
        moved = self.room / "moved"
        shop.rename(moved)
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 1), ended.err)
        self.assertFalse((shop / STATE / "ledger.db").exists())
        self.account(moved)
        self.completed(moved)
        return f"code {ended.code}"

    def when_tests_are_deleted(self):
        """The folder comes back; what was deleted and already synced is the user's wish."""
        shop = self.bookshop()
        run = self.begin(shop)
        shutil.rmtree(shop / STATE / "tests", ignore_errors=True)
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 1), ended.err)
        self.account(shop)
        self.completed(shop, tests=False)
        return f"code {ended.code}"

    def when_sources_vanish(self):
        """What is not asked yet is skipped by name; what was paid stays."""
        shop = self.bookshop()
        run = self.begin(shop)
        (shop / "backend").rename(self.room / "backend")
        ended = self.finish(run)
        self.ends(ended, 0)
        skipped = re.search(r"(\d+) skipped", ended.out).group(1)
        self.account(shop)
        (self.room / "backend").rename(shop / "backend")
        asked = len(self.server.bill.lines())
        self.ends(self.batch(shop, "--force", server=self.server), 0)
        self.assertEqual(self.stored & set(self.server.bill.prompts()[asked:]), set())
        self.assertEqual(tree(shop / STATE / "tests"), self.shared)
        return f"{skipped} skipped"

    # --- The user at work -----------------------------------------------------------------------------------------------

    def when_sources_change(self):
        shop = self.bookshop()
        run = self.begin(shop)
        changed = [path for path in sorted(shop.rglob("*.py")) if STATE not in path.parts and self.dice.random() < 0.3]
        for path in changed:
            path.write_text(path.read_text() + "\n# changed while it ran\n")
        ended = self.finish(run)
        self.ends(ended, 0)
        self.account(shop)
        self.ends(self.batch(shop, "--force", server=self.server), 0)
        prompts = self.server.bill.prompts()
        self.assertEqual(len(prompts), len(set(prompts)), "something was paid for twice")
        return f"{len(changed)} changed"

    def when_delivered_tests_are_edited(self):
        """Each in another way; then their sources change and tests are made anew, which come beside what the user has made of the old."""
        shop = self.bookshop()
        self.ends(self.finish(self.begin(shop)), 0)
        mine = {}
        edits = (self.make_edited, self.make_emptied, self.make_linked, self.make_unlinked_target, self.make_folder,
                 self.make_unreadable)
        self.account(shop)
        tests = [path for path in sorted((shop / STATE / "tests").rglob("*.py")) if path.name != "__init__.py"]
        for test in self.dice.sample(tests, min(len(tests), 8)):
            edit = edits[len(mine) % len(edits)]
            edit(test)
            mine[test] = self.look(test)
        for source in shop.rglob("*.py"):
            if STATE not in source.parts:
                source.write_text(source.read_text() + "\n# changed\n")
        ended = self.batch(shop, "--force", "--regenerate", server=self.server)
        self.ends(ended, 0)
        new = 0
        for test, before in mine.items():
            self.assertEqual(self.look(test), before, f"{test} was touched")
            beside = [path for path in test.parent.iterdir() if path.stem.startswith(test.stem) and path != test]
            named = [path for path in beside if str(path) in ended.out]
            self.assertEqual(beside, named, "what lies beside is not named in the summary")
            new += len(beside)
        self.assertGreater(new, 0)
        return f"{len(mine)} edited, {new} beside them"

    @staticmethod
    def look(path):
        facts = os.lstat(path)
        return (facts.st_mode, facts.st_ino, os.readlink(path) if path.is_symlink() else path.is_file() and digest(path))

    def make_edited(self, test):
        test.write_text(test.read_text() + "\n# mine\n")

    def make_emptied(self, test):
        test.write_text("")

    def make_linked(self, test):
        target = self.room / f"{test.name}-{test.stat().st_ino}"
        shutil.move(test, target)
        test.symlink_to(target)

    def make_unlinked_target(self, test):
        test.unlink()
        test.symlink_to("nowhere.py")

    def make_folder(self, test):
        test.unlink()
        test.mkdir()

    def make_unreadable(self, test):
        """For root only an immutable file is out of reach."""
        test.write_text("# mine\n")
        test.chmod(0)

    @classmethod
    def verdict(cls, facts):
        return (f"{len({fact['way'] for fact in facts})} kinds of trouble; paid answers that were not stored once the trouble "
                "was over, or asked for again: 0")


if __name__ == "__main__":
    campaign.main("full disks, failing writes, vanishing folders and the user's changes lose nothing that is paid", Disks, 13)
