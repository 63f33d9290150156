// Programs that are run.
#include <array>
#include <csignal>
#include <soquete/blocking.hpp>
#include <soquete/child.hpp>
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>

#include "descriptors.hpp"
#include "process.hpp"

namespace soquete {
namespace {

using namespace std::chrono_literals;

constexpr auto at_destruction = 1s;  // No time to wait longer; an ordinary process takes milliseconds.
constexpr auto after_kill = 10s;     // One that hangs in the kernel does not hang us.

constexpr int in = 0, out = 1, err = 2;

// The ends of the standard streams: theirs until the program has started, ours.
class connections {
 public:
  result<void> connect(const child_options& how) {
    is_one_socket_ = how.input.what() == child_stream::kind::socket && how.output.what() == how.input.what();
    if (auto done = connect(in, how.input); !done) return done;
    if (is_one_socket_) {
      passed.push_back({theirs_[in].descriptor(), out});
    } else if (auto done = connect(out, how.output); !done) {
      return done;
    }
    if (auto done = connect(err, how.errors); !done) return done;
    for (const passed_descriptor& one : how.descriptors) passed.push_back({one.ours, one.theirs});
    return {};
  }
  bool is_one_socket() const noexcept { return is_one_socket_; }
  owned_descriptor& ours(int which) { return ours_[static_cast<std::size_t>(which)]; }

  std::vector<process_plan::passed> passed;

 private:
  result<void> connect(int which, child_stream what) {
    owned_descriptor& theirs = theirs_[static_cast<std::size_t>(which)];
    switch (what.what()) {
      case child_stream::kind::inherited: return {};
      case child_stream::kind::given: passed.push_back({what.number(), which}); return {};
      case child_stream::kind::same_as_output: passed.push_back({number_of_output(), which}); return {};
      case child_stream::kind::null: {
        auto null = open_null();
        if (!null) return fail(std::move(null.error()));
        theirs = std::move(*null);
        break;
      }
      default: {
        auto both = what.what() == child_stream::kind::socket ? make_socket_pair() : make_pipe();
        if (!both) return fail(std::move(both.error()));
        theirs = std::move(which == in ? both->reading : both->writing);
        ours(which) = std::move(which == in ? both->writing : both->reading);
      }
    }
    passed.push_back({theirs.descriptor(), which});
    return {};
  }
  // Of what has been connected before, else it is our own.
  int number_of_output() const {
    for (const auto& one : passed)
      if (one.theirs == out) return one.ours;
    return out;
  }

  std::array<owned_descriptor, 3> theirs_;
  std::array<owned_descriptor, 3> ours_;
  bool is_one_socket_ = false;
};

result<void> adopt_into(descriptor& into, loop& here, owned_descriptor& ours) {
  if (!ours.is_open()) return {};
  auto made = descriptor::adopt(here, std::move(ours));
  if (!made) return fail(std::move(made.error()));
  into = std::move(*made);
  return {};
}

}  // namespace

namespace detail {

running_process& running_process::operator=(running_process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(has_own_group_, other.has_own_group_);
  std::swap(is_reaped_, other.is_reaped_);
  std::swap(status_, other.status_);
  std::swap(process_, other.process_);
  return *this;
}

running_process::~running_process() {
  if (is_reaped_) return;
  end_process({pid_, process_.is_open() ? process_.number() : -1, has_own_group_}, at_destruction);
}

task<result<void>> running_process::ended() {
  if (process_.is_open()) co_return co_await process_.readable();
  // It stays a zombie, so that its number stays ours.
  auto waiting = [pid = pid_] { await_process(pid); };
  co_return co_await blocking(waiting);
}

result<bool> running_process::reap() {
  if (is_reaped_ && !status_) return fail(std::errc::no_child_process, step::wait);
  if (is_reaped_) return true;
  auto got = reap_process({pid_, process_.is_open() ? process_.number() : -1, has_own_group_});
  if (got && !*got) return false;
  is_reaped_ = true;
  process_.close();
  if (!got) return fail(std::move(got.error()));
  status_ = **got;
  return true;
}

result<void> running_process::send_signal(int number) const {
  if (is_reaped_) return fail(std::errc::no_such_process, step::run);
  return signal_process({pid_, process_.is_open() ? process_.number() : -1, has_own_group_}, number);
}

}  // namespace detail

result<child> child::start(loop& here, const arguments& what, const child_options& how) {
  connections ends;
  if (auto done = ends.connect(how); !done) return fail(std::move(done.error()));
  child made;
  made.is_one_socket_ = ends.is_one_socket();
  if (auto done = adopt_into(made.input_, here, ends.ours(in)); !done) return fail(std::move(done.error()));
  if (auto done = adopt_into(made.output_, here, ends.ours(out)); !done) return fail(std::move(done.error()));
  if (auto done = adopt_into(made.errors_, here, ends.ours(err)); !done) return fail(std::move(done.error()));

  owned_descriptor watched;
  const auto process = start_process({.words = what.words(),
                                      .variables = how.variables,
                                      .is_environment_ours = how.has_our_environment,
                                      .directory = std::string(how.directory),
                                      .descriptors = ends.passed,
                                      .has_own_group = how.group == child_group::own,
                                      .has_own_session = how.group == child_group::own_session},
                                     watched);
  if (!process) return fail(process.error());
  made.process_ = detail::running_process(process->pid, process->has_own_group);
  descriptor watch;
  if (auto done = adopt_into(watch, here, watched); !done) return fail(std::move(done.error()));
  made.process_.watch(std::move(watch));
  return made;
}

task<result<exit_status>> child::wait() {
  for (;;) {
    const auto is_over = process_.reap();
    if (!is_over) co_return fail(is_over.error());
    if (*is_over) co_return *process_.status();
    co_await ok(process_.ended());
  }
}

task<result<exit_status>> child::terminate(clock::duration grace) {
  if (auto told = kill(SIGTERM); !told && told.error() != std::errc::no_such_process)
    co_return fail(std::move(told.error()));
  auto ended = co_await shield(grace, wait());
  if (ended || ended.error() != std::errc::timed_out) co_return ended;
  if (auto told = kill(SIGKILL); !told) co_return fail(std::move(told.error()));
  co_return co_await shield(after_kill, wait());
}

result<void> child::kill(int signal) { return process_.send_signal(signal); }

namespace {

// It need not read all that there is.
task<result<void>> feed(descriptor& to, std::string_view text) {
  auto sent = co_await to.send(text);
  if (!sent && sent.error() != std::errc::broken_pipe) co_return sent;
  co_return to.finish();
}

task<result<void>> collect(descriptor& from, std::string& into, std::size_t limit) {
  for (;;) {
    const lease more = co_await ok(from.receive());
    if (more.empty()) co_return {};
    if (more.size() > limit - into.size()) {
      error why(std::errc::no_buffer_space, step::receive);
      co_return fail(std::move(why.set_detail("more than " + std::to_string(limit) + " bytes")));
    }
    into += more.text();
  }
}

task<result<void>> talk(child& with, std::string_view text, std::size_t limit, captured& told) {
  auto all = [&](scope& s) -> task<result<void>> {
    s.spawn(feed(with.input(), text));
    s.spawn(collect(with.output(), told.output, limit));
    s.spawn(collect(with.errors(), told.errors, limit));
    co_return {};
  };
  co_return co_await with_scope(all);
}

}  // namespace

task<result<captured>> capture(arguments what, std::string_view text, std::size_t limit, child_options how) {
  loop& here = co_await this_loop();
  how.input = how.output = how.errors = child_stream::pipe();
  child one = co_await ok(child::start(here, what, how));
  captured told;
  auto talked = co_await talk(one, text, limit, told);
  if (!talked) co_return fail(std::move(talked.error().set_subject(what.words().front())));
  told.status = co_await ok(one.wait());
  co_return told;
}

}  // namespace soquete
