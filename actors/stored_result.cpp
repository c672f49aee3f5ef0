// Parts whose answer is not usable had an outcome of their own; the content is made of the others.

#include "actors/stored_result.hpp"

#include "actors/outcome_policy.hpp"

namespace cohort {

expected<std::string> usable_text(const task_craft& craft, const task_record& answered) {
  if (const auto by_stop = class_of(answered.stop); by_stop != ec::none)
    return fail(by_stop, std::string{sentence(by_stop)});
  return craft.extract(answered.spec, answered.answer);
}

std::string part_ending(const task_spec& part) { return "part" + std::to_string(part.part); }

expected<std::string> content_from_answers(const ledger& book, const task_craft& craft, int64_t run,
                                           const std::string& target, const task_id& task) {
  const auto parts = book.answered_parts(run, target);
  if (!parts) return tl::unexpected{parts.error()};
  std::vector<std::string> merged;
  for (const auto& part : *parts) {
    auto usable = usable_text(craft, part);
    if (!usable) continue;
    const bool alone = part.spec.parts > 1 && !craft.why_alone(part.spec, *usable).empty();
    if (alone && part.spec.id == task) return usable;
    if (!alone) merged.push_back(std::move(*usable));
  }
  if (merged.empty()) return fail(ec::no_code, "no stored answer for '" + target + "' is usable");
  const auto& any = parts->front().spec;
  if (any.parts <= 1) return merged.front();
  return craft.assemble(any, merged);
}

}  // namespace cohort
