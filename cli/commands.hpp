// The commands of the program; each lives in a file of its own and adds itself to the command line.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace cohort::cli {

/// Set by the chosen command; called after parsing. Returns the exit code.
using command_action = std::function<int()>;

void add_generate_logical_batch(CLI::App& app, command_action& chosen);
void add_generate_logical(CLI::App& app, command_action& chosen);
void add_analyze_gaps(CLI::App& app, command_action& chosen);
void add_doctor(CLI::App& app, command_action& chosen);
void add_trust(CLI::App& app, command_action& chosen);
void add_verify(CLI::App& app, command_action& chosen);
void add_simulator(CLI::App& app, command_action& chosen);
void add_cluster(CLI::App& app, command_action& chosen);
void add_join(CLI::App& app, command_action& chosen);
void add_read_answer(CLI::App& app, command_action& chosen);

}  // namespace cohort::cli
