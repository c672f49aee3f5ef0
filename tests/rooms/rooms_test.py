"""The rooms' arrows, as docs and design draw them; and no test that belongs to nothing."""

import json
import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("COHORT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("COHORT_BUILD_DIR", SOURCE / "build"))

MAY_INCLUDE = {
    "base": set(),
    "messages": {"base"},
    "planning": {"messages", "base"},
    "claude": {"messages", "base"},
    "state": {"messages", "base"},
    "simulator": {"base"},
    "actors": {"messages", "base", "planning", "claude", "state"},
    "cli": {"messages", "base", "planning", "claude", "state", "actors", "simulator"},
}
CAF_ROOMS = {"actors", "cli", "tests"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources(*rooms):
    for room in rooms:
        for path in sorted((SOURCE / room).rglob("*")):
            if path.suffix in {".cpp", ".hpp", ".h", ".cc"}:
                yield path


def includes(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


class Rooms(unittest.TestCase):
    def test_every_include_follows_an_arrow(self):
        seen, wrong = 0, []
        for room, allowed in MAY_INCLUDE.items():
            for path in sources(room):
                for _, name in includes(path):
                    target = name.split("/")[0]
                    if target not in MAY_INCLUDE or "/" not in name:
                        continue
                    seen += 1
                    if target != room and target not in allowed:
                        wrong.append(f"{path.relative_to(SOURCE)} includes {name}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 300, "the includes were not found")

    def test_the_actor_framework_stays_in_its_rooms(self):
        found, wrong = 0, []
        for path in sources(*MAY_INCLUDE, "tests", "bench"):
            room = path.relative_to(SOURCE).parts[0]
            for _, name in includes(path):
                if name.startswith("caf/"):
                    found += 1
                    if room not in CAF_ROOMS | {"bench"}:
                        wrong.append(f"{path.relative_to(SOURCE)} includes {name}")
        self.assertEqual(wrong, [])
        self.assertGreater(found, 5)

    def test_our_own_headers_are_included_by_room_and_exist(self):
        wrong = []
        for path in sources(*MAY_INCLUDE):
            for mark, name in includes(path):
                if mark == '"' and not (SOURCE / name).is_file() and name != "planning/grammar_table.hpp":
                    wrong.append(f"{path.relative_to(SOURCE)} includes \"{name}\"")
        self.assertEqual(wrong, [])

    def test_every_room_is_known_here(self):
        rooms = {path.parent.name for path in SOURCE.glob("*/CMakeLists.txt")} - {"tests", "bench", "node_modules"}
        self.assertEqual(rooms, set(MAY_INCLUDE))


class EveryTestRuns(unittest.TestCase):
    def test_every_cpp_test_belongs_to_a_target(self):
        database = BUILD / "compile_commands.json"
        compiled = {os.path.realpath(os.path.join(entry["directory"], entry["file"])) for entry in json.loads(database.read_text())}
        there = sorted((SOURCE / "tests").rglob("*_test.cpp"))
        self.assertGreater(len(there), 20)
        self.assertEqual([str(p.relative_to(SOURCE)) for p in there if os.path.realpath(p) not in compiled], [])

    def test_every_python_test_is_registered(self):
        listed = ""
        for registered in BUILD.glob("tests/**/CTestTestfile.cmake"):
            listed += registered.read_text()
        missing = []
        for path in sorted((SOURCE / "tests").rglob("*_test.py")):
            for name in re.findall(r"^class (\w+)\(", path.read_text(), re.M):
                if not name.endswith("Base") and f"{path.stem}.{name}" not in listed:
                    missing.append(f"{path.relative_to(SOURCE)}: {name}")
        self.assertEqual(missing, [])

    def test_every_campaign_is_registered(self):
        folder = SOURCE / "tests" / "campaigns"
        listed = (BUILD / "tests" / "campaigns" / "CTestTestfile.cmake").read_text()
        campaigns = [path.stem for path in folder.glob("*.py") if "campaign.main(" in path.read_text()]
        self.assertIn("kill", campaigns)
        self.assertEqual([name for name in campaigns if f"[=[campaigns.{name}]=]" not in listed], [])

    def test_no_test_is_switched_off(self):
        wrong = []
        for path in sorted((SOURCE / "tests").rglob("*_test.*")):
            if path != pathlib.Path(__file__).resolve() and re.search(r"\bDISABLED_|@unittest\.skip\b|expectedFailure", path.read_text()):
                wrong.append(str(path.relative_to(SOURCE)))
        self.assertEqual(wrong, [])
