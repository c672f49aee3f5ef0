// Writes and reads the cache. Format: magic, signature of the rest, fingerprint, then entries; an entry is its length
// and the fields of a parsed_file. `fields` lists them once for writing and reading.

#include "languages/syntax/parse_cache.hpp"

#include <algorithm>
#include <cstring>

#include "base/signing_key.hpp"

namespace cohort::languages {

namespace {

constexpr std::string_view magic = "cohort-parse-cache-3\n";
constexpr uint64_t largest_cache = 256ULL << 20U;
constexpr int deepest_member = 8;
constexpr uint64_t most_handed_on = 200'000;  ///< Names that a file re-exports; several may be the same text.

// The least number of bytes of one item. If a count claims more items than can follow, the count is wrong, and no
// memory is taken.
constexpr size_t least_parameter = 3;
constexpr size_t least_symbol = 13;
constexpr size_t least_import = 3;
constexpr size_t least_alias = 3;

class writer {
 public:
  static constexpr bool reading = false;
  void operator()(uint64_t value) {
    while (value >= 0x80) {
      out += static_cast<char>((value & 0x7FU) | 0x80U);
      value >>= 7U;
    }
    out += static_cast<char>(value);
  }
  void operator()(uint32_t value) { (*this)(uint64_t{value}); }
  void operator()(bool value) { (*this)(uint64_t{value}); }
  void operator()(const std::string& text) {
    (*this)(uint64_t{text.size()});
    out += text;
  }
  void operator()(const digest& value) {
    out.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
  }
  std::string out;
};

/// Never reads past the end; after a mistake all values are empty and `ok` is false.
class cache_reader {
 public:
  static constexpr bool reading = true;
  explicit cache_reader(std::string_view from) : left(from) {}
  void operator()(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left.empty()) break;
      const auto byte = static_cast<unsigned char>(left.front());
      left.remove_prefix(1);
      value |= uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return;
    }
    spoil();
    value = 0;
  }
  void operator()(uint32_t& value) {
    uint64_t wide = 0;
    (*this)(wide);
    if (wide > UINT32_MAX) spoil();
    value = static_cast<uint32_t>(wide);
  }
  void operator()(bool& value) {
    uint64_t wide = 0;
    (*this)(wide);
    value = wide != 0;
  }
  void operator()(std::string& text) { text = std::string{bytes()}; }
  void operator()(digest& value) {
    if (left.size() < value.bytes.size()) return spoil();
    std::memcpy(value.bytes.data(), left.data(), value.bytes.size());
    left.remove_prefix(value.bytes.size());
  }
  std::string_view bytes() {
    uint64_t size = 0;
    (*this)(size);
    if (size > left.size()) {
      spoil();
      return {};
    }
    const auto taken = left.substr(0, size);
    left.remove_prefix(size);
    return taken;
  }
  void spoil() {
    ok = false;
    left = {};
  }
  std::string_view left;
  bool ok = true;
  uint64_t items_left = 0;  ///< How many items of lists may follow: a file has fewer than it has bytes.
};

template <class Archive, class Enum>
void enumeration(Archive& archive, Enum& value, uint32_t last) {
  auto number = static_cast<uint32_t>(value);
  archive(number);
  if constexpr (Archive::reading) {
    if (number > last) archive.spoil();
    value = static_cast<Enum>(number <= last ? number : 0);
  }
}

/// `least` is the least size of an item in bytes.
template <class Archive, class Item, class Each>
void list(Archive& archive, std::vector<Item>& items, size_t least, Each each) {
  uint64_t count = items.size();
  archive(count);
  if constexpr (Archive::reading) {
    if (count > archive.left.size() / least || count > archive.items_left) return archive.spoil();
    archive.items_left -= count;
    items.clear();
    for (uint64_t i = 0; i < count && archive.ok; ++i) each(items.emplace_back());
  } else {
    for (auto& item : items) each(item);
  }
}

template <class Archive>
void fields(Archive& archive, symbol& x, int depth) {
  archive(x.name);
  enumeration(archive, x.kind, static_cast<uint32_t>(symbol_kind::constant));
  archive(x.signature);
  list(archive, x.parameters, least_parameter, [&](parameter& p) {
    archive(p.name);
    archive(p.has_default);
    archive(p.is_rest);
  });
  archive(x.is_public);
  archive(x.is_default_export);
  archive(x.is_async);
  archive(x.is_static);
  archive(x.first_line);
  archive(x.last_line);
  archive(x.first_byte);
  archive(x.end_byte);
  archive(x.branches);
  if (depth < deepest_member)
    list(archive, x.members, least_symbol, [&](symbol& member) { fields(archive, member, depth + 1); });
}

/// True for results that the parser never gives for a file of that length.
bool is_implausible(const std::vector<symbol>& symbols, uint32_t bytes) {
  return symbols.size() > most_symbols || std::any_of(symbols.begin(), symbols.end(), [bytes](const symbol& one) {
           return one.first_byte > one.end_byte || one.end_byte > bytes || one.first_line == 0 ||
                  one.first_line > one.last_line || one.last_line > uint64_t{bytes} + 1 || one.branches > bytes ||
                  is_implausible(one.members, bytes);
         });
}

template <class Archive>
void fields(Archive& archive, parsed_file& x) {
  auto& file = x.file;
  archive(file.path);
  archive(file.content);
  archive(file.language);
  archive(file.bytes);
  archive(file.lines);
  archive(file.complexity);
  archive(file.has_errors);
  archive(file.is_test);
  enumeration(archive, file.modules, static_cast<uint32_t>(module_system::commonjs));
  list(archive, file.symbols, least_symbol, [&](symbol& one) { fields(archive, one, 0); });
  list(archive, file.imports, least_import, [&](import_ref& one) {
    archive(one.module);
    archive(one.is_reexport);
    list(archive, one.names, 1, [&](std::string& name) { archive(name); });
  });
  for (auto* names : {&x.aliases, &x.reexports})
    list(archive, *names, least_alias, [&](import_alias& one) {
      archive(one.import);
      archive(one.name);
      archive(one.local);
      if constexpr (Archive::reading)
        if (one.import >= file.imports.size()) archive.spoil();
    });
  uint64_t last = 0;
  list(archive, x.mentions, 1, [&](uint64_t& one) {  // The hashes are ascending, and their differences are shorter.
    uint64_t step = one - last;
    archive(step);
    one = last + step;
    last = one;
  });
}

}  // namespace

namespace {

/// The state folder of a project, which is above the cache's folder; below it no link is followed.
expected<folder> state_of(const std::filesystem::path& file) { return folder::open(file.parent_path().parent_path()); }

std::filesystem::path name_in_state(const std::filesystem::path& file) {
  return file.parent_path().filename() / file.filename();
}

}  // namespace

void parse_cache::load(const std::filesystem::path& file) {
  entries_.clear();
  const auto key = signing_key::load();
  const auto state = state_of(file);
  if (!key || !*key || !state) return;
  auto content = state->read(name_in_state(file), largest_cache);
  if (!content || !content->starts_with(magic)) return;
  data_ = std::move(*content);
  cache_reader in{std::string_view{data_}.substr(magic.size())};
  digest sum;
  in(sum);
  if (!in.ok || !same_signature(sum, (*key)->for_purpose("parse-cache").sign(in.left))) return;
  std::string fingerprint;
  in(fingerprint);
  if (fingerprint != fingerprint_) return;
  while (in.ok && !in.left.empty()) {
    entry one;
    one.bytes = in.bytes();
    cache_reader head{one.bytes};
    const auto path = head.bytes();
    head(one.content);
    if (head.ok) entries_.emplace(path, one);
  }
}

std::optional<parsed_file> parse_cache::find(std::string_view path, const digest& content, std::string_view language,
                                             size_t bytes) const {
  const auto found = entries_.find(path);
  if (found == entries_.end() || found->second.content != content) return std::nullopt;
  parsed_file parsed;
  cache_reader in{found->second.bytes};
  in.items_left = bytes + most_handed_on;
  fields(in, parsed);
  const auto& file = parsed.file;
  const bool fits = in.ok && in.left.empty() && file.path == path && file.language == language && file.bytes == bytes &&
                    file.lines <= bytes && file.complexity >= 1 && file.complexity <= 10 &&
                    !is_implausible(file.symbols, file.bytes) &&
                    std::is_sorted(parsed.mentions.begin(), parsed.mentions.end());
  return fits ? std::optional{std::move(parsed)} : std::nullopt;
}

std::string_view parse_cache::stored(std::string_view path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? std::string_view{} : found->second.bytes;
}

std::string parse_cache::encode(const parsed_file& parsed) {
  writer out;
  fields(out, const_cast<parsed_file&>(parsed));  // When it writes, `fields` changes nothing.
  return std::move(out.out);
}

expected<void> parse_cache::store(const std::filesystem::path& file, const std::vector<std::string>& encoded) const {
  writer out;
  out.out = magic;
  out(digest{});  // Reserves space for the signature, which is known at the end.
  const auto begin = out.out.size();
  out(fingerprint_);
  for (const auto& one : encoded) out(one);
  const auto key = signing_key::load_or_make();
  if (!key) return tl::unexpected{key.error()};
  const auto sum = key->for_purpose("parse-cache").sign(std::string_view{out.out}.substr(begin));
  std::memcpy(out.out.data() + magic.size(), sum.bytes.data(), sum.bytes.size());
  const auto state = folder::make(file.parent_path().parent_path());
  if (!state) return tl::unexpected{state.error()};
  return state->replace(name_in_state(file), out.out, durability::later, access::own);
}

}  // namespace cohort::languages
