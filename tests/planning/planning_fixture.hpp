// A throw-away project folder and the real languages of config/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/files.hpp"
#include "languages/grammars/language.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::planning::fixture {

inline const std::filesystem::path config_dir = std::filesystem::path{COHORT_SOURCE_DIR} / "config";

inline const languages::language_set& languages() {
  static const auto loaded = languages::load_languages(config_dir);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *loaded;
}

inline const discovery_rules& rules() {
  static const auto loaded = load_discovery_rules(config_dir);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *loaded;
}

/// Sound files of all languages, and the same cut off and with a piece taken out.
inline std::vector<std::string> sound_and_broken_texts() {
  std::vector<std::string> all;
  const auto shop = std::filesystem::path{COHORT_SOURCE_DIR} / "examples" / "bookshop";
  for (const auto& entry : std::filesystem::recursive_directory_iterator{shop}) {
    if (!entry.is_regular_file() || entry.file_size() > 1'500) continue;
    const auto text = *read_file(entry.path());
    all.push_back(text);
    all.push_back(text.substr(0, text.size() / 2));
    all.push_back(text.substr(0, text.size() / 3) + text.substr(text.size() * 2 / 5));
  }
  return all;
}

class project_test : public ::testing::Test {
 protected:
  void SetUp() override {
    root = std::filesystem::temp_directory_path() / ("cohort-planning-" + random_hex(8));
    std::filesystem::create_directories(root);
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }
  void write(const std::string& path, std::string_view text) const {
    ASSERT_TRUE(replace_file(root / path, text, durability::later).has_value()) << path;
  }
  [[nodiscard]] project_survey look(survey_options options = {}) const {
    auto found = survey(root, options, rules(), languages());
    if (!found) throw std::runtime_error(found.error().message);
    return std::move(*found);
  }
  /// "path: a b" for each gap, with the names of the untested symbols.
  [[nodiscard]] static std::vector<std::string> gaps_of(const project_survey& found) {
    std::vector<std::string> lines;
    for (const auto& gap : found.gaps) {
      std::string line = found.files[gap.file].path + ":";
      for (const auto index : gap.untested) line += " " + found.files[gap.file].symbols[index].name;
      lines.push_back(line);
    }
    return lines;
  }
  static survey_options any_complexity() {
    survey_options options;
    options.min_complexity = 1;
    return options;
  }

  std::filesystem::path root;
};

}  // namespace cohort::planning::fixture
