// Finds the sections of a prompt. A section ends at its own closing tag alone on a line; with a fence, only at the tag
// that has the fence.

#include "simulator/assertions/prompt_task.hpp"

#include <map>

#include <simdjson.h>

namespace cohort::simulator {

namespace {

struct tag {
  std::string_view name;
  std::map<std::string, std::string, std::less<>> attributes;
};

std::string unescape(std::string_view text) {
  static constexpr std::pair<std::string_view, char> entities[] = {{"&amp;", '&'}, {"&quot;", '"'}, {"&lt;", '<'},
                                                                   {"&gt;", '>'},  {"&#10;", '\n'}, {"&#13;", '\r'}};
  std::string out;
  while (!text.empty()) {
    size_t taken = 1;
    char c = text.front();
    for (const auto& [entity, character] : entities)
      if (text.starts_with(entity)) {
        taken = entity.size();
        c = character;
      }
    out.push_back(c);
    text.remove_prefix(taken);
  }
  return out;
}

/// The line's tag if it is an opening tag alone on its line.
std::optional<tag> opening_tag(std::string_view line) {
  if (line.size() < 3 || line.front() != '<' || line[1] == '/' || line.back() != '>') return std::nullopt;
  line = line.substr(1, line.size() - 2);
  tag found;
  found.name = line.substr(0, line.find(' '));
  line.remove_prefix(found.name.size());
  while (!line.empty()) {
    const size_t equals = line.find("=\"");
    const size_t close = equals == npos ? npos : line.find('"', equals + 2);
    if (close == npos) break;
    const size_t start = line.find_first_not_of(' ');
    found.attributes[std::string{line.substr(start, equals - start)}] =
        unescape(line.substr(equals + 2, close - equals - 2));
    line.remove_prefix(close + 1);
  }
  return found;
}

/// The next line without its line break; `at` moves behind the break.
std::string_view next_line(std::string_view text, size_t& at) {
  const size_t end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(at, end - at);
  at = end + 1;
  return line;
}

/// The position of the closing tag, at a line's start, of the section that `opened` opens.
size_t find_closing(std::string_view text, size_t from, const tag& opened) {
  std::string closing{"</"};
  closing.append(opened.name);
  const auto fence = opened.attributes.find("fence");
  if (fence != opened.attributes.end()) closing.append(" fence=\"").append(fence->second).append("\"");
  closing.push_back('>');
  for (size_t at = text.find(closing, from); at != npos; at = text.find(closing, at + 1)) {
    const size_t end = at + closing.size();
    if ((at == from || text[at - 1] == '\n') && (end == text.size() || text[end] == '\n')) return at;
  }
  return npos;
}

using simdjson::dom::element;

std::string text_of(const element& object, std::string_view key) {
  std::string_view text;
  return object.at_key(key).get(text) == simdjson::SUCCESS ? std::string{text} : std::string{};
}

bool flag_of(const element& object, std::string_view key) {
  bool flag = false;
  return object.at_key(key).get(flag) == simdjson::SUCCESS && flag;
}

template <class Read>
void for_each_element(const element& object, std::string_view key, Read read) {
  simdjson::dom::array list;
  if (object.at_key(key).get(list) != simdjson::SUCCESS) return;
  for (const element x : list) read(x);
}

task_symbol symbol_of(const element& x) {
  task_symbol symbol{text_of(x, "name"),
                     text_of(x, "kind"),
                     text_of(x, "signature"),
                     flag_of(x, "async"),
                     flag_of(x, "default_export"),
                     {},
                     {}};
  for_each_element(x, "parameters", [&symbol](const element& p) {
    symbol.parameters.push_back({text_of(p, "name"), flag_of(p, "has_default"), flag_of(p, "is_rest")});
  });
  for_each_element(x, "methods", [&symbol](const element& m) {
    symbol.methods.push_back({text_of(m, "name"), flag_of(m, "static")});
  });
  return symbol;
}

void read_symbols(std::string_view lines, std::vector<task_symbol>& out) {
  simdjson::dom::parser parser;
  for (size_t at = 0; at < lines.size();) {
    const std::string_view line = next_line(lines, at);
    element object;
    if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS || !object.is_object()) continue;
    if (auto symbol = symbol_of(object); !symbol.name.empty()) out.push_back(std::move(symbol));
  }
}

std::string attribute(const tag& from, std::string_view key) {
  const auto found = from.attributes.find(key);
  return found == from.attributes.end() ? std::string{} : found->second;
}

/// Position after the line that opens the task, or npos.
size_t find_task_line(std::string_view prompt, tag& opened) {
  for (size_t at = prompt.find("<task "); at != npos; at = prompt.find("<task ", at + 1)) {
    if (at != 0 && prompt[at - 1] != '\n') continue;
    size_t after = at;
    if (auto found = opening_tag(next_line(prompt, after)); found && found->name == "task") {
      opened = std::move(*found);
      return after;
    }
  }
  return npos;
}

}  // namespace

std::optional<prompt_task> find_task(std::string_view prompt) {
  tag opened;
  size_t at = find_task_line(prompt, opened);
  if (at == npos) return std::nullopt;
  prompt_task task;
  task.language = attribute(opened, "language");
  task.framework = attribute(opened, "framework");
  task.path = attribute(opened, "path");
  while (at < prompt.size()) {
    const std::string_view line = next_line(prompt, at);
    if (line == "</task>") break;
    const auto section = opening_tag(line);
    if (!section) continue;
    const size_t end = find_closing(prompt, at, *section);
    if (end == npos) continue;
    const std::string_view body = prompt.substr(at, end > at ? end - at - 1 : 0);
    if (section->name == "import") task.import_text = body;
    if (section->name == "source") task.source = body;
    if (section->name == "symbols") read_symbols(body, task.symbols);
    at = end;
    (void)next_line(prompt, at);
  }
  return task;
}

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

size_t find_word(std::string_view text, std::string_view word, size_t from) noexcept {
  for (size_t at = text.find(word, from); at != npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_name_character(text[at - 1])) && (end == text.size() || !is_name_character(text[end])))
      return at;
  }
  return npos;
}

}  // namespace cohort::simulator
