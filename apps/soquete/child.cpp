// Programs that are run as a peer.
#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <soquete/blocking.hpp>
#include <soquete/deadline.hpp>
#include <utility>

namespace command {
namespace {

using namespace soquete;
using namespace std::chrono_literals;

constexpr auto patience = 1s;  // Between the request to end and the end by force.

error system_error(int number) { return {std::error_code(number, std::generic_category()), step::open}; }

// Both ends of a pipe, closed unless they are taken.
struct pipe_ends {
  pipe_ends() = default;
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  ~pipe_ends() {
    for (const int end : both)
      if (end >= 0) ::close(end);
  }
  int take(std::size_t which) { return std::exchange(both[which], -1); }
  std::array<int, 2> both{-1, -1};
};

// What happens to descriptors and signals between the start of the process and that of the program.
class preparation {
 public:
  preparation() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  preparation(const preparation&) = delete;
  preparation& operator=(const preparation&) = delete;
  ~preparation() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  void give(int descriptor, int as) { posix_spawn_file_actions_adddup2(&actions_, descriptor, as); }
  // What we block and ignore is our affair.
  void make_signals_usual(bool in_own_group) {
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                              (in_own_group ? POSIX_SPAWN_SETPGROUP : 0)));
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  return pointers;
}

std::vector<char*> environment_with(const std::vector<std::string>& more) {
  std::vector<char*> all = pointers_to(more);
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view text(*one);
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool is_replaced = false;
    for (const std::string& ours : more) is_replaced = is_replaced || ours.starts_with(name);
    if (!is_replaced) all.push_back(*one);
  }
  all.push_back(nullptr);
  return all;
}

}  // namespace

std::error_code why_not_runnable(const std::string& program) {
  const auto check = [](const std::string& file) {
    return ::access(file.c_str(), X_OK) == 0 ? std::error_code()
                                             : std::error_code(errno, std::generic_category());
  };
  if (program.find('/') != program.npos) return check(program);
  const char* const path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "/bin:/usr/bin" : path;
  std::error_code why = std::make_error_code(std::errc::no_such_file_or_directory);
  for (;;) {
    const std::size_t colon = folders.find(':');
    const std::string_view folder = folders.substr(0, colon);
    const std::error_code here = check(std::string(folder.empty() ? "." : folder) + "/" + program);
    if (!here) return here;
    if (here == std::errc::permission_denied) why = here;
    if (colon == folders.npos) return why;
    folders.remove_prefix(colon + 1);
  }
}

result<child> child::start(loop& here, const child_plan& plan) {
  pipe_ends to_it;
  pipe_ends from_it;
  if (::pipe2(to_it.both.data(), O_CLOEXEC) != 0 || ::pipe2(from_it.both.data(), O_CLOEXEC) != 0)
    return fail(system_error(errno));
  preparation ready;
  ready.give(to_it.both[0], STDIN_FILENO);
  ready.give(from_it.both[1], STDOUT_FILENO);
  if (plan.takes_errors) ready.give(from_it.both[1], STDERR_FILENO);
  ready.make_signals_usual(plan.in_own_group);
  std::vector<char*> words = pointers_to(plan.program);
  words.push_back(nullptr);
  const std::vector<char*> variables = environment_with(plan.variables);

  child made;
  made.in_own_group_ = plan.in_own_group;
  auto input = descriptor::adopt(here, to_it.take(1));
  auto output = descriptor::adopt(here, from_it.take(0));
  if (!input) return fail(std::move(input.error()));
  if (!output) return fail(std::move(output.error()));
  if (const int cause = ::posix_spawnp(&made.pid_, words[0], ready.actions(), ready.attributes(),
                                       words.data(), variables.data());
      cause != 0)
    return fail(system_error(cause));
  made.input_ = std::move(*input);
  made.output_ = std::move(*output);
  if (const long process = ::syscall(SYS_pidfd_open, made.pid_, 0); process >= 0) {
    auto adopted = descriptor::adopt(here, static_cast<int>(process));
    if (adopted) made.process_ = std::move(*adopted);
  }
  return made;
}

task<result<void>> child::wait_for_end() {
  if (process_.is_open()) co_return co_await process_.readable();
  // Before Linux 5.3, or out of descriptors. The process stays a zombie, so that its number stays ours.
  auto waiting = [pid = pid_] {
    siginfo_t how{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &how, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
  };
  co_return co_await blocking(waiting);
}

task<result<void>> child::over() {
  if (status_) co_return {};
  co_await ok(wait_for_end());
  reap();
  co_return {};
}

void child::reap() {
  int how = 0;
  pid_t got = 0;
  do got = ::waitpid(pid_, &how, 0);
  while (got < 0 && errno == EINTR);
  child_status ended;
  if (got == pid_ && WIFEXITED(how)) ended.code = WEXITSTATUS(how);
  if (got == pid_ && WIFSIGNALED(how)) ended.signal = WTERMSIG(how);
  status_ = ended;
  process_.close();
}

void child::send_signal(int number) const noexcept { ::kill(in_own_group_ ? -pid_ : pid_, number); }

task<void> child::stop() {
  if (status_) co_return;
  input_.close();
  output_.close();
  send_signal(SIGTERM);
  const auto gone = co_await shield(patience, wait_for_end());
  if (!gone) {
    send_signal(SIGKILL);
    static_cast<void>(co_await shield(time_point::duration::max(), wait_for_end()));
  }
  reap();
}

}  // namespace command
