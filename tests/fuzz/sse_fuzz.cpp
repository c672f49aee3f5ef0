// Server-sent events from a hostile server.
// Claims: what is buffered is bounded, and how the bytes were cut on the way changes nothing.

#include <vector>

#include "claude/api/sse.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

namespace {

constexpr uint64_t limit = 512;

struct heard {
  std::vector<std::pair<std::string, std::string>> events;
  bool fits = true;
  friend bool operator==(const heard&, const heard&) = default;
};

heard listen(std::string_view text, size_t piece) {
  heard all;
  claude::sse_parser parser{limit};
  const auto take = [&](std::string_view name, std::string_view data) {
    holds(name.size() + data.size() <= 2 * limit, "an event is within the bound");
    all.events.emplace_back(name, data);
  };
  while (!text.empty() && all.fits) {
    const auto bytes = text.substr(0, piece);
    text.remove_prefix(bytes.size());
    all.fits = parser.feed(bytes, take);
    holds(parser.buffered() <= limit + bytes.size(), "what is buffered is bounded");
  }
  parser.finish(take);
  return all;
}

}  // namespace

void run(std::string_view input) {
  if (input.empty()) return;
  const auto whole = listen(input, input.size());
  const auto single = listen(input, 1);
  holds(whole.fits == single.fits, "cutting does not change whether a stream is refused");
  if (whole.fits) holds(whole == single, "cutting does not change the events");
  const auto pieces = listen(input, 1 + hash_of(input) % 50);
  if (whole.fits) holds(whole == pieces, "cutting does not change the events");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
