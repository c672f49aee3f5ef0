// A task: a prompt with an identity, and the name of what becomes of its answer.
// Nothing here says that the answer is a test; that is known to its answer handler alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/money.hpp"
#include "messages/request.hpp"
#include "messages/task_id.hpp"

namespace cohort::inline messages {

/// What a task is expected to use and cost. `low <= expected <= worst`; worst is a true bound.
struct task_estimate {
  uint64_t input_tokens = 0;   ///< Expected.
  uint64_t output_tokens = 0;  ///< Expected.
  nano_dollars low;
  nano_dollars expected;
  nano_dollars worst;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_estimate& x) {
  return f(x.input_tokens, x.output_tokens, x.low.count, x.expected.count, x.worst.count);
}

/// One planned task, frozen in the ledger.
struct task_spec {
  task_id id;
  std::string label;     ///< For people: the source's path, with the part if there are several.
  std::string source;    ///< Path relative to the project; '/' separators; any bytes but NUL.
  digest source_digest;  ///< Of the source's content when it was planned.
  std::string target;    ///< File that the answer goes into, relative to the output directory.
  uint32_t part = 1;     ///< This task answers part `part` of `parts` of the target.
  uint32_t parts = 1;
  uint32_t complexity = 1;  ///< 1 to 10.
  completion_request request;
  task_estimate estimate;
  std::map<std::string, std::string> traits;  ///< For the answer handler: language, framework, ...
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_spec& x) {
  return f(x.id, x.label, x.source, x.source_digest.bytes, x.target, x.part, x.parts, x.complexity, x.request,
           x.estimate, x.traits);
}

/// How the answers of one kind of task become files. Stateless; called from many threads.
class answer_handler {
 public:
  answer_handler() = default;
  answer_handler(const answer_handler&) = delete;
  answer_handler& operator=(const answer_handler&) = delete;
  virtual ~answer_handler() = default;

  /// What is usable in `answer`. Fails with `ec::empty_answer`, `ec::no_code`, `ec::broken_code` or
  /// `ec::answer_too_costly`. Other errors say that nothing was found out; then the answer is kept.
  [[nodiscard]] virtual expected<std::string> extract(const task_spec& task, std::string_view answer) const = 0;

  /// Why `extracted`, one part of several, must have a file of its own, for people; empty if it can be merged.
  /// Depends on the part alone, so that it holds whichever other parts are answered.
  [[nodiscard]] virtual std::string why_not_mergeable(const task_spec& task, const std::string& extracted) const = 0;

  /// The target's content from the extracted parts that can be merged, in order of `part`. At least one; parts may be
  /// missing. Not called for a target of one part: its content is what `extract` gave.
  [[nodiscard]] virtual expected<std::string> assemble(const task_spec& any,
                                                       const std::vector<std::string>& extracted) const = 0;

  /// Another name for the task's target, told apart by `ending` ("2", "part3"): for when a file that is not ours has
  /// its name, and for parts that have a file of their own.
  [[nodiscard]] virtual std::string alternative_name(const task_spec& task, const std::string& ending) const = 0;

  /// True if `name`, a path relative to the output directory, could be a name for the task's result: what is stored may
  /// have been altered, and no other file may ever be written.
  [[nodiscard]] virtual bool is_result_name(const task_spec& task, const std::string& name) const = 0;

  /// What the results in `content` are called, one entry for each: `content` lacks what it has fewer entries of than
  /// another. A result keeps its entry when it is assembled with others. Empty if that cannot be told.
  [[nodiscard]] virtual std::vector<std::string> results_in(const task_spec& task,
                                                            const std::string& content) const = 0;
};

}  // namespace cohort::inline messages
