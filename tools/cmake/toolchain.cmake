# Compiler, linker and cache settings that hold for every target of ours.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The same for libraries and programs, so that both can use one precompiled header.
add_compile_options(-fPIC)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# -g1 keeps function names and lines for profiles and stack traces at a tenth of -g's size.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness is what ccache's manual asks for with precompiled headers.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_COMPRESSLEVEL=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(RIVERMEET_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, for example address,undefined")
option(RIVERMEET_COVERAGE "Instrument for gcov" OFF)
option(RIVERMEET_FUZZ "Build the fuzzers with clang's libFuzzer; no tests" OFF)
if(RIVERMEET_SANITIZE)
  add_compile_options(-fsanitize=${RIVERMEET_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RIVERMEET_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # clang 14 can't emit it for coroutines ("Cannot represent a difference across sections").
    add_compile_options(-fno-sanitize=function)
  else()
    # g++ 12 reports std::function's and the sanitizers' own temporaries; the release build has the warning.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  if(RIVERMEET_SANITIZE STREQUAL "thread")
    # Asio's fences are none that ThreadSanitizer understands; its handlers are ordered by its mutex already.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(RIVERMEET_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(RIVERMEET_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_compile_definitions(BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # ccache needs it to hash what a precompiled header holds.
  add_compile_options(-fpch-preprocess)
else()
  # Nor may a precompiled header hold when it was made.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

# Warnings are errors in our own code; generated code and dependencies are system headers.
add_library(rivermeet_warnings INTERFACE)
target_compile_options(rivermeet_warnings INTERFACE -Wall -Wextra -Werror -Wnon-virtual-dtor -Woverloaded-virtual
                       # A designated initializer that leaves members at their defaults is what options are for.
                       -Wno-missing-field-initializers
                       $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
                       # g++ 12 reports these inside std::string's own inlined code (GCC bug 105329 and kin), and
                       # the last about Asio's coroutine frames, whose two operators it inlines unequally.
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds;-Wno-mismatched-new-delete>)
