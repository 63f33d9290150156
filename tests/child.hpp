// Parts of tests that need a process of their own: limits, namespaces, signals, ends.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace soquete::test {

/// How a child process ended, and what it wrote to standard output and standard error.
struct child_ending {
  int exit_code = -1;  ///< -1: it was killed.
  int signal = 0;      ///< That killed it; SIGKILL also when it took too long.
  std::string output;
};

/// Runs `body` in a child, which ends with what it gives, or with 99 if an EXPECT has failed there.
/// `meanwhile` runs here with the child's number, while it runs.
child_ending in_a_child(const std::function<int()>& body, const std::function<void(int)>& meanwhile = {});

/// Runs a program with these arguments, likewise.
child_ending run_program(const std::vector<std::string>& words);

/// Gives this process, which is root's, to a user and a group without rights, for good.
void become_another_user();

/// The folder of the running test program: others stand beside it.
std::string folder_of_tests();

/// Skips on this code: the child says in its output what it lacks.
constexpr int lacks_permission = 77;

}  // namespace soquete::test
