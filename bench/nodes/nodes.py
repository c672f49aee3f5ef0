#!/usr/bin/env python3
"""Tasks through a coordinator and N node processes on loopback, against the simulator in a process of its own.

The plan is made by a first start, which is ended before any work; the second start is measured: its CPU is the
coordinator's alone, without planning. "Ideal" is latency x tasks / slots. --lose measures how soon the tasks of a node
that is killed (SIGKILL), or hangs (SIGSTOP), run elsewhere.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "program"))
os.environ.setdefault("COHORT_PROGRAM", str(SOURCE / "build" / "cohort"))

from program import PROGRAM, Simulator, environment  # noqa: E402

MODULE = ("def rule_{n}(value, limit=3):\n    if value is None:\n        return {n}\n    if value < 0 and limit > 1:\n"
          "        raise ValueError('negative')\n    for step in range(int(value)):\n        if step % 2 == 0 or step > "
          "limit:\n            value += step\n    return value\n")


class Bench:
    def __init__(self, wish):
        self.wish = wish
        self.room = pathlib.Path(tempfile.mkdtemp(prefix="cohort-nodes-", dir=wish.folder))
        self.cluster = self.room / "cluster"
        subprocess.run([PROGRAM, "cluster", "init", str(self.cluster)], check=True, capture_output=True)
        self.project = self.room / "project"
        self.project.mkdir()
        (self.project / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n')
        for n in range(wish.tasks):
            (self.project / f"unit_{n:05}.py").write_text(MODULE.format(n=n))
        self.server = Simulator(self.room, ["latency.median_ms=0", f"latency.fixed_ms={wish.latency}"])
        self.env = environment(self.room, ANTHROPIC_BASE_URL=self.server.url, ANTHROPIC_API_KEY="bench")

    def coordinator(self):
        self.said = self.room / "coordinator.log"
        command = [PROGRAM, "generate-logical-batch", str(self.project), "--force", "-b", "50", "--min-complexity", "1",
                   "--listen", "127.0.0.1:0", "--cluster", str(self.cluster), "--concurrent", "0", "--json"]
        self.events = self.room / "events.jsonl"
        with open(self.said, "w") as said, open(self.events, "w") as events:
            process = subprocess.Popen(command, stdout=events, stderr=said, env=environment(self.room))
        while "nodes may join" not in self.said.read_text():
            time.sleep(0.01)
        self.address = re.search(r"nodes may join at (\S+)", self.said.read_text()).group(1)
        return process

    def plan(self):
        process = self.coordinator()
        while "run_started" not in self.events.read_text():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.wait()

    def node(self, number):
        said = open(self.room / f"n{number}.log", "w")
        return subprocess.Popen(
            [PROGRAM, "join", self.address, "--cluster", str(self.cluster), "-q", "-c",
             str(self.wish.slots // self.wish.nodes), "--name", f"n{number}", "--spool",
             str(self.room / f"spool-{number}")], env=self.env, stdout=said, stderr=said)

    def seen(self, kind):
        found = []
        for line in self.events.read_text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == kind:
                found.append(event)
        return found

    def run(self):
        self.plan()
        process = self.coordinator()
        nodes = [self.node(n) for n in range(self.wish.nodes)]
        lost_at = None
        if self.wish.lose:
            while len(self.server.bill.lines()) < min(self.wish.slots, self.wish.tasks):
                time.sleep(0.01)
            first = self.seen("node_joined")[0]["node"]  # It has work for certain.
            nodes[int(first[1:])].send_signal(signal.SIGKILL if self.wish.lose == "kill" else signal.SIGSTOP)
            lost_at = time.time()
        _, status, usage = os.wait4(process.pid, 0)
        if self.wish.lose == "stop":
            nodes[int(first[1:])].kill()
        for node in nodes:
            node.wait()
        stamps = [stamp(e) for e in self.seen("task_ended")]
        begun = min(stamp(e) for e in self.seen("task_started"))
        wall = max(stamps) - begun
        cpu = (usage.ru_utime + usage.ru_stime) / self.wish.tasks * 1e3
        ideal = self.wish.latency / 1e3 * self.wish.tasks / self.wish.slots
        line = (f"{self.wish.tasks} tasks, {self.wish.nodes} nodes, {self.wish.slots} slots, {self.wish.latency} ms: "
                f"{self.wish.tasks / wall:.0f} tasks/s, coordinator CPU {cpu:.3f} ms/task, peak "
                f"{usage.ru_maxrss / 1024:.0f} MB, wall {wall:.2f} s")
        if ideal:
            line += f" = {wall / ideal:.2f} x ideal"
        if lost_at:
            lost = stamp(self.seen("node_lost")[0]) - lost_at
            again = min(stamp(e) for e in self.seen("task_started") if e["attempt"] == 2) - lost_at
            line += f"; loss noticed after {lost * 1e3:.0f} ms, its first task runs elsewhere after {again * 1e3:.0f} ms"
        print(line, flush=True)
        self.server.stop()
        return os.waitstatus_to_exitcode(status)


def stamp(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--slots", type=int, default=64, help="of all nodes together")
    parser.add_argument("--latency", type=int, default=0, help="the server's, in ms")
    parser.add_argument("--lose", choices=("kill", "stop"), help="a node, when all slots are busy or all tasks under way: "
                        "with more slots than tasks others are free")
    parser.add_argument("folder", help="where the project is made; it is left there")
    sys.exit(Bench(parser.parse_args()).run())
