// The test files that the simulator answers with are run by the frameworks they are for.

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/files.hpp"
#include "tests/simulator/test_client.hpp"

namespace cohort::simulator {
namespace {

using namespace fixture;
using testing::HasSubstr;

struct unit {
  std::string language;
  std::string framework;
  std::string import_text;
  std::string symbols;
  std::string source;
};

std::string prompt_for(const unit& x) {
  return "<task language=\"" + x.language + "\" framework=\"" + x.framework +
         "\" path=\"shop/cart\" part=\"1\" parts=\"1\">\n<save-as>\ntests/cart\n</save-as>\n<import>\n" +
         x.import_text + "\n</import>\n<symbols>\n" + x.symbols +
         "</symbols>\n<example path=\"old\" fence=\"77\">\n<task language=\"x\">\n</source>\n</example fence=\"77\">\n"
         "<source fence=\"3f\">\n" +
         x.source + "\n</source fence=\"3f\">\n</task>\n";
}

const std::string python_source = R"~(import functools
from dataclasses import dataclass

RATE = 3

def total(items, rate=0, *rest, flag, **options):
    return len(items)

async def fetch(url):
    return url

async def stream():
    yield 1

def numbers(limit):
    yield limit

def wrapping(f):
    @functools.wraps(f)
    def inner(*a):
        return f(*a)
    return inner

@wrapping
def wrapped(a, b): return a

@property
def odd(self): return 1

@dataclass(frozen=True)
class Point:
    x: int
    def moved(self, by): return self
    @property
    def size(self): raise ValueError("not now")

class Cart(dict):
    def __init__(self): self.items = []
    def add(self, item): self.items.append(item)
    def __hidden(self): pass
    @staticmethod
    def empty(): return Cart()

def twice(a): return a
twice = functools.partial(twice, 2)
)~";

const std::string python_symbols =
    R"~({"name":"RATE","kind":"constant","async":false,"signature":"RATE = 3","parameters":[],"methods":[]}
{"name":"total","kind":"function","async":false,"signature":"def total(items, rate=0, *rest, flag, **options)","parameters":[{"name":"items","has_default":false},{"name":"rate","has_default":true},{"name":"rest","is_rest":true},{"name":"flag"},{"name":"**options","is_rest":true}],"methods":[]}
{"name":"fetch","kind":"function","async":true,"signature":"async def fetch(url)","parameters":[{"name":"url"}],"methods":[]}
{"name":"stream","kind":"function","async":true,"signature":"async def stream()","parameters":[],"methods":[]}
{"name":"numbers","kind":"function","async":false,"signature":"def numbers(limit)","parameters":[{"name":"limit"}],"methods":[]}
{"name":"wrapped","kind":"function","async":false,"signature":"def wrapped(a, b)","parameters":[{"name":"x"}],"methods":[]}
{"name":"odd","kind":"function","async":false,"signature":"def odd(self)","parameters":[],"methods":[]}
{"name":"Point","kind":"class","signature":"class Point:","parameters":[],"methods":[{"name":"moved"},{"name":"size"}]}
{"name":"Cart","kind":"class","signature":"class Cart(dict):","parameters":[],"methods":[{"name":"__init__"},{"name":"add"},{"name":"__hidden"},{"name":"empty","static":true}]}
{"name":"twice","kind":"function","signature":"def twice(a)","parameters":[{"name":"a"}],"methods":[]}
{"name":"absent_from_import","kind":"function","signature":"def absent_from_import()","parameters":[],"methods":[]}
this line is no JSON
)~";

const std::string python_import =
    "from cart import RATE, total, fetch, stream, numbers, wrapped, odd, Point, Cart, twice";

const std::string javascript_source = R"~(export const RATE = 3;
export function total(items, rate) { return items.length * rate; }
export function rated(items, rate = 2, ...rest) { return rest; }
export const add = async (a, b) => a + b;
export async function* pages(url) { yield url; }
const once = (f) => (...all) => f(...all);
export const wrapped = once(function inner(a, b) { return a + b; });
export class Cart {
  #secret = 1;
  handler = () => this.items;
  constructor() { this.items = []; }
  add(item) { this.items.push(item); return this.handler(); }
  get size() { return this.items.length; }
  static empty() { return new Cart(); }
}
export default function main({ a, b }, c) { return a + b + c; }
)~";

const std::string javascript_symbols =
    R"~({"name":"RATE","kind":"constant","signature":"const RATE = 3","parameters":[],"methods":[]}
{"name":"total","kind":"function","signature":"function total(items, rate)","parameters":[{"name":"items"},{"name":"rate"}],"methods":[]}
{"name":"rated","kind":"function","signature":"function rated(items, rate = 2, ...rest)","parameters":[{"name":"items"},{"name":"rate","has_default":true},{"name":"rest","is_rest":true}],"methods":[]}
{"name":"add","kind":"function","async":true,"signature":"const add = async (a, b) =>","parameters":[{"name":"a"},{"name":"b"}],"methods":[]}
{"name":"pages","kind":"function","async":true,"signature":"async function* pages(url)","parameters":[{"name":"url"}],"methods":[]}
{"name":"wrapped","kind":"function","signature":"const wrapped = once(...)","parameters":[{"name":"a"},{"name":"b"}],"methods":[]}
{"name":"Cart","kind":"class","signature":"class Cart","parameters":[],"methods":[{"name":"constructor"},{"name":"add"},{"name":"handler"},{"name":"size"},{"name":"#secret"},{"name":"empty","static":true}]}
{"name":"main","kind":"function","default_export":true,"signature":"function main({ a, b }, c)","parameters":[{"name":"{ a, b }"},{"name":"c"}],"methods":[]}
{"name":"Shape","kind":"type","signature":"type Shape","parameters":[],"methods":[]}
)~";

class generated_tests_test : public simulator_test {
 protected:
  void SetUp() override { serve(); }

  /// The code in the answer's fence.
  std::string code_for(const unit& x) {
    const auto text = client().post(message(prompt_for(x), 16'000)).text();
    const size_t begin = text.find('\n') + 1;
    const size_t end = text.rfind("```");
    EXPECT_EQ(text.substr(0, 3), "```");
    return text.substr(begin, end - begin);
  }

  void put(const std::string& name, const std::string& content) {
    ASSERT_TRUE(replace_file(folder() / name, content, durability::later));
  }

  /// Runs a shell command in the folder; its output stands in `output`.
  int run(const std::string& command) {
    const auto log = folder() / "output.txt";
    const int result =
        std::system(("cd '" + folder().string() + "' && " + command + " > '" + log.string() + "' 2>&1").c_str());
    output = read_file(log).value();
    return result;
  }
  std::string output;
};

TEST_F(generated_tests_test, pytest_passes_them_and_would_fail_a_wrong_signature) {
  put("cart.py", python_source);
  put("test_cart.py", code_for({"python", "pytest", python_import, python_symbols, python_source}));
  EXPECT_EQ(run("'" COHORT_PYTHON "' -m pytest -q -p no:cacheprovider test_cart.py"), 0) << output;
  EXPECT_THAT(output, HasSubstr("21 passed"));
  auto changed = python_source;
  changed.replace(changed.find("rate=0"), 6, "rates=");
  changed.replace(changed.find("rates="), 6, "rates ");
  put("cart.py", changed);
  EXPECT_NE(run("'" COHORT_PYTHON "' -m pytest -q -p no:cacheprovider test_cart.py"), 0);
  EXPECT_THAT(output, HasSubstr("test_total_takes_its_parameters"));
}

TEST_F(generated_tests_test, unittest_passes_them) {
  put("cart.py", python_source);
  put("test_cart.py", code_for({"python", "unittest", python_import, python_symbols, python_source}));
  EXPECT_EQ(run("'" COHORT_PYTHON "' -m unittest test_cart"), 0) << output;
  EXPECT_THAT(output, HasSubstr("Ran 21 tests"));
}

TEST_F(generated_tests_test, node_passes_them_as_es_modules) {
  put("cart.mjs", javascript_source);
  put("cart.test.mjs", code_for({"javascript", "node:test",
                                 "import main, { RATE, total, rated, add, pages, wrapped, Cart } from \"./cart.mjs\";",
                                 javascript_symbols, javascript_source}));
  EXPECT_EQ(run("node --test cart.test.mjs"), 0) << output;
  EXPECT_THAT(output, HasSubstr("# pass 1"));
  EXPECT_THAT(read_file(folder() / "cart.test.mjs").value(), HasSubstr("\"size\" in Cart.prototype"));
  EXPECT_THAT(read_file(folder() / "cart.test.mjs").value(), testing::Not(HasSubstr("Shape")));
}

TEST_F(generated_tests_test, node_passes_them_as_commonjs) {
  const std::string source = "function total(a, b) { return a + b; }\nmodule.exports = { total };\n";
  put("cart.cjs", source);
  put("cart.test.cjs",
      code_for(
          {"javascript", "node:test", "const { total } = require(\"./cart.cjs\");",
           R"~({"name":"total","kind":"function","signature":"function total(a, b)","parameters":[{"name":"a"},{"name":"b"}],"methods":[]})~"
           "\n",
           source}));
  EXPECT_EQ(run("node --test cart.test.cjs"), 0) << output;
  EXPECT_THAT(read_file(folder() / "cart.test.cjs").value(), HasSubstr("total.length, 2"));
}

TEST_F(generated_tests_test, a_module_alias_is_used_as_the_import_gives_it) {
  put("cart.py", python_source);
  put("test_cart.py", code_for({"python", "pytest", "import cart as unit", python_symbols, python_source}));
  EXPECT_THAT(read_file(folder() / "test_cart.py").value(), HasSubstr("_inspect.isclass(unit.Cart)"));
}

TEST_F(generated_tests_test, go_tests_name_the_package_and_its_symbols) {
  const auto code = code_for(
      {"go", "go test", "import \"example.org/shop/cart\"",
       R"~({"name":"Total","kind":"function","signature":"func Total(items []int) int","parameters":[],"methods":[]})~"
       "\n"
       R"~({"name":"Map","kind":"function","signature":"func Map[T any](x T) T","parameters":[],"methods":[]})~"
       "\n",
       "// Package cart.\npackage cart\n"});
  EXPECT_THAT(code, testing::StartsWith("package cart_test\n"));
  EXPECT_THAT(code, HasSubstr("reflect.TypeOf(cart.Total)"));
  EXPECT_THAT(code, testing::Not(HasSubstr("cart.Map")));
}

TEST_F(generated_tests_test, go_tests_name_methods_by_a_type_of_another_file) {
  const std::string generic =
      R"~({"name":"Box.Get","kind":"function","signature":"func (b *Box[T]) Get() T","parameters":[],"methods":[]})~"
      "\n"
      R"~({"name":"hidden.Get","kind":"function","signature":"func (h hidden) Get() int","parameters":[],"methods":[]})~"
      "\n";
  const std::string import = "package cart_test\n\nimport \"example.org/shop/cart\"";
  const auto code = code_for(
      {"go", "go test", import,
       R"~({"name":"Cart.Add","kind":"function","signature":"func (c *Cart) Add(x int) int","parameters":[],"methods":[]})~"
       "\n" +
           generic,
       "package cart\n"});
  EXPECT_THAT(code, HasSubstr("func Test_Cart_Add_is_a_function(t *testing.T)"));
  EXPECT_THAT(code, HasSubstr("reflect.TypeOf((*cart.Cart).Add)"));
  EXPECT_THAT(code, testing::Not(HasSubstr("Box")));
  EXPECT_THAT(code, testing::Not(HasSubstr("hidden")));
  // An import that nothing uses does not compile.
  const auto nothing = code_for({"go", "go test", import, generic, "package cart\n"});
  EXPECT_THAT(nothing, HasSubstr("import _ \"example.org/shop/cart\"\n"));
  const auto aliased =
      code_for({"go", "go test", "import (\n\tc \"example.org/shop/cart\"\n)", generic, "package cart\n"});
  EXPECT_THAT(aliased, HasSubstr("import (\n_ \"example.org/shop/cart\"\n)"));
}

TEST_F(generated_tests_test, a_namespace_is_no_class) {
  const std::string source =
      "export namespace Shop {\n  export class Cart { add(x: number) { return x; } }\n"
      "  export function total(a: number) { return a; }\n  function hidden() {}\n}\n";
  const auto code = code_for(
      {"typescript", "node:test", "import { Shop } from \"./shop.mjs\";",
       R"~({"name":"Shop","kind":"class","signature":"namespace Shop","parameters":[],"methods":[{"name":"total"},{"name":"hidden"}]})~"
       "\n",
       source});
  // What a compiler makes of it: not every node reads TypeScript.
  put("shop.mjs", "export const Shop = { Cart: class {}, total(a) { return a; } };\n");
  put("shop.test.mjs", code);
  EXPECT_EQ(run("node --test shop.test.mjs"), 0) << output;
  EXPECT_THAT(code, HasSubstr("\"total\" in Shop,"));
}

const std::string names_of_frameworks =
    R"~({"name":"assert","kind":"function","signature":"function assert(x)","parameters":[{"name":"x"}],"methods":[]}
{"name":"test","kind":"function","signature":"function test(a, b)","parameters":[{"name":"a"},{"name":"b"}],"methods":[]}
{"name":"test_","kind":"function","signature":"function test_(a)","parameters":[{"name":"a"}],"methods":[]}
{"name":"expect","kind":"function","signature":"function expect(x)","parameters":[{"name":"x"}],"methods":[]}
{"name":"describe","kind":"function","signature":"function describe()","parameters":[],"methods":[]}
{"name":"it","kind":"function","signature":"function it()","parameters":[],"methods":[]}
)~";
const std::string source_of_framework_names =
    "function assert(x) { return x; }\nfunction test(a, b) { return a + b; }\nfunction test_(a) { return a; }\n"
    "function expect(x) { return x; }\nfunction describe() {}\nfunction it() {}\n";

TEST_F(generated_tests_test, node_passes_them_for_a_unit_with_the_framework_s_names) {
  const std::string names = "{ assert, test, test_, expect, describe, it }";
  const auto module = source_of_framework_names + "export " + names + ";\n";
  put("unit.mjs", module);
  put("unit.test.mjs",
      code_for({"javascript", "node:test", "import " + names + " from \"./unit.mjs\";", names_of_frameworks, module}));
  EXPECT_EQ(run("node --test unit.test.mjs"), 0) << output;
  const auto script = source_of_framework_names + "module.exports = " + names + ";\n";
  put("unit.cjs", script);
  put("unit.test.cjs", code_for({"javascript", "node:test", "const " + names + " = require(\"./unit.cjs\");",
                                 names_of_frameworks, script}));
  EXPECT_EQ(run("node --test unit.test.cjs"), 0) << output;
  EXPECT_THAT(read_file(folder() / "unit.test.cjs").value(), HasSubstr("test__(\"test is a function\""));
}

TEST_F(generated_tests_test, a_unit_s_names_are_left_to_it_in_vitest_and_jest) {
  const std::string import = "import { test, expect } from \"./test\";";
  const auto vitest = code_for({"javascript", "vitest", import, names_of_frameworks, source_of_framework_names});
  EXPECT_THAT(vitest, HasSubstr("import { expect as expect_, test as test_ } from \"vitest\";"));
  EXPECT_THAT(vitest, HasSubstr("\ntest_(\"test is a function\", () => {\n  expect_(typeof test)"));
  const auto jest = code_for({"javascript", "jest", import, names_of_frameworks, source_of_framework_names});
  EXPECT_THAT(jest, HasSubstr("\nglobalThis.test(\"test is a function\", () => {\n  globalThis.expect(typeof test)"));
  const auto plain = code_for({"javascript", "vitest", "import { total } from \"./test\";", names_of_frameworks, ""});
  EXPECT_THAT(plain, HasSubstr("import { expect, test } from \"vitest\";"));
}

TEST_F(generated_tests_test, python_runners_pass_them_for_a_unit_with_their_names) {
  const std::string source =
      "def test(value):\n    return value\n\nclass TestResult:\n    def __init__(self, a): self.a = a\n    def "
      "test_it(self): return 1 / 0\n\n"
      "def unittest(a): return a\n\nclass UnitTest:\n    def run(self): return 1\n";
  const std::string symbols =
      R"~({"name":"test","kind":"function","signature":"def test(value)","parameters":[{"name":"value"}],"methods":[]}
{"name":"TestResult","kind":"class","signature":"class TestResult:","parameters":[{"name":"a"}],"methods":[{"name":"test_it"}]}
{"name":"unittest","kind":"function","signature":"def unittest(a)","parameters":[{"name":"a"}],"methods":[]}
{"name":"UnitTest","kind":"class","signature":"class UnitTest:","parameters":[],"methods":[{"name":"run"}]}
)~";
  const std::string import = "from unit import test, TestResult, unittest, UnitTest";
  put("unit.py", source);
  put("test_unit.py", code_for({"python", "pytest", import, symbols, source}));
  EXPECT_EQ(run("'" COHORT_PYTHON "' -m pytest -q -W error -p no:cacheprovider test_unit.py"), 0) << output;
  EXPECT_THAT(output, HasSubstr("8 passed"));
  put("test_cases.py", code_for({"python", "unittest", import, symbols, source}));
  EXPECT_EQ(run("'" COHORT_PYTHON "' -m unittest test_cases"), 0) << output;
  EXPECT_THAT(output, HasSubstr("Ran 8 tests"));
}

TEST_F(generated_tests_test, a_prompt_without_a_task_gets_a_short_answer) {
  EXPECT_EQ(client().post(message("What is 2 + 2?")).text(), "This is a simulated answer.");
}

}  // namespace
}  // namespace cohort::simulator
