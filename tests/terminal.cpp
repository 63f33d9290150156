// A command in a terminal of its own.
#include "terminal.hpp"

#include <sys/ioctl.h>
#include <termios.h>

namespace soquete::test {
namespace {

// A pair: what the person sees, and what the program has. Bytes pass as they are.
std::pair<handle, handle> open_terminal() {
  handle screen(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!screen.is_open() || ::grantpt(screen.number()) != 0 || ::unlockpt(screen.number()) != 0) std::abort();
  handle inner(::open(::ptsname(screen.number()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios how{};
  if (!inner.is_open() || ::tcgetattr(inner.number(), &how) != 0) std::abort();
  how.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  how.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(inner.number(), TCSANOW, &how);
  return {std::move(screen), std::move(inner)};
}

}  // namespace

void terminal::run(const std::string& command) {
  stop();
  output.clear();
  auto [screen, inner] = open_terminal();
  const std::string line = "(exit " + std::to_string(status_) + "); " + command;
  pid_ = ::fork();
  if (pid_ < 0) std::abort();
  if (pid_ == 0) {
    ::setsid();
    ::ioctl(inner.number(), TIOCSCTTY, 0);
    for (int standard = 0; standard < 3; ++standard) ::dup2(inner.number(), standard);
    for (const auto& [name, value] : variables_) ::setenv(name.c_str(), value.c_str(), 1);
    if (::chdir(folder_.c_str()) == 0) ::execlp("bash", "bash", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  screen_ = std::move(screen);
}

void terminal::type(std::string_view text) {
  if (::write(screen_.number(), text.data(), text.size()) < 0) screen_.close();
}

bool terminal::read(std::chrono::milliseconds limit) {
  if (!screen_.is_open()) return false;
  pollfd one{screen_.number(), POLLIN, 0};
  if (::poll(&one, 1, static_cast<int>(limit.count())) <= 0) return false;
  std::array<char, 65536> piece;
  const ssize_t got = ::read(screen_.number(), piece.data(), piece.size());
  if (got > 0) {
    output.append(piece.data(), static_cast<std::size_t>(got));
    return true;
  }
  // EIO: the last program that had the terminal has gone.
  screen_.close();
  return false;
}

bool terminal::until(const std::function<bool()>& is_there, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!is_there()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end || !screen_.is_open()) return false;
    read(std::chrono::ceil<std::chrono::milliseconds>(end - now));
  }
  return true;
}

bool terminal::wait(std::chrono::milliseconds limit) {
  until([&] { return !screen_.is_open(); }, limit);
  if (screen_.is_open()) return false;
  reap();
  return true;
}

void terminal::until_quiet(std::chrono::milliseconds span) {
  while (read(span)) {}
}

void terminal::reap() {
  if (pid_ <= 0) return;
  int how = 0;
  ::waitpid(std::exchange(pid_, -1), &how, 0);
  status_ = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

void terminal::stop() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
  reap();
  screen_.close();
}

}  // namespace soquete::test
