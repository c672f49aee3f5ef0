// Most files are what their answers make now, byte for byte. In others, which another version of the program may have
// put together, results are counted by name.

#include "actors/recording/lacking_files.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "actors/recording/target_parts.hpp"
#include "base/files.hpp"

namespace cohort::actors {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t largest_result = 64 << 20;

/// The content, or nothing if there is none that could be compared: other findings tell of that.
std::optional<std::string> present_content(const std::string& path) {
  std::error_code failed;
  if (!fs::is_regular_file(fs::symlink_status(path, failed))) return std::nullopt;
  auto content = read_file(path, largest_result);
  return content ? std::optional{std::move(*content)} : std::nullopt;
}

/// Those of the shares' results of which `present` has fewer.
std::vector<std::string> lacking_in(const answer_handler& handler, const std::vector<file_share>& shares,
                                    const std::string& present) {
  const auto& spec = shares.front().parts.front()->spec;
  std::multiset<std::string> wanted;
  for (const auto& share : shares)
    for (auto& name : handler.results_in(spec, share.content)) wanted.insert(std::move(name));
  std::multiset<std::string> there;
  for (auto& name : handler.results_in(spec, present)) there.insert(std::move(name));
  std::vector<std::string> lacking;
  std::set_difference(wanted.begin(), wanted.end(), there.begin(), there.end(), std::back_inserter(lacking));
  return lacking;
}

expected<std::vector<std::string>> look_at(const state::ledger& ledger, const answer_handler& handler,
                                           const part_list& parts, const std::string& path) {
  const auto present = present_content(path);
  const auto shares = present ? shares_at(handler, parts, path) : std::vector<file_share>{};
  if (shares.empty()) return std::vector<std::string>{};
  if (shares.size() == 1) {
    const auto file = ledger.result_at(path);
    if (!file) return tl::unexpected{file.error()};
    const auto whole = sha256(shares.front().content);
    if (*present == shares.front().content || (*file && (*file)->content == whole)) return std::vector<std::string>{};
  }
  return lacking_in(handler, shares, *present);
}

}  // namespace

expected<std::vector<lacking_file>> find_lacking_files(const state::ledger& ledger, const answer_handler& handler) {
  const auto targets = ledger.targets_of_several_tasks();
  if (!targets) return tl::unexpected{targets.error()};
  std::vector<lacking_file> found;
  for (const auto& whose : *targets) {
    const auto parts = target_reader{ledger, handler}.delivered(whose);
    if (!parts) return tl::unexpected{parts.error()};
    std::set<std::string> paths;
    for (const auto& one : *parts)
      if (one.counts) paths.insert(one.where.path);
    for (const auto& path : paths) {
      auto lacking = look_at(ledger, handler, *parts, path);
      if (!lacking) return tl::unexpected{lacking.error()};
      if (!lacking->empty()) found.push_back({whose, path, std::move(*lacking)});
    }
  }
  return found;
}

bool is_left_behind(const state::ledger& ledger, const std::string& path) {
  const auto file = ledger.result_at(path);
  if (!file || !*file) return false;
  const auto tasks = ledger.tasks_for({(*file)->source, (*file)->target});
  return tasks && std::none_of(tasks->begin(), tasks->end(), [&](const auto& one) { return one.path == path; });
}

}  // namespace cohort::actors
