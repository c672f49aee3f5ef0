// Delivered files that lack results which tasks of this ledger brought into them: nobody but the user may take one out.
#pragma once

#include <string>
#include <vector>

#include "messages/task.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::actors {

struct lacking_file {
  state::source_target whose;
  std::string path;                  ///< Absolute.
  std::vector<std::string> results;  ///< What the lacking ones are called.
};

/// Compares what the stored answers make with what stands in the files. A file is looked at if several tasks delivered
/// into it; one that was whole when it was delivered and was edited since is the user's business. Reads only.
[[nodiscard]] expected<std::vector<lacking_file>> find_lacking_files(const state::ledger& ledger,
                                                                     const answer_handler& handler);

/// True if every task that delivered into `path` stands in another file by now: nothing is lost if it is deleted.
[[nodiscard]] bool is_left_behind(const state::ledger& ledger, const std::string& path);

}  // namespace cohort::actors
