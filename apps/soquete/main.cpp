// The command soquete: sockets, programs and standard streams, joined.  soquete(1)
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <soquete/deadline.hpp>
#include <soquete/run.hpp>

#include "locale.hpp"
#include "plan.hpp"
#include "runnable.hpp"
#include "session.hpp"
#include "trace.hpp"

namespace {

using namespace command;
using soquete::result;
using soquete::task;

// With one of the first three closed, a socket could take its number and be written to by accident. What
// stands there instead refuses what it is for.  (gnulib: stdopen)
void fill_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    const int opened = ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened != number && opened >= 0) ::close(opened);
  }
}

// A server's clients are limited by memory, not by a habit of 1983.
void allow_many_descriptors() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

task<result<void>> run_to_end(session& all) {
  const auto limit = all.how.timeout.value_or(std::chrono::nanoseconds::max());
  // Named first: GCC 12 would destroy the temporary of a choice twice.
  task<result<void>> work = all.how.what == verb::listen ? listen(all) : connect(all);
  co_return co_await soquete::within(limit, std::move(work));
}

int run(const options& how) {
  console out(how);
  if (how.explain) {
    std::puts(plan_of(how).c_str());
    return exit_in_order;
  }
  for (const place* const one : {&how.address, &how.peer}) {
    if (one->what != scheme::exec) continue;
    if (const auto why = why_not_runnable(one->program.front())) {
      const failure bad = cannot_run(*one, soquete::error(why));
      out.complain(bad.text);
      return bad.status;
    }
  }
  // Programs would inherit the limit, and some count on a low one.
  if (how.what == verb::listen && how.peer.what != scheme::exec) allow_many_descriptors();

  session all(how, out);
  narrator trace(out, how);
  int signal = 0;
  const auto begun = std::chrono::steady_clock::now();
  const soquete::run_options options{.threads = how.is_of_one_loop() ? 1 : how.threads,
                                     .driver = how.driver,
                                     .trace = how.trace ? &trace : nullptr,
                                     .ended_by = &signal};
  const result<void> ended = soquete::run(options, [&all] { return run_to_end(all); });
  const auto took = std::chrono::steady_clock::now() - begun;

  if (how.what == verb::listen && !how.is_single() && all.connections + (signal != 0 ? 1 : 0) != 0)
    all.report_total(took);
  if (signal != 0) soquete::die_of_signal(signal);
  if (all.is_output_closed) soquete::die_of_signal(SIGPIPE);
  if (how.timeout && took >= *how.timeout && (!ended || all.why_failed() || !how.is_single())) {
    out.complain(timed_out(how).text);
    return exit_timeout;
  }
  if (all.why_failed()) {
    out.complain(all.why_failed()->text);
    return all.why_failed()->status;
  }
  if (!ended) {
    const failure bad = cannot_start(ended.error());
    out.complain(bad.text);
    return bad.status;
  }
  return all.status;
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  choose_language();
  auto wanted = request_from(std::vector<std::string>(argv + 1, argv + argc));
  if (!wanted) {
    std::fprintf(stderr, "soquete: %s\n", usage_failure(wanted.error()).text.c_str());
    return exit_usage;
  }
  if (wanted->run) return run(*wanted->run);
  if (std::fputs(wanted->print.c_str(), stdout) < 0 || std::fflush(stdout) != 0) return exit_broken;
  return exit_in_order;
}
