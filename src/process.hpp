// Processes as the system has them: started, signalled, reaped.  posix_spawn(3), pidfd_open(2), waitid(2)
#pragma once

#include <chrono>
#include <optional>
#include <soquete/exit_status.hpp>
#include <soquete/owned_descriptor.hpp>
#include <span>
#include <string>

namespace soquete {

/// What to run, and how.
struct process_plan {
  /// A descriptor of ours, and the number that it has there.
  struct passed {
    int ours;
    int theirs;
  };
  std::span<const std::string> words{};  ///< The program, looked for in PATH, and its arguments; not empty.
  std::span<const std::string> variables{};  ///< "NAME=value", or "NAME" to take it away.
  bool is_environment_ours = true;           ///< `variables` are in addition to our own.
  std::string directory{};                   ///< Empty: ours.
  std::span<const passed> descriptors{};     ///< All others above 2 are closed there.
  bool has_own_group = false;
  bool has_own_session = false;
};

/// A process of ours that nobody has reaped.
struct process_handle {
  int pid = -1;
  int watched = -1;  ///< A descriptor that is readable once it has ended; -1: there is none.
  bool has_own_group = false;
};

/// Nothing has been started if it fails, for whatever reason, also if the program cannot be run.
/// `watched`: readable once it has ended.
result<process_handle> start_process(const process_plan& plan, owned_descriptor& watched);
/// To its group, if it has one of its own.  Errors: no_such_process, invalid_argument.
result<void> signal_process(const process_handle& which, int signal);
/// Nothing while it runs; the second time there is nothing to reap.  Errors: no_child_process.
result<std::optional<exit_status>> reap_process(const process_handle& which);
/// Waits for its end on this thread, without reaping it.
void await_process(int pid) noexcept;
/// Kills it, if need be, and reaps it; gives up after `limit`.
void end_process(const process_handle& which, std::chrono::milliseconds limit) noexcept;

}  // namespace soquete
