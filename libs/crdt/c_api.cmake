# librivermeet_crdt.so: all of crdt behind rivermeet_crdt.h, for other languages. Nothing else of it is seen.
target_sources(crdt PRIVATE c_api_deltas.cc c_api_document.cc c_api_events.cc c_api_types.cc c_api_undo.cc
               c_api_updates.cc c_api_values.cc c_api_versions.cc internal/c_api.cc)
# Clang, which builds the fuzzers, takes no precompiled header of another visibility; the version script hides as much.
target_compile_options(crdt PRIVATE "$<$<CXX_COMPILER_ID:GNU>:-fvisibility=hidden;-fno-semantic-interposition>")

# The header says the version, and with it the soname.
file(STRINGS rivermeet_crdt.h version REGEX "RMCRDT_VERSION_(MAJOR|MINOR) [0-9]+$")
string(REGEX REPLACE "[^0-9]*([0-9]+);[^0-9]*([0-9]+)" "\\1.\\2" version "${version}")
string(REGEX MATCH "^[0-9]+" version_major "${version}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS rivermeet_crdt.h)

set(map ${CMAKE_CURRENT_SOURCE_DIR}/rivermeet_crdt.map)
add_library(rivermeet_crdt SHARED $<TARGET_OBJECTS:crdt>)
target_link_libraries(rivermeet_crdt PRIVATE rivermeet::crdt)
target_link_options(rivermeet_crdt PRIVATE LINKER:--version-script=${map} LINKER:--as-needed)
set_target_properties(rivermeet_crdt PROPERTIES VERSION ${version} SOVERSION ${version_major} LINKER_LANGUAGE CXX
  LINK_DEPENDS ${map})
target_include_directories(rivermeet_crdt INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})

# cmake --install BUILD --component crdt --prefix WHERE
include(GNUInstallDirs)
file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(rivermeet_crdt.pc.in rivermeet_crdt.pc @ONLY)
install(TARGETS rivermeet_crdt LIBRARY COMPONENT crdt NAMELINK_COMPONENT crdt)
install(FILES rivermeet_crdt.h TYPE INCLUDE COMPONENT crdt)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rivermeet_crdt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT crdt)

add_executable(crdt_c_test c_api_arguments_test.c c_api_document_test.c c_api_events_test.c c_api_test.c
               c_api_types_test.c c_api_undo_test.c c_api_versions_test.c)
target_link_libraries(crdt_c_test PRIVATE rivermeet_crdt)
target_compile_options(crdt_c_test PRIVATE -Wall -Wextra -pedantic -Werror)
set_target_properties(crdt_c_test PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
add_test(NAME crdt_c_test COMMAND crdt_c_test)
rivermeet_test(crdt_c_memory_test SOURCES c_api_memory_test.cc DEPS rivermeet::crdt)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME crdt_c_library COMMAND Python3::Interpreter c_api_library_test.py $<TARGET_FILE:rivermeet_crdt>
         ${CMAKE_BINARY_DIR} "${RIVERMEET_SANITIZE}" WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
set_tests_properties(crdt_c_test crdt_c_library PROPERTIES LABELS unit TIMEOUT 120)
