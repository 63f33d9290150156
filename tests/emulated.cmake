# Tests of another processor under qemu's user mode: how programs are started, and what is left out and why.

function(soquete_emulate path)
  string(JOIN " " emulator ${CMAKE_CROSSCOMPILING_EMULATOR})
  file(WRITE "${programs}/${path}" "#!/bin/sh\nexec ${emulator} '${PROJECT_BINARY_DIR}/${path}' \"$@\"\n")
  file(CHMOD "${programs}/${path}" PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endfunction()

soquete_emulate(soquete)
file(GLOB examples RELATIVE "${PROJECT_SOURCE_DIR}/examples" "${PROJECT_SOURCE_DIR}/examples/*.cpp")
foreach(example IN LISTS examples)
  string(REPLACE ".cpp" "" example "${example}")
  soquete_emulate(examples/${example})
endforeach()

# The reason stands in the list; `*` leaves out the whole program, anything else is a filter of GoogleTest.
set(not_emulated
  "seccomp|*|qemu passes no filter of system calls on, and would be the one filtered"
  "peers|*|talks to a dozen programs of this machine, with the same bytes as on x86-64"
  "peers_local|*|as peers"
  "load|*|counts turns and processor time, which are the emulator's here"
  "stack|*|ten million awaits on 64 KiB of stack: minutes of emulation, and qemu's own stack"
  "tidy|*|reads source text, which is the same"
)

function(leave_out_what_is_not_emulated)
  foreach(entry IN LISTS not_emulated)
    string(REGEX MATCH "^([^|]*)\\|([^|]*)\\|(.*)$" matched "${entry}")
    if(NOT TEST ${CMAKE_MATCH_1})
      message(FATAL_ERROR "tests/emulated.cmake leaves out a test that there is not: ${CMAKE_MATCH_1}")
    elseif(CMAKE_MATCH_2 STREQUAL "*")
      set_tests_properties(${CMAKE_MATCH_1} PROPERTIES DISABLED TRUE)
    else()
      set_property(TEST ${CMAKE_MATCH_1} APPEND PROPERTY ENVIRONMENT "GTEST_FILTER=-${CMAKE_MATCH_2}")
    endif()
  endforeach()
  get_property(all DIRECTORY PROPERTY TESTS)
  foreach(test IN LISTS all)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "SOQUETE_TEST_REFUSED=qemu has no io_uring")
  endforeach()
endfunction()
