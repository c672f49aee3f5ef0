// Reads the JSON files that people write: config/, the user's own settings, gap reports. One reader for all of them.
// Every access is checked; the first mistake is kept with its place in the file, and afterwards getters return empty
// values, so that a caller asks once, at the end, whether all was fine. A key that nobody asked for is a mistake, too:
// most are misspelt. "comment" may stand in every object. For .cpp files only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace cohort::inline base {

/// What a reader does with keys that nobody asks for.
enum class unknown_keys : uint8_t { refused, passed_over };

struct config_state;

/// One value of a document, with its place. Valid as long as its `config_document`; cheap to copy.
class config_reader {
 public:
  // Members of an object that must be there.
  [[nodiscard]] config_reader at(std::string_view key) const;
  [[nodiscard]] config_reader object(std::string_view key) const;  ///< `at`, and it must be an object.
  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] std::string filled_text(std::string_view key) const;  ///< Must not be empty.
  [[nodiscard]] uint64_t number(std::string_view key, uint64_t least, uint64_t most) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;

  // Members that may be missing. A key that was looked for is known, there or not.
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::string text_or(std::string_view key, std::string fallback) const;
  [[nodiscard]] bool flag_or(std::string_view key, bool fallback) const;
  [[nodiscard]] std::vector<std::string> texts_or_none(std::string_view key) const;
  [[nodiscard]] std::map<std::string, std::string> pairs_or_none(std::string_view key) const;  ///< Texts by key.

  /// Reads a number into `target`; a missing or wrong one changes nothing. `most` must fit `Number`.
  template <class Number>
  void read(std::string_view key, uint64_t least, uint64_t most, Number& target) const {
    if (!has(key)) return;
    if (const auto value = at(key).whole_number(least, most)) target = Number(*value);
  }
  /// As `read`, for a number that must be there.
  template <class Number>
  void require(std::string_view key, uint64_t least, uint64_t most, Number& target) const {
    if (const auto value = at(key).whole_number(least, most)) target = Number(*value);
  }

  /// Keys that are known and that others read.
  void read_elsewhere(std::initializer_list<std::string_view> keys) const;

  // The value itself.
  [[nodiscard]] std::string as_text() const;
  [[nodiscard]] std::optional<uint64_t> whole_number(uint64_t least, uint64_t most) const;
  [[nodiscard]] std::vector<config_reader> items() const;                            ///< Of a list.
  [[nodiscard]] std::vector<std::pair<std::string, config_reader>> members() const;  ///< Of an object; all are known.
  [[nodiscard]] const nlohmann::json& json() const noexcept { return *value_; }

  /// The same value; mistakes in it are said to be in `name`, for example "model 'haiku'", instead of its place.
  [[nodiscard]] config_reader called(const std::string& name) const;

  /// `what` is a whole sentence about this value.
  void report(std::string_view what) const;
  /// `why` goes on after the name of the value, or of its member `key`: "must be ...".
  void refuse(std::string_view why) const;
  void refuse(std::string_view key, std::string_view why) const;

 private:
  friend class config_document;
  config_reader(const nlohmann::json& value, config_state& state, std::string parent, std::string name)
      : value_(&value), state_(&state), parent_(std::move(parent)), name_(std::move(name)) {}

  [[nodiscard]] std::string place() const;
  void note(std::string_view key) const;

  const nlohmann::json* value_;
  config_state* state_;
  std::string parent_;  ///< Place of the object or list that holds the value; empty for the document itself.
  std::string name_;    ///< Name in the parent; empty at the top.
};

/// A parsed document. Moves; the readers stay valid.
class config_document {
 public:
  /// `name` is the file's in messages. `ec::config_invalid` if `text` is not JSON or nested too deep.
  [[nodiscard]] static expected<config_document> parse(std::string_view text, const std::string& name,
                                                       unknown_keys others = unknown_keys::refused);
  /// `ec::config_invalid` also if the file cannot be read.
  [[nodiscard]] static expected<config_document> load(const std::filesystem::path& file);

  /// The whole document.
  [[nodiscard]] config_reader top() const;
  /// The object at `key`, for files of which each room reads a group: the other keys at the top are not looked at.
  [[nodiscard]] config_reader group(std::string_view key) const;

  [[nodiscard]] bool has_mistake() const noexcept;
  /// The first mistake as `ec::config_invalid`. Looks for unknown keys in all objects that were read.
  [[nodiscard]] expected<void> finish() const;

  config_document(config_document&&) noexcept;
  config_document& operator=(config_document&&) noexcept;
  ~config_document();

 private:
  explicit config_document(std::unique_ptr<config_state> state);

  std::unique_ptr<config_state> state_;
};

}  // namespace cohort::inline base
