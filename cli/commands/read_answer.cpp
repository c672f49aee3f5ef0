// `cohort read-answer`: for the program itself. Reads one answer that may have ended a process before, within bounds.

#include <CLI/CLI.hpp>

#include "answers/guarded_handler.hpp"
#include "app/loaded_languages.hpp"
#include "cli/commands.hpp"

namespace cohort::cli {

void add_read_answer(CLI::App& app, command_action& chosen) {
  auto* command = app.add_subcommand("read-answer", "For the program itself")->group("");
  command->callback(
      [&chosen] { chosen = [] { return answers::answer_question([] { return app::plain_handler(); }); }; });
}

}  // namespace cohort::cli
