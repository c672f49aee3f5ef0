// Plans one request at a time: read, check, split, render, estimate, name.

#include "planning/prompts/task_planner.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "messages/delivered_work.hpp"
#include "messages/task_units.hpp"
#include "planning/prompts/import_statements.hpp"
#include "planning/prompts/prompt.hpp"
#include "planning/prompts/prompt_context.hpp"
#include "planning/prompts/source_split.hpp"
#include "planning/prompts/target_names.hpp"
#include "planning/sizing/estimate.hpp"
#include "planning/survey/gaps.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::planning {

namespace {

constexpr uint64_t largest_source = 1U << 20;
constexpr uint64_t markup_bytes = 1024;  ///< A safe bound for tags and attributes of a prompt, without paths.

/// A request with everything that its parts have in common.
struct common_sections {
  const languages::source_file* source = nullptr;
  const languages::language* lang = nullptr;
  const languages::prompt_language* conventions = nullptr;
  std::string target;
  prompt_sections sections;
  const std::string* prefix = nullptr;
};

/// The tasks for a request, with what had to be left out.
struct planned_request {
  std::vector<task_spec> tasks;
  std::vector<oversized_symbol> left_out;
};

class task_planner {
 public:
  task_planner(const task_input& input, const task_options& options, const languages::language_set& languages,
               const languages::prompt_texts& texts, const planning_defaults& defaults)
      : input_(input),
        options_(options),
        languages_(languages),
        texts_(texts),
        defaults_(defaults),
        imports_(input.project, input.files, languages),
        context_(input.project, input.files),
        targets_(all_targets()) {}

  expected<planned_request> plan(const test_request& request);

 private:
  [[nodiscard]] target_map all_targets() const;
  [[nodiscard]] expected<std::string> current_text(const languages::source_file& source) const;
  [[nodiscard]] expected<const std::string*> prefix_for(const languages::language& lang, const std::string& framework);
  [[nodiscard]] expected<common_sections> prepare(const test_request& request, std::string_view text);
  [[nodiscard]] split_limits limits_for(const common_sections& common, const test_request& request) const;
  [[nodiscard]] expected<std::string> import_for(const common_sections& common,
                                                 std::span<const languages::symbol> symbols, std::string_view text);
  [[nodiscard]] task_spec task_from(const common_sections& common, const source_part& part, uint32_t number,
                                    uint32_t parts) const;

  const task_input& input_;
  const task_options& options_;
  const languages::language_set& languages_;
  const languages::prompt_texts& texts_;
  const planning_defaults& defaults_;
  import_writer imports_;
  prompt_context context_;
  target_map targets_;
  std::map<std::string, std::string> prefixes_;
};

target_map task_planner::all_targets() const {
  std::vector<target_request> sources;
  std::vector<std::string> tests;
  for (const auto& file : input_.files) {
    if (file.is_test)
      tests.push_back(file.path);
    else
      sources.push_back({&file, input_.framework_of(file)});
  }
  return name_targets(sources, tests, texts_);
}

expected<std::string> task_planner::current_text(const languages::source_file& source) const {
  const auto path = join_inside(input_.project, source.path);
  if (!path) return tl::unexpected{path.error()};
  auto text = read_file(*path, largest_source);
  if (!text && text.error().code == ec::not_found)
    return fail(ec::source_gone, fmt::format("'{}' is gone since the project was read", printable(source.path)));
  if (!text) return text;
  if (sha256(*text) != source.content)
    return fail(ec::source_changed, fmt::format("'{}' has changed since the project was read; run the command again",
                                                printable(source.path)));
  if (!is_utf8(*text)) return fail(ec::not_utf8, fmt::format("'{}' is not UTF-8 text", printable(source.path)));
  return text;
}

expected<const std::string*> task_planner::prefix_for(const languages::language& lang, const std::string& framework) {
  const auto key = lang.id + '\n' + framework;
  auto known = prefixes_.find(key);
  if (known == prefixes_.end()) {
    auto prefix = texts_.shared_prefix(lang, framework);
    if (!prefix) return tl::unexpected{prefix.error()};
    known = prefixes_.emplace(key, std::move(*prefix)).first;
  }
  return &known->second;
}

expected<common_sections> task_planner::prepare(const test_request& request, std::string_view text) {
  const auto& source = *request.source;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (!is_utf8(source.path) || std::any_of(source.path.begin(), source.path.end(), control))
    return fail(ec::not_importable,
                fmt::format("'{}': a path with control characters or invalid UTF-8 cannot be imported by name",
                            printable(source.path)));
  common_sections common;
  common.source = &source;
  common.lang = languages_.by_id(source.language);
  if (common.lang == nullptr) return fail(ec::config_invalid, fmt::format("unknown language '{}'", source.language));
  auto& sections = common.sections;
  sections.language = source.language;
  sections.framework = input_.framework_of(source);
  const auto prefix = prefix_for(*common.lang, sections.framework);
  if (!prefix) return tl::unexpected{prefix.error()};
  common.prefix = *prefix;
  common.conventions = texts_.language(source.language);
  const auto target = targets_.find(source.path);
  if (target == targets_.end())
    return fail(ec::not_found, fmt::format("'{}' is not among the project's files", source.path));
  common.target = target->second;
  sections.path = source.path;
  sections.constructor = common.conventions->constructor;
  sections.save_as = (std::filesystem::path{options_.tests_dir} / common.target).lexically_normal().generic_string();
  auto import = import_for(common, request.symbols, text);
  if (!import) return tl::unexpected{import.error()};
  sections.import_text = std::move(*import);
  sections.dependencies = context_.dependencies_of(source, *common.conventions, defaults_.limits.max_dependency_bytes);
  auto example = context_.example_for(source, defaults_.limits.max_example_bytes);
  sections.example_path = std::move(example.path);
  sections.example = std::move(example.text);
  return common;
}

expected<std::string> task_planner::import_for(const common_sections& common,
                                               std::span<const languages::symbol> symbols, std::string_view text) {
  return imports_.import_text({common.source, text, symbols, common.sections.framework, common.sections.save_as},
                              *common.conventions);
}

/// The room for the source that the other sections leave. Each byte is counted as a token, so the model's context
/// without the answer bounds the bytes as well.
split_limits task_planner::limits_for(const common_sections& common, const test_request& request) const {
  const auto& sections = common.sections;
  uint64_t used = common.prefix->size() + markup_bytes + sections.path.size() + sections.save_as.size() +
                  sections.import_text.size() + sections.dependencies.size() + sections.example.size() +
                  sections.example_path.size();
  // A part lists no more symbols than it may have units.
  std::vector<uint64_t> listed;
  for (const auto& one : request.symbols) listed.push_back(symbol_as_json(one, sections.constructor).size() + 1);
  std::sort(listed.begin(), listed.end(), std::greater<>{});
  listed.resize(std::min<size_t>(listed.size(), defaults_.limits.max_units_per_part));
  used = std::accumulate(listed.begin(), listed.end(), used);
  const uint64_t answer = defaults_.estimates.max_max_tokens + prompt_token_bound(0);
  const uint64_t context = options_.model.context_tokens;
  const auto most = std::min(defaults_.limits.max_prompt_bytes, context > answer ? context - answer : 0);
  return {most > used ? most - used : 0, defaults_.limits.max_units_per_part};
}

std::string symbols_field(const std::vector<languages::symbol>& symbols) {
  std::string field;
  for (const auto& one : symbols) {
    field += one.name + '\n';
    for (const auto& member : one.members) field += '\t' + member.name + '\n';
  }
  return field;
}

/// Functions, classes and public methods by name; the name of a method includes its class.
void add_units(std::vector<std::string>& units, const languages::symbol& one) {
  units.push_back(one.name);
  for (const auto& member : one.members)
    if (member.is_public) units.push_back(one.name + '\n' + member.name);
}

std::string units_field(const languages::source_file& source, const std::vector<languages::symbol>& asked_for) {
  std::vector<std::string> asked;
  std::vector<std::string> present;
  for (const auto& one : asked_for) add_units(asked, one);
  for (const auto& one : source.symbols)
    if (one.is_public && is_testable(one)) add_units(present, one);
  return pack_units(asked, present);
}

task_spec task_planner::task_from(const common_sections& common, const source_part& part, uint32_t number,
                                  uint32_t parts) const {
  auto sections = common.sections;
  sections.part = number;
  sections.parts = parts;
  sections.symbols = part.symbols;
  sections.source = part.text;
  task_spec task;
  task.source = common.source->path;
  task.label = parts == 1 ? task.source : fmt::format("{} ({}/{})", task.source, number, parts);
  task.source_digest = common.source->content;
  task.target = common.target;
  task.part = number;
  task.parts = parts;
  task.complexity = common.source->complexity;
  task.request = {options_.model.id, *common.prefix, render_prompt(sections), 0, options_.cache, options_.effort};
  task_size size{common.prefix->size() + task.request.prompt.size(), part.text.size(), 0};
  for (const auto& one : part.symbols) size.units += units_in(one);
  task.request.max_tokens = max_tokens_for(size, defaults_.estimates, options_.model);
  task.estimate = estimate_task(size, task.request.max_tokens, options_.effort, defaults_.estimates, options_.model);
  task.traits = {{"language", sections.language}, {"framework", sections.framework}, {"save_as", sections.save_as}};
  if (auto units = units_field(*common.source, part.symbols); !units.empty())
    task.traits[units_trait] = std::move(units);
  // Everything that the answer depends on. The target's name is not part of it: it may change when another file gets a
  // similar name, and the answer stays good. The import text is part of it, because it depends on the test's folder.
  task.id = task_id_from(sha256_of_fields(
      {task.source, to_hex(task.source_digest), std::to_string(texts_.version()), sections.language, sections.framework,
       task.request.model, std::to_string(task.request.max_tokens), task.request.effort, std::to_string(number),
       std::to_string(parts), sections.import_text, symbols_field(part.symbols)}));
  return task;
}

/// The text of a class without its methods, or that of a function.
std::string own_text(const languages::symbol& one, std::string_view text) {
  std::string own;
  size_t at = std::min<size_t>(one.first_byte, text.size());
  const auto end = std::min<size_t>(one.end_byte, text.size());
  for (const auto& member : one.members) {
    const auto first = std::clamp<size_t>(member.first_byte, at, end);
    own += text.substr(at, first - at);
    at = std::clamp<size_t>(member.end_byte, first, end);
  }
  return own += text.substr(at, end - at);
}

using unit_visitor =
    std::function<void(const std::string& unit, const std::string& text, const languages::symbol* member)>;

/// `one` as its source has it: a part of a split source may hold a class with some of its methods.
const languages::symbol& whole_of(const languages::symbol& one, const languages::source_file& source) {
  const auto whole = std::find_if(source.symbols.begin(), source.symbols.end(), [&](const auto& each) {
    return each.name == one.name && each.first_byte == one.first_byte;
  });
  return whole == source.symbols.end() ? one : *whole;
}

/// The units that a task for `one` asks for, with their texts.
void for_each_unit(const languages::symbol& one, const languages::source_file& source, std::string_view text,
                   const unit_visitor& visit) {
  visit(one.name, own_text(whole_of(one, source), text), nullptr);
  for (const auto& member : one.members)
    if (member.is_public) visit(one.name + '\n' + member.name, own_text(member, text), &member);
}

std::string work_field(const std::vector<languages::symbol>& asked_for, const languages::source_file& source,
                       std::string_view text) {
  std::vector<unit_work> units;
  for (const auto& one : asked_for)
    for_each_unit(one, source, text, [&](const std::string& unit, const std::string& own, const languages::symbol*) {
      units.push_back(unit_work_of(unit, own));
    });
  return pack_work(std::move(units));
}

/// What of `request` is still to be asked for: of a class whose own text is done, the methods that are not.
test_request without_done(const test_request& request, std::string_view text, const done_test& is_done) {
  test_request left{request.source, {}};
  for (const auto& one : request.symbols) {
    bool whole = false;
    std::vector<languages::symbol> methods;
    for_each_unit(one, *request.source, text,
                  [&](const std::string& unit, const std::string& own, const languages::symbol* member) {
                    if (is_done(*request.source, unit, own)) return;
                    if (member == nullptr)
                      whole = true;
                    else
                      methods.push_back(*member);
                  });
    if (!whole && methods.empty()) continue;
    left.symbols.push_back(one);
    if (!whole) left.symbols.back().members = std::move(methods);
  }
  return left;
}

expected<planned_request> task_planner::plan(const test_request& whole_request) {
  const auto text = current_text(*whole_request.source);
  if (!text) return tl::unexpected{text.error()};
  const auto request = input_.is_done ? without_done(whole_request, *text, input_.is_done) : whole_request;
  if (request.symbols.empty()) return planned_request{};
  auto common = prepare(request, *text);
  if (!common) return tl::unexpected{common.error()};
  auto limits = limits_for(*common, request);
  if (text->size() > limits.max_source_bytes && !common->sections.example.empty()) {
    // If there is too little room, the source is worth more than the example.
    limits.max_source_bytes += common->sections.example.size();
    common->sections.example.clear();
  }
  auto split =
      split_source(*common->lang, *request.source, *text, request.symbols, common->conventions->constructor, limits);
  if (!split) return tl::unexpected{split.error()};
  planned_request planned{{}, std::move(split->left_out)};
  auto& tasks = planned.tasks;
  for (const auto& part : split->parts) {
    auto import = import_for(*common, part.symbols, *text);
    if (!import) return tl::unexpected{import.error()};
    common->sections.import_text = std::move(*import);
    tasks.push_back(
        task_from(*common, part, static_cast<uint32_t>(tasks.size() + 1), static_cast<uint32_t>(split->parts.size())));
    if (auto work = work_field(part.symbols, *request.source, *text); !work.empty())
      tasks.back().traits[work_trait] = std::move(work);
  }
  return planned;
}

}  // namespace

expected<task_totals> plan_tasks(const task_input& input, const task_options& options,
                                 const languages::language_set& languages, const languages::prompt_texts& texts,
                                 const planning_defaults& defaults, const task_receiver& receiver) {
  task_planner planner{input, options, languages, texts, defaults};
  std::vector<const test_request*> requests;
  for (const auto& request : input.requests) requests.push_back(&request);
  std::sort(requests.begin(), requests.end(),
            [](const auto* a, const auto* b) { return a->source->path < b->source->path; });
  task_totals totals;
  for (const auto* request : requests) {
    auto planned = planner.plan(*request);
    if (!planned && planned.error().code == ec::config_invalid) return tl::unexpected{std::move(planned.error())};
    if (!planned) {
      ++totals.skipped;
      receiver.skipped({request->source->path, std::move(planned.error()), {}});
      continue;
    }
    if (planned->tasks.empty() && planned->left_out.empty()) ++totals.done;
    for (auto& task : planned->tasks) {
      ++totals.tasks;
      const std::array both{totals.estimate, task.estimate};
      totals.estimate = sum_of(both);
      if (!receiver.task(std::move(task))) return totals;
    }
    for (auto& one : planned->left_out)
      receiver.skipped({request->source->path, std::move(one.why), std::move(one.name)});
  }
  return totals;
}

task_input input_from(const project_survey& seen, std::filesystem::path project) {
  std::unordered_map<std::string, std::string> by_path;
  std::map<std::string, std::string> by_language;
  task_input input{std::move(project), seen.files, {}, {}};
  for (const auto& gap : seen.gaps) {
    const auto& source = seen.files[gap.file];
    by_path.emplace(source.path, gap.framework);
    by_language.emplace(source.language, gap.framework);
    test_request request{&source, {}};
    for (const auto index : gap.untested) request.symbols.push_back(source.symbols[index]);
    input.requests.push_back(std::move(request));
  }
  // Files without a gap only need a framework so that names are chosen for all files alike.
  input.framework_of = [by_path = std::move(by_path),
                        by_language = std::move(by_language)](const languages::source_file& file) {
    if (const auto found = by_path.find(file.path); found != by_path.end()) return found->second;
    const auto found = by_language.find(file.language);
    return found == by_language.end() ? std::string{} : found->second;
  };
  return input;
}

}  // namespace cohort::planning
