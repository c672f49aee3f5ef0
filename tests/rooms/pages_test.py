"""The pages name what exists: paths, links, the tree of rooms, numbers of decisions, types and names of the code."""

import pathlib
import re
import subprocess
import unittest

from rooms_test import MAY_INCLUDE, SOURCE

DOCS = SOURCE / "docs"
DECISIONS = DOCS / "decisions"
# Paths begin with one of these; all else that looks like a path is somebody else's: a project's, a system's, a build's.
TOP = {*MAY_INCLUDE, "tests", "bench", "docs", "config", "cmake", "examples"}
# Names in backticks that are no names of ours: of CAF, OpenSSL, SQLite, curl, tools and examples.
OTHERS = {"response_promise", "trusted_schema", "no_proxy", "recently_deleted", "connection_timeout", "snake_case", "ninja_log"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
TYPE = re.compile(r"\b(?:class|struct|union|enum class) (\w+)(?: final)?(?: :[^;{]*)? \{|\busing (\w+) =")
NAME = re.compile(r"(?<![\w./*-])[a-z]\w*_\w+(?![\w*])(?![./-]\w)")


def pages():
    return [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def text_of(path):
    return path.read_text(encoding="utf-8")


def tracked():
    """Every file of the repository: what git has, or, in a copy without git, what lies there."""
    listed = subprocess.run(["git", "-C", str(SOURCE), "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return [SOURCE / name for name in listed.stdout.splitlines()]
    hidden = {"node_modules", ".git", ".cache", "__pycache__", ".claude-testing"}
    return [path for path in SOURCE.rglob("*") if not hidden & set(path.parts) and not path.relative_to(SOURCE).parts[0].startswith("build")]


def commands_of(text):
    """What stands in blocks of shell commands, comments left out."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S):
        for line in block.splitlines():
            yield re.split(r"\s#", line)[0]


def paths_in(text):
    """Paths of the repository that the page names in backticks or commands, as globs: NAME stands for any name."""
    outside = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    for piece in [*CODE.findall(outside), *commands_of(text)]:
        for word in re.findall(r"(?<![\w./~$:-])[\w./*{},-]+", piece):
            if word.split("/")[0] in TOP and "/" in word and ".claude-testing" not in word:
                yield word.rstrip(".,")


def alternatives(path):
    found = re.search(r"\{([^}]*)\}", path)
    if not found:
        return [path]
    return [other for one in found.group(1).split(",") for other in alternatives(path[:found.start()] + one + path[found.end():])]


def exists(path):
    """True if each alternative of `path` is there; a file may be named without its extension, as a header and its source."""
    for one in alternatives(path):
        pattern = re.sub(r"\b[A-Z]{2,}\b", "*", one).rstrip("/")
        if not any(SOURCE.glob(pattern)) and not any(SOURCE.glob(pattern + ".*")):
            return False
    return True


def anchor(heading):
    return re.sub(r"[^\w -]", "", re.sub(r"`", "", heading).lower()).replace(" ", "-")


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


class Pages(unittest.TestCase):
    def test_every_path_exists(self):
        seen, wrong = 0, []
        for page in pages():
            for path in paths_in(text_of(page)):
                seen += 1
                if not exists(path):
                    wrong.append(f"{page.relative_to(SOURCE)}: {path}")
            self.assertEqual(text_of(page).count("```") % 2, 0, f"{page.name}: a block of code without an end")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 150, "the paths were not found")

    def test_every_link_leads_somewhere(self):
        seen, wrong = 0, []
        for page in pages():
            for target in LINK.findall(text_of(page)):
                if re.match(r"[a-z]+:", target):
                    continue
                seen += 1
                name, _, part = target.partition("#")
                there = (page.parent / name).resolve() if name else page
                if not there.exists():
                    wrong.append(f"{page.relative_to(SOURCE)}: {target}")
                elif part and part not in {anchor(line) for line in re.findall(r"^#+ (.*)$", text_of(there), re.M)}:
                    wrong.append(f"{page.relative_to(SOURCE)}: no heading {target}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 80, "the links were not found")

    def test_every_name_is_one_of_the_code(self):
        """Not in decisions, which may speak of what there was."""
        code = {f"test_{room}" for room in MAY_INCLUDE}
        for path in tracked():
            if path.suffix in {".cpp", ".hpp", ".c", ".h", ".py", ".json", ".txt", ".cmake", ".scm", ".mjs"} and path.is_file() \
                    and path != pathlib.Path(__file__).resolve():
                text = text_of(path)
                code.update(re.findall(r"\w+", without_comments(text) if path.suffix in {".cpp", ".hpp"} else text))
                code.add(path.stem)
        seen, wrong = 0, []
        for page in pages():
            if page.parent == DECISIONS:
                continue
            for number, line in enumerate(text_of(page).splitlines(), 1):
                for piece in CODE.findall(line):
                    for name in NAME.findall(piece):
                        seen += 1
                        if name not in code | OTHERS and not re.search(r"[A-Z]", name):
                            wrong.append(f"{page.relative_to(SOURCE)}:{number}: {name}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 300, "the names were not found")

    def test_every_page_is_listed(self):
        listed = text_of(DOCS / "README.md")
        self.assertEqual([page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in listed], [])


class Messages(unittest.TestCase):
    """docs/messages.md gives each message the fields of its struct."""

    FIELD = re.compile(r"^  [\w:<>, *]+?\b(\w+)(?:\{[^;]*\}| = [^;]*)?;", re.M)

    def test_the_fields_are_those_of_the_structs(self):
        fields = {}
        for room in ("actors", "messages"):
            for path in (SOURCE / room).rglob("*.hpp"):
                for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", without_comments(text_of(path)), re.M | re.S):
                    fields[name] = self.FIELD.findall(body)
        listed = re.findall(r"`(\w+)`\*?\s+\{([\w,\s]+)\}", text_of(DOCS / "messages.md"))
        self.assertGreater(len(listed), 50, "the messages were not found")
        for name, told in listed:
            with self.subTest(message=name):
                self.assertEqual(re.split(r",\s*", told), fields.get(name))


class Tree(unittest.TestCase):
    """The picture of the rooms at the beginning of docs/architecture.md has every folder, and no other."""

    def drawn(self):
        picture = re.search(r"^```\n(.*?)^```", text_of(DOCS / "architecture.md"), re.M | re.S).group(1)
        room = None
        for line in picture.splitlines():
            found = re.match(r"( *)([a-z]+)/ ", line)
            if found:
                room = room if found.group(1) else found.group(2)
                yield f"{room}/{found.group(2)}" if found.group(1) else room

    def test_it_is_the_tree_of_the_rooms(self):
        folders = set(MAY_INCLUDE)
        for room in MAY_INCLUDE:
            folders |= {f"{room}/{entry.name}" for entry in (SOURCE / room).iterdir() if entry.is_dir() and any(entry.iterdir())}
        drawn = list(self.drawn())
        self.assertEqual(len(drawn), len(set(drawn)))
        self.assertEqual(set(drawn), folders | {"config"})


class Decisions(unittest.TestCase):
    def test_they_are_numbered_without_gaps(self):
        names = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
        self.assertGreater(len(names), 20)
        self.assertEqual([name[:4] for name in names], [f"{number:04d}" for number in range(1, len(names) + 1)])
        for number, name in enumerate(names, 1):
            self.assertTrue(text_of(DECISIONS / name).startswith(f"# {number}. "), name)

    def test_the_list_has_each_with_its_title(self):
        listed = re.findall(r"\[(\d{4})\]\(([^)]+)\)[ |:]*([^\n|]+)", text_of(DECISIONS / "README.md"))
        pages_there = sorted(DECISIONS.glob("[0-9]*.md"))
        titles = [(path.name[:4], path.name, text_of(path).split("\n")[0].split(". ", 1)[1]) for path in pages_there]
        self.assertEqual([(number, name, title.strip()) for number, name, title in listed], titles)

    def test_a_reference_names_a_page_by_its_number(self):
        seen, wrong = 0, []
        for path in tracked():
            if path.suffix not in {".md", ".cpp", ".hpp", ".cmake", ".py"} or path.name == "CHANGELOG.md" or not path.is_file():
                continue
            text = text_of(path)
            for label, number in re.findall(r"\[(?:decision |decisions/)?(\d+)\]\([^)]*?(\d{4})-[^)]*\)", text):
                seen += 1
                if int(label) != int(number):
                    wrong.append(f"{path.relative_to(SOURCE)}: [{label}] leads to {number}")
            for name in re.findall(r"docs/decisions/(\d{4}[\w-]*(?:\.md)?)", text):
                seen += 1
                if not any(DECISIONS.glob(name if name.endswith(".md") else f"{name}*.md")):
                    wrong.append(f"{path.relative_to(SOURCE)}: {name}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 30, "the references were not found")


class Glossary(unittest.TestCase):
    ENTRY = re.compile(r"^- \*\*[^*]+\*\* \((`\w+`(?:, `\w+`)*)\): [A-Z`].*", re.S)

    def test_each_term_names_a_type_of_the_code(self):
        types = set()
        for room in MAY_INCLUDE:
            for path in (SOURCE / room).rglob("*.hpp"):
                types.update(name for found in TYPE.findall(without_comments(text_of(path))) for name in found if name)
        self.assertGreater(len(types), 400, "the types were not found")
        entries = re.split(r"^(?=- \*\*)", text_of(DOCS / "glossary.md"), flags=re.M)[1:]
        self.assertGreater(len(entries), 25)
        for entry in entries:
            with self.subTest(entry=entry.split("\n")[0]):
                found = self.ENTRY.match(entry)
                self.assertTrue(found, "a term, its types in backticks, a sentence")
                for name in re.findall(r"`(\w+)`", found.group(1)):
                    self.assertIn(name, types)

    def test_who_begins_is_led_to_it(self):
        for page in (SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", DOCS / "architecture.md", DOCS / "README.md"):
            self.assertIn("glossary.md)", text_of(page), page.name)


if __name__ == "__main__":
    unittest.main()
