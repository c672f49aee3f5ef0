// The registry of providers.

#include "app/provider_registry.hpp"

#include <set>

#include "tests/app/fixture.hpp"

namespace cohort::app {
namespace {

TEST(provider_registry, no_option_and_no_name_stands_twice) {
  std::set<std::string_view> seen;
  for (const auto& entry : providers()) {
    EXPECT_TRUE(seen.insert(entry.name).second) << entry.name;
    EXPECT_EQ(&provider_named(entry.name), &entry);
    for (const auto& option : entry.options) EXPECT_TRUE(seen.insert(option.flag).second) << option.flag;
  }
  EXPECT_EQ(provider_named("nobody").name, providers().front().name);
  EXPECT_EQ(provider_choice{}.name, providers().front().name);
}

TEST(provider_registry, options_go_with_their_provider_alone) {
  for (const auto& entry : providers())
    for (const auto& option : entry.options)
      for (const auto& other : providers()) {
        const provider_choice choice{std::string{other.name}, {{std::string{option.flag}, {"x"}}}};
        EXPECT_EQ(check_choice(choice).has_value(), other.name == entry.name) << option.flag << " with " << other.name;
      }
}

TEST(provider_registry, the_simulator_is_reached_without_credentials) {
  ::setenv("COHORT_CONFIG_DIR", COHORT_SOURCE_DIR "/config", 1);
  const auto connection = connect_provider({"simulator", {{"--set", {"latency.first_ms=1"}}}});
  EXPECT_EQ(connection.has_value(), false) << "no such setting";
  const auto plain = connect_provider({"simulator", {}});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_NE(plain->provider, nullptr);
  ::unsetenv("COHORT_CONFIG_DIR");
}

TEST(provider_registry, each_failure_has_advice_for_doctor) {
  for (const auto& entry : providers())
    for (const auto code : {ec::authentication, ec::billing, ec::timeout, ec::overloaded, ec::io})
      EXPECT_FALSE(entry.advice_before(code).empty()) << entry.name << name(code);
}

}  // namespace
}  // namespace cohort::app
