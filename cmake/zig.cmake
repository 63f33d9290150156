# For other systems, with Zig's C++ compiler, which brings their headers and libraries along. SOQUETE_TARGET is
# what Zig calls the system, as aarch64-macos; the presets set it. `./dev test macos` puts zig in PATH.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SOQUETE_TARGET)
if(SOQUETE_TARGET MATCHES "-macos")
  set(CMAKE_SYSTEM_NAME Darwin)
else()
  set(CMAKE_SYSTEM_NAME Linux)
endif()
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${SOQUETE_TARGET}")

find_program(zig zig REQUIRED)
set(CMAKE_CXX_COMPILER "${zig}" c++ -target "${SOQUETE_TARGET}")
# Debian's ar knows nothing of macOS.
set(CMAKE_CXX_ARCHIVE_CREATE "\"${zig}\" ar qc <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "\"${zig}\" ar q <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "\"${zig}\" ranlib <TARGET>")
set(CMAKE_OSX_SYSROOT "")

# What is installed on this machine is for this machine.
set(CMAKE_FIND_ROOT_PATH "${CMAKE_CURRENT_LIST_DIR}/nothing-of-this-machine")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
