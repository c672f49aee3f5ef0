// The fields and their meaning are the specification's; the order is that of its example.

#include "state/batch_state_file.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/signing_key.hpp"
#include "base/text.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

constexpr int64_t view_version = 1;
constexpr int deepest = 16;
constexpr double most_dollars = 1e9;

json config_of(const run_settings& settings) {
  json config{{"batchSize", settings.batch_size},
              {"model", settings.model},
              {"maxConcurrent", settings.concurrent},
              {"timeout", settings.timeout.count()},
              {"minComplexity", settings.min_complexity}};
  if (!settings.fallback.empty()) config["fallbackModel"] = settings.fallback;
  if (settings.cost_limit) config["costLimit"] = as_dollars(*settings.cost_limit);
  return config;
}

json view_of(const run_record& run) {
  const auto tasks = run.tasks();
  json view{{"batchId", run.batch_id},
            {"projectPath", run.project},
            {"totalTasks", tasks.total()},
            {"completedBatches", run.completed_batches()},
            {"totalBatches", run.batches.size()},
            {"completedTasks", tasks.final()},
            {"failedTasks", tasks.failed},
            {"totalEstimatedCost", as_dollars(run.estimate().expected)},
            {"actualCostSoFar", as_dollars(run.spent().confirmed)},
            {"startTime", to_iso8601(run.started)},
            {"lastUpdate", to_iso8601(run.updated)},
            {"nextBatchIndex", run.next_batch()},
            {"config", config_of(run.settings)},
            {"schemaVersion", view_version},
            {"status", name(run.status)}};
  // Beyond the specification, and only where it tells something: another model stood in for the plan's.
  if (run.fell_back())
    for (const auto& [model, share] : run.by_model) view["answersByModel"][model] = share.answers;
  return view;
}

/// Reads fields of one JSON object and remembers the first complaint.
class fields {
 public:
  fields(const json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  /// A whole number in [least, most]; `otherwise` if the field is missing and may be.
  int64_t whole(const char* key, int64_t least, int64_t most, std::optional<int64_t> otherwise = {}) {
    const auto* value = find(key, otherwise.has_value());
    if (value == nullptr) return otherwise.value_or(0);
    const double number = value->is_number() ? value->get<double>() : std::nan("");
    if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || number != std::floor(number))
      return complain(key, fmt::format("must be a whole number from {} to {}", least, most)), 0;
    return static_cast<int64_t>(number);
  }

  /// An amount in dollars, rounded up to the nano-dollar.
  std::optional<nano_dollars> dollars(const char* key, bool optional) {
    const auto* value = find(key, optional);
    if (value == nullptr) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() : std::nan("");
    if (!(number >= 0 && number <= most_dollars))
      return complain(key, "must be an amount of dollars from 0 to one billion"), std::nullopt;
    return nano_dollars{static_cast<int64_t>(std::ceil(number * 1e9 - 1e-3))};
  }

  std::string text(const char* key, const std::string& otherwise) {
    const auto* value = find(key, true);
    if (value == nullptr) return otherwise;
    auto content = value->is_string() ? value->get<std::string>() : std::string{};
    if (content.empty() || content.size() > 200 || printable(content) != content)
      return complain(key, "must be a short text"), otherwise;
    return content;
  }

  wall_time time(const char* key) {
    const auto* value = find(key, false);
    if (value == nullptr) return {};
    const auto read = parse_iso8601(value->is_string() ? value->get<std::string>() : std::string{});
    if (!read) return complain(key, "must be a time such as 2025-06-30T12:00:00.000Z"), wall_time{};
    return *read;
  }

  void complain(const char* key, const std::string& what) {
    if (complaint_.empty()) complaint_ = fmt::format("field '{}{}' {}", prefix_, key, what);
  }
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

 private:
  const json* find(const char* key, bool optional) {
    const auto at = object_.find(key);
    if (at != object_.end() && !(optional && at->is_null())) return &*at;
    if (!optional) complain(key, "is missing");
    return nullptr;
  }

  const json& object_;
  std::string prefix_;
  std::string complaint_;
};

error unusable(const fs::path& file, std::string_view what) {
  return {ec::state_corrupt,
          fmt::format(
              "'{}' is not a usable state file: {}. Remove it, or run `cohort generate-logical-batch PROJECT --clean`",
              printable(file.string(), 1000), what)};
}

constexpr int64_t most_count = 100'000'000;

run_settings read_config(fields& config) {
  run_settings settings;
  settings.batch_size = static_cast<uint32_t>(config.whole("batchSize", 0, 50, settings.batch_size));
  settings.model = config.text("model", settings.model);
  settings.concurrent = static_cast<uint32_t>(config.whole("maxConcurrent", 0, 100'000, settings.concurrent));
  settings.timeout = milliseconds{config.whole("timeout", 1, 7LL * 24 * 3600 * 1000, settings.timeout.count())};
  settings.min_complexity = static_cast<uint32_t>(config.whole("minComplexity", 0, 10, settings.min_complexity));
  settings.cost_limit = config.dollars("costLimit", true);
  return settings;
}

/// Follows no link at the end of the path.
expected<std::string> read_plain_file(const fs::path& file) {
  const auto parent = folder::open(file.parent_path());
  if (!parent) return tl::unexpected{parent.error()};
  return parent->read(file.filename(), 1 << 20);
}

expected<json> parse_batch_state(const fs::path& file) {
  auto text = read_plain_file(file);
  if (!text && text.error().code == ec::not_found)
    return fail(ec::state_missing, fmt::format("there is no state file '{}'", printable(file.string(), 1000)));
  if (!text && text.error().code == ec::file_too_large) return tl::unexpected{unusable(file, "it is far too large")};
  if (!text) return tl::unexpected{text.error()};
  // What is nested deeper than any view is left out: comparing and copying values takes a stack frame a level.
  auto parsed = json::parse(
      *text, [](int depth, json::parse_event_t, const json&) { return depth < deepest; }, false);
  if (parsed.is_discarded()) return tl::unexpected{unusable(file, "it is no JSON (cut off while it was written?)")};
  if (!parsed.is_object()) return tl::unexpected{unusable(file, "it is no JSON object")};
  return parsed;
}

}  // namespace

namespace {

std::string text_of(const json& view) { return view.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

std::string signature_of(const json& unsigned_view, const signing_key& key) {
  return to_hex(key.for_purpose("batch-state").sign(text_of(unsigned_view)));
}

/// True if `view` holds the signature of this user over everything else.
bool is_signed(json view) {
  const auto key = signing_key::load();
  const auto found = view.find("signature");
  if (!key || !*key || found == view.end() || !found->is_string()) return false;
  const auto stated = digest_from_hex(found->get<std::string>());
  view.erase("signature");
  return same_signature(stated, digest_from_hex(signature_of(view, **key)));
}

}  // namespace

std::string render_batch_state(const run_record& run) { return text_of(view_of(run)); }

expected<void> write_batch_state(const workspace& workspace, const run_record& run, durability when) {
  const auto key = signing_key::load_or_make();
  if (!key) return tl::unexpected{key.error()};
  auto view = view_of(run);
  view["signature"] = signature_of(view, *key);
  const auto state = open_state(workspace);
  if (!state) return tl::unexpected{state.error()};
  return state->replace("batch-state.json", text_of(view), when);
}

expected<void> sign_batch_state(const workspace& workspace) {
  if (auto sane = read_batch_state(workspace.batch_state_path()); !sane) return tl::unexpected{sane.error()};
  auto view = parse_batch_state(workspace.batch_state_path());
  if (!view) return tl::unexpected{view.error()};
  const auto key = signing_key::load_or_make();
  if (!key) return tl::unexpected{key.error()};
  view->erase("signature");
  (*view)["signature"] = signature_of(*view, *key);
  const auto state = open_state(workspace);
  if (!state) return tl::unexpected{state.error()};
  return state->replace("batch-state.json", text_of(*view), durability::now);
}

expected<imported_batch_state> read_batch_state(const fs::path& file) {
  const auto parsed = parse_batch_state(file);
  if (!parsed) return tl::unexpected{parsed.error()};
  fields top{*parsed, ""};
  if (const auto version = top.whole("schemaVersion", 0, INT32_MAX, 0); version > view_version)
    return fail(ec::state_newer,
                fmt::format("'{}' has schemaVersion {}, this program knows up to {}; use the newer program",
                            printable(file.string(), 1000), version, view_version));
  imported_batch_state view;
  view.total_tasks = static_cast<uint32_t>(top.whole("totalTasks", 0, most_count));
  view.completed_tasks = static_cast<uint32_t>(top.whole("completedTasks", 0, view.total_tasks));
  (void)top.whole("failedTasks", 0, view.total_tasks, 0);
  const auto batches = top.whole("totalBatches", 0, most_count, most_count);
  (void)top.whole("completedBatches", 0, batches, 0);
  (void)top.whole("nextBatchIndex", 0, batches, 0);
  (void)top.dollars("totalEstimatedCost", true);
  view.spent = top.dollars("actualCostSoFar", false).value_or(nano_dollars{});
  view.started = top.time("startTime");
  const auto config = parsed->find("config");
  if (config == parsed->end() || !config->is_object()) top.complain("config", "must be an object");
  if (!top.complaint().empty()) return tl::unexpected{unusable(file, top.complaint())};
  fields settings{*config, "config."};
  view.settings = read_config(settings);
  view.ours = parsed->contains("schemaVersion");
  view.is_signed = is_signed(*parsed);
  if (!settings.complaint().empty()) return tl::unexpected{unusable(file, settings.complaint())};
  return view;
}

namespace {

/// Compares field by field what both have; `prefix` names the object.
void compare(const json& there, const json& here, const std::string& prefix, std::vector<std::string>& differences) {
  for (const auto& [key, value] : here.items()) {
    const auto field = prefix + key;
    const auto found = there.find(key);
    if (found == there.end()) {
      differences.push_back(fmt::format("'{}' is missing", field));
    } else if (value.is_object() && found->is_object()) {
      compare(*found, value, field + ".", differences);
    } else if (nlohmann::json(*found) != nlohmann::json(value)) {
      const auto text = found->dump(-1, ' ', true, json::error_handler_t::replace);
      differences.push_back(fmt::format("'{}' is {}, the ledger says {}", field, printable(text, 200), value.dump()));
    }
  }
  for (const auto& [key, value] : there.items())
    if (!here.contains(key)) differences.push_back(fmt::format("'{}' is not known", prefix + printable(key, 100)));
}

}  // namespace

std::vector<std::string> batch_state_differences(const fs::path& file, const run_record& run) {
  auto there = parse_batch_state(file);
  if (!there) return {there.error().message};
  const auto signed_by = *there;
  auto here = json::parse(render_batch_state(run), nullptr, false);
  for (const auto* time : {"startTime", "lastUpdate", "signature"}) {
    there->erase(time);
    here.erase(time);
  }
  std::vector<std::string> differences;
  compare(*there, here, "", differences);
  if (differences.empty() && !is_signed(signed_by)) differences.push_back("its signature is missing or does not hold");
  return differences;
}

bool batch_state_agrees(const fs::path& file, const run_record& run) {
  return batch_state_differences(file, run).empty();
}

}  // namespace cohort::state
