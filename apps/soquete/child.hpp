// Programs that are run as a peer: started, waited for, stopped, reaped.  posix_spawn(3), pidfd_open(2)
#pragma once

#include <optional>
#include <soquete/descriptor.hpp>
#include <string>
#include <vector>

namespace command {

/// How a program ended.
struct child_status {
  int code = 0;    ///< Its exit status.
  int signal = 0;  ///< Or the signal that ended it; 0: none.

  /// As a shell tells it: 128 + signal.
  int exit_code() const noexcept { return signal != 0 ? 128 + signal : code; }
};

/// What to run, and how.
struct child_plan {
  std::vector<std::string> program{};    ///< The program, found in PATH, and its arguments.
  std::vector<std::string> variables{};  ///< "NAME=value", in addition to our own environment.
  bool takes_errors = false;             ///< Its standard error goes where its output goes.
  bool in_own_group = false;             ///< Deaf to Ctrl-C at our terminal.
};

/// Can it be run? The cause if not: no_such_file_or_directory, permission_denied.
std::error_code why_not_runnable(const std::string& program);

/// A running program, with a pipe to its standard input and one from its output.
///
/// Await over() or stop() before it ends: nobody else reaps the process.
class child {
 public:
  /// Errors: no_such_file_or_directory, permission_denied, too_many_files_open.
  static soquete::result<child> start(soquete::loop& here, const child_plan& plan);

  soquete::descriptor& input() noexcept { return input_; }
  soquete::descriptor& output() noexcept { return output_; }

  /// Waits for its end.  Errors: operation_canceled, timed_out.
  soquete::task<soquete::result<void>> over();
  /// Asks it to end with SIGTERM, then after a second makes it; deaf to cancellation.
  soquete::task<void> stop();

  /// Once it has ended.
  const std::optional<child_status>& status() const noexcept { return status_; }
  int pid() const noexcept { return pid_; }

 private:
  soquete::task<soquete::result<void>> wait_for_end();
  void reap();
  void send_signal(int number) const noexcept;

  int pid_ = -1;
  bool in_own_group_ = false;
  std::optional<child_status> status_;
  soquete::descriptor process_;  // A pidfd; not open where the system has none.
  soquete::descriptor input_;
  soquete::descriptor output_;
};

}  // namespace command
