// One pass over the tokens with just enough context to tell a name from a key: brackets, the token before, the
// character behind. Linear in the text; nesting of templates is followed to a fixed depth.

#include "planning/merge_rename.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace cohort {

namespace {

using name_map = std::map<std::string, std::string, std::less<>>;

constexpr int deepest_template = 8;

enum class bracket : uint8_t { call, parameters, index, block, object };

bool in_word(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) || c == '_' || c == '$';
}

template <size_t N>
bool one_of(std::string_view token, const std::array<std::string_view, N>& list) noexcept {
  return std::find(list.begin(), list.end(), token) != list.end();
}

constexpr std::array<std::string_view, 19> before_object{"(",  ",",  "=",      ":",     "[",   "return", "?",
                                                         "&",  "|",  "const",  "let",   "var", "yield",  "default",
                                                         "in", "of", "typeof", "await", "..."};
constexpr std::array<std::string_view, 9> before_key{"{", ",", ";", "}", "async", "get", "set", "static", "*"};
constexpr std::array<std::string_view, 4> names_fixtures{"parametrize", "usefixtures", "getfixturevalue",
                                                         "lazy_fixture"};
constexpr std::array<std::string_view, 7> before_regex{"return", "typeof", "case", "in", "of", "await", "=>"};

class renamer {
 public:
  renamer(const name_map& names, import_style style, int depth) : names_(names), style_(style), depth_(depth) {}

  std::string run(std::string_view text) {
    text_ = text;
    out_.reserve(text.size() + text.size() / 16);
    while (at_ < text_.size()) step();
    return std::move(out_);
  }

 private:
  struct scope {
    size_t indentation = 0;
    bool is_class = false;
  };

  void step();
  void copy_to(size_t end) {
    out_ += text_.substr(at_, end - at_);
    at_ = end;
  }
  void token(std::string_view what) {
    before_ = previous_;
    previous_ = what;
  }
  [[nodiscard]] bool starts(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }
  [[nodiscard]] bool python() const noexcept { return style_ == import_style::python; }
  [[nodiscard]] std::string_view following(size_t at) const noexcept;
  void comment();
  void string_literal(size_t prefix);
  void template_literal();
  void regular_expression();
  void word();
  void note_scope(std::string_view name, size_t begin);
  void punctuation();
  [[nodiscard]] bool is_name(size_t begin, size_t end) const;
  [[nodiscard]] bool is_shorthand(size_t end) const;
  [[nodiscard]] std::string inside(std::string_view code) const {
    return depth_ >= deepest_template ? std::string{code} : renamer{names_, style_, depth_ + 1}.run(code);
  }
  void fields(std::string_view literal);
  [[nodiscard]] std::string fixture_names(std::string_view literal) const;

  const name_map& names_;
  import_style style_;
  int depth_;
  std::string_view text_;
  std::string out_;
  size_t at_ = 0;
  size_t line_begin_ = 0;
  std::string_view previous_;
  std::string_view before_;
  std::vector<bracket> brackets_;
  std::vector<scope> scopes_;  ///< Python's classes and functions around this line.
  bool class_head_ = false;
  bool parameter_head_ = false;
};

void renamer::step() {
  const char c = text_[at_];
  if (c == '\n') line_begin_ = at_ + 1;
  if (std::isspace(static_cast<unsigned char>(c))) return copy_to(at_ + 1);
  if (python() ? c == '#' : starts("//") || starts("/*")) return comment();
  if (c == '"' || c == '\'') return string_literal(0);
  if (c == '`') return template_literal();
  if (c == '/' && style_ == import_style::es) {
    const bool operand = !previous_.empty() && (in_word(previous_.back()) ||
                                                one_of(previous_, std::array<std::string_view, 3>{")", "]", "}"}));
    if (!operand || one_of(previous_, before_regex)) return regular_expression();
  }
  if (in_word(c)) return word();
  punctuation();
}

void renamer::comment() {
  const bool block = starts("/*");
  const auto end = text_.find(block ? "*/" : "\n", at_);
  copy_to(end == std::string_view::npos ? text_.size() : end + (block ? 2 : 0));
}

/// The first character behind `at` that is no blank, with its successor.
std::string_view renamer::following(size_t at) const noexcept {
  const auto begin = text_.find_first_not_of(" \t\r\n", at);
  return begin == std::string_view::npos ? std::string_view{} : text_.substr(begin, 2);
}

void renamer::string_literal(size_t prefix) {
  const auto begin = at_;
  const auto quote_at = at_ + prefix;
  const char quote = text_[quote_at];
  const std::string triple(3, quote);
  const bool is_triple = python() && text_.substr(quote_at).starts_with(triple);
  size_t end = quote_at + (is_triple ? 3 : 1);
  while (end < text_.size()) {
    if (text_[end] == '\\') {
      end += 2;
      continue;
    }
    if (is_triple ? text_.substr(end).starts_with(triple) : text_[end] == quote || text_[end] == '\n') break;
    ++end;
  }
  end = std::min(end + (is_triple ? 3 : 1), text_.size());
  const auto literal = text_.substr(begin, end - begin);
  const auto marks = literal.substr(0, prefix);
  if (python() && marks.find_first_of("fF") != std::string_view::npos)
    fields(literal);
  else if (python() && previous_ == "(" && one_of(before_, names_fixtures))
    out_ += fixture_names(literal);
  else
    out_ += literal;
  at_ = end;
  token("\"");
}

/// Copies an f-string and renames inside its replacement fields.
void renamer::fields(std::string_view literal) {
  for (size_t at = 0; at < literal.size();) {
    if (literal[at] != '{' || literal.substr(at).starts_with("{{")) {
      const size_t step = literal.substr(at).starts_with("{{") ? 2 : 1;
      out_ += literal.substr(at, step);
      at += step;
      continue;
    }
    size_t end = at + 1;
    for (int open = 1; end < literal.size() && open > 0; ++end)
      open += literal[end] == '{' ? 1 : literal[end] == '}' ? -1 : 0;
    const auto field = literal.substr(at + 1, end - at - 1);
    out_ += '{' + inside(field);
    at = end;
  }
}

std::string renamer::fixture_names(std::string_view literal) const {
  std::string result;
  for (size_t at = 0; at < literal.size();) {
    if (!in_word(literal[at])) {
      result += literal[at++];
      continue;
    }
    const auto begin = at;
    while (at < literal.size() && in_word(literal[at])) ++at;
    const auto name = literal.substr(begin, at - begin);
    const auto found = names_.find(name);
    result += found == names_.end() ? name : std::string_view{found->second};
  }
  return result;
}

void renamer::template_literal() {
  size_t end = at_ + 1;
  out_ += '`';
  while (end < text_.size() && text_[end] != '`') {
    if (text_[end] == '\\' && style_ == import_style::es) {
      out_ += text_.substr(end, 2);
      end += 2;
    } else if (style_ == import_style::es && text_.substr(end).starts_with("${")) {
      size_t close = end + 2;
      for (int open = 1; close < text_.size() && open > 0; ++close)
        open += text_[close] == '{' ? 1 : text_[close] == '}' ? -1 : 0;
      out_ += "${" + inside(text_.substr(end + 2, close - end - 2));
      end = close;
    } else {
      out_ += text_[end++];
    }
  }
  at_ = std::min(end, text_.size());
  if (at_ < text_.size()) copy_to(at_ + 1);
  token("\"");
}

void renamer::regular_expression() {
  size_t end = at_ + 1;
  bool in_class = false;
  while (end < text_.size() && text_[end] != '\n' && (in_class || text_[end] != '/')) {
    if (text_[end] == '\\')
      ++end;
    else if (text_[end] == '[')
      in_class = true;
    else if (text_[end] == ']')
      in_class = false;
    ++end;
  }
  copy_to(std::min(end + 1, text_.size()));
  token("\"");
}

/// Keeps track of which classes and functions the present line stands in, by indentation.
void renamer::note_scope(std::string_view name, size_t begin) {
  if (!brackets_.empty()) return;
  const auto indentation = begin - line_begin_;
  while (!scopes_.empty() && scopes_.back().indentation >= indentation) scopes_.pop_back();
  scopes_.push_back({indentation, name == "class"});
}

bool renamer::is_name(size_t begin, size_t end) const {
  static_cast<void>(begin);
  if (previous_ == ".") return false;
  const auto next = following(end);
  const auto inner = brackets_.empty() ? bracket::block : brackets_.back();
  if (python()) {
    if (inner == bracket::call && next.starts_with('=') && next != "==") return false;
    // `def` notes its own scope first, so the one around it is the last but one.
    const bool method = previous_ == "def" && scopes_.size() >= 2 && scopes_[scopes_.size() - 2].is_class;
    return !method;
  }
  if (style_ == import_style::go)
    return !(next.starts_with(':') && next != ":=" && (previous_ == "{" || previous_ == ","));
  if (inner != bracket::object) return true;
  if (next.starts_with(':') && previous_ != "?") return false;
  return !(next.starts_with('(') && one_of(previous_, before_key));
}

bool renamer::is_shorthand(size_t end) const {
  if (style_ != import_style::es || brackets_.empty() || brackets_.back() != bracket::object) return false;
  if (previous_ != "{" && previous_ != ",") return false;
  const auto next = following(end);
  return next.starts_with(',') || next.starts_with('}') || (next.starts_with('=') && next != "==" && next != "=>");
}

void renamer::word() {
  const auto begin = at_;
  auto end = at_;
  while (end < text_.size() && in_word(text_[end])) ++end;
  const auto name = text_.substr(begin, end - begin);
  if (python() && end < text_.size() && (text_[end] == '"' || text_[end] == '\'') && name.size() <= 2)
    return string_literal(name.size());
  if (python() && (name == "class" || name == "def")) note_scope(name, begin);
  if (!python() && previous_ != "." && (name == "class" || name == "interface" || name == "enum")) class_head_ = true;
  const auto found = names_.find(name);
  if (found == names_.end() || !is_name(begin, end)) {
    copy_to(end);
  } else {
    if (is_shorthand(end)) out_ += found->first + ": ";
    out_ += found->second;
    at_ = end;
  }
  if (python() && previous_ == "def") parameter_head_ = true;
  token(name);
}

void renamer::punctuation() {
  const char c = text_[at_];
  if (starts("...") || starts("=>")) {
    const auto what = text_.substr(at_, starts("...") ? 3 : 2);
    copy_to(at_ + what.size());
    return token(what);
  }
  if (c == '(') {
    brackets_.push_back(parameter_head_ ? bracket::parameters : bracket::call);
    parameter_head_ = false;
  } else if (c == '[') {
    brackets_.push_back(bracket::index);
  } else if (c == '{') {
    const bool object = class_head_ || one_of(previous_, before_object);
    brackets_.push_back(object ? bracket::object : bracket::block);
    class_head_ = false;
  } else if ((c == ')' || c == ']' || c == '}') && !brackets_.empty()) {
    brackets_.pop_back();
  }
  const auto what = text_.substr(at_, 1);
  copy_to(at_ + 1);
  token(what);
}

}  // namespace

std::string rename_identifiers(std::string_view text, const name_map& names, import_style style) {
  if (names.empty()) return std::string{text};
  return renamer{names, style, 0}.run(text);
}

}  // namespace cohort
