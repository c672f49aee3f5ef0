// Renders the sections of a prompt. What goes into the sections is decided elsewhere.

#include "planning/prompts/prompt.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace cohort::planning {

namespace {

using ordered = nlohmann::ordered_json;

std::string escaped(std::string_view value) {
  std::string result;
  for (const char c : value) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '"': result += "&quot;"; break;
      case '<': result += "&lt;"; break;
      case '\n': result += "&#10;"; break;
      case '\r': result += "&#13;"; break;
      default: result += c;
    }
  }
  return result;
}

/// The first half of a SHA-256 over the text between the fences, so that no text can contain its own fence.
std::string fence_for(std::string_view text) { return to_hex(sha256(text)).substr(0, 16); }

void add_section(std::string& prompt, std::string_view tag, std::string_view content) {
  prompt += fmt::format("<{}>\n", tag);
  prompt += content;
  if (!content.ends_with('\n')) prompt += '\n';
  prompt += fmt::format("</{}>\n", tag);
}

void add_fenced(std::string& prompt, std::string_view tag, std::string_view attributes, std::string_view content) {
  const auto fence = fence_for(content);
  prompt += fmt::format("<{}{} fence=\"{}\">\n", tag, attributes, fence);
  prompt += content;
  if (!content.ends_with('\n')) prompt += '\n';
  prompt += fmt::format("</{} fence=\"{}\">\n", tag, fence);
}

std::string_view kind_in_prompt(languages::symbol_kind kind) noexcept {
  switch (kind) {
    case languages::symbol_kind::function:
    case languages::symbol_kind::method: return "function";
    case languages::symbol_kind::class_type: return "class";
    case languages::symbol_kind::type: return "type";
    case languages::symbol_kind::constant: return "constant";
  }
  return "constant";
}

ordered parameters_as_json(const std::vector<languages::parameter>& parameters) {
  auto list = ordered::array();
  for (const auto& one : parameters)
    list.push_back({{"name", one.name}, {"has_default", one.has_default}, {"is_rest", one.is_rest}});
  return list;
}

const std::vector<languages::parameter>& constructor_parameters(const languages::symbol& what,
                                                                std::string_view constructor) noexcept {
  if (what.kind == languages::symbol_kind::class_type && !constructor.empty())
    for (const auto& member : what.members)
      if (member.name == constructor) return member.parameters;
  return what.parameters;
}

std::string one_line(std::string_view signature) {
  std::string result{signature};
  std::replace(result.begin(), result.end(), '\n', ' ');
  std::replace(result.begin(), result.end(), '\r', ' ');
  return result;
}

}  // namespace

std::string symbol_as_json(const languages::symbol& what, std::string_view constructor) {
  ordered methods = ordered::array();
  for (const auto& member : what.members)
    if (member.is_public && member.name != constructor)
      methods.push_back({{"name", member.name},
                         {"async", member.is_async},
                         {"static", member.is_static},
                         {"parameters", parameters_as_json(member.parameters)}});
  const ordered line = {
      {"name", what.name},           {"kind", kind_in_prompt(what.kind)},
      {"async", what.is_async},      {"default_export", what.is_default_export},
      {"signature", what.signature}, {"parameters", parameters_as_json(constructor_parameters(what, constructor))},
      {"methods", methods}};
  return line.dump(-1, ' ', false, ordered::error_handler_t::replace);
}

std::string signatures_of(std::string_view path, std::span<const languages::symbol> symbols,
                          const languages::prompt_language& language) {
  std::string text;
  for (const auto& one : symbols) {
    text += one_line(one.signature) + '\n';
    for (const auto& member : one.members)
      if (member.is_public || member.name == language.constructor) text += "    " + one_line(member.signature) + '\n';
  }
  return text.empty() ? text : fmt::format("{} {}\n{}", language.comment_mark, printable(path, 1000), text);
}

std::string_view first_lines(std::string_view text, uint64_t limit) noexcept {
  if (text.size() <= limit) return text;
  const auto last = text.rfind('\n', limit == 0 ? 0 : limit - 1);
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

std::string render_prompt(const prompt_sections& sections) {
  std::string prompt = fmt::format("<task language=\"{}\" framework=\"{}\" path=\"{}\" part=\"{}\" parts=\"{}\">\n",
                                   escaped(sections.language), escaped(sections.framework), escaped(sections.path),
                                   sections.part, sections.parts);
  prompt.reserve(sections.source.size() + sections.example.size() + sections.dependencies.size() + 8192);
  add_section(prompt, "save-as", sections.save_as);
  add_section(prompt, "import", sections.import_text);
  std::string symbols;
  for (const auto& one : sections.symbols) symbols += symbol_as_json(one, sections.constructor) + '\n';
  add_section(prompt, "symbols", symbols);
  if (!sections.dependencies.empty()) add_section(prompt, "dependencies", sections.dependencies);
  if (!sections.example.empty())
    add_fenced(prompt, "example", fmt::format(" path=\"{}\"", escaped(sections.example_path)), sections.example);
  add_fenced(prompt, "source", "", sections.source);
  prompt += "</task>\n";
  return prompt;
}

}  // namespace cohort::planning
