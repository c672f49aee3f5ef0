// Checks generated code: whether it parses, whether it holds a test, and which statements are at its top level.
// Declared in parser.hpp.

#include "languages/syntax/parser.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "languages/syntax/tests_in_source.hpp"

namespace cohort::languages {

namespace {

/// The first node in the order of the text that is an error or that the parser inserted.
TSNode first_error(TSNode root) {
  tree_cursor cursor{root};
  while (true) {
    const auto node = cursor.node();
    if (ts_node_is_missing(node) || ts_node_symbol(node) == static_cast<TSSymbol>(-1)) return node;
    if (ts_node_has_error(node) && cursor.first_child()) continue;
    while (!cursor.next_sibling())
      if (!cursor.parent()) return root;
  }
}

/// The kind of a statement at the top level.
class statement_reader {
 public:
  statement_reader(const grammar_rules& rules, std::string_view text) : rules_(rules), text_(text) {}

  top_level_node read(TSNode node) {
    top_level_node made{"other", {}, ts_node_start_byte(node), ts_node_end_byte(node)};
    look(node, 0);
    if (imports_) {
      made.kind = "import";
    } else if (definitions_ > 0) {
      made.kind = "definition";
      if (definitions_ == 1) made.name = name_;
    }
    return made;
  }

 private:
  [[nodiscard]] uint32_t roles(TSNode node) const noexcept { return rules_.roles_of(ts_node_symbol(node)); }

  void look(TSNode node, int depth) {
    const auto what = roles(node);
    if (depth > 4 || imports_) return;
    if ((what & role::import) != 0 || ((what & role::exporter) != 0 && exists(child_in(node, rules_.export_source)))) {
      imports_ = true;
      return;
    }
    if ((what & role::definition) != 0) return define(node);
    // A block (`if ...:`) is one statement; only nodes that wrap a definition are looked into.
    const bool wraps = (what & (role::wrapper | role::exporter)) != 0 || holds_only_specs(what);
    if (!wraps && depth == 0 && (what & role::branch) != 0) return;
    if (wraps || depth == 0)
      each_child(node, [&](TSNode child, TSFieldId) {
        if (ts_node_is_named(child)) look_below(child, depth + 1);
      });
  }

  static bool holds_only_specs(uint32_t what) noexcept {
    return (what & role::container) != 0 && (what & (role::branch | role::nests)) == 0;
  }

  void look_below(TSNode node, int depth) {
    const auto what = roles(node);
    constexpr auto interesting = role::import | role::definition | role::wrapper | role::exporter | role::container;
    if ((what & interesting) != 0) {
      if ((what & (role::branch | role::nests)) == 0) look(node, depth);
    } else if (depth == 1) {  // Go: import_declaration -> import_spec_list -> import_spec
      each_child(node, [&](TSNode child, TSFieldId) {
        if ((roles(child) & role::import) != 0) imports_ = true;
      });
    }
  }

  void define(TSNode node) {
    const auto& rule = rules_.definitions[ts_node_symbol(node)];
    if (rule.kind == definition_kind::value && binds_import(node, rule)) {
      imports_ = true;
      return;
    }
    ++definitions_;
    const auto name = child_in(node, rule.name);
    if (exists(name) && ((roles(name) & role::identifier) != 0 || rule.kind != definition_kind::value))
      name_ = std::string{text_of(name, text_)};
  }

  /// `const { a } = require("./a")`
  [[nodiscard]] bool binds_import(TSNode node, const definition_rule& rule) const {
    const auto value = child_in(node, rule.value);
    if (!exists(value)) return false;
    auto call = look_through(value, rules_);
    for (int i = 0; i < 3 && exists(call); ++i, call = ts_node_named_child(call, 0)) {  // through `await`, `.default`
      if ((roles(call) & role::call) == 0) continue;
      const auto function = child_in(call, rules_.call_function);
      for (const auto& name : rules_.import_calls)
        if (exists(function) && text_of(function, text_) == name) return true;
    }
    return false;
  }

  const grammar_rules& rules_;
  std::string_view text_;
  bool imports_ = false;
  int definitions_ = 0;
  std::string name_;
};

}  // namespace

syntax_report check_syntax(const language& lang, std::string_view path_or_extension, std::string_view text) {
  const auto& rules = lang.rules_for(path_or_extension);
  const auto tree = parse_tree(rules, text);
  if (!tree) return {false, false, true, 1, 1, why_not_parsed()};
  const auto root = ts_tree_root_node(tree.get());
  const bool tests = holds_test(*tree, rules, text);
  if (!ts_node_has_error(root)) return {true, tests, false, 0, 0, {}};
  const auto at = ts_node_start_point(first_error(root));
  return {false, tests, false, at.row + 1, at.column + 1, {}};
}

std::vector<top_level_node> top_level(const language& lang, std::string_view path_or_extension, std::string_view text) {
  std::vector<top_level_node> found;
  const auto& rules = lang.rules_for(path_or_extension);
  const auto tree = parse_tree(rules, text);
  if (!tree) return found;
  each_child(ts_tree_root_node(tree.get()), [&](TSNode child, TSFieldId) {
    if (ts_node_start_byte(child) < ts_node_end_byte(child)) found.push_back(statement_reader{rules, text}.read(child));
  });
  return found;
}

}  // namespace cohort::languages
