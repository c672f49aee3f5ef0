// Which results a file holds when tasks of several runs belong into it.

#include <gtest/gtest.h>

#include "actors/recording/lacking_files.hpp"
#include "actors/recording/result_files.hpp"
#include "messages/task_units.hpp"
#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

namespace fs = std::filesystem;
using names = std::vector<std::string>;

/// Merges nothing that says so.
struct stubborn_handler : plain_handler {
  expected<std::string> assemble(const task_spec& any, const names& parts) const override {
    for (const auto& part : parts)
      if (part.starts_with("stubborn")) return fail(ec::broken_code, "does not parse together");
    return plain_handler::assemble(any, parts);
  }
};

/// A task for symbols of a source that has others as well.
struct asked {
  std::string label;
  names symbols;
  names present;  ///< In the source; the symbols are added.
  std::string version = "first";
  uint32_t part = 1;
  uint32_t parts = 1;
};

struct result_files_test : ::testing::Test {
  fs::path root = fs::temp_directory_path() / ("cohort-results-" + random_hex(6));
  state::workspace workspace{root};
  fs::path output = root / "out";
  stubborn_handler handler;
  run_settings settings;
  std::shared_ptr<state::ledger> ledger;
  int64_t run = 0;

  result_files_test() {
    fs::create_directories(workspace.root());
    settings.output_directory = "out";
    auto opened = state::ledger::open(workspace.ledger_file(), root, state::ledger::access::read_write);
    if (!opened) throw std::runtime_error{opened.error().message};
    ledger = std::make_shared<state::ledger>(std::move(*opened));
  }
  ~result_files_test() override {
    ledger.reset();
    fs::remove_all(root);
  }

  task_spec spec_of(const asked& what) const {
    task_spec spec;
    spec.label = what.label;
    spec.id = task_id_from(sha256(what.label));
    spec.source = "big.py";
    spec.source_digest = sha256(what.version);
    spec.target = "file.txt";
    spec.part = what.part;
    spec.parts = what.parts;
    spec.request.model = "nano-model";
    spec.request.max_tokens = 1000;
    spec.traits["save_as"] = settings.output_directory + "/file.txt";
    if (!what.symbols.empty()) spec.traits[units_trait] = pack_units(what.symbols, what.present);
    return spec;
  }

  void plan(const std::vector<task_spec>& specs) {
    run = ledger->begin_plan(settings, "nano-model").value();
    for (const auto& spec : specs) {
      const auto added = ledger->add_task(spec);
      ASSERT_TRUE(added) << added.error().message;
    }
    ASSERT_TRUE(ledger->commit_plan(std::vector<uint32_t>(specs.size(), 0)));
  }
  void answer(const task_spec& spec, const std::string& text) const {
    ASSERT_TRUE(ledger->begin());
    ASSERT_TRUE(ledger->record(run, intent{spec.id, 1, 1, {1000}, "nano-model", {}}));
    ASSERT_TRUE(ledger->record(run, attempt_done{spec.id, 1, 1, good_answer(text).answer, {100}, "nano-model"}));
    ASSERT_TRUE(ledger->commit());
  }
  result_files files() const {
    auto context = std::make_shared<run_context>();
    context->handler = &handler;
    return {ledger, context, workspace, output, run};
  }
  void record(const written_result& done) const {
    ASSERT_TRUE(ledger->begin());
    ASSERT_TRUE(ledger->record(run, done.what));
    ASSERT_TRUE(ledger->set_targets(done.with, done.what.path));
    ASSERT_TRUE(ledger->commit());
  }
  expected<written_result> deliver(const task_spec& spec, const std::string& text) const {
    answer(spec, text);
    auto done = files().write(spec, text);
    if (done) record(*done);
    return done;
  }
  /// A run of one task.
  void run_one(const asked& what, const std::string& text) {
    plan({spec_of(what)});
    ASSERT_TRUE(deliver(spec_of(what), text));
  }
  /// As the program did that looked for other parts in the present run only.
  void deliver_to_own_file(const task_spec& spec, const std::string& text) const {
    answer(spec, text);
    ASSERT_TRUE(replace_file(output / spec.target, text, durability::later));
    record({run, {spec.id, (output / spec.target).string(), sha256(text), false}, {}});
  }
  std::string file(const std::string& name) const { return read_file(output / name).value_or("nothing"); }
  names lacking() const {
    names found;
    const auto files = find_lacking_files(*ledger, handler).value();
    for (const auto& one : files) found.insert(found.end(), one.results.begin(), one.results.end());
    return found;
  }
  names restore(const std::string& name) {
    return write_again(*ledger, handler, workspace, {"big.py", "file.txt"}, output / name).value();
  }
};

TEST_F(result_files_test, keeps_the_parts_that_an_earlier_run_delivered) {
  const auto first = spec_of({"1", {"a"}, {}, "v", 1, 3});
  const auto second = spec_of({"2", {"b"}, {}, "v", 2, 3});
  const auto third = spec_of({"3", {"c"}, {}, "v", 3, 3});
  plan({first, second, third});
  ASSERT_TRUE(deliver(first, "a\n"));
  ASSERT_TRUE(deliver(third, "c\n"));
  plan({second});
  ASSERT_TRUE(deliver(second, "b\n"));
  EXPECT_EQ(file("file.txt"), "a\nb\nc\n");
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, keeps_the_results_for_symbols_that_a_later_plan_leaves_out) {
  run_one({"all", {"a", "b", "c"}, {}}, "all\n");
  run_one({"two", {"a", "c"}, {"b"}}, "two\n");
  EXPECT_EQ(file("file.txt"), "all\ntwo\n");
  run_one({"other", {"d"}, {"a", "b", "c"}}, "other\n");
  EXPECT_EQ(file("file.txt"), "all\ntwo\nother\n");
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, replaces_what_was_asked_anew_in_a_later_run) {
  run_one({"old", {"a", "b"}, {}}, "old\n");
  run_one({"new", {"a", "b", "c"}, {}, "changed"}, "new\n");
  EXPECT_EQ(file("file.txt"), "new\n");
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, keeps_an_old_part_until_new_ones_have_asked_for_all_of_it) {
  run_one({"old", {"a", "b"}, {}}, "old\n");
  const auto first = spec_of({"1", {"new", "a"}, {"b"}, "changed", 1, 2});
  const auto second = spec_of({"2", {"b"}, {"new", "a"}, "changed", 2, 2});
  plan({first, second});
  ASSERT_TRUE(deliver(first, "1\n"));
  EXPECT_EQ(file("file.txt"), "old\n1\n");
  ASSERT_TRUE(deliver(second, "2\n"));
  EXPECT_EQ(file("file.txt"), "1\n2\n");
}

TEST_F(result_files_test, never_drops_a_task_that_was_planned_without_units) {
  run_one({"old", {}, {}}, "old\n");
  run_one({"new", {"a"}, {}}, "new\n");
  EXPECT_EQ(file("file.txt"), "old\nnew\n");
  run_one({"newer", {"a"}, {}, "changed"}, "newer\n");
  EXPECT_EQ(file("file.txt"), "old\nnew\n") << "what the old one tests may be gone from the source";
  EXPECT_EQ(file("file.txt.2"), "newer\n");
}

TEST_F(result_files_test, does_not_mix_tests_of_what_is_gone_with_others) {
  run_one({"old", {"a", "gone"}, {}}, "old\n");
  run_one({"new", {"a"}, {}, "changed"}, "new\n");
  EXPECT_EQ(file("file.txt"), "old\n");
  EXPECT_EQ(file("file.txt.2"), "new\n");
  run_one({"newest", {"a", "b"}, {}, "changed again"}, "newest\n");
  EXPECT_EQ(file("file.txt"), "old\n");
  EXPECT_EQ(file("file.txt.2"), "newest\n");
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, gives_parts_that_stand_alone_a_file_each_whatever_their_number) {
  const auto first = spec_of({"1", {"a"}, {}, "v", 2, 2});
  const auto other = spec_of({"2", {"b"}, {}, "v", 2, 3});
  plan({first});
  ASSERT_TRUE(deliver(first, "alone: first"));
  plan({other});
  ASSERT_TRUE(deliver(other, "alone: other"));
  EXPECT_EQ(file("file.txt.part2"), "alone: first");
  EXPECT_EQ(file("file.txt.part2_2"), "alone: other");
}

TEST_F(result_files_test, leaves_a_whole_result_in_place_that_cannot_be_merged) {
  run_one({"old", {"a", "b"}, {}}, "alone: old");
  run_one({"new", {"a"}, {"b"}}, "new\n");
  EXPECT_EQ(file("file.txt"), "alone: old");
  EXPECT_EQ(file("file.txt.2"), "new\n");
}

TEST_F(result_files_test, gives_what_does_not_merge_after_all_a_file_of_its_own) {
  run_one({"old", {"a", "b"}, {}}, "old\n");
  run_one({"new", {"a"}, {"b"}}, "stubborn\n");
  EXPECT_EQ(file("file.txt"), "old\n");
  EXPECT_EQ(file("file.txt.2"), "stubborn\n");
}

TEST_F(result_files_test, does_not_replace_the_result_of_another_source) {
  run_one({"old", {"a"}, {}}, "old\n");
  auto other = spec_of({"new", {"a"}, {}});
  other.source = "moved/big.py";
  plan({other});
  const auto done = deliver(other, "new\n");
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->what.conflict_copy) << "no file of the user's is in its place";
  EXPECT_EQ(file("file.txt"), "old\n");
  EXPECT_EQ(file("file.txt.2"), "new\n");
}

TEST_F(result_files_test, writes_everything_beside_a_file_that_the_user_edited) {
  const auto first = spec_of({"1", {"a"}, {}, "v", 1, 3});
  const auto second = spec_of({"2", {"b"}, {}, "v", 2, 3});
  const auto third = spec_of({"3", {"c"}, {}, "v", 3, 3});
  plan({first});
  ASSERT_TRUE(deliver(first, "a\n"));
  ASSERT_TRUE(replace_file(output / "file.txt", "mine\n", durability::later));
  plan({second});
  const auto conflict_copies = deliver(second, "b\n");
  ASSERT_TRUE(conflict_copies);
  EXPECT_TRUE(conflict_copies->what.conflict_copy);
  EXPECT_EQ(file("file.txt"), "mine\n");
  EXPECT_EQ(file("file.txt.2"), "a\nb\n");
  EXPECT_EQ(lacking(), names{});
  plan({third});
  ASSERT_TRUE(deliver(third, "c\n"));
  EXPECT_EQ(file("file.txt.2"), "a\nb\nc\n");
  EXPECT_TRUE(is_left_behind(*ledger, output / "file.txt"));
  EXPECT_FALSE(is_left_behind(*ledger, output / "file.txt.2"));
}

TEST_F(result_files_test, writes_everything_again_where_the_user_deleted_it) {
  const auto first = spec_of({"1", {"a"}, {}, "v", 1, 2});
  const auto second = spec_of({"2", {"b"}, {}, "v", 2, 2});
  plan({first});
  ASSERT_TRUE(deliver(first, "a\n"));
  fs::remove_all(output);
  plan({second});
  ASSERT_TRUE(deliver(second, "b\n"));
  EXPECT_EQ(file("file.txt"), "a\nb\n");
}

TEST_F(result_files_test, leaves_in_its_folder_what_was_made_for_it) {
  run_one({"1", {"a"}, {"b", "c"}}, "a\n");
  output = root / "elsewhere";
  settings.output_directory = "elsewhere";
  run_one({"2", {"b"}, {"a", "c"}}, "b\n");
  run_one({"3", {"c"}, {"a", "b"}}, "c\n");
  EXPECT_EQ(file("file.txt"), "b\nc\n");
  EXPECT_EQ(read_file(root / "out" / "file.txt").value(), "a\n");
  for (const auto& folder : {"out", "elsewhere"}) {
    const auto path = root / folder / "file.txt";
    const auto content = read_file(path).value();
    fs::remove(path);
    EXPECT_EQ(write_again(*ledger, handler, workspace, {"big.py", "file.txt"}, path).value(), names{path.string()});
    EXPECT_EQ(read_file(path).value(), content);
  }
}

TEST_F(result_files_test, gives_results_for_another_framework_a_file_of_their_own) {
  run_one({"1", {"a"}, {"b"}}, "a\n");
  auto other = spec_of({"2", {"b"}, {"a"}});
  other.traits["framework"] = "another";
  plan({other});
  ASSERT_TRUE(deliver(other, "b\n"));
  EXPECT_EQ(file("file.txt"), "a\n");
  EXPECT_EQ(file("file.txt.2"), "b\n");
}

TEST_F(result_files_test, finds_and_mends_what_an_older_program_dropped) {
  const auto first = spec_of({"1", {}, {}, "v", 1, 3});
  const auto second = spec_of({"2", {}, {}, "v", 2, 3});
  const auto third = spec_of({"3", {}, {}, "v", 3, 3});
  plan({first, third});
  ASSERT_TRUE(deliver(first, "a\n"));
  ASSERT_TRUE(deliver(third, "c\n"));
  plan({second});
  deliver_to_own_file(second, "b\n");
  EXPECT_EQ(file("file.txt"), "b\n");
  EXPECT_EQ(lacking(), (names{"a", "c"}));
  EXPECT_EQ(restore("file.txt"), names{(output / "file.txt").string()});
  EXPECT_EQ(file("file.txt"), "a\nb\nc\n");
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, mends_beside_a_file_that_was_edited_after_it_lost_something) {
  const auto first = spec_of({"1", {}, {}, "v", 1, 2});
  const auto second = spec_of({"2", {}, {}, "v", 2, 2});
  plan({first});
  ASSERT_TRUE(deliver(first, "a\n"));
  plan({second});
  deliver_to_own_file(second, "b\n");
  ASSERT_TRUE(replace_file(output / "file.txt", "b\nmine\n", durability::later));
  EXPECT_EQ(lacking(), names{"a"});
  EXPECT_EQ(restore("file.txt"), names{(output / "file.txt.2").string()});
  EXPECT_EQ(file("file.txt"), "b\nmine\n");
  EXPECT_EQ(file("file.txt.2"), "a\nb\n");
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, takes_an_edit_that_removes_a_result_for_the_users_wish) {
  const auto first = spec_of({"1", {"a"}, {}, "v", 1, 2});
  const auto second = spec_of({"2", {"b"}, {}, "v", 2, 2});
  plan({first, second});
  ASSERT_TRUE(deliver(first, "a\n"));
  ASSERT_TRUE(deliver(second, "b\n"));
  ASSERT_TRUE(replace_file(output / "file.txt", "b\n", durability::later));
  EXPECT_EQ(lacking(), names{});
}

TEST_F(result_files_test, mends_two_parts_alone_that_an_older_program_put_under_one_name) {
  const auto first = spec_of({"1", {}, {}, "v", 2, 2});
  auto other = spec_of({"2", {}, {}, "v", 2, 3});
  plan({first});
  deliver_to_own_file(first, "alone: first");
  plan({other});
  deliver_to_own_file(other, "alone: other");
  EXPECT_EQ(lacking(), names{"alone: first"});
  EXPECT_EQ(restore("file.txt").size(), 2u);
  EXPECT_EQ(lacking(), names{});
  names all{file("file.txt"), file("file.txt.part2")};
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (names{"alone: first", "alone: other"}));
}

TEST_F(result_files_test, writes_a_torn_file_again_with_the_parts_of_all_runs) {
  const auto first = spec_of({"1", {"a"}, {}, "v", 1, 2});
  const auto second = spec_of({"2", {"b"}, {}, "v", 2, 2});
  plan({first});
  ASSERT_TRUE(deliver(first, "a\n"));
  plan({second});
  ASSERT_TRUE(deliver(second, "b\n"));
  ASSERT_TRUE(replace_file(output / "file.txt", std::string(4, '\0'), durability::later));
  ASSERT_TRUE(files().restore());
  EXPECT_EQ(file("file.txt"), "a\nb\n");
}

TEST_F(result_files_test, reads_each_answer_once_for_a_file_of_many_parts) {
  std::vector<task_spec> specs;
  for (uint32_t i = 1; i <= 20; ++i) {
    const auto number = std::to_string(i);
    specs.push_back(spec_of({number, {number}, {}, "v", i, 20}));
  }
  plan(specs);
  for (const auto& spec : specs) answer(spec, spec.label + "\n");
  size_t readings = 0;
  handler.reading = [&readings] { ++readings; };
  auto writing = files();
  for (const auto& spec : specs) {
    const auto done = writing.write(spec, spec.label + "\n");
    ASSERT_TRUE(done);
    record(*done);
  }
  EXPECT_LE(readings, specs.size());
}

TEST_F(result_files_test, refuses_names_that_no_planner_makes) {
  const std::string nul{"a\0.txt", 6};
  for (const auto& target : {std::string{"../out.txt"}, std::string{"a/../../out.txt"}, (root / "out.txt").string(),
                             std::string{".git/hooks/run"}, std::string{"a/.GIT/config"}, std::string{"bad.txt"}, nul,
                             std::string(256, 'a'), std::string(3000, '/') + "a"}) {
    auto spec = spec_of({"task " + target, {"a"}, {}});
    spec.target = target;
    plan({spec});
    const auto done = deliver(spec, "text\n");
    ASSERT_FALSE(done) << target;
    EXPECT_EQ(done.error().code, ec::permission_denied) << target;
  }
  EXPECT_FALSE(fs::exists(output / ".git"));
  EXPECT_FALSE(fs::exists(root / "out.txt"));
}

TEST_F(result_files_test, follows_no_link_below_its_folder) {
  fs::create_directories(root / "other");
  fs::create_directories(output);
  fs::create_directory_symlink(root / "other", output / "sub");
  auto spec = spec_of({"1", {"a"}, {}});
  spec.target = "sub/file.txt";
  plan({spec});
  const auto done = deliver(spec, "text\n");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ec::permission_denied);
  EXPECT_TRUE(fs::is_empty(root / "other"));
}

}  // namespace
}  // namespace cohort::actors
