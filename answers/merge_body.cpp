// Puts statements together from ranges of the part's own text, so that nothing is written anew.

#include "answers/merge_body.hpp"

#include <algorithm>
#include <set>

namespace cohort::answers {

namespace {

constexpr std::string_view indentation = "  ";

}  // namespace

renamed_uses::renamed_uses(const test_part& part, const rename_map& renames) : part_(part) {
  for (const auto& [name, fresh] : renames)
    if (const auto uses = part.names.uses.find(name); uses != part.names.uses.end())
      for (const auto& at : uses->second) changes_.emplace_back(at, fresh);
  std::sort(changes_.begin(), changes_.end(),
            [](const auto& a, const auto& b) { return a.first.begin < b.first.begin; });
}

renamed_uses::changes::const_iterator renamed_uses::first_in(const part_statement& one) const {
  return std::lower_bound(changes_.begin(), changes_.end(), one.at.begin,
                          [](const auto& change, uint32_t begin) { return change.first.begin < begin; });
}

bool renamed_uses::any_in(const part_statement& one) const {
  const auto first = first_in(one);
  return first != changes_.end() && first->first.end <= one.at.end;
}

std::string renamed_uses::text_of(const part_statement& one) const {
  std::string result;
  auto done = one.at.begin;
  for (auto at = first_in(one); at != changes_.end() && at->first.end <= one.at.end; ++at) {
    result += std::string_view{part_.text}.substr(done, at->first.begin - done);
    result += at->second;
    done = at->first.end;
  }
  result += std::string_view{part_.text}.substr(done, one.at.end - done);
  return result;
}

std::string body_of(const body_plan& plan) {
  const auto& part = *plan.part;
  const auto head = merged_head::length_in(part);
  const renamed_uses uses{part, plan.renames};
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
    body += uses.text_of(one);
    adjacent = true;
  }
  return body;
}

std::string indented(const std::string& text, const languages::language& lang, std::string_view target) {
  std::set<uint32_t> inside_string;  // Beginnings of lines that are inside a string.
  const auto& grammar = lang.rules_for(target);
  if (const auto tree = languages::parse_tree(grammar, text)) {
    languages::each_node(ts_tree_root_node(tree.get()), [&](TSNode node) {
      if (std::string_view{ts_node_type(node)}.find("string") == std::string_view::npos) return true;
      const auto begin = ts_node_start_byte(node);
      const auto inside = languages::text_of(node, text);
      for (auto at = inside.find('\n'); at != std::string_view::npos; at = inside.find('\n', at + 1))
        inside_string.insert(begin + static_cast<uint32_t>(at) + 1);
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

}  // namespace cohort::answers
