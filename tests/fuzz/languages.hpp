// The languages and texts of config/, loaded once for a fuzzer.
#pragma once

#include "base/files.hpp"
#include "languages/conventions/prompt_texts.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

struct known_languages {
  languages::language_set languages;
  languages::prompt_texts texts;

  /// By the extension of a target; Python if it has none that is known.
  [[nodiscard]] const languages::language& of(std::string_view target) const {
    const auto* found = languages.by_path(target);
    return found != nullptr ? *found : *languages.by_id("python");
  }
};

inline const known_languages& all_languages() {
  static const auto* loaded = [] {
    auto languages = languages::load_languages(config_directory());
    holds(languages.has_value() && compile_locals(*languages).has_value(), "the languages can be loaded");
    auto texts = load_prompt_texts(config_directory(), *languages);
    holds(texts.has_value(), "the prompts can be loaded");
    return new known_languages{std::move(*languages), std::move(*texts)};
  }();
  return *loaded;
}

}  // namespace cohort::fuzz
