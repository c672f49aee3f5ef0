#!/usr/bin/env python3
"""Signals, closed terminals, broken pipes and second runs at random moments; then the same command until it is done."""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import termios
import threading
import time

import campaign
from program import PROGRAM, STATE, Book

CONCURRENT = 4
TASKS = 39
GRACE = 1  # Seconds, as the runs are told.
SLACK = 2  # What the promise allows beyond it.


def session_members(leader):
    """Processes that still live in the session that `leader` led."""
    members = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # It ended meanwhile.
            if int(fields[3]) == leader and fields[0] != "Z":
                members.append(int(entry.name))
    return members


class Signals(campaign.Trial):
    """What is done at the random moment goes by the seed, in turn."""

    def runTest(self):
        ways = (self.interrupt, self.terminate, self.hang_up, self.close_terminal, self.break_pipes, self.insist,
                self.run_a_second_one, self.leave_a_stale_lock, self.stop_reading)
        way = ways[self.seed % len(ways)]
        self.shop = self.bookshop("shop")
        # The slow server does not answer within the grace time; the others do, now and then or nearly always.
        median = self.dice.choice((5, 40, 400, 20000)) if way != self.break_pipes else 10
        self.server = self.simulator(f"latency.median_ms={median}", "latency.sigma=0.3")
        self.moment = self.dice.uniform(0.0, 0.7)
        self.extra = 0
        self.took = 0.0
        way()
        self.completed()
        return {"way": way.__name__, "at": f"{self.moment:.3f} s", "ended in": f"{self.took:.2f} s", "extra requests": self.extra}

    def begin(self, *more, out=subprocess.PIPE, err=subprocess.PIPE, stdin=subprocess.DEVNULL, **how):
        run = subprocess.Popen([PROGRAM, "generate-logical-batch", self.shop, "-c", str(CONCURRENT), "--grace", str(GRACE), *more],
                               stdout=out, stderr=err, stdin=stdin, env=self.env(self.server), start_new_session=True, **how)
        self.started.append(run)
        return run

    def wait_for_the_moment(self, run):
        """False if the run had ended before it."""
        try:
            run.wait(timeout=self.moment)
        except subprocess.TimeoutExpired:
            return True
        return False

    def ends_in_time(self, run, codes, seconds):
        begun = time.monotonic()
        out, err = run.communicate(timeout=60)
        self.took = time.monotonic() - begun
        self.assertIn(run.returncode, codes, f"{out}\n{err}")
        self.assertLessEqual(self.took, seconds, f"{out}\n{err}")
        self.left_clean(run)

    def left_clean(self, run):
        self.assertEqual(session_members(run.pid), [], "a child is left")
        self.unlocked(self.shop)
        self.account()

    def account(self):
        """Nothing billed is lost but what was in flight, and all that is on the bill is charged."""
        billed = self.server.bill.lines()
        if not (self.shop / STATE / "ledger.db").exists():
            self.assertEqual(billed, [])
            self.extra = 0
            return
        with Book(self.shop) as book:
            self.assertGreaterEqual(book.charged(), self.server.bill.nanos())
            answers = book.one("SELECT count(*) FROM attempt WHERE outcome = 1")
        self.extra = len(billed) - answers
        self.assertLessEqual(self.extra, CONCURRENT, "more was lost than was in flight")

    def completed(self):
        """The same command, with a quick server, asks for nothing that is stored."""
        stored = set()
        if (self.shop / STATE / "ledger.db").exists():
            with Book(self.shop) as book:
                stored = book.answered_prompts()
        quick = self.simulator("latency.median_ms=1")
        self.ends(self.batch(self.shop, "-c", str(CONCURRENT), server=quick), 0)
        self.assertEqual(stored & set(quick.bill.prompts()), set(), "a stored answer was asked for again")
        self.assertEqual(len(quick.bill.lines()), TASKS - len(stored))
        self.assertEqual((self.view(self.shop)["status"], self.view(self.shop)["completedTasks"]), ("finished", TASKS))
        self.unlocked(self.shop)

    def stopped_by(self, number):
        run = self.begin()
        if self.wait_for_the_moment(run):
            run.send_signal(number)
        # Before the program has set itself up, the signal's own action ends it; it has done nothing by then.
        self.ends_in_time(run, (0, 130, -number), GRACE + SLACK)

    def interrupt(self):
        self.stopped_by(signal.SIGINT)

    def terminate(self):
        self.stopped_by(signal.SIGTERM)

    def hang_up(self):
        self.stopped_by(signal.SIGHUP)

    def insist(self):
        """A second signal some time after the first."""
        run = self.begin()
        if self.wait_for_the_moment(run):
            run.send_signal(signal.SIGINT)
            self.moment = self.dice.uniform(0.0, 0.5)
            if self.wait_for_the_moment(run):
                run.send_signal(signal.SIGTERM)
        self.ends_in_time(run, (0, 130, -signal.SIGINT, -signal.SIGTERM), SLACK)

    def close_terminal(self):
        leader, follower = pty.openpty()

        def own_it():
            import fcntl
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        run = self.begin(out=follower, err=follower, stdin=follower, preexec_fn=own_it)
        os.close(follower)
        drained = threading.Thread(target=self.read_all, args=(leader, self.moment))
        drained.start()
        drained.join()
        os.close(leader)  # The kernel sends SIGHUP, and writes fail from now on.
        self.ends_in_time(run, (0, 130, -signal.SIGHUP), GRACE + SLACK)

    @staticmethod
    def read_all(source, seconds):
        """Reads what comes for some time, as a terminal does."""
        os.set_blocking(source, False)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                os.read(source, 65536)
            except BlockingIOError:
                time.sleep(0.005)
            except OSError:
                return

    def break_pipes(self):
        """Nobody reads any more: that is no reason to stop."""
        run = self.begin(*self.dice.choice(((), ("--json",), ("-v",))))
        self.wait_for_the_moment(run)
        for stream in self.dice.choice(((run.stdout,), (run.stderr,), (run.stdout, run.stderr))):
            stream.close()
        run.wait(timeout=60)
        self.assertEqual(run.returncode, 0)
        self.assertEqual(len(self.server.bill.lines()), TASKS)
        self.left_clean(run)

    def stop_reading(self):
        """A reader that keeps the pipe open and reads nothing does not keep the program from ending."""
        read, write = os.pipe()
        import fcntl
        fcntl.fcntl(write, 1031, 4096)  # F_SETPIPE_SZ: full after a few lines.
        run = self.begin(self.dice.choice(("-v", "--json")), out=write, err=write)
        os.close(write)
        try:
            self.wait_for_the_moment(run)
            run.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            run.wait(timeout=30)
            self.took = time.monotonic() - begun
        finally:
            os.close(read)
        self.assertIn(run.returncode, (0, 130, -signal.SIGTERM))
        self.assertLessEqual(self.took, GRACE + SLACK)
        self.left_clean(run)

    def run_a_second_one(self):
        first = self.begin()
        lock = self.shop / STATE / "lock"
        self.until(lambda: first.poll() is not None or (lock.exists() and lock.read_text().endswith("}\n")), "the lock")
        self.wait_for_the_moment(first)
        first.send_signal(signal.SIGSTOP)  # So that it cannot end, and --clean succeed, while the others try.
        if first.poll() is None and lock.exists():
            before = time.time()
            for arguments in ((), ("--clean",), ("--budget", "50", "-c", "2")):
                second = self.batch(self.shop, *arguments, server=self.server)
                self.ends(second, 11)
                self.assertIn(f"process {first.pid} ", second.err)
                since = re.search(r"since (\d{4}-\d\d-\d\dT[\d:.]+Z)", second.err).group(1)
                self.assertLess(since, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before + 5)))
                self.assertIn("--stats", second.err)
                stats = self.batch(self.shop, "--stats")
                if stats.code == 0:  # Otherwise there is no plan yet.
                    self.assertRegex(stats.out, f"  running .*process {first.pid} ", "--stats does not see the run")
        first.send_signal(signal.SIGTERM)
        first.send_signal(signal.SIGCONT)
        self.ends_in_time(first, (0, 130, -signal.SIGTERM), GRACE + SLACK)

    def leave_a_stale_lock(self):
        """After kill -9 the lock's file names a process that is gone, or one that got its number and is no run."""
        run = self.begin()
        self.wait_for_the_moment(run)
        run.kill()
        run.wait()
        lock = self.shop / STATE / "lock"
        if lock.exists():
            holder = json.loads(lock.read_text() or "{}")
            holder["process"] = self.dice.choice((holder.get("process", 1), os.getpid(), 1))
            lock.write_text(self.dice.choice((json.dumps(holder), "", "{", "\0" * 50)))
            stats = self.batch(self.shop, "--stats")
            self.assertIn(stats.code, (0, 2))
            self.assertNotIn("running    process", stats.out, "a stale lock is taken for a run")
        self.account()

    @classmethod
    def verdict(cls, facts):
        slowest = max(float(fact["ended in"].split()[0]) for fact in facts)
        extra = sum(fact["extra requests"] for fact in facts)
        return (f"slowest end {slowest:.2f} s after the signal (grace {GRACE} s); extra requests: {extra}, at most "
                f"{CONCURRENT} a run; stored answers asked for again: 0")


if __name__ == "__main__":
    campaign.main("a stop ends within the grace time plus 2 s, leaves no child and no lock, and costs at most what was in flight",
                  Signals, 9)
