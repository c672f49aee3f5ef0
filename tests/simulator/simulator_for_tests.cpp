// A simulator as a process: prints its port and serves until its standard input ends.
// Arguments: group.key=value overrides of the scenario, and bill=FILE.

#include <cstdio>
#include <string_view>

#include "simulator/server/simulator.hpp"

int main(int argc, char** argv) {
  cohort::simulator::simulator_options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("bill=")) {
      options.bill = word.substr(5);
    } else if (auto done = cohort::simulator::override_scenario(options.rules, word); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      return 2;
    }
  }
  auto server = cohort::simulator::simulator::start(options);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  std::printf("%u\n", unsigned{(*server)->port()});
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
