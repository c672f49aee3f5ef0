#include "state/batch_state_file.hpp"

#include <nlohmann/json.hpp>

#include "fixture.hpp"

namespace cohort::state {
namespace {

struct view_test : state_test {
  static run_record sample() {
    run_record run;
    run.batch_id = "batch-1735689600000";
    run.project = "/path/to/project";
    run.settings.cost_limit = nano_dollars{2'000'000'000};
    run.started = {1751284800000};
    run.updated = {1751287500000};
    run.status = run_status::interrupted;
    for (uint32_t i = 0; i < 5; ++i) {
      batch_record batch;
      batch.index = i;
      batch.estimate.expected = {2'500'000'000};
      if (i < 3) batch.tasks.delivered = 9;
      if (i < 2) batch.tasks.failed = 1;
      if (i == 2) batch.tasks.skipped = 1;
      if (i == 3) batch.tasks.planned = 10;
      if (i == 4) batch.tasks.deferred = 5;
      run.batches.push_back(batch);
    }
    run.batches[0].spent = {{7'850'000'000}, {1}};
    return run;
  }
  std::string read_error(const std::string& content) {
    overwrite(workspace.batch_state_path(), content);
    const auto view = read_batch_state(workspace.batch_state_path());
    return view ? "" : std::string{name(view.error().code)} + ": " + view.error().message;
  }
};

TEST_F(view_test, shows_the_specified_fields_in_their_order) {
  const auto* wanted = R"({
  "batchId": "batch-1735689600000",
  "projectPath": "/path/to/project",
  "totalTasks": 45,
  "completedBatches": 3,
  "totalBatches": 5,
  "completedTasks": 30,
  "failedTasks": 2,
  "totalEstimatedCost": 12.5,
  "actualCostSoFar": 7.85,
  "startTime": "2025-06-30T12:00:00.000Z",
  "lastUpdate": "2025-06-30T12:45:00.000Z",
  "nextBatchIndex": 3,
  "config": {
    "batchSize": 10,
    "model": "sonnet",
    "maxConcurrent": 3,
    "timeout": 900000,
    "minComplexity": 5,
    "costLimit": 2.0
  },
  "schemaVersion": 1,
  "status": "interrupted"
}
)";
  EXPECT_EQ(render_batch_state(sample()), wanted);
  auto unlimited = sample();
  unlimited.settings.cost_limit.reset();
  EXPECT_EQ(render_batch_state(unlimited).find("costLimit"), std::string::npos);
}

TEST_F(view_test, agrees_with_itself_but_for_times_and_with_nothing_else) {
  auto run = sample();
  must(write_batch_state(workspace, run, durability::now));
  run.updated = {};
  run.started = {};
  EXPECT_TRUE(batch_state_agrees(workspace.batch_state_path(), run));
  run.batches[0].spent.confirmed += nano_dollars{10'000'000};
  EXPECT_FALSE(batch_state_agrees(workspace.batch_state_path(), run));
  overwrite(workspace.batch_state_path(), render_batch_state(run).substr(0, 100));
  EXPECT_FALSE(batch_state_agrees(workspace.batch_state_path(), run));
  EXPECT_FALSE(batch_state_agrees(root / "none", run));
}

TEST_F(view_test, is_signed_by_its_user_and_by_nobody_else) {
  const auto run = sample();
  overwrite(workspace.batch_state_path(), render_batch_state(run));
  EXPECT_FALSE(read_batch_state(workspace.batch_state_path()).value().is_signed) << "without a signature";
  must(write_batch_state(workspace, run, durability::now));
  EXPECT_TRUE(read_batch_state(workspace.batch_state_path()).value().is_signed);
  const auto text = read_file(workspace.batch_state_path()).value();
  auto other = text;
  other.replace(other.find("sonnet"), 6, "fable5");
  overwrite(workspace.batch_state_path(), other);
  EXPECT_FALSE(read_batch_state(workspace.batch_state_path()).value().is_signed) << "another model";
  must(sign_batch_state(workspace));
  EXPECT_TRUE(read_batch_state(workspace.batch_state_path()).value().is_signed);
  overwrite(workspace.batch_state_path(), text);
  ::setenv("XDG_STATE_HOME", (root / "another").c_str(), 1);
  EXPECT_FALSE(read_batch_state(workspace.batch_state_path()).value().is_signed) << "another user";
}

TEST_F(view_test, imports_what_the_original_generator_leaves) {
  overwrite(workspace.batch_state_path(),
            R"({"batchId":"batch-1","projectPath":"/p","totalTasks":45,"completedBatches":3,"totalBatches":5,
    "completedTasks":30,"failedTasks":2,"totalEstimatedCost":12.50,"actualCostSoFar":7.85,"startTime":"2025-06-30T12:00:00.000Z",
    "lastUpdate":"2025-06-30T12:45:00.000Z","nextBatchIndex":3,"config":{"batchSize":12,"model":"opus","maxConcurrent":4,
    "timeout":600000,"minComplexity":6,"costLimit":2.00}})");
  const auto view = read_batch_state(workspace.batch_state_path()).value();
  EXPECT_EQ(view.total_tasks, 45u);
  EXPECT_EQ(view.completed_tasks, 30u);
  EXPECT_EQ(view.spent.count, 7'850'000'000);
  EXPECT_EQ(view.started.ms, 1751284800000);
  EXPECT_EQ(view.settings.batch_size, 12u);
  EXPECT_EQ(view.settings.model, "opus");
  EXPECT_EQ(view.settings.concurrent, 4u);
  EXPECT_EQ(view.settings.timeout.count(), 600'000);
  EXPECT_EQ(view.settings.min_complexity, 6u);
  EXPECT_EQ(view.settings.cost_limit->count, 2'000'000'000);
}

TEST_F(view_test, names_the_field_that_is_wrong) {
  const auto good = nlohmann::json::parse(render_batch_state(sample()));
  const std::map<std::string, std::vector<nlohmann::json>> wrong{
      {"/totalTasks", {-1, "45", 1.5, 1e300, nullptr, nlohmann::json::array()}},
      {"/completedTasks", {-1, 46, "x", true}},
      {"/failedTasks", {-1, 46, "x"}},
      {"/completedBatches", {6, -1}},
      {"/nextBatchIndex", {6, "0"}},
      {"/totalEstimatedCost", {-1, "x", 1e12}},
      {"/actualCostSoFar", {-0.01, 2e9, "7", nullptr}},
      {"/startTime", {"yesterday", 5, nullptr}},
      {"/config", {nullptr, 5, "x", nlohmann::json::array()}},
      {"/config/batchSize", {51, -1, "10"}},
      {"/config/model", {"", 5, "a\nb", std::string(300, 'm')}},
      {"/config/maxConcurrent", {-1, 1e9}},
      {"/config/timeout", {0, -5, 1e18, "900"}},
      {"/config/minComplexity", {11, -1}},
      {"/config/costLimit", {-2, "2", 1e10}}};
  for (const auto& [path, values] : wrong)
    for (const auto& value : values) {
      auto bad = good;
      bad[nlohmann::json::json_pointer{path}] = value;
      const auto said = read_error(bad.dump());
      auto field = path.substr(1);
      if (const auto slash = field.find('/'); slash != std::string::npos) field[slash] = '.';
      EXPECT_EQ(said.rfind("state_corrupt", 0), 0u) << path << " " << value << said;
      EXPECT_NE(said.find("'" + field + "'"), std::string::npos) << path << " " << value << said;
    }
}

TEST_F(view_test, survives_a_view_that_is_nested_half_a_million_times) {
  auto text = render_batch_state(sample());
  const auto deep = std::string(400'000, '[') + std::string(400'000, ']');
  text.replace(text.rfind('}'), 1, ", \"more\": " + deep + "}");
  EXPECT_EQ(read_error(text), "");
  EXPECT_FALSE(batch_state_agrees(workspace.batch_state_path(), sample()));
}

TEST_F(view_test, tells_torn_newer_and_missing_views_apart) {
  const auto text = render_batch_state(sample());
  EXPECT_EQ(read_error(text), "");
  for (size_t cut = 0; cut + 3 < text.size(); cut += 7)
    EXPECT_EQ(read_error(text.substr(0, cut)).rfind("state_corrupt", 0), 0u) << cut;
  EXPECT_EQ(read_error(std::string(2'000'000, ' ')).rfind("state_corrupt", 0), 0u);
  EXPECT_EQ(read_error(std::string(100'000, '[')).rfind("state_corrupt", 0), 0u);
  auto newer = nlohmann::json::parse(text);
  newer["schemaVersion"] = 2;
  EXPECT_EQ(read_error(newer.dump()).rfind("state_newer", 0), 0u);
  EXPECT_EQ(read_batch_state(root / "none").error().code, ec::state_missing);
}

}  // namespace
}  // namespace cohort::state
