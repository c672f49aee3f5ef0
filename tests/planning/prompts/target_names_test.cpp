#include "planning/prompts/target_names.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "tests/planning/prompt_fixture.hpp"

namespace cohort::planning {
namespace {

target_map named(const std::vector<std::pair<std::string, std::string>>& paths,
                 languages::module_system modules = languages::module_system::esm,
                 const std::vector<std::string>& tests = {}) {
  std::deque<languages::source_file> files;
  std::vector<target_request> requests;
  for (const auto& [path, framework] : paths) {
    auto& file = files.emplace_back();
    file.path = path;
    file.language = languages().by_path(path)->id;
    file.modules = modules;
    requests.push_back({&file, framework});
  }
  return name_targets(requests, tests, texts());
}

TEST(task_targets, mirror_the_source_tree_under_names_that_frameworks_collect) {
  const auto names = named({{"bookshop/cart.py", "pytest"},
                            {"src/cart.ts", "vitest"},
                            {"src/Cart.tsx", "vitest"},
                            {"lib/a.jsx", "jest"},
                            {"cmd/run.go", "go test"}});
  EXPECT_EQ(names.at("bookshop/cart.py"), "bookshop/test_cart.py");
  EXPECT_EQ(names.at("src/cart.ts"), "src/cart.test.ts");
  EXPECT_EQ(names.at("src/Cart.tsx"), "src/Cart.test.tsx");
  EXPECT_EQ(names.at("lib/a.jsx"), "lib/a.test.jsx");
  EXPECT_EQ(names.at("cmd/run.go"), "cmd/run/run_test.go");
}

TEST(task_targets, of_python_differ_in_their_base_names) {
  const auto names = named({{"a/orders/validation.py", "pytest"},
                            {"b/orders/validation.py", "pytest"},
                            {"catalog/validation.py", "pytest"},
                            {"x/__init__.py", "pytest"},
                            {"y/__init__.py", "pytest"}});
  EXPECT_EQ(names.at("catalog/validation.py"), "catalog/test_catalog_validation.py");
  EXPECT_EQ(names.at("a/orders/validation.py"), "a/orders/test_a_orders_validation.py");
  EXPECT_EQ(names.at("b/orders/validation.py"), "b/orders/test_b_orders_validation.py");
  EXPECT_EQ(names.at("x/__init__.py"), "x/test_x_init.py");
}

TEST(task_targets, leave_the_names_of_existing_python_tests_alone) {
  EXPECT_EQ(
      named({{"shop/cart.py", "pytest"}}, languages::module_system::none, {"tests/test_cart.py"}).at("shop/cart.py"),
      "shop/test_shop_cart.py");
  EXPECT_EQ(named({{"shop/cart.js", "jest"}}, languages::module_system::esm, {"tests/cart.test.js"}).at("shop/cart.js"),
            "shop/cart.test.js");
}

TEST(task_targets, tell_sources_apart_that_differ_in_extension_or_case_only) {
  const auto names = named({{"a/cart.js", "jest"},
                            {"a/cart.cjs", "jest"},
                            {"a/cart.ts", "jest"},
                            {"a/Tax.js", "jest"},
                            {"a/tax.js", "jest"}});
  EXPECT_EQ(names.at("a/cart.cjs"), "a/cart.cjs.test.js");
  EXPECT_EQ(names.at("a/cart.js"), "a/cart.js.test.js");
  EXPECT_EQ(names.at("a/cart.ts"), "a/cart.test.ts");
  std::string upper = names.at("a/Tax.js");
  std::transform(upper.begin(), upper.end(), upper.begin(), ::tolower);
  EXPECT_NE(upper, names.at("a/tax.js"));
}

TEST(task_targets, of_node_say_their_module_system) {
  EXPECT_EQ(named({{"a.js", "node:test"}}, languages::module_system::esm).at("a.js"), "a.test.mjs");
  EXPECT_EQ(named({{"a.js", "node:test"}}, languages::module_system::commonjs).at("a.js"), "a.test.cjs");
  EXPECT_EQ(named({{"a.ts", "node:test"}}, languages::module_system::esm).at("a.ts"), "a.test.ts");
  EXPECT_EQ(named({{"a.cjs", "vitest"}}, languages::module_system::commonjs).at("a.cjs"), "a.test.cjs");
}

TEST(task_targets, of_unittest_lie_in_one_folder) {
  EXPECT_EQ(named({{"shop/cart/cart.py", "unittest"}}).at("shop/cart/cart.py"), "test_shop_cart_cart.py");
}

TEST(task_targets, avoid_folders_that_frameworks_pass_over) {
  EXPECT_EQ(named({{".tools/build/make-it.py", "pytest"}}).at(".tools/build/make-it.py"),
            "dot_tools/build_/test_make_it.py");
}

TEST(task_targets, are_unique_and_do_not_depend_on_the_order) {
  std::vector<std::pair<std::string, std::string>> paths;
  for (const char* folder : {"", "a/", "b/", "a/b/", "a_b/", "A/"})
    for (const char* file : {"c.py", "b_c.py", "a_b_c.py", "c-d.py", "c_d.py"})
      paths.emplace_back(std::string{folder} + file, "pytest");
  const auto names = named(paths);
  std::set<std::string> bases;
  for (const auto& [path, target] : names) {
    auto base = target.substr(target.rfind('/') + 1);
    std::transform(base.begin(), base.end(), base.begin(), ::tolower);
    EXPECT_TRUE(bases.insert(base).second) << path << " -> " << target;
  }
  std::reverse(paths.begin(), paths.end());
  EXPECT_EQ(named(paths), names);
}

}  // namespace
}  // namespace cohort::planning
