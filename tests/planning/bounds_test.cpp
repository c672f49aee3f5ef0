// What is small on disk and large in effect. Each input took minutes, gigabytes or the program; the time limit of a
// test is what fails.

#include <sys/stat.h>

#include "planning_fixture.hpp"

#include <gmock/gmock.h>

#include "base/time_bound.hpp"
#include "languages/paths/glob.hpp"
#include "languages/paths/path_names.hpp"
#include "languages/syntax/parse_cache.hpp"
#include "planning/survey/manifests.hpp"
#include "prompt_fixture.hpp"

namespace cohort::planning {
namespace {

using planning::fixture::languages;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string times(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string nested(std::string_view open, size_t count, std::string_view close, std::string_view inner = "") {
  return times(open, count) + std::string{inner} + times(close, count);
}

/// `{}` in `text` stands for 0, 1, ...
std::string counted(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    auto one = std::string{text};
    for (auto at = one.find("{}"); at != std::string::npos; at = one.find("{}")) one.replace(at, 2, std::to_string(i));
    all += one;
  }
  return all;
}

struct shape {
  std::string language;
  std::string file;
  std::string text;
};

std::vector<shape> nested_shapes(size_t n) {
  std::vector<shape> all;
  const auto add = [&](const char* language, const char* file, std::string text) {
    all.push_back({language, file, std::move(text)});
  };
  for (const auto* open :
       {"namespace a{", "export namespace a{", "declare module \"a\"{", "class A{b=class{", "class A{static b=class{"})
    add("typescript", "a.ts", nested(open, n, std::string_view{open}.ends_with("class{") ? "}}" : "}"));
  add("typescript", "a.ts", "type A=" + nested("A<", n, ">", "B"));
  for (const auto* open : {"class A{b=class{", "class A{static b=class{m(){}"})
    add("javascript", "a.js", nested(open, n, "}}"));
  add("javascript", "a.js", "x=" + times("class{b=", n));
  add("javascript", "a.js", "export const a=" + times("()=>", n) + "1");
  add("javascript", "a.js", nested("require('a',", n, ")"));
  add("javascript", "a.js", "f" + times("()", n));
  add("javascript", "a.js", "x=" + nested("[", n, "]") + ";y=" + nested("`${", n, "}`") + ";" + times("a=", n) + "1");
  add("javascript", "a.js", times("exports.a=module.exports=", n) + "f");
  add("javascript", "a.js", times("if(a){}else ", n) + "{}");
  for (const auto* open : {"(", "[", "not ", "lambda: ", "f\"{", "a=", "await "})
    add("python", "a.py", "x = " + times(open, n) + "1\n");
  add("python", "a.py", "x = " + nested("(", n, ")", "1") + "\n" + times("@a\n", n) + "def f(): pass\n");
  std::string defs;
  for (size_t i = 0; i < std::min<size_t>(n, 900); ++i)
    defs += std::string(i, ' ') + (i % 2 == 0 ? "def f():\n" : "class A:\n");
  add("python", "a.py", defs + std::string(900, ' ') + "pass\n");
  add("go", "a.go", "package a\nvar x = " + nested("func(){", n, "}") + "\nfunc F() " + nested("{", n, "}") + "\n");
  add("go", "a.go", "package a\ntype T " + nested("struct{a ", n, "}", "int") + "\ntype U " + times("[]", n) + "int\n");
  return all;
}

TEST(bounds, of_nesting_hold_for_sources) {
  for (const size_t n : {50U, 1'500U, 20'000U})
    for (const auto& one : nested_shapes(n)) {
      const auto parsed = languages::parse_file(*languages().by_id(one.language), one.file, one.text);
      EXPECT_TRUE(parsed || parsed.error().code == ec::unparsable) << one.text.substr(0, 40);
      const auto why = parsed ? std::string{"levels"} : parsed.error().message;
      EXPECT_THAT(why, AnyOf(HasSubstr("levels"), HasSubstr("MiB"), HasSubstr("ms")));
    }
}

TEST(bounds, of_nesting_hold_for_answers) {
  for (const size_t n : {1'500U, 10'000U})
    for (const auto& one : nested_shapes(n)) {
      const auto task = task_in(one.language, one.file);
      const auto text = handler().extract(task, one.text);
      EXPECT_TRUE(text || !stops_run(text.error().code)) << one.text.substr(0, 40);
      (void)handler().why_not_mergeable(task, one.text);
      const auto merged = handler().assemble(task, {one.text, one.text});
      EXPECT_TRUE(merged || !stops_run(merged.error().code)) << one.text.substr(0, 40);
    }
}

TEST(bounds, of_definitions_hold_a_class_in_classes_keeps_its_first_levels) {
  const auto parsed = languages::parse_file(*languages().by_id("javascript"), "a.js",
                                            "export " + nested("class A{m(){} b=class{", 300, "}}"));
  ASSERT_TRUE(parsed.has_value());
  ASSERT_FALSE(parsed->file.symbols.empty());
  EXPECT_EQ(parsed->file.symbols.front().name, "A");
}

TEST(bounds, of_time_hold_for_sources_of_very_many_definitions) {
  const std::vector<shape> all{
      {"javascript", "a.js", "export class A{" + counted("m{}(){}", 30'000) + "}"},
      {"javascript", "a.js",
       "import {" + counted("a{},", 30'000) + "} from './b';export {" + counted("a{},", 30'000) + "};"},
      {"javascript", "a.js", "{(" + times("require('a');", 20'000)},
      {"typescript", "a.ts",
       "declare module 'a'{" + std::string(300'000, ' ') + counted("function f{}();", 15'000) + "}"},
      {"go", "a.go", "package a\nvar " + counted("A{},", 80'000) + "B int\n"},
      {"go", "a.go", "package a\n" + counted("func (t T{}) M() {}\n", 18'000)},
      {"python", "a.py", "__all__ = [" + counted("'a{}',", 60'000) + "]\n" + counted("def a{}(): pass\n", 9'000)}};
  for (const auto& one : all) {
    const time_bound time{milliseconds{8'000}};
    (void)languages::parse_file(*languages().by_id(one.language), one.file, one.text);
    EXPECT_FALSE(time.over()) << one.text.substr(0, 60);
  }
}

TEST(bounds, of_time_hold_for_answers_of_very_many_definitions) {
  const std::string python = "def test_a():\n    assert True\n";
  const std::string go = "package a\nimport \"testing\"\nfunc TestA(t *testing.T) {}\n";
  const std::string js = "import {test} from \"node:test\";\ntest(\"a\", () => {});\n";
  const std::vector<shape> all{
      {"python", "test_a.py", python + counted("def f{}(): return f{}1()\n", 15'000)},
      {"python", "test_a.py", counted("import a{}\n", 15'000) + python},
      {"python", "test_a.py", python + "class TestB:\n" + counted("    def test_{}(self): pass\n", 15'000)},
      {"go", "a_test.go", go + counted("type t{} struct{}\nfunc (t t{}) m() {}\n", 15'000)},
      {"javascript", "a.test.mjs", counted("import {a{}} from \"m\";\n", 15'000) + js},
      {"javascript", "a.test.mjs", js + "beforeEach(() => {});\nconst x = [" + times("\"a\",", 150'000) + "];\n"}};
  for (const auto& one : all) {
    const time_bound time{milliseconds{20'000}};
    const auto task = task_in(one.language, one.file);
    (void)handler().extract(task, "```\n" + one.text + "```\n");
    (void)handler().why_not_mergeable(task, one.text);
    auto other = one.text;
    for (auto at = other.find("f1"); at != std::string::npos; at = other.find("f1", at + 2)) other[at] = 'h';
    const auto merged = handler().assemble(task, {one.text, other});
    EXPECT_TRUE(merged || !stops_run(merged.error().code));
    EXPECT_FALSE(time.over()) << one.text.substr(0, 60);
  }
}

TEST(bounds, of_an_answer_are_told_by_name) {
  const auto task = task_in("python", "test_a.py");
  const std::string test = "def test_a():\n    assert True\n";
  const auto large = handler().extract(task, test + std::string(2'000'000, '#'));
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ec::answer_too_costly);
  EXPECT_THAT(large.error().message, HasSubstr("2000030 bytes"));
  const auto deep = handler().extract(task, test + "x = " + nested("(", 20'000, ")", "1") + "\n");
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code, ec::answer_too_costly);
  EXPECT_THAT(deep.error().message, HasSubstr("levels"));
  EXPECT_FALSE(retryable(ec::answer_too_costly));
  EXPECT_FALSE(stops_run(ec::answer_too_costly));
}

TEST(bounds, of_globs_hold) {
  const auto path = times("a", 200) + "/" + times("a", 200) + "/" + times("a/", 1'500) + "c";
  const time_bound time{milliseconds{5'000}};
  for (const auto& pattern :
       {times("*a", 100) + "b", times("**/", 100) + "b", times("**a", 100) + "b", std::string(50'000, '['),
        "**" + std::string(2'000, '[') + "b", times("*", 100'000) + "b", times("?", 5'000) + "b"}) {
    EXPECT_FALSE(languages::glob_match(pattern, path));
    EXPECT_FALSE(languages::path_filter_match(pattern, path));
  }
  EXPECT_FALSE(time.over());
  EXPECT_TRUE(languages::glob_match("**/src/*[ab]*/**/*.tsx", "packages/shop/src/xay/deep/er/cart.tsx"));
}

TEST(bounds, of_paths_hold) {
  EXPECT_EQ(languages::normal_path("", times("a/", 100'000)), "");
  EXPECT_EQ(languages::normal_path("", times("a/../", 500) + "b"), "b");
  EXPECT_THAT(mapped({{"*", {times("*", 200'000), "src/*"}}}, times("m", 3'000)),
              testing::ElementsAre("src/" + times("m", 3'000)));
}

TEST(bounds, of_manifests_hold) {
  EXPECT_THAT(parse_manifest(nested("{\"a\":", 700, "}", "1")).error().message, HasSubstr("64 levels"));
  EXPECT_THAT(parse_manifest("{\"x\":[" + times("[],", 200'000) + "1]}").error().message, HasSubstr("100000 values"));
  EXPECT_TRUE(parse_manifest("{\"x\": \"" + times("[{,", 200'000) + "\", // [[[\n}").has_value())
      << "texts are no values";
}

/// Whatever stands in an entry, its reader says nothing that the parser could not have said.
TEST(bounds, of_the_cache_hold_for_entries_that_lie) {
  const auto& python = *languages().by_id("python");
  const std::string text = "import a\n\n\nclass Cart:\n    def add(self, x):\n        return x\n";
  const auto content = sha256(text);
  const auto sound = languages::parse_cache::encode(*languages::parse_file(python, "a.py", text, content));
  const auto file = std::filesystem::temp_directory_path() / ("cohort-cache-" + random_hex(8));
  const auto found = [&](const std::string& entry) {
    EXPECT_TRUE(languages::parse_cache{"rules"}.store(file, {entry}).has_value());
    languages::parse_cache cache{"rules"};
    cache.load(file);
    return cache.find("a.py", content, "python", text.size());
  };
  ASSERT_TRUE(found(sound).has_value());
  for (size_t at = 0; at < sound.size(); ++at)
    for (const auto& other : {std::string{"\x00", 1}, std::string{"\x7f"}, std::string{"\xff\xff\xff\x7f"},
                              std::string{"\xff\xff\xff\xff\x0f"}}) {
      auto entry = sound;
      entry.replace(at, 1, other);
      const auto read = found(entry);
      if (!read) continue;
      for (const auto& one : read->file.symbols) {
        EXPECT_LE(one.end_byte, text.size());
        for (const auto& member : one.members) EXPECT_LE(member.end_byte, text.size());
      }
    }
  std::filesystem::remove(file);
}

struct bounds_of_projects : planning::fixture::project_test {
  void write_source(const std::string& path) const {
    write(path, path.ends_with(".py") ? "def f(a):\n    return a\n"
                : path.ends_with(".go")
                    ? "package a\nimport \"m/x\"\nfunc F(a int) int { return a }\n"
                    : "import {x} from 'p';\nimport y from '@/a/b';\nexport function f(a) { return a }\n");
  }
};

TEST_F(bounds_of_projects, costly_manifests_are_named_once_and_the_rest_is_planned) {
  write("tsconfig.json", "{\"compilerOptions\":{\"paths\":{\"*\":[\"" + times("*", 200'000) + "\"]}}}");
  write("package.json", "{\"name\":\"p\",\"main\":\"" + times("a/", 100'000) + "\",\"workspaces\":[" +
                            times("\"" + times("**/*a", 90) + "\",", 900) + "\"x\"]}");
  write("deep/package.json", nested("{\"a\":", 100'000, "}", "1"));
  write("wide/package.json", "{\"x\":[" + times("[],", 400'000) + "1]}");
  write("go.mod", std::string(2'000'000, '\n') + "module m\n");
  write("requirements.txt", std::string(1'000'000, '\n') + std::string(1'000'000, 'a') + "\npytest\n");
  for (const auto* path : {"a.ts", "deep/a.js", "deep/b.js", "wide/a.js", "b.go", "c.py"}) write_source(path);
  const auto found = look(any_complexity());
  EXPECT_EQ(found.gaps.size(), 6u);
  EXPECT_THAT(found.warnings, Contains(HasSubstr("deep/package.json")).Times(1));
  EXPECT_THAT(found.warnings, Contains(HasSubstr("wide/package.json")).Times(1));
}

TEST_F(bounds_of_projects, configurations_that_extend_each_other_are_read_once) {
  std::string all;
  for (int i = 0; i < 16; ++i) all += (i == 0 ? "" : ",") + std::string{"\"./c"} + std::to_string(i) + ".json\"";
  for (int i = 0; i < 16; ++i)
    write("c" + std::to_string(i) + ".json", "{\"extends\":[" + all + "],\"compilerOptions\":{\"baseUrl\":\".\"}}");
  write("tsconfig.json", "{\"extends\":[" + all + "]}");
  write_source("a.ts");
  EXPECT_EQ(look(any_complexity()).gaps.size(), 1u);
}

TEST_F(bounds_of_projects, pipes_are_no_files) {
  for (const auto* name : {"x.py", "package.json", "tsconfig.json", "go.mod", "requirements.txt", "pyproject.toml"})
    ASSERT_EQ(::mkfifo((root / name).c_str(), 0600), 0);
  for (const auto* path : {"a.ts", "b.go", "c.py"}) write_source(path);
  const auto found = look(any_complexity());
  EXPECT_EQ(found.gaps.size(), 3u);
  EXPECT_THAT(found.skipped, Contains(testing::Field(&skipped_file::path, "x.py")));
  EXPECT_THAT(found.warnings, Contains(HasSubstr("tsconfig.json")));
}

TEST_F(bounds_of_projects, an_ignore_file_that_git_would_not_survive_leaves_out_what_git_does_not_track) {
  ASSERT_EQ(std::system(("git init -q " + root.string()).c_str()), 0);
  write("shop/.gitignore", times("**/" + times("*a", 30) + "b\n", 50));
  write("shop/" + times("a", 200) + ".py", "def f():\n    pass\n");
  std::filesystem::create_directories(root / "pipe");
  ASSERT_EQ(::mkfifo((root / "pipe" / ".gitignore").c_str(), 0600), 0);
  write_source("pipe/b.py");
  write(".gitignore", "*.tmp\n**/build*/**/*.py\n");
  write_source("c.py");
  const auto found = look(any_complexity());
  EXPECT_THAT(gaps_of(found), testing::ElementsAre("c.py: f"));
  EXPECT_THAT(found.skipped, Contains(testing::Field(&skipped_file::path, "shop/.gitignore")));
  EXPECT_THAT(found.skipped, Contains(testing::Field(&skipped_file::path, "pipe/.gitignore")));
}

TEST_F(bounds_of_projects, a_pipe_in_the_place_of_the_repository_is_no_repository) {
  ASSERT_EQ(::mkfifo((root / ".git").c_str(), 0600), 0);
  write_source("c.py");
  const auto found = look(any_complexity());
  EXPECT_EQ(found.gaps.size(), 1u);
  EXPECT_THAT(found.warnings, Contains(HasSubstr("no regular file")));
}

}  // namespace
}  // namespace cohort::planning
