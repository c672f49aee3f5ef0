// What parsing yields, language by language.

#include "languages/syntax/parser.hpp"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>

#include "tests/planning/planning_fixture.hpp"

namespace cohort::languages {
namespace {

using planning::fixture::languages;
using testing::ElementsAre;
using testing::IsEmpty;

parsed_file parse(const std::string& path, std::string_view text) {
  auto parsed = parse_file(*languages().by_path(path), path, text);
  EXPECT_TRUE(parsed.has_value());
  return std::move(*parsed);
}

std::vector<std::string> public_names(const parsed_file& parsed) {
  std::vector<std::string> names;
  for (const auto& one : parsed.file.symbols)
    if (one.is_public) names.push_back(one.name);
  return names;
}

const symbol& named(const std::vector<symbol>& symbols, std::string_view name) {
  const auto found = std::find_if(symbols.begin(), symbols.end(), [&](const symbol& one) { return one.name == name; });
  if (found == symbols.end()) throw std::runtime_error("no symbol " + std::string{name});
  return *found;
}

std::vector<std::string> parameters_of(const symbol& one) {
  std::vector<std::string> names;
  for (const auto& each : one.parameters)
    names.push_back((each.is_rest ? "..." : "") + each.name + (each.has_default ? "=" : ""));
  return names;
}

std::vector<std::string> modules_of(const parsed_file& parsed) {
  std::vector<std::string> names;
  for (const auto& one : parsed.file.imports) names.push_back(one.module);
  return names;
}

TEST(parser_python, finds_functions_classes_methods_and_their_parameters) {
  const auto parsed = parse("shop/cart.py", R"(import os
from decimal import Decimal as D

LIMIT = 3

@cache
def total(items, rate=1, *rest, strict: bool = False, **options):
    if rate and items:
        return 1
    return 0

async def fetch(url: str): return url

def _hidden(): pass

class Cart(Base):
    def __init__(self, owner): self.owner = owner
    def add(self, item, count: int = 1): pass
    @staticmethod
    def parse(text): pass
    @classmethod
    def empty(cls): pass
    def _drop(self): pass
)");
  const auto& file = parsed.file;
  EXPECT_THAT(public_names(parsed), ElementsAre("LIMIT", "total", "fetch", "Cart"));
  const auto& total = named(file.symbols, "total");
  EXPECT_EQ(total.kind, symbol_kind::function);
  EXPECT_EQ(total.signature, "def total(items, rate=1, *rest, strict: bool = False, **options)");
  EXPECT_THAT(parameters_of(total), ElementsAre("items", "rate=", "...rest", "strict=", "...options"));
  EXPECT_EQ(total.first_line, 6u);
  EXPECT_EQ(total.last_line, 10u);
  EXPECT_EQ(total.branches, 2u);
  EXPECT_TRUE(named(file.symbols, "fetch").is_async);
  EXPECT_FALSE(total.is_async);
  const auto& cart = named(file.symbols, "Cart");
  EXPECT_EQ(cart.kind, symbol_kind::class_type);
  EXPECT_EQ(cart.signature, "class Cart(Base)");
  ASSERT_EQ(cart.members.size(), 5u);
  EXPECT_THAT(parameters_of(named(cart.members, "add")), ElementsAre("item", "count="));
  EXPECT_TRUE(named(cart.members, "parse").is_static);
  EXPECT_THAT(parameters_of(named(cart.members, "parse")), ElementsAre("text"));
  EXPECT_THAT(parameters_of(named(cart.members, "empty")), IsEmpty());
  EXPECT_FALSE(named(cart.members, "_drop").is_public);
  EXPECT_THAT(modules_of(parsed), ElementsAre("os", "decimal"));
  EXPECT_THAT(file.imports[1].names, ElementsAre("Decimal"));
  EXPECT_EQ(parsed.aliases.at(0).local, "D");
}

TEST(parser_python, takes_the_public_names_from_the_export_list) {
  const auto parsed =
      parse("a.py", "__all__ = ['one', \"_two\"]\ndef one(): pass\ndef _two(): pass\ndef three(): pass\n");
  EXPECT_THAT(public_names(parsed), ElementsAre("one", "_two"));
}

TEST(parser_python, finds_definitions_below_conditions_but_not_inside_functions) {
  const auto parsed =
      parse("a.py", "try:\n  import x\n  def f(): pass\nexcept ImportError:\n  def g():\n    def inner(): pass\n");
  EXPECT_THAT(public_names(parsed), ElementsAre("f", "g"));
}

TEST(parser_python, finds_nothing_that_is_bound_in_a_program_only) {
  for (const std::string guard : {"__name__ == '__main__'", "\"__main__\" == __name__"}) {
    const auto parsed = parse("a.py", "def f(): pass\nif " + guard + ":\n  class Example:\n    def m(self): pass\n");
    EXPECT_THAT(public_names(parsed), ElementsAre("f")) << guard;
  }
  EXPECT_THAT(public_names(parse("a.py", "if __name__ == 'a':\n  def f(): pass\n")), ElementsAre("f"));
}

TEST(parser_python, finds_nothing_that_is_bound_for_types_only) {
  const auto parsed = parse("a.py", R"(import typing as t
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    def f(): pass
    class Seen: 
        def m(self): pass
else:
    def g(): pass
if t.TYPE_CHECKING:
    X = 1
elif ready:
    Y = 1
if MY_TYPE_CHECKING:
    Z = 1
if not t.TYPE_CHECKING:
    W = 1
class Cart:
    def add(self): pass
    if TYPE_CHECKING:
        def ghost(self): pass
)");
  EXPECT_THAT(public_names(parsed), ElementsAre("g", "Y", "Z", "W", "Cart"));
  EXPECT_EQ(named(parsed.file.symbols, "Cart").members.size(), 1u);
}

TEST(parser_python, counts_a_class_without_methods_as_data) {
  const auto parsed = parse("a.py", "class Color(Enum):\n    RED = 1\nclass Gone(Exception):\n    pass\n");
  EXPECT_EQ(parsed.file.symbols.at(0).kind, symbol_kind::type);
  EXPECT_EQ(parsed.file.symbols.at(1).kind, symbol_kind::type);
}

TEST(parser_javascript, follows_all_forms_of_es_exports) {
  const auto parsed = parse("a.js", R"(import def, { one as uno, two } from './x.js';
import * as all from './y.js';
export function plain(a, { b, c }, d = 1, ...rest) {}
export const arrow = async (x) => x && 1;
export const LIMIT = 3;
export default class Cart { #secret() {} static of(x) {} add = (item) => item; get size() { return 1 } }
function local() {}
function hidden() {}
export { local, two };
export { far as near } from './z.js';
export * from './w.js';
const Memo = memo(forwardRef((props) => null));
export { Memo as Card };
)");
  EXPECT_THAT(public_names(parsed), ElementsAre("plain", "arrow", "LIMIT", "Cart", "local", "Card"));
  const auto& symbols = parsed.file.symbols;
  EXPECT_THAT(parameters_of(named(symbols, "plain")), ElementsAre("a", "{ b, c }", "d=", "...rest"));
  EXPECT_TRUE(named(symbols, "arrow").is_async);
  EXPECT_EQ(named(symbols, "arrow").kind, symbol_kind::function);
  EXPECT_EQ(named(symbols, "arrow").signature, "const arrow = async (x)");
  EXPECT_EQ(named(symbols, "LIMIT").kind, symbol_kind::constant);
  EXPECT_EQ(named(symbols, "Card").kind, symbol_kind::function);
  const auto& cart = named(symbols, "Cart");
  EXPECT_TRUE(cart.is_default_export);
  EXPECT_FALSE(named(cart.members, "#secret").is_public);
  EXPECT_TRUE(named(cart.members, "of").is_static);
  EXPECT_THAT(parameters_of(named(cart.members, "add")), ElementsAre("item"));
  EXPECT_THAT(modules_of(parsed), ElementsAre("./x.js", "./y.js", "./z.js", "./w.js"));
  EXPECT_THAT(parsed.file.imports[0].names, ElementsAre("default", "one", "two"));
  EXPECT_TRUE(parsed.file.imports[0].is_reexport);
  EXPECT_FALSE(parsed.file.imports[1].is_reexport);
  EXPECT_TRUE(parsed.file.imports[2].is_reexport);
  EXPECT_THAT(parsed.file.imports[2].names, ElementsAre("far"));
  EXPECT_EQ(parsed.file.modules, module_system::esm);
}

TEST(parser_javascript, follows_all_forms_of_commonjs_exports) {
  const auto parsed = parse("a.js", R"('use strict';
const { one, two: deux } = require('./x');
const whole = require('./y');
function kept(a) { return a ? 1 : 2; }
const later = function (b) {};
module.exports = { kept, renamed: later, inline(c) {}, arrow: (d) => d, LIMIT: 3 };
exports.direct = function (e) {};
module.exports.alias = kept;
)");
  EXPECT_THAT(public_names(parsed),
              testing::UnorderedElementsAre("alias", "renamed", "inline", "arrow", "LIMIT", "direct"));
  EXPECT_EQ(parsed.file.modules, module_system::commonjs);
  EXPECT_THAT(modules_of(parsed), ElementsAre("./x", "./y"));
  EXPECT_THAT(parsed.file.imports[0].names, ElementsAre("one", "two"));
  EXPECT_EQ(parsed.aliases.at(0).local, "deux");
  EXPECT_EQ(parsed.aliases.at(1).name, "default");
}

TEST(parser_javascript, takes_a_whole_module_that_is_a_function_or_class) {
  const auto named_one = parse("a.js", "class Cart { add() {} }\nmodule.exports = Cart;\n");
  EXPECT_THAT(public_names(named_one), ElementsAre("Cart"));
  EXPECT_TRUE(named_one.file.symbols[0].is_default_export);
  const auto nameless = parse("b.js", "module.exports = function (a) { return a; };\n");
  EXPECT_THAT(public_names(nameless), ElementsAre("default"));
  EXPECT_EQ(nameless.file.symbols[0].kind, symbol_kind::function);
}

TEST(parser_javascript, follows_exports_through_chains_of_assignments) {
  const auto object = parse("a.js", R"(var app = exports = module.exports = {};
var helper = {};
app.use = function use(fn) { return fn; };
app.get = app.fetch = function (path) { return path ? 1 : 2; };
app.nested.deep = function () {};
helper.hidden = function () {};
exports.direct = function () {};
)");
  EXPECT_THAT(public_names(object), ElementsAre("use", "fetch", "direct"));
  EXPECT_EQ(object.file.modules, module_system::commonjs);
  EXPECT_THAT(object.file.symbols.at(1).signature, testing::HasSubstr("use(fn)"));

  const auto function = parse("b.js", R"(exports = module.exports = create;
function create(a) { return a; }
exports.other = require('./other');
create.defaults = function () { return {}; };
)");
  EXPECT_THAT(public_names(function), ElementsAre("create", "defaults"));
  EXPECT_TRUE(function.file.symbols[0].is_default_export);
  EXPECT_FALSE(function.file.symbols[1].is_default_export);

  const auto later =
      parse("c.js", "var res = Object.create(null);\nres.status = function (code) {};\nmodule.exports = res;\n");
  EXPECT_THAT(public_names(later), testing::Contains("status"));
  const auto both = parse("d.js", "const add = exports.add = (a, b) => a + b;\n");
  EXPECT_THAT(public_names(both), ElementsAre("add"));
  EXPECT_EQ(both.file.symbols.at(0).kind, symbol_kind::function);
  const auto half = parse("f.js", "exports.default = wrap;\nfunction wrap() {}\nexports.kept = function () {};\n");
  EXPECT_THAT(public_names(half), ElementsAre("kept"));
  const auto full = parse("g.js", "exports.default = wrap;\nfunction wrap() {}\nmodule.exports = exports.default;\n");
  EXPECT_THAT(public_names(full), ElementsAre("wrap"));
  const auto made =
      parse("e.js", "var proto = module.exports = function (options) {};\nproto.handle = function (req) {};\n");
  EXPECT_THAT(public_names(made), ElementsAre("default", "handle"));
}

TEST(parser_javascript, takes_functions_on_a_prototype_for_methods) {
  const auto parsed = parse("layer.js", R"(module.exports = Layer;
Array.prototype.mine = function () {};
function Layer(path) { this.path = path; }
Layer.prototype.match = function match(path) { return path ? this.path === path : false; };
Layer.prototype.limit = 3;
function unrelated() {}
)");
  EXPECT_THAT(public_names(parsed), ElementsAre("Layer"));
  const auto& layer = parsed.file.symbols.at(0);
  EXPECT_EQ(layer.kind, symbol_kind::class_type);
  EXPECT_EQ(layer.parameters.size(), 1u);
  ASSERT_EQ(layer.members.size(), 1u);
  EXPECT_EQ(layer.members[0].name, "match");
  EXPECT_TRUE(layer.members[0].is_public);
  EXPECT_EQ(layer.members[0].branches, 1u);
}

TEST(parser_javascript, parses_jsx) {
  const auto parsed =
      parse("view.jsx", "export const View = ({ a }) => <div className={a ? 'x' : 'y'}>{a && <b/>}</div>;\n");
  EXPECT_FALSE(parsed.file.has_errors);
  EXPECT_EQ(parsed.file.symbols.at(0).branches, 2u);
}

TEST(parser_typescript, knows_types_from_what_runs) {
  const auto parsed = parse("a.ts", R"(import type { T } from './t';
export interface Shape { area(): number }
export type Id = string;
export enum Color { Red }
export declare function ambient(): void;
export function over(a: string): void;
export function over(a: any, b?: number): void { }
export abstract class Base<T> {
  constructor(private readonly x: number, @Inject() y = 1) {}
  private hide() {}
  protected async run(): Promise<void> {}
  public go(this: Base<T>, n?: number): void {}
}
export namespace Geo { export function far(a: number) { return a } }
export default <T,>(value: T): T => value;
)");
  EXPECT_FALSE(parsed.file.has_errors);
  const auto& symbols = parsed.file.symbols;
  EXPECT_EQ(named(symbols, "Shape").kind, symbol_kind::type);
  EXPECT_EQ(named(symbols, "Id").kind, symbol_kind::type);
  EXPECT_EQ(named(symbols, "Color").kind, symbol_kind::constant);
  EXPECT_THAT(parameters_of(named(symbols, "over")), ElementsAre("a", "b="));
  const auto& base = named(symbols, "Base");
  EXPECT_THAT(parameters_of(named(base.members, "constructor")), ElementsAre("x", "y="));
  EXPECT_FALSE(named(base.members, "hide").is_public);
  EXPECT_FALSE(named(base.members, "run").is_public);
  EXPECT_TRUE(named(base.members, "run").is_async);
  EXPECT_THAT(parameters_of(named(base.members, "go")), ElementsAre("n="));
  EXPECT_EQ(named(symbols, "Geo").members.at(0).name, "far");
  EXPECT_EQ(named(symbols, "default").kind, symbol_kind::function);
  EXPECT_THAT(public_names(parsed), testing::Not(testing::Contains("ambient")));
}

TEST(parser_typescript, chooses_the_grammar_by_extension) {
  EXPECT_FALSE(parse("a.tsx", "export const A = () => <p>{1}</p>;\n").file.has_errors);
  EXPECT_FALSE(parse("a.ts", "export const a = <number>window.b;\n").file.has_errors);
  EXPECT_TRUE(parse("a.ts", "export const A = () => <p>{1}</p>;\n").file.has_errors);
}

TEST(parser_typescript, takes_export_assignments_for_what_commonjs_exports) {
  const auto parsed = parse("a.ts",
                            "import { x } from './x';\nfunction make() {}\nmake.other = function () {};\n"
                            "function hidden() {}\nexport = make;\n");
  EXPECT_THAT(public_names(parsed), ElementsAre("make", "other"));
  EXPECT_TRUE(named(parsed.file.symbols, "make").is_default_export);
  EXPECT_EQ(parsed.file.modules, module_system::commonjs);
}

TEST(parser_typescript, takes_quoted_names_of_exports_without_their_quotes) {
  const auto parsed = parse("a.ts", "function f() {}\nfunction g() {}\nexport { f as \"a-b\", g as 'default' };\n");
  EXPECT_THAT(public_names(parsed), ElementsAre("a-b", "g"));
  EXPECT_TRUE(named(parsed.file.symbols, "g").is_default_export);
}

TEST(parser_go, is_known_by_its_description_only) {
  const auto parsed = parse("cart/cart.go", R"(package cart

import (
	"fmt"
	m "example.com/shop/money"
)

const Limit = 3

type Cart struct{ items []int }
type Reader interface{ Read() }

func New(size int, names ...string) *Cart {
	if size > 1 && size < 9 {
		return nil
	}
	return &Cart{}
}

func (c *Cart) Add(item int) { fmt.Println(item) }
func (c *Cart) drop()        {}
func hidden()                {}
)");
  EXPECT_FALSE(parsed.file.has_errors);
  EXPECT_THAT(public_names(parsed), ElementsAre("Limit", "Cart", "Reader", "New"));
  EXPECT_EQ(named(parsed.file.symbols, "Cart").kind, symbol_kind::class_type);
  EXPECT_EQ(named(parsed.file.symbols, "Reader").kind, symbol_kind::type);
  EXPECT_EQ(named(parsed.file.symbols, "Cart").members.size(), 2u);
  EXPECT_EQ(named(parsed.file.symbols, "New").branches, 2u);
  EXPECT_THAT(parameters_of(named(parsed.file.symbols, "New")), ElementsAre("size", "...names"));
  EXPECT_THAT(modules_of(parsed), ElementsAre("fmt", "example.com/shop/money"));
}

TEST(parser, collects_identifiers_of_tests_only_and_not_those_in_imports) {
  const auto test =
      parse("tests/test_a.py", "from a import total, other\ndef test_x():\n    assert total(1) == 'other'\n");
  const auto holds = [&](std::string_view name) {
    return std::binary_search(test.mentions.begin(), test.mentions.end(), name_hash(name));
  };
  EXPECT_TRUE(test.file.is_test);
  EXPECT_TRUE(holds("total"));
  EXPECT_FALSE(holds("other"));
  EXPECT_THAT(parse("a.py", "total = 1\n").mentions, IsEmpty());
}

TEST(parser, survives_nesting_deeper_than_the_stack_and_garbage) {
  const auto deep = "x = " + std::string(20'000, '(') + std::string(20'000, ')') + "\n";
  const auto tangled = parse_file(*languages().by_id("python"), "a.py", deep);
  ASSERT_FALSE(tangled.has_value());
  EXPECT_EQ(tangled.error().code, ec::unparsable);
  EXPECT_THAT(tangled.error().message, testing::HasSubstr("nested deeper"));
  const auto braces = parse_file(*languages().by_id("javascript"), "a.js", std::string(100'000, '{'));
  ASSERT_TRUE(braces.has_value());
  EXPECT_TRUE(braces->file.has_errors);
  EXPECT_TRUE(parse_file(*languages().by_id("typescript"), "a.ts", "").has_value());
}

TEST(parser, survives_errors_that_span_more_than_65535_tokens) {  // memory corruption up to tree-sitter 0.20
  std::string irregular;
  for (int i = 0; i < 50'000; ++i) irregular += "a" + std::to_string(i * 7919 % 1000) + " ? ) ";
  const auto parsed = parse_file(*languages().by_id("javascript"), "a.js", irregular);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_TRUE(parsed->file.has_errors);
}

TEST(parser, reports_the_place_of_the_first_syntax_error) {
  const auto& python = *languages().by_id("python");
  EXPECT_TRUE(check_syntax(python, ".py", "def f():\n    return 1\n").ok);
  const auto report = check_syntax(python, "a.py", "x = 1\ny = (1,\n");
  EXPECT_FALSE(report.ok);
  EXPECT_GE(report.line, 2u);
  EXPECT_FALSE(check_syntax(*languages().by_id("javascript"), ".js", "test('a', () => {").ok);
  EXPECT_FALSE(check_syntax(*languages().by_id("go"), ".go", "package a\nfunc (").ok);
}

TEST(parser, lists_what_stands_at_the_top_level) {
  const std::string text =
      "import os\nfrom a import b\n\n@mark\ndef test_a():\n    pass\n\nclass T:\n    x = 1\n\nif 1:\n    y = 2\nz = "
      "3\n";
  const auto nodes = top_level(*languages().by_id("python"), ".py", text);
  std::vector<std::string> lines;
  for (const auto& one : nodes) lines.push_back(one.kind + " " + one.name);
  EXPECT_THAT(lines, ElementsAre("import ", "import ", "definition test_a", "definition T", "other ", "definition z"));
  EXPECT_EQ(text.substr(nodes[2].begin, 5), "@mark");
}

TEST(parser, lists_the_top_level_of_scripts_and_go) {
  const auto kinds = [](std::string_view id, std::string_view extension, std::string_view text) {
    std::vector<std::string> lines;
    for (const auto& one : top_level(*languages().by_id(id), extension, text))
      lines.push_back(one.kind + " " + one.name);
    return lines;
  };
  EXPECT_THAT(
      kinds("javascript", ".js",
            "import a from 'a';\nconst { b } = require('b');\nconst c = await import('c');\nconst d = () => 1, e = 2;\n"
            "function f() {}\nexport class G {}\ndescribe('x', () => {});\nconst h = 1;\n// end\n"),
      ElementsAre("import ", "import ", "import ", "definition ", "definition f", "definition G", "other ",
                  "definition h", "other "));
  EXPECT_THAT(kinds("go", ".go", "package a\nimport \"fmt\"\nimport (\n\t\"os\"\n)\nfunc TestA(t *T) {}\ntype X int\n"),
              testing::IsSupersetOf({"import ", "definition TestA", "definition X"}));
}

TEST(parser, gives_the_same_from_many_threads) {
  const std::string text = "def f(a, b):\n    if a:\n        return b\n    return a\n";
  std::vector<std::thread> threads;
  std::vector<uint32_t> branches(8);
  for (size_t i = 0; i < branches.size(); ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 50; ++n)
        branches[i] += parse_source(*languages().by_id("python"), "a.py", text)->symbols.at(0).branches;
    });
  for (auto& one : threads) one.join();
  EXPECT_THAT(branches, testing::Each(50u));
}

TEST(parser, rates_constants_low_and_deciding_code_high) {
  EXPECT_EQ(parse("a.py", "A = 1\nB = 2\n").file.complexity, 1u);
  std::string busy = "def f(x):\n";
  for (int i = 0; i < 12; ++i)
    busy += "    if x > " + std::to_string(i) + ":\n        for y in x:\n            print(y)\n";
  EXPECT_GE(parse("b.py", busy).file.complexity, 5u);
}

}  // namespace
}  // namespace cohort::languages
