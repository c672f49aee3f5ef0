#include "planning/answer.hpp"

#include <chrono>
#include <ctime>
#include <random>

#include "base/text.hpp"
#include "prompt_fixture.hpp"

namespace cohort {
namespace {

const std::string python_file =
    "import pytest\nfrom shop.cart import total\n\n\ndef test_total_of_nothing_is_zero():\n    assert total([]) == 0\n";
const std::string es_file =
    "import { expect, test } from \"vitest\";\nimport { total } from \"../src/cart\";\n\ntest(\"is zero\", () => {\n  "
    "expect(total([])).toBe(0);\n});\n";

expected<std::string> python(std::string_view answer) {
  return craft().extract(task_in("python", "test_cart.py"), answer);
}
expected<std::string> typescript(std::string_view answer) {
  return craft().extract(task_in("typescript", "cart.test.ts"), answer);
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
  EXPECT_EQ(craft().extract(task_in("cobol", "x"), "```\n```").error().code, ec::config_invalid);
}

TEST(answer, in_another_language_is_no_test) {
  EXPECT_EQ(python("```js\ntest('x', () => { expect(1).toBe(1); });\n```").error().code, ec::no_code);
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
      EXPECT_TRUE(check_syntax(*languages().by_id("python"), ".py", *code).ok);
      EXPECT_NE(code->find("def test"), std::string::npos);
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
  EXPECT_FALSE(craft().extract(task_in("typescript", "view.test.tsx"), answer));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 8.0);
}

/// Hostile shapes of about a megabyte; the limit is generous, quadratic behaviour would take minutes.
/// CPU time of this thread: what else the machine does is not in it.
double cpu_seconds_for(const std::string& answer) {
  timespec begin{};
  timespec end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  static_cast<void>(python(answer));
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
        repeated("    ```\ndef test\n```python\n", size), repeated("````python\ndef test_x(:\n```\n", size)})
    EXPECT_LT(cpu_seconds_for(answer), 25 * honest) << answer.substr(0, 40);
}

}  // namespace
}  // namespace cohort
