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
    "settings": {"messages", "base"},
    "languages": {"messages", "base"},
    "planning": {"languages", "settings", "messages", "base"},
    "answers": {"languages", "messages", "base"},
    "claude": {"messages", "base"},
    "state": {"messages", "base"},
    "cluster": {"messages", "base"},
    "simulator": {"base"},
    "actors": {"messages", "base", "state", "cluster"},
    "app": {"messages", "base", "settings", "languages", "planning", "answers", "claude", "state", "cluster", "actors", "simulator"},
    "cli": {"messages", "base", "settings", "languages", "planning", "answers", "claude", "state", "cluster", "actors", "simulator",
            "app"},
}
CAF_ROOMS = {"actors", "app", "cli", "tests"}
# Vocabulary: what these define is named without their names.
INLINE = {"base", "messages"}
MOST_FILES = 36
TYPE = re.compile(r"^(?:class|struct|union|enum class) (\w+)(?: final)?(?: :[^;{]*)? \{", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources(*rooms):
    for room in rooms:
        for path in sorted((SOURCE / room).rglob("*")):
            if path.suffix in {".cpp", ".hpp", ".h", ".cc"}:
                yield path


def declares_only(path, namespace):
    """True if the file opens another room's namespace for forward declarations alone."""
    bodies = re.findall(rf"^namespace {re.escape(namespace)} \{{\n(.*?)^\}}", path.read_text(encoding="utf-8"), re.M | re.S)
    return all(re.fullmatch(r"((?:class|struct) \w+;[^\n]*\n)*", body) for body in bodies)


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
                if mark == '"' and not (SOURCE / name).is_file() and name != "languages/grammars/compiled_grammars.hpp":
                    wrong.append(f"{path.relative_to(SOURCE)} includes \"{name}\"")
        self.assertEqual(wrong, [])

    def test_each_room_has_a_namespace_of_its_own(self):
        wrong, seen = [], 0
        for room in MAY_INCLUDE:
            own = f"cohort::inline {room}" if room in INLINE else f"cohort::{room}"
            for path in sources(room):
                for name in re.findall(r"^namespace (cohort[\w: ]*) \{", path.read_text(encoding="utf-8"), re.M):
                    seen += 1
                    forward = path.suffix == ".hpp" and name != own and declares_only(path, name)
                    if name != own and not forward:
                        wrong.append(f"{path.relative_to(SOURCE)} opens {name}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 300, "the namespaces were not found")

    def test_no_type_is_defined_by_two_rooms(self):
        """Even in namespaces of their own: a reader would take one for the other, and names of base and messages reach everywhere."""
        rooms = {}
        for room in MAY_INCLUDE:
            for path in sources(room):
                for name in TYPE.findall(path.read_text(encoding="utf-8")):
                    rooms.setdefault(name, set()).add(room)
        self.assertGreater(len(rooms), 400, "the types were not found")
        self.assertEqual({name: sorted(of) for name, of in rooms.items() if len(of) > 1}, {})

    def test_no_program_file_looks_like_a_test(self):
        wrong = [str(path.relative_to(SOURCE)) for path in sources(*MAY_INCLUDE) if re.match(r"test_|.*_test\.", path.name)]
        self.assertEqual(wrong, [])

    def test_folders_are_small_and_two_levels_deep_at_most(self):
        for room in MAY_INCLUDE:
            for folder in [SOURCE / room, *(entry for entry in (SOURCE / room).rglob("*") if entry.is_dir())]:
                with self.subTest(folder=str(folder.relative_to(SOURCE))):
                    self.assertLessEqual(len(folder.relative_to(SOURCE).parts), 2)
                    self.assertLessEqual(sum(entry.is_file() for entry in folder.iterdir()), MOST_FILES)

    def test_regular_expressions_are_linear(self):
        wrong = [str(path.relative_to(SOURCE)) for path in sources(*MAY_INCLUDE, "tests", "bench")
                 if any(name in {"regex", "regex.h", "boost/regex.hpp"} for _, name in includes(path))]
        self.assertEqual(wrong, [], "std::regex takes exponential time and recurses: use RE2, as base/line_pattern.hpp does")

    def test_every_room_is_known_here(self):
        rooms = {path.parent.name for path in SOURCE.glob("*/CMakeLists.txt")} - {"tests", "bench", "node_modules"}
        self.assertEqual(rooms, set(MAY_INCLUDE))


class MessageTables(unittest.TestCase):
    """In actors/interfaces.hpp each actor's table, in comments, has the messages of its type, one line each."""

    ENTRY = re.compile(r"^///   (?! )([a-z_]+(?:, [a-z_]+)*)(?: +-> +[a-z_]+)?(?: {2,}\S.*)?$")

    def actors(self):
        table, statement = [], None
        for line in (SOURCE / "actors" / "interfaces.hpp").read_text(encoding="utf-8").splitlines():
            if re.match(r"/// [A-Z]{2}[A-Z ]+[:,]", line):
                table = []
            elif line.startswith("///   "):
                table.append(line)
            statement = line if line.startswith("using ") else statement and statement + line
            if statement and line.endswith(";"):
                taken = re.findall(r"(?:reacts_to|replies_to)<(\w+)>", statement)
                yield re.match(r"using (\w+)", statement).group(1), table, taken
                statement = None

    def test_each_has_the_messages_of_its_type(self):
        described = (SOURCE / "docs" / "messages.md").read_text(encoding="utf-8")
        seen = 0
        for actor, table, taken in self.actors():
            with self.subTest(actor=actor):
                told = []
                for line in table:
                    if not re.match(r"///   (as WORKER| +-> error)", line):
                        entry = self.ENTRY.match(line)
                        self.assertTrue(entry, f"more or less than one entry: {line}")
                        told += entry.group(1).split(", ")
                self.assertEqual(sorted(told), sorted(taken))
                for message in taken:
                    self.assertRegex(described, rf"[`*]{message}[`*]", "docs/messages.md")
                seen += len(taken)
        self.assertGreater(seen, 60, "the types were not found")

    def test_no_line_holds_the_beginning_of_another(self):
        for line in (SOURCE / "actors" / "interfaces.hpp").read_text(encoding="utf-8").splitlines():
            if line.startswith("///"):
                self.assertNotRegex(line, r"\. [a-z_]+(?: +->| {3,})", "the formatter joined two lines")


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
