// Reads the settings of this room. Every field is required and has a range; the first wrong one is named.

#include "claude/api/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.hpp"
#include "claude/api/json.hpp"

namespace cohort::claude {

namespace {

constexpr uint64_t longest_ms = 24ULL * 3600 * 1000;
constexpr uint64_t most_bytes = 1ULL << 31;
constexpr uint32_t settings_depth = 32;

struct range {
  uint64_t least;
  uint64_t most;
};

/// Reads fields until one is wrong and keeps the first complaint.
class settings_reader {
 public:
  explicit settings_reader(const nlohmann::json& root) : root_(root) {}

  uint64_t integer(const char* group, const char* key, range allowed) {
    const auto& value = member(member(root_, group), key);
    if (!value.is_number_integer() || (value.is_number_integer() && value < 0)) {
      complain(group, key, "has to be a whole number that is not negative");
      return allowed.least;
    }
    const auto number = value.get<uint64_t>();
    if (number < allowed.least || number > allowed.most)
      complain(group, key, fmt::format("has to lie between {} and {}", allowed.least, allowed.most));
    return number;
  }
  uint32_t small(const char* group, const char* key, range allowed) {
    return static_cast<uint32_t>(integer(group, key, allowed));
  }
  milliseconds time(const char* group, const char* key, uint64_t least = 1) {
    return milliseconds{static_cast<int64_t>(integer(group, key, {least, longest_ms}))};
  }
  std::string text(const char* group, const char* key) {
    auto value = text_at(member(root_, group), key);
    if (value.empty()) complain(group, key, "has to be a string that is not empty");
    return value;
  }
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

 private:
  void complain(const char* group, const char* key, std::string_view what) {
    if (complaint_.empty()) complaint_ = fmt::format("claude.{}.{} {}", group, key, what);
  }
  const nlohmann::json& root_;
  std::string complaint_;
};

claude_settings read_all(settings_reader& read) {
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
  auto text = read_file(file, 1 << 20);
  if (!text) return tl::unexpected(text.error());
  const auto root = parse_json(*text, settings_depth);
  if (!root) return fail(ec::config_invalid, fmt::format("{} is not valid JSON. Correct it.", file.string()));
  settings_reader read{member(*root, "claude")};
  auto settings = read_all(read);
  if (!read.complaint().empty())
    return fail(ec::config_invalid, fmt::format("{}: {}. Correct the file.", file.string(), read.complaint()));
  return settings;
}

expected<claude_settings> load_claude_settings() { return load_claude_settings(config_directory() / "defaults.json"); }

}  // namespace cohort::claude
