// A file that comes with a project: a source, a manifest, a glob. The input's first line is the file's name.
// Claims: a source is parsed within its bounds or refused with a reason, and what is said of it lies within it.

#include "languages/paths/glob.hpp"
#include "languages/paths/path_names.hpp"
#include "languages/syntax/parser.hpp"
#include "planning/survey/manifests.hpp"
#include "tests/fuzz/languages.hpp"

namespace cohort::fuzz {

namespace {

void look_at(const std::vector<languages::symbol>& symbols, size_t bytes, int depth) {
  holds(depth <= 40, "definitions do not nest deeper than is looked");
  for (const auto& one : symbols) {
    holds(one.first_byte <= one.end_byte && one.end_byte <= bytes, "a definition lies within its file");
    look_at(one.members, bytes, depth + 1);
  }
}

}  // namespace

void run(std::string_view input) {
  const auto whole = grown(input);
  std::string_view text = whole;
  const std::string name{take_line(text)};
  const auto parsed = parse_file(all_languages().of(name), name, text);
  if (parsed)
    look_at(parsed->file.symbols, text.size(), 0);
  else
    holds(parsed.error().code == ec::unparsable && !parsed.error().message.empty(), "a refusal says why");
  if (const auto manifest = planning::parse_manifest(text)) holds(manifest->is_object(), "a manifest is an object");
  (void)languages::glob_match(text, name);
  (void)languages::path_filter_match(text, name);
  holds(languages::normal_path(name, text).size() <= 2 * languages::longest_path + 1,
        "a path is no longer than paths are");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
