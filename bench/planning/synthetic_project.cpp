// Deterministic: a small generator of its own, no library's distributions.

#include "synthetic_project.hpp"

#include <string>

#include <fmt/format.h>

#include "base/files.hpp"

namespace cohort::bench {

namespace {

class dice {
 public:
  explicit dice(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  uint32_t below(uint32_t limit) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return static_cast<uint32_t>((state_ >> 33U) % limit);
  }

 private:
  uint64_t state_;
};

constexpr const char* nouns[] = {"order", "invoice", "basket", "parcel", "refund", "customer", "voucher", "ledger"};
constexpr const char* verbs[] = {"collect", "validate", "merge", "rank", "split", "normalize", "price", "schedule"};

std::string function_name(dice& roll, uint32_t number, bool camel) {
  const std::string verb = verbs[roll.below(8)];
  std::string noun = nouns[roll.below(8)];
  if (!camel) return fmt::format("{}_{}_{}", verb, noun, number);
  noun[0] = static_cast<char>(noun[0] - 'a' + 'A');
  return fmt::format("{}{}{}", verb, noun, number);
}

std::string python_function(const std::string& name, dice& roll) {
  return fmt::format(R"(
def {0}(items, limit={1}, *, strict=False):
    """Works through the items and keeps what fits below the limit."""
    kept = []
    total = 0
    for position, item in enumerate(items):
        if item is None:
            if strict:
                raise ValueError(f"item {{position}} is missing")
            continue
        weight = item.get("weight", {2}) * item.get("count", 1)
        if weight < 0 or total + weight > limit:
            break
        total += weight
        kept.append({{"id": item["id"], "weight": weight, "label": str(position)}})
    return kept, total
)",
                     name, 100 + roll.below(900), 1 + roll.below(9));
}

std::string script_function(const std::string& name, dice& roll, bool typed) {
  return fmt::format(R"(
export function {0}(items{3}, limit{4} = {1}, strict = false){5} {{
  const kept{3} = [];
  let total = 0;
  for (const [position, item] of items.entries()) {{
    if (item === null) {{
      if (strict) {{
        throw new TypeError(`item ${{position}} is missing`);
      }}
      continue;
    }}
    const weight = (item.weight ?? {2}) * (item.count ?? 1);
    if (weight < 0 || total + weight > limit) {{
      break;
    }}
    total += weight;
    kept.push({{ id: item.id, weight, label: String(position) }});
  }}
  return kept.length > 0 ? kept : [];
}}
)",
                     name, 100 + roll.below(900), 1 + roll.below(9), typed ? ": any[]" : "", typed ? ": number" : "",
                     typed ? ": any[]" : "");
}

uint32_t lines_in(const std::string& text) {
  uint32_t lines = 0;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  return lines;
}

enum class tongue : uint8_t { python, javascript, typescript };

std::string file_text(uint32_t index, tongue language, uint32_t lines) {
  dice roll{index + 1};
  const bool python = language == tongue::python;
  std::string text;
  if (index >= 3 && python)
    text = fmt::format("import json\nfrom area_{0}.unit_{1} import LIMIT_{1}\n\nLIMIT_{2} = LIMIT_{1} + 1\n",
                       (index - 3) / 100, index - 3, index);
  else if (python)
    text = fmt::format("import json\n\nLIMIT_{0} = {0}\n", index);
  else if (index >= 3)
    text = fmt::format(
        "import {{ LIMIT_{1} }} from \"../area_{0}/unit_{1}.js\";\n\nexport const LIMIT_{2} = LIMIT_{1} + 1;\n",
        (index - 3) / 100, index - 3, index);
  else
    text = fmt::format("export const LIMIT_{0} = {0};\n", index);
  for (uint32_t number = 0; lines_in(text) + 10 < lines; ++number) {
    const auto name = function_name(roll, number, !python);
    text += python ? python_function(name, roll) : script_function(name, roll, language == tongue::typescript);
  }
  return text;
}

std::string test_text(uint32_t tested, tongue language, uint32_t lines) {
  dice roll{tested + 1};
  const bool python = language == tongue::python;
  const auto name = function_name(roll, 0, !python);
  std::string text = python ? fmt::format("from area_{}.unit_{} import {}\n", tested / 100, tested, name)
                            : fmt::format("import {{ {} }} from \"./unit_{}.js\";\n", name, tested);
  for (uint32_t number = 0; lines_in(text) + 5 < lines; ++number)
    text += python ? fmt::format(
                         "\n\ndef test_case_{0}():\n    kept, total = {1}([{{\"id\": {0}, \"weight\": 2}}])\n"
                         "    assert len(kept) == 1\n    assert total == 2\n",
                         number, name)
                   : fmt::format(
                         "\ntest(\"case {0}\", () => {{\n  const kept = {1}([{{ id: {0}, weight: 2 }}]);\n"
                         "  expect(kept).toHaveLength(1);\n}});\n",
                         number, name);
  return text;
}

}  // namespace

expected<void> write_synthetic_project(const std::filesystem::path& root, uint32_t files, uint32_t lines) {
  constexpr const char* extensions[] = {".py", ".js", ".ts"};
  const auto write = [&](const std::string& path, const std::string& text) {
    return replace_file(root / path, text, durability::later);
  };
  if (auto done = write("pyproject.toml", "[tool.pytest.ini_options]\ntestpaths = [\".\"]\n"); !done) return done;
  if (auto done = write("package.json", "{\"type\": \"module\", \"devDependencies\": {\"vitest\": \"^2.0.0\"}}\n");
      !done)
    return done;
  for (uint32_t i = 0; i < files; ++i) {
    const auto language = static_cast<tongue>(i % 3);
    const auto* extension = extensions[i % 3];
    const bool test = i % 10 == 9;
    const auto tested = i >= 3 ? i - 3 : 0;  // of the same language
    const auto name = !test                        ? fmt::format("unit_{}{}", i, extension)
                      : language == tongue::python ? fmt::format("test_unit_{}.py", tested)
                                                   : fmt::format("unit_{}.test{}", tested, extension);
    const auto path = fmt::format("area_{}/{}", (test ? tested : i) / 100, name);
    const auto text = test ? test_text(tested, language, lines) : file_text(i, language, lines);
    if (auto done = write(path, text); !done) return done;
  }
  return {};
}

}  // namespace cohort::bench
