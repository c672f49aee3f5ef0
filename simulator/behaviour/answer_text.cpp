// Writes answers in several forms of one test file, so that a client that extracts the code meets each form.

#include "simulator/behaviour/answer_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/api/message_request.hpp"

namespace cohort::simulator {

namespace {

constexpr std::string_view prose =
    "I looked at the unit. It is small, its behaviour is clear from the source, and I would begin with its edge "
    "cases before anything else. Tell me whether you would like me to write them down.";

/// Cuts the text at a character's start, to at most `bytes`.
void cut_to(std::string& text, size_t bytes) {
  if (text.size() <= bytes) return;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  text.resize(bytes);
}

std::string fenced(std::string_view info, std::string_view code) {
  // A fence longer than any inside the code keeps the block whole.
  std::string ticks = "```";
  while (code.find(ticks) != std::string_view::npos) ticks.push_back('`');
  return fmt::format("{0}{1}\n{2}{0}\n", ticks, info, code);
}

std::string padding(std::string_view comment, size_t bytes) {
  std::string lines{"\n"};
  while (lines.size() < bytes) lines.append(comment).append("Each of these lines only makes the answer longer.\n");
  return lines;
}

}  // namespace

std::string answer_author::text_for(std::string_view prompt, answer_form form, bool doubled) {
  if (form == answer_form::empty || form == answer_form::refusal) return {};
  if (form == answer_form::prose) return std::string{prose};
  const auto task = find_task(prompt);
  const framework_syntax* syntax = task ? tests_.words_for(*task) : nullptr;
  if (syntax == nullptr) return "This is a simulated answer.";
  std::string code = tests_.write(*task, *syntax);
  if (doubled) code += padding(syntax->comment, code.size());
  const std::string info = syntax->family == "javascript" && !task->language.empty() ? task->language : syntax->fence;
  switch (form) {
    case answer_form::bare: return code;
    case answer_form::chatty:
      return fmt::format(
          "Here is the test file. It covers what lacked tests:\n\n{}\nRun it with `{}`. "
          "Tell me if you want more cases!\n",
          fenced(info, code), task->framework);
    case answer_form::broken_code: return fenced(info, code + "\n}}} (unfinished [[[ \n");
    case answer_form::max_tokens:
    case answer_form::fenced:
    case answer_form::refusal:
    case answer_form::empty:
    case answer_form::prose: break;
  }
  return fenced(info, code);
}

answer answer_author::compose(std::string_view prompt, const drawn_faults& drawn, uint64_t max_tokens, bool doubled) {
  answer said;
  said.text = text_for(prompt, drawn.form, doubled);
  if (drawn.thinking) said.thinking = "The unit's symbols are listed. I check what holds for each of them.";
  if (drawn.form == answer_form::refusal) said.stop_reason = "refusal";
  if (drawn.form == answer_form::max_tokens) {
    cut_to(said.text, said.text.size() / 2);
    said.stop_reason = "max_tokens";
  }
  const uint64_t thought = tokens_of(said.thinking.size());
  uint64_t spoken = tokens_of(said.text.size());
  if (thought + spoken > max_tokens) {  // 5 bytes are 2 tokens
    const uint64_t left = max_tokens - std::min(thought, max_tokens);
    cut_to(said.text, left * 5 / 2);
    spoken = left;
    said.stop_reason = "max_tokens";
  }
  // An answer that stops at the limit has used that many tokens, whatever its text is.
  const bool exhausted = said.stop_reason == "max_tokens";
  said.output_tokens = exhausted ? max_tokens : std::max<uint64_t>(1, thought + spoken);
  return said;
}

}  // namespace cohort::simulator
