// Decides what is certain about JavaScript and TypeScript symbols at run time: types are gone by then, transpilers may
// rewrite defaults and async functions, and wrapped functions have another length.

#include <algorithm>

#include <fmt/format.h>

#include "simulator/assertions/assertion_text.hpp"

namespace cohort::simulator {

namespace {

std::string_view without_leading_space(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  return start == npos ? std::string_view{} : text.substr(start);
}

/// True if the word before `at` is `function` or `function*`.
bool after_function(std::string_view source, size_t at) {
  std::string_view before = source.substr(0, at);
  while (!before.empty() && (before.back() == ' ' || before.back() == '*')) before.remove_suffix(1);
  return before.ends_with("function");
}

/// True if the name is bound to a function expression or an arrow: `name = (`, `name = async`, `name = function`.
bool bound_to_function(std::string_view after_name) {
  std::string_view rest = without_leading_space(after_name);
  if (!rest.starts_with('=')) return false;
  rest = without_leading_space(rest.substr(1));
  if (rest.starts_with("async")) rest = without_leading_space(rest.substr(5));
  return rest.starts_with("function") || rest.starts_with('(');
}

/// True if the source defines the name exactly once, as a function that nothing wraps.
bool plain_function(std::string_view source, const std::string& name) {
  int definitions = 0;
  for (size_t at = find_word(source, name); at != npos; at = find_word(source, name, at + 1)) {
    if (after_function(source, at)) ++definitions;
    if (bound_to_function(source.substr(at + name.size()))) ++definitions;
  }
  return definitions == 1;
}

bool plain_names(const std::vector<task_parameter>& parameters) {
  return std::all_of(parameters.begin(), parameters.end(), [](const task_parameter& p) {
    return !p.name.empty() && std::all_of(p.name.begin(), p.name.end(), is_name_character) && p.name != "this";
  });
}

/// True if the source has `name(` in the form of a method's definition: after white space or `*`, and not abstract.
bool method_in_source(std::string_view source, const std::string& name) {
  for (size_t at = find_word(source, name); at != npos; at = find_word(source, name, at + 1)) {
    if (at == 0 || at + name.size() >= source.size()) continue;
    const char before = source[at - 1];
    const char after = source[at + name.size()];
    if ((before != ' ' && before != '\t' && before != '\n' && before != '*') || (after != '(' && after != '<'))
      continue;
    const size_t line_start = source.rfind('\n', at) + 1;  // npos + 1 is 0
    const std::string_view line = source.substr(line_start, at - line_start);
    if (find_word(line, "abstract") != npos || find_word(line, "return") != npos || find_word(line, "await") != npos ||
        line.find('=') != npos || line.find("//") != npos || find_word(line, "declare") != npos)
      return false;
    return true;
  }
  return false;
}

/// `name as other` and `name: other` name the symbol `other`.
std::string local_name(std::string_view import_text, const std::string& name) {
  for (size_t at = find_word(import_text, name); at != npos; at = find_word(import_text, name, at + 1)) {
    const auto rest = import_text.substr(at + name.size());
    for (const std::string_view mark : {" as ", ": "}) {
      if (!rest.starts_with(mark)) continue;
      const auto local = rest.substr(mark.size());
      return std::string{local.begin(), std::find_if_not(local.begin(), local.end(), is_name_character)};
    }
  }
  return name;
}

/// The expression with which the test file names the symbol after the import; empty if the import does not bind it.
std::string javascript_reference(std::string_view import_text, const std::string& name) {
  if (find_word(import_text, name) != npos) return local_name(import_text, name);
  const size_t star = import_text.find("* as ");
  if (star == npos) return {};
  size_t end = star + 5;
  while (end < import_text.size() && is_name_character(import_text[end])) ++end;
  return fmt::format("{}.{}", import_text.substr(star + 5, end - star - 5), name);
}

void add_function(const prompt_task& task, const task_symbol& symbol, const std::string& ref,
                  std::vector<sure_check>& out) {
  if (!plain_function(task.source, symbol.name)) {
    out.push_back({"exists", ref, symbol.name, {}});
    return;
  }
  out.push_back({"function", ref, symbol.name, {}});
  const bool defaults = std::any_of(symbol.parameters.begin(), symbol.parameters.end(),
                                    [](const task_parameter& p) { return p.has_default; });
  if (defaults || !plain_names(symbol.parameters) || find_word(symbol.signature, "this") != npos) return;
  const auto counted = std::count_if(symbol.parameters.begin(), symbol.parameters.end(),
                                     [](const task_parameter& p) { return !p.is_rest; });
  out.push_back({"parameters", ref, symbol.name, std::to_string(counted)});
}

void add_class(const prompt_task& task, const task_symbol& symbol, const std::string& ref,
               std::vector<sure_check>& out) {
  out.push_back({"class", ref, symbol.name, {}});
  for (const auto& method : symbol.methods) {
    if (method.name.empty() || !std::all_of(method.name.begin(), method.name.end(), is_name_character) ||
        !method_in_source(task.source, method.name))
      continue;
    out.push_back({method.is_static ? "static_method" : "method", ref, symbol.name, method.name});
  }
}

bool exported_in_source(std::string_view source, const std::string& name) {
  for (const std::string_view word : {"function ", "async function ", "const ", "let ", "class "}) {
    const auto written = fmt::format("export {}{}", word, name);
    const size_t at = source.find(written);
    const size_t after = at == npos ? npos : at + written.size();
    if (at != npos && (after == source.size() || !is_name_character(source[after]))) return true;
  }
  return false;
}

/// A namespace is an object with what it exports; merged with a class or function of its name it is that.
void add_namespace(const prompt_task& task, const task_symbol& symbol, const std::string& ref,
                   std::vector<sure_check>& out) {
  out.push_back({"exists", ref, symbol.name, {}});
  for (const auto& member : symbol.methods)
    if (exported_in_source(task.source, member.name)) out.push_back({"static_method", ref, symbol.name, member.name});
}

bool is_namespace(const task_symbol& symbol) {
  return find_word(symbol.signature, "namespace") != npos || find_word(symbol.signature, "module") != npos;
}

}  // namespace

std::vector<sure_check> javascript_checks(const prompt_task& task) {
  std::vector<sure_check> checks;
  for (const auto& symbol : task.symbols) {
    const std::string ref = javascript_reference(task.import_text, symbol.name);
    if (ref.empty() || symbol.kind == "type") continue;
    if (symbol.kind == "function") {
      add_function(task, symbol, ref, checks);
    } else if (symbol.kind == "class" && is_namespace(symbol)) {
      add_namespace(task, symbol, ref, checks);
    } else if (symbol.kind == "class" && find_word(task.source, "class") != npos) {
      add_class(task, symbol, ref, checks);
    } else {
      checks.push_back({"exists", ref, symbol.name, {}});
    }
  }
  return checks;
}

}  // namespace cohort::simulator
