// Reads answers of the API, one a line, and prints what each costs in nano-dollars, or "unusable": the way that an
// answer takes in the program, from bytes to money. A line is: model, cache (none, 5m, 1h), content type and body, with
// tabs between them; a line break inside a body is written as U+001E.

#include <algorithm>
#include <iostream>
#include <string>

#include "claude/api/catalog.hpp"
#include "claude/api/settings.hpp"
#include "claude/api/wire.hpp"
#include "messages/price.hpp"

namespace cohort::claude {
namespace {

std::string take(std::string& line) {
  const auto end = std::min(line.find('\t'), line.size());
  auto field = line.substr(0, end);
  line.erase(0, end + 1);
  return field;
}

int price_all() {
  const auto prices = catalog::load(COHORT_SOURCE_DIR "/config/models.json");
  const auto settings = load_claude_settings(COHORT_SOURCE_DIR "/config/defaults.json");
  if (!prices || !settings) return 1;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto model = prices->find(take(line));
    if (!model) return 1;
    const auto cache = take(line);
    http_end end;
    end.sent_whole = true;
    end.head = {200, {{"content-type", take(line)}}};
    std::replace(line.begin(), line.end(), '\x1E', '\n');
    answer_reader reader{settings->wire, cache == "1h"   ? cache_mode::one_hour
                                         : cache == "5m" ? cache_mode::five_minutes
                                                         : cache_mode::none};
    (void)reader.feed(end.head, line);
    const auto answer = reader.finish(end, wall_time{0});
    if (answer && answer->usage.tier != service_tier::as_reserved)
      std::cout << cost_of(answer->usage, *model).count << '\n';
    else
      std::cout << "unusable\n";
  }
  return 0;
}

}  // namespace
}  // namespace cohort::claude

int main() { return cohort::claude::price_all(); }
