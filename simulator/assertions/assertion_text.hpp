// Writes a test file for a task: assertions that are certain to hold for its symbols, in the framework's syntax. The
// syntax is data (`config/simulator/frameworks/*.json`); which assertions are certain is decided by language.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "simulator/assertions/prompt_task.hpp"

namespace cohort::simulator {

/// The syntax of one framework. In each text `{{key}}` is replaced; `{{NAME}}` for each of `names`, and `{{NAME as}}`
/// where the name is imported ("test", "test as test_").
struct framework_syntax {
  std::string family;         ///< "python", "javascript" or "go": whose rules decide what holds.
  std::string fence;          ///< Info string of the code fence, unless the task's language can be used.
  std::string comment;        ///< Start of a line comment.
  std::string head;           ///< Before the checks; {{import}}, {{path}}, {{package_clause}}
  std::string head_commonjs;  ///< Instead of `head` if the import is by `require`; may be empty.
  std::map<std::string, std::string, std::less<>> checks;  ///< By kind; {{ref}}, {{name}}, {{detail}}
  std::vector<std::string> names;                          ///< What the file binds in addition to the unit's symbols.
  std::string renamed;  ///< The name that one of them gets if the unit has a symbol of that name; {{name}}
  std::vector<std::string> collected;  ///< How a name begins that the framework takes for a test if it is imported.
  std::string hide;                    ///< Makes `_NAME` of such a symbol; {{name}}
  std::string foot;
};

/// An assertion that holds when the test runs. It is left out if the framework has no text for its kind.
struct sure_check {
  std::string_view kind;  ///< exists, function, coroutine, parameters, class, method, static_method, loads
  std::string ref;        ///< The expression that names the symbol.
  std::string name;       ///< The symbol, in a form for the name of a test.
  std::string detail;     ///< Parameter list or count, method.
};

[[nodiscard]] std::vector<sure_check> python_checks(const prompt_task& task);
[[nodiscard]] std::vector<sure_check> javascript_checks(const prompt_task& task);
[[nodiscard]] std::vector<sure_check> go_checks(const prompt_task& task);

/// The package clause that the test file needs; empty if the task's import text brings one.
[[nodiscard]] std::string go_package_clause(const prompt_task& task);

/// The task's import text as Go accepts it in a file that names nothing of the package.
[[nodiscard]] std::string go_unused_import(const prompt_task& task);

class test_text {
 public:
  /// Reads every `*.json` in `folder`; `id` in it is the framework as tasks name it.
  [[nodiscard]] static expected<test_text> load(const std::filesystem::path& folder);

  /// The syntax of the task's framework, or null if the framework is unknown.
  [[nodiscard]] const framework_syntax* words_for(const prompt_task& task) const noexcept;

  /// The whole test file.
  [[nodiscard]] std::string write(const prompt_task& task, const framework_syntax& syntax) const;

 private:
  std::map<std::string, framework_syntax, std::less<>> frameworks_;
};

}  // namespace cohort::simulator
