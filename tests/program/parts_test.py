"""A file whose tests come in several answers, over several runs: none of them is ever dropped, and verify would notice."""

import http.server
import json
import re
import threading

from program import STATE, Case

PARTS = re.compile(r'part="(\d+)" parts="(\d+)"')
FUNCTION = ("def {0}(a, b):\n    if a > b:\n        return a\n    for i in range(b):\n        if i == a and b > 3:\n"
            "            return i\n    return b\n")


class ScriptedServer:
    """Answers with a test for each symbol; `refuses(part, parts)` says which parts are refused."""

    def __init__(self):
        self.refuses = lambda part, parts: False
        self.asked = []
        self.extra = ""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = json.dumps(outer.answer(body["messages"][0]["content"])).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, prompt):
        if not isinstance(prompt, str):
            prompt = "".join(block.get("text", "") for block in prompt)
        part, parts = map(int, PARTS.search(prompt).groups())
        listed = re.search(r"<symbols>\n(.*?)\n</symbols>", prompt, re.S).group(1)
        names = [json.loads(line)["name"] for line in listed.splitlines()]
        self.asked.append((part, parts, names))
        refused = self.refuses(part, parts)
        imports = re.search(r"<import>\n(.*?)\n</import>", prompt, re.S).group(1)
        count = len(self.asked)
        tests = "\n\n".join(f"def test_{name}():\n    assert callable({name}), {count}\n" for name in names)
        code = f"```python\n{imports}\n{self.extra}\n\n{tests}```\n"
        return {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5",
                "stop_reason": "refusal" if refused else "end_turn",
                "content": [{"type": "text", "text": "" if refused else code}],
                "usage": {"input_tokens": 100, "output_tokens": 100}}


class PartsBase(Case):
    def setUp(self):
        super().setUp()
        self.server = ScriptedServer()
        self.addCleanup(self.server.stop)
        self.shop = self.project(0)
        self.names = [f"func{i:02}" for i in range(60)]
        self.write(self.names)
        self.tests = self.shop / STATE / "tests"
        self.file = self.tests / "test_big.py"

    def write(self, names):
        (self.shop / "big.py").write_text("\n\n".join(FUNCTION.format(name) for name in names))

    def run_once(self, *arguments, code=0):
        ended = self.batch(self.shop, "--force", *arguments, server=self.server)
        self.ends(ended, code)
        return ended

    def functions_in(self, file=None):
        """The functions that the file tests."""
        return sorted(re.findall(r"^def test_(\w+?)(?:_part\d+)?\(", (file or self.file).read_text(), re.M))

    def complete(self):
        ended = self.cohort("verify", self.shop)
        self.ends(ended, 0)

    def differences(self, *arguments, code=1):
        ended = self.cohort("verify", self.shop, "--json", *arguments)
        self.ends(ended, code)
        return [(x["kind"], x["where"]) for x in json.loads(ended.out)["differences"]]


class OverSeveralRuns(PartsBase):
    def test_a_part_that_failed_joins_the_others_when_it_is_tried_again(self):
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        self.assertEqual(len(self.functions_in()), 36)
        self.complete()
        self.server.refuses = lambda part, parts: False
        self.run_once()
        self.assertEqual(self.functions_in(), self.names)
        self.assertEqual(len(self.server.asked), 4)
        self.complete()
        self.file.unlink()
        self.assertEqual(self.differences(code=1), [("missing", str(self.file))])
        self.assertEqual(self.differences("--restore", code=0), [])
        self.assertEqual(self.functions_in(), self.names)

    def test_another_plan_keeps_what_was_delivered(self):
        self.run_once("-b", "1", "--max-batches", "1")
        self.assertEqual(len(self.functions_in()), 24)
        self.run_once("-b", "10")
        self.assertEqual(self.functions_in(), self.names)
        self.complete()

    def test_another_effort_asks_for_what_is_not_delivered_and_for_nothing_else(self):
        self.server.refuses = lambda part, parts: part == 3
        self.run_once(code=3)
        self.assertEqual(len(self.functions_in()), 48)
        self.server.refuses = lambda part, parts: False
        self.run_once("--effort", "low")
        self.assertEqual(self.server.asked[3:], [(1, 1, self.names[48:])])
        self.assertEqual(self.functions_in(), self.names)
        self.complete()

    def test_what_is_made_anew_replaces_each_part_only_by_its_like(self):
        self.run_once()
        self.server.refuses = lambda part, parts: part == 1
        self.run_once("--regenerate", code=3)
        self.assertEqual(len(self.server.asked), 6)
        self.assertEqual(self.functions_in(), self.names)
        self.complete()

    def test_new_functions_and_another_cut_into_parts_drop_nothing(self):
        self.run_once()
        more = [f"added{i:02}" for i in range(30)]
        self.write(more + self.names)
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        self.assertEqual(self.functions_in(), sorted(more[:24] + self.names))
        self.server.refuses = lambda part, parts: False
        self.run_once()
        self.assertEqual([names for _, _, names in self.server.asked[3:]], [more[:24], more[24:], more[24:]])
        self.assertEqual(self.functions_in(), sorted(more + self.names))
        self.complete()

    def test_a_function_that_is_gone_takes_no_test_of_another_with_it(self):
        self.run_once()
        self.write(self.names[1:])
        self.assertIn("Everything is delivered", self.run_once().err)
        self.assertEqual(len(self.server.asked), 3, "nothing is bought again")
        self.assertEqual(self.functions_in(), self.names, "what was delivered stays")
        self.complete()

    def test_a_deleted_file_is_written_whole(self):
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        self.file.unlink()
        self.server.refuses = lambda part, parts: False
        self.run_once()
        self.assertEqual(self.functions_in(), self.names)

    def test_an_edited_file_stays_and_everything_lies_beside_it(self):
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        edited = self.file.read_text() + "\n# mine\n"
        self.file.write_text(edited)
        self.server.refuses = lambda part, parts: False
        self.assertIn("a file that is not ours", self.run_once().err)
        self.assertEqual(self.file.read_text(), edited)
        self.assertEqual(self.functions_in(self.tests / "test_big_2.py"), self.names)
        self.assertEqual(self.differences(), [("edited", str(self.file))])
        self.assertEqual(self.differences("--restore"), [("edited", str(self.file))])
        self.file.unlink()
        self.complete()

    def test_another_folder_gets_what_was_missing_and_the_old_file_stays(self):
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        self.server.refuses = lambda part, parts: False
        self.run_once("--tests-dir", "generated")
        moved = self.shop / "generated" / "test_big.py"
        for _ in range(2):
            self.assertEqual(self.functions_in(moved), self.names[24:48])
            self.assertEqual(len(self.functions_in()), 36)
            self.complete()
            moved.unlink()
            self.file.unlink()
            self.assertEqual(self.differences("--restore", code=0), [])

    def test_a_run_into_another_folder_takes_nothing_from_this_one(self):
        self.run_once()
        self.run_once("--tests-dir", "generated")
        (self.shop / "big.py").write_text((self.shop / "big.py").read_text().replace("b > 3", "b > 4"))
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        self.assertEqual(self.functions_in(), self.names)
        self.complete()

    def test_parts_that_act_on_their_whole_file_keep_files_of_their_own(self):
        self.server.extra = "import pytest\npytestmark = pytest.mark.filterwarnings('error')"
        self.server.refuses = lambda part, parts: part == 2
        self.run_once(code=3)
        self.server.refuses = lambda part, parts: False
        self.run_once()
        more = [f"added{i:02}" for i in range(3)]
        self.write(more + self.names[:24])
        self.run_once()
        found = [name for file in sorted(self.tests.iterdir()) for name in self.functions_in(file)]
        self.assertEqual(set(found), set(more) | set(self.names))
        self.complete()

    def test_an_edit_after_everything_was_delivered_is_only_an_edit(self):
        self.run_once()
        self.file.write_text(re.sub(r"(?s)def test_func07\(.*?\n\n\n", "", self.file.read_text()))
        self.assertEqual(self.differences(), [("edited", str(self.file))])
        self.assertEqual(self.differences("--restore"), [("edited", str(self.file))])
        self.assertFalse((self.tests / "test_big_2.py").exists())


class FewerSymbols(PartsBase):
    def setUp(self):
        super().setUp()
        self.names = ["alpha", "beta", "gamma"]
        self.write(self.names)

    def test_own_tests_for_one_symbol_leave_those_for_it_in_place(self):
        self.run_once()
        (self.shop / "tests").mkdir()
        (self.shop / "tests" / "test_mine.py").write_text("from big import beta\n\ndef test_beta():\n    assert beta(1, 2) == 2\n")
        self.run_once()
        self.assertEqual([names for _, _, names in self.server.asked], [self.names], "nothing is bought again")
        self.assertEqual(set(self.functions_in()), set(self.names))
        self.complete()

    def test_a_gap_report_with_one_symbol_less_drops_none(self):
        self.run_once()
        ended = self.cohort("analyze-gaps", self.shop, "-f", "json")
        self.ends(ended, 0)
        report = self.room / "gaps.json"
        report.write_text(re.sub(r'\{[^{}]*"beta"[^{}]*\},?', "", ended.out))
        self.run_once("--gap-report", report)
        self.assertEqual([names for _, _, names in self.server.asked], [self.names], "nothing is bought again")
        self.assertEqual(set(self.functions_in()), set(self.names))
        self.complete()
