# `cmake --build build --target lint`: formatting and clang-tidy over our own files.
find_program(COHORT_CLANG_FORMAT NAMES clang-format-14 clang-format)
find_program(COHORT_CLANG_TIDY NAMES clang-tidy-14 clang-tidy)
add_custom_target(lint
  COMMAND "${CMAKE_SOURCE_DIR}/cmake/lint.py" "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}"
    "${COHORT_CLANG_FORMAT}" "${COHORT_CLANG_TIDY}"
  VERBATIM USES_TERMINAL)
