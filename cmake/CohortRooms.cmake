# cohort_room(NAME LINKS...): the static library cohort_NAME of all .cpp files of this folder and its sub-rooms. LINKS go
# to target_link_libraries as they are; among rooms they follow the arrows of docs/architecture.md.
function(cohort_room name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/main.cpp")
  add_library(cohort_${name} STATIC ${sources})
  target_link_libraries(cohort_${name} ${ARGN})
endfunction()
