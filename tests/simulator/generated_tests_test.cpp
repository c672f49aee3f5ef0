// The test files that the simulator answers with are run by the frameworks they are for.

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/files.hpp"
#include "tests/simulator/test_client.hpp"

namespace cohort {
namespace {

using namespace testing_simulator;
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

TEST_F(generated_tests_test, a_prompt_without_a_task_gets_a_short_answer) {
  EXPECT_EQ(client().post(message("What is 2 + 2?")).text(), "This is a simulated answer.");
}

}  // namespace
}  // namespace cohort
