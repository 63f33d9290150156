// What is said to people, on standard error.
#include "console.hpp"

#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "locale.hpp"

namespace command {
namespace {

constexpr unsigned reports_a_second = 20;
constexpr std::string_view dim = "\033[2m";
constexpr std::string_view red = "\033[1;31m";
constexpr std::string_view plain = "\033[0m";

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// NO_COLOR, CLICOLOR_FORCE, TERM=dumb: no-color.org, bixense.com/clicolors
bool wants_color(colors wanted, bool is_terminal) {
  if (wanted != colors::automatic) return wanted == colors::always;
  if (is_set("NO_COLOR")) return false;
  if (is_set("CLICOLOR_FORCE")) return true;
  const char* const terminal = std::getenv("TERM");
  return is_terminal && terminal != nullptr && std::string_view(terminal) != "dumb";
}

}  // namespace

console::console(const options& how) : is_verbose_(how.verbose), is_quiet_(how.quiet) {
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  tells_progress_ = (is_terminal || how.verbose) && !how.quiet;
  is_colored_ = wants_color(how.color, is_terminal);
}

void console::say(std::string_view lines) {
  if (tells_progress_) write("soquete: ", {}, lines);
}

void console::report(std::string_view line) {
  if (!tells_progress_) return;
  std::string more;
  {
    std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      reports_ = 0;
    }
    if (++reports_ > reports_a_second && !is_verbose_) {
      ++unreported_;
      return;
    }
    if (const unsigned n = std::exchange(unreported_, 0); n != 0)
      more = _n("({} more ended; -v shows all)", "({} more ended; -v shows all)", n, n) + "\n";
  }
  write("", dim, more + std::string(line));
}

void console::detail(std::string_view lines) {
  if (is_verbose_) write("soquete: ", {}, lines);
}

void console::tell(std::string_view lines) {
  if (!is_quiet_) write("soquete: ", {}, lines);
}

void console::complain(std::string_view lines) { write("soquete: ", red, lines); }

void console::trace(std::string_view line) { write("", dim, line); }

void console::write(std::string_view prefix, std::string_view color, std::string_view lines) {
  const bool colored = is_colored_ && !color.empty();
  // Of an error only the name of the program is red; a report is dim as a whole.
  const bool whole = prefix.empty();
  std::string text;
  if (colored) text.append(color);
  text.append(prefix);
  if (colored && !whole) text.append(plain);
  text.append(lines);
  if (colored && whole) text.append(plain);
  text += '\n';
  std::lock_guard lock(mutex_);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // Nobody is there to be told.
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace command
