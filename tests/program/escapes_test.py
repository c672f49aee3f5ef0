"""Whatever a project, a ledger or a server says, it does not act on the terminal of who reads it."""

import json
import os
import pty
import re
import subprocess

from hostile import Server, message
from program import PROGRAM, STATE, Case, environment, module_text

TITLE = "\x1b]0;owned\x07"
CONTROLS = [TITLE + "\x1b[2J", "\x9b2J\x85\x90", "\x7f\x08\r", "\u202eyp\u2066\u2069", "\u200b\u200f\ufeff\u2028\u2029\u061c",
            "\U000e0041\U000e007f", "new\nline", "\x9b\udc9b"]
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
                    "\U000e0000-\U000e0fff]")


class Escapes(Case):
    def evil_project(self, name="project"):
        root = self.room / name
        root.mkdir()
        (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\n')
        for i, evil in enumerate(CONTROLS):
            where = os.fsencode(root) + b"/" + evil.encode("utf-8", "surrogateescape")
            os.mkdir(where)
            for file in (b"/unit.py", b"/u" + evil.encode("utf-8", "surrogateescape") + b".py"):
                with open(where + file, "w") as out:
                    out.write(module_text(f"unit_{i}"))
            with open(where + b"/x.js", "w") as out:
                out.write("export function a" + str(i) + "(x) { if (x) { return 1 } return 2 }\n")
            os.symlink("nowhere", where + b"/link.py")
        (root / "package.json").write_text("{bad \x1b[31m")
        (root / "tsconfig.json").write_text("{bad \x1b[31m")
        return root

    def shown(self, raw, what):
        """`raw` is text, and nothing in it acts on a display."""
        text = raw.decode("utf-8")
        found = ACTING.search(text)
        if found:
            self.fail(f"{what}: {text[max(0, found.start() - 60):found.start() + 20]!r}")
        return text

    def quiet(self, *arguments, env=None):
        done = subprocess.run([PROGRAM, *map(os.fspath, arguments)], capture_output=True, stdin=subprocess.DEVNULL, timeout=100,
                              env=env or self.env(), cwd=self.room)
        what = " ".join(map(repr, arguments))
        return self.shown(done.stdout, what), self.shown(done.stderr, what), done.returncode

    def look_at_all(self, project, provider=("--provider", "simulator")):
        for command in (["generate-logical-batch", project, "--dry-run", "-v"], ["analyze-gaps", project],
                        ["analyze-gaps", project, "-f", "markdown"], ["analyze-gaps", project, "-f", "json"],
                        ["doctor", project, *provider], ["doctor", project, *provider, "--json"],
                        ["generate-logical-batch", project, *provider, "--force", "-v", "-o", self.room / "reports"],
                        ["generate-logical-batch", project, *provider, "--json"],
                        ["generate-logical-batch", project, "--stats", "-v"], ["generate-logical-batch", project, "--stats", "--json"],
                        ["verify", project], ["verify", project, "--json"], ["verify", project, "--restore"],
                        ["join", project], ["generate-logical-batch", project, "--clean"]):
            self.quiet(*command)
        for report in (self.room / "reports").glob("*.json"):
            self.shown(report.read_bytes(), report.name)
            json.loads(report.read_text())

    def test_names_of_files_and_folders(self):
        project = self.evil_project()
        out, _, _ = self.quiet("analyze-gaps", project, "-f", "json")
        paths = {gap["path"] for gap in json.loads(out)["gaps"]}
        self.assertIn(f"{CONTROLS[0]}/unit.py", paths)
        self.assertIn(f"{CONTROLS[3]}/u{CONTROLS[3]}.py", paths)
        self.look_at_all(project)
        log = project / STATE / "logs" / "cohort.log"
        for line in self.shown(log.read_bytes(), "log").splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT")

    def test_the_name_of_the_project_itself(self):
        for evil in (CONTROLS[0], CONTROLS[3], "new\nline"):
            project = self.project(2, "p" + evil)
            self.look_at_all(project)

    def test_a_terminal_that_is_drawn_on(self):
        project = self.evil_project()
        ours, theirs = pty.openpty()
        run = subprocess.Popen([PROGRAM, "generate-logical-batch", project, "--provider", "simulator", "--force", "-v"], stdin=theirs,
                               stdout=theirs, stderr=theirs, env=self.env(), cwd=self.room)
        self.started.append(run)
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(ours)
        run.wait(timeout=60)
        self.assertIn(b"\x1b[K", seen)
        self.shown(seen.replace(b"\x1b[K", b"").replace(b"\r", b""), "terminal")

    def test_arguments(self):
        evil = CONTROLS[0] + CONTROLS[3]
        for arguments in ([evil], ["verify", evil], ["verify", self.room, "--no" + evil], ["generate-logical-batch", self.room, "--model", evil],
                          ["generate-logical-batch", self.room, "--template", evil, "--dry-run"], ["simulator", "--scenario", evil],
                          ["generate-logical-batch", self.room, "--provider", evil], ["join", evil, "--cluster", evil],
                          ["generate-logical-batch", self.room, "-g", evil, "--dry-run"], ["cluster", "init", evil, "--add", evil],
                          ["simulator", "--set", evil], ["generate-logical-batch", self.room, "--cost-limit", evil],
                          ["analyze-gaps", self.room, "-o", f"/proc/nowhere/{evil}"]):
            _, err, code = self.quiet(*arguments)
            self.assertNotEqual(code, 0, arguments)
            self.assertTrue(err)

    def test_what_a_server_says(self):
        evil = "".join(text for text in CONTROLS if text.isprintable() is False and "\udc9b" not in text)
        replies = [(400, {}, json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": evil}}).encode()),
                   (200, {}, message(evil)), (200, {}, message(model="claude-" + evil)), (200, {}, b"{" + evil.encode()),
                   (307, {"location": "http://x/\x1b[31m"}, b""), (500, {}, evil.encode()), (200, {"request-id": "r\x1b[31m"}, message()),
                   (200, {"content-type": "text/event-stream"}, b"event: " + evil.encode().replace(b"\n", b"") + b"\ndata: {\n\n"),
                   (200, {}, message("```python\ndef test_" + "a(): pass\n# " + evil + "\n```\n"))]
        server = Server(lambda _, number: replies[number % len(replies)])
        self.addCleanup(server.stop)
        env = environment(self.room, ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY="key-of-a-test")
        project = self.project(12)
        for more in (["-v"], ["--json"], ["--stats", "-v"], ["--stats", "--json"]):
            self.quiet("generate-logical-batch", project, "--force", *more, env=env)
        self.quiet("doctor", project, env=env)
        self.shown((project / STATE / "logs" / "cohort.log").read_bytes(), "log")

    def test_markdown_gives_names_no_meaning(self):
        project = self.room / "project"
        (project / "a](http:").mkdir(parents=True)
        for name in ("x|y.py", "`tick`.py", "<img src=x>.py", "[a](b).py", "**b**.py"):
            (project / "a](http:" / name).write_text(module_text("unit"))
        out, _, _ = self.quiet("analyze-gaps", project, "-f", "markdown")
        rows = [line for line in out.splitlines() if "unit_rule" in line]
        self.assertEqual(len(rows), 5)
        for row in rows:
            self.assertEqual(row.count("|"), 5, row)
            bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", row)
            self.assertNotRegex(bare, r"[<\[*`]|http", row)
