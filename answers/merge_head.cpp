// Joins imports: names go into the statement that imports from the same module; the others follow the last import.

#include "answers/merge_head.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace cohort::answers {

namespace {

bool is_future(const import_statement& one) {
  return one.form == import_form::python_from && one.module == "__future__";
}

std::string module_key(const import_statement& one) {
  return fmt::format("{}\n{}", static_cast<int>(one.form), one.module);
}

std::string binding_key(const import_statement& one, const import_binding& binding) {
  return fmt::format("{}\n{}\n{}", module_key(one), binding.name, binding.local);
}

/// Statements with lists of names can take further names; those that bind a module as a whole cannot.
bool joinable(const import_statement& one) {
  switch (one.form) {
    case import_form::python_from:
    case import_form::es_type:
    case import_form::es_members: break;
    case import_form::es:
    case import_form::commonjs:
      if (one.bindings.empty()) return false;
      break;
    case import_form::python_module:
    case import_form::go: return false;
  }
  return std::none_of(one.bindings.begin(), one.bindings.end(),
                      [](const auto& b) { return b.name.empty() || b.name == "*"; });
}

void rename(import_statement& one, const rename_map& renames) {
  if (const auto renamed = renames.find(one.module); one.form == import_form::es_members && renamed != renames.end())
    one.module = renamed->second;
  for (auto& binding : one.bindings) {
    const auto renamed = renames.find(binding.local);
    if (renamed == renames.end()) continue;
    binding.local = renamed->second;
    if (one.form == import_form::go) binding.name = renamed->second;
  }
}

std::string written(const std::vector<import_statement>& imports) {
  std::string lines;
  for (const auto& one : imports) lines += (lines.empty() ? "" : "\n") + write_import(one);
  return lines;
}

}  // namespace

std::string meaning_of(const import_statement& one, const import_binding& binding) {
  const bool es = one.form == import_form::es || one.form == import_form::es_type;
  // `import os` and `import os.path` bind the same package.
  if (one.form == import_form::python_module && one.module.starts_with(binding.local + "."))
    return fmt::format("import\n{}\n{}\n", static_cast<int>(one.form) + 1, binding.local);
  return fmt::format("import\n{}\n{}\n{}", es ? 0 : static_cast<int>(one.form) + 1, one.module,
                     one.form == import_form::go || one.form == import_form::python_module ? "" : binding.name);
}

size_t merged_head::length_in(const test_part& part) noexcept {
  size_t length = 0;
  while (length < part.statements.size() && (part.statements[length].kind == statement_kind::heading ||
                                             part.statements[length].kind == statement_kind::comment))
    ++length;
  // A comment directly before the first definition belongs to the definition.
  while (length > 0 && length < part.statements.size() && part.statements[length - 1].kind == statement_kind::comment)
    --length;
  for (size_t i = 0; i < part.statements.size(); ++i) {
    const auto kind = part.statements[i].kind;
    if (kind == statement_kind::import || kind == statement_kind::setup) length = i + 1;
  }
  return length;
}

bool merged_head::takes(const part_statement& one, size_t index, size_t length) noexcept {
  if (index >= length) return false;
  return one.kind == statement_kind::heading || one.kind == statement_kind::comment ||
         one.kind == statement_kind::import || one.kind == statement_kind::setup;
}

void merged_head::keep(const test_part& first, const rename_map& renames) {
  const auto length = length_in(first);
  for (size_t i = 0; i < length; ++i) {
    const auto& one = first.statements[i];
    if (!takes(one, i, length)) continue;
    lines_.push_back({std::string{one.gap}, std::string{first.text_of(one)}, one.kind, one.imports, false});
    auto& made = lines_.back();
    for (auto& import : made.imports) {
      const auto before = import.bindings;
      const auto module = import.module;
      rename(import, renames);
      made.grown = made.grown || import.bindings != before || import.module != module;
    }
    texts_.insert(made.text);
    for (size_t n = 0; n < made.imports.size(); ++n) learn(made.imports[n], {true, lines_.size() - 1, n});
  }
}

void merged_head::learn(const import_statement& one, location where) {
  modules_.insert(module_key(one));
  for (const auto& binding : one.bindings) bindings_.insert(binding_key(one, binding));
  if (joinable(one)) joinable_.emplace(module_key(one), where);
}

void merged_head::add(const test_part& later, const rename_map& renames) {
  for (const auto& one : later.statements) {
    if (one.kind == statement_kind::setup) {
      const std::string text{later.text_of(one)};
      if (texts_.insert(text).second) more_.push_back({{}, text});
    }
    for (const auto& import : one.imports) add(import, renames);
  }
}

void merged_head::add(import_statement one, const rename_map& renames) {
  rename(one, renames);
  if (!one.bindings.empty()) {
    for (const auto& binding : one.bindings) add(one, binding);
    return;
  }
  if (!modules_.contains(module_key(one))) add_more(std::move(one));
}

void merged_head::add_more(import_statement one) {
  learn(one, {false, more_.size(), 0});
  more_.push_back({std::move(one), {}});
}

void merged_head::add(const import_statement& one, const import_binding& binding) {
  if (bindings_.contains(binding_key(one, binding))) return;
  const auto known = joinable_.find(module_key(one));
  if (known == joinable_.end() || !joinable({one.form, one.module, {binding}}))
    return add_more({one.form, one.module, {binding}});
  const auto& where = known->second;
  auto& joined = where.in_line ? lines_[where.at].imports[where.import] : more_[where.at].import;
  joined.bindings.push_back(binding);
  if (where.in_line) lines_[where.at].grown = true;
  bindings_.insert(binding_key(one, binding));
}

std::string merged_head::text() const {
  std::string futures;
  std::string others;
  const auto put_line = [](std::string& lines, std::string_view text) {
    lines += lines.empty() ? "" : "\n";
    lines += text;
  };
  for (const auto& one : more_)
    put_line(is_future(one.import) ? futures : others, one.setup.empty() ? write_import(one.import) : one.setup);
  // An import that Python wants first follows the heading; all others follow the last import.
  size_t heading = 0;
  while (heading < lines_.size() &&
         (lines_[heading].kind == statement_kind::heading || lines_[heading].kind == statement_kind::comment))
    ++heading;
  std::string text;
  const auto put = [&text](std::string_view gap, std::string_view what) {
    if (what.empty()) return;
    if (!text.empty()) text += gap;
    text += what;
  };
  for (size_t i = 0; i <= lines_.size(); ++i) {
    if (i == heading) put("\n", futures);
    if (i == lines_.size()) break;
    const auto& one = lines_[i];
    const bool glued = i == heading && !futures.empty() && one.gap.find('\n') == std::string_view::npos;
    put(glued ? std::string_view{"\n"} : std::string_view{one.gap}, one.grown ? written(one.imports) : one.text);
  }
  put(heading == lines_.size() && futures.empty() ? "\n\n" : "\n", others);
  return text;
}

}  // namespace cohort::answers
