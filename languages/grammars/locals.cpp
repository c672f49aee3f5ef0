// Decides which names belong to the file. Captures become marks on byte ranges; then one pass over the names looks
// through the scopes around each, from the innermost outwards.

#include "languages/grammars/locals.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "languages/syntax/identifiers.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "languages/syntax/tree_arena.hpp"

namespace cohort::languages {

namespace {

/// What a capture says about its node; a node may have several.
namespace mark {
constexpr uint32_t name = 1U << 0;
constexpr uint32_t definition = 1U << 1;
constexpr uint32_t outer_definition = 1U << 2;
constexpr uint32_t parameter = 1U << 3;
constexpr uint32_t global = 1U << 4;
constexpr uint32_t ignored = 1U << 5;
constexpr uint32_t pinned = 1U << 6;
constexpr uint32_t injectable = 1U << 7;
constexpr uint32_t injectable_mention = 1U << 8;
constexpr uint32_t scope = 1U << 9;
constexpr uint32_t class_scope = 1U << 10;
}  // namespace mark

struct capture_meaning {
  std::string_view name;
  uint32_t mark;
};

constexpr std::array<capture_meaning, 11> captures{{{"name", mark::name},
                                                    {"definition", mark::definition},
                                                    {"definition.outer", mark::outer_definition},
                                                    {"definition.parameter", mark::parameter},
                                                    {"definition.injectable", mark::injectable},
                                                    {"mention.injectable", mark::injectable_mention},
                                                    {"global", mark::global},
                                                    {"ignored", mark::ignored},
                                                    {"pinned", mark::pinned},
                                                    {"scope", mark::scope},
                                                    {"scope.class", mark::class_scope}}};

constexpr uint32_t most_matches_at_once = 1U << 12;  ///< Grows with the nesting, and each costs time at each node.
constexpr size_t deepest_scope = 100;                ///< Each name looks through all scopes around it.

struct marked_node {
  text_range at;
  uint32_t marks = 0;
};

struct scope {
  text_range at;
  bool is_class = false;
  std::optional<size_t> parent;  ///< None: the file.
  std::set<std::string_view> defined;
  std::set<std::string_view> global;
};

/// Assigns names to scopes.
class resolver {
 public:
  resolver(std::string_view text, std::vector<marked_node> nodes) : text_(text), nodes_(std::move(nodes)) {}

  file_names run() {
    open_scopes();
    if (found_.tangled) return std::move(found_);
    for (const auto& node : nodes_)
      if ((node.marks & mark::injectable) != 0) found_.injectable.insert(text_at(node));
    for (const auto& node : nodes_) define(node);
    for (const auto& node : nodes_) use(node);
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::string_view text_at(const marked_node& node) const {
    return text_.substr(node.at.begin, node.at.end - node.at.begin);
  }

  void open_scopes() {
    std::vector<size_t> open;
    size_t next = 0;
    around_.reserve(nodes_.size());
    for (const auto& node : nodes_) {
      while (!open.empty() && scopes_[open.back()].at.end <= node.at.begin) open.pop_back();
      const auto inside = open.empty() ? std::optional<size_t>{} : open.back();
      around_.push_back(inside);
      if ((node.marks & (mark::scope | mark::class_scope)) == 0) continue;
      scopes_.push_back({node.at, (node.marks & mark::class_scope) != 0, inside, {}, {}});
      open.push_back(next++);
      found_.tangled = found_.tangled || open.size() > deepest_scope;
    }
  }

  [[nodiscard]] std::optional<size_t> scope_of(const marked_node& node) const {
    return around_[static_cast<size_t>(&node - nodes_.data())];
  }

  void define(const marked_node& node) {
    const auto name = text_at(node);
    auto into = scope_of(node);
    if ((node.marks & mark::outer_definition) != 0 && into) into = scopes_[*into].parent;
    if ((node.marks & mark::global) != 0 && into) scopes_[*into].global.insert(name);
    const bool parameter = (node.marks & mark::parameter) != 0;
    if (parameter) found_.parameters.insert(name);
    const bool injected = parameter && found_.injectable.contains(name);
    constexpr auto defines = mark::definition | mark::outer_definition | mark::parameter | mark::injectable;
    if ((node.marks & defines) == 0 || injected) return;
    if (into && !scopes_[*into].global.contains(name))
      scopes_[*into].defined.insert(name);
    else
      found_.defined.insert(name);
  }

  void use(const marked_node& node) {
    const auto name = text_at(node);
    if ((node.marks & mark::pinned) != 0) found_.pinned.insert(name);
    if ((node.marks & mark::injectable_mention) != 0)
      each_word(name, [&](std::string_view word) {
        if (found_.injectable.contains(word)) found_.pinned.insert(word);
      });
    if ((node.marks & mark::name) != 0 && (node.marks & mark::ignored) == 0 && is_the_files(node, name))
      found_.uses[name].push_back(node.at);
  }

  /// True if no scope between the node and the file defines the name. Names of a class are visible in its own body
  /// only.
  [[nodiscard]] bool is_the_files(const marked_node& node, std::string_view name) const {
    auto at = scope_of(node);
    if ((node.marks & mark::outer_definition) != 0 && at) at = scopes_[*at].parent;
    for (bool own = true; at; at = scopes_[*at].parent, own = false) {
      const auto& one = scopes_[*at];
      if (one.global.contains(name)) return true;
      if ((own || !one.is_class) && one.defined.contains(name)) return false;
    }
    return true;
  }

  std::string_view text_;
  std::vector<marked_node> nodes_;
  std::vector<scope> scopes_;
  std::vector<std::optional<size_t>> around_;  ///< The innermost scope around each node.
  file_names found_;
};

struct cursor_deleter {
  void operator()(TSQueryCursor* cursor) const noexcept { ts_query_cursor_delete(cursor); }
};

}  // namespace

locals_query::~locals_query() {
  if (query_ != nullptr) ts_query_delete(query_);
}

expected<void> locals_query::compile() {
  if (query_ != nullptr) return {};
  install_tree_memory();
  uint32_t at = 0;
  auto problem = TSQueryErrorNone;
  query_ = ts_query_new(grammar_, text_.data(), static_cast<uint32_t>(text_.size()), &at, &problem);
  if (query_ == nullptr) {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + std::min<std::ptrdiff_t>(at, std::ssize(text_)), '\n');
    return fail(ec::config_invalid, fmt::format("line {}: {}", line,
                                                problem == TSQueryErrorNodeType ? "no such kind of node in the grammar"
                                                : problem == TSQueryErrorField  ? "no such field in the grammar"
                                                                                : "not a query"));
  }
  for (uint32_t i = 0; i < ts_query_capture_count(query_); ++i) {
    uint32_t length = 0;
    const char* name = ts_query_capture_name_for_id(query_, i, &length);
    const auto known = std::find_if(captures.begin(), captures.end(), [&](const auto& capture) {
      return capture.name == std::string_view{name, length};
    });
    if (known == captures.end()) {
      auto unknown = fail(ec::config_invalid, fmt::format("unknown capture '@{}'", std::string_view{name, length}));
      ts_query_delete(std::exchange(query_, nullptr));
      return unknown;
    }
    meanings_.push_back(known->mark);
  }
  return {};
}

file_names locals_query::names_in(TSNode root, std::string_view text) const {
  if (query_ == nullptr) return {};
  const std::unique_ptr<TSQueryCursor, cursor_deleter> cursor{ts_query_cursor_new()};
  ts_query_cursor_set_match_limit(cursor.get(), most_matches_at_once);
  ts_query_cursor_exec(cursor.get(), query_, root);
  std::vector<marked_node> nodes;
  for (TSQueryMatch match; ts_query_cursor_next_match(cursor.get(), &match);)
    for (uint16_t i = 0; i < match.capture_count; ++i) {
      const auto& capture = match.captures[i];
      nodes.push_back({{ts_node_start_byte(capture.node), ts_node_end_byte(capture.node)}, meanings_[capture.index]});
    }
  if (ts_query_cursor_did_exceed_match_limit(cursor.get())) {
    file_names unknown;
    unknown.tangled = true;
    return unknown;
  }
  // Outer before inner; the captures of one node side by side.
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) {
    return a.at.begin != b.at.begin ? a.at.begin < b.at.begin : a.at.end > b.at.end;
  });
  std::vector<marked_node> joined;
  for (const auto& node : nodes)
    if (!joined.empty() && joined.back().at.begin == node.at.begin && joined.back().at.end == node.at.end)
      joined.back().marks |= node.marks;
    else
      joined.push_back(node);
  return resolver{text, std::move(joined)}.run();
}

}  // namespace cohort::languages
