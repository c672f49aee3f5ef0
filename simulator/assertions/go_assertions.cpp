// Decides what is certain about Go symbols: they can be named, methods by their type: (*Cart).Add, which also names
// methods with value receivers. Generic symbols cannot be named without type arguments and are left out.

#include <fmt/format.h>

#include "simulator/assertions/assertion_text.hpp"

namespace cohort::simulator {

namespace {

/// The name in the source's package clause; "main" if there is none.
std::string package_name(std::string_view source) {
  for (size_t at = 0; at < source.size();) {
    const size_t end = std::min(source.find('\n', at), source.size());
    std::string_view line = source.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with("package ")) continue;
    line.remove_prefix(8);
    size_t length = 0;
    while (length < line.size() && is_name_character(line[length])) ++length;
    return std::string{line.substr(0, length)};
  }
  return "main";
}

/// "cart." if the test imports the package, "" if it is inside it.
std::string qualifier(const prompt_task& task) {
  const size_t quote = task.import_text.find('"');
  if (quote == npos) return {};
  const size_t line = task.import_text.rfind('\n', quote) + 1;  // npos + 1 is 0
  std::string_view before = task.import_text.substr(line, quote - line);
  while (!before.empty() && (before.back() == ' ' || before.back() == '\t')) before.remove_suffix(1);
  const size_t space = before.find_last_of(" \t(");
  const std::string_view alias = space == npos ? before : before.substr(space + 1);
  if (alias == ".") return {};
  if (alias.empty() || alias == "import") return package_name(task.source) + ".";
  return std::string{alias} + ".";
}

/// True if `name` is declared, or is a method whose receiver is declared, with type parameters: `Map[T any]`, `(b
/// *Box[T])`.
bool generic(const task_symbol& symbol, std::string_view name) {
  const size_t at = find_word(symbol.signature, name);
  const size_t after = at == npos ? npos : at + name.size();
  return after < symbol.signature.size() && symbol.signature[after] == '[';
}

/// A method whose type is in another file: "Cart.Add".
void add_method(const task_symbol& symbol, const std::string& prefix, std::vector<sure_check>& out) {
  const size_t dot = symbol.name.find('.');
  const auto type = symbol.name.substr(0, dot);
  const bool visible = prefix.empty() || (type.front() >= 'A' && type.front() <= 'Z');
  if (!visible || generic(symbol, type)) return;
  out.push_back({"function", fmt::format("(*{}{}).{}", prefix, type, symbol.name.substr(dot + 1)), symbol.name, {}});
}

}  // namespace

std::string go_package_clause(const prompt_task& task) {
  if (task.import_text.starts_with("package ") || task.import_text.find("\npackage ") != npos) return {};
  const bool outside = task.import_text.find('"') != npos;
  return "package " + package_name(task.source) + (outside ? "_test" : "");
}

std::string go_unused_import(const prompt_task& task) {
  std::string text{task.import_text};
  const size_t quote = text.find('"');
  if (quote == npos) return text;
  // Replaces any alias by the blank identifier, which is the only one that need not be used.
  const size_t line = text.rfind('\n', quote) + 1;  // npos + 1 is 0
  const size_t keyword = text.substr(line, quote - line).starts_with("import ") ? line + 7 : line;
  return text.replace(keyword, quote - keyword, "_ ");
}

std::vector<sure_check> go_checks(const prompt_task& task) {
  std::vector<sure_check> checks;
  const std::string prefix = qualifier(task);
  for (const auto& symbol : task.symbols) {
    if (symbol.name.find('.', 1) != npos) {
      add_method(symbol, prefix, checks);
      continue;
    }
    if (generic(symbol, symbol.name)) continue;
    const std::string ref = prefix + symbol.name;
    if (symbol.kind == "function") {
      checks.push_back({"function", ref, symbol.name, {}});
    } else if (symbol.kind == "constant") {
      checks.push_back({"exists", ref, symbol.name, {}});
    } else {
      checks.push_back({"class", ref, symbol.name, {}});
    }
  }
  return checks;
}

}  // namespace cohort::simulator
