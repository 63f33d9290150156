# The test "no_exceptions": all sources of the library again, without exceptions and run-time types, and a
# program without them. Their promises keep their layout, so that a program may have exceptions and the library not.
get_target_property(sources soquete SOURCES)
list(TRANSFORM sources PREPEND "${PROJECT_SOURCE_DIR}/" REGEX "^[^/$]")
get_target_property(definitions soquete COMPILE_DEFINITIONS)
get_target_property(linked soquete LINK_LIBRARIES)

add_library(soquete_without_exceptions STATIC ${sources})
target_compile_features(soquete_without_exceptions PUBLIC cxx_std_23)
target_compile_options(soquete_without_exceptions PUBLIC -fno-exceptions -fno-rtti)
target_include_directories(soquete_without_exceptions
  PUBLIC "${PROJECT_SOURCE_DIR}/include" PRIVATE "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(soquete_without_exceptions PUBLIC ${linked})
if(definitions)
  target_compile_definitions(soquete_without_exceptions PRIVATE ${definitions})
endif()
if(SOQUETE_SANITIZE)  # Which class an object is of cannot be checked without run-time types.
  target_compile_options(soquete_without_exceptions PUBLIC -fno-sanitize=vptr)
endif()

add_executable(no_exceptions_test no_exceptions_test.cpp)
target_link_libraries(no_exceptions_test PRIVATE soquete_without_exceptions GTest::gtest_main)
add_test(NAME no_exceptions COMMAND no_exceptions_test)
set_tests_properties(no_exceptions PROPERTIES TIMEOUT 300)
