// Parses one file. One walk over the tree counts and collects; the symbols are read from the statements at the top.

#include "languages/syntax/parser.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "languages/paths/naming_of_tests.hpp"
#include "languages/syntax/complexity.hpp"
#include "languages/syntax/import_reader.hpp"
#include "languages/syntax/symbol_reader.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "languages/syntax/tree_walk.hpp"

namespace cohort::languages {

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
    walk_tree(tree, rules_, wanted, [this](TSNode node, uint32_t what, uint32_t& level, const node_ancestors& around) {
      return enter(node, what, level, around);
    });
    sort_mentions();
  }

  [[nodiscard]] const std::vector<uint32_t>& branches() const noexcept { return branches_; }
  [[nodiscard]] uint32_t nesting() const noexcept { return nesting_; }
  [[nodiscard]] bool calls_imports() const noexcept { return calls_imports_; }

 private:
  /// False if the nodes below do not matter.
  bool enter(TSNode node, uint32_t what, uint32_t& level, const node_ancestors& around) {
    if ((what & role::branch) != 0) branches_.push_back(ts_node_start_byte(node));
    if ((what & role::nests) != 0) nesting_ = std::max(nesting_, ++level);
    if ((what & role::unnests) != 0 && level > 0 && continues_decision(node)) --level;
    if ((what & role::import) != 0 || ((what & role::exporter) != 0 && exists(child_in(node, rules_.export_source)))) {
      read_import(rules_, node, text_, into_);
      return false;
    }
    if ((what & role::call) != 0 && read_import_call(rules_, node, around, text_, into_)) calls_imports_ = true;
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

size_t symbols_in(const std::vector<symbol>& symbols) {
  size_t count = symbols.size();
  for (const auto& one : symbols) count += symbols_in(one.members);
  return count;
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
class reexport_marker {
 public:
  explicit reexport_marker(parsed_file& parsed) : parsed_(parsed) {
    for (const auto& alias : parsed.aliases) {
      by_local_[alias.local].push_back(&alias);
      renamed_[alias.import].insert(alias.name);
    }
    for (uint32_t i = 0; i < parsed.file.imports.size(); ++i)
      for (const auto& name : parsed.file.imports[i].names)
        if (auto& importers = by_name_[name]; importers.empty() || importers.back() != i) importers.push_back(i);
  }

  void mark(const std::vector<std::pair<std::string, std::string>>& exports) {
    for (const auto& [local, exported] : exports) {
      if (parsed_.reexports.size() > most_reexports) break;  // One import can be re-exported any number of times.
      if (const auto found = by_local_.find(local); found != by_local_.end())
        for (const auto* alias : found->second) hand_on(alias->import, alias->name, exported);
      if (const auto found = by_name_.find(local); found != by_name_.end())
        for (const auto import : found->second)
          if (const auto names = renamed_.find(import); names == renamed_.end() || !names->second.contains(local))
            hand_on(import, local, exported);
    }
    std::stable_sort(parsed_.reexports.begin(), parsed_.reexports.end(),
                     [](const import_alias& a, const import_alias& b) { return a.import < b.import; });
  }

 private:
  static constexpr size_t most_reexports = 100'000;

  void hand_on(uint32_t import, const std::string& name, const std::string& exported) {
    parsed_.file.imports[import].is_reexport = true;
    parsed_.reexports.push_back({import, name, exported});
  }

  parsed_file& parsed_;
  std::unordered_map<std::string_view, std::vector<const import_alias*>> by_local_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> by_name_;         ///< Importers, ascending.
  std::unordered_map<uint32_t, std::unordered_set<std::string_view>> renamed_;  ///< Names with an alias, by import.
};

module_system modules_of(const language& lang, const file_symbols& found, const walk& walked,
                         const parsed_file& parsed) {
  if (lang.modules.style != module_style::relative) return module_system::none;
  if (found.exports_whole) return module_system::commonjs;  // TypeScript compiles this to `module.exports =`.
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
  if (!tree) return fail(ec::unparsable, why_not_parsed());
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
  if (symbols_in(found.symbols) > most_symbols)
    return fail(ec::unparsable, fmt::format("it defines more than {} names", most_symbols));
  if (!found.exports.empty()) reexport_marker{parsed}.mark(found.exports);
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

}  // namespace cohort::languages
