// What of processes differs from one system to the next: linux/ and darwin/.  pidfd_open(2), kqueue(2)
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <csignal>
#include <vector>

namespace soquete::kernel {

/// More flags for each start.  posix_spawnattr_setflags(3)
extern const short spawn_flags;
/// Lets the new process keep only those descriptors whose number is true here, besides the standard streams;
/// all above the last one are closed. Gives an errno or 0.
int keep_only(posix_spawn_file_actions_t& actions, const std::vector<bool>& kept);
/// Our variables, each "NAME=value", then null.  environ(7)
char** environment() noexcept;

/// A descriptor that is readable once this child has ended, or -1.
int open_process_watch(pid_t child) noexcept;
/// waitid(2) for a child with its watch, which may be -1.
int wait_for_process(pid_t child, int watch, siginfo_t& how, int flags) noexcept;
/// Sends a signal to a child that nobody has reaped, or to its group, which it leads; one that has ended
/// already is no error.  pidfd_send_signal(2), kill(2)
int signal_child(pid_t child, int watch, bool leads_group, int signal) noexcept;

}  // namespace soquete::kernel
