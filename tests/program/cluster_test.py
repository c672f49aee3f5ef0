"""Nodes join a coordinator: what their users meet, and what strangers on the port meet."""

import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import termios
import threading
import time

from program import OTHER_VERSION, PROGRAM, SANITIZED, SOURCE, STATE, Book, Case, module_text

CALM = ("latency.fixed_ms=60", "latency.median_ms=0")


class ClusterBase(Case):
    def setUp(self):
        super().setUp()
        self.cluster = self.room / "cluster"
        self.ends(self.cohort("cluster", "init", self.cluster), 0)

    def coordinate(self, project, *arguments, server=None, concurrent=0, lease="5", before=None):
        """Starts a coordinator; returns it once it tells where it listens."""
        said = self.room / f"coordinator-{time.monotonic_ns()}.log"
        with open(said, "w") as errors, open(str(said) + ".out", "w") as out:
            process = subprocess.Popen(
                [PROGRAM, "generate-logical-batch", str(project), "--force", "--listen", "127.0.0.1:0", "--cluster",
                 str(self.cluster), "--concurrent", str(concurrent), "--lease-timeout", lease, *arguments],
                stdout=out, stderr=errors, env=self.env(server), cwd=self.room, stdin=subprocess.DEVNULL,
                preexec_fn=before)
        self.started.append(process)
        process.said = said
        self.until(lambda: "nodes may join at" in said.read_text(), "listening")
        process.address = re.search(r"nodes may join at (\S+)", said.read_text()).group(1)
        return process

    def join(self, where, name, *arguments, server=None, cluster=None, key="key-of-a-test"):
        said = self.room / f"{name}-{time.monotonic_ns()}.log"
        command = [PROGRAM, "join", str(where), "--name", name, "--spool", str(self.room / f"spool-{name}"), *arguments]
        if cluster is not False:
            command += ["--cluster", str(cluster or self.cluster)]
        with open(said, "w") as errors:
            process = subprocess.Popen(command, stdout=errors, stderr=errors, env=self.env(server, key), cwd=self.room,
                                       stdin=subprocess.DEVNULL)
        self.started.append(process)
        process.said = said
        return process

    def ended(self, process, code, timeout=60):
        self.assertEqual(process.wait(timeout=timeout), code, process.said.read_text())
        return process.said.read_text()

    def joined(self, node):
        self.until(lambda: "joined run" in node.said.read_text(), "joining")

    def delivered(self, project):
        with Book(project) as book:
            return book.one("SELECT count(*) FROM task WHERE state = 2")


class Joining(ClusterBase):
    def test_two_nodes_do_all_the_work_of_a_coordinator_without_a_key(self):
        project = self.project(20)
        server = self.simulator(*CALM)
        run = self.coordinate(project)  # No server, no key.
        nodes = [self.join(run.address, name, "-c", "4", server=server) for name in ("alpha", "beta")]
        self.ended(run, 0)
        for node in nodes:
            self.assertIn("the run has ended", self.ended(node, 0))
        self.assertEqual(self.delivered(project), 20)
        self.assertEqual(len(server.bill.lines()), 20)
        with Book(project) as book:
            self.assertEqual(book.one("SELECT count(DISTINCT holder) FROM attempt WHERE holder != ''"), 2)
            self.assertEqual(book.confirmed(), server.bill.nanos())
        self.assertEqual([p.name for p in self.room.glob("spool-*/*.answer")], [])
        self.unlocked(project)

    def test_joins_a_run_on_this_machine_by_its_project_and_stats_show_it(self):
        project = self.project(12)
        server = self.simulator("latency.fixed_ms=400")
        run = self.coordinate(project)
        node = self.join(project, "gamma", "-c", "2", server=server, cluster=False)
        self.joined(node)
        stats = {}

        def shown():
            said = self.batch(project, "--stats", "--json")
            stats.update(json.loads(said.out) if said.code == 0 else {})
            return stats.get("nodes")
        self.until(shown, "the node's line")
        line = stats["nodes"][0]
        self.assertEqual((line["name"], line["standing"], line["slots"]), ("gamma", "joined", 2))
        self.assertIn("gamma", self.batch(project, "--stats").out)
        self.ended(run, 0)
        self.ended(node, 0)
        self.assertFalse((project / STATE / "nodes.json").exists())

    def test_a_node_that_is_told_to_leave_finishes_and_others_go_on(self):
        project = self.project(24)
        server = self.simulator("latency.fixed_ms=300")
        run = self.coordinate(project)
        leaver = self.join(run.address, "leaver", "-c", "3", server=server)
        self.joined(leaver)
        self.until(lambda: len(server.bill.lines()) >= 3, "work")
        leaver.send_signal(signal.SIGTERM)
        self.ended(leaver, 0)
        stayer = self.join(run.address, "stayer", "-c", "6", server=server)
        self.ended(run, 0)
        self.ended(stayer, 0)
        self.assertEqual(len(server.bill.lines()), 24, "nothing was asked twice")
        self.assertIn("node leaver left", run.said.read_text())

    def test_a_node_that_dies_is_noticed_at_once_and_its_tasks_go_to_others(self):
        project = self.project(8)
        slow = self.simulator("latency.fixed_ms=60000")
        server = self.simulator(*CALM)
        run = self.coordinate(project, "--budget", "20", "-q", lease="60")
        doomed = self.join(run.address, "doomed", "-c", "2", server=slow)
        self.until(lambda: len(slow.bill.lines()) == 2, "two requests in flight")
        doomed.kill()
        killed = time.monotonic()
        self.until(lambda: "cohort: warning: node doomed is lost" in run.said.read_text(), "the warning", seconds=5)
        self.assertLess(time.monotonic() - killed, 1.0)
        other = self.join(run.address, "other", "-c", "4", server=server)
        self.ended(run, 0)
        self.ended(other, 0)
        with Book(project) as book:
            self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE outcome = 3"), 2)
            self.assertGreaterEqual(book.charged(), server.bill.nanos() + slow.bill.nanos())

    def test_after_a_kill_of_the_coordinator_nothing_that_a_node_has_is_asked_again(self):
        project = self.project(16)
        server = self.simulator("latency.fixed_ms=500")
        run = self.coordinate(project)
        node = self.join(run.address, "steady", "-c", "4", server=server)
        self.until(lambda: len(server.bill.lines()) >= 6, "work")
        run.kill()
        run.wait()
        self.until(lambda: list(self.room.glob("spool-steady/*.answer")), "answers kept by the node")
        said = self.room / "again.log"
        with open(said, "w") as errors:
            again = subprocess.Popen([PROGRAM, "generate-logical-batch", str(project), "--listen", run.address, "--cluster",
                                      str(self.cluster), "--concurrent", "0", "--lease-timeout", "5"], stderr=errors,
                                     stdout=errors, env=self.env(), cwd=self.room, stdin=subprocess.DEVNULL)
        again.said = said
        self.started.append(again)
        self.ended(again, 0)
        self.ended(node, 0)
        self.assertEqual(len(server.bill.lines()), 16, "an answer was asked for twice")
        with Book(project) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos())
            self.assertEqual(book.charged(), book.confirmed(), "what was unconfirmed is known now")
        self.assertEqual(list(self.room.glob("spool-*/*.answer")), [])


class Comings(ClusterBase):
    def test_the_end_of_one_connection_leaves_the_others_alone(self):
        project = self.project(90)
        server = self.simulator("latency.fixed_ms=250", "latency.median_ms=0")
        run = self.coordinate(project)
        steady = [self.join(run.address, name, "-c", "1", server=server) for name in ("alpha", "beta")]
        for node in steady:
            self.joined(node)
        for i in range(12):
            fleeting = self.join(run.address, f"fleeting{i}", "-c", "1", server=server)
            self.joined(fleeting)
            fleeting.kill()
            fleeting.wait()
        for node in steady:
            self.assertNotIn("connection ended", node.said.read_text())
        run.send_signal(signal.SIGTERM)
        self.ended(run, 130)
        for node in steady:
            self.ended(node, 0)
        lost = set(re.findall(r"node (\S+) is lost", run.said.read_text()))
        self.assertFalse(lost & {"alpha", "beta"}, run.said.read_text())

    def lose_a_sleeper(self, run, slow):
        """A node that is stopped while its first request is in flight, and taken for lost."""
        sleeper = self.join(run.address, "sleeper", "-c", "1", server=slow)
        self.until(lambda: len(slow.bill.lines()) == 1, "a request in flight")
        sleeper.send_signal(signal.SIGSTOP)
        self.until(lambda: "node sleeper is lost" in run.said.read_text(), "the loss")
        return sleeper

    def test_an_answer_that_came_after_the_end_is_handed_over_to_the_next_run(self):
        project = self.project(3)
        slow = self.simulator("latency.fixed_ms=2500", "latency.median_ms=0")
        server = self.simulator(*CALM)
        run = self.coordinate(project, lease="1")
        sleeper = self.lose_a_sleeper(run, slow)
        other = self.join(run.address, "other", "-c", "2", server=server)
        self.ended(run, 0)
        self.ended(other, 0)
        sleeper.send_signal(signal.SIGCONT)
        self.until(lambda: list(self.room.glob("spool-sleeper/*.answer")), "the answer that is kept")
        sleeper.send_signal(signal.SIGTERM)
        self.assertIn("1 answers are kept in", self.ended(sleeper, 0))
        with Book(project) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos())
            self.assertGreaterEqual(book.charged(), server.bill.nanos() + slow.bill.nanos(), "it stays charged")
        for i in range(4):
            shutil.copy(project / "unit_000.py", project / f"more_{i}.py")
        again = self.coordinate(project)
        back = self.join(again.address, "sleeper", "-c", "1", server=server)
        self.ended(again, 0)
        self.assertIn("1 answers of before", self.ended(back, 0))
        self.assertEqual(list(self.room.glob("spool-sleeper/*.answer")), [])
        with Book(project) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos() + slow.bill.nanos())
            self.assertEqual(book.charged(), book.confirmed(), "what it cost is known now")
            self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE duplicate = 1"), 1)

    def test_an_answer_that_is_on_its_way_at_the_end_is_taken_in(self):
        project = self.project(3)
        slow = self.simulator("latency.fixed_ms=8000", "latency.median_ms=0")
        server = self.simulator(*CALM)
        run = self.coordinate(project, lease="5")
        sleeper = self.lose_a_sleeper(run, slow)
        sleeper.send_signal(signal.SIGCONT)
        self.until(lambda: sleeper.said.read_text().count("joined run") == 2, "the return")
        other = self.join(run.address, "other", "-c", "2", server=server)
        self.ended(run, 0)
        self.ended(other, 0)
        self.ended(sleeper, 0)
        self.assertEqual(list(self.room.glob("spool-sleeper/*.answer")), [])
        with Book(project) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos() + slow.bill.nanos())
            self.assertEqual(book.charged(), book.confirmed())

    def test_a_second_signal_ends_a_node_at_once(self):
        project = self.project(4)
        slow = self.simulator("latency.fixed_ms=60000")
        server = self.simulator(*CALM)
        run = self.coordinate(project, "--budget", "20")
        node = self.join(run.address, "hasty", "-c", "2", server=slow)
        self.until(lambda: len(slow.bill.lines()) == 2, "two requests in flight")
        node.send_signal(signal.SIGTERM)
        self.until(lambda: "leaving" in node.said.read_text(), "the first signal")
        self.assertIsNone(node.poll())
        node.send_signal(signal.SIGTERM)
        said = self.ended(node, 0, timeout=5)
        self.assertIn("unconfirmed", said)
        other = self.join(run.address, "other", "-c", "4", server=server)
        self.ended(run, 0)
        self.ended(other, 0)
        with Book(project) as book:
            self.assertGreaterEqual(book.charged(), server.bill.nanos() + slow.bill.nanos())

    def test_fallback_models_work_on_nodes(self):
        project = self.project(6)
        opus, sonnet = "claude-opus-5-5", "claude-sonnet-5-5"
        server = self.simulator(f"outage.model={opus}", "outage.for_ms=600000")
        run = self.coordinate(project, "-m", "opus", "--fallback-model", "sonnet")
        node = self.join(run.address, "alpha", "-c", "3", server=server)
        self.ended(run, 0)
        self.ended(node, 0)
        self.assertEqual({line["model"] for line in server.bill.lines()}, {sonnet})
        with Book(project) as book:
            self.assertEqual(book.confirmed(), server.bill.nanos())
        self.assertEqual(self.delivered(project), 6)

    def test_both_sides_show_their_line_on_a_terminal(self):
        project = self.project(16)
        server = self.simulator("latency.fixed_ms=400", "latency.median_ms=0")
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        run = self.on_terminal(["generate-logical-batch", str(project), "--force", "--listen", address, "--cluster",
                                str(self.cluster), "--concurrent", "0"], self.env())
        node = self.on_terminal(["join", address, "--name", "delta", "--spool", str(self.room / "spool-delta"), "-c", "2",
                                 "--cluster", str(self.cluster)], self.env(server))
        self.assertEqual(run.wait(timeout=60), 0, run.shown())
        self.assertEqual(node.wait(timeout=20), 0, node.shown())
        self.assertRegex(node.shown(), r"\rnode delta  joined  2/2 in flight  \d+ answers  0 failed\x1b\[K")
        self.assertRegex(run.shown(), r"delta [12]/2")

    def on_terminal(self, arguments, env):
        """The program on a terminal of its own; `shown()` is all that it has written there."""
        control, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal,
                                   env=dict(env, TERM="xterm"), cwd=self.room)
        os.close(terminal)
        self.started.append(process)
        pieces = []

        def read():
            while True:
                try:
                    piece = os.read(control, 65536)
                except OSError:
                    return
                if not piece:
                    return
                pieces.append(piece)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()

        def shown():
            if process.poll() is not None:
                reader.join(5)
            return b"".join(pieces).decode("utf-8", "replace")

        process.shown = shown
        self.addCleanup(os.close, control)
        return process


class NodesThatFail(ClusterBase):
    def test_a_blocked_network_puts_a_node_aside_with_its_reason(self):
        project = self.project(24)
        server = self.simulator("latency.fixed_ms=500", "latency.median_ms=0")
        run = self.coordinate(project, "--budget", "20")
        good = self.join(run.address, "good", "-c", "2", server=server)
        self.joined(good)
        with socket.create_server(("127.0.0.1", 0)) as free:
            closed = f"http://127.0.0.1:{free.getsockname()[1]}"
        said = self.room / "blocked.log"
        with open(said, "w") as errors:
            blocked = subprocess.Popen(
                [PROGRAM, "join", run.address, "--name", "blocked", "-c", "3", "--spool", str(self.room / "spool-blocked"),
                 "--cluster", str(self.cluster)], stdout=errors, stderr=errors, cwd=self.room, stdin=subprocess.DEVNULL,
                env=dict(self.env(), ANTHROPIC_BASE_URL=closed, ANTHROPIC_API_KEY="key-of-a-test"))
        blocked.said = said
        self.started.append(blocked)
        self.ended(run, 0)
        self.ended(good, 0)
        self.ended(blocked, 0)
        self.assertRegex(run.said.read_text(), r"node blocked is put aside: .*[Cc]onnect")
        self.assertEqual(self.delivered(project), 24)
        self.assertEqual(len(server.bill.lines()), 24, "nothing was asked twice")

    def test_a_bad_key_puts_a_node_aside_and_the_others_do_its_work(self):
        project = self.project(12)
        server = self.simulator("latency.fixed_ms=300")
        run = self.coordinate(project, "-q")
        good = self.join(run.address, "good", "-c", "2", server=server)
        self.joined(good)
        good.send_signal(signal.SIGSTOP)  # Or it could do all the work before the other one comes.
        bad = self.join(run.address, "bad", "-c", "4", server=server, key="sk-ant-invalid-1")
        self.joined(bad)
        good.send_signal(signal.SIGCONT)
        self.ended(run, 0)
        self.ended(good, 0)
        self.ended(bad, 0)
        self.assertIn("cohort: warning: node bad is put aside", run.said.read_text())
        self.assertEqual(self.delivered(project), 12)
        self.assertEqual(len(server.bill.lines()), 12)

    def test_the_only_node_with_a_bad_key_stops_the_run_with_the_reason(self):
        project = self.project(12)
        server = self.simulator(*CALM)
        run = self.coordinate(project)
        bad = self.join(run.address, "bad", "-c", "2", server=server, key="sk-ant-invalid-1")
        said = self.ended(run, 1)
        self.assertIn("ANTHROPIC_API_KEY", said)
        self.ended(bad, 0)

    def test_no_key_reaches_the_coordinator_or_a_file(self):
        project = self.project(6)
        server = self.simulator(*CALM)
        run = self.coordinate(project, "-v")
        node = self.join(run.address, "alpha", "-c", "2", server=server, key="key-that-nobody-may-see")
        self.ended(run, 0)
        self.ended(node, 0)
        for path in self.room.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"key-that-nobody-may-see", path.read_bytes(), path)


class OwnWorkers(ClusterBase):
    def begin_for_nodes_alone(self, project):
        run = self.coordinate(project)
        self.until(lambda: "batch 1/" in run.said.read_text(), "the first batch")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(timeout=60), 130, run.said.read_text())

    def test_a_run_for_nodes_alone_that_gets_workers_by_a_template_asks_by_itself(self):
        project, server = self.project(12), self.simulator()
        self.begin_for_nodes_alone(project)
        self.assertGreater(json.loads((SOURCE / "config/templates/overnight.json").read_text())["concurrent"], 0)
        ended = self.batch(project, "--listen", "127.0.0.1:0", "--cluster", self.cluster, "--template", "overnight",
                           "--force", server=server)
        self.ends(ended, 0)
        self.assertEqual(len(server.bill.lines()), 12)
        # A finished run's --concurrent 0 says nothing of the next one.
        (project / "another.py").write_text(module_text("another"))
        self.ends(self.batch(project, "--force", server=server), 0)
        self.assertEqual(len(server.bill.lines()), 13)

    def test_a_run_that_got_workers_by_a_template_needs_a_key_for_them(self):
        project = self.project(12)
        self.begin_for_nodes_alone(project)
        ended = self.batch(project, "--listen", "127.0.0.1:0", "--cluster", self.cluster, "--template", "overnight")
        self.ends(ended, 2)
        self.assertIn("ANTHROPIC_API_KEY", ended.err)


class Refused(ClusterBase):
    def test_concurrent_0_needs_nodes_and_listening_needs_certificates(self):
        project = self.project(3)
        self.ends(self.batch(project, "--concurrent", "0"), 2)
        self.ends(self.batch(project, "--listen", "127.0.0.1:0"), 2)
        said = self.batch(project, "--listen", "127.0.0.1:0", "--cluster", self.room / "nothing")
        self.ends(said, 2)
        self.assertIn("cluster init", said.err)

    def test_a_certificate_of_another_cluster_is_refused_on_both_sides_with_words(self):
        project = self.project(6)
        server = self.simulator(*CALM)
        run = self.coordinate(project)
        other = self.room / "other"
        self.ends(self.cohort("cluster", "init", other), 0)
        said = self.ended(self.join(run.address, "stranger", server=server, cluster=other), 2)
        self.assertIn("does not belong to the cluster", said)
        # With the right authority, but a certificate that it did not sign.
        mixed = self.room / "mixed"
        shutil.copytree(other, mixed)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.cluster / "ca.crt")
        context.load_cert_chain(mixed / "node.crt", mixed / "node.key")
        host, port = run.address.rsplit(":", 1)

        with self.assertRaises((ssl.SSLError, ConnectionResetError, BrokenPipeError)):
            with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain) as link:
                self.assertEqual(link.recv(1), b"", "it was let in")
                raise ConnectionResetError
        words = "no valid certificate of this cluster"
        self.until(lambda: words in run.said.read_text(), "the coordinator's warning")
        # One that has shown its certificate and does not wait for the verdict.
        log_file = project / STATE / "logs" / "cohort.log"
        before = log_file.read_text().count(words)
        with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain):
            pass
        self.until(lambda: log_file.read_text().count(words) > before, "another line of the log")
        self.assertIn("was refused", log_file.read_text())
        good = self.join(run.address, "good", "-c", "4", server=server)
        self.ended(run, 0)
        self.ended(good, 0)

    def test_a_coordinator_of_another_version_tells_a_node_so_which_leaves_with_2(self):
        other = subprocess.Popen([OTHER_VERSION, "coordinator", str(self.cluster)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        self.started.append(other)
        self.addCleanup(other.stdin.close)
        said = self.ended(self.join(other.stdout.readline().strip(), "old", server=self.simulator(*CALM)), 2)
        self.assertIn("use the same program on both machines", said)

    def test_a_node_of_another_version_is_told_so_and_the_coordinator_goes_on(self):
        project = self.project(3)
        server = self.simulator(*CALM)
        run = self.coordinate(project)
        told = subprocess.run([OTHER_VERSION, "node", str(self.cluster), run.address], capture_output=True, text=True,
                              timeout=30)
        self.assertIn("use the same program on both machines", told.stdout)
        good = self.join(run.address, "good", "-c", "2", server=server)
        self.ended(run, 0)
        self.ended(good, 0)

    def test_a_revoked_node_is_told_so(self):
        project = self.project(6)
        server = self.simulator(*CALM)
        old = self.room / "old"
        shutil.copytree(self.cluster, old)
        self.ends(self.cohort("cluster", "init", self.cluster, "--add", "beta"), 0)
        self.ends(self.cohort("cluster", "init", self.cluster, "--revoke", "node"), 0)
        run = self.coordinate(project)
        said = self.ended(self.join(run.address, "old", server=server, cluster=old), 2)
        self.assertIn("does not belong to the cluster", said)
        good = self.join(run.address, "beta", "-c", "4", server=server)
        self.ended(run, 0)
        self.ended(good, 0)


class Hostile(ClusterBase):
    def descriptors(self, process):
        return len(os.listdir(f"/proc/{process.pid}/fd"))

    def resident_kb(self, process):
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def test_strangers_on_the_port_do_no_harm(self):
        project = self.project(60)
        server = self.simulator("latency.fixed_ms=250", "latency.median_ms=0")
        run = self.coordinate(project)
        host, port = run.address.rsplit(":", 1)
        where = (host, int(port))
        time.sleep(0.3)
        before, memory = self.descriptors(run), self.resident_kb(run)
        killer = b"\x01" + bytes(31)  # Ends a plain port of the framework.
        for words in (b"GET / HTTP/1.1\r\n\r\n", killer, os.urandom(512), b"\x16\x03", b"\x16\x03\x01\x02\x00" + killer * 20,
                      b"\x16\x03\x01\xff\xff" + os.urandom(4096)):
            with socket.create_connection(where, 10) as link:
                link.sendall(words)
                link.settimeout(0.2)
                try:
                    link.recv(4096)
                except OSError:
                    pass
        for i in range(2000):
            link = socket.create_connection(where, 10)
            if i % 3 == 0:
                link.sendall(b"\x16\x03\x01")
            link.close()
        # One that stops in its handshake must not hold up the others.
        node = self.join(run.address, "alpha", "-c", "1", server=server)
        self.joined(node)
        stalled = socket.create_connection(where, 10)
        stalled.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        done = len(server.bill.lines())
        self.until(lambda: len(server.bill.lines()) >= done + 4, "work while a handshake is stalled", seconds=4)
        stalled.close()
        half = [socket.create_connection(where, 10) for _ in range(400)]  # More than may wait.
        for link in half:
            link.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.until(lambda: self.descriptors(run) <= before + 2 * 256 + 20, "the oldest making room")
        for link in half:
            link.close()
        self.until(lambda: self.descriptors(run) <= before + 4, "descriptors coming back", seconds=20)
        if not SANITIZED:
            self.assertLess(self.resident_kb(run) - memory, 60_000)
        self.ended(run, 0)
        self.ended(node, 0)
        self.assertEqual(self.delivered(project), 60)
        self.assertIn("was refused", run.said.read_text())

    @staticmethod
    def ports(process):
        """TCP ports, of any address, on which the process listens."""
        inodes = set()
        for fd in os.listdir(f"/proc/{process.pid}/fd"):
            try:
                found = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{process.pid}/fd/{fd}"))
            except OSError:
                continue
            inodes |= {found.group(1)} if found else set()
        open_ports = set()
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                column = line.split()
                if column[3] == "0A" and column[9] in inodes:
                    open_ports.add(int(column[1].rsplit(":", 1)[1], 16))
        return open_ports

    def test_there_is_one_port_and_a_thousand_half_open_sockets_at_it_end_nothing(self):
        project = self.project(20)
        server = self.simulator(*CALM)
        few = (512, 512)  # Descriptors, and no way to get more.
        run = self.coordinate(project, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
        host, port = run.address.rsplit(":", 1)
        self.assertEqual(self.ports(run), {int(port)})
        half, memory = [], self.resident_kb(run)
        for i in range(1200):
            link = socket.create_connection((host, int(port)), 10)
            try:
                link.sendall((b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")[i % 3])
            except OSError:
                pass  # It has made room already.
            half.append(link)
        self.assertLess(self.descriptors(run), 400)
        node = self.join(run.address, "alpha", "-c", "4", server=server)
        self.joined(node)
        self.assertEqual(self.ports(node), set())
        self.ended(run, 0)
        self.ended(node, 0)
        self.assertEqual(self.delivered(project), 20)
        if not SANITIZED:
            self.assertLess(memory, 200_000)
        for link in half:
            link.close()

    def test_somebody_with_a_certificate_who_does_not_speak_as_a_node_ends_nothing(self):
        project = self.project(30)
        server = self.simulator("latency.fixed_ms=200", "latency.median_ms=0")
        run = self.coordinate(project)
        host, port = run.address.rsplit(":", 1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.cluster / "ca.crt")
        context.load_cert_chain(self.cluster / "node.crt", self.cluster / "node.key")

        def frame(operation, payload=b"", flags=0, length=None, data=0, sender=0, receiver=0):
            return struct.pack(">BBBBIQQQ", operation, 0, 0, flags, len(payload) if length is None else length, data,
                               sender, receiver) + payload
        node = self.join(run.address, "alpha", "-c", "2", server=server)
        self.joined(node)
        me = bytes(32)
        frames = [frame(1), frame(1, length=0xFFFFFFFF), frame(0, me), frame(1, me) + frame(3, me + me + b"x"),
                  frame(1, me) + frame(2, bytes(3) + b"\x0a@<>+@error" + os.urandom(64), sender=9, receiver=9)]
        for words in frames + [os.urandom(4096) for _ in range(3)]:
            try:
                with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain) as link:
                    link.settimeout(10)
                    link.sendall(words)
                    while link.recv(4096):
                        pass
            except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
                pass
        self.until(lambda: "cut off" in run.said.read_text(), "the warning")
        self.assertLess(self.resident_kb(run), 400_000)
        self.ended(run, 0)
        self.ended(node, 0)
        self.assertEqual(self.delivered(project), 30)
        self.assertEqual(len(server.bill.lines()), 30, "alpha went on undisturbed")

    def test_older_versions_of_tls_are_not_spoken(self):
        run = self.coordinate(self.project(3))
        host, port = run.address.rsplit(":", 1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.cluster / "ca.crt")
        context.load_cert_chain(self.cluster / "node.crt", self.cluster / "node.key")
        with self.assertRaises((ssl.SSLError, ConnectionResetError)):
            with socket.create_connection((host, int(port)), 10) as plain:
                context.wrap_socket(plain)

    def test_certificates_that_others_could_replace_are_refused_with_what_to_do(self):
        open_to_all = self.room / "open"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        said = self.cohort("cluster", "init", open_to_all)
        self.ends(said, 1)
        self.assertIn(f"chmod go-w {open_to_all}", said.err)
        self.assertEqual(os.listdir(open_to_all), [])
        project = self.project(3)
        self.cluster.chmod(0o770)
        said = self.batch(project, "--listen", "127.0.0.1:0", "--cluster", self.cluster)
        self.ends(said, 1)
        self.assertIn(f"chmod go-w {self.cluster}", said.err)
        self.assertIn("chmod go-w", self.ended(self.join("127.0.0.1:1", "n"), 1))
        self.cluster.chmod(0o700)
        (self.cluster / "node.key").chmod(0o640)
        self.assertIn("chmod 600", self.ended(self.join("127.0.0.1:1", "n"), 1))
