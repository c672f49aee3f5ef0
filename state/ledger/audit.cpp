// Conditions of delivered files.

#include "state/ledger/audit.hpp"

#include <cerrno>

#include <sys/stat.h>

#include "base/files.hpp"

namespace cohort::state {

std::string_view name(disagreement kind) noexcept {
  switch (kind) {
    case disagreement::altered: return "altered";
    case disagreement::money: return "money";
    case disagreement::state: return "state";
    case disagreement::missing: return "missing";
    case disagreement::edited: return "edited";
    case disagreement::unreadable: return "unreadable";
    case disagreement::incomplete: return "incomplete";
    case disagreement::view: return "view";
    case disagreement::archive: return "archive";
  }
  return "unknown";
}

bool is_missing(const std::string& path) noexcept {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

file_condition condition_of(const std::string& path, const digest& content) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0)
    return errno == ENOENT || errno == ENOTDIR ? file_condition::missing : file_condition::unreadable;
  if (S_ISLNK(facts.st_mode)) return file_condition::edited;
  if (!S_ISREG(facts.st_mode)) return file_condition::unreadable;
  const auto present = read_file(path);
  if (!present) return file_condition::unreadable;
  return sha256(*present) == content ? file_condition::intact : file_condition::edited;
}

}  // namespace cohort::state
