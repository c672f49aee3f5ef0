// A text that ended the process before is read by another one, and a good answer survives any end.

#include "answers/guarded_handler.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "answers/generated_tests.hpp"
#include "tests/planning/planning_fixture.hpp"
#include "tests/planning/prompt_fixture.hpp"

namespace cohort::answers {
namespace {

using testing::HasSubstr;

const std::string good = "def test_a():\n    assert True\n";

struct guarded_handler_test : planning::fixture::project_test {
  std::vector<handler_question> asked;
  expected<std::string> elsewhere = std::string{"from elsewhere"};

  [[nodiscard]] std::unique_ptr<answer_marks> marks() const {
    return std::move(answer_marks::open(*folder::open(root), "cache/reading").value());
  }
  [[nodiscard]] std::unique_ptr<guarded_handler> opened() {
    return std::make_unique<guarded_handler>(std::move(load_test_answer_handler(planning::fixture::config_dir).value()),
                                             marks(), [this](const handler_question& question) {
                                               asked.push_back(question);
                                               return elsewhere;
                                             });
  }
  /// As if the process had ended while it read.
  void leave_mark(const std::string& content) const { write("cache/reading", content); }
  [[nodiscard]] std::string marked() const { return *read_file(root / "cache" / "reading"); }

  /// What stands in the file while `text` is read.
  [[nodiscard]] std::string mark_of(const std::string& text) const {
    struct looking : answer_handler {
      explicit looking(std::filesystem::path at) : file(std::move(at)) {}
      std::filesystem::path file;
      expected<std::string> extract(const task_spec&, std::string_view) const override { return read_file(file); }
      std::string why_not_mergeable(const task_spec&, const std::string&) const override { return {}; }
      expected<std::string> assemble(const task_spec&, const std::vector<std::string>&) const override { return {}; }
      std::string alternative_name(const task_spec&, const std::string&) const override { return {}; }
      bool is_result_name(const task_spec&, const std::string&) const override { return true; }
      std::vector<std::string> results_in(const task_spec&, const std::string&) const override { return {}; }
    };
    const guarded_handler handler{std::make_unique<looking>(root / "cache" / "reading"), marks(), {}};
    return handler.extract(planning::task_in("python", "test_a.py"), text).value();
  }
  [[nodiscard]] std::filesystem::path script(const std::string& text) const {
    const auto path = root / "reader";
    std::ofstream{path} << "#!/bin/sh\n" << text << '\n';
    ::chmod(path.c_str(), 0700);
    return path;
  }
};

TEST_F(guarded_handler_test, reads_here_and_leaves_no_mark) {
  const auto handler = opened();
  EXPECT_EQ(handler->extract(planning::task_in("python", "test_a.py"), good).value(), good);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(marked().find_first_not_of(" \n"), std::string::npos);
  EXPECT_THAT(mark_of(good), testing::SizeIs(65));
}

TEST_F(guarded_handler_test, has_a_marked_text_read_elsewhere_once) {
  leave_mark(mark_of(good));
  const auto handler = opened();
  EXPECT_EQ(handler->extract(planning::task_in("python", "test_a.py"), good + "\n").value(), good)
      << "another text is read here";
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(handler->extract(planning::task_in("python", "test_a.py"), good).value(), "from elsewhere");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked.front().texts.front(), good);
  EXPECT_EQ(handler->extract(planning::task_in("python", "test_a.py"), good).value(), good) << "it is acquitted";
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(guarded_handler_test, keeps_the_mark_until_something_is_found_out) {
  leave_mark(mark_of(good));
  elsewhere = fail(ec::interrupted, "no process");
  EXPECT_EQ(opened()->extract(planning::task_in("python", "test_a.py"), good).error().code, ec::interrupted);
  elsewhere = fail(ec::answer_too_costly, "it died");
  EXPECT_EQ(opened()->extract(planning::task_in("python", "test_a.py"), good).error().code, ec::answer_too_costly);
  EXPECT_EQ(asked.size(), 2u);
  EXPECT_EQ(opened()->extract(planning::task_in("python", "test_a.py"), good).value(), good);
}

TEST_F(guarded_handler_test, bears_any_content_of_the_file) {
  for (const auto& content :
       {std::string(1'000'000, 'f'), std::string(5'000, '\0'), std::string{"\n\n\n"}, std::string(64, 'a')}) {
    leave_mark(content);
    EXPECT_EQ(opened()->extract(planning::task_in("python", "test_a.py"), good).value(), good);
    std::filesystem::remove(root / "cache" / "reading");
  }
  std::filesystem::create_symlink("/etc/passwd", root / "cache" / "reading");
  EXPECT_FALSE(answer_marks::open(*folder::open(root), "cache/reading").has_value());
}

TEST_F(guarded_handler_test, tells_an_answer_that_ends_its_reader_from_a_reader_that_was_ended) {
  const handler_question question{
      handler_question::kind::extract, "a.py", "test_a.py", {{"language", "python"}}, {good}};
  EXPECT_EQ(ask_elsewhere(script("cat >/dev/null; printf '1:02:ok'"), question).value(), "ok");
  const auto crashed = ask_elsewhere(script("kill -SEGV $$"), question);
  EXPECT_EQ(crashed.error().code, ec::answer_too_costly);
  EXPECT_THAT(crashed.error().message, HasSubstr("signal 11"));
  const auto once = script("test -e \"$0.seen\" && printf '1:02:ok' && exit; : > \"$0.seen\"; kill -9 $$");
  EXPECT_EQ(ask_elsewhere(once, question).value(), "ok") << "a kill says nothing about the answer";
  EXPECT_EQ(ask_elsewhere(script("kill -9 $$"), question).error().code, ec::answer_too_costly);
  for (const auto* failing : {"exit 1", "exit 0", "printf '3:1040:x'", "printf '99999999999:x'"})
    EXPECT_EQ(ask_elsewhere(script(failing), question).error().code, ec::interrupted) << failing;
  EXPECT_EQ(ask_elsewhere(root / "missing", question).error().code, ec::interrupted);
}

}  // namespace
}  // namespace cohort::answers
