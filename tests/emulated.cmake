# Tests of another processor under qemu's user mode: how programs are started, and what is left out and why.

file(GLOB_RECURSE examples RELATIVE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/examples/*.cpp")
list(TRANSFORM examples REPLACE "\\.cpp$" "")
string(JOIN " " emulator ${CMAKE_CROSSCOMPILING_EMULATOR})
foreach(path IN LISTS examples ITEMS soquete)
  file(WRITE "${programs}/${path}" "#!/bin/sh\nexec ${emulator} '${PROJECT_BINARY_DIR}/${path}' \"$@\"\n")
  file(CHMOD "${programs}/${path}" PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()

# What is tested is compiled as usual; the tests themselves take longer to compile than to run.
add_compile_options(-O0)

# TEST|CASE|REASON: each has been seen to fail with qemu 7.2 for that reason, and nothing else is left out. `*`: all of
# a test.
set(not_emulated
  # "Unsupported setsockopt" and "getsockopt" of QEMU_LOG=unimp.
  "options|a_mark_has_32_bits|no SO_MARK"
  "options|the_bound_device_is_read_as_set|cannot read SO_BINDTODEVICE"
  "options|the_state_of_a_connection_is_told|TCP_INFO is cut to four bytes"
  "tcp_connect|the_loopback_interface_reaches_the_loopback|cannot read SO_BINDTODEVICE"
  "udp_ancillary|a_room_that_is_used_again_tells_nothing_of_the_datagram_before|no SO_TIMESTAMPNS"
  "udp_ancillary|times_are_those_of_now_and_go_forward|no SO_TIMESTAMPNS"
  "udp_ancillary|datagrams_that_a_full_buffer_lost_are_counted_exactly|no SO_RXQ_OVFL"
  "udp_error|the_path_mtu_of_nobody_is_not_known|no IP_MTU"
  "udp_error|on_a_narrow_path_the_mode_says_what_becomes_of_long_ones|no IP_MTU"
  "udp_group|*|no IP_MULTICAST_IF, MCAST_JOIN_GROUP, IPV6_MULTICAST_IF"
  # vfork(2) is a fork there, so that posix_spawn(3) does not learn from the child why it cannot run a program.
  "child|what_cannot_be_run_is_an_error_that_names_it|vfork is a fork"
  "child|what_is_no_program_is_not_given_to_a_shell|vfork is a fork"
  "child|it_runs_in_the_directory_that_is_asked_for|vfork is a fork"
  "child|one_that_says_too_much_or_for_too_long_is_killed|vfork is a fork"
  "child|its_signals_are_as_usual|the numbers of real-time signals are not those of the kernel"
  "child_end|without_pidfd_all_is_the_same|no seccomp(2)"
  "local_mode|*|no seccomp(2)"
  "seccomp|*|no seccomp(2)"
  # These have been seen by both compilers of this machine and would see the same again.
  "no_exceptions|*|all of the library once more"
  "package|*|what others are given, which is for this machine"
  "reference|*|text"
  "reference_refuses|*|text"
  "tidy|*|text, and each header alone"
  # Minutes of computing in memory, the same on each machine; "sim" pins a history and is run here too.
  "address_oracle|*|computing"
  "random_local_programs|*|computing"
  "random_programs|*|computing"
  "sim_await|*|computing"
  "sim_capture|*|computing"
  "sim_datagram|*|computing"
  "sim_examples|*|computing"
  "sim_group|*|computing"
  "sim_handle|*|computing"
  "sim_local|*|computing"
  "sim_name|*|computing"
  "sim_picture|*|computing"
  "sim_search|*|computing"
  "sim_seeds|*|computing"
  "sim_serve|*|computing"
  "sim_stream|*|computing"
  "sim_tutorial|*|computing"
  "torture|*|computing"
  "town|*|computing"
)

function(leave_out_what_is_not_emulated)
  set_target_properties(soquete_without_exceptions PROPERTIES EXCLUDE_FROM_ALL TRUE)
  set(filtered "")
  foreach(entry IN LISTS not_emulated)
    string(REGEX MATCH "^([^|]*)\\|([^|]*)\\|" matched "${entry}")
    set(test "${CMAKE_MATCH_1}")
    set(case "${CMAKE_MATCH_2}")
    if(case STREQUAL "*")
      set_tests_properties(${test} PROPERTIES DISABLED TRUE)
      if(TARGET ${test}_test)
        set_target_properties(${test}_test PROPERTIES EXCLUDE_FROM_ALL TRUE)
      endif()
      continue()
    endif()
    file(STRINGS ${test}_test.cpp there REGEX "${case}\\)" LIMIT_COUNT 1)
    if(NOT there)
      message(FATAL_ERROR "tests/emulated.cmake leaves out a case that there is not: ${test} ${case}")
    endif()
    list(APPEND filtered ${test})
    string(APPEND filter_of_${test} ":*.${case}*")
  endforeach()
  list(REMOVE_DUPLICATES filtered)
  foreach(test IN LISTS filtered)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "GTEST_FILTER=-${filter_of_${test}}")
  endforeach()
  get_property(all DIRECTORY PROPERTY TESTS)
  foreach(test IN LISTS all)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "SOQUETE_TEST_REFUSED=qemu has no io_uring")
  endforeach()
endfunction()
