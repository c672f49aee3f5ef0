// Splits a source into parts. Pieces are byte ranges of the file; a part is a set of pieces, put together in the file's
// order.

#include "planning/prompts/source_split.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

#include <fmt/format.h>

#include "languages/syntax/identifiers.hpp"

namespace cohort::planning {

namespace {

constexpr size_t most_parts = 200;  ///< Of one file; each repeats its imports.

struct byte_range {
  size_t begin = 0;
  size_t end = 0;
  [[nodiscard]] size_t size() const noexcept { return end > begin ? end - begin : 0; }
};

/// The smallest unit of a part: a symbol, or a class with some of its methods.
struct piece {
  languages::symbol what;
  std::vector<byte_range> ranges;
  uint32_t units = 1;
  [[nodiscard]] size_t bytes() const noexcept {
    size_t sum = 0;
    for (const auto& one : ranges) sum += one.size() + 2;
    return sum;
  }
};

/// A definition of the file that a part may show for context.
struct context_node {
  std::string name;
  byte_range where;
};

/// The file's statements, classified once.
struct file_layout {
  std::vector<byte_range> head;  ///< Imports, and other statements while there is room.
  size_t head_bytes = 0;
  std::vector<context_node> others;  ///< Definitions.
  std::vector<languages::top_level_node> nodes;
};

byte_range with_indentation(std::string_view text, byte_range where) noexcept {
  while (where.begin > 0 && (text[where.begin - 1] == ' ' || text[where.begin - 1] == '\t')) --where.begin;
  return where;
}

/// The beginnings of symbols and their methods. Some are plain statements: `exports.add = function ...`.
std::map<size_t, std::string_view> names_by_place(std::span<const languages::symbol> symbols) {
  std::map<size_t, std::string_view> names;
  for (const auto& one : symbols) {
    names.emplace(one.first_byte, one.name);
    for (const auto& member : one.members) names.emplace(member.first_byte, member.name);
  }
  return names;
}

file_layout lay_out(const languages::language& lang, const languages::source_file& file, std::string_view text,
                    const split_limits& limits) {
  file_layout layout;
  layout.nodes = languages::top_level(lang, file.path, text);
  const auto room = limits.max_source_bytes / 4;
  for (const auto& node : layout.nodes)
    if (node.kind == "import") layout.head.push_back({node.begin, node.end});
  for (const auto& one : layout.head) layout.head_bytes += one.size() + 2;
  const auto symbols = names_by_place(file.symbols);
  for (const auto& node : layout.nodes) {
    const byte_range where{node.begin, node.end};
    const auto inside = symbols.lower_bound(where.begin);
    if (node.kind == "definition") {
      layout.others.push_back({node.name, where});
    } else if (node.kind != "import" && inside != symbols.end() && inside->first < where.end) {
      layout.others.push_back({std::string{inside->second}, where});
    } else if (node.kind != "import" && layout.head_bytes + where.size() + 2 <= room) {
      layout.head.push_back(where);
      layout.head_bytes += where.size() + 2;
    }
  }
  return layout;
}

/// The whole statement around a symbol: with `export`, decorators and the semicolon.
byte_range statement_around(const languages::symbol& what, const file_layout& layout) {
  const auto after =
      std::upper_bound(layout.nodes.begin(), layout.nodes.end(), what.first_byte,
                       [](uint32_t at, const languages::top_level_node& node) { return at < node.begin; });
  byte_range where{what.first_byte, what.end_byte};
  if (after != layout.nodes.begin()) {
    const auto& node = *std::prev(after);
    if (what.end_byte <= node.end) where = {node.begin, node.end};
  }
  return where;
}

/// Methods in Go, and those of a JavaScript prototype, are outside of their type.
bool stands_inside(const languages::symbol& member, byte_range whole) noexcept {
  return whole.begin <= member.first_byte && member.end_byte <= whole.end;
}

/// Cuts a class into several pieces: each has the class's beginning (and constructor) and as many of its methods as
/// fit.
std::vector<piece> cut_class(const languages::symbol& what, byte_range whole, std::string_view text,
                             std::string_view constructor, size_t room, uint32_t max_units) {
  std::vector<piece> pieces;
  byte_range opening = whole;
  size_t last_end = 0;
  for (const auto& member : what.members) {
    if (!stands_inside(member, whole)) continue;
    opening.end = std::min(opening.end, with_indentation(text, {member.first_byte, 0}).begin);
    last_end = std::max<size_t>(last_end, member.end_byte);
  }
  const byte_range closing{last_end == 0 ? whole.end : last_end, whole.end};
  piece empty{what, {opening}, 0};
  empty.what.members.clear();
  for (const auto& member : what.members)
    if (member.name == constructor) {
      empty.ranges.push_back(with_indentation(text, {member.first_byte, member.end_byte}));
      empty.what.members.push_back(member);
    }
  if (closing.size() > 0) empty.ranges.push_back(closing);
  auto current = empty;
  for (const auto& member : what.members) {
    if (member.name == constructor) continue;
    const auto where = with_indentation(text, {member.first_byte, member.end_byte});
    const uint32_t units = member.is_public ? 1 : 0;
    if (current.what.members.size() > empty.what.members.size() &&
        (current.bytes() + where.size() + 2 > room || current.units + units > max_units)) {
      if (current.units > 0) pieces.push_back(std::move(current));
      current = empty;
    }
    current.ranges.push_back(where);
    current.what.members.push_back(member);
    current.units += units;
  }
  if (current.units > 0 || pieces.empty()) pieces.push_back(std::move(current));
  return pieces;
}

std::vector<piece> pieces_of(std::span<const languages::symbol> wanted, const file_layout& layout,
                             std::string_view text, std::string_view constructor, const split_limits& limits) {
  std::vector<piece> pieces;
  const size_t room = limits.max_source_bytes - std::min<size_t>(layout.head_bytes, limits.max_source_bytes);
  for (const auto& what : wanted) {
    piece whole{what, {statement_around(what, layout)}, units_in(what)};
    const auto own = whole.ranges.front();
    for (const auto& member : what.members)
      if (!stands_inside(member, own)) whole.ranges.push_back(statement_around(member, layout));
    if (what.members.empty() || (whole.bytes() <= room && whole.units <= limits.max_units)) {
      pieces.push_back(std::move(whole));
      continue;
    }
    auto cut = cut_class(what, own, text, constructor, room, limits.max_units);
    std::move(cut.begin(), cut.end(), std::back_inserter(pieces));
  }
  return pieces;
}

/// The name of a piece for people: a class with only one of its methods is called by that method.
std::string name_of(const piece& one, std::string_view constructor) {
  const languages::symbol* only = nullptr;
  for (const auto& member : one.what.members) {
    if (!member.is_public || member.name == constructor) continue;
    if (only != nullptr) return one.what.name;
    only = &member;
  }
  return only == nullptr ? one.what.name : fmt::format("{}.{}", one.what.name, only->name);
}

/// Removes from `pieces` those that are above the limit by themselves.
std::vector<oversized_symbol> take_oversized(std::vector<piece>& pieces, const file_layout& layout,
                                             std::string_view constructor, const split_limits& limits) {
  std::vector<oversized_symbol> found;
  std::erase_if(pieces, [&](const piece& one) {
    const auto bytes = layout.head_bytes + one.bytes();
    if (bytes <= limits.max_source_bytes) return false;
    const auto name = name_of(one, constructor);
    auto text = fmt::format(
        "'{}' with the file's imports has {} bytes, and a request may show {}; raise "
        "max_prompt_bytes in config/defaults.json to include it",
        name, bytes, limits.max_source_bytes);
    found.push_back({name, {ec::file_too_large, std::move(text)}});
    return true;
  });
  return found;
}

/// Removes from `pieces` those that would make more parts than a file may have.
void leave_out_rest(std::vector<piece>& pieces, size_t first, std::string_view constructor,
                    std::vector<oversized_symbol>& left_out) {
  for (size_t i = first; i < pieces.size(); ++i)
    left_out.push_back({name_of(pieces[i], constructor),
                        {ec::file_too_large, fmt::format("the file makes more than {} requests; cut it", most_parts)}});
  pieces.resize(first);
}

tl::unexpected<error> nothing_fits(std::vector<oversized_symbol> left_out) {
  auto why = std::move(left_out.front().why);
  if (left_out.size() > 1) why.message += fmt::format("; {} more do not fit either", left_out.size() - 1);
  return tl::unexpected{std::move(why)};
}

std::unordered_set<std::string_view> words_in(std::string_view text) {
  std::unordered_set<std::string_view> words;
  languages::each_word(text, [&words](std::string_view word) { words.insert(word); });
  return words;
}

/// Sorts ranges, merges those that overlap, and puts each on lines of its own.
std::string lines_of(std::vector<byte_range> ranges, std::string_view text) {
  std::sort(ranges.begin(), ranges.end(), [](const byte_range& a, const byte_range& b) { return a.begin < b.begin; });
  std::string result;
  size_t done = 0;
  for (const auto& one : ranges) {
    const auto begin = std::max(one.begin, done);
    if (begin >= one.end) continue;
    auto piece = text.substr(begin, one.end - begin);
    while (piece.ends_with('\n') || piece.ends_with('\r')) piece.remove_suffix(1);
    const bool blank = piece.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!blank) {
      // Neighbours keep the distance that they have in the file; a range that was cut out leaves one empty line.
      const auto gap = text.substr(done, begin - done);
      const bool adjacent = done > 0 && gap.find_first_not_of(" \t\r\n") == std::string_view::npos;
      if (!result.empty()) result += adjacent && gap.find('\n') == gap.rfind('\n') ? "\n" : "\n\n";
      result += piece;
    }
    done = one.end;
  }
  return result + '\n';
}

/// Adds definitions that the part's text mentions, in the file's order, while they fit.
void add_context(std::vector<byte_range>& ranges, size_t bytes, const file_layout& layout, std::string_view text,
                 const split_limits& limits) {
  const auto shown = lines_of(ranges, text);
  const auto words = words_in(shown);
  for (const auto& node : layout.others) {
    if (node.name.empty() || !words.contains(node.name) || bytes + node.where.size() + 2 > limits.max_source_bytes)
      continue;
    const bool there = std::any_of(ranges.begin(), ranges.end(), [&](const byte_range& r) {
      return r.begin < node.where.end && node.where.begin < r.end;
    });
    if (there) continue;
    ranges.push_back(node.where);
    bytes += node.where.size() + 2;
  }
}

/// Pieces of one class are one symbol, without the methods between them.
void add_symbol(std::vector<languages::symbol>& symbols, const languages::symbol& what) {
  if (symbols.empty() || symbols.back().first_byte != what.first_byte) return symbols.push_back(what);
  auto& members = symbols.back().members;
  for (const auto& member : what.members)
    if (std::none_of(members.begin(), members.end(),
                     [&](const auto& known) { return known.first_byte == member.first_byte; }))
      members.push_back(member);
}

source_part part_from(std::span<const piece> pieces, const file_layout& layout, std::string_view text,
                      const split_limits& limits) {
  source_part part;
  auto ranges = layout.head;
  size_t bytes = layout.head_bytes;
  for (const auto& one : pieces) {
    add_symbol(part.symbols, one.what);
    ranges.insert(ranges.end(), one.ranges.begin(), one.ranges.end());
    bytes += one.bytes();
  }
  add_context(ranges, bytes, layout, text, limits);
  part.text = lines_of(std::move(ranges), text);
  return part;
}

}  // namespace

uint32_t units_in(const languages::symbol& what) noexcept {
  const auto methods =
      std::count_if(what.members.begin(), what.members.end(), [](const auto& m) { return m.is_public; });
  return std::max<uint32_t>(1, static_cast<uint32_t>(methods));
}

expected<source_split> split_source(const languages::language& lang, const languages::source_file& file,
                                    std::string_view text, std::span<const languages::symbol> wanted,
                                    std::string_view constructor, const split_limits& limits) {
  uint32_t units = 0;
  for (const auto& one : wanted) units += units_in(one);
  if (text.size() <= limits.max_source_bytes && units <= limits.max_units)
    return source_split{{{std::string{text}, {wanted.begin(), wanted.end()}}}, {}};
  const auto layout = lay_out(lang, file, text, limits);
  auto pieces = pieces_of(wanted, layout, text, constructor, limits);
  source_split result;
  result.left_out = take_oversized(pieces, layout, constructor, limits);
  if (pieces.empty() && !result.left_out.empty()) return nothing_fits(std::move(result.left_out));
  for (size_t first = 0; first < pieces.size();) {
    if (result.parts.size() == most_parts) {
      leave_out_rest(pieces, first, constructor, result.left_out);
      break;
    }
    size_t bytes = layout.head_bytes;
    uint32_t asked = 0;
    size_t end = first;
    while (end < pieces.size() && (end == first || (bytes + pieces[end].bytes() <= limits.max_source_bytes &&
                                                    asked + pieces[end].units <= limits.max_units))) {
      bytes += pieces[end].bytes();
      asked += pieces[end].units;
      ++end;
    }
    result.parts.push_back(part_from(std::span{pieces}.subspan(first, end - first), layout, text, limits));
    first = end;
  }
  return result;
}

}  // namespace cohort::planning
