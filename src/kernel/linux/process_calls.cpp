// Processes on Linux: watched by a pidfd, started without the descriptors of others.
#include "kernel/process_calls.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>

namespace soquete::kernel {
namespace {

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
int close_from(posix_spawn_file_actions_t& actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(&actions, first);
}
#else
// Other C libraries can close in the new process only what is named to them, so we name what is open now.
// What another thread opens without O_CLOEXEC at this very moment is missed.
int close_if_passed_on(posix_spawn_file_actions_t& actions, int number) {
  const int flags = ::fcntl(number, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0) return 0;
  return posix_spawn_file_actions_addclose(&actions, number);
}

int close_from(posix_spawn_file_actions_t& actions, int first) {
  const std::unique_ptr<DIR, decltype(&::closedir)> all(::opendir("/proc/self/fd"), &::closedir);
  if (!all) {  // A root without /proc: a million is as many as the system allows unless told otherwise.
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    const int end = static_cast<int>(std::min<rlim_t>(most.rlim_cur, 1 << 20));
    for (int number = first; number < end; ++number)
      if (const int failed = close_if_passed_on(actions, number); failed != 0) return failed;
    return 0;
  }
  while (const dirent* const one = ::readdir(all.get())) {
    const std::string_view name = one->d_name;
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number < first) continue;
    if (const int failed = close_if_passed_on(actions, number); failed != 0) return failed;
  }
  return 0;
}
#endif

}  // namespace

const short spawn_flags = 0;

int keep_only(posix_spawn_file_actions_t& actions, const std::vector<bool>& kept) {
  const int end = static_cast<int>(kept.size());
  for (int number = STDERR_FILENO + 1; number < end; ++number) {
    if (kept[static_cast<std::size_t>(number)]) continue;
    // One that is not open is no error.
    if (const int failed = posix_spawn_file_actions_addclose(&actions, number); failed != 0) return failed;
  }
  return close_from(actions, end);
}

char** environment() noexcept { return environ; }

// Until it is reaped, its number is nobody else's: no race.
int open_process_watch(pid_t child) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, child, 0));  // Linux 5.3; close-on-exec by itself.
}

int wait_for_process(pid_t child, int watch, siginfo_t& how, int flags) noexcept {
  if (watch >= 0) {  // P_PIDFD: Linux 5.4.
    const int got = ::waitid(P_PIDFD, static_cast<id_t>(watch), &how, flags);
    if (got == 0 || errno != EINVAL) return got;
  }
  return ::waitid(P_PID, static_cast<id_t>(child), &how, flags);
}

int signal_child(pid_t child, int watch, bool leads_group, int signal) noexcept {
  if (leads_group) return ::kill(-child, signal);
  if (watch >= 0) {
    const auto done = ::syscall(SYS_pidfd_send_signal, watch, signal, nullptr, 0);
    if (done == 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(done);
  }
  // It is not reaped, so the number is its own.
  return ::kill(child, signal);
}

}  // namespace soquete::kernel
