// Holds a language's "syntax" compiled for one grammar: what each kind of node means, as tables indexed by node symbol.
// Besides compiled_grammars.hpp the only header that shows tree-sitter; included by few .cpp files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tree_sitter/api.h>

namespace cohort::languages {

/// What a kind of node is to us; a node may have several roles.
namespace role {
inline constexpr uint32_t branch = 1U << 0;   ///< A decision point.
inline constexpr uint32_t nests = 1U << 1;    ///< Nodes inside are nested one level deeper.
inline constexpr uint32_t unnests = 1U << 2;  ///< Nodes inside are one level less deep: the `else` of an `else if`.
inline constexpr uint32_t import = 1U << 3;   ///< `import_rule` says how to read the node.
inline constexpr uint32_t call = 1U << 4;
inline constexpr uint32_t identifier = 1U << 5;
inline constexpr uint32_t container = 1U << 6;  ///< Holds definitions.
inline constexpr uint32_t wrapper = 1U << 7;    ///< Belongs to the definition inside: decorators, `const`.
inline constexpr uint32_t exporter = 1U << 8;   ///< `export ...`.
inline constexpr uint32_t definition = 1U << 9;
inline constexpr uint32_t anonymous = 1U << 10;  ///< A function or class as a value.
inline constexpr uint32_t alias = 1U << 11;
inline constexpr uint32_t rest = 1U << 12;  ///< `*args`, `...rest`.
inline constexpr uint32_t export_assignment = 1U << 13;
inline constexpr uint32_t transparent = 1U << 14;  ///< Means what its first child means: parentheses.
inline constexpr uint32_t specifier = 1U << 15;    ///< One name of an import or export.
inline constexpr uint32_t object = 1U << 16;       ///< A literal whose members are exported.
inline constexpr uint32_t shorthand = 1U << 17;    ///< `{ name }` in such a literal.
inline constexpr uint32_t optional_token = 1U << 18;
inline constexpr uint32_t import_clause = 1U << 19;     ///< A bare identifier in it is the default import.
inline constexpr uint32_t parameter_prefix = 1U << 20;  ///< Before a parameter's name: `private`, a decorator.
inline constexpr uint32_t pattern = 1U << 21;           ///< A parameter that is a pattern: `{ a, b }`.
inline constexpr uint32_t name_space = 1U << 22;        ///< All of a module under one name: `* as shop`.
inline constexpr uint32_t not_imported = 1U << 23;      ///< A condition that may never hold when the file is imported.
}  // namespace role

enum class definition_kind : uint8_t { function, class_type, type, constant, value };

struct definition_rule {
  definition_kind kind = definition_kind::function;
  TSFieldId name = 0;
  TSFieldId parameters = 0;
  TSFieldId parameter = 0;  ///< The only parameter, without parentheses.
  TSFieldId body = 0;
  TSFieldId value = 0;
  TSFieldId receiver = 0;  ///< Go: names the type that this is a method of.
};

struct import_rule {
  TSFieldId module = 0;
  bool each_is_a_module = false;  ///< `import a, b`.
  TSFieldId names = 0;            ///< Fields that hold the imported names.
};

struct alias_rule {
  TSFieldId name = 0;
  TSFieldId alias = 0;
};

struct visibility_rule {
  enum class by : uint8_t { name, exported, upper_case } how = by::name;
  std::vector<std::string> hidden_prefixes;
  std::string export_list;  ///< Python: a list with this name holds the public names.
};

/// A function that is a test by its name.
struct test_function_shape {
  std::vector<std::string> names;            ///< Globs.
  std::vector<std::string> parameter_types;  ///< Globs on the type of the only parameter; empty: any parameters.
};

/// What a test looks like, whatever the framework. Names are globs unless they are names of calls.
struct test_shapes {
  std::vector<test_function_shape> functions;  ///< At the top level.
  TSFieldId parameter_type = 0;

  std::vector<std::string> classes;  ///< By their names,
  std::vector<std::string> bases;    ///< or by a base's last name; a base may be such a class itself.
  std::vector<std::string> methods;  ///< Methods that are tests if such a class has them.
  TSFieldId class_bases = 0;

  std::vector<std::string> calls;      ///< "it", "describe.each": the functions that are called, anywhere.
  std::vector<std::string> modifiers;  ///< May follow: `it.only`.
  std::vector<std::string> modules;    ///< Their default export is such a call: "node:test".

  [[nodiscard]] bool none() const noexcept { return functions.empty() && methods.empty() && calls.empty(); }
};

/// Tables are indexed by TSSymbol.
struct grammar_rules {
  const TSLanguage* grammar = nullptr;
  std::vector<std::string> extensions;
  std::vector<uint32_t> roles;
  std::vector<definition_rule> definitions;  ///< For `definition` and `anonymous` nodes.
  std::vector<import_rule> imports;
  std::vector<alias_rule> aliases;

  TSFieldId call_function = 0, call_arguments = 0;
  std::vector<std::string> import_calls;  ///< "require", "import".
  TSFieldId export_declaration = 0, export_value = 0, export_source = 0, export_name = 0, export_alias = 0;
  std::string export_whole_mark;  ///< `export = Cart`; empty: the language has no such export.
  TSFieldId not_imported_condition = 0, not_imported_body = 0;
  std::vector<std::string> not_imported_names;  ///< "TYPE_CHECKING": never true when the program runs.
  std::vector<std::string> not_imported_texts;  ///< "__name__ == '__main__'": never true in an imported module.
  TSFieldId assign_left = 0, assign_right = 0;
  std::vector<std::string> assign_whole, assign_members;  ///< "module.exports"; "exports."
  std::string assign_prototype;                           ///< `Cart.prototype.add = ...`; empty: there are none.

  std::vector<std::string> receiver_parameters, static_marks, hidden_marks;
  visibility_rule visibility;
  test_shapes tests;

  [[nodiscard]] uint32_t roles_of(TSSymbol symbol) const noexcept {
    return symbol < roles.size() ? roles[symbol] : 0;  // ERROR nodes have symbol 65535
  }
};

}  // namespace cohort::languages
