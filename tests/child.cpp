// Parts of tests that need a process of their own.
#include "child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace soquete::test {
namespace {

constexpr std::chrono::seconds longest{240};

// Reads to the end; false when that does not come in time.
bool read_all(int from, std::string& into) {
  const auto end = std::chrono::steady_clock::now() + longest;
  std::array<char, 4096> room;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd one{from, POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(left)) < 0 && errno != EINTR) return false;
    if (one.revents == 0) continue;
    const ssize_t got = ::read(from, room.data(), room.size());
    if (got == 0) return true;
    if (got > 0) into.append(room.data(), static_cast<std::size_t>(got));
  }
}

[[noreturn]] void run_child(const std::function<int()>& body, int output) {
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close(output);
  const int code = body();
  std::fflush(nullptr);
  std::_Exit(testing::Test::HasFailure() ? 99 : code);
}

}  // namespace

child_ending in_a_child(const std::function<int()>& body, const std::function<void(int)>& meanwhile) {
  std::fflush(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) run_child(body, ends[1]);
  ::close(ends[1]);
  child_ending how;
  if (meanwhile) meanwhile(child);
  if (!read_all(ends[0], how.output)) {
    how.output += "\n(it took too long)\n";
    ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status)) how.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) how.signal = WTERMSIG(status);
  return how;
}

child_ending run_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  return in_a_child([&] {
    ::execv(arguments[0], arguments.data());
    return 127;
  });
}

void become_another_user() {
  constexpr unsigned nobody = 65'534;
  if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) std::abort();
}

std::string folder_of_tests() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) std::abort();
  const std::string whole(path.data(), static_cast<std::size_t>(size));
  return whole.substr(0, whole.find_last_of('/'));
}

}  // namespace soquete::test
