// Keeps the languages that were loaded for the process's folder of configuration.

#include "app/loaded_languages.hpp"

#include <mutex>
#include <optional>

#include "answers/generated_tests.hpp"
#include "answers/guarded_handler.hpp"
#include "base/files.hpp"

namespace cohort::app {

expected<loaded_languages> shared_languages() {
  static std::mutex guard;
  static std::filesystem::path loaded_from;
  static std::optional<loaded_languages> loaded;
  const std::lock_guard lock{guard};
  const auto folder = config_directory();
  if (loaded && loaded_from == folder) return *loaded;
  auto languages = languages::load_languages(folder);
  if (!languages) return tl::unexpected{languages.error()};
  auto texts = languages::load_prompt_texts(folder, *languages);
  if (!texts) return tl::unexpected{texts.error()};
  loaded = {std::make_shared<const languages::language_set>(std::move(*languages)),
            std::make_shared<const languages::prompt_texts>(std::move(*texts))};
  loaded_from = folder;
  return *loaded;
}

expected<std::unique_ptr<answer_handler>> plain_handler() {
  const auto known = shared_languages();
  if (!known) return tl::unexpected{known.error()};
  auto handler = answers::make_test_answer_handler(known->languages, known->texts);
  if (!handler) return tl::unexpected{handler.error()};
  return std::move(*handler);
}

expected<std::unique_ptr<answer_handler>> guarded_handler_for(const state::workspace& workspace) {
  auto handler = plain_handler();
  if (!handler) return tl::unexpected{handler.error()};
  return answers::guard(std::move(*handler), workspace.root());
}

}  // namespace cohort::app
