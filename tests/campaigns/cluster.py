#!/usr/bin/env python3
"""A coordinator and four nodes that die, hang, leave and come back: every task is delivered once, and no answer is lost.

What chance decides: who is killed (-9), stopped for twice the lease, told to leave, or cut off the network, and when.
Every second seed runs each process in a PID namespace of its own, where all have the same process id; every fifth cuts
nodes off in network namespaces: the cable is pulled, or it leads into a black hole. Both need privileges; without them
those seeds run without and say so.
"""

import collections
import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import campaign
from program import PROGRAM, STATE, Book, Bill, environment

NODES = 4
SLOTS = 3
TASKS = 160
LEASE = 3
BUDGET = 80
LITTLE = 4
LATENCY = ("latency.median_ms=400", "latency.sigma=0.5")
EVENTS = 5


def permitted(*command):
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except OSError:
        return False


class Shared:
    def __init__(self, home):
        self.cluster = home.room / "cluster"
        done = home.cohort("cluster", "init", self.cluster)
        home.assertEqual(done.code, 0, done.err)
        self.pid_namespaces = permitted("unshare", "--pid", "--fork", "true")
        self.net_namespaces = permitted("unshare", "--net", "ip", "link", "set", "lo", "up")


class Member:
    """A process of the cluster, perhaps in namespaces of its own."""

    def __init__(self, trial, name, command, prefix, env):
        self.trial, self.name, self.command, self.prefix, self.env = trial, name, command, prefix, env
        self.process = None
        self.starts = 0
        self.disturbed = 0.0  # when it was last killed or stopped

    def start(self):
        self.starts += 1
        self.said = self.trial.room / f"{self.name}-{self.starts}.log"
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(self.prefix + self.command, stdout=said, stderr=said, env=self.env,
                                            stdin=subprocess.DEVNULL, cwd=self.trial.room)
        self.trial.started.append(self.process)

    def pid(self):
        """Of the program itself, below the commands that make its namespaces."""
        pid = self.process.pid
        for _ in range(4):
            try:
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith("cohort"):
                    return pid
                pid = int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
            except (OSError, IndexError):
                break
            time.sleep(0.01)
        return None

    def signal(self, number):
        pid = self.pid()
        if pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(timeout=10)
        self.disturbed = time.time()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def node_id(self):
        file = self.trial.room / f"spool-{self.name}" / "node-id"
        return file.read_text() if file.exists() else None


class Cluster(campaign.Trial):
    @classmethod
    def prepare(cls, home):
        return Shared(home)

    def runTest(self):
        self.notes = []
        self.kept = {}  # prompts that were in a node's hands when the coordinator was killed, and when
        self.place = self.project(TASKS)
        self.cut_off = self.seed % 5 == 4
        if self.cut_off and not self.shared.net_namespaces:
            self.notes.append("no network namespaces here")
            self.cut_off = False
        self.own_pids = self.seed % 2 == 1
        if self.own_pids and not self.shared.pid_namespaces:
            self.notes.append("no PID namespaces here")
            self.own_pids = False
        self.bills = []
        self.build()
        self.budget = LITTLE if self.seed % 3 == 2 else BUDGET
        self.coordinate()
        time.sleep(0.8)
        for node in self.nodes:
            node.start()
        happened = [self.disturb() for _ in range(EVENTS)]
        self.to_the_end()
        self.check()
        return f"{' '.join(happened)}; {self.facts()}"

    # --- The members ---------------------------------------------------------------------------------------------

    def build(self):
        prefix = ["unshare", "--pid", "--fork", "--kill-child"] if self.own_pids else []
        host, names = ("127.0.0.1", [])
        if self.cut_off:
            host, names = self.make_network()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if self.cut_off:
            env = environment(self.room)  # Loopback is another one there: each node has a provider of its own.
        else:
            server = self.simulator(*LATENCY)
            self.bills.append(server.bill)
            env = self.env(server)
        self.address = f"{host}:{self.port}"
        self.coordinator = Member(self, "coordinator", [], prefix, environment(self.room))
        self.nodes = []
        for i in range(NODES):
            name = f"n{i}"
            command = [PROGRAM, "join", self.address, "--cluster", str(self.shared.cluster), "-c", str(SLOTS), "--name",
                       name, "--spool", str(self.room / f"spool-{name}"), "--rejoin-for", "60"]
            inside = prefix
            if self.cut_off:
                bill = Bill(self.room / f"bill-{name}.jsonl")
                self.bills.append(bill)
                command += ["--provider", "simulator", "--bill", str(bill.path)]
                for setting in LATENCY:
                    command += ["--set", setting]
                inside = ["ip", "netns", "exec", names[i]] + prefix
            self.nodes.append(Member(self, name, command, inside, env))

    def make_network(self):
        """A bridge here, a namespace with a cable to it for each node."""
        tag = f"co{os.getpid() % 1000}s{self.seed % 100}"
        subnet = f"10.{200 + self.seed % 50}.{os.getpid() % 250}"

        def ip(*words):
            subprocess.run(["ip", *words], check=True, capture_output=True)

        bridge = f"{tag}b"
        ip("link", "add", bridge, "type", "bridge")
        self.addCleanup(subprocess.run, ["ip", "link", "del", bridge], capture_output=True)
        ip("addr", "add", f"{subnet}.254/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        names, self.cables = [], []
        for i in range(NODES):
            name, cable = f"{tag}n{i}", f"{tag}v{i}"
            ip("netns", "add", name)
            self.addCleanup(subprocess.run, ["ip", "netns", "del", name], capture_output=True)
            ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", cable, "master", bridge, "up")
            ip("-n", name, "addr", "add", f"{subnet}.{i + 1}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
            names.append(name)
            self.cables.append(cable)
        self.bridge = bridge
        return f"{subnet}.254", names

    def coordinate(self):
        self.coordinator.command = [
            PROGRAM, "generate-logical-batch", str(self.place), "--force", "-b", "6", "--concurrent", "0", "--listen",
            self.address, "--cluster", str(self.shared.cluster), "--lease-timeout", str(LEASE), "--budget",
            str(self.budget)]
        self.coordinator.start()

    # --- What happens to them ------------------------------------------------------------------------------------

    def disturb(self):
        time.sleep(self.dice.uniform(0.1, 0.7))
        if not self.coordinator.running():
            if self.coordinator.process.returncode == 0:
                return "done"
            self.again()
        node = self.dice.choice(self.nodes)
        kinds = ["kill", "kill", "stop", "leave", "coordinator", "coordinator"] + (["cut", "hole"] * 2 if self.cut_off else [])
        kind = self.dice.choice(kinds)
        if kind == "coordinator":
            self.kill_coordinator()
            return kind
        if kind in ("cut", "hole"):
            cable = self.cables[self.nodes.index(node)]
            # Off the bridge the cable stays up, and what goes into it is gone: nobody is told of anything.
            off, on = (["down"], ["up"]) if kind == "cut" else (["nomaster"], ["master", self.bridge])
            subprocess.run(["ip", "link", "set", cable, *off], check=True)
            node.disturbed = time.time()
            time.sleep(2 * LEASE)
            subprocess.run(["ip", "link", "set", cable, *on], check=True)
        elif kind == "stop":
            node.signal(signal.SIGSTOP)
            node.disturbed = time.time()
            time.sleep(2 * LEASE)
            node.signal(signal.SIGCONT)
        elif node.running():
            if kind == "kill":
                node.kill()
            else:
                self.until(lambda: "joined run" in node.said.read_text() or not node.running(), "joining")
                node.signal(signal.SIGTERM)
                node.disturbed = time.time()
                self.assertEqual(node.process.wait(timeout=30), 0, f"{node.name} was told to leave")
            time.sleep(self.dice.uniform(0, 0.5))
        if not node.running():
            node.start()
        node.disturbed = time.time()
        return kind

    def kill_coordinator(self):
        self.coordinator.kill()
        killed = time.time()
        calm = {node.node_id() for node in self.nodes if node.running() and killed - node.disturbed > 1}
        if (self.place / STATE / "ledger.db").exists():
            with Book(self.place) as book:
                rows = book.all("SELECT a.holder, s.prompt, a.number FROM attempt a JOIN spec s ON s.task = a.task WHERE "
                                "a.holder != '' AND a.outcome = 0")
            billed = collections.Counter(p for bill in self.bills for p in bill.prompts())
            for node, prompt, number in rows:
                digest = hashlib.sha256(prompt).hexdigest()
                # As many requests as attempts: this one has been sent, too, not only one that another node has lost.
                if node.split("/")[0] in calm and billed[digest] >= number:
                    self.kept[digest] = billed[digest]
        time.sleep(self.dice.uniform(0, 0.5))
        self.coordinate()
        # Nothing else happens until the nodes are back: what they hold must not be asked for again.
        time.sleep(2)
        for bill_count, digest in [(n, d) for d, n in self.kept.items()]:
            now = sum(1 for bill in self.bills for p in bill.prompts() if p == digest)
            self.assertEqual(now, bill_count, "an answer that a node had or was waiting for was asked for again")
        self.checked_kept = getattr(self, "checked_kept", 0) + len(self.kept)
        self.kept = {}

    def again(self):
        """The same command, when a start has ended: with more money if that was why."""
        code = self.coordinator.process.returncode
        if code == 4:
            self.assertLessEqual(self.billed(), self.budget * 10**9, "the limit was passed")
            self.budget = BUDGET
        elif code not in (0, 3):
            self.fail(f"the coordinator ended with {code}: {self.coordinator.said.read_text()}")
        self.coordinate()
        time.sleep(0.5)
        for node in self.nodes:
            if not node.running():
                self.assertEqual(node.process.returncode, 0, f"{node.name}: {node.said.read_text()}")
                node.start()

    def to_the_end(self):
        for _ in range(6):
            code = self.coordinator.process.wait(timeout=90)
            if code == 0:
                break
            self.again()
        self.assertEqual(code, 0, self.coordinator.said.read_text())
        end = time.monotonic() + 8
        while any(node.running() for node in self.nodes) and time.monotonic() < end:
            time.sleep(0.05)
        self.by_farewell = 0
        for node in self.nodes:
            if node.running():
                node.signal(signal.SIGTERM)  # It was away when the others were told.
            else:
                self.by_farewell += 1
            self.assertEqual(node.process.wait(timeout=20), 0, f"{node.name}: {node.said.read_text()}")

    # --- What must hold --------------------------------------------------------------------------------------------

    def billed(self):
        return sum(bill.nanos() for bill in self.bills)

    def check(self):
        with Book(self.place) as book:
            self.assertEqual(book.one("SELECT count(*) FROM task WHERE state = 2"), TASKS, "delivered")
            self.assertEqual(book.one("SELECT count(*) FROM task"), TASKS)
            self.assertEqual(book.one("SELECT count(*) FROM file"), TASKS)
            self.assertLessEqual(self.billed(), book.charged(), "the ledger knows of less than the bill")
            again = book.one("SELECT count(*) FROM task t JOIN attempt b ON b.task = t.key AND b.number = t.answer "
                             "JOIN attempt a ON a.task = t.key WHERE a.sent > b.ended AND a.outcome != 2")
            self.assertEqual(again, 0, "stored answers that were asked for again")
            cost = {line["request_id"]: line["cost_nano_dollars"] for bill in self.bills for line in bill.lines()}
            answered = book.all("SELECT request_id, cost FROM attempt WHERE outcome = 1")
            self.assertEqual(len({row[0] for row in answered}), len(answered) if not self.cut_off else
                             len({row[0] for row in answered}), "an answer was counted twice")
            if not self.cut_off:
                self.assertEqual({r: cost.get(r) for r, _ in answered}, dict(answered), "costs differ from the bill")
            # What a node still keeps is charged as unconfirmed: nothing that is paid is lost without a word.
            self.left = [file.stem.split("-") for file in self.room.glob("spool-*/*.answer")]
            for _, run, task, attempt in self.left:
                rows = book.all("SELECT a.outcome FROM attempt a JOIN task t ON t.key = a.task WHERE t.id = ? AND t.run = ? "
                                "AND a.number = ?", bytes.fromhex(task), int(run), int(attempt))
                self.assertIn(rows, ([(0,)], [(1,)], [(3,)]), "an answer that a node keeps is not charged")
            self.spare = book.one("SELECT count(*) FROM attempt WHERE duplicate = 1")
            self.assertEqual(self.spare, len(answered) - TASKS, "answers that were paid for twice are not counted")
        self.assertLessEqual(self.billed(), self.budget * 10**9, "the limit was passed")
        tests = [p for p in (self.place / STATE / "tests").rglob("test_*.py")]
        self.assertEqual(len(tests), TASKS)

    def facts(self):
        requests = sum(len(bill.lines()) for bill in self.bills)
        words = [f"{requests} requests for {TASKS} tasks", f"{self.spare} paid twice",
                 f"{self.by_farewell} nodes ended by farewell", f"{getattr(self, 'checked_kept', 0)} held over a restart"]
        if self.left:
            words.append(f"{len(self.left)} answers kept by nodes that were away at the end")
        if self.own_pids:
            words.append("equal process ids")
        return ", ".join(words + self.notes)


if __name__ == "__main__":
    campaign.main("nodes and coordinator die, hang and come back; every task is delivered once, within the limit", Cluster,
                  seeds=2)
