// What a test file may be called, and which tests it holds.

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "planning/prompts/target_names.hpp"
#include "tests/planning/prompt_fixture.hpp"

namespace cohort::answers {
namespace {

using names = std::vector<std::string>;

names sorted(names list) {
  std::sort(list.begin(), list.end());
  return list;
}

names tests_in(const std::string& language, const std::string& target, const std::string& text) {
  return sorted(planning::handler().results_in(planning::task_in(language, target), text));
}

struct made_for {
  std::string path;
  std::string framework;
};

TEST(result_names, are_those_that_targets_and_other_names_have) {
  for (const auto modules :
       {languages::module_system::none, languages::module_system::esm, languages::module_system::commonjs})
    for (const auto& [path, framework] : std::vector<made_for>{{"bookshop/cart.py", "pytest"},
                                                               {"a/b/__init__.py", "pytest"},
                                                               {"a/b/cart.py", "unittest"},
                                                               {"odd name-1.py", "pytest"},
                                                               {"src/cart.ts", "vitest"},
                                                               {"src/Cart.tsx", "vitest"},
                                                               {"src/cart.mts", "vitest"},
                                                               {"src/cart.cts", "jest"},
                                                               {".hidden/.eslintrc.js", "jest"},
                                                               {"lib/a.b.mjs", "node:test"},
                                                               {"lib/a.cjs", "node:test"},
                                                               {"lib/a.jsx", "jest"},
                                                               {"cmd/run.go", "go test"}}) {
      languages::source_file file;
      file.path = path;
      file.language = planning::languages().by_path(path)->id;
      file.modules = modules;
      const std::vector<planning::target_request> requests{{&file, framework}};
      auto task = planning::task_in(file.language, planning::name_targets(requests, {}, planning::texts()).at(path));
      task.traits["framework"] = framework;
      EXPECT_TRUE(planning::handler().is_result_name(task, task.target)) << task.target;
      for (const auto* ending : {"2", "part3", "part3_2"})
        EXPECT_TRUE(planning::handler().is_result_name(task, planning::handler().alternative_name(task, ending)))
            << task.target << ' ' << ending;
    }
}

TEST(result_names, are_no_others) {
  const auto python = planning::task_in("python", "test_a.py");
  for (const auto* name : {".bashrc", "conftest.py", "a/conftest.py", "a.py", "test_.py", "test_a", "test_a.sh", "",
                           "/", "test_a.py/x", "test_a/b.py", ".git/hooks/pre-commit"})
    EXPECT_FALSE(planning::handler().is_result_name(python, name)) << name;
  const auto script = planning::task_in("javascript", "a.test.js");
  for (const auto* name : {"a.js", ".test.js", "jest.config.js", "package.json", "a.test.js.sh", "a.test.py"})
    EXPECT_FALSE(planning::handler().is_result_name(script, name)) << name;
  EXPECT_FALSE(planning::handler().is_result_name(planning::task_in("no such language", "test_a.py"), "test_a.py"));
}

TEST(results, are_the_tests_of_a_file_by_name) {
  EXPECT_EQ(
      tests_in("python", "test_a.py",
               "import pytest\n\ndef helper():\n    pass\n\n@pytest.mark.slow\ndef test_one():\n    pass\n\nclass "
               "TestCart:\n    def test_two(self):\n        pass\n    def helper(self):\n        pass\n"),
      (names{"TestCart.test_two", "test_one"}));
  EXPECT_EQ(tests_in("typescript", "a.test.ts",
                     "import { describe, it, test } from \"vitest\";\ndescribe(\"cart\", () => {\n  it('adds', () => "
                     "{});\n  it.each([1, 2])(`removes`, () => {});\n});\ntest(\"adds\", () => {});\n"),
            (names{"adds", "adds", "removes"}));
  EXPECT_EQ(tests_in("go", "a/a_test.go",
                     "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n\nfunc helper() {}\n"),
            names{"TestA"});
}

TEST(results, keep_their_names_when_parts_are_merged) {
  const std::string python =
      "def test_a():\n    assert {0}\n\n\nclass TestB:\n    def test_c(self):\n        assert {0}\n";
  const std::string script =
      "import {{ describe, test, beforeEach }} from \"vitest\";\nbeforeEach(() => {{}});\ndescribe(\"a\", () => {{\n  "
      "test(\"b\", () => {{ {0}; }});\n}});\n";
  const std::string go = "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {{ _ = {0} }}\n";
  for (const auto& [language, target, text] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"python", "test_a.py", python}, {"typescript", "a.test.ts", script}, {"go", "a/a_test.go", go}}) {
    names wanted;
    names parts;
    for (int i = 1; i <= 3; ++i) {
      parts.push_back(fmt::format(fmt::runtime(text), i));
      const auto own = tests_in(language, target, parts.back());
      EXPECT_FALSE(own.empty());
      wanted.insert(wanted.end(), own.begin(), own.end());
    }
    const auto merged = planning::handler().assemble(planning::task_in(language, target), parts);
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ(tests_in(language, target, *merged), sorted(wanted)) << *merged;
  }
}

TEST(results, whose_own_names_look_like_ours_are_told_apart) {
  EXPECT_EQ(tests_in("python", "test_a.py", "def test_a_partial():\n    pass\n\ndef test_part():\n    pass\n"),
            (names{"test_a_partial", "test_part"}));
}

}  // namespace
}  // namespace cohort::answers
