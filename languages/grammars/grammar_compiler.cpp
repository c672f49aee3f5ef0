// Compiles "syntax" into tables. Kinds are looked up by name over all symbols, because aliases share names.

#include "languages/grammars/grammar_compiler.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace cohort::languages {

namespace {

class compiler {
 public:
  compiler(const TSLanguage* grammar, grammar_names& names) : names_(names) {
    rules_->grammar = grammar;
    const auto count = ts_language_symbol_count(grammar);
    rules_->roles.resize(count);
    rules_->definitions.resize(count);
    rules_->imports.resize(count);
    rules_->aliases.resize(count);
  }

  std::shared_ptr<const grammar_rules> compile(const config_reader& syntax, std::vector<std::string> extensions) {
    rules_->extensions = std::move(extensions);
    definitions(syntax.at("definitions"), role::definition);
    if (syntax.has("anonymous")) definitions(syntax.at("anonymous"), role::anonymous);
    marks(syntax);
    imports(syntax);
    if (syntax.has("calls")) calls(syntax.at("calls"));
    if (syntax.has("exports")) exports(syntax.at("exports"));
    if (syntax.has("not_imported")) not_imported(syntax.at("not_imported"));
    if (syntax.has("export_assignments")) export_assignments(syntax.at("export_assignments"));
    visibility(syntax.at("visibility"));
    if (syntax.has("tests")) tests(syntax.at("tests"), syntax.has("calls"));
    rules_->receiver_parameters = syntax.texts_or_none("receiver_parameters");
    rules_->static_marks = syntax.texts_or_none("static_marks");
    rules_->hidden_marks = syntax.texts_or_none("hidden_marks");
    return rules_;
  }

 private:
  template <class Action>
  void each_symbol(const std::string& kind, bool named, Action action) {
    names_.used_kinds.insert(kind);
    const auto symbols = static_cast<TSSymbol>(rules_->roles.size());
    for (TSSymbol symbol = 0; symbol < symbols; ++symbol) {
      const bool is_named = ts_language_symbol_type(rules_->grammar, symbol) == TSSymbolTypeRegular;
      if (is_named != named || ts_language_symbol_name(rules_->grammar, symbol) != kind) continue;
      names_.known_kinds.insert(kind);
      action(symbol);
    }
  }

  void give(const std::vector<std::string>& kinds, uint32_t what, bool named = true) {
    for (const auto& kind : kinds) each_symbol(kind, named, [&](TSSymbol symbol) { rules_->roles[symbol] |= what; });
  }

  TSFieldId field(const std::string& name) {
    if (name.empty()) return 0;
    names_.used_fields.insert(name);
    const auto id = ts_language_field_id_for_name(rules_->grammar, name.c_str(), static_cast<uint32_t>(name.size()));
    if (id != 0) names_.known_fields.insert(name);
    return id;
  }

  void definitions(const config_reader& described, uint32_t what) {
    for (const auto& [kind, one] : described.members()) {
      definition_rule rule;
      rule.kind = kind_named(one, one.text("kind"));
      rule.name = field(one.text_or("name", ""));
      rule.parameters = field(one.text_or("parameters", ""));
      rule.parameter = field(one.text_or("parameter", ""));
      rule.body = field(one.text_or("body", ""));
      rule.value = field(one.text_or("value", ""));
      rule.receiver = field(one.text_or("receiver", ""));
      each_symbol(kind, true, [&](TSSymbol symbol) {
        rules_->roles[symbol] |= what;
        rules_->definitions[symbol] = rule;
      });
    }
  }

  static definition_kind kind_named(const config_reader& where, const std::string& name) {
    if (name == "function") return definition_kind::function;
    if (name == "class") return definition_kind::class_type;
    if (name == "type") return definition_kind::type;
    if (name == "constant") return definition_kind::constant;
    if (name == "value") return definition_kind::value;
    where.report(fmt::format("unknown kind '{}'; known are function, class, type, constant, value", name));
    return definition_kind::constant;
  }

  void marks(const config_reader& syntax) {
    give(syntax.texts("containers"), role::container);
    give(syntax.texts_or_none("wrappers"), role::wrapper);
    give(syntax.texts_or_none("transparent"), role::transparent);
    give(syntax.texts("branches"), role::branch);
    give(syntax.texts_or_none("branch_tokens"), role::branch, false);
    give(syntax.texts("nests"), role::nests);
    give(syntax.texts_or_none("unnests"), role::unnests);
    give(syntax.texts("identifiers"), role::identifier);
    give(syntax.texts_or_none("rest_parameters"), role::rest);
    give(syntax.texts_or_none("parameter_prefixes"), role::parameter_prefix);
    give(syntax.texts_or_none("parameter_patterns"), role::pattern);
    give(syntax.texts_or_none("optional_tokens"), role::optional_token, false);
  }

  void imports(const config_reader& syntax) {
    for (const auto& [kind, one] : syntax.at("imports").members()) {
      import_rule rule;
      rule.each_is_a_module = one.has("modules");
      rule.module = field(one.text(rule.each_is_a_module ? "modules" : "module"));
      rule.names = field(one.text_or("names", ""));
      if (one.has("specifiers")) give({one.text("specifiers")}, role::specifier);
      if (one.has("default_in")) give({one.text("default_in")}, role::import_clause);
      give(one.texts_or_none("namespaces"), role::name_space);
      each_symbol(kind, true, [&](TSSymbol symbol) {
        rules_->roles[symbol] |= role::import;
        rules_->imports[symbol] = rule;
      });
    }
    if (!syntax.has("aliases")) return;
    for (const auto& [kind, one] : syntax.at("aliases").members()) {
      const alias_rule rule{field(one.text("name")), field(one.text("alias"))};
      each_symbol(kind, true, [&](TSSymbol symbol) {
        rules_->roles[symbol] |= role::alias;
        rules_->aliases[symbol] = rule;
      });
    }
  }

  void calls(const config_reader& described) {
    give({described.text("node")}, role::call);
    rules_->call_function = field(described.text("function"));
    rules_->call_arguments = field(described.text("arguments"));
    rules_->import_calls = described.texts("imports");
  }

  void exports(const config_reader& described) {
    give({described.text("node")}, role::exporter);
    give({described.text("specifier")}, role::specifier);
    rules_->export_declaration = field(described.text("declaration"));
    rules_->export_value = field(described.text("value"));
    rules_->export_source = field(described.text("source"));
    rules_->export_name = field(described.text("name"));
    rules_->export_alias = field(described.text("alias"));
    rules_->export_whole_mark = described.text_or("whole_mark", "");
  }

  void not_imported(const config_reader& described) {
    give({described.text("node")}, role::not_imported);
    rules_->not_imported_condition = field(described.text("condition"));
    rules_->not_imported_body = field(described.text("body"));
    rules_->not_imported_names = described.texts_or_none("names");
    rules_->not_imported_texts = described.texts_or_none("texts");
  }

  void export_assignments(const config_reader& described) {
    give({described.text("node")}, role::export_assignment);
    give({described.text("object")}, role::object);
    give({described.text("shorthand")}, role::shorthand);
    rules_->assign_left = field(described.text("left"));
    rules_->assign_right = field(described.text("right"));
    rules_->assign_whole = described.texts("whole");
    rules_->assign_members = described.texts("members");
    rules_->assign_prototype = described.text_or("prototype", "");
  }

  void visibility(const config_reader& described) {
    const auto how = described.text("by");
    if (how == "name")
      rules_->visibility.how = visibility_rule::by::name;
    else if (how == "export")
      rules_->visibility.how = visibility_rule::by::exported;
    else if (how == "upper_case")
      rules_->visibility.how = visibility_rule::by::upper_case;
    else
      described.report(fmt::format("unknown 'by': '{}'; known are name, export, upper_case", how));
    rules_->visibility.hidden_prefixes = described.texts_or_none("hidden_prefixes");
    rules_->visibility.export_list = described.text_or("export_list", "");
  }

  void tests(const config_reader& described, bool knows_calls) {
    auto& shapes = rules_->tests;
    shapes.parameter_type = field(described.text_or("parameter_type", ""));
    if (described.has("functions"))
      for (const auto& one : described.at("functions").items()) {
        shapes.functions.push_back({names(one, "names"), one.texts_or_none("parameter_types")});
        if (one.has("parameter_types") && shapes.parameter_type == 0)
          one.report("'parameter_types' need the field 'parameter_type' beside 'functions'");
      }
    if (described.has("classes")) {
      const auto classes = described.at("classes");
      shapes.classes = classes.texts_or_none("names");
      shapes.class_bases = field(classes.text_or("bases_in", ""));
      shapes.bases = classes.texts_or_none("bases");
      shapes.methods = names(classes, "methods");
    }
    if (described.has("calls")) shapes.calls = names(described, "calls");
    shapes.modifiers = described.texts_or_none("modifiers");
    shapes.modules = described.texts_or_none("modules");
    if (!shapes.calls.empty() && !knows_calls) described.report("'calls' need 'syntax.calls'");
    if (shapes.none()) described.report("'functions', 'classes' or 'calls' are needed");
  }

  /// A list of names that is not empty, none of them empty.
  static std::vector<std::string> names(const config_reader& where, std::string_view member) {
    auto found = where.texts(member);
    if (found.empty() || std::find(found.begin(), found.end(), "") != found.end())
      where.at(member).report("names are expected");
    return found;
  }

  std::shared_ptr<grammar_rules> rules_ = std::make_shared<grammar_rules>();
  grammar_names& names_;
};

}  // namespace

std::shared_ptr<const grammar_rules> compile_syntax(const TSLanguage* grammar, const config_reader& syntax,
                                                    std::vector<std::string> extensions, grammar_names& names) {
  return compiler{grammar, names}.compile(syntax, std::move(extensions));
}

}  // namespace cohort::languages
