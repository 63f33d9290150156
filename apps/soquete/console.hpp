// What is said to people, on standard error. Standard output is for data.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string_view>

#include "options.hpp"

namespace command {

/// Whole lines, from any thread.
class console {
 public:
  explicit console(const options& how);

  /// Is anybody there to read progress? A terminal, or -v; not with -q.
  bool is_told_progress() const noexcept { return tells_progress_; }
  bool is_verbose() const noexcept { return is_verbose_; }
  bool is_quiet() const noexcept { return is_quiet_; }

  /// Progress and reports.
  void say(std::string_view lines);
  /// A report of one connection. A terminal gets at most some a second.
  void report(std::string_view line);
  /// With -v only.
  void detail(std::string_view lines);
  /// What must be known, but with -q.
  void tell(std::string_view lines);
  /// Errors, always. The first line begins with the name of the program.
  void complain(std::string_view lines);
  /// A line of the trace.
  void trace(std::string_view line);

 private:
  void write(std::string_view prefix, std::string_view color, std::string_view lines);

  bool tells_progress_ = false;
  bool is_verbose_ = false;
  bool is_quiet_ = false;
  bool is_colored_ = false;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point second_{};
  unsigned reports_ = 0;
  unsigned unreported_ = 0;
};

}  // namespace command
