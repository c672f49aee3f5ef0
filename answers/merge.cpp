// Merges parts. Their names are kept apart by blocks, if the language has them, and otherwise by new names.

#include "answers/merge.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "answers/merge_body.hpp"
#include "answers/merge_head.hpp"

namespace cohort::answers {

namespace {

using part_list = std::vector<std::unique_ptr<test_part>>;

/// The meaning of each name of the file, over all parts.
using meaning_map = std::map<std::string, std::string, std::less<>>;

bool clashes(const meaning_map& bound, std::string_view name, std::string_view meaning) {
  const auto known = bound.find(name);
  return known != bound.end() && known->second != meaning;
}

std::string fresh_name(const meaning_map& bound, std::string_view name, size_t part) {
  auto result = fmt::format("{}_part{}", name, part + 1);
  while (bound.contains(result)) result += '_';
  return result;
}

/// Imports of one part whose names are taken by imports of others get new names.
rename_map import_clashes(const meaning_map& bound, const test_part& part, size_t index) {
  rename_map renames;
  for (const auto& one : part.statements)
    for (const auto& import : one.imports)
      for (const auto& binding : import.bindings)
        if (!binding.local.empty() && clashes(bound, binding.local, meaning_of(import, binding)))
          renames.emplace(binding.local, fresh_name(bound, binding.local, index));
  return renames;
}

std::string renamed(const rename_map& renames, std::string_view name) {
  const auto found = renames.find(name);
  return found == renames.end() ? std::string{name} : found->second;
}

void learn_imports(meaning_map& bound, const test_part& part, const rename_map& renames) {
  for (const auto& one : part.statements)
    for (const auto& import : one.imports)
      for (const auto& binding : import.bindings)
        if (!binding.local.empty()) bound.emplace(renamed(renames, binding.local), meaning_of(import, binding));
}

/// The blank lines between definitions that the language's formatters want.
std::string_view blank_lines(languages::import_style style) {
  return style == languages::import_style::python ? "\n\n\n" : "\n\n";
}

std::string put_together(const merged_head& head, const std::vector<std::string>& bodies, std::string_view main,
                         languages::import_style style) {
  auto text = head.text();
  const auto put = [&](std::string_view body) {
    if (body.empty()) return;
    while (text.ends_with('\n')) text.pop_back();
    if (!text.empty()) text += blank_lines(style);
    text += body;
  };
  for (const auto& body : bodies) put(body);
  put(main);
  while (text.ends_with('\n')) text.pop_back();
  return text + '\n';
}

/// The statement that runs the file as a program, which the result has once.
std::string_view main_of(const part_list& parts) {
  for (const auto& part : parts)
    for (const auto& one : part->statements)
      if (one.kind == statement_kind::main) return part->text_of(one);
  return {};
}

/// Which part a name concerns, as far as a part must know whether it is another one.
class name_owners {
 public:
  void add(std::string_view name, size_t part) {
    const auto [known, first] = owners_.try_emplace(name, owner{part, false});
    known->second.several = known->second.several || (!first && known->second.part != part);
  }
  [[nodiscard]] bool elsewhere(std::string_view name, size_t own) const {
    const auto known = owners_.find(name);
    return known != owners_.end() && (known->second.several || known->second.part != own);
  }

 private:
  struct owner {
    size_t part;
    bool several;
  };
  std::map<std::string_view, owner> owners_;
};

/// The names that the parts give to the file, and those that they take from outside of themselves.
class part_names {
 public:
  explicit part_names(const part_list& parts) : parts_(parts) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto& part = *parts[i];
      const auto own = [&part](std::string_view name) {
        return part.defined.contains(name) || part.imported.contains(name);
      };
      for (const auto name : part.defined) given_.add(name, i);
      for (const auto& name : part.imported) given_.add(name, i);
      for (const auto& [name, uses] : part.names.uses)
        if (!own(name) && !part.names.defined.contains(name)) taken_.add(name, i);
      for (const auto name : part.names.parameters)
        if (!own(name)) injected_.add(name, i);
    }
  }

  /// True if a part other than `own` takes `name` from outside: that part would then get the definition of `own`.
  [[nodiscard]] bool is_taken_elsewhere(size_t own, std::string_view name) const {
    return taken_.elsewhere(name, own) ||
           (parts_[own]->names.injectable.contains(name) && injected_.elsewhere(name, own));
  }
  /// True if a part other than `own` defines or imports `name`.
  [[nodiscard]] bool is_given_elsewhere(size_t own, std::string_view name) const { return given_.elsewhere(name, own); }

 private:
  const part_list& parts_;
  name_owners given_, taken_, injected_;
};

/// Merges parts in languages without blocks at the top level: names that clash get new ones.
class renaming_merger {
 public:
  renaming_merger(part_list parts, languages::import_style style)
      : parts_(std::move(parts)), names_(parts_), style_(style) {}

  std::string run() {
    for (size_t i = 0; i < parts_.size(); ++i) add(i);
    return put_together(head_, bodies_, main_of(parts_), style_);
  }

 private:
  void add(size_t index) {
    const auto& part = *parts_[index];
    body_plan plan{&part, import_clashes(bound_, part, index), {}};
    for (const auto& one : part.statements)
      for (const auto name : one.names)
        if (part.defined.contains(name) &&
            (clashes(bound_, name, meaning(one, index)) || names_.is_taken_elsewhere(index, name)))
          plan.renames.emplace(name, fresh_name(bound_, name, index));
    leave_out_known(plan, index);
    if (index == 0)
      head_.keep(part, plan.renames);
    else
      head_.add(part, plan.renames);
    bodies_.push_back(body_of(plan));
    learn_imports(bound_, part, plan.renames);
    const renamed_uses uses{part, plan.renames};
    for (const auto& one : part.statements) {
      if (one.kind != statement_kind::definition) continue;
      if (one.shareable && !uses.any_in(one)) texts_.emplace(part.text_of(one));
      for (const auto name : one.names)
        if (part.defined.contains(name)) bound_.emplace(renamed(plan.renames, name), meaning(one, index));
    }
  }

  /// Definitions that hold state have a meaning of their own in each part, even if their text is the same.
  [[nodiscard]] std::string meaning(const part_statement& one, size_t index) const {
    return one.shareable ? std::string{parts_[index]->text_of(one)} : fmt::format("value {}", index);
  }

  /// Leaves out definitions whose text is in the file already, unless the text has another meaning in this part.
  void leave_out_known(body_plan& plan, size_t index) const {
    const auto& part = *plan.part;
    plan.left_out.assign(part.statements.size(), false);
    for (size_t i = 0; i < part.statements.size(); ++i) {
      const auto& one = part.statements[i];
      plan.left_out[i] =
          one.kind == statement_kind::heading ||
          (one.kind == statement_kind::definition && one.shareable && texts_.contains(std::string{part.text_of(one)}));
    }
    // A definition that uses a renamed name cannot be left out, and so gets a new name itself.
    std::vector<std::string> open;
    for (const auto& [name, fresh] : plan.renames) open.push_back(name);
    while (!open.empty()) {
      const auto name = std::move(open.back());
      open.pop_back();
      for (const auto i : statements_using(part, name)) {
        const auto& one = part.statements[i];
        if (!plan.left_out[i] || one.kind == statement_kind::heading) continue;
        plan.left_out[i] = false;
        for (const auto own : one.names)
          if (part.defined.contains(own) && plan.renames.emplace(own, fresh_name(bound_, own, index)).second)
            open.emplace_back(own);
      }
    }
  }

  static std::vector<size_t> statements_using(const test_part& part, std::string_view name) {
    std::vector<size_t> found;
    const auto uses = part.names.uses.find(name);
    if (uses == part.names.uses.end()) return found;
    for (const auto& at : uses->second) {
      const auto behind = std::upper_bound(part.statements.begin(), part.statements.end(), at.begin,
                                           [](uint32_t begin, const auto& one) { return begin < one.at.begin; });
      if (behind == part.statements.begin() || at.end > std::prev(behind)->at.end) continue;
      const auto index = static_cast<size_t>(std::prev(behind) - part.statements.begin());
      if (found.empty() || found.back() != index) found.push_back(index);
    }
    return found;
  }

  part_list parts_;
  part_names names_;
  languages::import_style style_;
  merged_head head_;
  std::vector<std::string> bodies_;
  meaning_map bound_;
  std::set<std::string, std::less<>> texts_;  ///< Definitions that are in the file already.
};

/// Merges parts in JavaScript and TypeScript: a part whose names could be mistaken for another's is put into a block, a
/// part with hooks into a group.
class scoping_merger {
 public:
  scoping_merger(part_list parts, const languages::language& lang, const languages::prompt_language& conventions,
                 std::string_view target)
      : parts_(std::move(parts)),
        names_(parts_),
        lang_(lang),
        rules_(conventions.parts),
        style_(conventions.imports),
        target_(target) {}

  std::string run() {
    // Imports belong to the file, so all of them are collected before blocks are made.
    for (size_t i = 0; i < parts_.size(); ++i) {
      renames_.push_back(import_clashes(bound_, *parts_[i], i));
      learn_imports(bound_, *parts_[i], renames_[i]);
      if (i == 0)
        head_.keep(*parts_[i], renames_[i]);
      else
        head_.add(*parts_[i], renames_[i]);
    }
    for (size_t i = 0; i < parts_.size(); ++i) bodies_.push_back(body(i));
    return put_together(head_, bodies_, main_of(parts_), style_);
  }

 private:
  [[nodiscard]] bool needs_group(const test_part& part) const {
    return part.has(statement_kind::hook) || std::any_of(part.statements.begin(), part.statements.end(),
                                                         [](const auto& one) { return one.function_wide; });
  }

  [[nodiscard]] bool needs_block(size_t index) const {
    const auto& part = *parts_[index];
    return !renames_[index].empty() || std::any_of(part.defined.begin(), part.defined.end(), [&](const auto name) {
      return names_.is_taken_elsewhere(index, name) || names_.is_given_elsewhere(index, name);
    });
  }

  std::string body(size_t index) {
    const auto& part = *parts_[index];
    body_plan plan{&part, {}, std::vector<bool>(part.statements.size(), false)};
    for (size_t i = 0; i < part.statements.size(); ++i)
      plan.left_out[i] = part.statements[i].kind == statement_kind::heading;
    auto text = body_of(plan);
    const bool group = needs_group(part);
    if (text.empty() || (!group && !needs_block(index))) return text;
    const auto inner = indented(own_names(index) + text, lang_, target_);
    if (!group) return fmt::format("// What part {} defines is for its own tests.\n{{\n{}\n}}", index + 1, inner);
    return fmt::format("{}(\"part {}\", () => {{\n{}\n}});", group_function(index), index + 1, inner);
  }

  /// Gives the names back to what the part imports under names that other parts have taken.
  [[nodiscard]] std::string own_names(size_t index) const {
    std::string lines;
    for (const auto& one : parts_[index]->statements)
      for (const auto& import : one.imports)
        for (const auto& binding : import.bindings)
          if (const auto found = renames_[index].find(binding.local); found != renames_[index].end())
            lines += fmt::format("{} {} = {};\n", import.form == import_form::es_type ? "type" : "const", binding.local,
                                 found->second);
    return lines.empty() ? lines : lines + '\n';
  }

  /// The name by which the file can call the function that declares a group; imported if the part imports its
  /// framework.
  std::string group_function(size_t index) {
    std::optional<import_statement> framework;
    for (const auto& one : parts_[index]->statements)
      for (const auto& import : one.imports) {
        const auto& known = rules_.group_modules;
        if (import.form == import_form::es_type || std::find(known.begin(), known.end(), import.module) == known.end())
          continue;
        for (const auto& binding : import.bindings)
          if (binding.name == rules_.groups.front()) return renamed(renames_[index], binding.local);
        framework = import;
      }
    if (!framework) return rules_.groups.front();
    import_binding binding{rules_.groups.front(), rules_.groups.front()};
    if (clashes(bound_, binding.local, meaning_of(*framework, binding)) || is_defined(binding.local))
      binding.local = fresh_name(bound_, binding.local, index);
    bound_.emplace(binding.local, meaning_of(*framework, binding));
    head_.add(*framework, binding);
    return binding.local;
  }

  [[nodiscard]] bool is_defined(std::string_view name) const {
    return std::any_of(parts_.begin(), parts_.end(), [name](const auto& part) { return part->defined.contains(name); });
  }

  part_list parts_;
  part_names names_;
  const languages::language& lang_;
  const languages::part_rules& rules_;
  languages::import_style style_;
  std::string target_;
  merged_head head_;
  std::vector<rename_map> renames_;
  std::vector<std::string> bodies_;
  meaning_map bound_;
};

part_list read_all(const languages::language& lang, const languages::prompt_language& conventions,
                   std::string_view target, const std::vector<std::string>& texts) {
  part_list parts;
  for (const auto& text : texts) parts.push_back(std::make_unique<test_part>(lang, conventions, target, text));
  return parts;
}

}  // namespace

std::string why_not_mergeable(const languages::language& lang, const languages::prompt_language& conventions,
                              std::string_view target, const std::string& part) {
  return test_part{lang, conventions, target, part}.not_mergeable;
}

expected<std::string> merge_parts(const languages::language& lang, const languages::prompt_language& conventions,
                                  std::string_view target, const std::vector<std::string>& parts) {
  if (parts.empty()) return fail(ec::no_code, fmt::format("'{}': no part has an answer", target));
  if (parts.size() == 1) return parts.front();
  auto read = read_all(lang, conventions, target, parts);
  if (conventions.imports == languages::import_style::es)
    return scoping_merger{std::move(read), lang, conventions, target}.run();
  return renaming_merger{std::move(read), conventions.imports}.run();
}

expected<std::string> join_pieces(const languages::language& lang, const languages::prompt_language& conventions,
                                  std::string_view target, const std::vector<std::string>& pieces) {
  if (pieces.empty()) return fail(ec::no_code, fmt::format("'{}': there are no pieces", target));
  if (pieces.size() == 1) return pieces.front();
  const auto read = read_all(lang, conventions, target, pieces);
  merged_head head;
  std::vector<std::string> bodies;
  meaning_map bound;
  std::set<std::string, std::less<>> texts;
  for (const auto& piece : read) {
    const auto refuse = [&](std::string_view name) {
      return fail(ec::broken_code, fmt::format("'{}': two pieces define '{}' differently", target, name));
    };
    if (const auto twice = import_clashes(bound, *piece, 0); !twice.empty()) return refuse(twice.begin()->first);
    learn_imports(bound, *piece, {});
    body_plan plan{piece.get(), {}, std::vector<bool>(piece->statements.size(), false)};
    for (size_t i = 0; i < piece->statements.size(); ++i) {
      const auto& one = piece->statements[i];
      const auto text = piece->text_of(one);
      plan.left_out[i] = one.kind == statement_kind::heading || (!one.names.empty() && texts.contains(text));
      if (plan.left_out[i]) continue;
      for (const auto name : one.names)
        if (piece->defined.contains(name) && clashes(bound, name, text)) return refuse(name);
      for (const auto name : one.names)
        if (piece->defined.contains(name)) bound.emplace(name, text);
      if (!one.names.empty()) texts.emplace(text);
    }
    if (&piece == &read.front())
      head.keep(*piece, {});
    else
      head.add(*piece, {});
    bodies.push_back(body_of(plan));
  }
  return put_together(head, bodies, main_of(read), conventions.imports);
}

}  // namespace cohort::answers
