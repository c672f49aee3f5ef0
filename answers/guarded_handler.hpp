// A craft that survives what it reads: answers that may have ended a process before are read by another one.
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

/// One question to a craft, as it is put to another process.
struct craft_question {
  enum class kind : uint8_t { extract, why_alone, assemble, results };
  kind what = kind::extract;
  std::string label;
  std::string target;
  std::map<std::string, std::string> traits;
  std::vector<std::string> texts;  ///< The answer, or the extracted parts.
};

/// Puts the question to `craft`.
[[nodiscard]] expected<std::string> answer_of(const task_craft& craft, const craft_question& question);

/// Has the question answered by a process of its own: `program read-answer`, with bounds on time and memory. An answer
/// that ends that process fails with `ec::answer_too_costly`. `ec::interrupted` if nothing was found out: the process
/// could not be started. Blocks until the process has ended.
[[nodiscard]] expected<std::string> ask_elsewhere(const std::filesystem::path& program, const craft_question& question);

/// The other process: answers the question on stdin to stdout. Returns the exit code.
[[nodiscard]] int answer_question(const std::function<expected<std::unique_ptr<task_craft>>()>& load);

/// Any thread.
class guarded_craft : public task_craft {
 public:
  using elsewhere = std::function<expected<std::string>(const craft_question&)>;

  guarded_craft(std::unique_ptr<task_craft> craft, std::unique_ptr<answer_marks> marks, elsewhere ask)
      : craft_(std::move(craft)), marks_(std::move(marks)), ask_(std::move(ask)) {}

  [[nodiscard]] expected<std::string> extract(const task_spec& task, std::string_view answer) const override;
  [[nodiscard]] std::string why_alone(const task_spec& task, const std::string& extracted) const override;
  [[nodiscard]] expected<std::string> assemble(const task_spec& any,
                                               const std::vector<std::string>& extracted) const override;
  [[nodiscard]] std::string other_name(const task_spec& task, const std::string& ending) const override {
    return craft_->other_name(task, ending);
  }
  [[nodiscard]] bool is_result_name(const task_spec& task, const std::string& name) const override {
    return craft_->is_result_name(task, name);
  }
  [[nodiscard]] std::vector<std::string> results_in(const task_spec& task, const std::string& content) const override;

 private:
  [[nodiscard]] expected<std::string> put(const craft_question& question) const;

  std::unique_ptr<task_craft> craft_;
  std::unique_ptr<answer_marks> marks_;
  elsewhere ask_;
};

/// The craft of tests with `config_dir`, guarded by marks in the folder `place`. The caller holds the project's lock.
[[nodiscard]] expected<std::unique_ptr<task_craft>> load_guarded_craft(const std::filesystem::path& config_dir,
                                                                       const std::filesystem::path& place);

}  // namespace cohort::answers
