// Decides where a source's test goes: a path that mirrors the source tree, under a name that the framework collects.
// Names depend only on the project's files, never on which of them lack tests, so that names are stable.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/source.hpp"

namespace cohort::planning {

/// A source that wants a test file.
struct target_request {
  const languages::source_file* source = nullptr;
  std::string framework;
};

/// Target by source path; relative to the tests' directory, '/' separators.
using target_map = std::map<std::string, std::string>;

/// Names for all sources at once. Where two would clash (in one folder; for frameworks that want unique names, such as
/// pytest with its default import mode, anywhere), all that clash get their extension or parent folders into their
/// names until they differ, at last a digest of their path. Names that differ only in case clash. `existing_tests` are
/// the project's own: if names must be unique, their file names are not used again. Sources whose language has no
/// prompt.json get no target.
[[nodiscard]] target_map name_targets(std::span<const target_request> requests,
                                      std::span<const std::string> existing_tests,
                                      const languages::prompt_texts& texts);

}  // namespace cohort::planning
