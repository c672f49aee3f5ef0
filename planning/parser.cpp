// One walk over the tree counts and collects; the symbols are read from the statements at the top.

#include "planning/parser.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "planning/complexity.hpp"
#include "planning/import_reader.hpp"
#include "planning/symbol_reader.hpp"
#include "planning/syntax_tree.hpp"
#include "planning/test_files.hpp"
#include "planning/tree_walk.hpp"

namespace cohort {

namespace {

uint32_t non_blank_lines(std::string_view text) noexcept {
  uint32_t lines = 0;
  bool blank = true;
  for (const char c : text) {
    if (c == '\n') {
      lines += blank ? 0 : 1;
      blank = true;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      blank = false;
    }
  }
  return lines + (blank ? 0 : 1);
}

/// Counts decisions, reads imports, collects identifiers.
class walk {
 public:
  walk(const grammar_rules& rules, std::string_view text, parsed_file& into)
      : rules_(rules), text_(text), into_(into), collect_(into.file.is_test) {}

  void run(const TSTree& tree) {
    const auto wanted = role::branch | role::nests | role::unnests | role::import | role::exporter | role::call |
                        (collect_ ? role::identifier : 0);
    walk_tree(tree, rules_, wanted,
              [this](TSNode node, uint32_t what, uint32_t& level) { return enter(node, what, level); });
    sort_mentions();
  }

  [[nodiscard]] const std::vector<uint32_t>& branches() const noexcept { return branches_; }
  [[nodiscard]] uint32_t nesting() const noexcept { return nesting_; }
  [[nodiscard]] bool calls_imports() const noexcept { return calls_imports_; }

 private:
  /// False if what is below the node does not matter.
  bool enter(TSNode node, uint32_t what, uint32_t& level) {
    if ((what & role::branch) != 0) branches_.push_back(ts_node_start_byte(node));
    if ((what & role::nests) != 0) nesting_ = std::max(nesting_, ++level);
    if ((what & role::unnests) != 0 && level > 0 && continues_decision(node)) --level;
    if ((what & role::import) != 0 || ((what & role::exporter) != 0 && exists(child_in(node, rules_.export_source)))) {
      read_import(rules_, node, text_, into_);
      return false;
    }
    if ((what & role::call) != 0 && read_import_call(rules_, node, text_, into_)) calls_imports_ = true;
    if (collect_ && (what & role::identifier) != 0) into_.mentions.push_back(name_hash(text_of(node, text_)));
    return true;
  }

  [[nodiscard]] bool continues_decision(TSNode node) const noexcept {
    const auto inner = ts_node_named_child(node, 0);
    return exists(inner) && (rules_.roles_of(ts_node_symbol(inner)) & role::branch) != 0;
  }

  void sort_mentions() {
    auto& mentions = into_.mentions;
    std::sort(mentions.begin(), mentions.end());
    mentions.erase(std::unique(mentions.begin(), mentions.end()), mentions.end());
    mentions.shrink_to_fit();
  }

  const grammar_rules& rules_;
  std::string_view text_;
  parsed_file& into_;
  const bool collect_;
  std::vector<uint32_t> branches_;  ///< Where they start, ascending.
  uint32_t nesting_ = 0;
  bool calls_imports_ = false;
};

void count_branches(std::vector<symbol>& symbols, const std::vector<uint32_t>& starts) {
  for (auto& one : symbols) {
    const auto first = std::lower_bound(starts.begin(), starts.end(), one.first_byte);
    one.branches = static_cast<uint32_t>(std::lower_bound(first, starts.end(), one.end_byte) - first);
    count_branches(one.members, starts);
  }
}

uint32_t count_callables(const std::vector<symbol>& symbols) {
  uint32_t count = 0;
  for (const auto& one : symbols) {
    count += one.kind == symbol_kind::function || one.kind == symbol_kind::method ? 1 : 0;
    count += count_callables(one.members);
  }
  return count;
}

/// `import { a as b } from "./a"; export { b as c };`
void mark_reexports(const std::vector<std::pair<std::string, std::string>>& exports, parsed_file& parsed) {
  auto& imports = parsed.file.imports;
  const auto renames = [&](uint32_t import, const std::string& name) {
    return std::any_of(parsed.aliases.begin(), parsed.aliases.end(),
                       [&](const import_alias& alias) { return alias.import == import && alias.name == name; });
  };
  const auto hand_on = [&](uint32_t import, const std::string& name, const std::string& exported) {
    imports[import].is_reexport = true;
    parsed.reexports.push_back({import, name, exported});
  };
  for (const auto& [local, exported] : exports) {
    for (const auto& alias : parsed.aliases)
      if (alias.local == local) hand_on(alias.import, alias.name, exported);
    for (uint32_t i = 0; i < imports.size(); ++i)
      if (std::find(imports[i].names.begin(), imports[i].names.end(), local) != imports[i].names.end() &&
          !renames(i, local))
        hand_on(i, local, exported);
  }
  std::stable_sort(parsed.reexports.begin(), parsed.reexports.end(),
                   [](const import_alias& a, const import_alias& b) { return a.import < b.import; });
}

module_system modules_of(const language& lang, const file_symbols& found, const walk& walked,
                         const parsed_file& parsed) {
  if (lang.modules.style != module_style::relative) return module_system::none;
  if (found.exports_whole) return module_system::commonjs;  // TypeScript makes `module.exports =` of it
  const bool statements = found.uses_exports || (!parsed.file.imports.empty() && !walked.calls_imports());
  if (statements) return module_system::esm;
  if (found.assigns_exports) return module_system::commonjs;
  return walked.calls_imports() ? module_system::commonjs : module_system::none;
}

}  // namespace

uint64_t name_hash(std::string_view name) noexcept {
  uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

expected<parsed_file> parse_file(const language& lang, std::string path, std::string_view text) {
  return parse_file(lang, std::move(path), text, sha256(text));
}

expected<parsed_file> parse_file(const language& lang, std::string path, std::string_view text, const digest& content) {
  const auto& rules = lang.rules_for(path);
  const auto tree = parse_tree(rules, text);
  if (!tree) return fail(ec::unparsable, fmt::format("'{}' is too tangled for the parser", printable(path)));
  const auto root = ts_tree_root_node(tree.get());
  parsed_file parsed;
  auto& file = parsed.file;
  file.is_test = is_test_path(lang, path);
  file.path = std::move(path);
  file.language = lang.id;
  file.content = content;
  file.bytes = static_cast<uint32_t>(text.size());
  file.lines = non_blank_lines(text);
  file.has_errors = ts_node_has_error(root);
  walk walked{rules, text, parsed};
  walked.run(*tree);
  auto found = read_symbols(rules, root, text);
  mark_reexports(found.exports, parsed);
  file.modules = modules_of(lang, found, walked, parsed);
  file.symbols = std::move(found.symbols);
  count_branches(file.symbols, walked.branches());
  file.complexity = complexity_of({static_cast<uint32_t>(walked.branches().size()), walked.nesting(), file.lines,
                                   count_callables(file.symbols), static_cast<uint32_t>(file.imports.size())});
  return parsed;
}

expected<source_file> parse_source(const language& lang, std::string path, std::string_view text) {
  auto parsed = parse_file(lang, std::move(path), text);
  if (!parsed) return tl::unexpected{parsed.error()};
  return std::move(parsed->file);
}

}  // namespace cohort
