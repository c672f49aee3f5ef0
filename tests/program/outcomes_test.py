"""The matrix of docs/outcomes.md: every fault that the simulator knows, what becomes of a task, and how the run ends.

The page is generated here and compared. To write it anew after a change that is meant:
COHORT_UPDATE=1 python3 -m unittest outcomes_test.Matrix
"""

import concurrent.futures
import difflib
import json
import os
import re
import signal

from program import SOURCE, STATE, Book, Case, module_text

PAGE = SOURCE / "docs" / "outcomes.md"
STATES = ["planned", "answered", "delivered", "failed", "skipped", "deferred"]

HEAD = """# What becomes of a task, and how a run ends

Generated and compared by `tests/program/outcomes_test.py`; do not edit. Each row is a run of the program against the simulator, whose
bill is the witness. In the first table a single task meets one fault at **every** request.

- **task**: its state at the end, with the class of the failure. **attempts**: those in the ledger, which have a reservation each; **requests**: messages that
  the server got, since what certainly was not billed is sent again within an attempt.
- **billed**: requests on the server's bill. **confirmed**: attempts that are charged with what their `usage` says, or with their
  reservation if that cannot be true; **unconfirmed**: attempts that stay charged with their whole
  reservation, because they may have been billed. What is charged is never below the bill.

After each of these runs `--stats`, `batch-state.json`, the ledger, the exit code and `verify` were found to agree.
"""

# Group, setting, and what is said about it. Faults that end by the task's time get a short one.
FAULTS = [
    ("faults.rate_limited=1", "429 with `retry-after`"),
    ("faults.overloaded=1", "529"),
    ("faults.server_error=1", "500"),
    ("faults.reset_unread=1", "connection reset, the request was ignored"),
    ("faults.hang=1", "no answer ever, not billed"),
    ("faults.hang_billed=1", "no answer ever, billed"),
    ("faults.reset_after_billing=1", "connection reset instead of the answer, billed"),
    ("faults.truncated=1", "half of the answer, billed"),
    ("faults.wrong_content_type=1", "the answer is labelled text/html, billed"),
    ("faults.stream_error=1", "error event in a stream; without a stream a 500"),
    ("faults.trickle=1", "the answer in small pieces"),
    ("answers.refusal=1", "the model refuses"),
    ("answers.max_tokens=1", "cut off at `max_tokens`"),
    ("answers.empty=1", "no content"),
    ("answers.prose=1", "text without code"),
    ("answers.bare=1", "code without a fence"),
    ("answers.chatty=1", "prose around the code"),
    ("answers.broken_code=1", "code that does not parse"),
    ("answers.thinking=1", "a thinking block first"),
    ("lies.bill_max_tokens=true", "bills the most"),
    ("lies.dearest_cache_writes=true", "bills all input at the dearest rate"),
    ("lies.double_output=true", "answers twice as long as need be"),
    ("lies.negative_usage=true", "reports negative tokens"),
    ("lies.missing_usage=true", "reports no usage"),
    ("lies.token_a_byte=true", "bills each byte of the prompt as a token"),
    ("lies.body=html", "a page of HTML"),
    ("lies.body=huge_usage", "reports more tokens than a model can read or write"),
    ("lies.body=mistyped_usage", "reports texts and lists as counts"),
    ("lies.body=mistyped_content", "content of the wrong type"),
    ("lies.body=other_model", "names another model than the one that was asked"),
    ("lies.body=deep_json", "JSON that is nested 100,000 times"),
    ("lies.body=invalid_utf8", "bytes that are no text"),
    ("lies.body=short_length", "`content-length` is half of what is sent"),
    ("lies.body=long_length", "`content-length` is twice what is sent"),
    ("lies.body=header_flood", "a megabyte of headers"),
    ("lies.body=gigabytes", "text without end, said to be 8 GiB"),
    ("lies.body=endless", "text without end, in chunks"),
    ("lies.body=endless_events", "a stream of `ping` events without end"),
    ("lies.body=endless_line", "a stream whose first line never ends"),
    ("limits.requests_per_minute=60", "enforces requests a minute"),
    ("limits.input_tokens_per_minute=100000", "enforces input tokens a minute"),
    ("limits.output_tokens_per_minute=100000", "enforces output tokens a minute"),
    ("outage.for_ms=700", "529 for 0.7 s"),
    ("account.error=authentication", "401"),
    ("account.error=billing", "402"),
    ("account.error=permission", "403"),
    ("account.error=credit_too_low", "400, \"credit balance is too low\""),
    ("account.error=spend_limit", "400, specified usage limit"),
    ("account.error=enforced_spend_limit", "429 with `enforced_spend_limit_reached`"),
    ("account.error=contract_spend_limit", "429 with `contract_spend_limit_reached`"),
    ('keys.accepted=["another"]', "the key is not accepted"),
    ('keys.refused_prefixes=["key-of"]', "keys that begin so are refused"),
]
# What only says when, how much, or to whom: no fault by itself.
DETAILS = {"seed", "latency", "faults.retry_after_seconds", "faults.trickle_pieces", "faults.trickle_pause_ms", "outage.from_ms",
           "outage.model", "account.from_request", "lies.share"}
SHORT = {"faults.hang=1", "faults.hang_billed=1"}
# Answers that cost their reservation, because what the server counts cannot be true.
UNBELIEVED = {"lies.negative_usage=true", "lies.missing_usage=true", "lies.body=huge_usage", "lies.body=mistyped_usage"}


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


class OutcomesBase(Case):
    def states(self, project):
        with Book(project) as book:
            counts = dict(book.all("SELECT state, count(*) FROM task WHERE run = (SELECT max(id) FROM run) GROUP BY state"))
        return {name: counts.get(i, 0) for i, name in enumerate(STATES)}

    def agree(self, project, code):
        """Ledger, stats, view and exit code tell one story; every state is counted once."""
        states = self.states(project)
        view = self.view(project)
        stats = json.loads(self.batch(project, "--stats", "--json").out)
        said = dict(stats["tasks"])
        self.assertEqual(said.pop("total"), sum(states.values()))
        self.assertEqual(said, states)
        final = states["delivered"] + states["failed"] + states["skipped"]
        self.assertEqual((view["totalTasks"], view["completedTasks"], view["failedTasks"]),
                         (sum(states.values()), final, states["failed"]))
        self.assertEqual(view["status"], stats["status"])
        with Book(project) as book:
            confirmed = book.confirmed()
            unconfirmed = book.charged() - confirmed
        self.assertEqual(round(view["actualCostSoFar"] * 1e9), confirmed)
        self.assertEqual(round(stats["cost"]["confirmed"] * 1e9), confirmed)
        self.assertEqual(round(stats["cost"]["unconfirmed"] * 1e9), unconfirmed)
        open_tasks = sum(states.values()) - final
        expected = {0: "finished", 1: "failed", 3: "finished", 4: "stopped", 130: "interrupted"}[code]
        self.assertEqual(stats["status"], expected)
        if code in (0, 3):
            self.assertEqual((open_tasks, states["failed"] > 0), (0, code == 3))
        if code == 4:
            self.assertGreater(states["deferred"], 0)
        if code == 130:
            self.assertGreater(open_tasks, 0)
        checked = self.cohort("verify", project)
        self.ends(checked, 0)
        return states


def known_faults():
    """What simulator/behaviour/scenario.hpp declares, as the settings that the table has: group.key, or group.key=name."""
    text = re.sub(r"//.*", "", (SOURCE / "simulator" / "behaviour" / "scenario.hpp").read_text())
    blocks = {name: body for name, body in re.findall(r"(?:struct|enum class) (\w+)[^{;]*\{(.*?)\n\};", text, re.S)}

    def fields(name):
        return re.findall(r"^  ([\w:<>]+) (\w+)[^()\n]*;", blocks[name], re.M)

    def settings(kind, key):
        if re.search(rf"^enum class {kind}\b", text, re.M):
            return {f"{key}={name}" for name in re.findall(r"\w+", blocks[kind])} - {f"{key}=none"}
        return {key}

    known = set()
    for kind, group in fields("scenario"):
        group = {"malformed": "lies"}.get(group, group)
        for inner, key in fields(kind) if kind in blocks and group not in DETAILS else [(kind, "")]:
            known |= settings(inner, f"{group}.{key}" if key else group)
    return known - DETAILS


class Completeness(OutcomesBase):
    def test_the_table_has_every_fault_that_the_simulator_knows(self):
        known = known_faults()
        self.assertGreater(len(known), 50)
        listed = {setting if setting in known else setting.split("=")[0] for setting, _ in FAULTS}
        self.assertEqual((sorted(known - listed), sorted(listed - known)), ([], []))


class Matrix(OutcomesBase):
    def test_the_page_says_what_happens(self):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            faults = list(pool.map(lambda one: self.fault_row(*one), enumerate(FAULTS)))
        text = HEAD + "\n" + row("fault", "what the server does", "task", "exit", "attempts", "requests", "billed", "confirmed",
                                 "unconfirmed")
        text += row(*["---"] * 9) + "".join(faults)
        text += "\nNone of the account's errors touches a task: the run stops, and the same command continues.\n"
        text += "\n## Other ways to end\n\n"
        text += row("what happens", "tasks", "status", "exit") + row(*["---"] * 4)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            text += "".join(pool.map(lambda way: way(), self.other_ways()))
        if os.environ.get("COHORT_UPDATE"):
            PAGE.write_text(text)
        there = PAGE.read_text() if PAGE.exists() else ""
        difference = "".join(difflib.unified_diff(there.splitlines(True), text.splitlines(True), "docs/outcomes.md", "now"))
        self.assertEqual(difference, "", "\n" + difference)

    def fault_row(self, number, fault):
        setting, words = fault
        project = self.project(1, f"fault-{number}")
        server = self.simulator(setting, "latency.median_ms=5")
        ended = self.batch(project, "--force", "--timeout", "2" if setting in SHORT else "60", "-c", "1", server=server)
        states = self.agree(project, ended.code)
        billed = len(server.bill.lines())
        with Book(project) as book:
            attempts = dict(book.all("SELECT outcome, count(*) FROM attempt GROUP BY outcome"))
            state, code = book.all("SELECT state, code FROM task")[0]
            self.assertGreaterEqual(book.charged(), server.bill.nanos(), setting)
            if setting in UNBELIEVED:
                self.assertEqual(book.confirmed(), book.one("SELECT sum(reserved) FROM attempt"), setting)
            elif attempts.get(0, 0) + attempts.get(3, 0) == 0:
                self.assertEqual(book.confirmed(), server.bill.nanos(), setting)
        self.assertEqual(sum(states.values()), 1)
        name = STATES[state]
        if code:
            attention = json.loads(self.batch(project, "--stats", "--json").out)["attention"]
            name += f" ({attention[0]['code']})" if attention else ""
        requests = server.requests()
        if setting.startswith("outage"):  # How many depends on the clock.
            self.assertGreater(requests, 1)
            requests = "> 1"
        return row(f"`{setting}`", words, name, ended.code, sum(attempts.values()), requests, billed,
                   attempts.get(1, 0), attempts.get(0, 0) + attempts.get(3, 0))

    def other_ways(self):
        simulated = ["--provider", "simulator", "--force"]

        def shown(words, project, ended):
            states = self.agree(project, ended.code)
            listed = ", ".join(f"{count} {name}" for name, count in states.items() if count)
            return row(words, listed, self.view(project)["status"], ended.code)

        def budget():
            project = self.project(4, "budget")
            return shown("`--budget` leaves no room for some", project,
                         self.batch(project, *simulated, "--budget", "0.25", "--set", "lies.bill_max_tokens=true", "-c", "1"))

        def changed():
            project = self.project(4, "changed")
            self.ends(self.batch(project, *simulated, "-b", "2", "--max-batches", "1"), 0)
            (project / "unit_002.py").write_text(module_text("other"))
            (project / "unit_003.py").unlink()
            return shown("sources changed or gone after planning", project, self.batch(project, *simulated))

        def some_refused():
            project = self.project(4, "refused")
            (project / "unit_000.py").write_text(module_text("unit_000", 1))
            ended = self.batch(project, *simulated, "--set", "answers.refusal=0.5", "--set", "seed=3")
            return shown("some answers are refusals", project, ended)

        def one_batch():
            project = self.project(4, "one-batch")
            ended = self.batch(project, "--provider", "simulator", "-b", "2", "--max-batches", "1")
            self.ends(ended, 0)
            states = self.states(project)
            return row("`--max-batches` reached", ", ".join(f"{n} {name}" for name, n in states.items() if n),
                       self.view(project)["status"], ended.code)

        def interrupted():
            project = self.project(4, "interrupted")
            server = self.simulator("latency.fixed_ms=400")
            run = self.start("generate-logical-batch", project, "--force", "-c", "1", server=server)
            self.until(lambda: len(server.bill.lines()) == 2, "the 2nd request")
            run.send_signal(signal.SIGINT)
            return shown("SIGINT during the second of four tasks, one in flight", project, self.finish(run))

        def refused_before():
            project = self.project(2, "before")
            for arguments in (["--budget", "0.0001"], ["-m", "gpt"]):
                self.ends(self.batch(project, *simulated, *arguments), 2)
            return row("no key, an unknown model, a limit below one task", "none asked", "", 2)

        return [budget, changed, some_refused, one_batch, interrupted, refused_before]


class WhileItRuns(OutcomesBase):
    FAULTS = ["faults.overloaded=0.1", "faults.server_error=0.05", "faults.reset_after_billing=0.1", "faults.truncated=0.05",
              "faults.wrong_content_type=0.05", "answers.refusal=0.1", "answers.broken_code=0.1", "answers.empty=0.05",
              "answers.prose=0.05", "answers.max_tokens=0.05", "latency.median_ms=40", "seed=5"]

    def test_the_states_add_up_at_every_moment(self):
        shop, server = self.bookshop(), self.simulator(*self.FAULTS)
        run = self.start("generate-logical-batch", shop, "-c", "6", "-b", "7", "--json", server=server)
        views, stats = [], []
        path = shop / STATE / "batch-state.json"
        self.until(path.exists, "the view")
        reader = concurrent.futures.ThreadPoolExecutor(1).submit(run.communicate)
        while run.poll() is None:
            views.append(json.loads(path.read_text()))
            asked = self.batch(shop, "--stats", "--json")
            if asked.code == 0:
                stats.append(json.loads(asked.out))
        out = reader.result()[0].decode()
        self.assertEqual(run.returncode, 3)
        self.assertGreater(len(stats), 5)
        self.look_at(views, stats)
        events = [json.loads(line) for line in out.splitlines()]
        for event in events:
            totals = event.get("totals")
            if totals:
                self.assertEqual(totals["tasks"], 39)
                self.assertLessEqual(sum(totals[k] for k in ("delivered", "failed", "skipped", "deferred")), 39)
        states = self.agree(shop, run.returncode)
        self.assertEqual(events[-1]["tasks"]["delivered"], states["delivered"])
        last = [e["totals"] for e in events if "totals" in e][-1]
        self.assertEqual({k: last[k] for k in ("delivered", "failed", "skipped", "deferred")},
                         {k: states[k] for k in ("delivered", "failed", "skipped", "deferred")})
        with Book(shop) as book:
            self.assertGreaterEqual(book.charged(), server.bill.nanos())

    def look_at(self, views, stats):
        before = (0, 0, 0.0)
        for view in views:
            now = (view["completedTasks"], view["failedTasks"], view["actualCostSoFar"])
            self.assertEqual(view["totalTasks"], 39)
            self.assertLessEqual(now[0], 39)
            self.assertLessEqual(now[1], now[0])
            self.assertTrue(all(a <= b for a, b in zip(before, now)), f"{before} then {now}")
            before = now
        delivered = 0
        for one in stats:
            counts = dict(one["tasks"])
            self.assertEqual(counts.pop("total"), 39)
            self.assertEqual(sum(counts.values()), 39)
            self.assertGreaterEqual(counts["delivered"], delivered)
            delivered = counts["delivered"]
