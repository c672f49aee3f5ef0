// Reading and writing JSON at the speed of a scan: the server sees every prompt once and keeps none.
// Invariant: a parsed document holds views into the text it was given; nothing is decoded until asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohort {

enum class json_kind : uint8_t { null, boolean, number, string, array, object };

class json_document;

/// A value inside a `json_document`; valid as long as the document and its text are.
class json_value {
 public:
  json_value(const json_document& document, uint32_t index) noexcept : document_(&document), index_(index) {}

  [[nodiscard]] json_kind kind() const noexcept;
  [[nodiscard]] bool is(json_kind wanted) const noexcept { return kind() == wanted; }

  /// Member `key` of an object (the last one if it is repeated); nothing if absent or not an object.
  [[nodiscard]] std::optional<json_value> get(std::string_view key) const noexcept;

  /// First element or member, and the one after this.
  [[nodiscard]] std::optional<json_value> first() const noexcept;
  [[nodiscard]] std::optional<json_value> next() const noexcept;

  /// Key of this member as written (escapes are not decoded).
  [[nodiscard]] std::string_view key() const noexcept;

  /// Appends the decoded string; nothing unless this is one.
  void append_text(std::string& out) const;
  [[nodiscard]] std::string text() const;

  /// A whole number without fraction or exponent that fits 64 bits.
  [[nodiscard]] std::optional<int64_t> integer() const noexcept;
  [[nodiscard]] bool is_true() const noexcept;

  /// The value as it stands in the text; strings without their quotes.
  [[nodiscard]] std::string_view raw() const noexcept;

 private:
  const json_document* document_;
  uint32_t index_;
};

/// One parsed text. Kept and reused, it allocates nothing after the first requests.
class json_document {
 public:
  /// False unless `text` is one JSON value (nested at most 64 deep) and nothing else.
  [[nodiscard]] bool parse(std::string_view text);
  [[nodiscard]] json_value root() const noexcept { return {*this, 0}; }

 private:
  friend class json_value;
  struct node {
    json_kind kind = json_kind::null;
    bool escaped = false;
    uint32_t first = 0;  ///< 0: none, as the root is nobody's child.
    uint32_t next = 0;
    std::string_view key;
    std::string_view raw;
  };

  [[nodiscard]] uint32_t parse_value(std::string_view key, int depth);
  [[nodiscard]] bool parse_children(uint32_t parent, int depth);
  [[nodiscard]] bool scan_string(std::string_view& raw, bool& escaped);
  [[nodiscard]] bool scan_escape();
  [[nodiscard]] bool scan_number();
  [[nodiscard]] bool scan_word(std::string_view word);
  void skip_space() noexcept;

  static constexpr uint32_t failed = UINT32_MAX;
  std::vector<node> nodes_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

}  // namespace cohort
