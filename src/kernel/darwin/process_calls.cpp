// Processes on macOS: watched by a kqueue, started without the descriptors of others.
#include "kernel/process_calls.hpp"

#include <crt_externs.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/event.h>
#include <unistd.h>
#include <cerrno>

namespace soquete::kernel {

// All is closed there that no action names. To close what is not open would be an error here.
const short spawn_flags = POSIX_SPAWN_CLOEXEC_DEFAULT;

int keep_only(posix_spawn_file_actions_t& actions, const std::vector<bool>& kept) {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (kept[static_cast<std::size_t>(stream)] || ::fcntl(stream, F_GETFD) < 0) continue;
    if (const int failed = posix_spawn_file_actions_addinherit_np(&actions, stream); failed != 0)
      return failed;
  }
  return 0;
}

char** environment() noexcept { return *::_NSGetEnviron(); }  // A shared library has no `environ`.

// A child that is ending cannot be watched any more (ESRCH), though its end cannot be waited for yet either:
// for that one there is no watch, and a thread waits.
int open_process_watch(pid_t child) noexcept {
  const int watch = ::kqueue();
  if (watch < 0) return watch;
  ::fcntl(watch, F_SETFD, FD_CLOEXEC);
  struct kevent change{};
  EV_SET(&change, static_cast<uintptr_t>(child), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  if (::kevent(watch, &change, 1, nullptr, 0, nullptr) == 0) return watch;
  const int why = errno;
  ::close(watch);
  errno = why;
  return -1;
}

int wait_for_process(pid_t child, int watch, siginfo_t& how, int flags) noexcept {
  // NOTE_EXIT comes a moment before the end can be waited for (XNU: proc_exit). The task has gone by then, so
  // that moment is short, and it is waited out: to ask again and again would be no better.
  pollfd one{watch, POLLIN, 0};
  if (watch >= 0 && ::poll(&one, 1, 0) > 0) flags &= ~WNOHANG;
  return ::waitid(P_PID, static_cast<id_t>(child), &how, flags);
}

int signal_child(pid_t child, int, bool leads_group, int signal) noexcept {
  if (::kill(leads_group ? -child : child, signal) == 0) return 0;
  // One that is ending is said not to be there, a group in which all have ended to be forbidden (XNU: kill,
  // killpg1). To a child of ours that is not reaped neither applies.
  const int why = errno;
  siginfo_t how{};
  const bool is_ours = ::waitid(P_PID, static_cast<id_t>(child), &how, WEXITED | WNOHANG | WNOWAIT) == 0;
  if (is_ours && (why == ESRCH || (why == EPERM && how.si_pid != 0))) return 0;
  errno = why;
  return -1;
}

}  // namespace soquete::kernel
