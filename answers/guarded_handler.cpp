// Marks each question while it is answered here. A question whose mark is left from a process that ended is answered by
// another process.

#include "answers/guarded_handler.hpp"

#include <charconv>

#include "answers/generated_tests.hpp"

namespace cohort::answers {

namespace {

constexpr const char* marks_file = "cache/reading";

handler_question question_of(handler_question::kind what, const task_spec& task, std::vector<std::string> texts) {
  return {what, task.label, task.target, task.traits, std::move(texts)};
}

/// The label is for people and not part of the question.
digest digest_of(const handler_question& question) {
  std::string all = std::to_string(static_cast<int>(question.what)) + '\n' + question.target + '\n';
  for (const auto& [key, value] : question.traits) all.append(key).append("=").append(value).append("\n");
  for (const auto& text : question.texts) all += to_hex(sha256(text));
  return sha256(all);
}

/// "3:add6:remove": any bytes.
std::string packed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all.append(std::to_string(name.size())).append(":").append(name);
  return all;
}

std::vector<std::string> unpacked(std::string_view all) {
  std::vector<std::string> names;
  while (!all.empty()) {
    size_t size = 0;
    const auto [end, failed] = std::from_chars(all.data(), all.data() + all.size(), size);
    const auto begin = static_cast<size_t>(end - all.data()) + 1;
    if (failed != std::errc{} || begin > all.size() || all.size() - begin < size) break;
    names.emplace_back(all.substr(begin, size));
    all.remove_prefix(begin + size);
  }
  return names;
}

}  // namespace

expected<std::string> answer_of(const answer_handler& handler, const handler_question& question) {
  task_spec task;
  task.label = question.label;
  task.target = question.target;
  task.traits = question.traits;
  const auto text = question.texts.empty() ? std::string{} : question.texts.front();
  switch (question.what) {
    case handler_question::kind::extract: return handler.extract(task, text);
    case handler_question::kind::why_not_mergeable: return handler.why_not_mergeable(task, text);
    case handler_question::kind::assemble: return handler.assemble(task, question.texts);
    case handler_question::kind::results: return packed(handler.results_in(task, text));
  }
  return std::string{};
}

expected<std::string> guarded_handler::put(const handler_question& question) const {
  const auto key = digest_of(question);
  if (!marks_->is_suspect(key)) {
    const answer_marks::mark reading{*marks_, key};
    return answer_of(*handler_, question);
  }
  auto found = ask_(question);
  if (found || found.error().code != ec::interrupted) marks_->acquit(key);
  return found;
}

expected<std::string> guarded_handler::extract(const task_spec& task, std::string_view answer) const {
  return put(question_of(handler_question::kind::extract, task, {std::string{answer}}));
}

std::string guarded_handler::why_not_mergeable(const task_spec& task, const std::string& extracted) const {
  auto why = put(question_of(handler_question::kind::why_not_mergeable, task, {extracted}));
  return why ? *why : "it cannot be told whether it can share a file";
}

expected<std::string> guarded_handler::assemble(const task_spec& any, const std::vector<std::string>& extracted) const {
  return put(question_of(handler_question::kind::assemble, any, extracted));
}

std::vector<std::string> guarded_handler::results_in(const task_spec& task, const std::string& content) const {
  const auto found = put(question_of(handler_question::kind::results, task, {content}));
  return found ? unpacked(*found) : std::vector<std::string>{};
}

expected<std::unique_ptr<answer_handler>> guard(std::unique_ptr<answer_handler> handler,
                                                const std::filesystem::path& folder) {
  const auto opened = folder::open(folder);
  if (!opened) return tl::unexpected{opened.error()};
  auto marks = answer_marks::open(*opened, marks_file);
  if (!marks) return tl::unexpected{marks.error()};
  return std::make_unique<guarded_handler>(std::move(handler), std::move(*marks), [](const handler_question& question) {
    return ask_elsewhere("/proc/self/exe", question);
  });
}

}  // namespace cohort::answers
