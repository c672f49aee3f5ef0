#!/usr/bin/env python3
"""The program against a server that enforces a fraction of the demand: everything succeeds, hardly a 429.

The limiter's arithmetic over many kinds of providers is the business of the campaign `rates`, in virtual time; this one
shows that the program is steered by it, with real sockets and a real clock.
"""

import time

from campaign import Trial, main
from program import Book

WORKERS = 32
LATENCY_MS = 250  # 32 workers then ask for 7,680 requests a minute.


class Rates(Trial):
    def runTest(self):
        kind = ("requests", "output_tokens", "outage")[self.seed % 3]
        tasks = 300
        rules = [f"latency.fixed_ms={LATENCY_MS}", f"seed={self.seed + 1}"]
        limit = self.dice.choice([220, 240, 260])
        if kind == "output_tokens":
            tokens = 600 * limit
            rules.append(f"limits.output_tokens_per_minute={tokens}")
        else:
            rules.append(f"limits.requests_per_minute={limit}")
        if kind == "outage":
            rules += ["outage.from_ms=1000", "outage.for_ms=30000"]
        project, server = self.project(tasks), self.simulator(*rules)
        begun = time.monotonic()
        ended = self.batch(project, "-c", str(WORKERS), "-b", "50", server=server, timeout=280)
        took = time.monotonic() - begun
        self.ends(ended, 0)
        with Book(project) as book:
            self.assertEqual(book.one("SELECT count(*) FROM task WHERE state = 2"), tasks, "everything succeeds")
        lines = server.bill.lines()
        self.assertEqual(len(lines), tasks)
        answered_in = took - LATENCY_MS / 1000
        if kind == "output_tokens":
            used = sum(line["output_tokens"] for line in lines) / (tokens * (1 + answered_in / 60))
        else:
            used = tasks / (limit * (1 + answered_in / 60))
        turned_away = server.requests() - tasks
        facts = f"{kind}, {limit} a minute: {tasks} answered in {took:.1f} s, {turned_away} turned away, {100 * used:.1f} % used"
        if kind == "outage":
            # What came back during the 30 s is overload, not a limit; after it nothing may pass the limit's rate.
            self.assertLessEqual(turned_away, 120, facts)
            self.assertLessEqual(used, 1.0, facts)
        else:
            self.assertLessEqual(turned_away, max(3, tasks // 100), facts)
            self.assertGreaterEqual(used, 0.95, facts)
        return facts


if __name__ == "__main__":
    main("everything succeeds, at most 1 % is refused, at least 95 % of what the limit allows is used", Rates, 2)
