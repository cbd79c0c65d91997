# The five ways to declare a target. Folder name == target name; everything else follows from it.
#
#   rivermeet_library(NAME HEADERS ... SOURCES ... DEPS ... [PCH std|rpc|net])
#   rivermeet_executable(NAME SOURCES ... DEPS ... [PCH ...])
#   rivermeet_test(NAME SOURCES ... DEPS ... [LABELS unit|integration] [PCH ...])
#   rivermeet_benchmark(NAME SOURCES ... DEPS ...)
#   rivermeet_fuzzer(NAME CORPUS folder SOURCES ... DEPS ... [PCH ...])      (runs its corpus as a test)
#   rivermeet_proto(NAME PROTOS ... DEPS ... [GRPC] [ROOT folder])

function(rivermeet_add_folders parent)
  file(GLOB lists CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${parent}/*/CMakeLists.txt)
  foreach(list ${lists})
    get_filename_component(folder ${list} DIRECTORY)
    add_subdirectory(${folder})
  endforeach()
endfunction()

# One precompiled header each for the standard and Abseil headers, for gRPC and protobuf, and for Asio
# and Beast: a file that needs gRPC compiles in 2 s instead of 10.
function(rivermeet_pch name)
  cmake_parse_arguments(A "" "" "HEADERS;DEPS" ${ARGN})
  set(source ${CMAKE_BINARY_DIR}/pch/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Carries a precompiled header.\n")
  add_library(rivermeet_pch_${name} OBJECT ${source})
  target_link_libraries(rivermeet_pch_${name} PRIVATE rivermeet_warnings Threads::Threads ${A_DEPS})
  target_precompile_headers(rivermeet_pch_${name} PRIVATE ${A_HEADERS})
endfunction()
set(std_headers <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <map> <memory> <mutex> <optional> <span>
    <string> <string_view> <thread> <unordered_map> <utility> <vector> <absl/container/flat_hash_map.h>
    <absl/status/statusor.h> <fmt/format.h> <absl/time/time.h>)
rivermeet_pch(std HEADERS ${std_headers} DEPS fmt::fmt)
rivermeet_pch(rpc HEADERS ${std_headers} <grpcpp/grpcpp.h> <google/protobuf/message.h> <google/protobuf/arena.h>
              DEPS fmt::fmt PkgConfig::GRPC protobuf::libprotobuf)
rivermeet_pch(net HEADERS ${std_headers} <boost/asio.hpp> <boost/asio/ssl.hpp> <boost/beast.hpp>
              DEPS fmt::fmt Boost::headers OpenSSL::SSL)

# Generated code is compiled without warnings, so it needs its own. Messages don't see gRPC: what its headers start
# by themselves would come into every program that only links a message.
set(message_headers <google/protobuf/message.h> <google/protobuf/arena.h>)
rivermeet_pch(message HEADERS ${message_headers} DEPS protobuf::libprotobuf)
rivermeet_pch(stub HEADERS <grpcpp/grpcpp.h> ${message_headers} DEPS PkgConfig::GRPC protobuf::libprotobuf)
target_compile_options(rivermeet_pch_message PRIVATE -w)
target_compile_options(rivermeet_pch_stub PRIVATE -w)

function(rivermeet_finish name pch)
  target_link_libraries(${name} PRIVATE rivermeet_warnings)
  if(NOT pch)
    set(pch std)
  endif()
  target_precompile_headers(${name} REUSE_FROM rivermeet_pch_${pch})
endfunction()

function(rivermeet_library name)
  cmake_parse_arguments(A "" "PCH" "HEADERS;SOURCES;DEPS" ${ARGN})
  get_filename_component(root ${CMAKE_CURRENT_SOURCE_DIR} DIRECTORY)
  if(A_SOURCES)
    add_library(${name} STATIC ${A_SOURCES})
    set(scope PUBLIC)
    rivermeet_finish(${name} "${A_PCH}")
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(rivermeet::${name} ALIAS ${name})
  target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS ${root} FILES ${A_HEADERS})
  target_link_libraries(${name} ${scope} ${A_DEPS} Threads::Threads)
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

function(rivermeet_executable name)
  cmake_parse_arguments(A "" "PCH" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_DEPS} Threads::Threads)
  rivermeet_finish(${name} "${A_PCH}")
endfunction()

add_library(catch_main STATIC ${CMAKE_CURRENT_LIST_DIR}/catch_main.cc)
target_link_libraries(catch_main PUBLIC Catch2::Catch2)
if(RIVERMEET_SANITIZE STREQUAL "thread")
  target_sources(catch_main PRIVATE ${CMAKE_CURRENT_LIST_DIR}/c11_threads.cc)
endif()

function(rivermeet_test name)
  cmake_parse_arguments(A "" "PCH;LABELS;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  rivermeet_executable(${name} SOURCES ${A_SOURCES} DEPS ${A_DEPS} catch_main PCH ${A_PCH})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  if(RIVERMEET_SANITIZE OR RIVERMEET_COVERAGE)
    # Instrumented code is some times slower.
    math(EXPR A_TIMEOUT "10 * ${A_TIMEOUT}")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${A_LABELS} TIMEOUT ${A_TIMEOUT})
  set_property(GLOBAL APPEND PROPERTY RIVERMEET_TESTS ${name})
endfunction()

function(rivermeet_benchmark name)
  cmake_parse_arguments(A "" "PCH" "SOURCES;DEPS" ${ARGN})
  rivermeet_executable(${name} SOURCES ${A_SOURCES} DEPS ${A_DEPS} benchmark::benchmark PCH ${A_PCH})
endfunction()

# A fuzzer is one function, LLVMFuzzerTestOneInput. clang builds it with libFuzzer; every other compiler
# links a main that replays files and folders, so its corpus is a test everywhere.
function(rivermeet_fuzzer name)
  cmake_parse_arguments(A "" "PCH;CORPUS" "SOURCES;DEPS" ${ARGN})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${A_CORPUS})
  if(RIVERMEET_FUZZ)
    rivermeet_executable(${name} SOURCES ${A_SOURCES} DEPS ${A_DEPS} PCH ${A_PCH})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    rivermeet_executable(${name} SOURCES ${A_SOURCES} ${CMAKE_SOURCE_DIR}/tools/cmake/fuzz_main.cc DEPS ${A_DEPS}
                         PCH ${A_PCH})
    add_test(NAME ${name} COMMAND ${name} ${corpus})
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
  set_property(TARGET ${name} PROPERTY RIVERMEET_CORPUS ${corpus})
  set_property(GLOBAL APPEND PROPERTY RIVERMEET_FUZZERS ${name})
endfunction()

function(rivermeet_generated name pch folder deps)
  add_library(rivermeet::${name} ALIAS ${name})
  target_include_directories(${name} SYSTEM PUBLIC ${folder})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${deps})
  target_compile_options(${name} PRIVATE -w)
  target_precompile_headers(${name} REUSE_FROM rivermeet_pch_${pch})
endfunction()

# The messages of one proto package, and with GRPC the service stubs as a library of their own, PACKAGE_grpc: a program
# that only knows a message links no gRPC. Never committed.
function(rivermeet_proto name)
  cmake_parse_arguments(A "GRPC" "ROOT" "PROTOS;DEPS" ${ARGN})
  if(NOT A_ROOT)
    set(A_ROOT ${CMAKE_SOURCE_DIR}/proto)
  endif()
  set(out ${CMAKE_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${out})
  set(messages)
  set(stubs)
  foreach(proto ${A_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    list(APPEND messages ${made})
    set(flags --cpp_out=${out})
    if(A_GRPC)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      list(APPEND stubs ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      list(APPEND flags --grpc_out=${out} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(OUTPUT ${made}
      COMMAND protobuf::protoc ${flags} -I ${CMAKE_SOURCE_DIR}/proto -I ${GOOGLEAPIS_DIR} ${proto}
      DEPENDS ${A_ROOT}/${proto} VERBATIM)
  endforeach()
  add_library(${name} STATIC ${messages})
  rivermeet_generated(${name} message ${out} "${A_DEPS}")
  if(A_GRPC)
    string(REGEX REPLACE "_proto$" "_grpc" stub_library ${name})
    add_library(${stub_library} STATIC ${stubs})
    rivermeet_generated(${stub_library} stub ${out} "rivermeet::${name};PkgConfig::GRPC")
  endif()
endfunction()

# Has protoc write `protos` (below proto/), what they import and their comments to `output`, a FileDescriptorSet.
function(rivermeet_descriptor_set output)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/proto/ OUTPUT_VARIABLE sources)
  add_custom_command(OUTPUT ${output}
    COMMAND protobuf::protoc --descriptor_set_out=${output} --include_imports --include_source_info
            -I ${CMAKE_SOURCE_DIR}/proto -I ${GOOGLEAPIS_DIR} ${ARGN}
    DEPENDS ${sources} VERBATIM)
endfunction()
