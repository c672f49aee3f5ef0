// Reads import statements as words, punctuation and strings. If anything unexpected comes, the result is nothing.

#include "answers/merge_imports.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace cohort::answers {

namespace {

constexpr size_t longest_import = 100;

/// Words (with dots for Python and Go), strings with their quotes, single punctuation marks. Comments are dropped.
std::vector<std::string> tokens_of(std::string_view text, languages::import_style style) {
  std::vector<std::string> tokens;
  const auto in_word = [style](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) || c == '_' || c == '$' ||
           (c == '.' && style == languages::import_style::python);
  };
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool hash = c == '#' && style == languages::import_style::python;
    const bool slashes = text.substr(at).starts_with("//") && style != languages::import_style::python;
    if (hash || slashes) {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at).starts_with("/*") && style != languages::import_style::python) {
      at = std::min(text.find("*/", at), text.size() - 2) + 2;
    } else if (c == '\n' && style != languages::import_style::es) {
      tokens.emplace_back("\n");
      ++at;
    } else if (std::isspace(static_cast<unsigned char>(c)) || c == '\\') {
      ++at;
    } else if (c == '"' || c == '\'' || c == '`') {
      const auto end = std::min(text.find(c, at + 1), text.size() - 1) + 1;
      tokens.emplace_back(text.substr(at, end - at));
      at = end;
    } else if (in_word(c)) {
      const auto begin = at;
      while (at < text.size() && in_word(text[at])) ++at;
      tokens.emplace_back(text.substr(begin, at - begin));
    } else {
      tokens.emplace_back(1, c);
      ++at;
    }
  }
  return tokens;
}

/// Walks over tokens; `failed` stays true once it is.
class token_reader {
 public:
  explicit token_reader(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] bool done() const noexcept { return at_ == tokens_.size(); }
  [[nodiscard]] std::string_view peek() const noexcept { return done() ? std::string_view{} : tokens_[at_]; }
  [[nodiscard]] bool take(std::string_view token) {
    if (peek() != token) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::string next() { return done() ? std::string{} : tokens_[at_++]; }
  [[nodiscard]] std::string word() {
    auto token = next();
    if (token.empty() ||
        !(std::isalnum(static_cast<unsigned char>(token.front())) || token.front() == '_' || token.front() == '$' ||
          token.front() == '.' || static_cast<unsigned char>(token.front()) >= 0x80))
      failed_ = true;
    return token;
  }
  [[nodiscard]] std::string string() {
    const auto token = next();
    if (token.size() < 2 || token.front() != token.back() ||
        (token.front() != '"' && token.front() != '\'' && token.front() != '`')) {
      failed_ = true;
      return {};
    }
    return token.substr(1, token.size() - 2);
  }
  void fail() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  std::vector<std::string> tokens_;
  size_t at_ = 0;
  bool failed_ = false;
};

using statements = std::vector<import_statement>;

std::string first_name(const std::string& dotted) { return dotted.substr(0, dotted.find('.')); }

statements read_python(token_reader& reader) {
  statements result;
  if (reader.take("import")) {
    do {
      const auto module = reader.word();
      const auto local = reader.take("as") ? reader.word() : std::string{};
      // `import a.b` binds `a`; two of them bind it to the same thing, so nothing clashes.
      result.push_back({import_form::python_module, module, {{"", local.empty() ? first_name(module) : local}}});
    } while (reader.take(","));
  } else if (reader.take("from")) {
    import_statement one{import_form::python_from, reader.word(), {}};
    if (!reader.take("import")) reader.fail();
    if (reader.take("*")) {
      one.bindings.push_back({"*", ""});
    } else {
      const bool open = reader.take("(");
      while (!reader.failed() && !reader.done()) {
        if (reader.take("\n") || reader.take(",")) continue;
        if (open && reader.take(")")) break;
        const auto name = reader.word();
        const auto local = reader.take("as") ? reader.word() : name;
        one.bindings.push_back({name, local});
      }
    }
    result.push_back(std::move(one));
  } else {
    reader.fail();
  }
  while (reader.take("\n") || reader.take(";")) continue;
  return result;
}

/// "{ a, b as c, type D }"; `colon` for CommonJS, where "b: c" renames.
void read_es_names(token_reader& reader, import_statement& values, import_statement& types, bool colon) {
  while (!reader.failed() && !reader.take("}")) {
    if (reader.take(",")) continue;
    // A name that is not an identifier is quoted, and needs another local name.
    const bool quoted = reader.peek().starts_with('"') || reader.peek().starts_with('\'');
    auto name = quoted ? reader.next() : reader.word();
    auto* into = &values;
    if (quoted && reader.peek() != (colon ? ":" : "as")) reader.fail();
    if (!colon && name == "type" && reader.peek() != "," && reader.peek() != "}" && reader.peek() != "as") {
      into = &types;
      name = reader.word();
    }
    const auto local = reader.take(colon ? ":" : "as") ? reader.word() : name;
    into->bindings.push_back({name, local});
  }
}

statements read_es(token_reader& reader) {
  import_statement values{import_form::es, "", {}};
  import_statement types{import_form::es_type, "", {}};
  if (reader.peek().starts_with('"') || reader.peek().starts_with('\'')) {
    values.module = reader.string();
  } else {
    const bool all_types = reader.take("type");
    while (!reader.failed() && !reader.take("from")) {
      auto& target = all_types ? types : values;
      if (reader.take(",")) continue;
      if (reader.take("{")) {
        read_es_names(reader, target, types, false);
      } else if (reader.take("*")) {
        if (!reader.take("as")) reader.fail();
        target.bindings.push_back({"*", reader.word()});
      } else {
        target.bindings.push_back({"default", reader.word()});
      }
    }
    values.module = types.module = reader.string();
  }
  while (reader.take(";")) continue;
  statements result;
  if (!values.bindings.empty() || types.bindings.empty()) result.push_back(std::move(values));
  if (!types.bindings.empty()) result.push_back(std::move(types));
  return result;
}

/// `const NAMES = require("module");`, `const { NAMES } = module;`
statements read_commonjs(token_reader& reader) {
  import_statement one{import_form::commonjs, "", {}};
  import_statement unused;
  const bool list = reader.take("{");
  if (list)
    read_es_names(reader, one, unused, true);
  else
    one.bindings.push_back({"", reader.word()});
  if (!reader.take("=")) reader.fail();
  if (reader.take("require")) {
    if (!reader.take("(")) reader.fail();
    one.module = reader.string();
    if (!reader.take(")")) reader.fail();
  } else {
    one.form = import_form::es_members;
    one.module = reader.word();
    if (!list) reader.fail();
  }
  while (reader.take(";")) continue;
  return {std::move(one)};
}

statements read_go(token_reader& reader) {
  statements result;
  const bool open = reader.take("(");
  while (!reader.failed() && !reader.done()) {
    if (reader.take("\n") || reader.take(";")) continue;
    if (open && reader.take(")")) break;
    std::string local;
    if (!reader.peek().starts_with('"') && !reader.peek().starts_with('`'))
      local = reader.take(".") ? "." : reader.word();
    const auto module = reader.string();
    // Without a local name, the package's name is assumed to be the path's last element.
    const auto bound = local.empty() ? module.substr(module.rfind('/') + 1) : local;
    result.push_back({import_form::go, module, {{local, bound == "_" || bound == "." ? "" : bound}}});
  }
  return result;
}

std::string listed(const std::string& before, const std::vector<std::string>& names, std::string_view open,
                   std::string_view close, const std::string& after, bool bare_if_short) {
  auto line = bare_if_short ? before + fmt::format("{}", fmt::join(names, ", ")) + after
                            : fmt::format("{}{} {} {}{}", before, open, fmt::join(names, ", "), close, after);
  if (line.size() <= longest_import) return line;
  return fmt::format("{}{}\n    {},\n{}{}", before, open, fmt::join(names, ",\n    "), close, after);
}

std::vector<std::string> renamed_names(const import_statement& one, std::string_view as) {
  std::vector<std::string> names;
  for (const auto& binding : one.bindings)
    names.push_back(binding.local == binding.name || binding.local.empty()
                        ? binding.name
                        : binding.name + std::string{as} + binding.local);
  return names;
}

std::string write_es(const import_statement& one) {
  const std::string keyword = one.form == import_form::es_type ? "import type " : "import ";
  const auto from = fmt::format("\"{}\";", one.module);
  if (one.bindings.empty()) return keyword + from;
  std::string lines;
  auto named = one;
  named.bindings.clear();
  for (const auto& binding : one.bindings) {
    if (binding.name == "default")
      lines += fmt::format("{}{} from {}\n", keyword, binding.local, from);
    else if (binding.name == "*")
      lines += fmt::format("{}* as {} from {}\n", keyword, binding.local, from);
    else
      named.bindings.push_back(binding);
  }
  if (!named.bindings.empty())
    return lines + listed(keyword, renamed_names(named, " as "), "{", "}", " from " + from, false);
  lines.pop_back();
  return lines;
}

}  // namespace

std::optional<std::vector<import_statement>> read_imports(std::string_view text, languages::import_style style) {
  token_reader reader{tokens_of(text, style)};
  statements result;
  switch (style) {
    case languages::import_style::python: result = read_python(reader); break;
    case languages::import_style::es:
      if (reader.take("import"))
        result = read_es(reader);
      else if (reader.take("const") || reader.take("let") || reader.take("var"))
        result = read_commonjs(reader);
      else
        return std::nullopt;
      break;
    case languages::import_style::go:
      if (!reader.take("import")) return std::nullopt;
      result = read_go(reader);
      while (reader.take("\n")) continue;
      break;
  }
  if (reader.failed() || !reader.done()) return std::nullopt;
  return result;
}

std::string write_import(const import_statement& statement) {
  const auto& first = statement.bindings.empty() ? import_binding{} : statement.bindings.front();
  switch (statement.form) {
    case import_form::python_module:
      if (first.local == first_name(statement.module)) return "import " + statement.module;
      return fmt::format("import {} as {}", statement.module, first.local);
    case import_form::python_from:
      return listed(fmt::format("from {} import ", statement.module), renamed_names(statement, " as "), "(", ")", "",
                    true);
    case import_form::es:
    case import_form::es_type: return write_es(statement);
    case import_form::commonjs:
      if (first.name.empty()) return fmt::format("const {} = require(\"{}\");", first.local, statement.module);
      return listed("const ", renamed_names(statement, ": "), "{", "}",
                    fmt::format(" = require(\"{}\");", statement.module), false);
    case import_form::es_members:
      return listed("const ", renamed_names(statement, ": "), "{", "}", fmt::format(" = {};", statement.module), false);
    case import_form::go:
      return first.name.empty() ? fmt::format("import \"{}\"", statement.module)
                                : fmt::format("import {} \"{}\"", first.name, statement.module);
  }
  return {};
}

}  // namespace cohort::answers
