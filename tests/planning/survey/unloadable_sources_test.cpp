// What a test framework cannot load is left out with a reason, and so is what imports it.

#include "planning/survey/unloadable_sources.hpp"

#include <gmock/gmock.h>

#include "tests/planning/planning_fixture.hpp"

namespace cohort::planning {
namespace {

using planning::fixture::project_test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto plain = "export function f(x) { if (x) return 1; return 2; }\n";
constexpr auto view = "export const View = ({ a }) => { if (a) return <p/>; return <b/>; };\n";

class loadable_test : public project_test {
 protected:
  [[nodiscard]] std::vector<std::string> reasons() const {
    const auto found = look(any_complexity());
    std::vector<std::string> lines;
    for (const auto& one : found.skipped)
      if (one.code == ec::not_importable) lines.push_back(one.path + ": " + one.reason);
    return lines;
  }
  [[nodiscard]] std::vector<std::string> gaps() const { return gaps_of(look(any_complexity())); }
  void package(const std::string& members) const {
    write("package.json", R"({"name": "p", "scripts": {"test": "node --test"})" + members + "}");
  }
};

TEST_F(loadable_test, leaves_jsx_out_under_node_test) {
  package("");
  write("src/view.jsx", view);
  write("src/rules.js", plain);
  EXPECT_THAT(reasons(), ElementsAre(HasSubstr("src/view.jsx: Node does not load JSX")));
  EXPECT_THAT(gaps(), ElementsAre("src/rules.js: f"));
  const auto counts = look(any_complexity()).counts;
  EXPECT_EQ(counts.not_loadable, 1u);
  EXPECT_EQ(counts.tests + counts.no_public_symbols + counts.fully_tested + counts.too_simple + counts.not_loadable +
                counts.with_gaps,
            counts.parsed);
}

TEST_F(loadable_test, leaves_out_what_imports_such_a_file_over_any_number_of_steps) {
  package("");
  write("view.jsx", view);
  write("page.js", std::string{"import { View } from './view.jsx';\n"} + plain);
  write("site.js",
        std::string{"import { f as page } from './page.js';\n"} + "export function g(x) { return page(x) }\n");
  write("rules.js", plain);
  EXPECT_THAT(reasons(), ElementsAre(HasSubstr("page.js: it imports 'view.jsx': Node"),
                                     HasSubstr("site.js: it imports 'view.jsx': Node"), HasSubstr("view.jsx: Node")));
  EXPECT_THAT(gaps(), ElementsAre("rules.js: f"));
}

TEST_F(loadable_test, other_frameworks_and_loaders_can_do_it) {
  write("view.jsx", view);
  for (const auto* members : {R"(, "devDependencies": {"vitest": "^3"})", R"(, "devDependencies": {"jest": "^29"})",
                              R"(, "devDependencies": {"tsx": "^4"})"}) {
    package(members);
    EXPECT_THAT(reasons(), IsEmpty()) << members;
  }
  write("package.json", R"({"scripts": {"test": "node --import ./jsx.js --test"}})");
  EXPECT_THAT(reasons(), IsEmpty());
}

TEST_F(loadable_test, a_loader_may_stand_in_a_manifest_above) {
  write("package.json", R"({"devDependencies": {"tsx": "^4"}})");
  write("web/package.json", R"({"scripts": {"test": "node --test"}})");
  write("web/view.jsx", view);
  EXPECT_THAT(reasons(), IsEmpty());
}

TEST_F(loadable_test, typescript_depends_on_the_node_that_the_manifest_promises) {
  write("rules.ts", "export function f(x: number) { return x; }\n");
  for (const auto* old : {">=18", "^20.0.0", ">=20 <23", "22.4.1", ">=22.17.0", ">=22"}) {
    package(R"(, "engines": {"node": ")" + std::string{old} + "\"}");
    EXPECT_THAT(reasons(), ElementsAre(HasSubstr("22.18"))) << old;
  }
  for (const auto* fresh : {">=22.18", "^22.18.0", "22.20.1", ">=24", "^25.1.0"}) {
    package(R"(, "engines": {"node": ")" + std::string{fresh} + "\"}");
    EXPECT_THAT(reasons(), IsEmpty()) << fresh;
  }
  package("");
  EXPECT_THAT(reasons(), IsEmpty()) << "nothing speaks against a Node of today";
}

TEST_F(loadable_test, tsx_is_jsx_whatever_node_there_is) {
  package(R"(, "engines": {"node": ">=24"})");
  write("view.tsx", "export const View = (p: { a: number }) => { if (p.a) return <p/>; return <b/>; };\n");
  EXPECT_THAT(reasons(), ElementsAre(HasSubstr("view.tsx: Node does not load JSX")));
}

TEST_F(loadable_test, python_knows_no_such_thing) {
  write("a.py", "def f(x):\n    return x\n");
  EXPECT_THAT(reasons(), IsEmpty());
}

}  // namespace
}  // namespace cohort::planning
