// Delivered files that are gone, written again from answers that are paid for.

#include <fmt/format.h>

#include "actors/stored_result.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/verification.hpp"

namespace cohort {

namespace fs = std::filesystem;

namespace {

/// The path to write, checked for links that lead out of the folder that the file was delivered into.
expected<fs::path> safe_path(const workspace& place, const recorded_file& file) {
  const fs::path wanted{file.output_directory};
  return known_path(place, wanted.is_absolute() ? wanted : place.project / wanted, file.path);
}

/// The ledger follows if the answers make another content by now, for instance because a further part was answered.
expected<void> note_content(ledger& book, const recorded_file& file, const digest& content) {
  if (content == file.content) return {};
  if (auto begun = book.begin(); !begun) return begun;
  auto stored = book.record(file.run, delivery{file.task, file.path, content, file.beside});
  if (stored) stored = book.commit();
  if (!stored) book.rollback();
  return stored;
}

expected<void> restore(const workspace& place, ledger& book, const task_craft& craft, const recorded_file& file) {
  const auto content = content_from_answers(book, craft, file.run, file.target, file.task);
  if (!content) return tl::unexpected{content.error()};
  const auto path = safe_path(place, file);
  if (!path) return tl::unexpected{path.error()};
  if (!is_missing(path->native())) return fail(ec::conflict, "something stands in its place by now");
  if (auto written = replace_file(*path, *content, durability::now); !written) return written;
  return note_content(book, file, sha256(*content));
}

}  // namespace

expected<std::vector<std::string>> restore_missing(const workspace& place, ledger& book, const task_craft& craft,
                                                   std::vector<audit_finding>& troubles) {
  const auto audit = book.audit({});
  if (!audit) return tl::unexpected{audit.error()};
  std::vector<std::string> restored;
  for (const auto& file : audit->files) {
    if (!is_missing(file.path)) continue;
    if (auto done = restore(place, book, craft, file); done)
      restored.push_back(file.path);
    else
      troubles.push_back({disagreement::missing, printable(file.path, 1000),
                          fmt::format("it cannot be written again: {}", done.error().message)});
  }
  return restored;
}

}  // namespace cohort
