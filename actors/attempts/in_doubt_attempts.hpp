// After a restart: attempts that nodes were given and that have no known outcome. Their tasks are asked again only when
// it is clear that nobody brings an answer: the node came back without it, or it did not come back in time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/nodes/node_table.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::actors {

class in_doubt_attempts {
 public:
  in_doubt_attempts(const std::vector<state::in_doubt_attempt>& attempts, steady_time until);

  /// A node came (back) and told what it holds; what it does not hold is no longer awaited from it.
  /// Returns tasks that nobody holds any more.
  [[nodiscard]] std::vector<task_id> came(const std::string& node, const std::set<attempt_id>& held);

  /// A node that had come is gone again: perhaps only its connection, so before `until` it may come once more.
  [[nodiscard]] std::vector<task_id> went(const std::string& node, steady_time now);

  /// Nodes that have not come by `until` are given up. Returns tasks that nobody holds any more.
  [[nodiscard]] std::vector<task_id> at(steady_time now);

  /// An attempt's outcome is known. True if its task was awaited and nobody holds another attempt of it.
  [[nodiscard]] bool settled(const attempt_id& attempt);

  /// The task has its answer: it is not to be released.
  void answered(const task_id& task);

  enum class status : uint8_t { awaited, answered, free };
  [[nodiscard]] status of(const task_id& task) const;

 private:
  struct possible_holder {
    std::string node;
    bool here = false;  ///< It came and said that it holds the attempt.
  };
  template <class Gone>
  std::vector<task_id> drop(Gone&& gone);

  std::map<task_id, std::map<uint32_t, possible_holder>> tasks_;
  std::set<task_id> answered_;
  steady_time until_;
};

}  // namespace cohort::actors
