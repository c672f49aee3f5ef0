"""`cohort doctor`: each check in its good and its bad case, and no trace of having looked."""

import email.utils
import http.server
import json
import os
import shutil
import threading
import time

from program import SOURCE, STATE, Bill, Case, environment, tree


class Server:
    """Answers GET /v1/models/... with what it is told."""

    def __init__(self, status=200, body=None, clock=0.0):
        told = body if body is not None else {"type": "model", "id": "claude-sonnet-5-5"}
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(("GET", self.path))
                text = json.dumps(told).encode()
                self.send_response_only(status)
                self.send_header("Date", email.utils.formatdate(time.time() + clock, usegmt=True))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_POST(self):
                seen.append(("POST", self.path))
                self.send_error(500)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def api_error(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}}


class DoctorBase(Case):
    def doctor(self, project, code, *arguments, server=None, **how):
        before = tree(project, times=True)
        ended = self.cohort("doctor", project, "--json", *arguments, server=server, **how)
        self.ends(ended, code)
        self.assertEqual(tree(project, times=True), before, "it left a trace")
        report = json.loads(ended.out)
        self.assertEqual(report["ok"], code == 0)
        return {x["check"]: x for x in report["checks"]}

    def serving(self, *how, **more):
        server = Server(*how, **more)
        self.addCleanup(server.stop)
        return server


class Healthy(DoctorBase):
    def test_with_the_simulator_everything_is_well_and_nothing_stays(self):
        shop = self.bookshop()
        checks = self.doctor(shop, 0, "--provider", "simulator")
        self.assertEqual({x["grade"] for x in checks.values()}, {"ok"}, checks)
        for name in ("key", "server", "model", "clock", "state", "disk", "git", "grammars", "tests", "ledger", "lock"):
            self.assertIn(name, checks)
        for word in ("pytest", "vitest", "node:test"):
            self.assertIn(word, checks["tests"]["finding"])
        self.assertFalse((shop / STATE).exists())
        ended = self.cohort("doctor", shop, "--provider", "simulator")
        self.ends(ended, 0)
        self.assertEqual(len(ended.out.splitlines()), len(checks) + 1, "one line a check")

    def test_it_asks_one_free_question_and_shows_no_key(self):
        server = self.simulator()
        shop = self.bookshop()
        ended = self.cohort("doctor", shop, server=server, key="sk-ant-a-very-secret-key")
        self.ends(ended, 0)
        self.assertNotIn("very-secret", ended.out + ended.err)
        self.assertEqual(server.bill.lines(), [])
        self.assertEqual(server.requests(), 1)

    def test_a_state_of_ours_is_told_and_left_alone(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator", "--max-batches", "1"), 0)
        checks = self.doctor(shop, 0, "--provider", "simulator")
        self.assertIn("10 of 39", checks["ledger"]["finding"])


class Problems(DoctorBase):
    def test_without_a_key_it_ends_with_2(self):
        checks = self.doctor(self.bookshop(), 2)
        self.assertEqual(checks["key"]["grade"], "problem")
        self.assertIn("ANTHROPIC_API_KEY", checks["key"]["finding"])
        self.assertEqual(checks["server"]["grade"], "unknown")

    def test_a_model_that_nobody_knows_ends_with_2(self):
        shop = self.bookshop()
        self.assertEqual(self.doctor(shop, 2, "-m", "gpt", "--provider", "simulator")["model"]["grade"], "problem")
        unknown = self.serving(404, api_error("not_found_error", "model: claude-sonnet-5-5"))
        checks = self.doctor(shop, 2, server=unknown)
        self.assertEqual(checks["model"]["grade"], "problem")
        self.assertEqual(unknown.seen, [("GET", "/v1/models/claude-sonnet-5-5")])

    def test_what_the_server_refuses_is_said_with_the_way_on(self):
        shop = self.bookshop()
        for status, kind, message, line, advice in (
                (401, "authentication_error", "invalid x-api-key", "key", "ANTHROPIC_API_KEY"),
                (403, "permission_error", "no", "key", "key"),
                (402, "billing_error", "pay", "account", "billing"),
                (400, "invalid_request_error", "Your credit balance is too low to access the API", "account", "billing"),
                (400, "invalid_request_error", "You have reached your specified API usage limits", "account", "limits"),
                (529, "overloaded_error", "Overloaded", "server", "later"),
                (500, "api_error", "Internal server error", "server", "later")):
            with self.subTest(status=status, message=message):
                checks = self.doctor(shop, 1, server=self.serving(status, api_error(kind, message)))
                self.assertEqual(checks[line]["grade"], "problem", checks)
                self.assertIn(advice, checks[line]["advice"])

    def test_a_server_that_is_not_there_and_one_that_speaks_otherwise(self):
        shop = self.bookshop()
        gone = self.serving()
        gone.stop()
        self.assertEqual(self.doctor(shop, 1, server=gone)["server"]["grade"], "problem")
        self.assertEqual(self.doctor(shop, 1, server=self.serving(200, {"hello": "world"}))["server"]["grade"], "problem")

    def test_a_wrong_address_ends_with_2(self):
        gone = self.serving()
        gone.url = "ftp://example.org"
        self.assertIn("ANTHROPIC_BASE_URL", self.doctor(self.bookshop(), 2, server=gone)["key"]["finding"])

    def test_clocks_that_differ(self):
        shop = self.bookshop()
        self.assertEqual(self.doctor(shop, 0, server=self.serving(clock=0))["clock"]["grade"], "ok")
        self.assertEqual(self.doctor(shop, 0, server=self.serving(clock=-90))["clock"]["grade"], "warning")
        self.assertEqual(self.doctor(shop, 1, server=self.serving(clock=7200))["clock"]["grade"], "problem")

    def test_a_model_with_less_room_than_the_price_list_says_is_a_warning(self):
        facts = {"type": "model", "id": "claude-sonnet-5-5", "max_tokens": 4096}
        self.assertEqual(self.doctor(self.bookshop(), 0, server=self.serving(200, facts))["model"]["grade"], "warning")
        facts = {"type": "model", "id": "claude-sonnet-5-5", "retires_at": "2020-01-01T00:00:00Z"}
        shutil.rmtree(self.room / "bookshop")
        self.assertEqual(self.doctor(self.bookshop(), 0, server=self.serving(200, facts))["model"]["grade"], "warning")

    def test_a_damaged_ledger_and_one_that_does_not_add_up(self):
        shop = self.bookshop()
        self.ends(self.batch(shop, "--provider", "simulator", "-c", "8"), 0)
        ledger = shop / STATE / "ledger.db"
        good = ledger.read_bytes()
        import sqlite3
        base = sqlite3.connect(ledger)
        base.execute("DELETE FROM file WHERE task = 2")
        base.commit()
        base.close()
        checks = self.doctor(shop, 1, "--provider", "simulator")
        self.assertIn("cohort verify", checks["ledger"]["advice"])
        ledger.write_bytes(good[:9000])
        checks = self.doctor(shop, 1, "--provider", "simulator")
        self.assertIn("damaged", checks["ledger"]["finding"])

    def test_state_that_this_user_did_not_sign(self):
        shop = self.bookshop()
        (shop / STATE).mkdir()
        (shop / STATE / "batch-state.json").write_text(json.dumps({
            "totalTasks": 4, "completedTasks": 1, "actualCostSoFar": 1, "startTime": "2026-01-01T00:00:00.000Z", "config": {}}))
        self.assertIn("cohort trust", self.doctor(shop, 1, "--provider", "simulator")["ledger"]["advice"])

    def test_a_run_under_way_is_named(self):
        server = self.simulator("latency.fixed_ms=300")
        shop = self.bookshop()
        run = self.start("generate-logical-batch", shop, "-c", "2", server=server)
        self.until(lambda: len(server.bill.lines()) >= 2, "the 2nd request")
        ended = self.cohort("doctor", shop, "--provider", "simulator", "--json")
        self.ends(ended, 1)
        checks = {x["check"]: x for x in json.loads(ended.out)["checks"]}
        self.assertIn(str(run.pid), checks["lock"]["finding"])
        self.assertEqual(checks["ledger"]["grade"], "ok")
        run.kill()

    def test_a_state_that_cannot_be_written(self):
        shop = self.bookshop()
        (shop / STATE).write_text("a file stands here")
        self.assertEqual(self.doctor(shop, 1, "--provider", "simulator")["project"]["grade"], "problem")
        (shop / STATE).unlink()
        (shop / STATE).symlink_to("/proc")
        self.assertEqual(self.doctor(shop, 2, "--provider", "simulator")["project"]["grade"], "problem")
        (shop / STATE).unlink()
        if os.geteuid() != 0:
            (shop / STATE).mkdir(mode=0o555)
            self.assertEqual(self.doctor(shop, 1, "--provider", "simulator")["state"]["grade"], "problem")

    def test_a_state_on_a_file_system_that_takes_no_files(self):
        shop = self.bookshop()
        checks = self.doctor(shop, 0, "--provider", "simulator")
        self.assertEqual(checks["state"]["grade"], "ok")
        tests = self.room / "tests"
        self.ends(self.batch(shop, "--provider", "simulator", "--max-batches", "1", "--tests-dir", tests), 0)
        shutil.rmtree(tests)
        tests.symlink_to("/proc")
        checks = self.doctor(shop, 1, "--provider", "simulator")
        self.assertEqual(checks["output"]["grade"], "problem")

    def test_a_project_without_sources_and_one_that_is_none(self):
        empty = self.room / "empty"
        empty.mkdir()
        self.assertEqual(self.doctor(empty, 2, "--provider", "simulator")["tests"]["grade"], "problem")
        self.ends(self.cohort("doctor", self.room / "nowhere", "--provider", "simulator"), 2)

    def test_broken_configuration_ends_with_2_and_names_the_file(self):
        shop = self.bookshop()
        for broken in ("models.json", "defaults.json", "languages/python/language.json"):
            with self.subTest(broken=broken):
                config = self.room / "config"
                shutil.rmtree(config, ignore_errors=True)
                shutil.copytree(SOURCE / "config", config)
                (config / broken).write_text("{")
                ended = self.cohort_with(environment(self.room, COHORT_CONFIG_DIR=str(config)), "doctor", shop,
                                         "--provider", "simulator")
                self.ends(ended, 2)
                self.assertIn(broken.rsplit("/", 1)[-1], ended.out)

    def cohort_with(self, env, *arguments):
        self.env = lambda *_: env
        return self.cohort(*arguments)
