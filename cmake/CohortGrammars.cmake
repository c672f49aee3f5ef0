# Builds the tree-sitter grammars that config/languages/*/language.json name, and a table of them.
# Adding a language needs no change here: a folder with a language.json and an entry in package.json are enough.

# cohort_add_grammars(TARGET): a static library with every grammar and `grammar_table.cpp`.
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
  set(table "${CMAKE_CURRENT_BINARY_DIR}/grammar_table.cpp")
  file(CONFIGURE OUTPUT "${table}" CONTENT [[
// Generated from config/languages/*/language.json.
#include "planning/grammar_table.hpp"
@declarations@
namespace cohort {
namespace {
constexpr grammar_entry entries[] = {
@rows@};
}  // namespace
std::span<const grammar_entry> compiled_grammars() noexcept { return entries; }
}  // namespace cohort
]] @ONLY)
  add_library(${target} STATIC ${sources} "${table}")
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-w -O2>)
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}")
  # Parsing calls the library a few hundred million times for a large project: from the archive, the calls are direct
  # and parsing takes a quarter less time. The shared library must not be named as well, or it would win.
  find_library(COHORT_TREE_SITTER_ARCHIVE NAMES libtree-sitter.a)
  if(COHORT_TREE_SITTER_ARCHIVE)
    target_include_directories(${target} SYSTEM PUBLIC ${TREE_SITTER_INCLUDE_DIRS})
    target_link_libraries(${target} PUBLIC "${COHORT_TREE_SITTER_ARCHIVE}")
  else()
    target_link_libraries(${target} PUBLIC PkgConfig::TREE_SITTER)
  endif()
endfunction()
