# Third-party libraries, all from Debian's packages, plus tree-sitter and its grammars from npm.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_path(TL_EXPECTED_INCLUDE_DIR NAMES tl/expected.hpp REQUIRED)
add_library(tl_expected INTERFACE)
target_include_directories(tl_expected SYSTEM INTERFACE "${TL_EXPECTED_INCLUDE_DIR}")
find_path(RE2_INCLUDE_DIR NAMES re2/re2.h REQUIRED)
find_library(RE2_LIBRARY NAMES re2 REQUIRED)
add_library(cohort_re2 UNKNOWN IMPORTED)
set_target_properties(cohort_re2 PROPERTIES IMPORTED_LOCATION "${RE2_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${RE2_INCLUDE_DIR}")
# The fuzzers read texts and need no more than this.
if(COHORT_FUZZ)
  return()
endif()

find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(CURL REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBGIT2 REQUIRED IMPORTED_TARGET libgit2)

# For programs only, and not under a sanitizer, which brings its own: messages are made on one thread and freed on
# another, which costs glibc's allocator more (docs/decisions/0022-tcmalloc.md).
add_library(cohort_malloc INTERFACE)
if(NOT COHORT_SANITIZE)
  pkg_check_modules(TCMALLOC REQUIRED libtcmalloc_minimal)
  # Nothing of it is called by name, so the linker must be told to keep it.
  target_link_options(cohort_malloc INTERFACE LINKER:--push-state,--no-as-needed,-ltcmalloc_minimal,--pop-state)
endif()

# CAF 0.17 ships neither a CMake package nor a .pc file.
find_path(CAF_INCLUDE_DIR NAMES caf/all.hpp REQUIRED)
foreach(component IN ITEMS core io)
  find_library(CAF_LIB_${component} NAMES caf_${component} REQUIRED)
  add_library(CAF::${component} UNKNOWN IMPORTED)
  set_target_properties(CAF::${component} PROPERTIES IMPORTED_LOCATION "${CAF_LIB_${component}}"
    INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
endforeach()
set_property(TARGET CAF::core APPEND PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
set_property(TARGET CAF::io APPEND PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
