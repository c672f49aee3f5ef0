// Names are taken one after the other until one is free or ours. The ledger knows by digest what we wrote, and by task
// what a file holds.

#include "actors/recording/result_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::actors {

namespace fs = std::filesystem;

namespace {

constexpr uint32_t most_alternatives = 1000;
constexpr size_t longest_component = 255;
constexpr size_t longest_path = 4095;

/// Nobody loses anything if it is replaced.
bool holds_nothing(const std::string& content) { return content.find_first_not_of('\0') == std::string::npos; }

bool is_git_folder(std::string_view component) {
  return component.size() == 4 && component[0] == '.' && (component[1] | 0x20) == 'g' && (component[2] | 0x20) == 'i' &&
         (component[3] | 0x20) == 't';
}

/// Stored names may have been altered: only such a one is used that the planner could have made.
expected<void> check_name(const answer_handler& handler, const task_spec& task, const fs::path& name) {
  const auto refuse = [&](std::string_view why) {
    return fail(ec::permission_denied, fmt::format("'{}' is refused as the name of a result of '{}': {}",
                                                   printable(name.native(), 1000), printable(task.label), why));
  };
  if (!stays_below(name)) return refuse("it is no plain name below the folder");
  if (name.native().size() > longest_path) return refuse("it is too long");
  for (const auto& component : name) {
    if (component.native().size() > longest_component) return refuse("a part of it is too long");
    if (is_git_folder(component.native())) return refuse("it lies in a repository's own folder");
  }
  if (!handler.is_result_name(task, name.native())) return refuse("no such file is made of an answer");
  return {};
}

fs::path output_of(const state::workspace& workspace, const state::result_file& file) {
  const fs::path wanted{file.output_directory};
  return wanted.is_absolute() ? wanted : workspace.project / wanted;
}

expected<void> note(state::ledger& ledger, const written_result& done) {
  if (auto begun = ledger.begin(); !begun) return begun;
  auto stored = ledger.record(done.run, done.what);
  if (stored) stored = ledger.set_targets(done.with, done.what.path);
  if (stored) stored = ledger.commit();
  if (!stored) ledger.rollback();
  return stored;
}

/// The part that delivered the file last, or the newest one.
const target_part& last_of(const file_share& share, const state::result_file& file) {
  for (const auto* one : share.parts)
    if (one->where.run == file.run && one->where.task == file.task) return *one;
  return **std::max_element(share.parts.begin(), share.parts.end(),
                            [](const auto* a, const auto* b) { return a->where.run < b->where.run; });
}

}  // namespace

std::string part_ending(const task_spec& part) { return "part" + std::to_string(part.part); }

bool looks_torn(const std::string& content) noexcept {
  return content.empty() || content.find('\0') != std::string::npos;
}

/// The target, or for a part that has a file for itself a name that says which part it is; then the same with numbers.
expected<fs::path> result_writer::path_number(uint32_t n, const request& what) const {
  const auto& spec = what.whose.spec;
  if (n == 0) return what.first;
  const bool for_itself = spec.parts > 1 && what.share.parts.size() == 1 && what.whose.own_file;
  const auto name = for_itself ? part_ending(spec) : std::string{};
  const auto other = name + (n == 1 ? "" : (name.empty() ? "" : "_") + std::to_string(n));
  const fs::path relative{other.empty() ? spec.target : handler_.alternative_name(spec, other)};
  if (auto fine = check_name(handler_, spec, relative); !fine) return tl::unexpected{fine.error()};
  return output_ / relative;
}

/// What lies in `.claude-testing` is reached from the project, another folder from where the user has it.
expected<result_writer::found_target> result_writer::find(const fs::path& path, const task_spec& task) const {
  const auto in_state = !path_below(workspace_.root(), path).empty();
  const auto in_output = !path_below(output_, path).empty();
  const auto& root = in_state || !in_output ? workspace_.project : output_;
  auto name = path_below(root, path);
  if (auto fine = check_name(handler_, task, in_output ? path_below(output_, path) : name); !fine)
    return tl::unexpected{fine.error()};
  if (!in_state && in_output)
    if (const auto safe = state::result_path(workspace_, output_, path_below(output_, path).native()); !safe)
      return tl::unexpected{safe.error()};
  auto opened = root == workspace_.project ? folder::open(root) : folder::make(root);
  if (!opened) return tl::unexpected{opened.error()};
  return found_target{std::move(*opened), std::move(name)};
}

/// A file that was synced is as we or the user left it, also when it is empty.
bool result_writer::may_be_torn(const std::string& path) const {
  const auto files = ledger_.unsynced();
  return files && std::any_of(files->begin(), files->end(), [&](const auto& file) { return file.path == path; });
}

/// The power may also have been cut before the ledger heard of the file.
expected<result_writer::target_state> result_writer::try_at(const fs::path& path, const request& what) const {
  const auto at = find(path, what.whose.spec);
  if (!at) return tl::unexpected{at.error()};
  const auto ours = ledger_.result_at(path.string());
  if (!ours) return tl::unexpected{ours.error()};
  const auto& spec = what.whose.spec;
  if (*ours && ((*ours)->source != spec.source || (*ours)->target != spec.target)) return target_state::ours;
  for (const auto& one : what.all)
    if (one.stands_in(path.string()) && !what.share.has(one)) return target_state::ours;
  const auto present = at->root.read(at->name, what.share.content.size());
  if (present && *present == what.share.content) return target_state::written;
  const auto done =
      at->root.replace_if(at->name, what.share.content, what.when, access::usual, [&](const std::string& there) {
        if (!*ours) return holds_nothing(there);
        return sha256(there) == (*ours)->content || (looks_torn(there) && may_be_torn(path.string()));
      });
  if (!done) return tl::unexpected{done.error()};
  return *done ? target_state::written : target_state::foreign;
}

expected<written_result> result_writer::write(const request& what) const {
  const auto& own = what.whose.where;
  written_result result{own.run, {own.task, {}, sha256(what.share.content), false}, {}};
  for (uint32_t n = what.first.empty() ? 1 : 0; n <= most_alternatives; ++n) {
    const auto path = path_number(n, what);
    if (!path) return tl::unexpected{path.error()};
    if (n > 0 && *path == what.first) continue;
    const auto stands = try_at(*path, what);
    if (!stands) return tl::unexpected{stands.error()};
    result.what.conflict_copy = result.what.conflict_copy || *stands == target_state::foreign;
    if (*stands != target_state::written) continue;
    result.what.path = path->string();
    for (const auto* one : what.share.parts)
      if (one != &what.whose && one->where.state == task_state::delivered && one->where.path != result.what.path)
        result.with.push_back(one->where);
    return result;
  }
  return fail(ec::io, fmt::format("every name for '{}' is taken by files that are not ours",
                                  printable(what.whose.spec.target, 1000)));
}

expected<std::vector<std::string>> write_again(state::ledger& ledger, const answer_handler& handler,
                                               const state::workspace& workspace, const state::source_target& whose,
                                               const fs::path& path) {
  const auto file = ledger.result_at(path.string());
  if (!file) return tl::unexpected{file.error()};
  if (!*file) return fail(ec::not_found, "the ledger does not know it");
  auto parts = target_reader{ledger, handler}.delivered(whose);
  if (!parts) return tl::unexpected{parts.error()};
  auto shares = shares_at(handler, *parts, path.string());
  if (shares.empty())
    return fail(ec::no_code, fmt::format("no stored answer for '{}' is usable", printable(whose.target, 1000)));
  const result_writer writer{ledger, handler, workspace, output_of(workspace, **file)};
  std::vector<std::string> written;
  // What is merged comes first in the list and is written last: it keeps the place that the others have left.
  std::reverse(shares.begin(), shares.end());
  for (const auto& share : shares) {
    const auto& last = last_of(share, **file);
    auto done = writer.write({*parts, last, share, path, durability::now});
    if (!done) return tl::unexpected{done.error()};
    const bool in_place = done->what.path == path;
    if (in_place) done->what.conflict_copy = (*file)->conflict_copy;
    if (!in_place || done->what.content != (*file)->content || !last.stands_in(path.string()) || !done->with.empty())
      if (auto noted = note(ledger, *done); !noted) return tl::unexpected{noted.error()};
    for (auto& one : *parts)
      if (share.has(one)) one.where.path = done->what.path;
    written.push_back(std::move(done->what.path));
  }
  return written;
}

}  // namespace cohort::actors
