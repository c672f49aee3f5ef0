#include "planning/prompts/task_planner.hpp"

#include <cstdlib>

#include "messages/delivered_work.hpp"
#include "messages/task_units.hpp"
#include "planning/prompts/source_split.hpp"
#include "tests/planning/prompt_fixture.hpp"

namespace cohort::planning {
namespace {

struct planned {
  std::vector<task_spec> tasks;
  std::vector<skipped_source> skipped;
};

planned plan(const project_on_disk& project, const std::vector<languages::source_file>& files,
             const std::string& framework, prompt_limits limits = load_planning_defaults(config_folder())->limits,
             done_test is_done = nullptr) {
  auto defaults = load_planning_defaults(config_folder()).value();
  defaults.limits = limits;
  task_input input{
      project.root(), files, [framework](const languages::source_file&) { return framework; }, {}, std::move(is_done)};
  for (const auto& file : files)
    if (!file.is_test) input.requests.push_back({&file, public_symbols(file)});
  planned result;
  task_options options;
  options.model = cheap_model();
  const auto totals = plan_tasks(input, options, languages(), texts(), defaults,
                                 {[&](task_spec&& task) {
                                    result.tasks.push_back(std::move(task));
                                    return true;
                                  },
                                  [&](skipped_source&& one) { result.skipped.push_back(std::move(one)); }});
  EXPECT_TRUE(totals) << totals.error().message;
  return result;
}

std::string section(const std::string& prompt, const std::string& tag) {
  const auto begin = prompt.find("<" + tag + ">\n") + tag.size() + 3;
  return prompt.substr(begin, prompt.find("</" + tag + ">", begin) - begin);
}

/// Saves the import text where the test would lie and runs it.
int run_import(const project_on_disk& project, const task_spec& task, const std::string& command,
               const std::string& check) {
  project.write(task.traits.at("save_as"), section(task.request.prompt, "import") + check);
  return std::system(
      (command + " " + (project.root() / task.traits.at("save_as")).string() + " >/dev/null 2>&1").c_str());
}

TEST(tasks, import_python_packages_and_scripts_so_that_it_works) {
  const project_on_disk project;
  project.write("backend/shop/__init__.py", "");
  const std::vector<languages::source_file> files{
      project.add("backend/shop/cart.py", "def add(a, b):\n    return a + b\n"),
      project.add("scripts/2-tool.py", "def run():\n    return 7\n"),
      project.add("scripts/lambda.py", "def call():\n    return 8\n")};
  const auto result = plan(project, files, "pytest");
  ASSERT_EQ(result.tasks.size(), 3u);
  EXPECT_EQ(result.tasks[0].target, "backend/shop/test_cart.py");
  EXPECT_NE(result.tasks[0].request.prompt.find("from shop.cart import add\n</import>"), std::string::npos);
  EXPECT_EQ(run_import(project, result.tasks[0], "python3", "assert add(1, 2) == 3\n"), 0);
  EXPECT_NE(run_import(project, result.tasks[0], "python3", "assert add(1, 2) == 4\n"), 0);
  EXPECT_EQ(run_import(project, result.tasks[1], "python3", "assert run() == 7\n"), 0);
  EXPECT_EQ(run_import(project, result.tasks[2], "python3", "assert call() == 8\n"), 0);
}

TEST(tasks, import_script_modules_so_that_it_works) {
  const project_on_disk project;
  const std::vector<languages::source_file> files{
      project.add("src/a.mjs",
                  "export default function sum(a, b) { return a + b; }\nexport const twice = (x) => 2 * x;\n"),
      project.add("src/b.cjs", "function one() { return 1; }\nmodule.exports = { one };\n")};
  const auto result = plan(project, files, "node:test");
  ASSERT_EQ(result.tasks.size(), 2u);
  EXPECT_EQ(run_import(project, result.tasks[0], "node", "if (sum(1, 2) !== 3 || twice(2) !== 4) process.exit(1);\n"),
            0)
      << result.tasks[0].request.prompt;
  EXPECT_EQ(run_import(project, result.tasks[1], "node", "if (one() !== 1) process.exit(1);\n"), 0)
      << result.tasks[1].request.prompt;
}

TEST(tasks, import_names_that_the_language_keeps_for_itself) {
  const project_on_disk project;
  const std::vector<languages::source_file> files{
      project.add("src/a.mjs", "function f() { return 1; }\nexport { f as function };\n"),
      project.add("src/b.cjs", "module.exports = { delete: () => 2, kept: () => 3 };\n"),
      project.add("src/switch.mjs", "export default (x) => x;\n")};
  const auto result = plan(project, files, "node:test");
  ASSERT_EQ(result.tasks.size(), 3u);
  const auto holds = [&](size_t i, const std::string& check) {
    return run_import(project, result.tasks[i], "node", "if (!(" + check + ")) process.exit(1);\n") == 0;
  };
  EXPECT_TRUE(holds(0, "function_() === 1")) << result.tasks[0].request.prompt;
  EXPECT_TRUE(holds(1, "delete_() === 2 && kept() === 3")) << result.tasks[1].request.prompt;
  EXPECT_TRUE(holds(2, "switch_(4) === 4")) << result.tasks[2].request.prompt;
}

TEST(tasks, import_names_that_are_no_identifiers_under_others) {
  const project_on_disk project;
  const std::vector<languages::source_file> files{project.add("src/a.mjs",
                                                              "function f() { return 1; }\nfunction g() { return 2; }\n"
                                                              "export { f as \"a-b\", g as aB };\n"),
                                                  project.add("src/b.cjs", "module.exports = { 'c d': () => 3 };\n")};
  const auto result = plan(project, files, "node:test");
  ASSERT_EQ(result.tasks.size(), 2u);
  EXPECT_EQ(run_import(project, result.tasks[0], "node", "if (aB_() !== 1 || aB() !== 2) process.exit(1);\n"), 0)
      << result.tasks[0].request.prompt;
  EXPECT_EQ(run_import(project, result.tasks[1], "node", "if (cD() !== 3) process.exit(1);\n"), 0)
      << result.tasks[1].request.prompt;
}

TEST(tasks, import_what_typescript_exports_whole) {
  const project_on_disk project;
  const std::vector<languages::source_file> files{
      project.add("src/cart.ts", "import { x } from './x';\nclass Cart { total() { return x; } }\nexport = Cart;\n"),
      project.add("src/shop.ts", "function open() { return 1; }\nexport = { open, close: () => 2 };\n")};
  auto result = plan(project, files, "jest");
  ASSERT_EQ(result.tasks.size(), 2u);
  EXPECT_NE(section(result.tasks[0].request.prompt, "import").find("const Cart = require("), std::string::npos)
      << result.tasks[0].request.prompt;
  EXPECT_NE(section(result.tasks[1].request.prompt, "import").find("const { open, close } = require("),
            std::string::npos)
      << result.tasks[1].request.prompt;
  result = plan(project, files, "vitest");
  EXPECT_NE(section(result.tasks[0].request.prompt, "import").find("import Cart from "), std::string::npos)
      << result.tasks[0].request.prompt;
}

TEST(tasks, have_an_identity_that_follows_what_the_answer_depends_on) {
  const project_on_disk project;
  const auto file = project.add("cart.py", "def add(a, b):\n    return a + b\n");
  const auto first = plan(project, {file}, "pytest").tasks.at(0);
  EXPECT_EQ(plan(project, {file}, "pytest").tasks.at(0).id, first.id);
  EXPECT_EQ(plan(project, {file, project.add("b/cart.py", "def f():\n    return 1\n")}, "pytest").tasks.back().id,
            first.id);
  EXPECT_NE(plan(project, {file}, "unittest").tasks.at(0).id, first.id);
  EXPECT_NE(plan(project, {project.add("cart.py", "def add(a, b):\n    return b + a\n")}, "pytest").tasks.at(0).id,
            first.id);
}

TEST(tasks, share_their_prefix_and_come_in_the_order_of_paths) {
  const project_on_disk project;
  const auto b = project.add("b.py", "def f():\n    return 1\n");
  const auto a = project.add("a.py", "def g():\n    return 2\n");
  const auto tasks = plan(project, {b, a}, "pytest").tasks;
  EXPECT_EQ(tasks.at(0).source, "a.py");
  EXPECT_EQ(tasks.at(0).request.shared_prefix, tasks.at(1).request.shared_prefix);
  EXPECT_EQ(tasks.at(0).request.shared_prefix.find("{{"), std::string::npos);
}

TEST(tasks, skip_sources_that_have_changed_or_are_gone) {
  const project_on_disk project;
  const auto changed = project.add("a.py", "def f():\n    return 1\n");
  const auto gone = project.add("b.py", "def f():\n    return 1\n");
  project.write("a.py", "def f():\n    return 2\n");
  std::filesystem::remove(project.root() / "b.py");
  const auto result = plan(project, {changed, gone}, "pytest");
  ASSERT_EQ(result.skipped.size(), 2u);
  EXPECT_EQ(result.skipped[0].why.code, ec::source_changed);
  EXPECT_EQ(result.skipped[1].why.code, ec::source_gone);
}

TEST(tasks, of_big_files_are_parts_with_whole_functions) {
  const project_on_disk project;
  std::string text = "import math\n\n\ndef _shared(x):\n    return math.floor(x)\n";
  for (int i = 0; i < 60; ++i) {
    const auto n = std::to_string(i);
    text += "\n\ndef f" + n + "(x):\n    y = _shared(x)\n    return y + " + n + "\n";
  }
  const auto file = project.add("big.py", text);
  const auto tasks = plan(project, {file}, "pytest").tasks;
  ASSERT_EQ(tasks.size(), 3u);
  for (const auto& task : tasks) {
    EXPECT_NE(task.request.prompt.find("import math\n"), std::string::npos);
    EXPECT_NE(task.request.prompt.find("def _shared(x):\n    return math.floor(x)\n"), std::string::npos);
  }
  EXPECT_NE(tasks[0].request.prompt.find("def f23(x):\n    y = _shared(x)\n    return y + 23\n"), std::string::npos);
  EXPECT_EQ(tasks[0].request.prompt.find("def f24(x)"), std::string::npos);
  EXPECT_EQ(tasks[0].label, "big.py (1/3)");
}

TEST(tasks, of_types_whose_methods_stand_outside_show_these_methods) {
  const project_on_disk project;
  std::string go = "package shop\n\ntype Cart struct{ n int }\n";
  std::string script = "module.exports = Cart;\nfunction Cart(n) {\n  this.n = n;\n}\n";
  for (int i = 0; i < 60; ++i) {
    const auto n = std::to_string(i);
    go += "\nfunc (c *Cart) Add" + n + "(x int) int {\n\treturn c.n + x + " + n + "\n}\n";
    script += "Cart.prototype.add" + n + " = function (x) {\n  return this.n + x + " + n + ";\n};\n";
  }
  project.write("go.mod", "module example.org/shop\n");
  const auto in_go = plan(project, {project.add("cart.go", go)}, "go test").tasks;
  const auto in_script = plan(project, {project.add("cart.cjs", script)}, "node:test").tasks;
  ASSERT_EQ(in_go.size(), 3u);
  ASSERT_EQ(in_script.size(), 3u);
  for (const auto& task : in_go) EXPECT_NE(task.request.prompt.find("type Cart struct{ n int }\n"), std::string::npos);
  for (const auto& task : in_script)
    EXPECT_NE(task.request.prompt.find("function Cart(n) {\n  this.n = n;\n}\n"), std::string::npos);
  EXPECT_NE(in_go[0].request.prompt.find("Add23(x int) int {\n\treturn c.n + x + 23\n}\n"), std::string::npos);
  EXPECT_EQ(in_go[0].request.prompt.find("Add24(x int)"), std::string::npos);
  EXPECT_NE(in_script[2].request.prompt.find("add59 = function (x) {\n  return this.n + x + 59;\n};\n"),
            std::string::npos);
  EXPECT_EQ(in_script[2].request.prompt.find("add0 ="), std::string::npos);
}

TEST(tasks, say_which_functions_and_methods_they_ask_for) {
  const project_on_disk project;
  std::string text;
  for (int i = 0; i < 6; ++i) text += "def f" + std::to_string(i) + "(a):\n    return a\n\n\n";
  text += "class Cart:\n    def add(self):\n        pass\n\n    def _hidden(self):\n        pass\n";
  const auto file = project.add("big.py", text);
  auto limits = load_planning_defaults(config_folder())->limits;
  limits.max_units_per_part = 4;
  const auto tasks = plan(project, {file}, "pytest", limits).tasks;
  ASSERT_EQ(tasks.size(), 2u);
  const auto first = units_of(tasks[0]).value();
  const auto second = units_of(tasks[1]).value();
  EXPECT_EQ(first.present.size(), 8u) << "six functions, a class, and its method";
  EXPECT_EQ(first.present, second.present);
  EXPECT_EQ(first.asked.size(), 4u);
  EXPECT_EQ(second.asked.size(), 4u);
  EXPECT_TRUE(is_within(first.asked, first.present));
  EXPECT_FALSE(is_within(first.asked, second.asked));
}

TEST(tasks, skip_what_is_too_big_even_alone) {
  const project_on_disk project;
  std::string text = "def f(x):\n";
  for (int i = 0; i < 3000; ++i) text += "    x = x + " + std::to_string(i) + "\n";
  auto limits = load_planning_defaults(config_folder())->limits;
  limits.max_prompt_bytes = 30'000;
  const auto result = plan(project, {project.add("big.py", text)}, "pytest", limits);
  ASSERT_EQ(result.skipped.size(), 1u);
  EXPECT_EQ(result.skipped[0].why.code, ec::file_too_large);
  EXPECT_EQ(result.skipped[0].symbol, "");
}

TEST(tasks, keep_room_for_the_symbols_of_a_part_not_for_those_of_all) {
  const project_on_disk project;
  std::string text = "def long(x):\n";
  for (int i = 0; i < 500; ++i) text += "    x = x + " + std::to_string(i) + "\n";
  for (int i = 0; i < 250; ++i) text += "\n\ndef f" + std::to_string(i) + "(first, second, third):\n    return first\n";
  auto limits = load_planning_defaults(config_folder())->limits;
  limits.max_prompt_bytes = 40'000;
  const auto result = plan(project, {project.add("big.py", text)}, "pytest", limits);
  EXPECT_TRUE(result.skipped.empty()) << result.skipped.front().why.message;
  ASSERT_GT(result.tasks.size(), 10u);
  EXPECT_NE(result.tasks[0].request.prompt.find("x = x + 499"), std::string::npos);
  for (const auto& task : result.tasks)
    EXPECT_LE(task.request.prompt.size() + task.request.shared_prefix.size(), limits.max_prompt_bytes);
}

TEST(tasks, leave_out_a_function_that_is_too_big_and_plan_the_rest_of_its_file) {
  const project_on_disk project;
  std::string body;
  for (int i = 0; i < 3000; ++i) body += "        x = x + " + std::to_string(i) + "\n";
  const auto text =
      "def first(x):\n    return x\n\n\ndef huge(x):\n    if x:\n" + body +
      "\n\ndef last(x):\n    return first(x)\n\n\nclass Cart:\n    def __init__(self):\n        self.n = 0\n\n"
      "    def add(self, x):\n        return x\n\n    def total(self, x):\n" +
      body + "\n    def clear(self):\n        self.n = 0\n";
  auto limits = load_planning_defaults(config_folder())->limits;
  limits.max_prompt_bytes = 30'000;
  const auto result = plan(project, {project.add("big.py", text)}, "pytest", limits);
  ASSERT_EQ(result.tasks.size(), 1u);
  const auto& prompt = result.tasks[0].request.prompt;
  for (const auto* shown : {"def first(x):", "def last(x):", "def add(self, x):", "def clear(self):", "self.n = 0"})
    EXPECT_NE(prompt.find(shown), std::string::npos) << shown;
  const auto symbols = section(prompt, "symbols");
  EXPECT_EQ(symbols.find("huge"), std::string::npos);
  EXPECT_EQ(symbols.find("\"Cart\""), symbols.rfind("\"Cart\"")) << symbols;
  EXPECT_EQ(symbols.find("total"), std::string::npos);
  EXPECT_EQ(section(prompt, "import").find("huge"), std::string::npos);
  ASSERT_EQ(result.skipped.size(), 2u);
  for (const auto& one : result.skipped) {
    EXPECT_EQ(one.path, "big.py");
    EXPECT_EQ(one.why.code, ec::file_too_large);
    EXPECT_NE(one.why.message.find("'" + one.symbol + "'"), std::string::npos) << one.why.message;
  }
  EXPECT_EQ(result.skipped[0].symbol, "huge");
  EXPECT_EQ(result.skipped[1].symbol, "Cart.total");
}

/// The plan for `text` after the tests for `before` were delivered.
std::vector<task_spec> plan_after(const std::string& before, const std::string& text) {
  delivered_work work;
  {
    const project_on_disk project;
    for (const auto& task : plan(project, {project.add("cart.py", before)}, "pytest").tasks) work.add(task);
  }
  const project_on_disk project;
  const auto is_done = [&work](const languages::source_file& file, const std::string& unit, std::string_view own) {
    return work.covers(file.path, file.content, unit_work_of(unit, own), [](const std::string&) { return true; });
  };
  return plan(project, {project.add("cart.py", text)}, "pytest", load_planning_defaults(config_folder())->limits,
              is_done)
      .tasks;
}

TEST(tasks, are_not_asked_again_for_what_is_delivered_whatever_else_changed) {
  const std::string cart =
      "class Cart:\n    def add(self, x):\n        return x\n\n    def total(self):\n        return 1\n";
  const std::string other = "\ndef price(x):\n    if x:\n        return 2\n    return 3\n";
  EXPECT_TRUE(plan_after(cart + other, cart + other).empty());
  EXPECT_TRUE(plan_after(cart + other, "# a licence\n\n" + other + "\n\n" + cart).empty()) << "moved in its file";
  EXPECT_TRUE(plan_after(cart + other, cart).empty()) << "fewer";
  const auto more = plan_after(cart, cart + other);
  ASSERT_EQ(more.size(), 1u);
  const auto symbols = section(more[0].request.prompt, "symbols");
  EXPECT_NE(symbols.find("price"), std::string::npos);
  EXPECT_EQ(symbols.find("Cart"), std::string::npos) << symbols;
}

TEST(tasks, ask_of_a_class_for_the_methods_that_changed) {
  const std::string cart =
      "class Cart:\n    def add(self, x):\n        return x\n\n    def total(self):\n        return 1\n";
  const auto changed = plan_after(
      cart, "class Cart:\n    def add(self, x):\n        return x\n\n    def total(self):\n        return 2\n");
  ASSERT_EQ(changed.size(), 1u);
  const auto symbols = section(changed[0].request.prompt, "symbols");
  EXPECT_NE(symbols.find("total"), std::string::npos);
  EXPECT_EQ(symbols.find("\"add\""), std::string::npos) << symbols;
}

TEST(tasks, of_a_class_in_several_parts_are_not_asked_again) {
  std::string large = "class Large:\n    limit = 3\n";
  for (int i = 0; i < 60; ++i) large += "\n    def method" + std::to_string(i) + "(self, a):\n        return a\n";
  const project_on_disk project;
  const std::vector<languages::source_file> files{project.add("large.py", large)};
  ASSERT_GT(plan(project, files, "pytest").tasks.size(), 1u);
  EXPECT_TRUE(plan_after(large, large).empty());
}

}  // namespace
}  // namespace cohort::planning
