# The test "reference": Doxygen reads the public headers, and a name without a comment is an error; and its
# proof, "reference_refuses": with a header that has such a name the same run fails.
set(reference "mkdir -p \"$1\"; { cat docs/Doxyfile; echo \"OUTPUT_DIRECTORY = $1\"; echo \"$2\"; } | doxygen -")
function(add_reference_test name)
  add_test(NAME ${name} COMMAND sh -c "${reference}" reference "${PROJECT_BINARY_DIR}/${name}" ${ARGN}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()
add_reference_test(reference "")
add_reference_test(reference_refuses "INPUT = tests/data/unexplained.hpp")
set_tests_properties(reference_refuses PROPERTIES PASS_REGULAR_EXPRESSION "Member a .* of struct soquete::half is not documented")
