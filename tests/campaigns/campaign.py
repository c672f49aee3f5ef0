"""What every campaign shares: its flags, a line for each run, the verdict, and what is kept of a run that failed.

A campaign is a program: a class of one run, whose seed decides everything that is left to chance, and a call of `main`.
"""

import argparse
import concurrent.futures
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "program"))

from program import Case, PROGRAM  # noqa: E402


class Trial(Case):
    """One run of a campaign. It has everything that a test of the command line has (see tests/program/program.py).

    `prepare`, once for the whole campaign, makes what all runs share (a server, an uninterrupted run) and returns it.
    """

    def __init__(self, seed, folder, shared):
        super().__init__()
        self.seed = seed
        self.dice = random.Random(f"{type(self).__name__} {seed}")
        self.folder = folder
        self.shared = shared

    def setUp(self):
        self.room = self.folder
        self.started = []
        self.addCleanup(self.end_processes)

    def runTest(self):
        """The run itself. Returns the facts for its line; an exception is a failure."""
        raise NotImplementedError

    @classmethod
    def prepare(cls, home):
        """`home` is a trial without a seed, alive as long as the campaign."""

    @classmethod
    def verdict(cls, facts):
        """Looks at the facts of all runs together and returns a sentence; an exception is a failure."""
        return ""


class Campaign:
    def __init__(self, name, claim, trial, arguments):
        self.name = name
        self.claim = claim
        self.trial = trial
        self.arguments = arguments
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"cohort-{name}-"))
        self.screen = threading.Lock()
        self.failed = []
        self.facts = {}

    def say(self, text):
        with self.screen:
            print(text, flush=True)

    def repeat(self, seed):
        return f"COHORT_PROGRAM={PROGRAM} python3 {sys.argv[0]} --first-seed {seed} --seeds 1 --keep DIR"

    def attempt(self, seed, shared):
        folder = self.folder / f"seed-{seed}"
        folder.mkdir()
        trial = self.trial(seed, folder, shared)
        begun = time.monotonic()
        problem = None
        try:
            trial.setUp()
            self.facts[seed] = trial.runTest()
        except Exception:  # A campaign goes on with the next seed, whatever this one met.
            problem = traceback.format_exc()
        trial.doCleanups()
        took = time.monotonic() - begun
        if problem is None:
            self.say(f"{self.name} seed {seed}: ok, {self.facts[seed]}, {took:.1f} s")
            shutil.rmtree(folder, ignore_errors=True)
            return
        (folder / "failure.txt").write_text(f"{problem}\nrepeat: {self.repeat(seed)}\n")
        self.failed.append(seed)
        self.say(f"{self.name} seed {seed}: FAILED, {took:.1f} s, kept in {folder}\n{problem}  repeat: {self.repeat(seed)}")

    def run(self):
        first, count = self.arguments.first_seed, self.arguments.seeds
        begun = time.monotonic()
        home_folder = self.folder / "home"
        home_folder.mkdir()
        self.trial.user_state = home_folder / "user-state"  # One user for all runs: what one signed, the others may use.
        home = self.trial(None, home_folder, None)
        home.setUp()
        words = ""
        try:
            shared = self.trial.prepare(home)
            with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
                list(pool.map(lambda seed: self.attempt(seed, shared), range(first, first + count)))
            words = self.trial.verdict(list(self.facts.values())) if not self.failed else ""
        except Exception:
            self.failed.append("verdict")
            words = traceback.format_exc()
        finally:
            home.doCleanups()
        took = time.monotonic() - begun
        outcome = f"{len(self.failed)} FAILED: {sorted(map(str, self.failed))}" if self.failed else "held"
        print(f"{self.name}: {self.claim}\n{self.name}: {outcome} in {count} runs from seed {first}, {took:.0f} s. {words}",
              flush=True)
        self.put_away(home_folder)
        return 1 if self.failed else 0

    def put_away(self, home_folder):
        shutil.rmtree(home_folder, ignore_errors=True)
        if self.arguments.keep and self.failed:
            self.arguments.keep.mkdir(parents=True, exist_ok=True)
            for seed in self.folder.iterdir():
                shutil.move(seed, self.arguments.keep / f"{self.name}-{seed.name}")
            print(f"{self.name}: what the failed runs left is in {self.arguments.keep}", flush=True)
        if not self.failed or self.arguments.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def main(claim, trial, seeds):
    """Runs the campaign of `trial`; `seeds` is the number of runs of its short form. Never returns."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # A shell's `&` leaves SIGINT ignored, and runs would inherit that.
    name = pathlib.Path(sys.argv[0]).stem
    parser = argparse.ArgumentParser(description=claim)
    parser.add_argument("--seeds", type=int, default=seeds, help=f"how many runs; default {seeds}, the short form")
    parser.add_argument("--first-seed", type=int, default=0, help="the seed of the first run; default 0")
    parser.add_argument("--keep", type=pathlib.Path, help="move what failed runs leave here, else it stays under /tmp")
    parser.add_argument("--jobs", type=int, default=1, help="how many runs side by side; default 1")
    sys.exit(Campaign(name, claim, trial, parser.parse_args()).run())
