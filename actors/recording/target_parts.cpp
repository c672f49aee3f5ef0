// Newer is what a later run delivered: the tasks of one run ask for different things.

#include "actors/recording/target_parts.hpp"

#include <algorithm>
#include <set>

#include "actors/run/attempt_policy.hpp"
#include "messages/delivered_work.hpp"
#include "messages/task_units.hpp"

namespace cohort::actors {

namespace {

constexpr size_t most_known_bytes = 16 << 20;

/// Marks the parts of which newer ones in the same folder have asked for everything. One that was planned without units
/// counts for ever, and so does one in a folder that newer runs did not write into.
void mark_superseded(part_list& parts) {
  std::vector<std::optional<task_units>> units;
  for (const auto& one : parts) units.push_back(units_of(one.spec));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!units[i] || units[i]->asked.empty()) continue;
    std::set<uint64_t> asked_again;
    for (size_t k = 0; k < parts.size(); ++k)
      if (units[k] && parts[k].where.run > parts[i].where.run && parts[k].where.state == task_state::delivered &&
          parts[k].where.output_directory == parts[i].where.output_directory)
        asked_again.insert(units[k]->asked.begin(), units[k]->asked.end());
    const std::vector<uint64_t> newer(asked_again.begin(), asked_again.end());
    parts[i].counts = !is_within(units[i]->asked, newer);
  }
}

/// Where a result lies and for which framework it was made decides how it imports what it needs.
bool is_alike(const task_spec& one, const task_spec& other) {
  auto a = one.traits;
  auto b = other.traits;
  for (const auto* own : {units_trait, work_trait}) {  // What a task asks for is its own.
    a.erase(own);
    b.erase(own);
  }
  return a == b;
}

/// What was made for another place, or for what the source does not have any more, would spoil the other results of the
/// file.
bool fits(const target_part& one, const target_part& newest) {
  if (!is_alike(one.spec, newest.spec)) return false;
  if (one.spec.source_digest == newest.spec.source_digest) return true;
  const auto asked = units_of(one.spec);
  const auto present = units_of(newest.spec);
  return asked && present && is_within(asked->asked, present->present);
}

expected<std::string> content_of(const answer_handler& handler, const part_group& parts) {
  if (parts.size() == 1) return parts.front()->text;
  std::vector<std::string> texts;
  for (const auto* one : parts) texts.push_back(one->text);
  return handler.assemble(parts.front()->spec, texts);
}

}  // namespace

expected<std::string> usable_text(const answer_handler& handler, const task_record& answered) {
  if (const auto by_stop = class_of(answered.stop); by_stop != ec::none)
    return fail(by_stop, std::string{sentence(by_stop)});
  return handler.extract(answered.spec, answered.answer);
}

bool file_share::has(const target_part& one) const {
  return std::find(parts.begin(), parts.end(), &one) != parts.end();
}

const target_part* find_part(const part_list& parts, int64_t run, const task_id& task) {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const auto& one) { return one.where.run == run && one.where.task == task; });
  return found == parts.end() ? nullptr : &*found;
}

expected<part_list> target_reader::delivered(const state::source_target& whose) {
  auto tasks = ledger_.tasks_for(whose);
  if (!tasks) return tl::unexpected{tasks.error()};
  part_list parts;
  for (auto& one : *tasks)
    if (one.state == task_state::delivered) parts.push_back({std::move(one), {}, {}, false, false, true});
  if (auto read = read_answers(parts, whose.target); !read) return tl::unexpected{read.error()};
  mark_superseded(parts);
  return parts;
}

expected<part_list> target_reader::with(const task_spec& task, int64_t run, const std::string& extracted) {
  auto tasks = ledger_.tasks_for({task.source, task.target});
  if (!tasks) return tl::unexpected{tasks.error()};
  part_list others;
  target_part own{{run, task.id, task_state::delivered, {}, {}}, task, extracted, true, false, true};
  for (auto& one : *tasks) {
    if (one.run == run && one.task == task.id)
      own.where = {run, task.id, task_state::delivered, std::move(one.path), std::move(one.output_directory)};
    else if (one.run == run || one.state == task_state::delivered)
      others.push_back({std::move(one), {}, {}, false, false, true});
  }
  if (others.empty() && task.parts <= 1) return part_list{std::move(own)};
  if (auto read = read_answers(others, task.target); !read) return tl::unexpected{read.error()};
  std::erase_if(others, [](const auto& one) { return one.where.state != task_state::delivered && !one.usable; });
  own.own_file = !handler_.why_not_mergeable(task, extracted).empty();
  keep({run, task.id}, {extracted, own.own_file});
  const auto behind = std::find_if(others.begin(), others.end(), [&](const auto& one) {
    return one.spec.part > task.part || (one.spec.part == task.part && one.where.run > run);
  });
  others.insert(behind, std::move(own));
  mark_superseded(others);
  return others;
}

/// Specs of all, and what is usable of their answers.
expected<void> target_reader::read_answers(part_list& parts, const std::string& target) {
  std::set<int64_t> runs;
  for (const auto& one : parts) runs.insert(one.where.run);
  for (const auto run : runs) {
    auto records = ledger_.answered_parts(run, target);
    if (!records) return tl::unexpected{records.error()};
    for (auto& record : *records) {
      const auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& one) {
        return one.where.run == run && one.where.task == record.spec.id;
      });
      if (part != parts.end()) take(*part, std::move(record));
    }
  }
  return {};
}

void target_reader::take(target_part& part, task_record record) {
  const answer_key whose{part.where.run, part.where.task};
  auto known = known_.find(whose);
  if (known == known_.end()) {
    auto text = usable_text(handler_, record);
    if (text) {  // Another answer may still come for one that is not usable.
      const bool own_file = !handler_.why_not_mergeable(record.spec, *text).empty();
      keep(whose, {std::move(*text), own_file});
      known = known_.find(whose);
    }
  }
  if (known != known_.end()) {
    part.text = known->second.text;
    part.own_file = known->second.own_file;
    part.usable = true;
  }
  part.spec = std::move(record.spec);
}

void target_reader::keep(const answer_key& whose, finding what) {
  if (known_bytes_ + what.text.size() > most_known_bytes) {
    known_.clear();
    known_bytes_ = 0;
  }
  known_bytes_ += what.text.size();
  known_.insert_or_assign(whose, std::move(what));
}

file_share share_of(const answer_handler& handler, const part_list& parts, const target_part& newest) {
  file_share share{{&newest}, newest.text};
  if (newest.own_file) return share;
  part_group together;
  for (const auto& one : parts)
    if (&one == &newest || (one.counts && one.usable && !one.own_file && fits(one, newest))) together.push_back(&one);
  // What cannot be merged after all stands in files of its own.
  if (auto content = content_of(handler, together)) share = {std::move(together), std::move(*content)};
  return share;
}

std::vector<file_share> shares_at(const answer_handler& handler, const part_list& parts, const std::string& path) {
  const bool any_counts = std::any_of(parts.begin(), parts.end(), [&](const auto& one) { return one.stands_in(path); });
  part_group here;
  for (const auto& one : parts)
    if (one.usable && one.where.path == path && (one.counts || !any_counts)) here.push_back(&one);
  std::vector<file_share> shares;
  if (here.empty()) return shares;
  const auto* newest = *std::max_element(here.begin(), here.end(),
                                         [](const auto* a, const auto* b) { return a->where.run < b->where.run; });
  file_share merged;
  for (const auto* one : here)
    if (here.size() == 1 || (!one->own_file && fits(*one, *newest))) merged.parts.push_back(one);
  if (!merged.parts.empty()) {
    if (auto content = content_of(handler, merged.parts)) {
      merged.content = std::move(*content);
      shares.push_back(std::move(merged));
    }
  }
  for (const auto* one : here)
    if (shares.empty() || !shares.front().has(*one)) shares.push_back({{one}, one->text});
  return shares;
}

}  // namespace cohort::actors
