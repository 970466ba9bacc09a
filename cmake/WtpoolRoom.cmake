# A room is a folder, a static library and a namespace. Its sources are the *.cpp files of the folder and of its chapters (folders
# in it), without main.cpp and without the twin of the other system.
add_library(wtpool_options INTERFACE)
target_compile_features(wtpool_options INTERFACE cxx_std_20)
target_include_directories(wtpool_options INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
target_compile_definitions(wtpool_options INTERFACE _FILE_OFFSET_BITS=64)
if(WTPOOL_FAILPOINTS)
  target_compile_definitions(wtpool_options INTERFACE WTPOOL_FAILPOINTS)
endif()
if(WTPOOL_DEV)
  target_compile_options(wtpool_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
endif()
if(WTPOOL_SANITIZE)
  target_compile_options(wtpool_options INTERFACE -fsanitize=${WTPOOL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(wtpool_options INTERFACE -fsanitize=${WTPOOL_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 warns falsely of instrumented standard headers (strings, std::regex): the dev build is where warnings are errors.
    target_compile_options(wtpool_options INTERFACE -Wno-maybe-uninitialized -Wno-error)
    if(WTPOOL_SANITIZE MATCHES "address.*undefined")
      # These three double the time of compiling. The address sanitizer sees what null and object-size see.
      target_compile_options(wtpool_options INTERFACE -fno-sanitize=null,alignment,object-size)
    endif()
  endif()
endif()

# In the sanitizer builds the rooms share one precompiled header, and the tests another. The other builds have none, so that a
# missing include is still found.
function(wtpool_precompiled name)
  add_library(${name} OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
  target_link_libraries(${name} PRIVATE wtpool_options nlohmann_json::nlohmann_json ${ARGN})
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <atomic> <charconv> <chrono> <compare> <condition_variable> <cstdint>
    <deque> <exception> <filesystem> <fstream> <functional> <iostream> <map> <memory> <mutex> <optional> <set> <span> <sstream>
    <string> <string_view> <system_error> <thread> <tuple> <unordered_map> <unordered_set> <utility> <variant> <vector>
    <nlohmann/json.hpp>)
endfunction()
if(WTPOOL_SANITIZE)
  wtpool_precompiled(wtpool_precompiled_rooms)
endif()

function(wtpool_sources out)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  list(FILTER found EXCLUDE REGEX "/main\\.cpp$")
  if(APPLE)
    list(FILTER found EXCLUDE REGEX "_linux\\.cpp$")
  else()
    list(FILTER found EXCLUDE REGEX "_macos\\.cpp$")
  endif()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

function(wtpool_room name)
  wtpool_sources(sources)
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(${name} PUBLIC wtpool_options ${ARGN})
  if(WTPOOL_SANITIZE)
    target_precompile_headers(${name} REUSE_FROM wtpool_precompiled_rooms)
  endif()
endfunction()
