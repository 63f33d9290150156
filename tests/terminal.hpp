// A command in a terminal of its own, as a person would run it.  pty(7), setsid(2)
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process.hpp"

namespace soquete::test {

/// Runs one command line after the other, each by a shell. Nothing that is typed is echoed. What still runs
/// at the end is killed.
class terminal {
 public:
  /// `variables`: names and values, beside our own. `folder`: where commands run.
  terminal(std::vector<std::pair<std::string, std::string>> variables, std::string folder)
      : variables_(std::move(variables)), folder_(std::move(folder)) {}
  terminal(const terminal&) = delete;
  ~terminal() { stop(); }

  /// Starts a command; the one before has ended.
  void run(const std::string& command);
  /// What a person types: a line, or a control character.
  void type(std::string_view text);
  bool is_running() const noexcept { return pid_ > 0; }

  /// Reads until that; false when it cannot come any more, or not in time.
  bool until(const std::function<bool()>& is_there, std::chrono::milliseconds limit = patience);
  /// Reads to the end of the command, whose status "$?" is for the next one; false if it does not end.
  bool wait(std::chrono::milliseconds limit = patience);
  /// Reads what comes within that time; false when the command has ended.
  bool until_more(std::chrono::milliseconds limit) {
    read(limit);
    return screen_.is_open();
  }
  /// Reads until nothing has come for that long, or the command has ended.
  void until_quiet(std::chrono::milliseconds span);
  void stop();

  std::string output;  ///< Of the command that runs, or ran last.

 private:
  // False: nothing came for that long, or nothing can come any more.
  bool read(std::chrono::milliseconds limit);
  void reap();

  std::vector<std::pair<std::string, std::string>> variables_;
  std::string folder_;
  handle screen_;
  pid_t pid_ = -1;
  int status_ = 0;
};

}  // namespace soquete::test
