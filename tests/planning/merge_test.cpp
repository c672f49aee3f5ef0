#include "planning/merge.hpp"

#include "planning/merge_rename.hpp"
#include "prompt_fixture.hpp"

namespace cohort {
namespace {

std::string merged(const std::string& language, const std::string& target, const std::vector<std::string>& parts) {
  const auto result = craft().assemble(task_in(language, target), parts);
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
  EXPECT_EQ(occurrences(text, "const make_part2 = () => 2;"), 1u);
  EXPECT_EQ(occurrences(text, "{ make: make_part2, x: make_part2(), y: { make: 3 } }"), 1u) << text;
  EXPECT_EQ(occurrences(text, "`${make_part2()}`, o.make"), 1u) << text;
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
  EXPECT_EQ(occurrences(text, "const { own } = { own: 1 };"), 1u) << text;
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
  EXPECT_EQ(craft().assemble(task_in("python", "t.py"), {}).error().code, ec::no_code);
  EXPECT_EQ(craft().assemble(task_in("python", "t.py"), {"def f(:\n"}).error().code, ec::broken_code);
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

TEST(merge, renames_python_names_but_not_attributes_methods_or_strings) {
  const std::map<std::string, std::string, std::less<>> names{{"cart", "cart2"}};
  const auto renamed = [&](std::string_view text) { return rename_identifiers(text, names, import_style::python); };
  EXPECT_EQ(renamed("x.cart(cart, cart=cart, y=\"cart\")  # cart\n"),
            "x.cart(cart2, cart=cart2, y=\"cart\")  # cart\n");
  EXPECT_EQ(renamed("class A:\n    def cart(self):\n        return self.cart\n"),
            "class A:\n    def cart(self):\n        return self.cart\n");
  EXPECT_EQ(renamed("def f(cart=None):\n    return cart\n"), "def f(cart2=None):\n    return cart2\n");
  EXPECT_EQ(renamed("@pytest.mark.usefixtures(\"cart\")\ndef test_x(cart): ...\n"),
            "@pytest.mark.usefixtures(\"cart2\")\ndef test_x(cart2): ...\n");
  EXPECT_EQ(renamed("s = \"\"\"\ncart\n\"\"\" + rf'{cart!r} {{cart}}'\n"),
            "s = \"\"\"\ncart\n\"\"\" + rf'{cart2!r} {{cart}}'\n");
}

TEST(merge, renames_script_names_but_not_keys_methods_or_patterns_in_text) {
  const std::map<std::string, std::string, std::less<>> names{{"cart", "cart2"}};
  const auto renamed = [&](std::string_view text) { return rename_identifiers(text, names, import_style::es); };
  EXPECT_EQ(renamed("f({ cart, a: cart, cart: 1 }, o.cart, ...cart);"),
            "f({ cart: cart2, a: cart2, cart: 1 }, o.cart, ...cart2);");
  EXPECT_EQ(renamed("const { cart } = x; // cart"), "const { cart: cart2 } = x; // cart");
  EXPECT_EQ(renamed("class A { cart() { return cart(); } }"), "class A { cart() { return cart2(); } }");
  EXPECT_EQ(renamed("if (/cart\"/.test(s)) { cart(); }"), "if (/cart\"/.test(s)) { cart2(); }");
  EXPECT_EQ(renamed("x ? cart : `cart ${cart} ${`${cart}`}`"), "x ? cart2 : `cart ${cart2} ${`${cart2}`}`");
}

}  // namespace
}  // namespace cohort
