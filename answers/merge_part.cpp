// Classifies the statements of a part. A statement that is not known to be harmless next to other tests is an effect,
// and keeps the part out of a common file.

#include "answers/merge_part.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "languages/syntax/identifiers.hpp"

namespace cohort::answers {

namespace {

constexpr std::string_view blank_name = "_";
constexpr int deepest_pattern = 20;      ///< `[[[a]]] = ...`
constexpr int longest_assignment = 100;  ///< `a = b = c = ...`
constexpr size_t longest_called = 200;   ///< In bytes, of the name of a call; calls in a chain contain each other.

bool lists(const std::vector<std::string>& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

bool begins_with_one_of(std::string_view text, const std::vector<std::string>& starts) {
  return std::any_of(starts.begin(), starts.end(), [&](const auto& start) { return text.starts_with(start); });
}

/// "describe.each(cases)" -> "describe".
std::string_view first_word(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) ++end;
  return text.substr(0, end);
}

/// Classifies the statements of one text.
class statement_classifier {
 public:
  statement_classifier(const languages::grammar_rules& grammar, const languages::prompt_language& conventions,
                       std::string_view text)
      : grammar_(grammar), rules_(conventions.parts), style_(conventions.imports), text_(text) {}

  part_statement classify(TSNode node) {
    part_statement one;
    one.at = {ts_node_start_byte(node), ts_node_end_byte(node)};
    const auto text = cohort::languages::text_of(node, text_);
    if (std::string_view{ts_node_type(node)} == "comment") {
      one.kind = statement_kind::comment;
    } else if (is_heading(node, text)) {
      one.kind = statement_kind::heading;
    } else if (take_imports(node, text, one)) {
      one.kind = statement_kind::import;
    } else if (begins_with_one_of(text, rules_.setup)) {
      one.kind = statement_kind::setup;
    } else if (begins_with_one_of(text, rules_.main)) {
      one.kind = statement_kind::main;
    } else if (!begins_with_one_of(text, rules_.top_level) && define(node, one, 0) && !one.names.empty()) {
      one.kind = statement_kind::definition;
      one.function_wide = style_ == languages::import_style::es && text.starts_with("var ");
      one.awaits = !one.shareable && text.find("await ") != std::string_view::npos;
    } else {
      one.names.clear();
      one.kind = declared_by_calls(node);
    }
    return one;
  }

 private:
  [[nodiscard]] uint32_t roles(TSNode node) const noexcept { return grammar_.roles_of(ts_node_symbol(node)); }

  [[nodiscard]] bool is_heading(TSNode node, std::string_view text) const {
    if (style_ == languages::import_style::go) return text.starts_with("package ");
    const auto inner = ts_node_named_child(node, 0);
    return languages::exists(inner) && ts_node_named_child_count(node) == 1 &&
           std::string_view{ts_node_type(inner)} == "string" && ts_node_start_byte(inner) == ts_node_start_byte(node);
  }

  [[nodiscard]] bool take_imports(TSNode node, std::string_view text, part_statement& into) {
    const bool may_bind = style_ == languages::import_style::es &&
                          (text.find("require(") != std::string_view::npos || text.starts_with("const {"));
    if ((roles(node) & languages::role::import) == 0 && !may_bind && !text.starts_with("from __future__") &&
        !text.starts_with("import"))
      return false;
    auto read = read_imports(text, style_);
    if (!read) return false;
    if (!read->empty() && read->front().form == import_form::es_members && !imported_.contains(read->front().module))
      return false;
    for (const auto& one : *read)
      for (const auto& binding : one.bindings) {
        // The names that the import brings are not known.
        if (binding.local.empty() && (binding.name == "*" || binding.name == ".")) return false;
        imported_.insert(binding.local);
      }
    into.imports = std::move(*read);
    return true;
  }

  /// True if the node consists of definitions only; their names are recorded.
  bool define(TSNode node, part_statement& into, int depth) {
    const auto what = roles(node);
    if ((what & languages::role::definition) != 0) return take_definition(node, into);
    const bool wraps = (what & languages::role::wrapper) != 0;
    const bool holds_specs =
        (what & languages::role::container) != 0 && (what & (languages::role::branch | languages::role::nests)) == 0;
    constexpr int deepest = 4;
    if (depth > deepest || (what & languages::role::exporter) != 0 || (!wraps && !holds_specs)) return false;
    bool only = true;
    languages::each_child(node, [&](TSNode child, TSFieldId) {
      if (!ts_node_is_named(child) || !only) return;
      const auto kind = std::string_view{ts_node_type(child)};
      if (kind != "comment" && kind != "decorator") only = define(child, into, depth + 1);
    });
    return only;
  }

  /// `a = 1`, and `a = b = 1`, in which one assignment contains the other.
  bool take_definition(TSNode node, part_statement& into) {
    bool plain = true;
    for (int chained = 0; plain; ++chained) {
      const auto& rule = grammar_.definitions[ts_node_symbol(node)];
      into.shareable = rule.kind != languages::definition_kind::value;
      languages::each_child(node, [&](TSNode child, TSFieldId field) {
        if (field == rule.name && ts_node_is_named(child)) plain = plain && take_names(child, into, 0);
      });
      if (const auto receiver = languages::child_in(node, rule.receiver); languages::exists(receiver)) {
        into.receiver = cohort::languages::text_of(receiver, text_);
        into.names = {blank_name};
      }
      const auto value = languages::child_in(node, rule.value);
      if (!languages::exists(value) || ts_node_symbol(value) != ts_node_symbol(node)) break;
      plain = plain && chained < longest_assignment;
      node = value;
    }
    return plain;
  }

  /// Reads a name or a pattern of names; false if the target of the assignment is anything else: an attribute, an
  /// element.
  bool take_names(TSNode node, part_statement& into, int depth) {
    if (ts_node_named_child_count(node) == 0) {
      into.names.push_back(cohort::languages::text_of(node, text_));
      return true;
    }
    const auto kind = std::string_view{ts_node_type(node)};
    if (kind.find("pattern") == std::string_view::npos || depth > deepest_pattern) return false;
    bool plain = true;
    languages::each_child(node, [&](TSNode child, TSFieldId) {
      if (ts_node_is_named(child) && plain) plain = take_names(child, into, depth + 1);
    });
    return plain;
  }

  [[nodiscard]] bool declares_tests(std::string_view function) const {
    return lists(rules_.groups, function) || lists(grammar_.tests.calls, function);
  }

  /// Finds what the calls in a statement declare: tests, or hooks outside of tests.
  [[nodiscard]] statement_kind declared_by_calls(TSNode node) const {
    bool tests = false;
    bool hooks = false;
    languages::each_node(node, [&](TSNode at) {
      if ((roles(at) & languages::role::call) == 0) return true;
      const auto called = cohort::languages::text_of(languages::child_in(at, grammar_.call_function), text_);
      const auto tail = called.substr(called.size() - std::min(called.size(), longest_called));
      const bool hook = lists(rules_.hooks, tail.substr(tail.rfind('.') + 1));  // `test.beforeEach`
      const bool declares = !hook && declares_tests(first_word(called.substr(0, longest_called)));
      tests = tests || declares;
      hooks = hooks || hook;
      return !declares;
    });
    return hooks ? statement_kind::hook : tests ? statement_kind::test : statement_kind::effect;
  }

  const languages::grammar_rules& grammar_;
  const languages::part_rules& rules_;
  languages::import_style style_;
  std::string_view text_;
  std::set<std::string, std::less<>> imported_;
};

std::string why_not_mergeable(const test_part& part, const languages::part_rules& rules,
                              const languages::locals_query* locals) {
  if (locals == nullptr || !part.tree || part.names.tangled) return "its names cannot be told apart";
  for (const auto& mark : rules.whole_file_marks)
    if (part.text.find(mark) != std::string::npos) return fmt::format("'{}' acts on a whole file", mark);
  for (const auto& name : rules.whole_file_names)
    if (part.defined.contains(name)) return fmt::format("'{}' acts on a whole file", name);
  for (const auto name : part.defined)
    if (part.names.pinned.contains(name)) return fmt::format("'{}' may stand for something else, too", printable(name));
  const bool needs_function =
      part.has(statement_kind::hook) ||
      std::any_of(part.statements.begin(), part.statements.end(), [](const auto& one) { return one.function_wide; });
  for (const auto& one : part.statements) {
    if (one.kind == statement_kind::effect)
      return fmt::format("'{}' does something when it is loaded", printable(part.text_of(one), 40));
    if (one.awaits && needs_function)
      return fmt::format("'{}' waits outside of a function", printable(part.text_of(one), 40));
  }
  return {};
}

}  // namespace

test_part::test_part(const languages::language& lang, const languages::prompt_language& conventions,
                     std::string_view target, std::string whole)
    : text(std::move(whole)) {
  const auto& grammar = lang.rules_for(target);
  const auto* locals = lang.locals_for(target);
  tree = languages::parse_tree(grammar, text);
  if (tree) {
    const auto root = ts_tree_root_node(tree.get());
    if (locals != nullptr) names = locals->names_in(root, text);
    statement_classifier classifier{grammar, conventions, text};
    uint32_t done = 0;
    languages::each_child(root, [&](TSNode child, TSFieldId) {
      if (ts_node_start_byte(child) == ts_node_end_byte(child)) return;
      if (!ts_node_is_named(child)) return;  // A line break or `;` between statements.
      statements.push_back(classifier.classify(child));
      auto& one = statements.back();
      one.gap = std::string_view{text}.substr(done, one.at.begin - done);
      done = one.at.end;
    });
  }
  for (const auto& one : statements) {
    for (const auto name : one.names)
      if (name != blank_name || conventions.imports != languages::import_style::go) defined.insert(name);
    for (const auto& import : one.imports)
      for (const auto& binding : import.bindings)
        if (!binding.local.empty()) imported.insert(binding.local);
  }
  // Two types are the same only if their methods are, too.
  std::set<std::string_view> receivers;  // The identifiers in "(s *stub)".
  for (const auto& one : statements)
    languages::each_word(one.receiver, [&receivers](std::string_view word) { receivers.insert(word); });
  for (auto& one : statements)
    if (std::any_of(one.names.begin(), one.names.end(), [&](const auto name) { return receivers.contains(name); }))
      one.shareable = false;
  not_mergeable = why_not_mergeable(*this, conventions.parts, locals);
}

bool test_part::has(statement_kind kind) const noexcept {
  return std::any_of(statements.begin(), statements.end(), [kind](const auto& one) { return one.kind == kind; });
}

}  // namespace cohort::answers
