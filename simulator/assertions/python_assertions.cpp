// Decides what is certain about Python symbols. A decorator or a second definition can change a signature or the kind
// of object, so for such symbols only their existence is asserted.

#include <fmt/format.h>

#include "simulator/assertions/assertion_text.hpp"

namespace cohort::simulator {

namespace {

/// A line that does not start with white space, and the last line before it that is not empty.
struct top_line {
  std::string_view line;
  std::string_view previous;
};

std::vector<top_line> top_lines_of(std::string_view source) {
  std::vector<top_line> found;
  std::string_view previous;
  for (size_t at = 0; at < source.size();) {
    const size_t end = std::min(source.find('\n', at), source.size());
    const std::string_view line = source.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == npos) continue;
    if (line.front() != ' ' && line.front() != '\t' && line.front() != '#') found.push_back({line, previous});
    previous = line;
  }
  return found;
}

bool defines(std::string_view line, std::string_view name) {
  for (const std::string_view word : {"def ", "async def ", "class "}) {
    if (!line.starts_with(word)) continue;
    line.remove_prefix(word.size());
    return line.starts_with(name) && (line.size() == name.size() || !is_name_character(line[name.size()]));
  }
  return false;
}

bool assigns(std::string_view line, std::string_view name) {
  return line.starts_with(name) && line.size() > name.size() && !is_name_character(line[name.size()]) &&
         line[name.size()] != '.' && line[name.size()] != '(' && line[name.size()] != '[';
}

/// True if the module holds exactly one plain definition of the name and nothing rebinds it.
bool plainly_defined(const std::vector<top_line>& lines, std::string_view name) {
  int definitions = 0;
  for (const auto& [line, previous] : lines) {
    if (assigns(line, name)) return false;
    if (!defines(line, name)) continue;
    ++definitions;
    const bool decorated = previous.starts_with('@') || previous.starts_with(')');
    const bool dataclass = previous.starts_with("@dataclass") || previous.starts_with("@dataclasses.dataclass");
    if (decorated && !(dataclass && line.starts_with("class "))) return false;
  }
  return definitions == 1;
}

/// The expression with which the test file names the symbol after the import; empty if the import does not bind it.
std::string python_reference(std::string_view import_text, const std::string& name) {
  for (size_t at = 0; at < import_text.size();) {
    const size_t end = std::min(import_text.find('\n', at), import_text.size());
    std::string_view line = import_text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("from ") && line.ends_with("import *")) return name;
    if (!line.starts_with("import ")) continue;
    line.remove_prefix(7);
    const size_t as = line.find(" as ");
    const std::string_view module = as == npos ? line : line.substr(as + 4);
    // Not `import sys`: a module of the project has its own package or an alias.
    if (find_word(import_text, name) == npos && (as != npos || line.find('.') != npos))
      return fmt::format("{}.{}", module, name);
  }
  return find_word(import_text, name) == npos ? std::string{} : name;
}

std::string parameter_list(const task_symbol& symbol) {
  std::string list;
  for (const auto& parameter : symbol.parameters) {
    const size_t start = parameter.name.find_first_not_of('*');
    if (start == npos || parameter.name == "/") continue;
    list += fmt::format("(\"{}\", {}), ", parameter.name.substr(start), parameter.has_default ? "True" : "False");
  }
  return fmt::format("[{}]", std::string_view{list}.substr(0, list.empty() ? 0 : list.size() - 2));
}

/// `self` or `cls` of a free function is left out of the list we are given.
bool takes_receiver(const task_symbol& symbol) {
  return find_word(symbol.signature, "self") != npos || find_word(symbol.signature, "cls") != npos;
}

void add_function(const task_symbol& symbol, const std::string& ref, std::vector<sure_check>& out) {
  out.push_back({"function", ref, symbol.name, {}});
  if (!takes_receiver(symbol)) out.push_back({"parameters", ref, symbol.name, parameter_list(symbol)});
  if (symbol.is_async) out.push_back({"coroutine", ref, symbol.name, {}});
}

void add_class(const task_symbol& symbol, const std::string& ref, std::vector<sure_check>& out) {
  out.push_back({"class", ref, symbol.name, {}});
  for (const auto& method : symbol.methods)
    if (!method.name.starts_with("__") || method.name.ends_with("__"))
      out.push_back({"method", ref, symbol.name, method.name});
}

}  // namespace

std::vector<sure_check> python_checks(const prompt_task& task) {
  std::vector<sure_check> checks;
  const auto lines = top_lines_of(task.source);
  for (const auto& symbol : task.symbols) {
    const std::string ref = python_reference(task.import_text, symbol.name);
    if (ref.empty()) continue;
    const bool plain = plainly_defined(lines, symbol.name);
    if (plain && symbol.kind == "function") {
      add_function(symbol, ref, checks);
    } else if (plain && symbol.kind == "class") {
      add_class(symbol, ref, checks);
    } else {
      checks.push_back({"exists", ref, symbol.name, {}});
    }
  }
  return checks;
}

}  // namespace cohort::simulator
