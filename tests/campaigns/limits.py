#!/usr/bin/env python3
"""A provider that bills as much as it may and loses what it billed; limits from one request's cost to half the run's.

The witness is the simulator's bill: no run and no batch may be on it with more than its limit, at any moment, over
kills and new starts. At the end nothing may be left reserved that is not on the ledger as unconfirmed, and no task may
have been turned away for which there was room.
"""

import collections
import decimal
import hashlib
import json
import re
import shutil
import subprocess

import campaign
from program import SOURCE, STATE, Book, module_text

SIZES = (6, 12, 24)
CONCURRENT = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256)
BOUND = 60  # Seconds; a run takes a fraction of one. What takes longer is a deadlock.
UNSURE = {"reset", "truncated", "stream_error", "hang"}  # On the bill without an answer that could be used.

Limits = collections.namedtuple("Limits", "budget each_batch policy")


def dollars(nanos):
    return f"{nanos // 10**9}.{nanos % 10**9:09}"


class Shared:
    """Projects with the reservations of their tasks, and a configuration that does not wait long between attempts."""

    def __init__(self, home):
        self.config = home.room / "config"
        shutil.copytree(SOURCE / "config", self.config)
        defaults = json.loads((self.config / "defaults.json").read_text())
        defaults["run"]["retries"]["pause_ms"] = 2
        defaults["run"]["ballast_bytes"] = 65536
        defaults["claude"]["retry"].update(first_delay_ms=2, longest_delay_ms=20)
        defaults["claude"]["breaker"].update(first_open_ms=10, longest_open_ms=50)
        defaults["claude"]["rate_limit"].update(pause_without_wish_ms=20)
        (self.config / "defaults.json").write_text(json.dumps(defaults))
        self.worst = {}
        self.projects = {}
        for size in SIZES:
            project = self.projects[size] = self.make(home, size)
            # A run that finishes tells what each task reserves, whatever the batches are.
            home.ends(home.batch(project, "--provider", "simulator", "--force", "-q"), 0)
            with Book(project) as book:
                self.worst[size] = sorted(row[0] for row in book.all("SELECT worst FROM task"))
            home.assertEqual(len(self.worst[size]), size)
            shutil.rmtree(project / STATE)

    @staticmethod
    def make(home, size):
        project = home.room / f"project-{size}"
        project.mkdir()
        (project / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n[tool.pytest.ini_options]\n')
        for i in range(size):
            (project / f"unit_{i:02}.py").write_text(module_text(f"unit_{i:02}", 1 + i * 7 % 5))
        return project


class HardLimits(campaign.Trial):
    @classmethod
    def prepare(cls, home):
        return Shared(home)

    def runTest(self):
        self.draw()
        self.kills = self.starts = self.most = 0
        for _ in range(self.dice.choice((0, 0, 1, 2, 3))):
            if not self.finished():
                self.killed()
        # The command would begin another run with what failed, and a budget of its own.
        code = 0 if self.finished() else self.completed()
        # Raising the limit and the same command go on where it stopped.
        if code == 4 and self.dice.random() < 0.4:
            self.limits = self.raised()
            code = self.completed()
        if code == 4 and self.dice.random() < 0.2:
            self.limits = Limits(None, None, "stop")
            code = self.completed()
            self.assertNotEqual(code, 4, "deferred without a limit")
        return {"tasks": self.size, "in flight": self.concurrent, "parallel": self.parallel, "limits": self.shown(),
                "kills": self.kills, "billed": len(self.server.bill.lines()), "code": code,
                "used": f"{self.most / 10:.1f} %"}

    def draw(self):
        dice = self.dice
        self.size = dice.choice(SIZES)
        self.concurrent = dice.choice(CONCURRENT)
        self.parallel = dice.choice(("auto", "1", "2", "8"))
        self.batch_size = dice.randint(1, 8)
        self.limits = self.some_limits()
        lies = {lie: dice.random() < 0.7
                for lie in ("bill_max_tokens", "dearest_cache_writes", "token_a_byte", "double_output")}
        settings = [f"lies.{lie}=true" for lie, told in lies.items() if told]
        faults = [f for f in ("reset_after_billing", "truncated", "stream_error", "wrong_content_type", "overloaded",
                              "reset_unread", "server_error") if dice.random() < 0.4]
        settings += [f"faults.{fault}={dice.uniform(0.02, 0.13):.3f}" for fault in faults]
        # A request that hangs takes the whole time of its task, so that few runs can have some.
        self.hangs = dice.random() < 0.04
        if self.hangs:
            settings.append("faults.hang_billed=0.1")
        settings += [f"answers.{form}=0.05" for form in ("max_tokens", "prose", "broken_code", "refusal", "empty")
                     if dice.random() < 0.3]
        settings += [f"seed={self.seed}", f"latency.median_ms={dice.choice((0.5, 2, 8))}", "latency.sigma=1"]
        self.project_path = self.room / "project"
        shutil.copytree(self.shared.projects[self.size], self.project_path)
        self.server = self.simulator(*settings)

    def some_limits(self):
        """From one request's cost to half the run's: evenly over the magnitudes between."""
        worst = self.shared.worst[self.size]
        policy = self.dice.choice(("stop", "next", "warn"))
        kind = self.dice.choice(("budget", "batch", "both"))

        def between(least, most):
            return round(least * (most / least) ** self.dice.random()) if most > least else least

        budget = between(worst[0], sum(worst) // 2) if kind != "batch" else None
        each_batch = between(worst[0], sum(worst[-self.batch_size:])) if kind != "budget" else None
        if self.dice.random() < 0.05:  # One nano-dollar too little for any task.
            budget, each_batch = budget and worst[0] - 1, each_batch and worst[0] - 1
        return Limits(budget, each_batch, policy)

    def raised(self):
        def more(limit):
            return limit and limit + self.dice.randint(1, sum(self.shared.worst[self.size]))

        return self.limits._replace(budget=more(self.limits.budget), each_batch=more(self.limits.each_batch))

    def shown(self):
        amount = [f"{name} {dollars(limit)[:-5]}" for name, limit in (("run", self.limits.budget),
                                                                      ("batch", self.limits.each_batch)) if limit]
        return " ".join(amount + [self.limits.policy])

    def command(self):
        limits = self.limits
        return ["generate-logical-batch", self.project_path, "--force", "-q", "-c", str(self.concurrent),
                "-b", str(self.batch_size), "--parallel-batches", self.parallel, "--on-limit", limits.policy,
                "--timeout", "1" if self.hangs else "30",
                "--budget", dollars(limits.budget) if limits.budget else "none",
                "--cost-limit", dollars(limits.each_batch) if limits.each_batch else "none"]

    def env(self, server=None, key="key-of-a-test"):
        told = super().env(server, key)
        return dict(told, COHORT_CONFIG_DIR=str(self.shared.config)) if self.shared else told

    def killed(self):
        run = self.start(*self.command(), server=self.server)
        try:
            run.wait(timeout=self.dice.uniform(0.01, 0.25))
        except subprocess.TimeoutExpired:
            self.kills += 1
        run.kill()
        run.wait()
        self.held()

    def finished(self):
        if not (self.project_path / STATE / "ledger.db").exists():
            return False
        with Book(self.project_path) as book:
            runs = book.all("SELECT status FROM run")
        self.assertLessEqual(len(runs), 1, "a second run was begun")
        return runs == [(3,)]

    def deferred_before(self):
        """With `stop`, or a limit of the whole run, a start may end before it opens a batch again in which an earlier one
        deferred tasks."""
        may_stop = self.limits.policy == "stop" or self.limits.budget is not None
        if not may_stop or not (self.project_path / STATE / "ledger.db").exists():
            return set()
        with Book(self.project_path) as book:
            return {key for key, in book.all("SELECT key FROM task WHERE state = 5")}

    def completed(self):
        self.exempt = self.deferred_before()
        run = self.start(*self.command(), server=self.server)
        ended = self.finish(run, timeout=BOUND)
        self.assertIn(ended.code, (0, 2, 3, 4), ended.err)
        self.held()
        if "lets no task run" in ended.err:
            return self.too_low(ended)
        self.idle(ended.code)
        return ended.code

    def too_low(self, ended):
        """A limit under which nothing can start is refused at once; the least that it names works."""
        least = re.findall(r"least that works is \$([0-9.]+[0-9])", ended.err)
        self.assertEqual(len(least), 1, ended.err)
        billed = len(self.server.bill.lines())
        amount = round(decimal.Decimal(least[0]) * 10**9)
        option = re.search(r"(--budget|--cost-limit) \$[0-9.]+ lets no task run", ended.err).group(1)
        self.limits = self.limits._replace(**{"budget" if option == "--budget" else "each_batch": amount})
        self.exempt = self.deferred_before()
        again = self.finish(self.start(*self.command(), server=self.server), timeout=BOUND)
        self.held()
        if "lets no task run" in again.err:
            return self.too_low(again)
        self.assertIn(again.code, (0, 3, 4), again.err)
        unbilled = {"faults.overloaded", "faults.reset_unread", "faults.server_error", "faults.stream_error"}
        if not unbilled & {setting.split("=")[0] for setting in self.server_settings}:
            self.assertGreater(len(self.server.bill.lines()), billed, "the least that works did not work")
        self.idle(again.code)
        return again.code

    def simulator(self, *settings):
        self.server_settings = settings
        return super().simulator(*settings)

    def held(self):
        """By the bill alone; the ledger only tells which batch a prompt belongs to."""
        lines = self.server.bill.lines()
        whole = sum(line["cost_nano_dollars"] for line in lines)
        if self.limits.budget:
            self.assertLessEqual(whole, self.limits.budget, "the bill is above the run's limit")
            self.most = max(self.most, 1000 * whole // self.limits.budget)
        if not (self.project_path / STATE / "ledger.db").exists():
            self.assertEqual(lines, [])
            return
        with Book(self.project_path) as book:
            self.assertGreaterEqual(book.charged(), whole, "the bill is above what is charged")
            if self.limits.budget:
                self.assertLessEqual(book.charged(), self.limits.budget, "more is charged than the limit")
            batch_of = {hashlib.sha256(prompt).hexdigest(): batch for prompt, batch in
                        book.all("SELECT s.prompt, t.batch FROM spec s JOIN task t ON t.key = s.task")}
        if not self.limits.each_batch or self.limits.policy == "warn":
            return
        spent = collections.Counter()
        for line in lines:
            spent[batch_of[line["prompt_sha256"]]] += line["cost_nano_dollars"]
        for batch, cost in spent.items():
            self.assertLessEqual(cost, self.limits.each_batch, f"the bill is above the limit of batch {batch}")
            self.most = max(self.most, 1000 * cost // self.limits.each_batch)

    def idle(self, code):
        """What is reserved when nothing is in flight, and whether there was room for what was turned away."""
        self.unlocked(self.project_path)
        lines = self.server.bill.lines()
        with Book(self.project_path) as book:
            unknown = book.one("SELECT count(*) FROM attempt WHERE outcome = 3")
            open_ones = book.one("SELECT count(*) FROM attempt WHERE outcome = 0")
            reserved = book.one("SELECT coalesce(sum(reserved), 0) FROM attempt WHERE outcome IN (0, 3)")
            deferred = book.all("SELECT t.key, t.batch, t.worst, (SELECT count(*) FROM attempt a WHERE a.task = t.key) "
                                "FROM task t WHERE t.state = 5")
            waiting = book.one("SELECT count(*) FROM task WHERE state IN (0, 1)")
            charged = dict(book.all("SELECT t.batch, sum(CASE a.outcome WHEN 1 THEN a.cost WHEN 2 THEN 0 ELSE a.reserved "
                                    "END) FROM attempt a JOIN task t ON t.key = a.task GROUP BY t.batch"))
        unsure = sum(line["outcome"] in UNSURE for line in lines)
        if self.kills == 0:
            self.assertEqual(open_ones, 0, "an attempt was left open")
            self.assertGreaterEqual(unknown, unsure)
        self.assertLessEqual(open_ones, self.kills * self.concurrent)
        shown = json.loads(self.cohort("generate-logical-batch", self.project_path, "--stats", "--json").out)
        self.assertEqual(round(shown["cost"]["unconfirmed"] * 1e9), reserved, "reserved is not what is unconfirmed")
        if code != 4:
            self.assertEqual((len(deferred), waiting), (0, 0), "work is left, but the code does not say so")
            return
        self.assertGreater(len(deferred) + waiting, 0, "stopped by a limit with nothing left to do")
        whole = sum(charged.values())
        for key, batch, worst, attempts in deferred:
            # A task asked again may reserve more than its plan says; one that was never asked reserves just that.
            if attempts or key in self.exempt:
                continue
            full = self.limits.budget is not None and whole + worst > self.limits.budget
            if self.limits.each_batch is not None and self.limits.policy != "warn":
                full = full or charged.get(batch, 0) + worst > self.limits.each_batch
            self.assertTrue(full, f"a task of {worst} was turned away with room for it: {charged}")

    @classmethod
    def verdict(cls, facts):
        codes = collections.Counter(fact["code"] for fact in facts)
        kills = sum(fact["kills"] for fact in facts)
        billed = sum(fact["billed"] for fact in facts)
        used = sorted(float(fact["used"].split()[0]) for fact in facts)
        assert codes[4] > len(facts) // 4, f"hardly any run met its limit: {codes}"
        assert used[-1] <= 100
        return (f"{billed} billed requests, {kills} kills; ended with 0: {codes[0]}, 3: {codes[3]}, 4: {codes[4]}; of a limit "
                f"at most {used[-1]} % was billed, in half of the runs more than {used[len(used) // 2]} %")


if __name__ == "__main__":
    campaign.main("no bill passes a limit, and no reservation leaks", HardLimits, 30)
