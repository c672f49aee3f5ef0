// The reader is one pass over the bytes that leaves a flat table of nodes.

#include "simulator/json_text.hpp"

#include <array>
#include <charconv>

namespace cohort {

namespace {

constexpr int max_depth = 64;

/// Bytes that end a run inside a string: the quote, the backslash, control characters.
constexpr std::array<bool, 256> stops = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 32; ++i) table[i] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}();

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

uint32_t four_hex(const char* p) noexcept {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value * 16 + static_cast<uint32_t>(hex_value(p[i]));
  return value;
}

void append_code_point(std::string& out, uint32_t c) {
  const auto byte = [&out](uint32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6));
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18));
    byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

/// Decodes the `\uXXXX` (or surrogate pair) whose `u` is at `at`; returns how many characters it took.
size_t append_unicode_escape(std::string& out, std::string_view raw, size_t at) {
  const uint32_t unit = four_hex(raw.data() + at + 1);
  if (unit >= 0xD800 && unit < 0xDC00 && at + 10 < raw.size() && raw[at + 5] == '\\' && raw[at + 6] == 'u') {
    const uint32_t low = four_hex(raw.data() + at + 7);
    if (low >= 0xDC00 && low < 0xE000) {
      append_code_point(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
      return 11;
    }
  }
  append_code_point(out, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit);
  return 5;
}

char simple_escape(char c) noexcept {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

}  // namespace

bool json_document::parse(std::string_view text) {
  nodes_.clear();
  at_ = text.data();
  end_ = text.data() + text.size();
  if (parse_value({}, 0) == failed) return false;
  skip_space();
  return at_ == end_;
}

void json_document::skip_space() noexcept {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

uint32_t json_document::parse_value(std::string_view key, int depth) {
  skip_space();
  if (at_ == end_ || depth > max_depth) return failed;
  const auto index = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  nodes_[index].key = key;
  const char* begin = at_;
  json_kind kind = json_kind::null;
  bool fine = false;
  switch (*at_) {
    case '{': kind = json_kind::object; break;
    case '[': kind = json_kind::array; break;
    case '"': kind = json_kind::string; break;
    case 't':
    case 'f': kind = json_kind::boolean; break;
    case 'n': kind = json_kind::null; break;
    default: kind = json_kind::number; break;
  }
  nodes_[index].kind = kind;
  switch (kind) {
    case json_kind::object:
    case json_kind::array: fine = parse_children(index, depth); break;
    case json_kind::string: {
      std::string_view raw;
      bool escaped = false;
      if (!scan_string(raw, escaped)) return failed;
      nodes_[index].raw = raw;
      nodes_[index].escaped = escaped;
      return index;
    }
    case json_kind::boolean: fine = scan_word(*begin == 't' ? "true" : "false"); break;
    case json_kind::null: fine = scan_word("null"); break;
    case json_kind::number: fine = scan_number(); break;
  }
  if (!fine) return failed;
  nodes_[index].raw = {begin, static_cast<size_t>(at_ - begin)};
  return index;
}

bool json_document::parse_children(uint32_t parent, int depth) {
  const bool object = nodes_[parent].kind == json_kind::object;
  const char closing = object ? '}' : ']';
  ++at_;
  skip_space();
  if (at_ < end_ && *at_ == closing) {
    ++at_;
    return true;
  }
  for (uint32_t last = 0;;) {
    std::string_view key;
    if (object) {
      skip_space();
      bool escaped = false;
      if (at_ == end_ || *at_ != '"' || !scan_string(key, escaped)) return false;
      skip_space();
      if (at_ == end_ || *at_++ != ':') return false;
    }
    const uint32_t child = parse_value(key, depth + 1);
    if (child == failed) return false;
    (last == 0 ? nodes_[parent].first : nodes_[last].next) = child;
    last = child;
    skip_space();
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c == closing) return true;
    if (c != ',') return false;
  }
}

bool json_document::scan_string(std::string_view& raw, bool& escaped) {
  const char* begin = ++at_;
  for (;;) {
    while (at_ < end_ && !stops[static_cast<unsigned char>(*at_)]) ++at_;
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ != '\\' || !scan_escape()) return false;
    escaped = true;
  }
  raw = {begin, static_cast<size_t>(at_ - begin)};
  ++at_;
  return true;
}

bool json_document::scan_escape() {
  if (end_ - at_ < 2) return false;
  const char c = at_[1];
  if (c == 'u') {
    if (end_ - at_ < 6) return false;
    for (int i = 2; i < 6; ++i)
      if (hex_value(at_[i]) < 0) return false;
    at_ += 6;
    return true;
  }
  at_ += 2;
  return std::string_view{"\"\\/bfnrt"}.find(c) != std::string_view::npos;
}

bool json_document::scan_number() {
  const auto digits = [this] {
    const char* begin = at_;
    while (at_ < end_ && is_digit(*at_)) ++at_;
    return at_ > begin;
  };
  if (at_ < end_ && *at_ == '-') ++at_;
  const char* whole = at_;
  if (!digits() || (*whole == '0' && at_ - whole > 1)) return false;
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    if (!digits()) return false;
  }
  if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!digits()) return false;
  }
  return true;
}

bool json_document::scan_word(std::string_view word) {
  if (static_cast<size_t>(end_ - at_) < word.size() || std::string_view{at_, word.size()} != word) return false;
  at_ += word.size();
  return true;
}

json_kind json_value::kind() const noexcept { return document_->nodes_[index_].kind; }
std::string_view json_value::key() const noexcept { return document_->nodes_[index_].key; }
std::string_view json_value::raw() const noexcept { return document_->nodes_[index_].raw; }

std::optional<json_value> json_value::first() const noexcept {
  const uint32_t child = document_->nodes_[index_].first;
  return child == 0 ? std::nullopt : std::optional{json_value{*document_, child}};
}

std::optional<json_value> json_value::next() const noexcept {
  const uint32_t sibling = document_->nodes_[index_].next;
  return sibling == 0 ? std::nullopt : std::optional{json_value{*document_, sibling}};
}

std::optional<json_value> json_value::get(std::string_view key) const noexcept {
  std::optional<json_value> found;
  if (!is(json_kind::object)) return found;
  for (auto member = first(); member; member = member->next())
    if (member->key() == key) found = member;
  return found;
}

void json_value::append_text(std::string& out) const {
  const auto& node = document_->nodes_[index_];
  if (node.kind != json_kind::string) return;
  if (!node.escaped) {
    out.append(node.raw);
    return;
  }
  const std::string_view raw = node.raw;
  for (size_t at = 0; at < raw.size();) {
    const size_t slash = raw.find('\\', at);
    if (slash == std::string_view::npos) {
      out.append(raw.substr(at));
      return;
    }
    out.append(raw.substr(at, slash - at));
    at = slash + 1;
    if (raw[at] == 'u') {
      at += append_unicode_escape(out, raw, at);
    } else {
      out.push_back(simple_escape(raw[at++]));
    }
  }
}

std::string json_value::text() const {
  std::string out;
  append_text(out);
  return out;
}

std::optional<int64_t> json_value::integer() const noexcept {
  if (!is(json_kind::number)) return std::nullopt;
  const std::string_view digits = raw();
  int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool json_value::is_true() const noexcept { return is(json_kind::boolean) && raw() == "true"; }

}  // namespace cohort
