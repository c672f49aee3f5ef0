// Parts whose answer is not usable had an outcome of their own; the content is made of the others.

#include "actors/stored_result.hpp"

#include "actors/outcome_policy.hpp"

namespace cohort {

expected<std::string> usable_text(const task_craft& craft, const task_record& answered) {
  if (const auto by_stop = class_of(answered.stop); by_stop != ec::none)
    return fail(by_stop, std::string{sentence(by_stop)});
  return craft.extract(answered.spec, answered.answer);
}

expected<std::string> content_from_answers(const ledger& book, const task_craft& craft, int64_t run,
                                           const std::string& target) {
  const auto parts = book.answered_parts(run, target);
  if (!parts) return tl::unexpected{parts.error()};
  std::vector<std::string> extracted;
  for (const auto& part : *parts)
    if (auto usable = usable_text(craft, part)) extracted.push_back(std::move(*usable));
  if (extracted.empty()) return fail(ec::no_code, "no stored answer for '" + target + "' is usable");
  const auto& any = parts->front().spec;
  if (any.parts <= 1) return extracted.front();
  return craft.assemble(any, extracted);
}

}  // namespace cohort
