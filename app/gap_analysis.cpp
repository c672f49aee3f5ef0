// Surveys a project as a run without options would, and tries to plan what it finds.

#include "app/gap_analysis.hpp"

#include <fmt/format.h>

#include "app/loaded_languages.hpp"
#include "app/project_plan.hpp"
#include "base/text.hpp"
#include "state/generated_files.hpp"

namespace cohort::app {

namespace {

expected<void> try_to_plan(planning::project_survey& seen, const gap_request& wanted) {
  run_request request;
  request.project = wanted.project;
  const auto context = make_context(request);
  if (!context) return tl::unexpected{context.error()};
  const auto model = context->models.find(context->defaults.settings.model);
  if (!model) return tl::unexpected{model.error()};
  auto planned = planning_of(*context, context->defaults.settings, *model, false);
  planned.cache = cache_mode::none;
  return add_unplannable(seen, planned);
}

}  // namespace

expected<planning::project_survey> find_gaps(const gap_request& request, notices& out) {
  const auto workspace = state::open_workspace(request.project);
  if (!workspace) return tl::unexpected{workspace.error()};
  const auto known = shared_languages();
  if (!known) return tl::unexpected{known.error()};
  auto generated = state::generated_files(*workspace);
  if (!generated)
    out.warn(
        fmt::format("the ledger cannot tell which tests were generated, so that those outside of .claude-testing "
                    "count as yours: {}",
                    printable(generated.error().message, 1000)));
  planning::survey_options wanted;
  if (generated) wanted.discover.generated = std::move(*generated);
  wanted.discover.include = request.include;
  wanted.discover.exclude = request.exclude;
  wanted.min_complexity = request.least_complexity;
  wanted.cache = planning::survey_cache::read_only;
  wanted.cache_file = workspace->cache_file();
  auto seen = planning::survey(workspace->project, wanted, *known->languages);
  if (!seen) return seen;
  for (const auto& warning : seen->warnings) out.warn(printable(warning, 500));
  if (auto tried = try_to_plan(*seen, request); !tried)
    out.warn(fmt::format("what does not fit a request is not known: {}", tried.error().message));
  return seen;
}

}  // namespace cohort::app
