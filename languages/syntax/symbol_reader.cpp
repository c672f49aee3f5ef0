// Finds definitions in statements only, never inside functions; looks into classes for their methods.

#include "languages/syntax/symbol_reader.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "languages/syntax/signature.hpp"

namespace cohort::languages {

namespace {

constexpr int deepest_container = 40;  ///< `if` in `if` in ...: deeper statements do not count as the top level.
constexpr size_t longest_head = 4096;  ///< Of a definition, in bytes; of a longer one only the end is searched.
constexpr size_t most_names = 200;     ///< Of one definition: `var a, b, c = 1, 2, 3`.

/// The nodes around a definition.
struct enclosing {
  TSNode outer{};                ///< The outermost wrapper: decorators, `export`.
  std::optional<uint32_t> head;  ///< Where the signature begins, if before the definition itself.
  bool exported = false;
  bool is_default = false;
  bool in_class = false;
  int depth = 0;  ///< The number of nodes around it, bodies of classes included.
};

bool starts_upper(std::string_view name) noexcept {
  return !name.empty() && name.front() >= 'A' && name.front() <= 'Z';
}

class definition_reader {
 public:
  definition_reader(const grammar_rules& rules, std::string_view text) : rules_(rules), text_(text) {}

  file_symbols read(TSNode root) {
    each_child(root, [&](TSNode child, TSFieldId) { visit(child, {}, found_.symbols); });
    attach_methods();
    attach_assigned();
    keep_one_for_each_name();
    apply_exports();
    apply_export_list();
    return std::move(found_);
  }

 private:
  [[nodiscard]] uint32_t roles(TSNode node) const noexcept { return rules_.roles_of(ts_node_symbol(node)); }
  [[nodiscard]] const definition_rule& rule_of(TSNode node) const { return rules_.definitions[ts_node_symbol(node)]; }
  [[nodiscard]] std::string_view text(TSNode node) const noexcept { return text_of(node, text_); }
  [[nodiscard]] std::string_view between(uint32_t begin, uint32_t end) const noexcept {
    return begin < end && end <= text_.size() ? text_.substr(begin, end - begin) : std::string_view{};
  }

  void visit(TSNode node, enclosing around, std::vector<symbol>& into) {
    const auto what = roles(node);
    if (what == 0 || ++around.depth > deepest_container) return;
    if ((what & role::exporter) != 0) return visit_export(node, around, into);
    if ((what & role::export_assignment) != 0) return visit_export_assignment(node, around, into);
    if ((what & role::definition) != 0) return define(node, around, into);
    if ((what & (role::container | role::wrapper)) == 0) return;
    if ((what & role::wrapper) != 0 && !wraps_several(node)) {
      if (!exists(around.outer)) around.outer = node;
      if ((what & role::container) != 0 && !around.head) around.head = ts_node_start_byte(node);
    }
    const bool not_imported = is_not_imported(node);
    each_child(node, [&](TSNode child, TSFieldId field) {
      if (!not_imported || field != rules_.not_imported_body) visit(child, around, into);
    });
  }

  /// `if TYPE_CHECKING:`, `if typing.TYPE_CHECKING:`, `if __name__ == "__main__":`. Names that its body binds cannot be
  /// imported.
  [[nodiscard]] bool is_not_imported(TSNode node) const {
    if ((roles(node) & role::not_imported) == 0) return false;
    auto condition = text(child_in(node, rules_.not_imported_condition));
    const auto& texts = rules_.not_imported_texts;
    if (std::find(texts.begin(), texts.end(), condition) != texts.end()) return true;
    if (condition.find_first_of(" \t\n([") != std::string_view::npos) return false;  // `not TYPE_CHECKING`, ...
    condition.remove_prefix(condition.rfind('.') + 1);
    const auto& names = rules_.not_imported_names;
    return std::find(names.begin(), names.end(), condition) != names.end();
  }

  /// `const a = 1, b = 2`: neither of the two owns the statement.
  [[nodiscard]] bool wraps_several(TSNode node) const {
    int inside = 0;
    each_child(node, [&](TSNode child, TSFieldId) { inside += (roles(child) & role::definition) != 0 ? 1 : 0; });
    return inside > 1;
  }

  void visit_export(TSNode node, enclosing around, std::vector<symbol>& into) {
    if (!around.in_class && export_assigns(node, around, into)) return;
    if (!around.in_class) found_.uses_exports = true;
    if (exists(child_in(node, rules_.export_source))) return;  // A re-export, which is read as an import.
    around.outer = node;
    around.exported = true;
    each_child(node,
               [&](TSNode child, TSFieldId) { around.is_default = around.is_default || text(child) == "default"; });
    if (const auto declaration = child_in(node, rules_.export_declaration); exists(declaration))
      return visit(declaration, around, into);
    if (const auto value = child_in(node, rules_.export_value); exists(value)) {
      if (const auto local = look_through(value, rules_); (roles(local) & role::identifier) != 0)
        found_.exports.emplace_back(text(local), "default");
      else
        define_value("default", node, local, around, into);
      return;
    }
    each_child(node, [&](TSNode clause, TSFieldId) {
      each_child(clause, [&](TSNode one, TSFieldId) {
        if ((roles(one) & role::specifier) == 0) return;
        const auto name = child_in(one, rules_.export_name);
        const auto alias = child_in(one, rules_.export_alias);
        found_.exports.emplace_back(text(name), unquoted(text(exists(alias) ? alias : name)));
      });
    });
  }

  /// `export = Cart`: like `module.exports = Cart`. False if the statement is another kind of export.
  bool export_assigns(TSNode node, enclosing around, std::vector<symbol>& into) {
    if (rules_.export_whole_mark.empty()) return false;
    bool marked = false;
    TSNode value{};
    each_child(node, [&](TSNode child, TSFieldId) {
      if (marked && !exists(value) && ts_node_is_named(child)) value = look_through(child, rules_);
      marked = marked || text(child) == rules_.export_whole_mark;
    });
    if (!exists(value)) return false;
    found_.exports_whole = true;
    around.outer = node;
    around.exported = true;
    export_whole(node, value, around, into);
    return true;
  }

  /// `a = b = value`: a and b, and the value.
  struct assignment {
    std::vector<std::string_view> targets;
    TSNode value{};
  };

  [[nodiscard]] assignment read_assignment(TSNode node) const {
    assignment found;
    while (exists(node) && (roles(node) & role::export_assignment) != 0) {
      found.targets.push_back(text(child_in(node, rules_.assign_left)));
      const auto right = child_in(node, rules_.assign_right);
      node = exists(right) ? look_through(right, rules_) : right;
    }
    found.value = node;
    return found;
  }

  void visit_export_assignment(TSNode node, const enclosing& around, std::vector<symbol>& into) {
    const auto found = read_assignment(node);
    if (!exists(found.value) || export_assigned(node, found, around, into)) return;
    assign_member(found.targets.back(), node, found.value, around);
  }

  /// False if none of the targets is exported.
  bool export_assigned(TSNode node, const assignment& found, enclosing around, std::vector<symbol>& into) {
    around.exported = true;
    const auto is_whole = [&](std::string_view target) {
      return std::find(rules_.assign_whole.begin(), rules_.assign_whole.end(), target) != rules_.assign_whole.end();
    };
    if (std::any_of(found.targets.begin(), found.targets.end(), is_whole)) {
      found_.assigns_exports = true;
      whole_names_.insert(found.targets.begin(), found.targets.end());
      export_whole(node, found.value, around, into);
      return true;
    }
    for (const auto target : found.targets)
      for (const auto& prefix : rules_.assign_members) {
        if (!target.starts_with(prefix)) continue;
        found_.assigns_exports = true;
        const auto name = target.substr(prefix.size());
        if (name == "default")
          default_member_ = found.value;
        else if (is_plain(name))
          export_named(name, node, found.value, around, into);
        return true;
      }
    return false;
  }

  static bool is_plain(std::string_view name) noexcept {
    return !name.empty() && name.find_first_of(".[(") == std::string_view::npos;
  }

  /// `cart.add = function ...` and `Cart.prototype.add = function ...`. At the end of the file it is known whether
  /// these are exported.
  void assign_member(std::string_view target, TSNode node, TSNode value, enclosing around) {
    const auto dot = target.find('.');
    if (dot == std::string_view::npos) return;
    const auto owner = target.substr(0, dot);
    auto name = target.substr(dot + 1);
    const auto& prototype = rules_.assign_prototype;
    around.in_class = !prototype.empty() && name.size() > prototype.size() && name.starts_with(prototype) &&
                      name[prototype.size()] == '.';
    if (around.in_class) name.remove_prefix(prototype.size() + 1);
    if (!is_plain(name)) return;
    around.exported = true;
    std::vector<symbol> made;
    define_value(name, node, value, around, made);
    for (auto& one : made) (around.in_class ? prototypes_ : assigned_).emplace_back(owner, std::move(one));
  }

  /// `exports.default = x` is only a member unless `module.exports = exports.default` follows.
  [[nodiscard]] TSNode behind_default_member(TSNode value) const {
    const auto written = text(value);
    const bool meant = std::any_of(rules_.assign_members.begin(), rules_.assign_members.end(), [&](const auto& prefix) {
      return written.size() > prefix.size() && written.starts_with(prefix) &&
             written.substr(prefix.size()) == "default";
    });
    return meant && exists(default_member_) ? default_member_ : value;
  }

  void export_whole(TSNode node, TSNode value, enclosing around, std::vector<symbol>& into) {
    value = behind_default_member(value);
    if ((roles(value) & role::object) == 0) {
      around.is_default = true;
      if ((roles(value) & role::identifier) != 0) {
        found_.exports.emplace_back(text(value), "default");
        whole_names_.insert(text(value));
      } else {
        define_value("default", node, value, around, into);
      }
      return;
    }
    around.outer = {};
    around.head = {};
    each_child(value, [&](TSNode member, TSFieldId) {
      if ((roles(member) & role::shorthand) != 0) found_.exports.emplace_back(text(member), text(member));
      if ((roles(member) & role::definition) == 0) return;
      const auto& rule = rule_of(member);
      const auto inner = look_through(child_in(member, rule.value), rules_);
      if (rule.kind == definition_kind::value && exists(inner) && (roles(inner) & role::identifier) != 0)
        found_.exports.emplace_back(text(inner), unquoted(text(child_in(member, rule.name))));
      else
        define(member, around, into);
    });
  }

  void export_named(std::string_view name, TSNode node, TSNode value, const enclosing& around,
                    std::vector<symbol>& into) {
    if ((roles(value) & role::identifier) != 0)
      found_.exports.emplace_back(text(value), name);
    else
      define_value(name, node, value, around, into);
  }

  void define(TSNode node, const enclosing& around, std::vector<symbol>& into) {
    const auto& rule = rule_of(node);
    if (rule.kind == definition_kind::value) {
      const auto name = child_in(node, rule.name);
      const bool quoted = exists(name) && unquoted(text(name)).size() < text(name).size();
      if (!exists(name) || (!around.in_class && !quoted && (roles(name) & role::identifier) == 0)) return;  // a pattern
      if (const auto list = text(name); !around.in_class && list == rules_.visibility.export_list && !list.empty())
        export_list_ = child_in(node, rule.value);
      if (!around.in_class && defines_and_exports(text(name), node, child_in(node, rule.value), around, into)) return;
      define_value(unquoted(text(name)), node, child_in(node, rule.value), around, into);
      return;
    }
    size_t names = 0;
    each_child(node, [&](TSNode child, TSFieldId field) {  // `const a, b = 1, 2` has two names
      if (field != rule.name || rule.name == 0 || !ts_node_is_named(child) || ++names > most_names) return;
      const auto name = unquoted(text(child));
      if (!name.empty() && name.front() != '[') add(name, node, node, rule, around, into);
    });
  }

  /// `const cart = module.exports = ...`, `const add = exports.add = ...`.
  bool defines_and_exports(std::string_view name, TSNode node, TSNode value, const enclosing& around,
                           std::vector<symbol>& into) {
    if (!exists(value) || (roles(value) & role::export_assignment) == 0) return false;
    auto found = read_assignment(value);
    found.targets.push_back(name);
    return exists(found.value) && export_assigned(node, found, around, into);
  }

  /// `name = value`, where the value may be a function, a class, or a call that wraps a function.
  void define_value(std::string_view name, TSNode node, TSNode value, const enclosing& around,
                    std::vector<symbol>& into) {
    value = exists(value) ? look_through(value, rules_) : value;
    if (exists(value) && (roles(value) & role::call) != 0) {
      const auto called = text(child_in(value, rules_.call_function));
      if (std::find(rules_.import_calls.begin(), rules_.import_calls.end(), called) != rules_.import_calls.end())
        return;
      if (const auto wrapped = function_among_arguments(value); exists(wrapped)) value = wrapped;
    }
    if (exists(value) && (roles(value) & role::anonymous) != 0)
      return add(name, node, value, rule_of(value), around, into);
    static const definition_rule constant{definition_kind::constant, 0, 0, 0, 0, 0, 0};
    if (!around.in_class) add(name, node, node, constant, around, into);
  }

  /// `memo(() => ...)`, `memo(forwardRef(function ...))`.
  [[nodiscard]] TSNode function_among_arguments(TSNode call) const {
    TSNode found{};
    for (int depth = 0; depth < 4 && !exists(found) && exists(call); ++depth) {
      TSNode inner_call{};
      if (const auto arguments = child_in(call, rules_.call_arguments); exists(arguments))
        each_child(arguments, [&](TSNode argument, TSFieldId) {
          if (exists(found)) return;
          if ((roles(argument) & role::anonymous) != 0) found = argument;
          if ((roles(argument) & role::call) != 0 && !exists(inner_call)) inner_call = argument;
        });
      call = inner_call;
    }
    return found;
  }

  /// `node` is the statement-like part, `body_owner` the node that has parameters and body.
  void add(std::string_view name, TSNode node, TSNode body_owner, const definition_rule& rule, const enclosing& around,
           std::vector<symbol>& into) {
    const auto range = exists(around.outer) ? around.outer : node;
    const auto body = child_in(body_owner, rule.body);
    const auto head = around.head.value_or(ts_node_start_byte(node));
    const auto head_end = exists(body) ? ts_node_start_byte(body) : ts_node_end_byte(node);
    symbol made;
    made.name = std::string{name};
    made.kind = kind_of(rule.kind, around.in_class);
    made.signature = one_line_signature(between(head, head_end).substr(0, longest_head));
    made.is_default_export = around.is_default;
    made.first_byte = ts_node_start_byte(range);
    made.end_byte = ts_node_end_byte(range);
    made.first_line = ts_node_start_point(range).row + 1;
    made.last_line = ts_node_end_point(range).row + 1;
    const auto parameters = child_in(body_owner, rule.parameters);
    const auto parameter = child_in(body_owner, rule.parameter);
    const auto list = exists(parameters) ? parameters : parameter;
    auto before = between(made.first_byte, exists(list) ? ts_node_start_byte(list) : head_end);
    before.remove_prefix(before.size() - std::min(before.size(), longest_head));
    made.is_async = rule.kind == definition_kind::function && holds_word(before, "async");
    if (around.in_class) made.is_static = holds_any(before, rules_.static_marks);
    made.is_public = is_public(name, before, around);
    if (exists(list)) made.parameters = read_parameters(rules_, list, text_, around.in_class, exists(parameters));
    if (rule.kind == definition_kind::class_type && exists(body)) add_members(body, around.depth, made);
    if (const auto receiver = child_in(node, rule.receiver); exists(receiver))
      methods_.emplace_back(receiver_type(receiver), std::move(made));
    else
      into.push_back(std::move(made));
  }

  static symbol_kind kind_of(definition_kind kind, bool in_class) noexcept {
    switch (kind) {
      case definition_kind::function: return in_class ? symbol_kind::method : symbol_kind::function;
      case definition_kind::class_type: return symbol_kind::class_type;
      case definition_kind::type: return symbol_kind::type;
      case definition_kind::constant:
      case definition_kind::value: return symbol_kind::constant;
    }
    return symbol_kind::constant;
  }

  void add_members(TSNode body, int depth, symbol& owner) {
    enclosing inside;
    inside.in_class = true;
    inside.depth = depth;
    std::vector<symbol> members;
    each_child(body, [&](TSNode child, TSFieldId) { visit(child, inside, members); });
    std::erase_if(members, [](const symbol& member) {
      return member.kind != symbol_kind::method && member.kind != symbol_kind::function;
    });
    std::unordered_set<std::string> names;
    for (auto& member : members)
      if (names.insert(member.name).second) owner.members.push_back(std::move(member));  // getter and setter: one
    if (owner.members.empty()) owner.kind = symbol_kind::type;  // Only data, so there is nothing to run.
  }

  [[nodiscard]] bool is_public(std::string_view name, std::string_view before, const enclosing& around) const {
    const auto& rule = rules_.visibility;
    for (const auto& prefix : rule.hidden_prefixes)
      if (name.starts_with(prefix)) return false;
    if (around.in_class && holds_any(before, rules_.hidden_marks)) return false;
    switch (rule.how) {
      case visibility_rule::by::name: return true;
      case visibility_rule::by::exported: return around.in_class || around.exported;
      case visibility_rule::by::upper_case: return starts_upper(name);
    }
    return false;
  }

  [[nodiscard]] std::string receiver_type(TSNode receiver) const {
    std::string name;  // "(c *Cart[T])": the first word that is not the variable
    const auto written = text(receiver);
    const auto star_or_space = written.find_last_of(" *(");
    for (const char c : written.substr(star_or_space == std::string_view::npos ? 0 : star_or_space + 1)) {
      if (c == '[' || c == ')' || c == ',') break;
      name += c;
    }
    return name;
  }

  /// The first symbol of each name.
  [[nodiscard]] std::unordered_map<std::string, size_t> symbols_by_name() const {
    std::unordered_map<std::string, size_t> found;
    for (size_t i = 0; i < found_.symbols.size(); ++i) found.emplace(found_.symbols[i].name, i);
    return found;
  }

  void attach_methods() {
    if (methods_.empty()) return;
    const auto owners = symbols_by_name();
    for (auto& [type, method] : methods_) {
      method.kind = symbol_kind::method;
      const auto owner = owners.find(type);
      if (owner == owners.end()) {  // Its type is in another file of the folder.
        method.name = type + "." + method.name;
        found_.symbols.push_back(std::move(method));
        continue;
      }
      found_.symbols[owner->second].kind = symbol_kind::class_type;
      found_.symbols[owner->second].members.push_back(std::move(method));
    }
  }

  /// If a module exports an object whole, what is assigned to the object is exported. What is assigned to the prototype
  /// of a function is its method.
  void attach_assigned() {
    std::unordered_map<std::string_view, size_t> owners;
    if (!prototypes_.empty())
      for (size_t i = 0; i < found_.symbols.size(); ++i)
        if (found_.symbols[i].kind != symbol_kind::constant) owners.emplace(found_.symbols[i].name, i);
    for (auto& [type, method] : prototypes_) {
      const auto found = owners.find(type);
      if (found == owners.end() || method.kind != symbol_kind::method) continue;
      auto& owner = found_.symbols[found->second];
      if (method.first_byte < owner.end_byte) continue;
      owner.kind = symbol_kind::class_type;
      owner.members.push_back(std::move(method));
    }
    for (auto& [object, member] : assigned_)
      if (whole_names_.contains(object)) found_.symbols.push_back(std::move(member));
    if (!assigned_.empty())
      std::stable_sort(found_.symbols.begin(), found_.symbols.end(),
                       [](const symbol& a, const symbol& b) { return a.first_byte < b.first_byte; });
  }

  void keep_one_for_each_name() {
    std::unordered_map<std::string_view, size_t> last;
    for (size_t i = 0; i < found_.symbols.size(); ++i) last[found_.symbols[i].name] = i;
    if (last.size() == found_.symbols.size()) return;
    std::vector<bool> keep(found_.symbols.size());
    for (const auto& [name, index] : last) keep[index] = true;
    last.clear();
    std::vector<symbol> kept;
    for (size_t i = 0; i < keep.size(); ++i)
      if (keep[i]) kept.push_back(std::move(found_.symbols[i]));
    found_.symbols = std::move(kept);
  }

  void apply_exports() {
    if (found_.exports.empty()) return;
    auto symbols = symbols_by_name();
    for (const auto& [local, exported] : found_.exports) {
      const auto found = symbols.find(local);
      if (found == symbols.end()) continue;
      const auto index = found->second;
      auto& known = found_.symbols[index];
      known.is_public = true;
      if (exported == "default") {
        known.is_default_export = true;
      } else {
        symbols.erase(found);
        symbols.emplace(exported, index);
        known.name = exported;  // The only name under which a test can import the symbol.
      }
    }
  }

  void apply_export_list() {
    if (!exists(export_list_)) return;
    std::unordered_set<std::string_view> listed;
    each_child(export_list_, [&](TSNode item, TSFieldId) {
      if (ts_node_is_named(item)) listed.insert(unquoted(text(item)));
    });
    for (auto& known : found_.symbols) known.is_public = listed.contains(known.name);
  }

  const grammar_rules& rules_;
  std::string_view text_;
  file_symbols found_;
  std::vector<std::pair<std::string, symbol>> methods_;  ///< Receiver's type -> method.
  TSNode default_member_{};                              ///< The value of `exports.default`.
  std::unordered_set<std::string_view> whole_names_;  ///< The names in this file of the object that it exports whole.
  /// Assignments to an object, and to a prototype; each with the object's name.
  std::vector<std::pair<std::string_view, symbol>> assigned_, prototypes_;
  TSNode export_list_{};
};

}  // namespace

file_symbols read_symbols(const grammar_rules& rules, TSNode root, std::string_view text) {
  return definition_reader{rules, text}.read(root);
}

}  // namespace cohort::languages
