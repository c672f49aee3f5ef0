// What the tests of prompts, tasks and answers share: the real config, and a project on disk.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "answers/generated_tests.hpp"
#include "base/files.hpp"
#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/parser.hpp"
#include "planning/prompts/task_planner.hpp"
#include "planning/sizing/planning_defaults.hpp"

namespace cohort::planning {

inline std::filesystem::path config_folder() { return std::filesystem::path{COHORT_SOURCE_DIR} / "config"; }

inline const languages::language_set& languages() {
  static const auto loaded = languages::load_languages(config_folder()).value();
  return loaded;
}

inline const languages::prompt_texts& texts() {
  static const auto loaded = languages::load_prompt_texts(config_folder(), languages()).value();
  return loaded;
}

inline const answers::test_answer_handler& handler() {
  static const auto loaded = answers::load_test_answer_handler(config_folder()).value();
  return *loaded;
}

inline task_spec task_in(const std::string& language, const std::string& target) {
  task_spec task;
  task.target = target;
  task.traits["language"] = language;
  return task;
}

inline model_info cheap_model() {
  model_info model;
  model.id = "model-of-the-tests";
  model.context_tokens = 1'000'000;
  model.max_output_tokens = 128'000;
  price_card card;
  card.input = {2'000'000};
  card.output = {10'000'000};
  card.cache_write_5m = {2'500'000};
  card.cache_write_1h = {4'000'000};
  card.cache_read = {100'000};
  model.cards = {card};
  return model;
}

/// A project below the system's temporary folder; removed at the end.
class project_on_disk {
 public:
  project_on_disk() {
    static int count = 0;
    root_ = std::filesystem::temp_directory_path() /
            ("cohort-prompts-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(root_);
  }
  project_on_disk(const project_on_disk&) = delete;
  project_on_disk& operator=(const project_on_disk&) = delete;
  ~project_on_disk() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

  void write(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(replace_file(root_ / path, text, durability::later));
  }

  /// Writes and parses.
  languages::source_file add(const std::string& path, const std::string& text) const {
    write(path, text);
    const auto* lang = languages().by_path(path);
    if (lang == nullptr) throw std::runtime_error("no language for " + path);
    auto file = languages::parse_source(*lang, path, text).value();
    file.content = sha256(text);
    return file;
  }

 private:
  std::filesystem::path root_;
};

inline std::vector<languages::symbol> public_symbols(const languages::source_file& file) {
  std::vector<languages::symbol> result;
  for (const auto& one : file.symbols)
    if (one.is_public) result.push_back(one);
  return result;
}

/// The real prompts and one real language, to be changed.
inline void copy_config(const project_on_disk& to, const std::string& language) {
  std::filesystem::create_directories(to.root() / "languages");
  for (const auto& folder : {std::string{"prompts"}, "languages/" + language})
    std::filesystem::copy(config_folder() / folder, to.root() / folder, std::filesystem::copy_options::recursive);
}

}  // namespace cohort::planning
