"""A credential reaches no file, no output, no command line, no environment and no core dump."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import unittest
import urllib.error
import urllib.request

from program import PROGRAM, SANITIZED, STATE, Case, environment

KEY = "sk-ant-distinctive-9f27c1d04b6e83aa"


class Secrets(Case):
    def test_the_key_appears_nowhere(self):
        shop = self.bookshop()
        server = self.simulator("faults.overloaded=0.1", "faults.server_error=0.1", "faults.truncated=0.1",
                                "faults.reset_after_billing=0.1", "answers.refusal=0.1", "answers.chatty=0.2",
                                "latency.fixed_ms=10")
        run = self.start_with(shop, server)
        command_line = pathlib.Path(f"/proc/{run.pid}/cmdline").read_bytes()
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 3), ended)
        self.assertNotIn(KEY, ended.out + ended.err)
        self.assertNotIn(KEY.encode(), command_line)
        self.nowhere(shop)
        refused = self.batch(shop, "--force", "-v", server=self.simulator('keys.refused_prefixes=["sk-ant-dist"]'), key=KEY)
        self.assertNotIn(KEY, refused.out + refused.err)
        self.nowhere(shop)
        malformed = self.batch(shop, "-v", server=server, key=KEY + " with a space")
        self.ends(malformed, 2)
        self.assertNotIn(KEY, malformed.out + malformed.err)

    def start_with(self, shop, server):
        process = subprocess.Popen([PROGRAM, "generate-logical-batch", shop, "-v", "-o", self.room / "reports"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env(server, KEY))
        self.started.append(process)
        return process

    def nowhere(self, shop):
        looked = 0
        for folder in (shop, self.room / "reports"):
            for path in folder.rglob("*"):
                if path.is_file():
                    looked += 1
                    self.assertNotIn(KEY.encode(), path.read_bytes(), path)
        self.assertGreater(looked, 50)
        self.assertTrue((shop / STATE / "logs" / "cohort.log").stat().st_size > 0)


class WhatOthersSee(Case):
    SECRETS = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_AUTH_TOKEN": "tok-distinctive-1", "ANTHROPIC_CUSTOM_HEADERS": "x: distinctive-2",
               "HTTPS_PROXY": "http://user:distinctive-3@127.0.0.1:9", "all_proxy": "user:distinctive-4@127.0.0.1:9"}

    def waiting_run(self, **how):
        """A run whose first request is answered never; the environment holds every kind of secret."""
        server = self.simulator("faults.hang=1")
        env = environment(self.room, **self.SECRETS, ANTHROPIC_BASE_URL=server.url, HARMLESS_VALUE="stays")
        run = subprocess.Popen([PROGRAM, "generate-logical-batch", self.project(3), "--force"], env=env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
        self.started.append(run)
        log = self.room / "project" / STATE / "logs" / "cohort.log"
        self.until(lambda: log.exists() and "batch_started" in log.read_text(), "a request under way")
        return run

    def test_the_environment_of_a_run_holds_no_secret(self):
        run = self.waiting_run()
        seen = pathlib.Path(f"/proc/{run.pid}/environ").read_bytes()
        self.assertIn(b"HARMLESS_VALUE=stays", seen)
        for value in (KEY.encode(), b"tok-distinctive", b"distinctive"):
            self.assertNotIn(value, seen)
        status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
        self.assertIn("VmHWM", status)

    def test_no_core_dump_is_written_whatever_the_limit_was(self):
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        run = self.waiting_run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)))
        limits = pathlib.Path(f"/proc/{run.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        if not SANITIZED:
            run.send_signal(signal.SIGABRT)
            _, status = os.waitpid(run.pid, 0)
            run.returncode = -signal.SIGABRT
            self.assertTrue(os.WIFSIGNALED(status))
            self.assertFalse(os.WCOREDUMP(status))

    @unittest.skipUnless(os.getuid() == 0, "only root can start a process of another user")
    def test_another_user_reads_neither_log_nor_environment(self):
        run = self.waiting_run(umask=0)
        os.chmod(self.room, 0o755)
        paths = (self.room / "project" / STATE / "logs" / "cohort.log", pathlib.Path(f"/proc/{run.pid}/environ"),
                 pathlib.Path(f"/proc/{run.pid}/mem"))
        for path in paths:
            seen = subprocess.run(["cat", path], user=65534, group=65534, extra_groups=[], capture_output=True)
            self.assertNotEqual(seen.returncode, 0, path)

    def test_a_key_that_the_server_sends_back_reaches_no_file(self):
        server = self.echo()
        env = environment(self.room, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server)
        done = subprocess.run([PROGRAM, "generate-logical-batch", self.project(2), "-v", "--force"], env=env, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        self.assertNotIn(KEY.encode(), done.stdout + done.stderr)
        for path in (self.room / "project").rglob("*"):
            if path.is_file():
                self.assertNotIn(KEY.encode(), path.read_bytes(), path)

    def echo(self):
        """A server that puts the key into everything that it answers."""
        from hostile import Server, answer_for, message
        def reply(request, number):
            key = request.headers["x-api-key"]
            if number % 2:
                return 400, {"request-id": "r-" + key}, b'{"type":"error","error":{"type":"invalid_request_error","message":"%s"}}' % key.encode()
            return 200, {"request-id": "r-" + key}, message(answer_for(key), model="m-" + key)
        server = Server(reply)
        self.addCleanup(server.stop)
        return server.url


class SimulatorOfARun(Case):
    """The built-in simulator answers the run that it belongs to, and nobody else who finds its port."""

    def listening_ports(self, pid):
        inodes = set()
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                found = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
            except FileNotFoundError:
                continue
            if found:
                inodes.add(found.group(1))
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes]

    def status_of(self, url, headers, data=None):
        request = urllib.request.Request(url, data=data, headers={"anthropic-version": "2023-06-01", **headers})
        try:
            return urllib.request.urlopen(request, timeout=20).status
        except urllib.error.HTTPError as refused:
            return refused.code

    def test_others_are_refused_and_nothing_of_theirs_is_billed(self):
        bill = self.room / "bill"
        run = self.start("generate-logical-batch", self.project(2), "--provider", "simulator", "--force", "--bill", bill,
                         "--set", "latency.fixed_ms=3000")
        self.until(lambda: self.listening_ports(run.pid), "a port that listens")
        self.until(bill.exists, "a bill")
        (port,) = self.listening_ports(run.pid)
        body = b'{"model":"claude-sonnet-5-5","max_tokens":100,"messages":[{"role":"user","content":"x"}]}'
        for headers in ({}, {"x-api-key": "simulator-key"}, {"x-api-key": "a"}, {"authorization": "Bearer a"},
                        {"x-api-key": "simulator-key-" + 64 * "0"}):
            for path in ("/v1/messages", "/v1/models", "/nowhere"):
                url = f"http://127.0.0.1:{port}{path}"
                self.assertEqual(self.status_of(url, headers, body if path == "/v1/messages" else None), 401, (headers, path))
        known = pathlib.Path(f"/proc/{run.pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{run.pid}/environ").read_bytes()
        self.assertNotIn(b"simulator-key-", known)
        self.ends(self.finish(run), 0)
        self.assertEqual(len(bill.read_text().splitlines()), 2)
        for path in (self.room / "project").rglob("*"):
            if path.is_file():
                self.assertNotIn(b"simulator-key-", path.read_bytes(), path)

    def test_the_server_of_its_own_answers_any_client(self):
        server = self.simulator()
        self.assertEqual(self.status_of(server.url + "/v1/models", {"x-api-key": "anything"}), 200)
