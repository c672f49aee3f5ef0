#include "answers/merge.hpp"

#include "tests/planning/prompt_fixture.hpp"

namespace cohort::answers {
namespace {

std::string merged(const std::string& language, const std::string& target, const std::vector<std::string>& parts) {
  const auto result = planning::handler().assemble(planning::task_in(language, target), parts);
  return result ? *result : result.error().message;
}

size_t occurrences(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

const std::string python_one =
    "\"\"\"Tests.\"\"\"\n\nimport sys\nfrom pathlib import Path\n\nsys.path.insert(0, "
    "str(Path(__file__).resolve().parents[3]))\n\n"
    "import pytest\nfrom shop.cart import add\n\n\ndef make():\n    return [1]\n\n\ndef test_add():\n    assert "
    "add(make()) == 1\n";
const std::string python_two =
    "from __future__ import annotations\n\nimport sys\nfrom pathlib import Path\n\nsys.path.insert(0, "
    "str(Path(__file__).resolve().parents[3]))\n\n"
    "import pytest\nimport math\nfrom shop.cart import remove\n\n\ndef make():\n    return "
    "[2]\n\n\n@pytest.fixture\ndef cart():\n    return make()\n\n\n"
    "def test_add(cart):\n    assert remove(cart, make=1) == math.pi, f\"{make()} make\"\n";

TEST(merge, of_python_joins_imports_and_tells_names_apart) {
  const auto text = merged("python", "test_cart.py", {python_one, python_two});
  EXPECT_EQ(occurrences(text, "sys.path.insert"), 1u) << text;
  EXPECT_EQ(occurrences(text, "import pytest"), 1u);
  EXPECT_EQ(occurrences(text, "from shop.cart import add, remove\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "import math"), 1u);
  EXPECT_LT(text.find("from __future__"), text.find("import sys"));
  EXPECT_LT(text.find("\"\"\"Tests"), text.find("from __future__"));
  EXPECT_EQ(occurrences(text, "def make()"), 1u);
  EXPECT_EQ(occurrences(text, "def make_part2()"), 1u);
  EXPECT_EQ(occurrences(text, "return make_part2()"), 1u);
  EXPECT_EQ(occurrences(text, "def test_add_part2(cart)"), 1u);
  EXPECT_EQ(occurrences(text, "remove(cart, make=1)"), 1u);
  EXPECT_EQ(occurrences(text, "f\"{make_part2()} make\""), 1u) << text;
}

TEST(merge, leaves_out_what_is_the_same_and_keeps_what_only_looks_so) {
  const std::string one =
      "from a import f\n\n\ndef base():\n    return 1\n\n\ndef both():\n    return base()\n\n\ndef test_one():\n    "
      "assert f(both())\n";
  const std::string same =
      "from a import f\n\n\ndef base():\n    return 1\n\n\ndef both():\n    return base()\n\n\ndef test_two():\n    "
      "assert f(both())\n";
  EXPECT_EQ(occurrences(merged("python", "test_a.py", {one, same}), "def both"), 1u);
  const std::string other =
      "from a import f\n\n\ndef base():\n    return 2\n\n\ndef both():\n    return base()\n\n\ndef test_two():\n    "
      "assert f(both())\n";
  const auto text = merged("python", "test_a.py", {one, other});
  EXPECT_EQ(occurrences(text, "def both_part2():\n    return base_part2()"), 1u) << text;
  EXPECT_EQ(occurrences(text, "assert f(both_part2())"), 1u);
}

TEST(merge, renames_an_import_that_another_module_has_taken) {
  const auto text = merged("python", "test_a.py",
                           {"from a import f\n\n\ndef test_one():\n    assert f()\n",
                            "from b import f\n\n\ndef test_two():\n    assert f()\n"});
  EXPECT_EQ(occurrences(text, "from b import f as f_part2"), 1u) << text;
  EXPECT_EQ(occurrences(text, "assert f_part2()"), 1u);
}

TEST(merge, does_not_take_a_package_and_its_modules_for_a_clash) {
  const auto text = merged("python", "test_a.py",
                           {"import os\n\n\ndef test_one():\n    assert os\n",
                            "import os.path\n\n\ndef test_two():\n    assert os.path.sep\n"});
  EXPECT_EQ(occurrences(text, "import os.path\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "part2"), 0u);
}

TEST(merge, of_typescript_joins_imports_and_tells_names_apart) {
  const std::string one =
      "import { describe, expect, test } from \"vitest\";\nimport { add, type Cart } from \"../src/cart\";\n\n"
      "const make = (n: number): Cart => ({ n });\n\ndescribe(\"add\", () => {\n  test(\"adds\", () => {\n    "
      "expect(add(make(1))).toBe(1);\n  });\n});\n";
  const std::string two =
      "import { describe, expect, test, vi } from \"vitest\";\nimport remove, { clear } from \"../src/cart\";\nimport "
      "* as fs from \"node:fs\";\n\n"
      "const make = () => 2;\n\ndescribe(\"remove\", () => {\n  test(\"make it\", () => {\n    const o = { make, x: "
      "make(), y: { make: 3 } };\n"
      "    expect(remove(`${make()}`, o.make, clear)).toBe(vi.fn(fs));\n  });\n});\n";
  const auto text = merged("typescript", "cart.test.ts", {one, two});
  EXPECT_EQ(occurrences(text, "import { describe, expect, test, vi } from \"vitest\";"), 1u) << text;
  EXPECT_EQ(occurrences(text, "import * as fs from \"node:fs\";"), 1u);
  EXPECT_NE(text.find("clear"), std::string::npos);
  EXPECT_EQ(occurrences(text, "import remove from \"../src/cart\";"), 1u) << text;
  EXPECT_EQ(occurrences(text, "}\n{\n"), 0u);
  EXPECT_EQ(occurrences(text, "\n{\n  const make = () => 2;\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "\n{\n  const make = (n: number)"), 1u) << text;
  EXPECT_EQ(occurrences(text, "    const o = { make, x: make(), y: { make: 3 } };"), 1u) << text;
  EXPECT_EQ(occurrences(text, "test(\"make it\""), 1u);
}

TEST(merge, of_commonjs_joins_requires) {
  const auto text = merged(
      "javascript", "a.test.cjs",
      {"const assert = require(\"node:assert/strict\");\nconst { it } = require(\"node:test\");\nconst { a } = "
       "require(\"../a.js\");\n\nit(\"a\", () => { assert.equal(a(), 1); });\n",
       "const assert = require(\"node:assert/strict\");\nconst { it, describe } = require(\"node:test\");\nconst { b: "
       "c } = require(\"../a.js\");\n\ndescribe(\"b\", () => { it(\"b\", () => { assert.equal(c(), 1); }); });\n"});
  EXPECT_EQ(occurrences(text, "require(\"node:assert/strict\")"), 1u) << text;
  EXPECT_EQ(occurrences(text, "const { it, describe } = require(\"node:test\");"), 1u);
  EXPECT_EQ(occurrences(text, "const { a, b: c } = require(\"../a.js\");"), 1u);
}

TEST(merge, of_members_of_an_imported_module_takes_each_once) {
  const std::string head = "import { test } from \"vitest\";\n\nimport types from \"../types.cjs\";\n";
  const auto text = merged("javascript", "types.test.cjs",
                           {head + "const { Schema } = types;\n\ntest(\"a\", () => { new Schema(); });\n",
                            head + "const { Schema, parse: read } = types;\nconst { own } = { own: 1 };\n\n" +
                                "test(\"b\", () => { new Schema(read(own)); });\n"});
  EXPECT_EQ(occurrences(text, "const { Schema, parse: read } = types;"), 1u) << text;
  EXPECT_EQ(occurrences(text, "= types;"), 1u) << text;
  EXPECT_EQ(occurrences(text, "\nconst { own } = { own: 1 };"), 1u) << text;
  EXPECT_EQ(occurrences(text, "import types from"), 1u) << text;
}

TEST(merge, of_go_has_one_package_clause_and_its_imports_first) {
  const auto text =
      merged("go", "cart/cart_test.go",
             {"package cart_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/shop/cart\"\n)\n\nfunc TestAdd(t "
              "*testing.T) {\n\tif cart.Add() != 1 {\n\t\tt.Fail()\n\t}\n}\n",
              "package cart_test\n\nimport (\n\t\"errors\"\n\t\"testing\"\n\n\t\"example.com/shop/cart\"\n)\n\nfunc "
              "TestAdd(t *testing.T) {\n\tif errors.Is(cart.Err(), nil) {\n\t\tt.Fail()\n\t}\n}\n"});
  EXPECT_EQ(occurrences(text, "package cart_test"), 1u) << text;
  EXPECT_EQ(occurrences(text, "\"testing\""), 1u);
  EXPECT_LT(text.find("\"errors\""), text.find("func "));
  EXPECT_EQ(occurrences(text, "func TestAdd_part2(t"), 1u);
}

TEST(merge, takes_a_single_part_as_it_is_and_refuses_none) {
  EXPECT_EQ(merged("python", "t.py", {python_one}), python_one);
  EXPECT_EQ(planning::handler().assemble(planning::task_in("python", "t.py"), {}).error().code, ec::no_code);
  EXPECT_EQ(planning::handler().assemble(planning::task_in("python", "t.py"), {"def f(:\n"}).error().code,
            ec::broken_code);
}

TEST(merge, of_many_parts_takes_no_longer_than_a_moment) {
  std::string big = "import pytest\n\n\ndef make():\n    return 1\n";
  for (int i = 0; i < 1000; ++i)
    big += "\n\ndef test_" + std::to_string(i) + "():\n    assert make() == " + std::to_string(i) + "\n";
  std::vector<std::string> parts(10, big);
  for (size_t i = 0; i < parts.size(); ++i) parts[i] += "\n\ndef test_last():\n    assert " + std::to_string(i) + "\n";
  const auto text = merged("python", "t.py", parts);
  EXPECT_EQ(occurrences(text, "def test_999()"), 1u);
  EXPECT_EQ(occurrences(text, "def test_last"), 10u);
}

std::string why_not_mergeable(const std::string& language, const std::string& target, const std::string& part) {
  return planning::handler().why_not_mergeable(planning::task_in(language, target), part);
}

TEST(merge, of_python_changes_the_files_own_names_only) {
  const std::string one = "def total():\n    return 1\n\n\ndef test_one():\n    assert total()\n";
  const std::string two =
      "import pytest\n\n\n@pytest.fixture\ndef cart():\n    return 2\n\n\ndef total():\n    return 2\n\n\n"
      "class TestCart:\n    total = 3\n\n    def test_total(self, cart):\n        assert self.total and cart.total\n"
      "        assert total() == f\"{total()} total\"\n\n"
      "    def test_local(self):\n        total = 4\n        assert total == dict(total=total)\n\n\n"
      "def test_inner(cart):\n    def each(total):\n        return total\n\n"
      "    assert each(total=[total for total in (1,)]) and (lambda total: total)(1)\n\n\n"
      "def test_global():\n    global total\n    total = None\n";
  const auto text = merged("python", "t.py", {one, two});
  EXPECT_EQ(occurrences(text, "def total_part2():"), 1u) << text;
  EXPECT_EQ(occurrences(text, "    total = 3\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "assert self.total and cart.total\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "assert total_part2() == f\"{total_part2()} total\""), 1u) << text;
  EXPECT_EQ(occurrences(text, "        total = 4\n        assert total == dict(total=total)"), 1u) << text;
  EXPECT_EQ(occurrences(text, "each(total=[total for total in (1,)]) and (lambda total: total)(1)"), 1u) << text;
  EXPECT_EQ(occurrences(text, "    global total_part2\n    total_part2 = None\n"), 1u) << text;
}

TEST(merge, of_python_follows_fixtures_into_parameters) {
  const auto fixture = [](const std::string& value, const std::string& test) {
    return "import pytest\n\n\n@pytest.fixture\ndef cart():\n    return " + value +
           "\n\n\n@pytest.fixture\ndef full(cart):\n    " + "return cart\n\n\ndef " + test +
           "(cart, full):\n    assert cart == full\n";
  };
  const auto text = merged("python", "t.py", {fixture("1", "test_one"), fixture("2", "test_two")});
  EXPECT_EQ(occurrences(text, "def full_part2(cart_part2):\n    return cart_part2\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "def test_two(cart_part2, full_part2):\n    assert cart_part2 == full_part2\n"), 1u)
      << text;
  // One that a plug-in or conftest.py gives stays what it was.
  const auto other = merged("python", "t.py", {"def test_one(cart):\n    assert cart\n", fixture("2", "test_two")});
  EXPECT_EQ(occurrences(other, "def test_one(cart):"), 1u) << other;
  EXPECT_EQ(occurrences(other, "def cart_part2():"), 1u) << other;
}

TEST(merge, of_python_keeps_what_holds_state_apart) {
  const auto part = [](const std::string& test) {
    return "calls = []\n\n\ndef note():\n    calls.append(1)\n\n\ndef " + test +
           "():\n    note()\n    assert calls == [1]\n";
  };
  const auto text = merged("python", "t.py", {part("test_one"), part("test_two")});
  EXPECT_EQ(occurrences(text, "calls_part2 = []"), 1u) << text;
  EXPECT_EQ(occurrences(text, "def note_part2():\n    calls_part2.append(1)"), 1u) << text;
  EXPECT_EQ(occurrences(text, "    note_part2()\n    assert calls_part2 == [1]"), 1u) << text;
}

TEST(merge, of_python_does_not_hide_builtins_from_other_parts) {
  const auto text = merged("python", "t.py",
                           {"def input():\n    return 1\n\n\ndef test_one():\n    assert input()\n",
                            "def test_two(monkeypatch):\n    assert callable(input)\n"});
  EXPECT_EQ(occurrences(text, "def input_part1():"), 1u) << text;
  EXPECT_EQ(occurrences(text, "callable(input)"), 1u) << text;
}

TEST(merge, of_python_runs_the_file_as_a_program_once_and_last) {
  const auto part = [](const std::string& name) {
    return "import unittest\n\n\nclass " + name +
           "(unittest.TestCase):\n    def test_it(self):\n        pass\n\n\nif __name__ == " +
           "\"__main__\":\n    unittest.main()\n";
  };
  const auto text = merged("python", "t.py", {part("TestA"), part("TestB")});
  EXPECT_EQ(occurrences(text, "unittest.main()"), 1u) << text;
  EXPECT_GT(text.find("if __name__"), text.find("class TestB")) << text;
}

TEST(merge, of_script_keeps_hooks_and_what_they_set_to_their_part) {
  const auto part = [](const std::string& value) {
    return "import { beforeEach, expect, it } from \"vitest\";\nimport { add } from \"../cart\";\n\nlet cart, n = 1;\n"
           "const [a, { b: c = 2, ...rest }] = [1, {}];\n\n"
           "beforeEach(() => { cart = " +
           value + "; });\n\nit(\"adds\", () => { expect(add(cart, `a\n  b`)).toBe(n, a, c, rest); });\n";
  };
  const auto text = merged("typescript", "cart.test.ts", {part("[1]"), part("[2]")});
  EXPECT_EQ(occurrences(text, "import { beforeEach, expect, it, describe } from \"vitest\";"), 1u) << text;
  EXPECT_EQ(occurrences(text, "describe(\"part 1\", () => {\n  let cart, n = 1;"), 1u) << text;
  EXPECT_EQ(occurrences(text, "describe(\"part 2\", () => {\n  let cart, n = 1;"), 1u) << text;
  EXPECT_EQ(occurrences(text, "`a\n  b`"), 2u) << text;
  EXPECT_EQ(occurrences(text, "\n});\n"), 2u) << text;
}

TEST(merge, of_script_knows_hooks_and_names_in_all_their_forms) {
  const auto part = [](const std::string& name) {
    return "const test = require(\"node:test\");\nconst { \"a-b\": " + name +
           " } = require(\"../a.cjs\");\n\ntest.beforeEach(" + name + ");\n\n" + "test(\"" + name + "\", () => {});\n";
  };
  const auto text = merged("javascript", "a.test.cjs", {part("x"), part("y")});
  EXPECT_EQ(occurrences(text, "const { \"a-b\": x, \"a-b\": y } = require(\"../a.cjs\");"), 1u) << text;
  EXPECT_EQ(occurrences(text, "const { describe } = require(\"node:test\");"), 1u) << text;
  EXPECT_EQ(occurrences(text, "describe(\"part 2\", () => {\n  test.beforeEach(y);"), 1u) << text;
  const auto esm = merged("javascript", "a.test.mjs",
                          {"import { \"a-b\" as x } from \"../a.mjs\";\ntest(\"a\", x);\n",
                           "import { \"a-b\" as x, c } from \"../a.mjs\";\ntest(\"b\", c);\n"});
  EXPECT_EQ(occurrences(esm, "import { \"a-b\" as x, c } from \"../a.mjs\";"), 1u) << esm;
}

TEST(merge, of_script_leaves_parts_as_they_are_that_have_nothing_in_common) {
  const auto text = merged("javascript", "a.test.mjs",
                           {"import { test } from \"node:test\";\nimport { a } from \"../a.mjs\";\n\nconst one = "
                            "1;\n\ntest(\"a\", () => a(one));\n",
                            "import { test } from \"node:test\";\nimport { b } from \"../a.mjs\";\n\nfor (const two of "
                            "[1, 2]) test(`b ${two}`, (one) => b(two));\n"});
  EXPECT_EQ(text,
            "import { test } from \"node:test\";\nimport { a, b } from \"../a.mjs\";\n\nconst one = 1;\n\ntest(\"a\", "
            "() => a(one));\n\n"
            "for (const two of [1, 2]) test(`b ${two}`, (one) => b(two));\n");
}

TEST(merge, of_script_gives_an_import_back_its_name) {
  const auto text =
      merged("typescript", "a.test.ts",
             {"import { test } from \"vitest\";\nimport read from \"../a\";\n\ntest(\"a\", () => read());\n",
              "import { test } from \"vitest\";\nimport { read, type Kind } from \"../b\";\nimport type { Cart } from "
              "\"../b\";\n\n"
              "test(\"b\", () => { const x: Kind & Cart = read(); });\n"});
  EXPECT_EQ(occurrences(text, "import { read as read_part2 } from \"../b\";"), 1u) << text;
  EXPECT_EQ(occurrences(text, "{\n  const read = read_part2;\n"), 1u) << text;
}

TEST(merge, of_go_changes_types_with_their_methods) {
  const auto part = [](const std::string& value, const std::string& test) {
    return "package a_test\n\nimport \"testing\"\n\ntype stub struct{ n int }\n\nfunc (s *stub) Get() int { return " +
           value + " }\n\nvar (\n\tx, y = 1, " + value + "\n)\n\nfunc " + test +
           "(t *testing.T) {\n\ts := stub{n: x + y}\n\t_ = s.n + s.Get()\n}\n";
  };
  const auto text = merged("go", "a/a_test.go", {part("1", "TestOne"), part("2", "TestTwo")});
  EXPECT_EQ(occurrences(text, "type stub_part2 struct{ n int }"), 1u) << text;
  EXPECT_EQ(occurrences(text, "func (s *stub_part2) Get() int { return 2 }"), 1u) << text;
  EXPECT_EQ(occurrences(text, "\tx_part2, y_part2 = 1, 2\n"), 1u) << text;
  EXPECT_EQ(occurrences(text, "s := stub_part2{n: x_part2 + y_part2}\n\t_ = s.n + s.Get()"), 1u) << text;
}

TEST(merge, leaves_parts_alone_that_act_on_a_whole_file) {
  const std::string test = "import { test } from \"vitest\";\n\ntest(\"a\", () => {});\n";
  for (const std::string effect :
       {"vi.mock(\"node:fs\");\n", "export const a = 1;\n", "process.env.TZ = \"UTC\";\n", "setUp();\n",
        "declare global { var x: number }\n", "namespace n { export const a = 1; }\n", "vi.useFakeTimers();\n",
        "// @vitest-environment jsdom\n", "import fs = require(\"fs\");\n", "var a = await b();\n"})
    EXPECT_NE(why_not_mergeable("typescript", "a.test.ts", test + effect), "") << effect;
  for (const std::string harmless :
       {"const a = await b();\n", "function f() { vi.useFakeTimers(); }\n",
        "type A = number;\ninterface B {}\nenum C { D }\n", "// a comment\n", "beforeEach(() => vi.useFakeTimers());\n",
        "cases.forEach((c) => { it(c, f); });\n", "if (posix) describe(\"x\", () => {});\n",
        "describe.each([1])(\"x\", f);\n"})
    EXPECT_EQ(why_not_mergeable("typescript", "a.test.ts", test + harmless), "") << harmless;
  const std::string python = "import pytest\n\n\ndef test_a():\n    pass\n\n\n";
  for (const std::string effect :
       {"pytestmark = pytest.mark.slow\n", "def setUpModule(): pass\n", "from cart import *\n",
        "os.environ[\"A\"] = \"1\"\n", "@pytest.fixture(autouse=True)\ndef clean(): pass\n", "logging.disable()\n",
        "a.b = 1\n", "x += 1\n",
        "@pytest.fixture\ndef cart(): pass\n\n\n@pytest.mark.usefixtures(\"cart\")\ndef test_x(): pass\n",
        "@pytest.fixture\ndef cart(): pass\n\n\n@pytest.mark.parametrize(\"cart, n\", [])\ndef test_x(cart, n): pass\n",
        "@pytest.fixture\ndef cart(): pass\n\n\ndef test_x(): f(cart=1)\n"})
    EXPECT_NE(why_not_mergeable("python", "t.py", python + effect), "") << effect;
  for (const std::string harmless :
       {"sys.path.insert(0, \"x\")\n", "a = b = 1\n", "x, (y, *z) = 1, (2, 3)\n",
        "if __name__ == \"__main__\":\n    main()\n",
        "@pytest.fixture\ndef cart(): pass\n\n\ndef test_x(cart): assert cart == \"a cart\"\n", "\"\"\"cart\"\"\"\n"})
    EXPECT_EQ(why_not_mergeable("python", "t.py", python + harmless), "") << harmless;
  const std::string go = "package a_test\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n\n";
  for (const std::string effect :
       {"func TestMain(m *testing.M) {}\n", "func init() {}\n", "import . \"fmt\"\n",
        "type base struct{}\n\ntype full struct{ base }\n", "const key = 1\n\nvar m = map[int]int{key: 1}\n"})
    EXPECT_NE(why_not_mergeable("go", "a/a_test.go", go + effect), "") << effect;
  EXPECT_EQ(why_not_mergeable("go", "a/a_test.go", go + "var _ I = stub{}\n\ntype stub struct{ base int }\n"), "");
}

TEST(merge, needs_queries_that_the_grammar_understands) {
  const planning::project_on_disk config;
  planning::copy_config(config, "go");
  const auto file = config.root() / "languages" / "go" / "locals.scm";
  const auto problem = [&](const std::string& text) {
    EXPECT_TRUE(replace_file(file, text, durability::later));
    const auto loaded = load_test_answer_handler(config.root());
    return loaded ? std::string{} : loaded.error().message;
  };
  EXPECT_EQ(problem("(identifier) @name\n"), "");
  const auto where = "'" + file.string() + "', ";
  EXPECT_EQ(problem("(identifier) @name\n(no_such_thing) @scope\n"),
            where + "line 2: no such kind of node in the grammar");
  EXPECT_EQ(problem("(call_expression no_field: (identifier) @name)\n"),
            where + "line 1: no such field in the grammar");
  EXPECT_EQ(problem("((("), where + "line 1: not a query");
  EXPECT_EQ(problem("(identifier) @nome\n"), where + "unknown capture '@nome'");
  std::filesystem::remove(file);
  const auto without = load_test_answer_handler(config.root());
  ASSERT_TRUE(without);
  EXPECT_NE((*without)->why_not_mergeable(planning::task_in("go", "a/a_test.go"),
                                          "package a\n\nfunc TestA(t *testing.T) {}\n"),
            "");
}

TEST(merge, names_further_files_so_that_frameworks_find_them) {
  const auto other = [](const std::string& language, const std::string& target) {
    return planning::handler().alternative_name(planning::task_in(language, target), "part2");
  };
  EXPECT_EQ(other("python", "tests/test_cart.py"), "tests/test_cart_part2.py");
  EXPECT_EQ(other("typescript", "src/cart.test.ts"), "src/cart_part2.test.ts");
  EXPECT_EQ(other("go", "shop/cart/cart_test.go"), "shop/cart_part2/cart_test.go");
}

}  // namespace
}  // namespace cohort::answers
