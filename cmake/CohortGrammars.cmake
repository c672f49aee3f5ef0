# Builds the tree-sitter grammars that config/languages/*/language.json name, and a table of them.
# Adding a language needs no change here: a folder with a language.json and an entry in package.json are enough.

# The runtime comes from npm too, as one file of C: Debian's 0.20 corrupts its memory on syntax errors that span more
# than 65535 tokens, and it is slower, because its parts cannot be inlined into each other.
set(COHORT_TREE_SITTER_DIR "${CMAKE_SOURCE_DIR}/node_modules/tree-sitter/vendor/tree-sitter/lib")
if(NOT EXISTS "${COHORT_TREE_SITTER_DIR}/src/lib.c")
  message(FATAL_ERROR "tree-sitter is missing (${COHORT_TREE_SITTER_DIR}). Run: npm ci --ignore-scripts")
endif()
add_library(cohort_tree_sitter STATIC "${COHORT_TREE_SITTER_DIR}/src/lib.c")
set_target_properties(cohort_tree_sitter PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
target_compile_options(cohort_tree_sitter PRIVATE -w -O3)
target_compile_definitions(cohort_tree_sitter PRIVATE NDEBUG)
target_include_directories(cohort_tree_sitter SYSTEM PUBLIC "${COHORT_TREE_SITTER_DIR}/include")
target_include_directories(cohort_tree_sitter PRIVATE "${COHORT_TREE_SITTER_DIR}/src")

# cohort_add_grammars(TARGET): a static library with every grammar and `compiled_grammars.cpp`.
function(cohort_add_grammars target)
  file(GLOB descriptions CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/config/languages/*/language.json")
  set(sources "")
  set(includes "")
  set(declarations "")
  set(rows "")
  foreach(description IN LISTS descriptions)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${description}")
    file(READ "${description}" json)
    string(JSON count LENGTH "${json}" grammars)
    math(EXPR last "${count} - 1")
    foreach(i RANGE ${last})
      string(JSON symbol GET "${json}" grammars ${i} symbol)
      string(JSON package GET "${json}" grammars ${i} package)
      string(JSON folder GET "${json}" grammars ${i} source)
      set(path "${CMAKE_SOURCE_DIR}/node_modules/${package}/${folder}")
      if(NOT EXISTS "${path}/parser.c")
        message(FATAL_ERROR "The grammar ${package} is missing (${path}/parser.c). Run: npm ci --ignore-scripts")
      endif()
      list(APPEND sources "${path}/parser.c")
      if(EXISTS "${path}/scanner.c")
        list(APPEND sources "${path}/scanner.c")
      endif()
      # Each grammar brings its own copy of tree_sitter/parser.h beside its sources.
      set_property(SOURCE "${path}/parser.c" "${path}/scanner.c" PROPERTY INCLUDE_DIRECTORIES "${path}")
      string(APPEND declarations "extern \"C\" const TSLanguage* ${symbol}();\n")
      string(APPEND rows "    {\"${symbol}\", &${symbol}},\n")
    endforeach()
  endforeach()
  set(table "${CMAKE_CURRENT_BINARY_DIR}/compiled_grammars.cpp")
  file(CONFIGURE OUTPUT "${table}" CONTENT [[
// Generated from config/languages/*/language.json.
#include "languages/grammars/compiled_grammars.hpp"
@declarations@
namespace cohort::languages {
namespace {
constexpr grammar_entry entries[] = {
@rows@};
}  // namespace
std::span<const grammar_entry> compiled_grammars() noexcept { return entries; }
}  // namespace cohort::languages
]] @ONLY)
  add_library(${target} STATIC ${sources} "${table}")
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-w -O2>)
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${target} PUBLIC cohort_tree_sitter)
endfunction()
