// Reads imports in their forms: statements with fields, specifiers somewhere below them, and calls.

#include "languages/syntax/import_reader.hpp"

#include <algorithm>
#include <vector>

namespace cohort::languages {

namespace {

constexpr int deepest_specifier = 6;

class module_reader {
 public:
  module_reader(const grammar_rules& rules, std::string_view text, parsed_file& into)
      : rules_(rules), text_(text), into_(into) {}

  void statement(TSNode node) {
    const auto& rule = rules_.imports[ts_node_symbol(node)];
    if (rule.each_is_a_module) {
      each_child(node, [&](TSNode child, TSFieldId field) {
        if (field != rule.module) return;
        const auto name = original(child);
        open(unquoted(text(exists(name) ? name : child)));
      });
      return;
    }
    auto module = child_in(node, rule.module);
    if (!exists(module))  // `import x = require("./x")`: one level down
      each_child(node, [&](TSNode child, TSFieldId) {
        if (!exists(module)) module = child_in(child, rule.module);
      });
    if (!exists(module)) return;
    open(unquoted(text(module)));
    if (rule.names != 0)
      each_child(node, [&](TSNode child, TSFieldId field) {
        if (field == rule.names) take_name(child);
      });
    specifiers(node, 0);
  }

  void reexport(TSNode node) {
    open(unquoted(text(child_in(node, rules_.export_source))));
    into_.file.imports.back().is_reexport = true;
    hands_on_ = true;
    specifiers(node, 0);
  }

  void call(const node_ancestors& around, std::string_view module) {
    constexpr size_t deepest_binding = 3;
    open(module);
    hand_on_call(around);
    for (size_t i = 0; i < deepest_binding; ++i) {
      const auto holder = around.at(i);
      if (!exists(holder)) return;
      const auto what = rules_.roles_of(ts_node_symbol(holder));
      if ((what & role::definition) == 0) continue;
      bind(child_in(holder, rules_.definitions[ts_node_symbol(holder)].name));
      return;
    }
  }

 private:
  [[nodiscard]] uint32_t roles(TSNode node) const noexcept { return rules_.roles_of(ts_node_symbol(node)); }
  [[nodiscard]] std::string_view text(TSNode node) const noexcept {
    return exists(node) ? text_of(node, text_) : std::string_view{};
  }

  void open(std::string_view module) {
    import_ref made;
    made.module = std::string{module};
    into_.file.imports.push_back(std::move(made));
  }

  void add_alias(std::string_view name, std::string_view local) {
    const auto index = static_cast<uint32_t>(into_.file.imports.size() - 1);
    into_.aliases.push_back({index, std::string{name}, std::string{local}});
  }

  void add_reexport(std::string_view name, std::string_view exported) {
    const auto index = static_cast<uint32_t>(into_.file.imports.size() - 1);
    into_.reexports.push_back({index, std::string{name}, std::string{exported}});
  }

  /// `module.exports = require("./x")`, `= { ...require("./x"), cart: require("./cart") }`, `exports.cart =
  /// require(...)`.
  void hand_on_call(const node_ancestors& around) {
    constexpr size_t deepest_holder = 4;
    std::string_view key;
    for (size_t i = 0; i < deepest_holder; ++i) {
      const auto holder = around.at(i);
      if (!exists(holder)) return;
      const auto what = roles(holder);
      if ((what & (role::anonymous | role::call)) != 0) return;  // The value of a function or call is not the module.
      if ((what & role::definition) != 0)
        key = unquoted(text(child_in(holder, rules_.definitions[ts_node_symbol(holder)].name)));
      if ((what & role::export_assignment) == 0) continue;
      const auto target = text(child_in(holder, rules_.assign_left));
      const auto& whole = rules_.assign_whole;
      if (std::find(whole.begin(), whole.end(), target) == whole.end()) {
        for (const auto& prefix : rules_.assign_members)
          if (target.starts_with(prefix)) key = target.substr(prefix.size());
        if (key.empty() || !target.ends_with(key)) continue;
      }
      into_.file.imports.back().is_reexport = true;
      if (key.empty()) return;
      add_reexport("*", key);
      add_reexport("default", key);
      return;
    }
  }

  [[nodiscard]] TSNode original(TSNode node) const {
    if ((roles(node) & role::alias) == 0) return {};
    return child_in(node, rules_.aliases[ts_node_symbol(node)].name);
  }

  /// Reads a name as the module has it, and remembers its name in this file.
  void take_name(TSNode node) {
    const auto name = original(node);
    const auto written = unquoted(text(exists(name) ? name : node));
    into_.file.imports.back().names.emplace_back(written);
    if (!exists(name)) return;
    if (const auto local = child_in(node, rules_.aliases[ts_node_symbol(node)].alias); exists(local))
      add_alias(written, text(local));
  }

  void specifiers(TSNode node, int depth) {
    if (depth > deepest_specifier) return;
    const bool clause = (roles(node) & role::import_clause) != 0;
    each_child(node, [&](TSNode child, TSFieldId) {
      if (!ts_node_is_named(child)) return;
      const auto what = roles(child);
      if ((what & role::specifier) != 0) {
        take_specifier(child);
      } else if ((what & role::name_space) != 0) {
        take_namespace(child);
      } else if (clause && (what & role::identifier) != 0) {
        into_.file.imports.back().names.emplace_back("default");
        add_alias("default", text(child));
      } else {
        specifiers(child, depth + 1);
      }
    });
  }

  void take_specifier(TSNode node) {
    if ((roles(node) & role::alias) != 0) return take_name(node);
    const auto name = child_in(node, rules_.export_name);  // of `export { a as b } from`
    const auto alias = child_in(node, rules_.export_alias);
    const auto written = unquoted(text(exists(name) ? name : node));
    into_.file.imports.back().names.emplace_back(written);
    if (hands_on_) add_reexport(written, exists(alias) ? unquoted(text(alias)) : written);
  }

  /// `* as shop`
  void take_namespace(TSNode node) {
    TSNode name{};
    each_child(node, [&](TSNode child, TSFieldId) {
      if (ts_node_is_named(child)) name = child;
    });
    if (!exists(name)) return;
    if (hands_on_)
      add_reexport("*", unquoted(text(name)));
    else
      add_alias("*", text(name));
  }

  /// Reads the names that `const <pattern> = require(...)` binds.
  void bind(TSNode pattern) {
    if (!exists(pattern)) return;
    if ((roles(pattern) & role::identifier) != 0) return add_alias("default", text(pattern));
    each_child(pattern, [&](TSNode one, TSFieldId) {
      if ((roles(one) & (role::identifier | role::alias)) != 0) take_name(one);
    });
  }

  const grammar_rules& rules_;
  std::string_view text_;
  parsed_file& into_;
  bool hands_on_ = false;  ///< Within `export ... from`.
};

}  // namespace

void read_import(const grammar_rules& rules, TSNode node, std::string_view text, parsed_file& into) {
  module_reader from{rules, text, into};
  if ((rules.roles_of(ts_node_symbol(node)) & role::exporter) != 0)
    from.reexport(node);
  else
    from.statement(node);
}

bool read_import_call(const grammar_rules& rules, TSNode node, const node_ancestors& around, std::string_view text,
                      parsed_file& into) {
  const auto called = child_in(node, rules.call_function);
  if (!exists(called)) return false;
  const auto name = text_of(called, text);
  if (std::find(rules.import_calls.begin(), rules.import_calls.end(), name) == rules.import_calls.end()) return false;
  const auto arguments = child_in(node, rules.call_arguments);
  const auto first = exists(arguments) ? ts_node_named_child(arguments, 0) : TSNode{};
  if (!exists(first)) return false;
  const auto written = text_of(first, text);
  const auto module = unquoted(written);
  if (module.size() == written.size()) return false;  // The module's name is computed, so it is not known.
  module_reader{rules, text, into}.call(around, module);
  return true;
}

}  // namespace cohort::languages
