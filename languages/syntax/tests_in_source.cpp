// Looks for functions and classes where a framework collects them: in statements, never inside functions. Calls count
// anywhere, because a loop or a function of the file may make them.

#include "languages/syntax/tests_in_source.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <unordered_set>
#include <utility>

#include "languages/paths/glob.hpp"
#include "languages/syntax/import_reader.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "languages/syntax/tree_walk.hpp"

namespace cohort::languages {

namespace {

constexpr int deepest_statement = 40;  ///< As for definitions; nobody writes deeper ones.

bool is_one_of(std::string_view name, const std::vector<std::string>& globs) noexcept {
  return std::any_of(globs.begin(), globs.end(), [name](const auto& glob) { return glob_match(glob, name); });
}

bool contains(const std::vector<std::string>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "unittest.TestCase" -> "TestCase"
std::string_view last_name(std::string_view path) noexcept { return path.substr(path.rfind('.') + 1); }

using name_list = std::vector<std::string>;

constexpr size_t longest_name = 200;  ///< Of a test's name, in bytes; tests repeat the name of their class.

/// Functions by name, and methods of classes by name. Stops at the first one, unless `all` collects the names.
class definition_finder {
 public:
  definition_finder(const grammar_rules& rules, std::string_view text, name_list* all = nullptr)
      : rules_(rules), text_(text), all_(all) {}

  [[nodiscard]] bool finds_one_in(TSNode root) {
    look_at_children(root, position::file, 0);
    return found_;
  }

 private:
  enum class position : uint8_t { file, test_class };

  [[nodiscard]] std::string_view text(TSNode node) const noexcept { return text_of(node, text_); }

  void look_at_children(TSNode node, position where, int depth) {
    each_child(node, [&](TSNode child, TSFieldId) {
      if (!found_ || all_ != nullptr) visit(child, where, depth + 1);
    });
  }

  void visit(TSNode node, position where, int depth) {
    if (depth > deepest_statement) return;
    const auto what = rules_.roles_of(ts_node_symbol(node));
    if ((what & role::definition) != 0) return define(node, where, depth);
    if ((what & (role::container | role::wrapper)) != 0) look_at_children(node, where, depth);
  }

  void define(TSNode node, position where, int depth) {
    const auto& rule = rules_.definitions[ts_node_symbol(node)];
    const auto name_node = child_in(node, rule.name);
    if (!exists(name_node)) return;
    const auto name = text(name_node);
    if (rule.kind == definition_kind::function) {
      const bool is_test =
          where == position::file ? is_test_function(node, rule, name) : is_one_of(name, rules_.tests.methods);
      if (is_test && all_ != nullptr) all_->push_back(class_ + std::string{name.substr(0, longest_name)});
      found_ = found_ || is_test;
    } else if (rule.kind == definition_kind::class_type && is_test_class(node, name)) {
      const auto outer = std::exchange(class_, class_ + std::string{name.substr(0, longest_name)} + '.');
      if (const auto body = child_in(node, rule.body); exists(body))
        look_at_children(body, position::test_class, depth);
      class_ = outer;
    }
  }

  [[nodiscard]] bool is_test_function(TSNode node, const definition_rule& rule, std::string_view name) const {
    if (exists(child_in(node, rule.receiver))) return false;
    return std::any_of(rules_.tests.functions.begin(), rules_.tests.functions.end(), [&](const auto& shape) {
      return is_one_of(name, shape.names) && takes(child_in(node, rule.parameters), shape);
    });
  }

  [[nodiscard]] bool takes(TSNode parameters, const test_function_shape& shape) const {
    if (shape.parameter_types.empty()) return true;
    if (!exists(parameters) || ts_node_named_child_count(parameters) != 1) return false;
    const auto type = child_in(ts_node_named_child(parameters, 0), rules_.tests.parameter_type);
    return exists(type) && is_one_of(text(type), shape.parameter_types);
  }

  [[nodiscard]] bool is_test_class(TSNode node, std::string_view name) {
    bool is_test = is_one_of(name, rules_.tests.classes);
    if (const auto bases = child_in(node, rules_.tests.class_bases); exists(bases))
      each_child(bases, [&](TSNode base, TSFieldId) {
        const auto base_name = last_name(text(base));
        is_test = is_test || is_one_of(base_name, rules_.tests.bases) || test_classes_.contains(base_name);
      });
    if (is_test) test_classes_.insert(name);
    return is_test;
  }

  const grammar_rules& rules_;
  std::string_view text_;
  name_list* all_;
  std::string class_;  ///< The present class: "TestCart.".
  std::unordered_set<std::string_view> test_classes_;
  bool found_ = false;
};

/// Finds calls of a framework's functions, under the names that this file's imports give them.
class call_finder {
 public:
  call_finder(const grammar_rules& rules, std::string_view text, name_list* all = nullptr)
      : rules_(rules), text_(text), all_(all) {}

  [[nodiscard]] bool finds_one_in(const TSTree& tree) {
    walk_tree(tree, rules_, role::import | role::call,
              [this](TSNode node, uint32_t what, uint32_t&, const node_ancestors& around) {
                if (found_) return false;
                if ((what & role::import) != 0)
                  read_import(rules_, node, text_, imported_);
                else if (!read_import_call(rules_, node, around, text_, imported_) && is_test(node))
                  note(node, around);
                learn_aliases();
                return !found_ && (what & role::import) == 0;
              });
    return found_;
  }

 private:
  using names = std::vector<std::string_view>;

  [[nodiscard]] uint32_t roles(TSNode node) const noexcept { return rules_.roles_of(ts_node_symbol(node)); }

  /// A test is called by its first argument: `it("adds", ...)`. The inner call of `it.each(...)("adds", ...)` is not a
  /// test.
  void note(TSNode call, const node_ancestors& around) {
    if (all_ == nullptr) {
      found_ = true;
      return;
    }
    const auto outer = around.at(0);
    if (exists(outer) && (roles(outer) & role::call) != 0 && ts_node_eq(child_in(outer, rules_.call_function), call))
      return;
    const auto arguments = child_in(call, rules_.call_arguments);
    const bool has_title = exists(arguments) && ts_node_named_child_count(arguments) > 0;
    auto title = has_title ? text_of(ts_node_named_child(arguments, 0), text_) : std::string_view{};
    constexpr std::string_view quotes = "\"'`";
    if (title.size() > 1 && quotes.find(title.front()) != std::string_view::npos && title.back() == title.front())
      title = title.substr(1, title.size() - 2);
    all_->emplace_back(title.substr(0, longest_name));
  }

  /// `import { test as check } from ...` makes `check` a test, `import check from "node:test"` as well.
  void learn_aliases() {
    for (; aliases_read_ < imported_.aliases.size(); ++aliases_read_) {
      const auto& alias = imported_.aliases[aliases_read_];
      const bool is_test = alias.name == "default"
                               ? contains(rules_.tests.modules, imported_.file.imports[alias.import].module)
                               : contains(rules_.tests.calls, alias.name);
      if (is_test) local_names_.insert(alias.local);
    }
  }

  /// `it(...)`, `it.only(...)`, `it.each(...)(...)`; `t.test(...)` only if it is given a function: regular expressions
  /// have a `test`, too.
  [[nodiscard]] bool is_test(TSNode call) const {
    auto path = path_of(called(call));
    if (path.empty()) return false;
    if (names_test(path) || (local_names_.contains(std::string{path.front()}) && modifies_only(path, 1))) return true;
    while (path.size() > 1) {
      path.erase(path.begin());
      if (names_test(path)) return is_given_a_function(call);
    }
    return false;
  }

  /// The function that is called in the end: `it.each` in `it.each([1, 2])("adds", ...)`.
  [[nodiscard]] TSNode called(TSNode call) const {
    constexpr int most_calls_in_a_row = 3;
    for (int i = 0; i < most_calls_in_a_row && exists(call) && (roles(call) & role::call) != 0; ++i)
      call = child_in(call, rules_.call_function);
    return call;
  }

  /// "it", "only" of `it.only`. Empty if the text is longer than any name of a test: calls in a chain contain each
  /// other.
  [[nodiscard]] names path_of(TSNode function) const {
    constexpr size_t longest_path = 200;
    names path;
    if (!exists(function)) return path;
    auto written = text_of(function, text_);
    if (written.size() > longest_path) return path;
    while (true) {
      const auto dot = written.find('.');
      path.push_back(trimmed(written.substr(0, dot)));
      if (dot == std::string_view::npos) return path;
      written.remove_prefix(dot + 1);
    }
  }

  static std::string_view trimmed(std::string_view name) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    const auto begin = name.find_first_not_of(blank);
    return begin == std::string_view::npos ? std::string_view{}
                                           : name.substr(begin, name.find_last_not_of(blank) + 1 - begin);
  }

  /// True if the path begins with the name of a call and goes on with modifiers.
  [[nodiscard]] bool names_test(const names& path) const {
    std::string name;
    for (size_t i = 0; i < path.size(); ++i) {
      if (i > 0) name += '.';
      name += path[i];
      if (contains(rules_.tests.calls, name) && modifies_only(path, i + 1)) return true;
    }
    return false;
  }

  [[nodiscard]] bool modifies_only(const names& path, size_t from) const {
    return std::all_of(path.begin() + static_cast<std::ptrdiff_t>(from), path.end(),
                       [this](auto name) { return contains(rules_.tests.modifiers, name); });
  }

  [[nodiscard]] bool is_given_a_function(TSNode call) const {
    const auto arguments = child_in(call, rules_.call_arguments);
    bool found = false;
    if (exists(arguments))
      each_child(arguments, [&](TSNode one, TSFieldId) { found = found || (roles(one) & role::anonymous) != 0; });
    return found;
  }

  const grammar_rules& rules_;
  std::string_view text_;
  name_list* all_;
  parsed_file imported_;
  size_t aliases_read_ = 0;
  std::unordered_set<std::string> local_names_;
  bool found_ = false;
};

/// In a text with syntax errors, definitions and calls may have no nodes of their own, but their names do.
class name_finder {
 public:
  name_finder(const grammar_rules& rules, std::string_view text) : rules_(rules), text_(text) {}

  [[nodiscard]] bool finds_one_in(const TSTree& tree) const {
    bool found = false;
    walk_tree(tree, rules_, role::identifier, [&](TSNode node, uint32_t, uint32_t&) {
      found = found || seems_called(node) || seems_defined(node);
      return !found;
    });
    return found;
  }

 private:
  /// `it(`, `it.only`
  [[nodiscard]] bool seems_called(TSNode node) const {
    if (!contains(rules_.tests.calls, text_of(node, text_))) return false;
    const auto behind = text_.substr(std::min<size_t>(ts_node_end_byte(node), text_.size()));
    return behind.starts_with('(') ||
           (behind.starts_with('.') &&
            std::any_of(rules_.tests.modifiers.begin(), rules_.tests.modifiers.end(),
                        [behind](const auto& modifier) { return behind.substr(1).starts_with(modifier); }));
  }

  /// `def test_total(`: a keyword comes before the name.
  [[nodiscard]] bool seems_defined(TSNode node) const {
    const auto begin = ts_node_start_byte(node);
    const auto end = ts_node_end_byte(node);
    if (begin < 2 || end >= text_.size() || text_[end] != '(' || text_[begin - 1] != ' ' ||
        std::isalpha(static_cast<unsigned char>(text_[begin - 2])) == 0)
      return false;
    const auto name = text_of(node, text_);
    return is_one_of(name, rules_.tests.methods) ||
           std::any_of(rules_.tests.functions.begin(), rules_.tests.functions.end(),
                       [name](const auto& shape) { return is_one_of(name, shape.names); });
  }

  const grammar_rules& rules_;
  std::string_view text_;
};

bool holds_definition(const TSTree& tree, const grammar_rules& rules) {
  bool found = false;
  walk_tree(tree, rules, role::definition, [&found](TSNode, uint32_t, uint32_t&) {
    found = true;
    return false;
  });
  return found;
}

}  // namespace

bool holds_test(const TSTree& tree, const grammar_rules& rules, std::string_view text) {
  if (rules.tests.none()) return holds_definition(tree, rules);
  const auto root = ts_tree_root_node(&tree);
  if (ts_node_has_error(root)) return name_finder{rules, text}.finds_one_in(tree);
  return definition_finder{rules, text}.finds_one_in(root) ||
         (!rules.tests.calls.empty() && call_finder{rules, text}.finds_one_in(tree));
}

std::vector<std::string> names_of_tests(const TSTree& tree, const grammar_rules& rules, std::string_view text) {
  name_list names;
  if (rules.tests.none()) return names;
  (void)definition_finder{rules, text, &names}.finds_one_in(ts_tree_root_node(&tree));
  if (!rules.tests.calls.empty()) (void)call_finder{rules, text, &names}.finds_one_in(tree);
  return names;
}

}  // namespace cohort::languages
