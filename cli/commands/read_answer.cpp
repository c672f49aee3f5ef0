// `cohort read-answer`: for the program itself. Reads one answer that may have ended a process before, within bounds.

#include <CLI/CLI.hpp>

#include "answers/generated_tests.hpp"
#include "answers/guarded_handler.hpp"
#include "base/files.hpp"
#include "cli/commands.hpp"

namespace cohort::cli {

void add_read_answer(CLI::App& app, command_action& chosen) {
  auto* command = app.add_subcommand("read-answer", "For the program itself")->group("");
  command->callback([&chosen] {
    chosen = [] {
      return answers::answer_question([]() -> expected<std::unique_ptr<answer_handler>> {
        auto handler = answers::load_test_answer_handler(config_directory());
        if (!handler) return tl::unexpected{handler.error()};
        return std::move(*handler);
      });
    };
  });
}

}  // namespace cohort::cli
