// A second handle on the ledger of a run at work would take that run's file locks away when it closes: the present
// ledger comes from the caller, only archived ones are opened here.

#include "state/generated_files.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

/// Paths as they are delivered, relative to the project as a walk of its tree names them: past links in --tests-dir.
class inward_paths {
 public:
  explicit inward_paths(const workspace& workspace) : project_(workspace.project) {}

  void add(const std::vector<std::string>& delivered) {
    for (const auto& each : delivered) {
      const fs::path path{each};
      const auto relative = (real(path.parent_path()) / path.filename()).lexically_relative(project_);
      if (!relative.empty() && *relative.begin() != "..") paths_.insert(relative.generic_string());
    }
  }
  [[nodiscard]] std::unordered_set<std::string> take() { return std::move(paths_); }

 private:
  const fs::path& real(const fs::path& folder) {
    const auto known = real_.find(folder);
    if (known != real_.end()) return known->second;
    std::error_code failed;
    auto found = fs::weakly_canonical(folder, failed);
    return real_.emplace(folder, failed ? folder.lexically_normal() : std::move(found)).first->second;
  }

  const fs::path& project_;
  std::map<fs::path, fs::path> real_;
  std::unordered_set<std::string> paths_;
};

}  // namespace

expected<std::unordered_set<std::string>> generated_files(const workspace& workspace, const ledger* ledger) {
  inward_paths paths{workspace};
  if (ledger != nullptr) {
    const auto delivered = ledger->delivered_paths();
    if (!delivered) return tl::unexpected{delivered.error()};
    paths.add(*delivered);
  }
  for (const auto& file : archived_ledgers(workspace)) {
    const auto archived = ledger::open(file, workspace.project, ledger::access::read_only);
    const auto delivered =
        archived ? archived->delivered_paths() : expected<std::vector<std::string>>{tl::unexpected{archived.error()}};
    if (delivered)
      paths.add(*delivered);
    else
      log_warning("{}", delivered.error().message);
  }
  return paths.take();
}

expected<std::unordered_set<std::string>> generated_files(const workspace& workspace) {
  const auto ledger = open_ledger(workspace, ledger::access::read_only);
  if (!ledger && ledger.error().code != ec::state_missing) return tl::unexpected{ledger.error()};
  return generated_files(workspace, ledger ? &*ledger : nullptr);
}

}  // namespace cohort::state
