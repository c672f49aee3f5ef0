// The first part stays as it is, but for joined imports; each later part loses what is there already and is appended.

#include "planning/merge.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "planning/merge_imports.hpp"
#include "planning/merge_rename.hpp"

namespace cohort {

namespace {

using rename_map = std::map<std::string, std::string, std::less<>>;

/// A top-level node of a part.
struct statement {
  std::string_view text;
  std::string_view gap;  ///< What stands before it, since the one before.
  std::string name;      ///< Of a definition.
  std::optional<std::vector<import_statement>> imports;
  bool dropped = false;
};

bool mentions(std::string_view text, const rename_map& names) {
  const auto in_word = [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
  };
  for (size_t at = 0; at < text.size();) {
    if (!in_word(text[at])) {
      ++at;
      continue;
    }
    const auto begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    if (names.contains(text.substr(begin, at - begin))) return true;
  }
  return false;
}

bool is_future(const import_statement& one) {
  return one.form == import_form::python_from && one.module == "__future__";
}

bool same_module(const import_statement& a, const import_statement& b) {
  return a.form == b.form && a.module == b.module;
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

class merger {
 public:
  merger(const language& lang, const prompt_language& words, std::string_view target)
      : lang_(lang), style_(words.imports), target_(target) {}

  void add(std::string_view part);
  [[nodiscard]] std::string result() const;

 private:
  [[nodiscard]] std::vector<statement> read(std::string_view part) const;
  void keep_first(std::vector<statement> statements);
  void append(std::vector<statement> statements);
  [[nodiscard]] rename_map clashes(const std::vector<statement>& statements) const;
  [[nodiscard]] std::string fresh(const std::string& name) const;
  void drop_known(std::vector<statement>& statements, rename_map& renames) const;
  void take_imports(const std::vector<import_statement>& imports, const rename_map& renames);
  [[nodiscard]] bool has_import(const import_statement& one, const import_binding& binding) const;
  void add_import(const import_statement& one, const import_binding& binding);
  void learn(const statement& one);

  const language& lang_;
  import_style style_;
  std::string target_;
  size_t parts_ = 0;
  std::vector<statement> first_;  ///< Views into `first_text_`.
  std::string first_text_;
  std::string tail_;                 ///< The end of the first part's text, behind its last statement.
  std::vector<std::string> bodies_;  ///< Of the later parts.
  std::vector<import_statement> new_imports_;
  std::unordered_set<size_t> rewritten_;                ///< Indices in `first_` whose imports have grown.
  std::unordered_map<std::string, std::string> bound_;  ///< Name -> what it stands for.
  std::unordered_set<std::string> texts_;               ///< Statements that are there already.
};

std::string meaning_of(const import_statement& one, const import_binding& binding) {
  const bool es = one.form == import_form::es || one.form == import_form::es_type;
  // `import os` and `import os.path` bind the same package.
  if (one.form == import_form::python_module && one.module.starts_with(binding.local + "."))
    return fmt::format("import\n{}\n{}\n", static_cast<int>(one.form) + 1, binding.local);
  return fmt::format("import\n{}\n{}\n{}", es ? 0 : static_cast<int>(one.form) + 1, one.module,
                     one.form == import_form::go || one.form == import_form::python_module ? "" : binding.name);
}

bool takes_members(const std::vector<import_statement>& imports) {
  return !imports.empty() && imports.front().form == import_form::es_members;
}

std::vector<statement> merger::read(std::string_view part) const {
  std::vector<statement> result;
  std::unordered_set<std::string> imported;
  size_t done = 0;
  for (const auto& node : top_level(lang_, target_, part)) {
    statement one{
        part.substr(node.begin, node.end - node.begin), part.substr(done, node.begin - done), node.name, {}, false};
    const bool maybe = node.kind == "import" || one.text.starts_with("from __future__") ||
                       (style_ == import_style::es &&
                        (one.text.find("require(") != std::string_view::npos || one.text.starts_with("const {")));
    if (maybe) one.imports = read_imports(one.text, style_);
    if (one.imports && takes_members(*one.imports) && !imported.contains(one.imports->front().module))
      one.imports.reset();
    result.push_back(std::move(one));
    if (result.back().imports)
      for (const auto& import : *result.back().imports)
        for (const auto& binding : import.bindings) imported.insert(binding.local);
    done = node.end;
  }
  return result;
}

void merger::learn(const statement& one) {
  texts_.emplace(one.text);
  if (one.imports) {
    for (const auto& import : *one.imports)
      for (const auto& binding : import.bindings)
        if (!binding.local.empty()) bound_.emplace(binding.local, meaning_of(import, binding));
  } else if (!one.name.empty()) {
    bound_.emplace(one.name, one.text);
  }
}

void merger::add(std::string_view part) {
  ++parts_;
  if (parts_ == 1) {
    first_text_ = part;
    keep_first(read(first_text_));
  } else {
    append(read(part));
  }
}

void merger::keep_first(std::vector<statement> statements) {
  first_ = std::move(statements);
  for (const auto& one : first_) learn(one);
  const auto end =
      first_.empty() ? 0
                     : static_cast<size_t>(first_.back().text.data() - first_text_.data()) + first_.back().text.size();
  tail_ = first_text_.substr(end);
}

std::string merger::fresh(const std::string& name) const {
  auto result = fmt::format("{}_part{}", name, parts_);
  while (bound_.contains(result)) result += '_';
  return result;
}

rename_map merger::clashes(const std::vector<statement>& statements) const {
  rename_map renames;
  const auto check = [&](const std::string& name, const std::string& meaning) {
    const auto known = bound_.find(name);
    if (known != bound_.end() && known->second != meaning) renames.emplace(name, fresh(name));
  };
  for (const auto& one : statements) {
    if (one.imports) {
      for (const auto& import : *one.imports)
        for (const auto& binding : import.bindings)
          if (!binding.local.empty()) check(binding.local, meaning_of(import, binding));
    } else if (!one.name.empty()) {
      check(one.name, std::string{one.text});
    }
  }
  return renames;
}

/// Leaves out what is there in the same words, unless these words mean something else in this part.
void merger::drop_known(std::vector<statement>& statements, rename_map& renames) const {
  for (auto& one : statements)
    one.dropped = one.imports || texts_.contains(std::string{one.text}) ||
                  (style_ == import_style::go && one.text.starts_with("package "));
  for (bool changed = !renames.empty(); changed;) {
    changed = false;
    for (auto& one : statements) {
      if (!one.dropped || one.imports || !mentions(one.text, renames)) continue;
      one.dropped = false;
      if (!one.name.empty()) renames.emplace(one.name, fresh(one.name));
      changed = true;
    }
  }
}

bool merger::has_import(const import_statement& one, const import_binding& binding) const {
  const auto holds = [&](const import_statement& known) {
    return same_module(known, one) &&
           std::find(known.bindings.begin(), known.bindings.end(), binding) != known.bindings.end();
  };
  for (const auto& known : first_)
    if (known.imports && std::any_of(known.imports->begin(), known.imports->end(), holds)) return true;
  return std::any_of(new_imports_.begin(), new_imports_.end(), holds);
}

void merger::add_import(const import_statement& one, const import_binding& binding) {
  const bool list = joinable({one.form, one.module, {binding}});
  for (size_t i = 0; list && i < first_.size(); ++i) {
    if (!first_[i].imports) continue;
    for (auto& known : *first_[i].imports)
      if (same_module(known, one) && joinable(known)) {
        known.bindings.push_back(binding);
        rewritten_.insert(i);
        return;
      }
  }
  for (auto& known : new_imports_)
    if (list && same_module(known, one) && joinable(known)) {
      known.bindings.push_back(binding);
      return;
    }
  new_imports_.push_back({one.form, one.module, {binding}});
}

void merger::take_imports(const std::vector<import_statement>& imports, const rename_map& renames) {
  for (auto one : imports) {
    if (const auto renamed = renames.find(one.module); one.form == import_form::es_members && renamed != renames.end())
      one.module = renamed->second;
    if (one.bindings.empty()) {
      const auto known = [&](const import_statement& other) { return same_module(other, one); };
      const bool there = std::any_of(new_imports_.begin(), new_imports_.end(), known) ||
                         std::any_of(first_.begin(), first_.end(), [&](const statement& s) {
                           return s.imports && std::any_of(s.imports->begin(), s.imports->end(), known);
                         });
      if (!there) new_imports_.push_back(one);
      continue;
    }
    for (auto binding : one.bindings) {
      if (const auto renamed = renames.find(binding.local); renamed != renames.end()) {
        binding.local = renamed->second;
        if (one.form == import_form::go) binding.name = renamed->second;
      }
      if (!has_import(one, binding)) add_import(one, binding);
      if (!binding.local.empty()) bound_.emplace(binding.local, meaning_of(one, binding));
    }
  }
}

void merger::append(std::vector<statement> statements) {
  auto renames = clashes(statements);
  drop_known(statements, renames);
  std::string body;
  bool after_dropped = true;
  for (const auto& one : statements) {
    if (one.imports) take_imports(*one.imports, renames);
    if (one.dropped) {
      after_dropped = true;
      continue;
    }
    if (!body.empty())
      body += after_dropped && one.gap.find('\n') != std::string_view::npos ? std::string_view{"\n\n\n"} : one.gap;
    if (!body.empty() && after_dropped && !body.ends_with('\n')) body += '\n';
    body += one.text;
    after_dropped = false;
    texts_.emplace(one.text);
    if (one.name.empty()) continue;
    const auto renamed = renames.find(one.name);
    bound_.emplace(renamed == renames.end() ? one.name : renamed->second, one.text);
  }
  body = rename_identifiers(body, renames, style_);
  if (!body.empty()) bodies_.push_back(std::move(body));
}

bool is_heading(std::string_view text, import_style style) {
  if (style == import_style::go)
    return text.starts_with("package ") || text.starts_with("//") || text.starts_with("/*");
  const auto first = text.empty() ? ' ' : text.front();
  return first == '#' || first == '"' || first == '\'' || text.starts_with("r\"") || text.starts_with("//") ||
         text.starts_with("/*");
}

std::string written(const std::vector<import_statement>& imports) {
  std::string lines;
  for (const auto& one : imports) lines += (lines.empty() ? "" : "\n") + write_import(one);
  return lines;
}

std::string merger::result() const {
  std::string futures;
  std::string others;
  for (const auto& one : new_imports_) {
    auto& lines = is_future(one) ? futures : others;
    lines += (lines.empty() ? "" : "\n") + write_import(one);
  }
  // New imports follow the last import of the first part, or its heading; what Python reads first goes first.
  size_t heading = 0;
  while (heading < first_.size() && !first_[heading].imports && is_heading(first_[heading].text, style_)) ++heading;
  size_t last = heading;
  for (size_t i = 0; i < first_.size(); ++i)
    if (first_[i].imports) last = i + 1;
  std::string text;
  const auto put = [&text](std::string_view gap, std::string_view lines) {
    if (lines.empty()) return;
    if (!text.empty()) text += gap;
    text += lines;
  };
  for (size_t i = 0; i <= first_.size(); ++i) {
    if (i == heading) put("\n", futures);
    if (i == last) put("\n", others);
    if (i == first_.size()) break;
    const bool behind_new = (i == heading && !futures.empty()) || (i == last && !others.empty());
    const bool glued = behind_new && first_[i].gap.find('\n') == std::string_view::npos;
    put(glued ? std::string_view{"\n"} : first_[i].gap,
        rewritten_.contains(i) ? written(*first_[i].imports) : std::string{first_[i].text});
  }
  text += tail_;
  for (const auto& body : bodies_) {
    while (text.ends_with('\n')) text.pop_back();
    text += style_ == import_style::python ? "\n\n\n" : "\n\n";
    text += body;
  }
  while (text.ends_with('\n')) text.pop_back();
  return text + '\n';
}

}  // namespace

expected<std::string> merge_parts(const language& lang, const prompt_language& words, std::string_view target,
                                  const std::vector<std::string>& parts) {
  if (parts.empty()) return fail(ec::no_code, fmt::format("'{}': no part has an answer", target));
  if (parts.size() == 1) return parts.front();
  merger merging{lang, words, target};
  for (const auto& part : parts) merging.add(part);
  return merging.result();
}

}  // namespace cohort
