// Programs that are run: started with their ends connected, waited for, stopped, reaped.  posix_spawn(3)
#pragma once

#include <concepts>
#include <optional>
#include <soquete/descriptor.hpp>
#include <soquete/exit_status.hpp>
#include <soquete/task.hpp>
#include <vector>

namespace soquete {

/// What a standard stream of a child leads to.
class child_stream {
 public:
  /// Where ours leads to.
  static constexpr child_stream inherit() noexcept { return {kind::inherited, -1}; }
  /// Nowhere: nothing is read, all is taken.  null(4)
  static constexpr child_stream null() noexcept { return {kind::null, -1}; }
  /// A pipe, of which child::input(), output() or errors() is our end.
  static constexpr child_stream pipe() noexcept { return {kind::pipe, -1}; }
  /// A socket likewise. Where input and output are both sockets, they are one and the same.  socketpair(2)
  static constexpr child_stream socket() noexcept { return {kind::socket, -1}; }
  /// A copy of this descriptor of ours, which stays ours: close it where the other end should see an end.
  static constexpr child_stream given(int number) noexcept { return {kind::given, number}; }
  /// The same of a descriptor of a loop.
  static child_stream given(const descriptor& ours) noexcept { return given(ours.number()); }
  /// For errors: where the child's output goes.
  static constexpr child_stream same_as_output() noexcept { return {kind::same_as_output, -1}; }

  /// Which of these.
  enum class kind : std::uint8_t { inherited, null, pipe, socket, given, same_as_output };
  constexpr kind what() const noexcept { return what_; }     ///< Which.
  constexpr int number() const noexcept { return number_; }  ///< Of what is given; else -1.

 private:
  constexpr child_stream(kind what, int number) noexcept : number_(number), what_(what) {}
  int number_;
  kind what_;
};

/// One more descriptor for a child: a copy of ours, with a number that it expects.
struct passed_descriptor {
  int ours = -1;    ///< Its number here.
  int theirs = -1;  ///< Its number there; one number once.
};

/// Whom a signal from the terminal, or child::kill(), reaches.
enum class child_group : std::uint8_t {
  ours,         ///< The child is one of us: Ctrl-C is for both.
  own,          ///< It and what it starts are a group: deaf to our terminal, killed together.  setpgid(2)
  own_session,  ///< Likewise, and without a terminal.  setsid(2)
};

/// How to run a program. What it points to is needed until start() returns.
struct child_options {
  child_stream input = child_stream::inherit();   ///< Its standard input.
  child_stream output = child_stream::inherit();  ///< Its standard output.
  child_stream errors = child_stream::inherit();  ///< Its standard error.
  /// "NAME=value"; "NAME" alone takes it away. The first of a name counts.
  std::span<const std::string> variables{};
  bool has_our_environment = true;  ///< `variables` come on top of it; false: they are all there is.
  /// Where it runs, and where a program such as "./x" is looked for; empty: where we are.
  std::string_view directory{};
  /// Besides the standard streams. All others are closed there, whoever has opened them.
  std::span<const passed_descriptor> descriptors{};
  child_group group = child_group::ours;  ///< Whom signals reach with it.
};

/// A program and its arguments: `{"sort", "-n"}`, or what a vector holds. Not a line for a shell.
class arguments {
 public:
  /// From words, the program first.
  template <std::convertible_to<std::string_view>... Words>
    requires(sizeof...(Words) != 0)
  arguments(const Words&... words) {
    words_.reserve(sizeof...(Words));
    (words_.emplace_back(std::string_view(words)), ...);
  }
  /// From a list, the program first.
  arguments(std::vector<std::string> words) noexcept : words_(std::move(words)) {}

  /// The program first.
  std::span<const std::string> words() const noexcept { return words_; }

 private:
  std::vector<std::string> words_;
};

namespace detail {

// Kills and reaps at its end what has not been reaped.
class running_process {
 public:
  running_process() = default;
  running_process(int pid, bool has_own_group) noexcept
      : pid_(pid), has_own_group_(has_own_group), is_reaped_(false) {}
  running_process(running_process&& other) noexcept { *this = std::move(other); }
  running_process& operator=(running_process&& other) noexcept;
  ~running_process();

  int pid() const noexcept { return pid_; }
  const std::optional<exit_status>& status() const noexcept { return status_; }
  void watch(descriptor process) noexcept { process_ = std::move(process); }
  task<result<void>> ended();
  result<bool> reap();
  result<void> send_signal(int number) const;

 private:
  int pid_ = -1;
  bool has_own_group_ = false;
  bool is_reaped_ = true;
  std::optional<exit_status> status_;
  descriptor process_;  // Readable once it has ended; not open where nothing tells of that.
};

}  // namespace detail

/// A running program. Move-only.
///
/// One that has not been waited for when its owner ends is killed (SIGKILL, with its group if it has one of
/// its own) and reaped, so that no process and no zombie is left. That blocks for as long as the system takes
/// to end it: a moment, at the most a second (then it stays a zombie until our end). terminate() is the
/// polite way, which blocks nobody. Nothing is global: no handler of SIGCHLD, no wait for other children.
///
/// Sending to a child that reads no more gives broken_pipe if SIGPIPE is ignored, else it ends us.
class child {
 public:
  child() = default;

  /// Starts it: looked for in our PATH, unless there is a slash in its name. It starts without our blocked
  /// and ignored signals, but for SIGHUP, SIGINT and SIGQUIT, which nohup(1) and shells ignore on purpose.
  ///
  /// Errors: no_such_file_or_directory, permission_denied, executable_format_error (of the program or
  /// `directory`), too_many_files_open, bad_file_descriptor (of `descriptors`), no_child_process where
  /// SIGCHLD is ignored.
  static result<child> start(loop& here, const arguments& what, const child_options& how = {});

  /// Our ends of its standard streams, open for pipes and sockets. input() and output() of one socket are
  /// one: finish() ends one direction, close() both.
  descriptor& input() noexcept { return input_; }
  descriptor& output() noexcept { return is_one_socket_ ? input_ : output_; }  ///< See input().
  descriptor& errors() noexcept { return errors_; }                            ///< See input().

  /// Waits for its end and tells how it came. Again later, it tells the same. One wait at a time. Bytes that
  /// it has written are still there afterwards; what it has started may live on and keep its output open.
  ///
  /// Cancelled, nothing is lost. Where nothing tells of its end (Linux before 5.3, some sandboxes) each wait
  /// takes a thread. Errors: operation_canceled, timed_out; no_child_process if somebody else has reaped it.
  /// waitid(2)
  task<result<exit_status>> wait();
  /// Asks it to end (SIGTERM), and after `grace` makes it (SIGKILL). Deaf to cancellation, so that it can be
  /// used on the way out.
  task<result<exit_status>> terminate(clock::duration grace);
  /// Sends a signal to it, or to its group if it has one of its own; never to another process that was given
  /// its number.  Errors: no_such_process once it has been waited for.  pidfd_send_signal(2), kill(2)
  result<void> kill(int signal);

  /// How it ended, once somebody has waited for that.
  const std::optional<exit_status>& status() const noexcept { return process_.status(); }
  /// Its number, which may be another process's once it has been waited for.
  int pid() const noexcept { return process_.pid(); }

 private:
  detail::running_process process_;
  descriptor input_;
  descriptor output_;
  descriptor errors_;
  bool is_one_socket_ = false;
};

/// What a program has said.
struct captured {
  std::string output{};  ///< On its standard output.
  std::string errors{};  ///< On its standard error.
  exit_status status{};  ///< How it ended.
};

/// Runs a program to its end: `input` goes in, what it writes comes back, at most `limit` bytes each of
/// output and errors. On any error the program is killed.
///
/// `how` connects what is not inherited there; its standard streams are ours.
/// Errors: as child::start(); no_buffer_space beyond the limit; operation_canceled, timed_out.
task<result<captured>> capture(arguments what, std::string_view input, std::size_t limit,
                               child_options how = {});

}  // namespace soquete
