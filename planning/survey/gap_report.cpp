// Writes and reads gap reports. The JSON's form is described in docs/planning.md.

#include "planning/survey/gap_report.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::planning {

namespace {

constexpr uint32_t report_version = 1;
constexpr uint64_t largest_report = 256ULL << 20U;

using ordered_json = nlohmann::ordered_json;

std::vector<std::string> valid_utf8(const std::vector<std::string>& texts) {
  std::vector<std::string> shown;
  shown.reserve(texts.size());
  for (const auto& text : texts) shown.push_back(to_valid_utf8(text));
  return shown;
}

std::string_view kind_name(languages::symbol_kind kind) noexcept {
  switch (kind) {
    case languages::symbol_kind::function: return "function";
    case languages::symbol_kind::method: return "method";
    case languages::symbol_kind::class_type: return "class";
    case languages::symbol_kind::type: return "type";
    case languages::symbol_kind::constant: return "constant";
  }
  return "function";
}

ordered_json summary_of(const project_survey& found) {
  const auto& counts = found.counts;
  return {{"filesFound", counts.candidates},
          {"parsed", counts.parsed},
          {"tests", counts.tests},
          {"withGaps", counts.with_gaps},
          {"untestedSymbols", counts.untested_symbols},
          {"fullyTested", counts.fully_tested},
          {"tooSimple", counts.too_simple},
          {"notLoadable", counts.not_loadable},
          {"noPublicSymbols", counts.no_public_symbols},
          {"skipped", found.skipped.size()}};
}

ordered_json entry_of(const project_survey& found, const file_gap& gap) {
  const auto& file = found.files[gap.file];
  ordered_json symbols = ordered_json::array();
  for (const auto index : gap.untested) {
    const auto& one = file.symbols[index];
    symbols.push_back({{"name", one.name}, {"kind", kind_name(one.kind)}, {"line", one.first_line}});
  }
  return {{"path", to_valid_utf8(file.path)},
          {"language", file.language},
          {"framework", gap.framework},
          {"complexity", file.complexity},
          {"lines", file.lines},
          {"symbols", std::move(symbols)},
          {"tests", valid_utf8(gap.tests)},
          {"examples", valid_utf8(gap.examples)},
          {"dependencies", valid_utf8(gap.dependencies)}};
}

std::string as_json(const project_survey& found) {
  ordered_json report = {{"version", report_version}, {"summary", summary_of(found)}};
  auto& gaps = report["gaps"] = ordered_json::array();
  for (const auto& gap : found.gaps) gaps.push_back(entry_of(found, gap));
  auto& skipped = report["skipped"] = ordered_json::array();
  for (const auto& one : found.skipped)
    skipped.push_back(
        {{"path", to_valid_utf8(one.path)}, {"code", name(one.code)}, {"reason", to_valid_utf8(one.reason)}});
  return printable_json(report.dump(2, ' ', false, ordered_json::error_handler_t::replace)) + "\n";
}

/// The symbols without tests, each in the form of `shown`.
template <class Shown>
std::string names_of(const project_survey& found, const file_gap& gap, Shown shown) {
  std::string names;
  for (const auto index : gap.untested) {
    if (!names.empty()) names += ", ";
    names += shown(found.files[gap.file].symbols[index].name);
  }
  return names;
}

std::string summary_line(const project_survey& found) {
  const auto& counts = found.counts;
  return fmt::format(
      "{} files found, {} tests, {} with gaps ({} symbols), {} fully tested, {} too simple, "
      "{} without public symbols, {} skipped",
      counts.candidates, counts.tests, counts.with_gaps, counts.untested_symbols, counts.fully_tested,
      counts.too_simple, counts.no_public_symbols, found.skipped.size());
}

std::string as_markdown(const project_survey& found) {
  std::string report = "# Files that lack tests\n\n" + summary_line(found) + ".\n";
  if (!found.gaps.empty()) report += "\n| File | Complexity | Framework | Untested |\n|---|---|---|---|\n";
  for (const auto& gap : found.gaps) {
    const auto& file = found.files[gap.file];
    const auto in_cell = [](std::string_view name) { return markdown_code(name, markdown_context::cell); };
    report += fmt::format("| {} | {} | {} | {} |\n", in_cell(file.path), file.complexity, gap.framework,
                          names_of(found, gap, in_cell));
  }
  if (!found.skipped.empty()) report += "\n## Skipped\n\n";
  for (const auto& one : found.skipped)
    report += fmt::format("- {}: {}\n", markdown_code(one.path, markdown_context::line), markdown_text(one.reason));
  return report;
}

std::string as_text(const project_survey& found) {
  std::string report;
  for (const auto& gap : found.gaps) {
    const auto& file = found.files[gap.file];
    report += fmt::format("{:>2}  {}  ({}): {}\n", file.complexity, printable(file.path, 1000), gap.framework,
                          names_of(found, gap, [](std::string_view name) { return printable(name); }));
  }
  for (const auto& one : found.skipped)
    report += fmt::format("skipped  {}: {}\n", printable(one.path, 1000), printable(one.reason, 1000));
  return report + summary_line(found) + "\n";
}

bool stays_inside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  for (size_t begin = 0; begin <= path.size();) {
    auto end = path.find('/', begin);
    if (end == std::string_view::npos) end = path.size();
    const auto part = path.substr(begin, end - begin);
    if (part == ".." || part == "." || part.empty()) return false;
    begin = end + 1;
  }
  return true;
}

reported_gap read_entry(const config_reader& entry) {
  reported_gap gap;
  gap.path = entry.text("path");
  if (!stays_inside(gap.path)) entry.report("'path' must be relative and stay inside the project");
  gap.complexity = static_cast<uint32_t>(entry.number("complexity", 1, 10));
  for (const auto& one : entry.at("symbols").items()) {
    gap.symbols.push_back(one.text("name"));
    if (gap.symbols.back().empty()) one.report("'name' is empty");
  }
  if (gap.symbols.empty()) entry.report("'symbols' is empty; leave the file out instead");
  return gap;
}

}  // namespace

expected<report_format> report_format_named(std::string_view name) {
  if (name == "json") return report_format::json;
  if (name == "markdown") return report_format::markdown;
  if (name == "text") return report_format::text;
  return fail(ec::usage, fmt::format("unknown format '{}'; choose json, markdown or text", printable(name)));
}

std::string write_gap_report(const project_survey& found, report_format format) {
  switch (format) {
    case report_format::json: return as_json(found);
    case report_format::markdown: return as_markdown(found);
    case report_format::text: return as_text(found);
  }
  return {};
}

expected<gap_report> parse_gap_report(std::string_view json, const std::string& name) {
  const auto document = config_document::parse(json, name, unknown_keys::passed_over);
  if (!document)
    return fail(ec::config_invalid, document.error().message + "; write the report with `analyze-gaps -f json`");
  const auto top = document->top();
  if (const auto version = top.number("version", 1, UINT32_MAX); version > report_version)
    top.report(fmt::format("version {} is newer than this program, which reads version {}", version, report_version));
  gap_report report;
  std::set<std::string> seen;
  for (const auto& entry : top.at("gaps").items()) {
    auto gap = read_entry(entry);
    if (!seen.insert(gap.path).second)
      entry.report(fmt::format("the file '{}' is listed twice", printable(gap.path, 1000)));
    if (document->has_mistake()) break;
    report.gaps.push_back(std::move(gap));
  }
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  return report;
}

expected<gap_report> read_gap_report(const std::filesystem::path& file) {
  const auto text = read_file(file, largest_report);
  if (!text) return tl::unexpected{text.error()};
  return parse_gap_report(*text, file.string());
}

std::vector<std::string> restrict_to(project_survey& found, const gap_report& report) {
  std::map<std::string_view, const reported_gap*> wanted;
  for (const auto& gap : report.gaps) wanted.emplace(gap.path, &gap);
  std::vector<file_gap> kept;
  found.counts.untested_symbols = 0;
  for (auto& gap : found.gaps) {
    const auto& file = found.files[gap.file];
    const auto entry = wanted.find(to_valid_utf8(file.path));
    if (entry == wanted.end()) continue;
    const std::set<std::string_view> symbols{entry->second->symbols.begin(), entry->second->symbols.end()};
    std::erase_if(gap.untested, [&](uint32_t index) { return !symbols.contains(file.symbols[index].name); });
    if (gap.untested.empty()) continue;
    wanted.erase(entry);
    found.counts.untested_symbols += static_cast<uint32_t>(gap.untested.size());
    kept.push_back(std::move(gap));
  }
  found.gaps = std::move(kept);
  found.counts.with_gaps = static_cast<uint32_t>(found.gaps.size());
  std::vector<std::string> notes;
  notes.reserve(wanted.size());
  for (const auto& [path, gap] : wanted)
    notes.push_back(fmt::format("the report lists '{}', which is gone, tested, or below the least complexity",
                                printable(path, 1000)));
  return notes;
}

}  // namespace cohort::planning
