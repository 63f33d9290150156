// Tests of programs: a process with its pipes, and plain sockets to talk to it. Everything has a deadline.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace soquete::test {

/// For what is sure to happen, on a machine that is busy with sanitizers and other tests.
constexpr std::chrono::seconds patience{60};

/// Owns a descriptor.
class handle {
 public:
  explicit handle(int number = -1) noexcept : number_(number) {}
  handle(handle&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  handle& operator=(handle&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~handle() { close(); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  int number() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

/// Both ends, for this process only.
inline std::array<handle, 2> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return {handle(ends[0]), handle(ends[1])};
}

/// How to start a program.
struct start_options {
  std::vector<std::string> variables{};  ///< "NAME=value", beside our own.
  std::string input{};                   ///< Written to its standard input, which is then closed,
  bool keeps_input_open = false;         ///< unless this says otherwise.
  std::vector<int> passed{};             ///< Ours, which have numbers from this on there:
  int first_passed = 3;                  ///< 4, so that it may still tell on 3 that it is ready.
};

/// A running program: standard input, output and error are pipes, and descriptor 3 is one that it may be told
/// to be ready on. It is killed and reaped at the end, by its number.
class process {
 public:
  explicit process(const std::vector<std::string>& words, start_options how = {})
      : pending_(std::move(how.input)), keeps_input_(how.keeps_input_open) {
    auto in = make_pipe();
    auto out = make_pipe();
    auto err = make_pipe();
    auto ready = make_pipe();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    // Their numbers are above 3 but for ones that a test has left open: keep clear of the targets.
    std::vector<int> ends{in[0].number(), out[1].number(), err[1].number()};
    if (how.passed.empty() || how.first_passed != 3) ends.push_back(ready[1].number());
    ends.insert(ends.end(), how.passed.begin(), how.passed.end());
    std::vector<handle> theirs(ends.size());
    for (std::size_t i = 0; i < ends.size(); ++i) {
      theirs[i] = handle(::fcntl(ends[i], F_DUPFD_CLOEXEC, 20));
      posix_spawn_file_actions_adddup2(&actions, theirs[i].number(), static_cast<int>(i));
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t usual;
    sigemptyset(&usual);
    posix_spawnattr_setsigmask(&attributes, &usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    // Tests expect English, whatever their user speaks. Each name stands once: programs that see two take the
    // first or, as shells do, the last.
    std::vector<std::string> ours = std::move(how.variables);
    if (std::ranges::none_of(ours, [](const std::string& one) { return one.starts_with("LC_ALL="); }))
      ours.push_back("LC_ALL=C");
    std::vector<char*> variables;
    for (std::string& one : ours) variables.push_back(one.data());
    for (char** one = environ; *one != nullptr; ++one) {
      const std::string_view name = std::string_view(*one).substr(0, std::string_view(*one).find('=') + 1);
      if (std::ranges::none_of(ours, [name](const std::string& mine) { return mine.starts_with(name); }))
        variables.push_back(*one);
    }
    variables.push_back(nullptr);
    if (::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), variables.data()) != 0)
      pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (pid_ > 0) end_ = handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    in_ = std::move(in[1]);
    out_ = std::move(out[0]);
    err_ = std::move(err[0]);
    ready_ = std::move(ready[0]);
    ::fcntl(in_.number(), F_SETFL, O_NONBLOCK);
    // What fits into the pipe is there at once, also for tests that then look elsewhere.
    give();
  }
  process(process&&) = delete;
  ~process() {
    if (pid_ <= 0 || reaped_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  bool has_started() const noexcept { return pid_ > 0; }
  pid_t pid() const noexcept { return pid_; }
  void send_signal(int number) const noexcept { ::kill(pid_, number); }

  void write(std::string_view more) {
    pending_ += more;
    give();
  }
  /// Closes standard input once all has been written.
  void finish_input() {
    keeps_input_ = false;
    if (pending_.empty()) in_.close();
  }
  /// Whoever reads its output has gone.
  void close_output() { out_.close(); }

  /// Moves bytes until `is_there()`; false at the deadline, or when nothing more can come.
  bool until(const std::function<bool()>& is_there, std::chrono::milliseconds limit = patience) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!is_there()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      // Not all that is waited for shows at a descriptor.
      const int step = static_cast<int>(std::min<std::int64_t>(left.count(), 100));
      if (left.count() <= 0 || !turn(step)) return is_there();
    }
    return true;
  }
  bool until_output(std::string_view part) {
    return until([&] { return output.find(part) != output.npos; });
  }
  /// Has it closed its standard output?
  bool until_end_of_output() {
    return until([&] { return !out_.is_open(); });
  }
  bool until_errors(std::string_view part) {
    return until([&] { return errors.find(part) != errors.npos; });
  }
  /// What it has told on descriptor 3, once it has closed that.
  const std::string& ready() {
    until([&] { return !ready_.is_open(); });
    return told_;
  }
  /// The port at the end of that.
  std::uint16_t port() {
    const std::string& text = ready();
    const auto colon = text.rfind(':');
    return colon == text.npos ? 0 : static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1));
  }

  /// Waits for its end and gives its status as a shell does: 128 + N for signal N; -1 at the deadline.
  int wait(std::chrono::milliseconds limit = patience) {
    if (pid_ <= 0) return -1;
    until([&] { return has_ended_ && !out_.is_open() && !err_.is_open(); }, limit);
    if (!has_ended_) return -1;
    int how = 0;
    if (!reaped_) ::waitpid(pid_, &how, 0);
    reaped_ = true;
    return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
  }
  bool is_running() {
    until([&] { return has_ended_; }, std::chrono::milliseconds(1));
    return !has_ended_;
  }

  std::string output;
  std::string errors;

 private:
  bool turn(int limit) {
    std::array<pollfd, 5> all{{{out_.number(), POLLIN, 0},
                               {err_.number(), POLLIN, 0},
                               {ready_.number(), POLLIN, 0},
                               {pending_.empty() ? -1 : in_.number(), POLLOUT, 0},
                               {has_ended_ ? -1 : end_.number(), POLLIN, 0}}};
    if (std::ranges::all_of(all, [](const pollfd& one) { return one.fd < 0; })) return false;
    if (::poll(all.data(), all.size(), limit) < 0) return errno == EINTR;
    if (all[0].revents != 0) take(out_, output);
    if (all[1].revents != 0) take(err_, errors);
    if (all[2].revents != 0) take(ready_, told_);
    if (all[3].revents != 0) give();
    if (all[4].revents != 0) has_ended_ = true;
    return true;
  }
  static void take(handle& from, std::string& into) {
    std::array<char, 65536> piece;
    const ssize_t got = ::read(from.number(), piece.data(), piece.size());
    if (got > 0)
      into.append(piece.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
      from.close();
  }
  void give() {
    if (!in_.is_open()) return;
    // It may have closed its input; that is its right, and no reason for us to end.
    std::signal(SIGPIPE, SIG_IGN);
    const ssize_t gone = pending_.empty() ? 0 : ::write(in_.number(), pending_.data(), pending_.size());
    if (gone < 0 && errno != EAGAIN && errno != EINTR) pending_.clear();
    if (gone > 0) pending_.erase(0, static_cast<std::size_t>(gone));
    if (pending_.empty() && !keeps_input_) in_.close();
  }

  pid_t pid_ = -1;
  bool reaped_ = false;
  bool has_ended_ = false;
  std::string pending_;
  bool keeps_input_;
  handle in_;
  handle out_;
  handle err_;
  handle ready_;
  handle end_;
  std::string told_;
};

/// A plain TCP socket on 127.0.0.1 that waits, but not for ever.
class wire {
 public:
  explicit wire(int number = -1) : socket_(number) {
    const timeval limit{patience.count(), 0};
    ::setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  /// On any port.
  static wire listening() {
    wire made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in at = loopback(0);
    if (::bind(made.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) std::abort();
    if (::listen(made.number(), 128) != 0) std::abort();
    return made;
  }
  static wire connected(std::uint16_t port) {
    wire made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to = loopback(port);
    if (::connect(made.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      made.socket_.close();
    return made;
  }
  wire accept() const {
    pollfd one{number(), POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0) return wire();
    return wire(::accept4(number(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  std::uint16_t port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(number(), reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }

  bool is_open() const noexcept { return socket_.is_open(); }
  int number() const noexcept { return socket_.number(); }
  bool send(std::string_view data) const {
    while (!data.empty()) {
      const ssize_t gone = ::send(number(), data.data(), data.size(), MSG_NOSIGNAL);
      if (gone <= 0) return false;
      data.remove_prefix(static_cast<std::size_t>(gone));
    }
    return true;
  }
  /// To the end of the stream, or `size` bytes; errno is 0 if that came, else why not.
  std::string receive(std::size_t size = SIZE_MAX) const {
    std::string all;
    std::array<char, 65536> piece;
    while (all.size() < size) {
      const ssize_t got = ::recv(number(), piece.data(), std::min(piece.size(), size - all.size()), 0);
      if (got < 0) return all;
      if (got == 0) break;
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
    errno = 0;
    return all;
  }
  /// Does nothing come for that long, not even an end?
  bool is_silent(std::chrono::milliseconds span) const {
    pollfd one{number(), POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(span.count())) == 0;
  }
  void finish() const { ::shutdown(number(), SHUT_WR); }
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_.close();
  }
  void close() { socket_.close(); }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  handle socket_;
};

/// The command under test, with these arguments.
inline std::vector<std::string> soquete_with(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{SOQUETE_COMMAND};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

/// "tcp://127.0.0.1:PORT"
inline std::string at_port(std::uint16_t port) { return "tcp://127.0.0.1:" + std::to_string(port); }

/// So many bytes, none like its neighbours.
inline std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint64_t state = 88172645463325252ULL;
  for (char& c : text) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    c = static_cast<char>(state);
  }
  return text;
}

}  // namespace soquete::test
