"""A server that wants to take memory, or to decide what things cost."""

import itertools
import os
import subprocess

from hostile import Server, message
from program import PROGRAM, SANITIZED, Book, Case, environment


class HostileServerBase(Case):
    def serve(self, reply):
        server = Server(reply)
        self.addCleanup(server.stop)
        return server

    def run_against(self, server, tasks, *arguments):
        """Exit code, what was said, and the peak memory in MiB."""
        project = self.project(tasks, f"project-{len(self.started)}")
        said = self.room / f"said-{len(self.started)}"
        with open(said, "w") as out:
            run = subprocess.Popen([PROGRAM, "generate-logical-batch", project, "--force", *arguments], stdout=out,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.room,
                                   env=environment(self.room, ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY="key-of-a-test"))
            self.started.append(run)
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        return project, run.returncode, said.read_text(), usage.ru_maxrss // 1024


class Memory(HostileServerBase):
    EVENTS = {"content-type": "text/event-stream"}
    START = b'data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}\n\n'

    @staticmethod
    def numbered(event):
        """Events with every index there is, in pieces of some hundred kilobytes."""
        for first in itertools.count(0, 2000):
            yield b"".join(event % (first + i) for i in range(2000))

    def attacks(self):
        delta = b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta"%s}}\n\n'
        blocks = delta.replace(b"%s", b"")
        letters = delta.replace(b"%s", b',"text":"x"')
        text = message("x" * (15 << 20))
        bomb = b'{"type":"message","content":[],"x":[' + b"[]," * 5_000_000 + b"1]}"
        events = lambda pieces: lambda *_: (200, self.EVENTS, itertools.chain([self.START], pieces()))
        return {
            "blocks without text": events(lambda: self.numbered(blocks)),
            "blocks of one letter": events(lambda: self.numbered(letters)),
            "one block without end": events(lambda: itertools.repeat(b"".join(letters % 0 for _ in range(1000)))),
            "pings": events(lambda: itertools.repeat(b"event: ping\ndata: {}\n\n" * 1000)),
            "data lines of one event": events(lambda: itertools.repeat(b"data: x\n" * 10_000)),
            "a long text": lambda *_: (200, {}, text),
            "millions of values": lambda *_: (200, {}, bomb),
            "a long error": lambda *_: (400, {}, itertools.repeat(b"x" * 100_000)),
            "a name without end": lambda *_: (200, self.EVENTS, itertools.repeat(b"event: " + b"x" * 100_000)),
        }

    def test_no_answer_makes_32_requests_take_much(self):
        for name, reply in self.attacks().items():
            with self.subTest(name=name):
                _, code, said, peak = self.run_against(self.serve(reply), 34, "-c", "32", "-q")
                self.assertEqual(code, 3, said)
                if not SANITIZED:
                    self.assertLess(peak, 300, f"MiB, {name}")


class Usage(HostileServerBase):
    HONEST = {"input_tokens": 900, "output_tokens": 300}
    LIES = [{"input_tokens": 0, "output_tokens": 0}, dict(HONEST, output_tokens=0), dict(HONEST, input_tokens=0),
            dict(HONEST, output_tokens=99_999_999), dict(HONEST, input_tokens=99_999_999), dict(HONEST, service_tier="batch"),
            dict(HONEST, cache_creation={"ephemeral_1h_input_tokens": 99_999_999}), dict(HONEST, output_tokens=2 ** 64),
            dict(HONEST, cache_read_input_tokens=2 ** 63), dict(HONEST, output_tokens=-1), dict(HONEST, input_tokens=900.5),
            {"input_tokens": None, "output_tokens": None}, dict(HONEST, output_tokens="300")]

    def test_a_usage_that_cannot_be_true_costs_the_reservation_and_is_said(self):
        for lie in self.LIES:
            with self.subTest(usage=lie):
                body = message(usage=lie)
                project, code, said, _ = self.run_against(self.serve(lambda *_: (200, {}, body)), 3)
                self.assertEqual(code, 0, said)
                self.assertIn("is not believed", said)
                with Book(project) as book:
                    self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE outcome = 1 AND cost = reserved AND cost > 0"), 3)
                self.ends(self.cohort("verify", project), 0)

    def test_a_usage_that_can_be_true_is_what_it_costs(self):
        body = message(usage=dict(self.HONEST, service_tier="priority"))
        project, code, said, _ = self.run_against(self.serve(lambda *_: (200, {}, body)), 3)
        self.assertEqual(code, 0, said)
        self.assertNotIn("is not believed", said)
        with Book(project) as book:
            self.assertEqual(book.one("SELECT count(*) FROM attempt WHERE cost < reserved"), 3)

    def test_the_budget_holds_although_nothing_is_said_to_cost_anything(self):
        body = message(usage={"input_tokens": 0, "output_tokens": 0})
        server = self.serve(lambda *_: (200, {}, body))
        project, code, said, _ = self.run_against(server, 12, "--budget", "0.5")
        self.assertEqual(code, 4, said)
        with Book(project) as book:
            self.assertLessEqual(book.charged(), 500_000_000)
            self.assertGreater(book.charged(), 300_000_000)
        self.assertLess(server.requests, 12)

    def test_no_wish_to_wait_is_longer_than_a_day(self):
        for wish in ("1e300", "-5", "nan", "inf", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "\t0x10"):
            with self.subTest(retry_after=wish):
                limit = {f"anthropic-ratelimit-{kind}-{what}": "18446744073709551615" for kind in ("requests", "tokens")
                         for what in ("limit", "remaining")}
                def reply(_, number):
                    if number == 1:
                        return 400, dict(limit, **{"retry-after": wish}), b'{"type":"error","error":{"type":"invalid_request_error","message":"m"}}'
                    return 200, dict(limit, **{"retry-after": wish, "anthropic-ratelimit-tokens-reset": wish}), message()
                _, code, said, _ = self.run_against(self.serve(reply), 3)
                self.assertEqual(code, 3, said)
