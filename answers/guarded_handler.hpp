// Protects the program from answers that end it: an answer that may have ended a process before is read by another
// process.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "answers/answer_marks.hpp"
#include "base/folder.hpp"
#include "messages/task.hpp"

namespace cohort::answers {

/// One question to an answer handler, in the form in which another process gets it.
struct handler_question {
  enum class kind : uint8_t { extract, why_not_mergeable, assemble, results };
  kind what = kind::extract;
  std::string label;
  std::string target;
  std::map<std::string, std::string> traits;
  std::vector<std::string> texts;  ///< The answer, or the extracted parts.
};

/// Has `handler` answer the question.
[[nodiscard]] expected<std::string> answer_of(const answer_handler& handler, const handler_question& question);

/// Has the question answered by a process of its own: `program read-answer`, with bounds on time and memory. If the
/// text ends that process, the result is `ec::answer_too_costly`. If the process could not be started, the result is
/// `ec::interrupted`, and nothing is known about the text. Blocks until the process has ended.
[[nodiscard]] expected<std::string> ask_elsewhere(const std::filesystem::path& program,
                                                  const handler_question& question);

/// Runs in the other process: reads the question from stdin, answers it to stdout. Returns the exit code.
[[nodiscard]] int answer_question(const std::function<expected<std::unique_ptr<answer_handler>>()>& load);

/// May be called by any thread.
class guarded_handler : public answer_handler {
 public:
  using elsewhere = std::function<expected<std::string>(const handler_question&)>;

  guarded_handler(std::unique_ptr<answer_handler> handler, std::unique_ptr<answer_marks> marks, elsewhere ask)
      : handler_(std::move(handler)), marks_(std::move(marks)), ask_(std::move(ask)) {}

  [[nodiscard]] expected<std::string> extract(const task_spec& task, std::string_view answer) const override;
  [[nodiscard]] std::string why_not_mergeable(const task_spec& task, const std::string& extracted) const override;
  [[nodiscard]] expected<std::string> assemble(const task_spec& any,
                                               const std::vector<std::string>& extracted) const override;
  [[nodiscard]] std::string alternative_name(const task_spec& task, const std::string& ending) const override {
    return handler_->alternative_name(task, ending);
  }
  [[nodiscard]] bool is_result_name(const task_spec& task, const std::string& name) const override {
    return handler_->is_result_name(task, name);
  }
  [[nodiscard]] std::vector<std::string> results_in(const task_spec& task, const std::string& content) const override;

 private:
  [[nodiscard]] expected<std::string> put(const handler_question& question) const;

  std::unique_ptr<answer_handler> handler_;
  std::unique_ptr<answer_marks> marks_;
  elsewhere ask_;
};

/// `handler`, guarded by marks in `folder`. The caller holds the project's lock.
[[nodiscard]] expected<std::unique_ptr<answer_handler>> guard(std::unique_ptr<answer_handler> handler,
                                                              const std::filesystem::path& folder);

}  // namespace cohort::answers
