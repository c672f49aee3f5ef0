# Compiler settings that every room shares.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
add_library(cohort_options INTERFACE)
target_compile_options(cohort_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror=switch
  -Werror=return-type -Werror=unused-result -fstack-protector-strong)
target_include_directories(cohort_options INTERFACE "${CMAKE_SOURCE_DIR}")
if(COHORT_SANITIZE)
  # CAF's headers bind null references on purpose; that check alone is left out.
  target_compile_options(cohort_options INTERFACE -fsanitize=${COHORT_SANITIZE} -fno-sanitize=null
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(cohort_options INTERFACE -fsanitize=${COHORT_SANITIZE})
endif()
find_program(COHORT_LLD ld.lld)
if(COHORT_LLD)
  target_link_options(cohort_options INTERFACE -fuse-ld=lld)
endif()
find_program(COHORT_CCACHE ccache)
if(COHORT_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${COHORT_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${COHORT_CCACHE}")
endif()
