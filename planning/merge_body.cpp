// Texts are put together from ranges of the part's own text: nothing is written anew.

#include "planning/merge_body.hpp"

#include <algorithm>
#include <set>

namespace cohort {

namespace {

constexpr std::string_view indentation = "  ";

/// Calls `action(range, new name)` for each use within the statement.
template <class Action>
void each_renamed(const test_part& part, const part_statement& one, const rename_map& renames, Action action) {
  for (const auto& [name, fresh] : renames) {
    const auto uses = part.names.uses.find(name);
    if (uses == part.names.uses.end()) continue;
    auto at = std::lower_bound(uses->second.begin(), uses->second.end(), one.at.begin,
                               [](const text_range& range, uint32_t begin) { return range.begin < begin; });
    for (; at != uses->second.end() && at->end <= one.at.end; ++at) action(*at, fresh);
  }
}

}  // namespace

bool uses_any(const test_part& part, const part_statement& one, const rename_map& renames) {
  bool any = false;
  each_renamed(part, one, renames, [&](const text_range&, const std::string&) { any = true; });
  return any;
}

std::string renamed_text(const test_part& part, const part_statement& one, const rename_map& renames) {
  std::vector<std::pair<text_range, std::string_view>> changes;
  each_renamed(part, one, renames,
               [&](const text_range& at, const std::string& fresh) { changes.emplace_back(at, fresh); });
  std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
  std::string result;
  auto done = one.at.begin;
  for (const auto& [at, fresh] : changes) {
    result += part.text.substr(done, at.begin - done);
    result += fresh;
    done = at.end;
  }
  return result + part.text.substr(done, one.at.end - done);
}

std::string body_of(const body_plan& plan) {
  const auto& part = *plan.part;
  const auto head = merged_head::length_in(part);
  std::string body;
  bool adjacent = false;
  for (size_t i = 0; i < part.statements.size(); ++i) {
    const auto& one = part.statements[i];
    const bool elsewhere = merged_head::takes(one, i, head) || one.kind == statement_kind::main ||
                           one.kind == statement_kind::import || one.kind == statement_kind::setup;
    if (elsewhere || (!plan.left_out.empty() && plan.left_out[i])) {
      adjacent = false;
      continue;
    }
    if (!body.empty()) body += adjacent ? one.gap : std::string_view{"\n\n"};
    body += renamed_text(part, one, plan.renames);
    adjacent = true;
  }
  return body;
}

std::string indented(const std::string& text, const language& lang, std::string_view target) {
  std::set<uint32_t> inside_string;  // Beginnings of lines.
  const auto& grammar = lang.rules_for(target);
  if (const auto tree = parse_tree(grammar, text)) {
    each_node(ts_tree_root_node(tree.get()), [&](TSNode node) {
      if (std::string_view{ts_node_type(node)}.find("string") == std::string_view::npos) return true;
      for (auto at = text.find('\n', ts_node_start_byte(node)); at < ts_node_end_byte(node);
           at = text.find('\n', at + 1))
        inside_string.insert(static_cast<uint32_t>(at) + 1);
      return false;
    });
  }
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (text[at] != '\n' && !inside_string.contains(static_cast<uint32_t>(at))) result += indentation;
    result += text.substr(at, end - at);
    at = end;
  }
  return result;
}

}  // namespace cohort
