#include "answers/code_extraction.hpp"

#include <chrono>
#include <ctime>
#include <optional>
#include <random>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "tests/planning/prompt_fixture.hpp"

namespace cohort::answers {
namespace {

const std::string python_file =
    "import pytest\nfrom shop.cart import total\n\n\ndef test_total_of_nothing_is_zero():\n    assert total([]) == 0\n";
const std::string es_file =
    "import { expect, test } from \"vitest\";\nimport { total } from \"../src/cart\";\n\ntest(\"is zero\", () => {\n  "
    "expect(total([])).toBe(0);\n});\n";

expected<std::string> python(std::string_view answer) {
  return planning::handler().extract(planning::task_in("python", "test_cart.py"), answer);
}
expected<std::string> typescript(std::string_view answer) {
  return planning::handler().extract(planning::task_in("typescript", "cart.test.ts"), answer);
}

constexpr std::optional<ec> accepted;

/// Why `code` is no test file; nothing if it is one.
std::optional<ec> outcome_of(const std::string& language, const std::string& target, const std::string& code) {
  const auto found = planning::handler().extract(planning::task_in(language, target), "```\n" + code + "\n```\n");
  return found ? accepted : found.error().code;
}

std::string crlf(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? std::string{"\r\n"} : std::string{c};
  return result;
}

TEST(answer, is_taken_out_of_any_wrapping) {
  const std::vector<std::string> openings{"```python\n",  "```py\n",       "```\n",
                                          "~~~python\n",  "````python\n",  "```Python title=\"x\"\n",
                                          "``` python\n", "```{.python}\n"};
  const std::vector<std::string> before{"", "Here are the tests:\n\n", "# Tests\n\nSome prose with `code` in it.\n\n",
                                        "\n\n\n", "First:\n\n```bash\npip install pytest\n```\n\nThen:\n\n"};
  const std::vector<std::string> after{"", "\n", "\nRun them with `pytest`.\n", "\n```bash\npytest -q\n```\n",
                                       "\n```text\n1 passed\n```\nDone."};
  for (const auto& opening : openings)
    for (const auto& head : before)
      for (const auto& tail : after)
        for (const bool dos : {false, true}) {
          const auto marks = opening.substr(0, opening.find_first_not_of("`~"));
          const auto answer = head + opening + python_file + marks + "\n" + tail;
          const auto code = python(dos ? crlf(answer) : answer);
          ASSERT_TRUE(code) << answer << code.error().message;
          EXPECT_EQ(*code, python_file) << answer;
        }
}

TEST(answer, may_lack_its_closing_fence_or_all_fences) {
  EXPECT_EQ(python("```python\n" + python_file).value(), python_file);
  EXPECT_EQ(python("Sure.\n```python\n" + python_file.substr(0, python_file.size() - 1) + "```").value(), python_file);
  EXPECT_EQ(python(python_file).value(), python_file);
  EXPECT_EQ(python("\xEF\xBB\xBF" + python_file + "\n\n\n").value(), python_file);
  EXPECT_EQ(python("Here is the file you asked for.\n\n" + python_file).value(), python_file);
  EXPECT_EQ(python("Here is it:\n\n" + python_file + "\nThese tests cover the function (all of it).\n").value(),
            python_file);
  EXPECT_EQ(python(python_file + "```\n").value(), python_file);
  EXPECT_EQ(typescript("Here:\n" + es_file).value(), es_file);
}

TEST(answer, may_hold_fences_inside_strings) {
  const std::string code =
      "import markdown_tool\n\n\ndef test_keeps_fences():\n    text = \"\"\"\n```python\nx = "
      "1\n```\n\n```\nplain\n```\n\"\"\"\n"
      "    assert markdown_tool.run(text) == text\n";
  EXPECT_EQ(python("```python\n" + code + "```\n\nThat is all.\n").value(), code);
  const std::string script =
      "import { expect, test } from \"vitest\";\n\ntest(\"x\", () => {\n  const text = `\n\\`\\`\\`\n`;\n  const two = "
      "\"\\n\" + `\n~~~\n`;\n"
      "  expect(text).toBe(two);\n});\n";
  EXPECT_EQ(typescript("~~~ts\n" + script + "~~~\n").value(), script);
}

TEST(answer, may_stand_indented_in_a_list) {
  std::string indented = "1. The tests:\n\n   ```python\n";
  for (size_t at = 0; at < python_file.size();) {
    const auto end = python_file.find('\n', at) + 1;
    indented += (end - at > 1 ? "   " : "") + python_file.substr(at, end - at);
    at = end;
  }
  EXPECT_EQ(python(indented + "   ```\n").value(), python_file);
}

TEST(answer, gives_the_last_of_several_versions) {
  auto better = python_file;
  better.replace(better.find("== 0"), 4, "== 1");
  EXPECT_EQ(python("```python\n" + python_file + "```\nOn second thought:\n```python\n" + better + "```\n").value(),
            better);
}

TEST(answer, joins_the_pieces_of_one_file) {
  const std::string second =
      "from shop.cart import Cart\n\n\ndef test_a_new_cart_is_empty():\n    assert len(Cart()) == 0\n";
  const auto code = python("```python\n" + python_file + "```\nand\n```python\n" + second + "```\n").value();
  EXPECT_NE(code.find("from shop.cart import total, Cart"), std::string::npos) << code;
  EXPECT_NE(code.find("test_total_of_nothing_is_zero"), std::string::npos);
  EXPECT_NE(code.find("test_a_new_cart_is_empty"), std::string::npos);
}

TEST(answer, that_is_unusable_has_a_name) {
  EXPECT_EQ(python("").error().code, ec::empty_answer);
  EXPECT_EQ(python(" \r\n\t\n").error().code, ec::empty_answer);
  EXPECT_EQ(python("I am sorry, but I cannot help with that.").error().code, ec::no_code);
  EXPECT_EQ(python("```python\n```").error().code, ec::no_code);
  EXPECT_EQ(python("```python\nx = 1\n```").error().code, ec::no_code);
  EXPECT_EQ(python("```bash\npytest\n```").error().code, ec::no_code);
  const auto broken = python("```python\ndef test_x(:\n    assert\n```");
  EXPECT_EQ(broken.error().code, ec::broken_code);
  EXPECT_NE(broken.error().message.find("line 1"), std::string::npos) << broken.error().message;
  EXPECT_EQ(typescript("```ts\ntest(\"x\", () => { expect(1).toBe(1;\n```").error().code, ec::broken_code);
  EXPECT_EQ(python("```python\n" + python_file + "\ndef test_cut_off():\n    assert total([1, 2\n```").error().code,
            ec::broken_code);
  EXPECT_EQ(planning::handler().extract(planning::task_in("cobol", "x"), "```\n```").error().code, ec::config_invalid);
}

TEST(answer, in_another_language_is_no_test) {
  EXPECT_EQ(python("```js\ntest('x', () => { expect(1).toBe(1); });\n```").error().code, ec::no_code);
}

TEST(answer, in_python_is_a_test_if_a_runner_collects_something) {
  const auto outcome = [](const std::string& code) { return outcome_of("python", "test_cart.py", code); };
  for (const auto* code :
       {"def test_total(): pass", "async def test_total(): ...", "@pytest.mark.slow\ndef test_total(): pass",
        "if sys.version_info > (3, 9):\n    def test_total(): pass", "class TestCart:\n    def test_total(self): pass",
        "class CartCase(unittest.TestCase):\n    @skip\n    def test_total(self): pass",
        "class CartCase(IsolatedAsyncioTestCase):\n    async def test_total(self): pass",
        "class Base(TestCase):\n    x = 1\nclass Cart(Base):\n    def test_total(self): pass",
        "class TestCart:\n    class TestTotal:\n        def test_of_nothing(self): pass",
        "class Cart(TestCase):\n    def runTest(self): pass"})
    EXPECT_EQ(outcome(code), accepted) << code;
  for (const auto* code :
       {"# def test_total(): pass\nx = 1", "text = \"\"\"\ndef test_total():\n    pass\n\"\"\"",
        "def total():\n    \"\"\"\n    >>> total()\n    0\n    \"\"\"", "def outer():\n    def test_total(): pass",
        "class Cart:\n    def test_total(self): pass", "class TestCart:\n    def total(self): pass",
        "class Cart(TestCase):\n    pass", "class TestCart:\n    def f(self):\n        def test_total(): pass",
        "test_total()", "class Testing(Exception):\n    pass"})
    EXPECT_EQ(outcome(code), ec::no_code) << code;
  EXPECT_EQ(outcome("class TestCart:\n    def test_total(self:\n        pass"), ec::broken_code);
}

TEST(answer, in_a_script_is_a_test_if_it_calls_the_framework) {
  for (const std::string language : {"javascript", "typescript"}) {
    const auto outcome = [&language](const std::string& code) {
      return outcome_of(language, language == "javascript" ? "cart.test.js" : "cart.test.ts", code);
    };
    for (const auto* code :
         {"test('a', () => {});", "it('a', function () {});", "test('a');", "test.only('a', () => {});",
          "it.each([1, 2])('a %i', (n) => {});", "it.each`\na\n${1}\n`('a', () => {});",
          "test\n  .skip('a', () => {});", "describe.each([1])('a', () => {});", "suite('a', () => {});",
          "test.concurrent.only('a', async () => {});", "test.skipIf(slow)('a', () => {});",
          "describe('a', () => { for (const x of xs) it(x, () => {}); });",
          "import * as runner from 'node:test';\nrunner.test('a', () => {});",
          "import { test as check } from 'node:test';\ncheck('a', () => {});",
          "import check from 'node:test';\ncheck.only('a', () => {});",
          "const { it: check } = require('node:test');\ncheck('a', () => {});",
          "await setUp();\nawait t.test('a', async () => {});"})
      EXPECT_EQ(outcome(code), accepted) << code;
    for (const auto* code :
         {"const parts = 'a b'.split(' ');", "split(' ');", "// test('a', () => {});\nf();",
          "/* it('a', () => {}); */\nf();", "const code = \"test('a', () => {});\";", "const code = `it('a')`;",
          "if (/a/.test(b)) f();", "b.test(c);", "exit(1);", "submit(form);", "limit(test, it);", "const test = 1;",
          "describe('a', () => {});", "test.beforeEach(() => {});", "import { test } from 'vitest';",
          "await wait('a', () => {});", "a.unit.other(() => {});"})
      EXPECT_EQ(outcome(code), ec::no_code) << code;
    EXPECT_EQ(outcome("it.only('a', () => { f(1; });"), ec::broken_code);
    EXPECT_EQ(outcome("exit('a', () => { f(1; });"), ec::no_code);
  }
  EXPECT_EQ(outcome_of("typescript", "cart.test.ts", "it.each<Case>([one])('a', (x: Case) => {});"), accepted);
  EXPECT_EQ(outcome_of("typescript", "cart.test.tsx", "test('a', () => { render(<View />); });"), accepted);
}

TEST(answer, in_go_is_a_test_if_go_test_runs_something) {
  const auto outcome = [](const std::string& code) {
    return outcome_of("go", "cart_test.go", "package cart\n" + code);
  };
  for (const auto* code : {"func TestTotal(t *testing.T) {}", "func Test(t *testing.T) {}", "func Test_total(t *T) {}",
                           "func Test1(t *testing.T) {}", "func FuzzTotal(f *testing.F) {}"})
    EXPECT_EQ(outcome(code), accepted) << code;
  for (const auto* code : {"func TestMain(m *testing.M) {}", "func Testify(t *testing.T) {}", "func TestTotal() {}",
                           "func TestTotal(t *testing.T, n int) {}", "func TestTotal(t testing.T) {}",
                           "func FuzzTotal(t *testing.T) {}", "func BenchmarkTotal(b *testing.B) {}",
                           "func ExampleTotal() {\n\t// Output: 1\n}", "func (s *Suite) TestTotal(t *testing.T) {}",
                           "// func TestTotal(t *testing.T) {}", "const code = `func TestTotal(t *testing.T) {}`"})
    EXPECT_EQ(outcome(code), ec::no_code) << code;
  EXPECT_EQ(outcome("func TestTotal(t *testing.T) {"), ec::broken_code);
}

TEST(answer, with_snippets_before_its_test_is_found) {
  std::string answer;
  for (int i = 0; i < 20; ++i) answer += "```python\nx" + std::to_string(i) + " = 1\n```\nand\n";
  EXPECT_EQ(python(answer + "```python\n" + python_file + "```\n").value(), python_file);
}

/// Somebody's language, added by a folder, that does not say what a test is.
TEST(answer, in_a_language_without_shapes_of_tests_must_define_something) {
  const planning::project_on_disk config;
  planning::copy_config(config, "go");
  const auto file = config.root() / "languages" / "go" / "language.json";
  auto described = nlohmann::json::parse(read_file(file, 1U << 20).value());
  described["syntax"].erase("tests");
  config.write("languages/go/language.json", described.dump());
  const auto loaded = load_test_answer_handler(config.root());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto extract = [&](const std::string& code) {
    return (*loaded)->extract(planning::task_in("go", "cart_test.go"), "```go\n" + code + "\n```\n");
  };
  EXPECT_TRUE(extract("package cart\nfunc ExampleTotal() {}"));
  EXPECT_EQ(extract("package cart").error().code, ec::no_code);
}

TEST(answer, of_random_rubbish_is_never_accepted_and_never_crashes) {
  std::mt19937 random{11};
  const std::vector<std::string> bits{"```", "```python\n", "\n", "def test_", "(", "\"\"\"",  "'",
                                      "x",   "~~~",         "\r", "\xFF",      "{", "import ", std::string(1, '\0'),
                                      "    "};
  for (int round = 0; round < 3000; ++round) {
    std::string answer;
    for (auto count = random() % 40; count > 0; --count) answer += bits[random() % bits.size()];
    if (const auto code = python(answer)) {
      EXPECT_TRUE(languages::check_syntax(*planning::languages().by_id("python"), ".py", *code).ok);
      EXPECT_TRUE(languages::check_syntax(*planning::languages().by_id("python"), ".py", *code).holds_test);
    }
  }
}

/// A fuzzer's find: some hundred bytes in TSX on which the parser's recovery never ends, in several overlapping blocks.
TEST(answer, that_keeps_the_parser_busy_is_given_up_once_and_not_again_for_each_block) {
  const std::string tangle = "````_a()tpmio\nxr@sst { View } from \"../view\";\ntest(\"show" + std::string(14, '\r') +
                             "&[" + std::string(26, '\r') + "\n});\n```\n";
  const auto nuls = "```" + std::string(27, '\0');
  const auto answer = "````\n```````\n```\n```\n```\n" + nuls + "est.tsx\n````\n```````\n```\n```\n" + tangle;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(planning::handler().extract(planning::task_in("typescript", "view.test.tsx"), answer));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 8.0);
}

/// Hostile shapes of about a megabyte; the limit is generous, quadratic behaviour would take minutes.
/// CPU time of this thread: what else the machine does is not in it.
double cpu_seconds_for(const std::string& answer, const std::string& language = "python") {
  timespec begin{};
  timespec end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  static_cast<void>(planning::handler().extract(planning::task_in(language, "test_cart"), answer));
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return static_cast<double>(end.tv_sec - begin.tv_sec) + static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9;
}

TEST(answer, of_a_hostile_megabyte_costs_a_few_times_an_honest_one) {
  const auto repeated = [](const std::string& what, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += what;
    return text;
  };
  const size_t size = 1'000'000;
  const auto honest =
      cpu_seconds_for("```python\n" + repeated("def test_x():\n    assert f(1) == 2\n\n\n", size) + "```\n");
  for (const auto& answer :
       {repeated("```\n", 4 * 100'000), repeated("```python\n", size), repeated("```python\ndef test_x(:\n```\n", size),
        repeated("```python\ndef test_x(): pass\n```\n", size), repeated("`", size), repeated("import x\n", size),
        repeated("(", size), "```python\ndef test_x():\n" + repeated("    x = (\n```\n", size),
        repeated("    ```\ndef test\n```python\n", size), repeated("````python\ndef test_x(:\n```\n", size),
        "```python\n" + repeated("class Test(Test): x\n", size) + "```\n", repeated("```python\nx()\n```\n", size)})
    EXPECT_LT(cpu_seconds_for(answer), 25 * honest) << answer.substr(0, 40);
}

TEST(answer, of_a_hostile_megabyte_of_calls_costs_a_few_times_an_honest_one) {
  const auto repeated = [](const std::string& what, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += what;
    return text;
  };
  const size_t size = 1'000'000;
  const auto honest =
      cpu_seconds_for("```js\n" + repeated("test('x', () => { f(1); });\n", size) + "```\n", "javascript");
  for (const auto& code :
       {repeated("f()", 6) + repeated(".f()", size), "f" + repeated("()", 60'000), repeated("require('x');\n", size),
        repeated("a.test.test.test(b);\n", size), "import {" + repeated("test as a,", size) + "a as b} from 'x'",
        repeated("f(() => a.it(1), 2);\n", size)})
    EXPECT_LT(cpu_seconds_for("```js\n" + code + "\n```\n", "javascript"), 25 * honest) << code.substr(0, 40);
}

}  // namespace
}  // namespace cohort::answers
