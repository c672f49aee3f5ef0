#!/usr/bin/env python3
"""A state that is torn, flipped, removed, swapped, made read-only or newer, as the whole program meets it.

Every outcome is designed: the view is built again with a warning, or the run is refused with exit code 1, what to do
now, and no byte changed. Byte by byte, below the program, the same is done by torn_ledger.
"""

import json
import os
import shutil
import subprocess

import campaign
from program import PROGRAM, SOURCE, STATE, Book, digest

CONCURRENT = 4
TASKS = 39
NOBODY = "65534"
FRAME = 24 + 4096
FILES = ("ledger.db", "ledger.db-wal", "batch-state.json")


class Shared:
    """States to damage: of a run that was killed, and of one that ended early in good order."""

    def __init__(self, home):
        for folder in (home.room.parent, home.room):
            folder.chmod(0o755)  # A run of another user must get there.
        self.server = home.simulator("latency.median_ms=1")
        self.stock = home.room / "stock"
        self.stock.mkdir()
        self.config = home.room / "config"  # The project's own may lie where other users cannot read.
        shutil.copytree(SOURCE / "config", self.config)
        subprocess.run(["chmod", "-R", "a+rX", self.config], check=True)
        for kind in ("killed", "ended"):
            shop = home.bookshop("live")
            (self.begin_and_kill if kind == "killed" else self.begin)(home, shop)
            # Moved out of the place that it knows, so that a copy of it passes for the project, moved.
            shop.rename(self.stock / kind)

    def begin(self, home, shop):
        home.ends(home.batch(shop, "-b", "7", "--max-batches", "2", server=self.server), 0)

    def begin_and_kill(self, home, shop):
        slow = home.simulator("latency.fixed_ms=60")
        run = home.start("generate-logical-batch", shop, "-b", "7", "-c", str(CONCURRENT), server=slow)
        view = shop / STATE / "batch-state.json"
        home.until(lambda: len(slow.bill.lines()) >= 24 and view.exists() and home.view(shop)["completedTasks"] > 0,
                   "the 24th request")
        run.kill()
        run.wait()


def commits_of(wal):
    """Where each commit of the WAL ends."""
    content = wal.read_bytes()
    frames = range(32, len(content) - FRAME + 1, FRAME)
    return [at + FRAME for at in frames if content[at + 8:at + 16] == content[16:24] and content[at + 4:at + 8] != bytes(4)]


class Torn(campaign.Trial):
    @classmethod
    def prepare(cls, home):
        return Shared(home)

    def runTest(self):
        self.server = self.simulator("latency.median_ms=1")
        damages = sorted(name for name in dir(self) if name.startswith("damage_"))
        self.kind = ("killed", "ended")[(self.seed + self.seed // len(damages)) % 2]
        self.shop = self.room / "shop"
        shutil.copytree(self.shared.stock / self.kind, self.shop)
        self.state = self.shop / STATE
        self.ledger, self.wal, self.view_file = (self.state / name for name in FILES)
        with Book(self.shop) as book:
            self.stored = book.answered_prompts()
            self.charged = book.charged()
        name = damages[self.seed % len(damages)]
        return {"damage": name[7:], "state": self.kind, "outcome": getattr(self, name)()}

    # --- Outcomes -------------------------------------------------------------------------------------------------------

    def run_it(self, shop=None):
        asked = len(self.server.bill.lines())
        ended = self.batch(shop or self.shop, "-c", str(CONCURRENT), server=self.server)
        self.asked = self.server.bill.prompts()[asked:]
        return ended

    def goes_on(self, ended, lost=0):
        """It finishes, and of what was stored at most `lost` answers are asked for again."""
        self.ends(ended, 0)
        again = self.stored & set(self.asked)
        self.assertLessEqual(len(again), lost, "stored answers were paid for again")
        self.assertEqual(len(self.asked), TASKS - len(self.stored) + len(again))
        self.assertEqual((self.view(self.shop)["status"], self.view(self.shop)["completedTasks"]), ("finished", TASKS))
        return f"goes on, {len(again)} asked again"

    def rebuilt(self):
        ended = self.run_it()
        self.assertIn("built again", ended.err)
        return self.goes_on(ended) + ", rebuilt with a warning"

    def marks(self, shop):
        paths = [shop / STATE / name for name in FILES]
        return {path.name: digest(path) for path in paths if path.is_file() and path.stat().st_size > 0}

    def refused(self, *words, clean=True, shop=None, codes=(1,)):
        """Nothing is asked, nothing changed, the message says what to do, and that works."""
        shop = shop or self.shop
        before = self.marks(shop)
        for attempt in range(2):
            ended = self.run_it(shop)
            self.assertIn(ended.code, codes, ended.err)
            self.assertEqual(self.asked, [])
            self.assertEqual(self.marks(shop), before, "what was refused was changed")
            for word in words:
                self.assertIn(word, ended.err)
        if clean:
            self.assertIn("--clean", ended.err)
            self.ends(self.batch(shop, "--clean"), 0)
            archived = sorted(digest(path) for path in (shop / STATE / "archive").rglob("*")
                              if path.name in FILES and path.stat().st_size > 0)
            # The copy of a ledger that cannot be read, or of one with this path, goes there as well.
            self.assertLessEqual(set(before.values()), set(archived), "--clean lost something")
            self.ends(self.run_it(shop), 0)
        return "refused"

    def refused_or_goes_on(self, lost=0):
        before = self.marks(self.shop)
        ended = self.run_it()
        if ended.code == 0:
            return self.goes_on(ended, lost)
        if self.marks(self.shop) == before:
            # Of a ledger with other tables than ours it cannot be told whether it is this user's.
            return self.refused(clean="newer" not in ended.err, codes=(1, 2))
        # A flipped bit in a prompt or an answer is found when its batch is loaded: then the run stops.
        self.ends(ended, 1)
        self.assertIn("is damaged", ended.err)
        self.assertEqual(self.stored & set(self.asked), set())
        self.ends(self.batch(self.shop, "--clean"), 0)
        self.ends(self.run_it(), 0)
        return "refused when it was read"

    def mended(self, repair):
        """Once the cause is gone, it goes on."""
        repair()
        return "refused, then " + self.goes_on(self.run_it())

    # --- The view -------------------------------------------------------------------------------------------------------

    def flip(self, path):
        content = bytearray(path.read_bytes())
        content[self.dice.randrange(len(content))] ^= 1 << self.dice.randrange(8)
        path.write_bytes(content)

    def damage_view_cut(self):
        content = self.view_file.read_bytes()
        self.view_file.write_bytes(content[:self.dice.randrange(len(content) - 2)])
        return self.rebuilt()

    def damage_view_flipped(self):
        self.flip(self.view_file)
        ended = self.run_it()
        if "schemaVersion" in ended.err:
            return self.refused("newer", clean=False)
        return self.goes_on(ended)

    def damage_view_removed(self):
        self.view_file.unlink()
        return self.rebuilt()

    def damage_view_of_another_project(self):
        content = self.view(self.shop)
        content.update(projectPath="/srv/other", batchId="batch-1735689600000", completedTasks=1, actualCostSoFar=99.5)
        self.view_file.write_text(json.dumps(content))
        return self.rebuilt()

    def damage_view_newer(self):
        content = self.view(self.shop)
        content["schemaVersion"] = 7
        self.view_file.write_text(json.dumps(content))
        return self.refused("newer", clean=False)

    def damage_view_is_a_folder(self):
        self.view_file.unlink()
        self.view_file.mkdir()
        ended = self.run_it()
        self.ends(ended, 1)
        self.assertIn("batch-state.json", ended.err)
        with Book(self.shop) as book:
            self.stored |= book.answered_prompts()
        return self.mended(self.view_file.rmdir)

    # --- The ledger and its WAL -----------------------------------------------------------------------------------------

    def damage_wal_cut_in_its_last_write(self):
        if not self.wal.exists():
            self.wal.write_bytes(os.urandom(self.dice.randrange(33, 100_000)))  # Where there was none, any is wrong.
            return self.refused()
        ends = commits_of(self.wal)
        content = self.wal.read_bytes()[:self.dice.randrange(ends[-2], ends[-1])]
        self.wal.write_bytes(content)
        # As after a crash: the last group of records is gone, and with it at most what was in flight.
        return self.goes_on(self.run_it(), lost=CONCURRENT)

    def damage_wal_flipped(self):
        if not self.wal.exists():
            return self.damage_ledger_flipped()
        self.flip(self.wal)
        return self.refused_or_goes_on(lost=CONCURRENT)

    def damage_wal_removed(self):
        if not self.wal.exists():
            return self.goes_on(self.run_it())  # It was closed in good order: there is none.
        self.wal.unlink()
        return self.refused("-wal")

    def damage_wal_emptied(self):
        if self.wal.exists():
            self.wal.write_bytes(self.wal.read_bytes()[:self.dice.choice((0, 20, 32))])
            return self.refused("-wal")
        self.wal.write_bytes(b"")
        return self.goes_on(self.run_it())

    def another(self):
        other = self.bookshop("other")
        shutil.rmtree(other / "backend")
        self.shared.begin(self, other)
        return other

    def damage_wal_of_another_project(self):
        other = self.bookshop("other")
        self.shared.begin_and_kill(self, other)
        shutil.copy(other / STATE / "ledger.db-wal", self.wal)
        return self.refused()

    def damage_ledger_cut(self):
        content = self.ledger.read_bytes()
        self.ledger.write_bytes(content[:self.dice.randrange(len(content))])
        return self.refused()

    def damage_ledger_flipped(self):
        self.flip(self.ledger)
        return self.refused_or_goes_on()

    def damage_ledger_removed(self):
        self.ledger.unlink()
        self.refused("ledger.db")
        return "refused, no new ledger over what is left"

    def damage_ledger_and_wal_removed(self):
        for path in (self.ledger, self.wal, self.state / "ledger.db-shm"):
            path.unlink(missing_ok=True)
        return self.refused("ledger.db", "is gone")

    def damage_ledger_swapped(self):
        """Two projects with each other's state."""
        self.ends(self.batch(self.shop, "--max-batches", "1", server=self.server), 0)  # It knows its place now.
        other = self.another()
        for name in FILES + ("ledger.db-shm",):
            mine, theirs = self.state / name, other / STATE / name
            for path in (mine, theirs):
                if path.exists():
                    path.rename(f"{path}.swap")
            for source, target in ((mine, theirs), (theirs, mine)):
                if (source.parent / f"{source.name}.swap").exists():
                    shutil.move(f"{source}.swap", target)
        self.refused("project", shop=other, clean=False)
        return self.refused("project")

    def damage_ledger_newer(self):
        content = bytearray(self.ledger.read_bytes())
        content[60:64] = (99).to_bytes(4, "big")
        self.ledger.write_bytes(content)
        return self.refused("newer", clean=False)

    def damage_shm_garbage(self):
        (self.state / "ledger.db-shm").write_bytes(os.urandom(32768))
        return self.goes_on(self.run_it())

    # --- Read-only ------------------------------------------------------------------------------------------------------

    def as_nobody(self):
        """The same command as a user who may read everything here, and write nothing."""
        asked = len(self.server.bill.lines())
        user_state = self.room / "user-state"  # With the same key: what is read was signed by this user.
        if not user_state.exists():
            shutil.copytree(self.user_state, user_state)
            subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", user_state], check=True)
        env = dict(self.env(self.server), HOME="/nonexistent", COHORT_CONFIG_DIR=str(self.shared.config),
                   XDG_STATE_HOME=str(user_state))
        done = subprocess.run(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", PROGRAM,
                               "generate-logical-batch", self.shop], env=env, capture_output=True, timeout=60, text=True)
        self.assertEqual(self.server.bill.prompts()[asked:], [])
        return done

    def damage_read_only_for_this_user(self):
        self.room.chmod(0o755)
        if os.geteuid() != 0:
            return "not possible: only root can become another user"
        subprocess.run(["chmod", "-R", "a+rX,go-w", self.shop], check=True)
        before = self.marks(self.shop)
        part = self.dice.choice(("folder", "ledger", "nothing but the ledger"))
        if part != "folder":
            subprocess.run(["chown", "-R", NOBODY, self.shop], check=True)
            for path in (self.ledger, self.wal):
                if path.exists():
                    os.chown(path, 0, 0)
        done = self.as_nobody()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "(?i)permission|readonly|read-only|unable to open")
        self.assertIn(STATE, done.stderr)
        self.assertEqual(self.marks(self.shop), before)
        return self.mended(lambda: None)

    def immutable(self, path):
        """False where the file system has no such thing."""
        if subprocess.run(["chattr", "+i", path], capture_output=True).returncode != 0:
            return False
        self.addCleanup(subprocess.run, ["chattr", "-i", path], capture_output=True)
        return True

    def made_immutable(self, path):
        if not self.immutable(path):
            return "not possible: no immutable files here"
        ended = self.run_it()
        self.ends(ended, 1)
        self.assertRegex(ended.err, "(?i)permission|readonly|not permitted|unable to open")
        subprocess.run(["chattr", "-i", path], check=True)
        with Book(self.shop) as book:
            self.stored |= book.answered_prompts()
        return self.mended(lambda: None)

    def damage_ledger_made_immutable(self):
        return self.made_immutable(self.ledger)

    def damage_folder_made_immutable(self):
        return self.made_immutable(self.state)

    def damage_view_made_immutable(self):
        return self.made_immutable(self.view_file)

    @classmethod
    def verdict(cls, facts):
        refused = sum(fact["outcome"].startswith("refused") for fact in facts)
        return f"{len({fact['damage'] for fact in facts})} kinds of damage; {refused} runs were refused, the others went on"


if __name__ == "__main__":
    campaign.main("a damaged state is built again with a warning or refused with the way on; nothing is overwritten or paid twice",
                  Torn, 22)
