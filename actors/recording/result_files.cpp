// When files are written and synced. What goes into them is in target_parts.cpp, their names in result_writer.cpp.

#include "actors/recording/result_files.hpp"

#include <set>
#include <utility>

#include "base/files.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds sync_interval{1};

/// Files of which nothing, or not what we wrote, is left.
std::set<std::string> torn_files(const std::vector<state::delivered_file>& files) {
  std::set<std::string> torn;
  for (const auto& file : files) {
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(file.path, ignored))) continue;  // The user put it there.
    const auto present = read_file(file.path);
    const bool lost = present ? looks_torn(*present) : present.error().code == ec::not_found;
    if (lost && (!present || sha256(*present) != file.content)) torn.insert(file.path);
  }
  return torn;
}

}  // namespace

result_files::result_files(std::shared_ptr<state::ledger> ledger, context_ptr context, state::workspace workspace,
                           fs::path output, int64_t run)
    : ledger_(std::move(ledger)),
      context_(std::move(context)),
      workspace_(std::move(workspace)),
      output_(std::move(output)),
      run_(run),
      reader_(*ledger_, *context_->handler),
      writer_(*ledger_, *context_->handler, workspace_, output_) {}

result_files::~result_files() { await_sync(); }

expected<void> result_files::restore() {
  const auto files = ledger_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  for (const auto& path : torn_files(*files)) {
    const auto file = ledger_->result_at(path);
    if (!file) return tl::unexpected{file.error()};
    if (!*file) continue;
    log_warning("'{}' did not survive the last end; it is written again from its stored answer", path);
    const state::source_target whose{(*file)->source, (*file)->target};
    if (const auto done = write_again(*ledger_, *context_->handler, workspace_, whose, path); !done) {
      if (done.error().code != ec::permission_denied && done.error().code != ec::no_code)
        return tl::unexpected{done.error()};
      log_warning("'{}' is not written again: {}", path, done.error().message);
    }
  }
  return {};
}

expected<written_result> result_files::write(const task_spec& spec, const std::string& extracted) {
  const auto parts = reader_.with(spec, run_, extracted);
  if (!parts) return tl::unexpected{parts.error()};
  const auto* own = find_part(*parts, run_, spec.id);
  const auto share = share_of(*context_->handler, *parts, *own);
  if (own->own_file)
    log_info("'{}' has a test file of its own: {}", spec.label, context_->handler->why_not_mergeable(spec, extracted));
  return writer_.write({*parts, *own, share, {}, durability::later});
}

void result_files::keep_unusable(const attempt_failed& report) const {
  if (report.failure.code != ec::malformed_answer || report.failure.text.empty()) return;
  const auto file = workspace_.unusable_file(to_string(report.task), report.attempt);
  const auto project = folder::open(workspace_.project);
  const auto kept = project ? project->replace(path_below(workspace_.project, file), report.failure.text,
                                               durability::later, access::own)
                            : expected<void>{tl::unexpected{project.error()}};
  if (kept)
    log_info("what an unusable answer said is in '{}'", file.string());
  else
    log_warning("what an unusable answer said cannot be kept: {}", kept.error().message);
}

void result_files::begin_sync(std::function<void(expected<void>)> ended) {
  if (!syncing_.empty() || steady_clock::now() - sync_begun_ < sync_interval) return;
  auto files = ledger_->unsynced();
  if (!files || files->empty()) return;
  sync_begun_ = steady_clock::now();
  syncing_ = std::move(*files);
  await_sync();
  sync_ = std::thread{[folder = output_, ended = std::move(ended)] { ended(sync_file_system(folder)); }};
}

void result_files::await_sync() {
  if (sync_.joinable()) sync_.join();
}

std::vector<state::delivered_file> result_files::end_sync() { return std::exchange(syncing_, {}); }

expected<void> result_files::sync_now() {
  await_sync();
  const auto files = ledger_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  if (files->empty()) return {};
  auto done = sync_file_system(output_);
  if (!done && done.error().code == ec::not_found) {
    // The folder was deleted: what it held since the last sync is written again.
    if (auto restored = restore(); !restored) return restored;
    done = sync_file_system(output_);
  }
  if (!done) return done;
  return ledger_->mark_synced(*files);
}

}  // namespace cohort::actors
