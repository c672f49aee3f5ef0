// Reads the key "claude" of config/defaults.json. Every field is required and has a range.

#include "claude/api/settings.hpp"

#include <algorithm>

#include "base/config_reader.hpp"
#include "base/files.hpp"

namespace cohort::claude {

namespace {

constexpr uint64_t longest_ms = 24ULL * 3600 * 1000;
constexpr uint64_t most_bytes = 1ULL << 31;
struct range {
  uint64_t least;
  uint64_t most;
};

/// The fields of the object "claude" by group. Each must be there.
class settings_groups {
 public:
  explicit settings_groups(config_reader root) : root_(std::move(root)) {}

  uint64_t integer(const char* group, const char* key, range allowed) const {
    return root_.at(group).number(key, allowed.least, allowed.most);
  }
  uint32_t small(const char* group, const char* key, range allowed) const {
    return static_cast<uint32_t>(integer(group, key, allowed));
  }
  milliseconds time(const char* group, const char* key, uint64_t least = 1) const {
    return milliseconds{static_cast<int64_t>(integer(group, key, {least, longest_ms}))};
  }
  std::string text(const char* group, const char* key) const { return root_.at(group).filled_text(key); }

 private:
  config_reader root_;
};

claude_settings read_all(const settings_groups& read) {
  claude_settings s;
  s.base_url = read.text("endpoint", "base_url");
  s.api_version = read.text("endpoint", "api_version");
  s.wire = {read.small("wire", "stream_above_max_tokens", {1, 1'000'000}),
            read.integer("wire", "request_bytes", {1024, most_bytes}),
            read.integer("wire", "answer_bytes", {1024, most_bytes}),
            read.integer("wire", "answer_floor_bytes", {1024, most_bytes}),
            read.integer("wire", "answer_bytes_per_token", {8, 65'536}),
            read.integer("wire", "error_bytes", {1024, most_bytes}),
            read.integer("wire", "header_bytes", {1024, most_bytes}),
            read.small("wire", "header_lines", {16, 1'000'000}),
            read.small("wire", "json_depth", {8, 1000}),
            read.small("wire", "json_values", {1000, 10'000'000}),
            read.small("wire", "content_blocks", {16, 1'000'000}),
            read.integer("wire", "tokens_in_one_answer", {1, 1'000'000'000'000})};
  s.transport = {read.time("transport", "connect_timeout_ms"), read.small("transport", "connections", {1, 1'000'000}),
                 read.time("transport", "idle_connection_ms"),
                 read.integer("transport", "buffered_bytes", {1024, 1ULL << 40}),
                 read.time("transport", "stream_grace_ms")};
  s.retry = {read.small("retry", "attempts", {1, 1000}), read.time("retry", "first_delay_ms"),
             read.time("retry", "longest_delay_ms"), read.small("retry", "jitter_percent", {0, 100}),
             read.time("retry", "longest_elapsed_ms")};
  s.rate_limit = {read.time("rate_limit", "window_ms"),
                  read.small("rate_limit", "refill_percent", {1, 100}),
                  read.small("rate_limit", "headroom_percent", {0, 50}),
                  read.small("rate_limit", "first_in_flight", {1, 1'000'000}),
                  read.time("rate_limit", "pace_ms"),
                  read.small("rate_limit", "heard_in_flight", {1, 1'000'000}),
                  read.time("rate_limit", "double_every_ms"),
                  read.time("rate_limit", "idle_ms"),
                  read.time("rate_limit", "pause_without_wish_ms"),
                  read.small("rate_limit", "pause_jitter_percent", {0, 100})};
  s.breaker = {read.small("breaker", "failures_to_open", {1, 1'000'000}), read.time("breaker", "first_open_ms"),
               read.time("breaker", "longest_open_ms")};
  return s;
}

}  // namespace

wire_settings bounds_for(const wire_settings& all, uint32_t max_tokens) noexcept {
  auto bounds = all;
  bounds.answer_bytes = std::min(all.answer_bytes, all.answer_floor_bytes + max_tokens * all.answer_bytes_per_token);
  return bounds;
}

expected<claude_settings> load_claude_settings(const std::filesystem::path& file) {
  const auto document = config_document::load(file);
  if (!document) return tl::unexpected(document.error());
  auto settings = read_all(settings_groups{document->group("claude")});
  if (auto fine = document->finish(); !fine) return tl::unexpected(fine.error());
  return settings;
}

expected<claude_settings> load_claude_settings() { return load_claude_settings(config_directory() / "defaults.json"); }

}  // namespace cohort::claude
