# librivermeet_crdt.so: all of crdt behind rivermeet_crdt.h, for other languages. Nothing else of it is seen.
target_sources(crdt PRIVATE c_api_deltas.cc c_api_document.cc c_api_events.cc c_api_types.cc c_api_updates.cc
               c_api_values.cc internal/c_api.cc)

add_library(rivermeet_crdt SHARED $<TARGET_OBJECTS:crdt>)
target_link_libraries(rivermeet_crdt PRIVATE rivermeet::crdt)
target_link_options(rivermeet_crdt PRIVATE LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/rivermeet_crdt.map
                    LINKER:--as-needed)
set_target_properties(rivermeet_crdt PROPERTIES VERSION 1.0 SOVERSION 1 LINKER_LANGUAGE CXX
  LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/rivermeet_crdt.map)
target_include_directories(rivermeet_crdt INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})

add_executable(crdt_c_test c_api_test.c)
target_link_libraries(crdt_c_test PRIVATE rivermeet_crdt)
target_compile_options(crdt_c_test PRIVATE -Wall -Wextra -pedantic -Werror)
set_target_properties(crdt_c_test PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
add_test(NAME crdt_c_test COMMAND crdt_c_test)
set_tests_properties(crdt_c_test PROPERTIES LABELS unit TIMEOUT 120)
