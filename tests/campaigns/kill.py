#!/usr/bin/env python3
"""kill -9 again and again, then the same command until it is done.

Each run is killed at random moments and, in turn, at commit points, which are passed by the build with faults
(fault_points.cpp): between the steps of a commit, within SQLite's writes, and between the steps of writing a file.
"""

import collections
import json
import shutil
import subprocess

import campaign
from program import FAULTY, PROGRAM, SOURCE, STATE, Book, tree

CONCURRENT = 4
KILLS = 4
LATENCY = ("latency.median_ms=25", "latency.sigma=0.4")
KILLED = -9

Ending = collections.namedtuple("Ending", "tests delivered cost")


class Shared:
    """An uninterrupted run, and how often it passes each commit point."""

    def __init__(self, home):
        # A prompt cache makes costs depend on what is in flight together; without it totals can be compared.
        self.config = home.room / "config"
        shutil.copytree(SOURCE / "config", self.config)
        defaults = json.loads((self.config / "defaults.json").read_text())
        defaults["run"]["prompt_cache"] = "none"
        (self.config / "defaults.json").write_text(json.dumps(defaults))
        shop = home.bookshop("uninterrupted/shop")
        server = home.simulator("latency.median_ms=1")
        census = home.room / "census"
        env = dict(home.env(server), COHORT_FAULT_CENSUS=str(census), COHORT_CONFIG_DIR=str(self.config))
        done = subprocess.run([FAULTY, "generate-logical-batch", shop, "-c", str(CONCURRENT), "-b", "7"], env=env,
                              capture_output=True, timeout=60)
        home.assertEqual(done.returncode, 0, done.stderr)
        self.ending = ending_of(home, shop)
        self.points = collections.Counter(census.read_text().split())
        home.assertGreaterEqual(len(self.points), 10, "the build with faults passes no points")


def ending_of(case, shop):
    state = case.view(shop)
    case.assertEqual((state["status"], state["failedTasks"]), ("finished", 0))
    with Book(shop) as book:
        delivered = book.delivered()
        case.assertEqual(state["completedTasks"], len(delivered))
        case.assertEqual(round(state["actualCostSoFar"] * 1e9), book.confirmed())
        return Ending(tree(shop / STATE / "tests"), delivered, book.confirmed())


class Kills(campaign.Trial):
    @classmethod
    def prepare(cls, home):
        return Shared(home)

    def runTest(self):
        self.stored = set()
        self.seen = 0
        self.kills = 0
        shop = self.bookshop("shop")
        server = self.simulator(*LATENCY)
        aims = []
        while True:
            aim = self.aim() if self.kills < KILLS else None
            run = self.begin(shop, server, aim)
            if self.survives(run, aim):
                break
            self.kills += 1
            aims.append(aim if isinstance(aim, str) else "random")
            self.after_a_kill(shop, server)
        extra = self.at_the_end(shop, server)
        return {"kills": self.kills, "extra requests": extra, "at": " ".join(aims)}

    def aim(self):
        """A moment in seconds, or a point with its passing."""
        if (self.seed + self.kills) % 2 == 0:
            return self.dice.uniform(0.0, 0.4)
        points = sorted(self.shared.points)
        # Each point has its turn; how often it was passed before is left to chance, and less often later on.
        name = points[(self.seed + self.kills // 2) % len(points)]
        return f"{name}:{self.dice.randint(1, max(1, self.shared.points[name] // (1 + self.kills)))}"

    def begin(self, shop, server, aim):
        env = dict(self.env(server), COHORT_CONFIG_DIR=str(self.shared.config))
        if isinstance(aim, str):
            env["COHORT_FAULT"] = aim
        run = subprocess.Popen([FAULTY if isinstance(aim, str) else PROGRAM, "generate-logical-batch", shop,
                                "-c", str(CONCURRENT), "-b", "7"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=env)
        self.started.append(run)
        return run

    def survives(self, run, aim):
        """True if the run came to its end, which must then be a good one."""
        try:
            ended = self.finish(run, timeout=aim if isinstance(aim, float) else 60)
        except subprocess.TimeoutExpired:
            if not isinstance(aim, float):
                raise
            run.kill()
            run.wait()
            return False
        if isinstance(aim, str) and ended.code == KILLED:
            return False
        self.ends(ended, 0)
        return True

    def look_at_the_bill(self, server):
        """What was asked since the last look; a request may come on the bill a moment after its sender was killed."""
        prompts = server.bill.prompts()
        asked, self.seen = prompts[self.seen:], len(prompts)
        self.assertEqual(set(asked) & self.stored, set(), "a stored answer was asked for again")
        return asked

    def after_a_kill(self, shop, server):
        """What was billed is stored or was in flight; and what was stored before was not asked again."""
        asked = self.look_at_the_bill(server)
        if not (shop / STATE / "ledger.db").exists():
            self.assertEqual(asked, [])
            return
        with Book(shop) as book:
            now = book.answered_prompts()
            self.assertEqual(self.stored - now, set(), "a stored answer is gone")
            self.assertGreaterEqual(book.charged(), server.bill.nanos(), "the bill is above what is charged")
            answers = book.one("SELECT count(*) FROM attempt WHERE outcome = 1")
        self.assertLessEqual(self.seen - answers, CONCURRENT * self.kills, "more was lost than was in flight")
        self.stored = now

    def at_the_end(self, shop, server):
        self.look_at_the_bill(server)
        self.assertEqual(ending_of(self, shop), self.shared.ending)
        lines = server.bill.lines()
        with Book(shop) as book:
            self.assertEqual(book.one("PRAGMA integrity_check"), "ok")
            self.assertGreaterEqual(book.charged(), server.bill.nanos())
            self.assertLessEqual(len(lines), book.one("SELECT count(*) FROM attempt"), "a request was sent without an intent")
            answered = dict(book.all("SELECT request_id, cost FROM attempt WHERE outcome = 1"))
        billed = {line["request_id"]: line["cost_nano_dollars"] for line in lines}
        self.assertEqual({r: billed[r] for r in answered}, answered)
        self.assertEqual(len(answered), len(self.shared.ending.delivered))
        self.unlocked(shop)
        extra = len(lines) - len(answered)
        self.assertLessEqual(extra, CONCURRENT * self.kills, "more was paid for again than was in flight")
        return extra

    @classmethod
    def verdict(cls, facts):
        kills = sum(fact["kills"] for fact in facts)
        extra = sum(fact["extra requests"] for fact in facts)
        assert kills > len(facts), "hardly anything was killed: this shows nothing"
        points = {aim.split(":")[0] for fact in facts for aim in fact["at"].split()} - {"random"}
        return (f"{kills} kills, at {len(points)} commit points and at random moments; stored answers asked for again: 0; "
                f"extra requests: {extra}, at most {CONCURRENT} a kill")


if __name__ == "__main__":
    campaign.main("what was stored is never asked for again after kill -9, and the end is that of an uninterrupted run",
                  Kills, 20)
