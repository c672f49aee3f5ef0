// Parses on several threads. Threads take the next candidate by an atomic counter and write to slots of their own; the
// slots keep the order.

#include "planning/survey/project_parser.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "languages/syntax/parse_cache.hpp"

namespace cohort::planning {

namespace {

/// The result for one candidate.
struct parse_outcome {
  expected<languages::parsed_file> parsed = fail(ec::none, {});
  std::string encoded;  ///< For the cache; empty if it came from there.
  bool from_cache = false;
};

constexpr uint64_t most_parsed_bytes = 3ULL << 30U;

uint64_t bytes_of(const std::vector<languages::symbol>& symbols) {
  uint64_t bytes = 0;
  for (const auto& one : symbols)
    bytes += sizeof one + one.signature.size() + one.parameters.size() * sizeof(languages::parameter) +
             bytes_of(one.members);
  return bytes;
}

uint64_t bytes_of(const languages::parsed_file& parsed) {
  uint64_t bytes = sizeof parsed + bytes_of(parsed.file.symbols) + parsed.mentions.size() * sizeof(uint64_t) +
                   (parsed.aliases.size() + parsed.reexports.size()) * sizeof(languages::import_alias);
  for (const auto& one : parsed.file.imports)
    bytes += sizeof one + one.module.size() + one.names.size() * sizeof(std::string);
  return bytes;
}

class pool {
 public:
  pool(const std::filesystem::path& project, const std::vector<candidate_file>& files, const survey_options& options,
       const discovery_rules& rules, const languages::parse_cache& cache)
      : project_(project), files_(files), options_(options), rules_(rules), cache_(cache), outcomes_(files.size()) {}

  std::vector<parse_outcome>& run() {
    const auto wanted =
        std::min<size_t>(std::max<size_t>(options_.threads, 1), std::max<size_t>(files_.size() / 16, 1));
    std::vector<std::thread> others;
    for (size_t i = 1; i < wanted; ++i) others.emplace_back([this] { work(); });
    work();
    for (auto& other : others) other.join();
    return outcomes_;
  }

 private:
  void work() {
    for (size_t i = next_++; i < files_.size(); i = next_++) {
      outcomes_[i] = bytes_ > most_parsed_bytes ? parse_outcome{fail(ec::file_too_large,
                                                                     "the files before it fill the memory that "
                                                                     "there is for a project"),
                                                                {},
                                                                false}
                                                : handle(files_[i]);
      if (outcomes_[i].parsed) bytes_ += bytes_of(*outcomes_[i].parsed) + outcomes_[i].encoded.size();
      report_progress();
    }
  }

  [[nodiscard]] parse_outcome handle(const candidate_file& file) const {
    parse_outcome made;
    const auto text = read_source(project_, file.path, rules_);
    if (!text) {
      made.parsed = tl::unexpected{text.error()};
      return made;
    }
    const auto content = sha256(*text);
    if (options_.cache != survey_cache::off)
      if (auto known = cache_.find(file.path, content, file.lang->id, text->size())) {
        made.parsed = std::move(*known);
        made.from_cache = true;
        return made;
      }
    made.parsed = languages::parse_file(*file.lang, file.path, *text, content);
    if (made.parsed && options_.cache == survey_cache::read_write)
      made.encoded = languages::parse_cache::encode(*made.parsed);
    return made;
  }

  void report_progress() {
    const auto done = ++done_;
    if (!options_.progress || (done % 64 != 0 && done != files_.size())) return;
    const std::lock_guard guard{progress_mutex_};
    if (done <= shown_) return;
    shown_ = done;
    options_.progress(done, files_.size());
  }

  const std::filesystem::path& project_;
  const std::vector<candidate_file>& files_;
  const survey_options& options_;
  const discovery_rules& rules_;
  const languages::parse_cache& cache_;
  std::vector<parse_outcome> outcomes_;
  std::atomic<size_t> next_{0};
  std::atomic<uint64_t> bytes_{0};  ///< Of the parsed files in memory.
  std::atomic<size_t> done_{0};
  std::mutex progress_mutex_;
  size_t shown_ = 0;
};

std::string store(const languages::parse_cache& cache, const survey_options& options,
                  std::vector<parse_outcome>& outcomes) {
  std::vector<std::string> encoded;
  bool changed = false;
  for (auto& one : outcomes) {
    if (!one.parsed) continue;
    changed = changed || !one.encoded.empty();
    encoded.push_back(one.encoded.empty() ? std::string{cache.stored(one.parsed->file.path)} : std::move(one.encoded));
  }
  if (!changed && encoded.size() == cache.size()) return {};
  const auto stored = cache.store(options.cache_file, encoded);
  return stored ? std::string{} : "the cache of parse results was not written: " + stored.error().message;
}

}  // namespace

parsed_project parse_all(const std::filesystem::path& project, const std::vector<candidate_file>& files,
                         const survey_options& options, const discovery_rules& rules,
                         const languages::language_set& languages) {
  languages::parse_cache cache{languages.fingerprint()};
  if (options.cache != survey_cache::off) cache.load(options.cache_file);
  pool workers{project, files, options, rules, cache};
  auto& outcomes = workers.run();
  parsed_project result;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto& one = outcomes[i];
    if (!one.parsed) result.skipped.push_back({files[i].path, one.parsed.error().code, one.parsed.error().message});
    result.from_cache += one.from_cache ? 1 : 0;
  }
  if (options.cache == survey_cache::read_write) result.warning = store(cache, options, outcomes);
  result.files.reserve(files.size());
  for (auto& one : outcomes)
    if (one.parsed) result.files.push_back(std::move(*one.parsed));
  return result;
}

}  // namespace cohort::planning
