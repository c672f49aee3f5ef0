# `cmake --build build --target lint`: formatting and clang-tidy over our own files.
find_program(COHORT_CLANG_FORMAT NAMES clang-format-14 clang-format)
find_program(COHORT_RUN_CLANG_TIDY NAMES run-clang-tidy-14 run-clang-tidy)
add_custom_target(lint
  COMMAND "${CMAKE_SOURCE_DIR}/cmake/lint.sh" "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}"
    "${COHORT_CLANG_FORMAT}" "${COHORT_RUN_CLANG_TIDY}"
  VERBATIM USES_TERMINAL)
