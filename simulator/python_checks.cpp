// What surely holds about Python symbols. A decorator or a second definition can change a signature or the kind of
// object, so such symbols are only checked to exist.

#include <fmt/format.h>

#include "simulator/test_writer.hpp"

namespace cohort {

namespace {

constexpr auto npos = std::string_view::npos;

/// Calls `see` with each line that starts with something other than white space, and the one before it.
template <class See>
void for_each_top_line(std::string_view source, See see) {
  std::string_view previous;
  for (size_t at = 0; at < source.size();) {
    const size_t end = std::min(source.find('\n', at), source.size());
    const std::string_view line = source.substr(at, end - at);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == npos) continue;
    if (line.front() != ' ' && line.front() != '\t' && line.front() != '#') see(line, previous);
    previous = line;
  }
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
bool plainly_defined(std::string_view source, std::string_view name) {
  int definitions = 0;
  bool doubtful = false;
  for_each_top_line(source, [&](std::string_view line, std::string_view previous) {
    if (assigns(line, name)) doubtful = true;
    if (!defines(line, name)) return;
    ++definitions;
    const bool decorated = previous.starts_with('@') || previous.starts_with(')');
    const bool dataclass = previous.starts_with("@dataclass") || previous.starts_with("@dataclasses.dataclass");
    if (decorated && !(dataclass && line.starts_with("class "))) doubtful = true;
  });
  return definitions == 1 && !doubtful;
}

/// How the test file names the symbol after the import; empty if it does not.
std::string reference_to(std::string_view import_text, const std::string& name) {
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
  return "[" + (list.empty() ? list : list.substr(0, list.size() - 2)) + "]";
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
  for (const auto& symbol : task.symbols) {
    const std::string ref = reference_to(task.import_text, symbol.name);
    if (ref.empty()) continue;
    const bool plain = plainly_defined(task.source, symbol.name);
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

}  // namespace cohort
