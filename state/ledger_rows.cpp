// Seals and packed columns: how single rows are protected and written.

#include <charconv>

#include <fmt/format.h>

#include "state/ledger_impl.hpp"

namespace cohort {

int64_t seal_of_task(const task_id& id, uint32_t batch, task_state state, ec code) noexcept {
  return seal{}
      .add(id.high)
      .add(id.low)
      .add(batch)
      .add(static_cast<uint32_t>(state))
      .add(static_cast<uint32_t>(code))
      .value();
}

int64_t seal_of_run(const run_settings& x, run_status status, std::string_view identity) noexcept {
  return seal{}
      .add(identity)
      .add(x.batch_size)
      .add(std::string_view{x.model})
      .add(x.concurrent)
      .add(int64_t{x.timeout.count()})
      .add(x.min_complexity)
      .add(x.cost_limit ? x.cost_limit->count : int64_t{-1})
      .add(x.budget ? x.budget->count : int64_t{-1})
      .add(static_cast<uint32_t>(x.on_limit))
      .add(x.parallel_batches)
      .add(std::string_view{x.output_directory})
      .add(std::string_view{x.effort})
      .add(static_cast<uint32_t>(status))
      .value();
}

int64_t seal_of_attempt(int64_t task, uint32_t number, outcome how, nano_dollars reserved, nano_dollars cost) noexcept {
  return seal{}.add(task).add(number).add(static_cast<uint32_t>(how)).add(reserved.count).add(cost.count).value();
}

int64_t seal_of_answer(int64_t task, uint32_t attempt, std::string_view text) noexcept {
  return seal{}.add(task).add(attempt).add(text).value();
}

int64_t seal_of_spec(int64_t task, const task_spec& x, std::string_view traits) noexcept {
  return seal{}
      .add(task)
      .add(std::string_view{x.label})
      .add(std::string_view{x.source})
      .add(std::string_view{reinterpret_cast<const char*>(x.source_digest.bytes.data()), 32})
      .add(std::string_view{x.target})
      .add(x.part)
      .add(x.parts)
      .add(std::string_view{x.request.model})
      .add(x.request.max_tokens)
      .add(static_cast<uint32_t>(x.request.cache))
      .add(std::string_view{x.request.effort})
      .add(traits)
      .add(std::string_view{x.request.prompt})
      .value();
}

std::string pack(const std::map<std::string, std::string>& traits) {
  std::string packed;
  for (const auto& [key, value] : traits) packed += fmt::format("{}:{}{}:{}", key.size(), key, value.size(), value);
  return packed;
}

namespace {

std::optional<std::string> take_field(std::string_view& packed) {
  size_t length = 0;
  const auto [end, failed] = std::from_chars(packed.data(), packed.data() + packed.size(), length);
  if (failed != std::errc{} || end == packed.data() + packed.size() || *end != ':') return std::nullopt;
  packed.remove_prefix(static_cast<size_t>(end - packed.data()) + 1);
  if (packed.size() < length) return std::nullopt;
  std::string field{packed.substr(0, length)};
  packed.remove_prefix(length);
  return field;
}

}  // namespace

std::optional<std::map<std::string, std::string>> unpack(std::string_view packed) {
  std::map<std::string, std::string> traits;
  while (!packed.empty()) {
    auto key = take_field(packed);
    auto value = key ? take_field(packed) : std::nullopt;
    if (!value) return std::nullopt;
    traits[*key] = *value;
  }
  return traits;
}

SQLite::Statement& ledger::impl::prepared(const char* sql) const {
  const auto found = statements.find(sql);
  if (found != statements.end()) return found->second;
  return statements.try_emplace(sql, file.database(), sql).first->second;
}

std::string ledger::impl::stored_path(const std::string& path) const {
  const auto folder = project.native() + "/";
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 ? path.substr(folder.size()) : path;
}

std::string ledger::impl::shown_path(const std::string& path) const {
  return path.empty() || path.front() == '/' ? path : project.native() + "/" + path;
}

}  // namespace cohort
