// Names are taken one after the other until one is free or ours. The ledger knows by digest what we wrote.

#include "actors/result_files.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "actors/stored_result.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

namespace cohort {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds sync_interval{1};
constexpr uint32_t most_alternatives = 1000;

/// What a power cut leaves of a file that was renamed but not synced.
bool looks_torn(const std::string& content) { return content.empty() || content.find('\0') != std::string::npos; }

/// Nobody loses anything if it is replaced.
bool holds_nothing(const std::string& content) { return content.find_first_not_of('\0') == std::string::npos; }

/// Files of which nothing, or not what we wrote, is left; by task.
std::unordered_map<task_id, std::string> torn_files(const std::vector<delivered_file>& files) {
  std::unordered_map<task_id, std::string> torn;
  for (const auto& file : files) {
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(file.path, ignored))) continue;  // The user put it there.
    const auto present = read_file(file.path);
    const bool lost = present ? looks_torn(*present) : present.error().code == ec::not_found;
    if (lost && (!present || sha256(*present) != file.content)) torn.emplace(file.task, file.path);
  }
  return torn;
}

}  // namespace

result_files::result_files(std::shared_ptr<ledger> book, context_ptr context, workspace place, fs::path output,
                           int64_t run)
    : book_(std::move(book)),
      context_(std::move(context)),
      place_(std::move(place)),
      output_(std::move(output)),
      run_(run) {}

result_files::~result_files() { await_sync(); }

expected<void> result_files::restore() {
  const auto files = book_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  auto torn = torn_files(*files);
  if (torn.empty()) return {};
  std::vector<task_spec> specs;
  auto visited = book_->for_each_task(run_, [&](const task_record& task) {
    if (torn.contains(task.spec.id)) specs.push_back(task.spec);
  });
  if (!visited) return visited;
  for (const auto& spec : specs) {
    auto content = content_from_answers(*book_, *context_->craft, run_, spec.target, spec.id);
    if (!content) return tl::unexpected{content.error()};
    const auto& path = torn[spec.id];
    if (auto inside = known_path(place_, output_, path); !inside) {
      log_warning("'{}' was lost and is not written again: {}", path, inside.error().message);
      continue;
    }
    log_warning("'{}' did not survive the last end; it is written again from its stored answer", path);
    if (auto written = replace_file_if(path, *content, durability::now, looks_torn); !written)
      return tl::unexpected{written.error()};
  }
  return {};
}

expected<std::string> result_files::merged(const task_spec& spec, const std::string& extracted) const {
  const auto& craft = *context_->craft;
  auto siblings = book_->answered_parts(run_, spec.target);
  if (!siblings) return tl::unexpected{siblings.error()};
  std::vector<std::string> parts;
  for (const auto& sibling : *siblings) {
    if (sibling.spec.id == spec.id) {
      parts.push_back(extracted);
      continue;
    }
    // A sibling whose answer is not usable has its own outcome; one that stands alone has its own file.
    auto usable = usable_text(craft, sibling);
    if (usable && craft.why_alone(sibling.spec, *usable).empty()) parts.push_back(std::move(*usable));
  }
  return craft.assemble(spec, parts);
}

/// A file that was synced is as we or the user left it, also when it is empty.
bool result_files::may_be_torn(const std::string& path) const {
  const auto files = book_->unsynced();
  return files && std::any_of(files->begin(), files->end(), [&](const auto& file) { return file.path == path; });
}

/// False if something stands there that is not what we wrote, nor what a power cut left of it. The cut may also have
/// come before the ledger heard of the file.
expected<bool> result_files::put(const fs::path& path, const std::string& content) const {
  const auto ours = book_->delivered_content(path.string());
  if (!ours) return tl::unexpected{ours.error()};
  return replace_file_if(path, content, durability::later, [&](const std::string& present) {
    if (!*ours) return holds_nothing(present);
    return sha256(present) == **ours || (looks_torn(present) && may_be_torn(path.string()));
  });
}

expected<delivery> result_files::write(const task_spec& spec, const std::string& extracted) {
  const auto& craft = *context_->craft;
  const auto why = spec.parts > 1 ? craft.why_alone(spec, extracted) : std::string{};
  if (!why.empty()) log_info("'{}' has a test file of its own: {}", spec.label, why);
  auto content = spec.parts > 1 && why.empty() ? merged(spec, extracted) : expected<std::string>{extracted};
  if (!content) return tl::unexpected{content.error()};
  const auto name = why.empty() ? std::string{} : part_ending(spec);
  delivery written{spec.id, {}, sha256(*content), false};
  for (uint32_t n = 1; n <= most_alternatives; ++n) {
    const auto other = name + (n == 1 ? "" : (name.empty() ? "" : "_") + std::to_string(n));
    const auto relative = other.empty() ? spec.target : craft.other_name(spec, other);
    auto path = result_path(place_, output_, relative);
    if (!path) return tl::unexpected{path.error()};
    written.path = path->string();
    written.beside = n > 1;
    if (const auto present = read_file(*path); present && sha256(*present) == written.content) return written;
    const auto done = put(*path, *content);
    if (!done) return tl::unexpected{done.error()};
    if (*done) return written;
  }
  return fail(ec::io, "every name for '" + spec.target + "' is taken by files that are not ours");
}

void result_files::keep_unusable(const attempt_failed& report) const {
  if (report.failure.code != ec::malformed_answer || report.failure.text.empty()) return;
  const auto file = place_.unusable_file(to_string(report.task), report.attempt);
  auto kept = result_path(place_, place_.root(), file.lexically_relative(place_.root()).native());
  if (kept) {
    if (auto written = replace_file(file, report.failure.text, durability::later); !written)
      kept = tl::unexpected{written.error()};
  }
  if (kept)
    log_info("what an unusable answer said is in '{}'", file.string());
  else
    log_warning("what an unusable answer said cannot be kept: {}", kept.error().message);
}

void result_files::begin_sync(std::function<void(expected<void>)> ended) {
  if (!syncing_.empty() || steady_clock::now() - sync_begun_ < sync_interval) return;
  auto files = book_->unsynced();
  if (!files || files->empty()) return;
  sync_begun_ = steady_clock::now();
  syncing_ = std::move(*files);
  await_sync();
  sync_ = std::thread{[folder = output_, ended = std::move(ended)] { ended(sync_file_system(folder)); }};
}

void result_files::await_sync() {
  if (sync_.joinable()) sync_.join();
}

std::vector<delivered_file> result_files::end_sync() { return std::exchange(syncing_, {}); }

expected<void> result_files::sync_now() {
  await_sync();
  const auto files = book_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  if (files->empty()) return {};
  auto done = sync_file_system(output_);
  if (!done && done.error().code == ec::not_found) {
    // The folder was deleted: what it held since the last sync is written again.
    if (auto restored = restore(); !restored) return restored;
    done = sync_file_system(output_);
  }
  if (!done) return done;
  return book_->mark_synced(*files);
}

}  // namespace cohort
