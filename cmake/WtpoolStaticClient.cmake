# A static client spends no time on finding, mapping and relocating five libraries, which is half of a `wtpool path`. It is a
# position-independent one: besides being placed at random, its exceptions find their tables without sorting them first.
#
#   wtpool_link_client(TARGET)      links it so when WTPOOL_STATIC_CLIENT says so and the system can
#
# A target with the property WTPOOL_STATIC links these by their archives, or not at all.
set(WTPOOL_IS_STATIC "$<BOOL:$<TARGET_PROPERTY:WTPOOL_STATIC>>")

function(wtpool_link_client target)
  if(NOT WTPOOL_STATIC_CLIENT)
    return()
  endif()
  if(WTPOOL_SANITIZE)
    message(FATAL_ERROR "WTPOOL_STATIC_CLIENT and WTPOOL_SANITIZE exclude each other: sanitizers want shared libraries")
  endif()
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND EXISTS "${WTPOOL_UTF8PROC_ARCHIVE}")
    include(CheckCXXSourceCompiles)
    set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
    check_cxx_source_compiles("#include <string>\nint main(int n, char**) { return std::to_string(n).size() == 1 ? 0 : 1; }" WTPOOL_LINKS_STATIC_PIE)
  endif()
  if(WTPOOL_LINKS_STATIC_PIE)
    set_target_properties(${target} PROPERTIES WTPOOL_STATIC ON)
    target_link_options(${target} PRIVATE -static-pie)
  else()
    message(STATUS "wtpool is linked with shared libraries: there is no static libc, libstdc++ or libutf8proc here")
  endif()
endfunction()
