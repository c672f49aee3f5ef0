// Whole projects: which files count, where tests are missing, which framework, and what the cache may do.

#include "planning/survey/survey.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "languages/paths/glob.hpp"
#include "planning/survey/gap_report.hpp"
#include "tests/planning/planning_fixture.hpp"

namespace cohort::planning {
namespace {

namespace fs = std::filesystem;
using planning::fixture::languages;
using planning::fixture::project_test;
using planning::fixture::rules;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class survey_test : public project_test {
 protected:
  void git(const std::string& arguments) const {
    const auto command = "git -C '" + root.string() + "' -c init.defaultBranch=main " + arguments + " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << arguments;
  }
  [[nodiscard]] std::vector<std::string> paths(const fs::path& project, const discovery_options& options = {}) const {
    const auto found = discover(project, options, rules(), languages());
    std::vector<std::string> names;
    if (found)
      for (const auto& one : found->files) names.push_back(one.path);
    return names;
  }
  [[nodiscard]] static const skipped_file* skipped(const project_survey& found, std::string_view path) {
    for (const auto& one : found.skipped)
      if (one.path == path) return &one;
    return nullptr;
  }
};

constexpr auto f = "def f(x):\n    return x\n";

TEST_F(survey_test, without_git_leaves_out_build_vendor_and_hidden_folders) {
  for (const auto* path : {"a.py", "node_modules/b.js", "build/c.py", ".hidden/d.py", "src/e.ts", "vendor/g.go",
                           ".claude-testing/tests/test_a.py", "notes.txt", "src/x.min.js", "src/types.d.ts"})
    write(path, f);
  EXPECT_THAT(paths(root), ElementsAre("a.py", "src/e.ts"));
}

TEST_F(survey_test, names_the_build_folders_that_it_leaves_out_and_enters_them_when_they_are_named) {
  for (const auto* path : {"a.py", "build/c.py", "lib/dist/d.py"}) write(path, f);
  const auto found = discover(root, {}, rules(), languages());
  ASSERT_TRUE(found);
  ASSERT_EQ(found->skipped.size(), 2u);
  EXPECT_EQ(found->skipped[0].path, "build");
  EXPECT_THAT(found->skipped[1].reason, HasSubstr("--include 'lib/dist/**'"));
  discovery_options named;
  named.include = {"lib/dist/**"};
  EXPECT_THAT(paths(root, named), ElementsAre("lib/dist/d.py"));
}

TEST_F(survey_test, in_a_work_tree_takes_tracked_and_unignored_files) {
  write(".gitignore", "ignored/\n*.gen.py\n");
  for (const auto* path : {"tracked.py", "build/kept.py", "ignored/forced.py", "ignored/lost.py", "new.py", "x.gen.py",
                           "node_modules/a.js", ".github/tool.py"})
    write(path, f);
  git("init");
  git("add tracked.py build/kept.py");
  git("add -f ignored/forced.py node_modules/a.js");
  EXPECT_THAT(paths(root),
              ElementsAre(".github/tool.py", "build/kept.py", "ignored/forced.py", "new.py", "tracked.py"));
  EXPECT_THAT(paths(root / "build"), ElementsAre("kept.py"));
}

TEST_F(survey_test, committed_tests_of_a_run_of_somebody_else_are_tests_and_nothing_else_of_its_state_counts) {
  for (const auto* path : {".claude-testing/tests/test_a.py", ".claude-testing/tests/test_new.py",
                           ".claude-testing/tests/go/helper.go", ".claude-testing/cache/b.py", ".claude-testing/c.py"})
    write(path, f);
  git("init");
  git("add -f .claude-testing/tests/test_a.py .claude-testing/tests/go .claude-testing/cache .claude-testing/c.py");
  EXPECT_THAT(paths(root), ElementsAre(".claude-testing/tests/test_a.py"));
}

TEST_F(survey_test, a_damaged_index_a_bare_repository_and_an_ignored_project_are_no_end) {
  write("a.py", f);
  write("out/b.py", f);
  write(".gitignore", "out/\n");
  git("init");
  git("add a.py");
  EXPECT_THAT(paths(root / "out"), ElementsAre("b.py"));
  write(".git/index", "DIRC garbage");
  const auto damaged = look();
  EXPECT_EQ(damaged.files.size(), 1u);
  EXPECT_THAT(damaged.warnings, ElementsAre(HasSubstr("index")));
  fs::remove_all(root / ".git");
  git("init --bare .");
  EXPECT_THAT(paths(root), testing::Contains("a.py"));
}

TEST_F(survey_test, skips_what_cannot_be_planned_and_says_why) {
  write("good.py", f);
  write("binary.py", std::string_view{"a\0b", 3});
  write("latin.py", "# caf\xe9\n");
  write("huge.py", std::string((1U << 20U) + 1, 'x'));
  fs::create_symlink("loop.py", root / "loop.py");
  fs::create_symlink("gone", root / "broken.py");
  fs::create_directory_symlink(".", root / "around");
  ASSERT_EQ(::mkfifo((root / "pipe.py").c_str(), 0600), 0);
  const auto found = look();
  EXPECT_EQ(found.files.size(), 1u);
  EXPECT_EQ(skipped(found, "binary.py")->code, ec::binary_file);
  EXPECT_EQ(skipped(found, "latin.py")->code, ec::not_utf8);
  EXPECT_EQ(skipped(found, "huge.py")->code, ec::file_too_large);
  EXPECT_THAT(skipped(found, "loop.py")->reason, HasSubstr("loop"));
  EXPECT_THAT(skipped(found, "broken.py")->reason, HasSubstr("broken"));
  EXPECT_NE(skipped(found, "pipe.py"), nullptr);
  EXPECT_EQ(found.skipped.size(), 6u);
}

TEST_F(survey_test, takes_paths_with_any_bytes) {
  for (const auto* path : {"with space.py", "with\nbreak.py", "odd\xff.py", "quote'\".py"}) write(path, f);
  const auto found = look(any_complexity());
  EXPECT_EQ(found.gaps.size(), 4u);
  for (const auto format : {report_format::json, report_format::markdown, report_format::text})
    EXPECT_FALSE(write_gap_report(found, format).empty());
}

TEST_F(survey_test, include_and_exclude_choose_files) {
  for (const auto* path : {"a/one.py", "a/two.ts", "b/one.py", "b/deep/three.py"}) write(path, f);
  discovery_options options;
  options.include = {"*.py"};
  options.exclude = {"b/deep"};
  options.generated = {"a/one.py"};
  EXPECT_THAT(paths(root, options), ElementsAre("b/one.py"));
  options = {};
  options.include = {"**/three.py", "a/*"};
  EXPECT_THAT(paths(root, options), ElementsAre("a/one.py", "a/two.ts", "b/deep/three.py"));
}

TEST_F(survey_test, names_a_project_that_is_missing) {
  const auto found = survey(root / "nowhere", {}, rules(), languages());
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ec::not_found);
}

TEST(glob, fits_as_documented) {
  EXPECT_TRUE(languages::glob_match("src/**/*.py", "src/a/b/c.py"));
  EXPECT_TRUE(languages::glob_match("src/**/*.py", "src/c.py"));
  EXPECT_FALSE(languages::glob_match("src/*.py", "src/a/c.py"));
  EXPECT_TRUE(languages::glob_match("[a-c]?.py", "b1.py"));
  EXPECT_FALSE(languages::glob_match("[!a-c]?.py", "b1.py"));
  EXPECT_TRUE(languages::path_filter_match("vendor", "x/vendor/y.py"));
  EXPECT_TRUE(languages::path_filter_match("src/old", "src/old/deep/y.py"));
  EXPECT_FALSE(languages::path_filter_match("src/old", "src/older/y.py"));
  EXPECT_FALSE(languages::glob_match(std::string(200, '*') + "b", std::string(2000, 'a')));
}

TEST_F(survey_test, a_gap_is_a_public_symbol_that_no_test_mentions) {
  write("shop/__init__.py", "");
  write("shop/cart.py", "def total(): pass\ndef clear(): pass\ndef _hidden(): pass\n");
  write("shop/tested.py", "def add(): pass\n");
  write("shop/constants.py", "LIMIT = 1\nclass Kind(Enum):\n    A = 1\n");
  write("shop/unknown.py", "def lonely(): pass\n");
  write("tests/test_cart.py", "from shop.cart import total, clear\ndef test_total():\n    assert total() == 'clear'\n");
  write("tests/test_everything.py", "import shop.tested\ndef test_add():\n    shop.tested.add()\n    lonely()\n");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), ElementsAre("shop/cart.py: clear", "shop/unknown.py: lonely"));
  EXPECT_THAT(found.gaps[0].tests, ElementsAre("tests/test_cart.py"));
  EXPECT_THAT(found.gaps[1].examples, ElementsAre("tests/test_cart.py", "tests/test_everything.py"));
  EXPECT_EQ(found.gaps[0].import_root, "");
  EXPECT_EQ(found.counts.tests, 2u);
  EXPECT_EQ(found.counts.fully_tested, 1u);
  EXPECT_EQ(found.counts.no_public_symbols, 2u);
}

TEST_F(survey_test, generated_tests_never_close_a_gap) {
  write("a.py", f);
  write(".claude-testing/tests/test_a.py", "from a import f\ndef test_f(): f(1)\n");
  EXPECT_THAT(gaps_of(look(any_complexity())), ElementsAre("a.py: f"));
}

TEST_F(survey_test, generated_files_are_neither_sources_nor_tests_and_their_neighbours_are_what_they_are) {
  write("src/a.py", f);
  write("src/b.py", f);
  write("src/test_a.py", "from a import f\ndef test_f(): f(1)\n");
  write("src/test_b.py", "from b import f\ndef test_f(): f(1)\n");
  write("src/helpers_of_test_b.py", f);
  auto options = any_complexity();
  options.discover.generated = {"src/test_b.py", "src/helpers_of_test_b.py"};
  const auto found = look(options);
  EXPECT_THAT(gaps_of(found), ElementsAre("src/b.py: f"));
  EXPECT_EQ(found.counts.tests, 1u);
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST_F(survey_test, follows_reexports_and_aliases_in_python) {
  write("lib/shop/__init__.py", "from .cart import total\nfrom . import money\n");
  write("lib/shop/cart.py", "from .money import cents\ndef total(): pass\n");
  write("lib/shop/money.py", "def cents(): pass\n");
  write("tests/test_shop.py", "from shop import total as t\nimport shop\ndef test(): t(); shop.money.cents()\n");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), IsEmpty());
}

TEST_F(survey_test, follows_reexports_that_rename_in_python) {
  write("shop/__init__.py",
        "from .cart import total as sum_of, clear\nfrom . import money as coins\nfrom .tax import *\n");
  write("shop/cart.py", "def total(): pass\ndef clear(): pass\ndef drop(): pass\n");
  write("shop/money.py", "def cents(): pass\n");
  write("shop/tax.py", "from .deep import bottom as rate\n");
  write("shop/deep.py", "def bottom(): pass\ndef other(): pass\n");
  write("tests/test_shop.py", "from shop import sum_of as s, coins, rate\ndef test(): s(); coins.cents(); rate()\n");
  EXPECT_THAT(gaps_of(look(any_complexity())), ElementsAre("shop/cart.py: clear drop", "shop/deep.py: other"));
}

TEST_F(survey_test, follows_imports_in_scripts) {
  write("src/cart.ts", "export function total() {}\nexport default class Basket { add() {} }\n");
  write("src/index.ts", "export * from './cart.js';\nexport { rate as vat } from './tax';\n");
  write("src/tax/index.ts", "export const rate = () => 1;\nexport const other = () => 2;\n");
  write("src/old.js", "module.exports = { legacy() {} };\nmodule.exports.extra = () => 1;\n");
  write("test/all.test.ts",
        "import { total, vat } from '../src';\nimport B from '@/cart';\ntest('x', () => { total(); vat(); new B(); "
        "});\n");
  write("test/old.test.js", "const old = require('../src/old');\ntest('x', () => old.legacy());\n");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), ElementsAre("src/old.js: extra", "src/tax/index.ts: other"));
}

TEST_F(survey_test, follows_reexports_that_rename_in_scripts) {
  write("src/index.ts",
        "export { rate as vat } from './tax';\n"
        "export * as money from './money';\n"
        "export { default as Basket } from './basket';\n"
        "import { far } from './far';\nimport { deep as low } from './deep';\nimport * as box from './box';\n"
        "export { far as near, low as depth, box };\n");
  write("src/tax.ts", "export const rate = () => 1;\nexport const other = () => 2;\n");
  write("src/money.ts", "export function cents() {}\nexport function lost() {}\n");
  write("src/basket.ts", "export default class Cart { put() {} }\nexport function unseen() {}\n");
  write("src/far.ts", "export function far() {}\nexport function farther() {}\n");
  write("src/deep.ts", "export { bottom as deep, other } from './bottom';\n");
  write("src/bottom.ts", "export function bottom() {}\nexport function other() {}\n");
  write("src/box.ts", "export function open() {}\n");
  write("test/all.test.ts",
        "import { vat as v, money, Basket, near, box } from '../src';\nimport { depth } from '../src';\n"
        "test('x', () => { v(); money.cents(); new Basket(); near(); depth(); box.open(); });\n");
  EXPECT_THAT(gaps_of(look(any_complexity())),
              ElementsAre("src/basket.ts: unseen", "src/bottom.ts: other", "src/far.ts: farther", "src/money.ts: lost",
                          "src/tax.ts: other"));
}

TEST_F(survey_test, a_name_that_a_reexport_does_not_hand_on_is_not_reached) {
  write("src/index.ts", "export { rate as vat } from './tax';\nexport { total } from './cart';\n");
  write("src/tax.ts", "export const rate = () => 1;\nexport const vat = () => 2;\n");
  write("src/cart.ts", "export function total() {}\nexport function clear() {}\n");
  write("test/all.test.ts",
        "import { total } from '../src';\ntest('x', () => { total(); rate(); vat(); });\nfunction rate() {}\n");
  EXPECT_THAT(gaps_of(look(any_complexity())), ElementsAre("src/cart.ts: clear", "src/tax.ts: rate vat"));
}

TEST_F(survey_test, follows_what_a_commonjs_module_hands_on) {
  write("index.js", "module.exports = require('./lib/shop');\n");
  write("lib/shop.js",
        "const { rate } = require('./tax');\nmodule.exports = { vat: rate, ...require('./cart'), money: "
        "require('./money') };\nmodule.exports.Basket = require('./basket');\n");
  write("lib/tax.js", "exports.rate = () => 1;\nexports.other = () => 2;\n");
  write("lib/cart.js", "exports.total = () => 1;\nexports.clear = () => 2;\n");
  write("lib/money.js", "exports.cents = () => 1;\nexports.lost = () => 2;\n");
  write("lib/basket.js", "module.exports = class Cart { put() {} };\n");
  write("test/all.test.js",
        "const { vat, total, Basket } = require('../index');\nconst { money } = require('../index');\n"
        "test('x', () => { vat(); total(); money.cents(); new Basket(); });\n");
  EXPECT_THAT(gaps_of(look(any_complexity())),
              ElementsAre("lib/cart.js: clear", "lib/money.js: lost", "lib/tax.js: other"));
}

TEST_F(survey_test, follows_a_package_by_its_folder_and_by_its_own_name) {
  const auto test = [](const std::string& module, const std::string& name) {
    return "const { " + name + " } = require('" + module + "');\ntest('x', () => { " + name + "(); });\n";
  };
  // main, in a build that is no source of the project: the same name where sources lie.
  write("built/package.json", R"({"name": "built", "main": "./dist/cjs/entry.js"})");
  write("built/src/entry.ts", "export function built() {}\nexport function lost() {}\n");
  write("built/src/index.ts", "export function other() {}\n");
  write("built/test/all.test.js", test("..", "built"));
  // ... and where no source is called so, the usual index.
  write("bundle/package.json", R"({"name": "bundle", "module": "dist/bundle.min.js"})");
  write("bundle/src/index.ts", "export function packed() {}\n");
  write("bundle/test/all.test.js", test("../", "packed"));
  // exports: conditions, nested; a subpath; a pattern.
  write("many/package.json", R"({"name": "@shop/many", "main": "./dist/wrong.js", "exports": {
    ".": {"types": "./types/index.d.ts", "import": {"node": "./dist/main.mjs", "default": "./dist/web.mjs"}},
    "./tax": ["./src/duty.js"], "./parts/*": "./lib/parts/*.js", "./hidden/*": null}})");
  write("many/src/main.ts", "export function main() {}\n");
  write("many/src/wrong.ts", "export function wrong() {}\n");
  write("many/src/duty.js", "export function duty() {}\n");
  write("many/src/parts/wheel.ts", "export function wheel() {}\nexport function spoke() {}\n");
  write("many/test/a.test.js", test("@shop/many", "main"));
  write("many/test/b.test.js", test("@shop/many/tax", "duty"));
  write("many/test/c.test.js", test("@shop/many/parts/wheel", "wheel"));
  // A source as it is, and exports as one text.
  write("plain/package.json", R"({"name": "plain", "exports": "./lib/plain.js"})");
  write("plain/lib/plain.js", "exports.plain = () => 1;\n");
  write("plain/test/all.test.js", test("plain", "plain"));
  EXPECT_THAT(gaps_of(look(any_complexity())),
              ElementsAre("built/src/entry.ts: lost", "built/src/index.ts: other", "many/src/parts/wheel.ts: spoke",
                          "many/src/wrong.ts: wrong"));
}

TEST_F(survey_test, the_name_of_a_package_that_is_not_of_the_project_leads_nowhere) {
  write("package.json", R"({"name": "shop", "main": "src/index.js", "dependencies": {"cart": "1"}})");
  write("src/index.js", "export function total() {}\n");
  write("src/cart.js", "export function cart() {}\n");
  write("test/all.test.js",
        "import { cart } from 'cart';\nimport { total } from 'shopping';\ntest('x', () => { cart(); total(); });\n");
  EXPECT_THAT(gaps_of(look(any_complexity())), ElementsAre("src/cart.js: cart", "src/index.js: total"));
}

TEST_F(survey_test, follows_the_packages_of_a_workspace) {
  write("package.json", R"({"private": true, "workspaces": ["packages/*", "!packages/old", "tools/**"]})");
  write("packages/app/package.json", R"({"name": "@shop/app"})");
  write("packages/app/src/app.ts", "import { cents } from '@shop/money';\nexport function app() { cents(); }\n");
  write(
      "packages/app/test/app.test.ts",
      "import { cents } from '@shop/money';\nimport { deep } from '@shop/money/lib/deep';\nimport { saw } from 'saw';\n"
      "import { old } from '@shop/old';\ntest('x', () => { cents(); deep(); saw(); old(); });\n");
  write("packages/money/package.json", R"({"name": "@shop/money", "main": "dist/index.js"})");
  write("packages/money/src/index.ts", "export * from './cents';\n");
  write("packages/money/src/cents.ts", "export function cents() {}\n");
  write("packages/money/src/deep.ts", "export function deep() {}\n");
  write("packages/old/package.json", R"({"name": "@shop/old"})");
  write("packages/old/index.ts", "export function old() {}\n");
  write("tools/wood/saw/package.json", R"({"name": "saw"})");
  write("tools/wood/saw/index.js", "export function saw() {}\n");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), ElementsAre("packages/app/src/app.ts: app", "packages/old/index.ts: old"));
  EXPECT_THAT(found.gaps.at(0).dependencies, ElementsAre("packages/money/src/index.ts"));
  write("package.json", R"({"private": true, "workspaces": {"packages": ["packages/money"]}})");
  EXPECT_THAT(gaps_of(look(any_complexity())), ElementsAre("packages/app/src/app.ts: app", "packages/old/index.ts: old",
                                                           "tools/wood/saw/index.js: saw"));
}

TEST_F(survey_test, follows_the_paths_of_a_compiler) {
  write("config/base.json",
        R"({"compilerOptions": {"baseUrl": "..", "paths": {"#shop/*": ["gone/*", "src/shop/*"]}}})");
  write("tsconfig.json",
        "\xEF\xBB\xBF// The usual.\n{\n  /* from */ \"extends\": \"./config/base\", // twice\n"
        "  \"compilerOptions\": {\"strict\": true, \"types\": [\"a//b,]\",],},\n}\n");
  write("src/shop/cart.ts", "export function total() {}\nexport function clear() {}\n");
  write("src/lone.ts", "export function lone() {}\n");
  write("test/tsconfig.json", R"({"compilerOptions": {"noEmit": true}})");
  write("test/all.test.ts",
        "import { total } from '#shop/cart';\nimport { lone } from 'src/lone';\ntest('x', () => { total(); lone(); "
        "});\n");
  write("web/jsconfig.json",
        R"({"compilerOptions": {"paths": {"*": ["./any/*"], "lib/exact": ["./lib/it.js"], "lib/*": ["./lib/*"]}}})");
  write("web/lib/it.js", "export function it_is() {}\n");
  write("web/lib/part/index.js", "export function part() {}\n");
  write("web/any/thing.js", "export function thing() {}\n");
  write("web/all.test.js",
        "import { it_is } from 'lib/exact';\nimport { part } from 'lib/part';\nimport { thing } from 'thing';\n"
        "test('x', () => { it_is(); part(); thing(); });\n");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), ElementsAre("src/shop/cart.ts: clear"));
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST_F(survey_test, configurations_that_extend_each_other_lead_out_or_are_damaged_are_no_end) {
  write("tsconfig.json", R"({"extends": ["./other.json", "../../outside.json", "@tsconfig/node22"]})");
  write("other.json", R"({"extends": "./tsconfig.json", "compilerOptions": {"baseUrl": "../.."}})");
  write("damaged/tsconfig.json", "{oops");
  for (const auto* path : {"a.ts", "damaged/b.ts"})
    write(path, "import { x } from 'elsewhere/x';\nexport function f() { x(); }\n");
  const auto found = look(any_complexity());
  EXPECT_EQ(found.gaps.size(), 2u);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("damaged/tsconfig.json")));
}

TEST_F(survey_test, knows_each_folder_though_others_have_the_same_name_below_them) {
  write("a/src/one.py", f);
  write("b/src/two.py", "def g(x):\n    return x\n");
  write("test_all.py", "import a.src.one\nimport b.src.two\ndef test(): a.src.one.f(1); b.src.two.g(1)\n");
  EXPECT_THAT(gaps_of(look(any_complexity())), IsEmpty());
}

TEST_F(survey_test, go_tests_see_their_folder_and_import_packages) {
  write("go.mod", "module example.com/shop\n\ngo 1.21\n");
  write("cart/cart.go",
        "package cart\ntype Cart struct{}\nfunc (c *Cart) Add() {}\nfunc New() *Cart { return nil }\nfunc Lost() {}\n");
  write("cart/cart_test.go", "package cart\nfunc TestNew(t *testing.T) { New().Add() }\n");
  write("money/money.go", "package money\nfunc Cents() {}\n");
  write("e2e/all_test.go",
        "package e2e\nimport \"example.com/shop/money\"\nfunc TestX(t *testing.T) { money.Cents() }\n");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), ElementsAre("cart/cart.go: Lost"));
  EXPECT_EQ(found.gaps.at(0).framework, "go test");
}

TEST_F(survey_test, reads_frameworks_from_the_nearest_manifest_only) {
  write("package.json", R"({"devDependencies": {"jest": "1"}})");
  write("web/package.json", R"({"scripts": {"test": "node --test"}})");
  write("web/a.js", "import { vi } from 'vitest';\nexport function a() {}\n");
  write("ui/package.json", R"({"devDependencies": {"vitest": "1"}})");
  write("ui/a.ts", "export function a() {}\n");
  write("other/a.js", "// vitest pytest\nexport function a() {}\n");
  write("py/pyproject.toml", "[project]\ndependencies = [\n  \"pytest>=7\",\n]\n");
  write("py/deep/a.py", f);
  write("plain/a.py", "import pytest\n" + std::string{f});
  write("comment/pyproject.toml", "# \"pytest\"\nname = \"pytest-like\"\n");
  write("comment/a.py", f);
  const auto found = look(any_complexity());
  std::vector<std::string> lines;
  for (const auto& gap : found.gaps) lines.push_back(found.files[gap.file].path + " " + gap.framework);
  EXPECT_THAT(lines, ElementsAre("comment/a.py unittest", "other/a.js jest", "plain/a.py unittest",
                                 "py/deep/a.py pytest", "ui/a.ts vitest", "web/a.js node:test"));
}

TEST_F(survey_test, a_damaged_manifest_is_a_warning) {
  write("package.json", "{oops");
  write("a.js", "export function a() {}\n");
  const auto found = look(any_complexity());
  EXPECT_EQ(found.gaps.at(0).framework, "node:test");
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("package.json")));
}

TEST_F(survey_test, lists_dependencies_and_leaves_simple_files_alone) {
  write("pkg/__init__.py", "");
  write("pkg/a.py", "from .b import g\nfrom pkg import c\nimport os\ndef f(): pass\n");
  write("pkg/b.py", "def g(): pass\n");
  write("pkg/c.py", "X = 1\n");
  const auto all = look(any_complexity());
  EXPECT_THAT(all.gaps.at(0).dependencies, ElementsAre("pkg/__init__.py", "pkg/b.py", "pkg/c.py"));
  const auto usual = look();
  EXPECT_THAT(usual.gaps, IsEmpty());
  EXPECT_EQ(usual.counts.too_simple, 2u);
}

TEST_F(survey_test, the_cache_changes_nothing_but_the_time) {
  for (int i = 0; i < 40; ++i)
    write("m" + std::to_string(i) + ".py", "import m1\ndef f" + std::to_string(i) + "(a, b=1): pass\n");
  write("test_m3.py", "from m3 import f3 as x\ndef test(): x()\n");
  auto options = any_complexity();
  options.cache = survey_cache::read_write;
  options.cache_file = root / ".claude-testing" / "cache" / "parse.bin";
  const auto cold = look(options);
  EXPECT_EQ(cold.counts.from_cache, 0u);
  write("m7.py", "def changed(): pass\n");
  const auto warm = look(options);
  EXPECT_EQ(warm.counts.from_cache, 40u);
  options.cache = survey_cache::off;
  const auto plain = look(options);
  EXPECT_EQ(write_gap_report(warm, report_format::json), write_gap_report(plain, report_format::json));
  EXPECT_THAT(gaps_of(warm), testing::Contains("m7.py: changed"));
}

TEST_F(survey_test, a_torn_or_foreign_cache_is_ignored_and_a_dry_run_writes_none) {
  write("a.py", f);
  auto options = any_complexity();
  options.cache_file = root / "cache.bin";
  options.cache = survey_cache::read_only;
  static_cast<void>(look(options));
  EXPECT_FALSE(fs::exists(options.cache_file));
  options.cache = survey_cache::read_write;
  static_cast<void>(look(options));
  const auto good = read_file(options.cache_file);
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(look(options).counts.from_cache, 1u);
  for (const auto& bad : {good->substr(0, good->size() / 2), std::string{"hello"}, std::string{}, *good + "x"}) {
    write("cache.bin", bad);
    const auto found = look(options);
    EXPECT_EQ(found.counts.from_cache, 0u);
    EXPECT_THAT(gaps_of(found), ElementsAre("a.py: f"));
  }
  auto flipped = *good;
  flipped[flipped.size() - 3] = static_cast<char>(flipped[flipped.size() - 3] ^ 1);
  write("cache.bin", flipped);
  EXPECT_EQ(look(options).counts.from_cache, 0u);
}

TEST_F(survey_test, the_report_is_read_back_and_limits_the_gaps) {
  write("a.py", "def f(): pass\ndef g(): pass\n");
  write("b.py", "def h(): pass\n");
  auto found = look(any_complexity());
  auto report = parse_gap_report(write_gap_report(found, report_format::json), "gaps.json");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  report->gaps.erase(report->gaps.begin() + 1);
  report->gaps[0].symbols = {"g"};
  report->gaps.push_back({"gone.py", {"x"}, 5});
  const auto notes = restrict_to(found, *report);
  EXPECT_THAT(gaps_of(found), ElementsAre("a.py: g"));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("gone.py")));
}

TEST(gap_report, refuses_what_it_cannot_trust_and_says_where) {
  const auto refused = [](const std::string& json) {
    const auto report = parse_gap_report(json, "gaps.json");
    EXPECT_FALSE(report.has_value()) << json;
    return report ? std::string{} : report.error().message;
  };
  const auto entry = [](const std::string& path, const std::string& complexity, const std::string& symbols) {
    return R"({"version":1,"gaps":[{"path":)" + path + R"(,"complexity":)" + complexity + R"(,"symbols":)" + symbols +
           "}]}";
  };
  EXPECT_THAT(refused("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused("[]"), HasSubstr("object"));
  EXPECT_THAT(refused(R"({"version":2,"gaps":[]})"), HasSubstr("newer"));
  EXPECT_THAT(refused(R"({"version":1,"gaps":{}})"), HasSubstr("list"));
  EXPECT_THAT(refused(entry("\"../x.py\"", "5", R"([{"name":"f"}])")), HasSubstr("gaps[0]"));
  EXPECT_THAT(refused(entry("\"/etc/x.py\"", "5", R"([{"name":"f"}])")), HasSubstr("inside the project"));
  EXPECT_THAT(refused(entry("7", "5", R"([{"name":"f"}])")), HasSubstr("text"));
  EXPECT_THAT(refused(entry("\"a.py\"", "1e400", R"([{"name":"f"}])")), testing::Not(IsEmpty()));
  EXPECT_THAT(refused(entry("\"a.py\"", "99999999999", R"([{"name":"f"}])")), HasSubstr("from 1 to 10"));
  EXPECT_THAT(refused(entry("\"a.py\"", "5", "[]")), HasSubstr("empty"));
  EXPECT_THAT(refused(entry("\"a.py\"", "5", R"([{"name":null}])")), HasSubstr("symbols[0]"));
  EXPECT_THAT(refused(std::string(100'000, '[')), testing::Not(IsEmpty()));
}

TEST(language, a_mistake_in_a_description_is_named_with_its_place) {
  const auto folder = fs::temp_directory_path() / ("cohort-language-" + random_hex(8));
  const auto good = read_file(planning::fixture::config_dir / "languages" / "python" / "language.json");
  ASSERT_TRUE(good.has_value());
  const auto message = [&](const std::string& from, const std::string& to) {
    auto text = *good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_TRUE(replace_file(folder / "languages" / "python" / "language.json", text, durability::later));
    const auto loaded = languages::load_languages(folder);
    return loaded ? std::string{} : loaded.error().message;
  };
  EXPECT_THAT(message("\"Python\"", "\"Py\""), IsEmpty());
  EXPECT_THAT(message("\"for_statement\"", "\"for_statment\""), HasSubstr("for_statment"));
  EXPECT_THAT(message("\"module_name\"", "\"modul\""), HasSubstr("modul"));
  EXPECT_THAT(message("\"tree_sitter_python\"", "\"tree_sitter_cobol\""), HasSubstr("tree_sitter_cobol"));
  EXPECT_THAT(message("\"style\": \"dotted\"", "\"style\": \"dots\""), HasSubstr("modules"));
  EXPECT_THAT(message("\"fallback\": true", "\"fallback\": 1"), HasSubstr(R"(key "frameworks[1]": "fallback")"));
  EXPECT_THAT(message("[\"test*\"]}]", "[]}]"), HasSubstr("syntax.tests.functions[0].names"));
  EXPECT_THAT(message("\"bases_in\": \"superclasses\"", "\"bases_in\": \"parents\""), HasSubstr("parents"));
  EXPECT_THAT(message("\"methods\": [", "\"calls\": ["), HasSubstr("calls"));
  EXPECT_THAT(message("[{\"names\": [\"test*\"]}]", "[{\"names\": [\"test*\"], \"parameter_types\": [\"T\"]}]"),
              HasSubstr("'parameter_type'"));
  EXPECT_THAT(message("\"functions\": [{\"names\": [\"test*\"]}]", "\"calls\": [\"it\"]"), HasSubstr("syntax.calls"));
  for (const auto* costly : {"a{99999}", "((a{99}){99}){99}", "(a)\\\\99999999999999999999", "(?=a)"})
    EXPECT_THAT(message("^\\\\s*pytest\\\\s*=", costly), HasSubstr("no regular expression")) << costly;
  EXPECT_THAT(message("^\\\\s*pytest\\\\s*=", std::string(3000, '(')), HasSubstr("500 bytes"));
  EXPECT_THAT(message("{", "["), HasSubstr("not valid JSON"));
  fs::remove_all(folder);
  EXPECT_FALSE(languages::load_languages(folder).has_value());
}

}  // namespace
}  // namespace cohort::planning
