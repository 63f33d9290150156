// How a program ended.  waitid(2)
#pragma once

#include <string>

namespace soquete {

/// Its exit code, or the signal that ended it.
struct exit_status {
  int code = 0;              ///< What it gave to exit(), 0 to 255; 0 if a signal ended it.
  int signal = 0;            ///< The signal that ended it; 0: none.
  bool dumped_core = false;  ///< And left its memory for a debugger.  core(5)

  /// It exited with 0.
  bool is_success() const noexcept { return code == 0 && signal == 0; }
  /// As a shell tells it: 128 + signal.
  int as_in_shell() const noexcept { return signal != 0 ? 128 + signal : code; }
  friend bool operator==(const exit_status&, const exit_status&) = default;
};

/// "exited with 3", "killed by SIGTERM", "killed by SIGSEGV (core dumped)".
std::string to_string(const exit_status& how);

}  // namespace soquete
