"""Runs the built program as a user would, and looks at what it leaves behind.

Nothing here asks the program for the truth: spending comes from the simulator's own bill, stored answers from the
ledger's file, changes from hashes of the tree.
"""

import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("COHORT_PROGRAM", "")
SOURCE = pathlib.Path(os.environ.get("COHORT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
NODE = os.environ.get("COHORT_NODE", "node")
if not PROGRAM:
    PROGRAM = str(SOURCE / "build" / "cohort")

# The same program with faults on demand (tests/campaigns/fault_points.cpp).
FAULTY = str(pathlib.Path(PROGRAM).parent / "tests" / "campaigns" / "cohort_faults")

# A coordinator or node of another version of the nodes' protocol (tests/program/other_version.cpp).
OTHER_VERSION = os.environ.get("COHORT_OTHER_VERSION") or str(
    pathlib.Path(PROGRAM).parent / "tests" / "program" / "other_version")

# A sanitizer keeps what was freed, so that bounds of memory say nothing.
SANITIZED = bool(os.environ.get("COHORT_SANITIZE"))

STATE = ".claude-testing"

Result = collections.namedtuple("Result", "code out err")


def environment(home, **more):
    """The user's environment without anything that steers the program."""
    dropped = ("ANTHROPIC_", "COHORT_", "CLAUDE_", "XDG_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped) and not k.lower().endswith("_proxy")}
    kept.update(HOME=str(home), LC_ALL="C.UTF-8", **more)
    return kept


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(root, without=(), times=False):
    """Every entry below `root`: path -> kind, mode, content. `times`: modification times and inodes too."""
    seen = {}
    root = os.fsencode(root)
    for folder, folders, files in os.walk(root):
        relative = os.path.relpath(folder, root)
        folders[:] = sorted(d for d in folders if os.fsencode(d) not in {os.fsencode(w) for w in without})
        for name in [b"."] + files + folders:
            path = os.path.join(folder, name)
            facts = os.lstat(path)
            entry = [facts.st_mode]
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as stream:
                    entry.append(hashlib.sha256(stream.read()).hexdigest())
            if times:
                entry += [facts.st_mtime_ns, facts.st_ino, facts.st_size]
            seen[os.path.join(relative, name)] = tuple(entry)
    return seen


class Bill:
    """What the simulated provider says that it billed."""

    def __init__(self, path):
        self.path = path

    def lines(self):
        """Whole ones: a line that is being appended right now can be seen in part."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().split("\n")[:-1]]

    def nanos(self):
        return sum(line["cost_nano_dollars"] for line in self.lines())

    def prompts(self):
        return [line["prompt_sha256"] for line in self.lines()]


class Book:
    """The ledger, read from a copy so that looking changes nothing."""

    def __init__(self, project):
        self.folder = tempfile.mkdtemp(prefix="cohort-book-")
        for name in ("ledger.db", "ledger.db-wal"):
            source = pathlib.Path(os.fsdecode(project)) / STATE / name
            if source.exists():
                shutil.copy(source, self.folder)
        self.base = sqlite3.connect(os.path.join(self.folder, "ledger.db"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.base.close()
        shutil.rmtree(self.folder)

    def all(self, query, *values):
        return self.base.execute(query, values).fetchall()

    def one(self, query, *values):
        return self.base.execute(query, values).fetchone()[0]

    def confirmed(self):
        return self.one("SELECT coalesce(sum(cost), 0) FROM attempt")

    def charged(self):
        """Confirmed and unconfirmed spending, as the limits see it."""
        return self.one("SELECT coalesce(sum(CASE outcome WHEN 1 THEN cost WHEN 2 THEN 0 ELSE reserved END), 0) FROM attempt")

    def answered_prompts(self):
        """Hashes of the prompts, as the bill has them, whose answers are stored."""
        rows = self.all("SELECT s.prompt FROM answer a JOIN spec s ON s.task = a.task")
        return {hashlib.sha256(row[0]).hexdigest() for row in rows}

    def delivered(self):
        return {bytes(row[0]) for row in self.all("SELECT s.source FROM task t JOIN spec s ON s.task = t.key WHERE t.state = 2")}


class Simulator:
    """`cohort simulator` as a process of its own."""

    def __init__(self, folder, settings):
        self.bill = Bill(folder / f"bill-{time.monotonic_ns()}.jsonl")
        command = [PROGRAM, "simulator", "--port", "0", "--bill", str(self.bill.path)]
        for setting in settings:
            command += ["--set", setting]
        self.said = folder / f"simulator-{time.monotonic_ns()}.log"
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True,
                                            env=environment(folder))
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the simulator did not start")

    def requests(self):
        """Ends the server; it then says how many requests it saw."""
        self.process.terminate()
        self.process.wait(timeout=30)
        return int(re.search(r"(\d+) requests", self.said.read_text()).group(1))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def module_text(name, functions=3):
    """A Python module that is worth testing, unlike any with another name."""
    parts = [f'"""Rules of {name}."""\n']
    for i in range(functions):
        parts.append(
            f"def {name}_rule_{i}(value, limit={i + 3}):\n"
            f'    """Part {i} of {name}."""\n'
            f"    if value is None:\n        return {i}\n"
            f"    if value < 0 and limit > 1:\n        raise ValueError('negative')\n"
            f"    total = 0\n"
            f"    for step in range(int(value)):\n"
            f"        if step % 2 == 0 or step > limit:\n            total += step * {i + 1}\n"
            f"        elif step == limit:\n            total -= 1\n"
            f"    while total > 1000:\n        total -= limit\n"
            f"    return total if total else {i}\n")
    return "\n\n".join(parts)


class Case(unittest.TestCase):
    """A folder of its own, and no process left behind."""

    maxDiff = None
    user_state = None  # Where this user's key lies; without it, below the case's own folder.

    def setUp(self):
        self.room = pathlib.Path(tempfile.mkdtemp(prefix="cohort-cli-"))
        self.addCleanup(shutil.rmtree, self.room, ignore_errors=True)
        self.started = []
        self.addCleanup(self.end_processes)

    def end_processes(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()

    def bookshop(self, name="bookshop"):
        project = self.room / name
        shutil.copytree(SOURCE / "examples" / "bookshop", project, ignore=shutil.ignore_patterns(STATE, "__pycache__"))
        return project

    def project(self, count, name="project"):
        """A project of `count` Python modules, each with a gap, and a manifest that names pytest."""
        project = self.room / name
        project.mkdir()
        (project / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n[tool.pytest.ini_options]\n')
        for i in range(count):
            (project / f"unit_{i:03}.py").write_text(module_text(f"unit_{i:03}"))
        return project

    def simulator(self, *settings):
        server = Simulator(self.room, settings)
        self.addCleanup(server.stop)
        return server

    def env(self, server=None, key="key-of-a-test"):
        more = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": key} if server else {}
        if self.user_state:
            more["XDG_STATE_HOME"] = str(self.user_state)
        return environment(self.room, **more)

    def cohort(self, *arguments, server=None, key="key-of-a-test", timeout=60, cwd=None):
        done = subprocess.run([PROGRAM, *map(os.fspath, arguments)], capture_output=True, timeout=timeout,
                              env=self.env(server, key), cwd=cwd or self.room, stdin=subprocess.DEVNULL)
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def batch(self, project, *arguments, **how):
        return self.cohort("generate-logical-batch", project, *arguments, **how)

    def start(self, *arguments, server=None):
        process = subprocess.Popen([PROGRAM, *map(os.fspath, arguments)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.env(server), cwd=self.room,
                                   stdin=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def finish(self, process, timeout=60):
        out, err = process.communicate(timeout=timeout)
        return Result(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def until(self, condition, what, seconds=30):
        """Waits for what another process does; that it takes long is an error, not a longer wait."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.fail(f"{what} did not happen within {seconds} s")
            time.sleep(0.005)

    def view(self, project):
        return json.loads((project / STATE / "batch-state.json").read_text(), object_pairs_hook=collections.OrderedDict)

    def ends(self, result, code):
        self.assertEqual(result.code, code, f"stdout:\n{result.out}\nstderr:\n{result.err}")

    def unlocked(self, project):
        self.assertFalse((project / STATE / "lock").exists(), "the lock is still there")
        self.assertFalse((project / STATE / "ballast").exists(), "disk space is still held in reserve")
