// Languages and prompt texts of config/, loaded once a process: planning and validating answers share them.
#pragma once

#include <memory>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/grammars/language.hpp"
#include "messages/task.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

struct loaded_languages {
  std::shared_ptr<const languages::language_set> languages;
  std::shared_ptr<const languages::prompt_texts> texts;
};

/// From `config_directory()`. Thread-safe. `ec::config_invalid` names the file; a failure is not remembered.
[[nodiscard]] expected<loaded_languages> shared_languages();

/// Reads answers to this project's tasks; those that ended a process before are read by another one. The caller holds
/// the project's lock.
[[nodiscard]] expected<std::unique_ptr<answer_handler>> guarded_handler_for(const state::workspace& workspace);

/// The same without the guard, for texts that were read before.
[[nodiscard]] expected<std::unique_ptr<answer_handler>> plain_handler();

}  // namespace cohort::app
