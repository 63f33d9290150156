// Programs that are run: what goes in and out, and what surrounds them.  posix_spawn(3)
#include "children.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <soquete/deadline.hpp>
#include <soquete/pipe.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

ON_EACH_DRIVER(children);

constexpr std::size_t much = 1 << 20;

// What a program writes, with its surroundings as wanted.
task<result<std::string>> output_of(arguments what, child_options how) {
  loop& here = co_await this_loop();
  how.output = child_stream::pipe();
  child one = co_await ok(child::start(here, what, how));
  std::string all;
  for (;;) {
    lease more = co_await ok(one.output().receive());
    if (more.empty()) break;
    all += more.text();
  }
  const exit_status how_it_ended = co_await ok(one.wait());
  EXPECT_TRUE(how_it_ended.is_success()) << to_string(how_it_ended);
  co_return all;
}

task<result<void>> receive_all(descriptor& from, std::string& all) {
  for (;;) {
    lease more = co_await ok(from.receive());
    if (more.empty()) co_return {};
    all += more.text();
  }
}

task<result<void>> send_and_finish(descriptor& to, std::string_view text) {
  co_await ok(to.send(text));
  co_return to.finish();
}

task<result<std::string>> through(child& one, std::string_view sent) {
  std::string got;
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(one.input(), sent));
    s.spawn(receive_all(one.output(), got));
    co_return {};
  };
  co_await ok(with_scope(body));
  co_return got;
}

TEST_P(children, ten_megabytes_go_through_cat_both_ways_at_once) {
  for (const child_stream ends : {child_stream::pipe(), child_stream::socket()}) {
    play([this, ends]() -> task<result<void>> {
      const std::string sent = pattern(10'000'000);
      child cat = co_await ok(child::start(here(), {"cat"}, {.input = ends, .output = ends}));
      const std::string got = co_await ok(through(cat, sent));
      EXPECT_TRUE(got == sent);
      const exit_status how = co_await ok(cat.wait());
      EXPECT_TRUE(how.is_success());
      co_return {};
    });
  }
}

TEST_P(children, one_socket_is_input_and_output_and_is_half_closed) {
  play([this]() -> task<result<void>> {
    child cat = co_await ok(
        child::start(here(), {"cat"}, {.input = child_stream::socket(), .output = child_stream::socket()}));
    EXPECT_EQ(&cat.input(), &cat.output());
    EXPECT_TRUE(succeeds(cat.input().finish()));
    EXPECT_TRUE(cat.output().is_open());
    lease end = co_await ok(cat.output().receive());
    EXPECT_TRUE(end.empty());
    co_await ok(cat.wait());
    co_return {};
  });
}

TEST_P(children, what_cannot_be_run_is_an_error_that_names_it) {
  struct wrong {
    const char* program;
    std::errc why;
    const char* words;
  };
  for (const wrong& one :
       {wrong{"soquete-no-such-program", std::errc::no_such_file_or_directory,
              "run soquete-no-such-program: no such file or directory"},
        wrong{"/no/such/program", std::errc::no_such_file_or_directory,
              "run /no/such/program: no such file or directory"},
        wrong{"/dev/null", std::errc::permission_denied, "run /dev/null: permission denied"},
        wrong{"/", std::errc::permission_denied, "run /: permission denied"},
        wrong{"", std::errc::no_such_file_or_directory, "run: no such file or directory"}}) {
    auto started = child::start(here(), {one.program}, {.input = child_stream::pipe()});
    EXPECT_TRUE(fails_with(started, one.why)) << one.program;
    if (!started) EXPECT_EQ(to_string(started.error()), one.words);
  }
  auto nothing = child::start(here(), std::vector<std::string>());
  EXPECT_TRUE(fails_with(nothing, std::errc::invalid_argument));
}

TEST_P(children, what_is_no_program_is_not_given_to_a_shell) {
  char name[] = "/tmp/soquete-test-XXXXXX";
  const int number = ::mkostemp(name, O_CLOEXEC);
  EXPECT_EQ(::write(number, "exit 5\n", 7), 7);
  ::fchmod(number, 0700);
  ::close(number);
  auto started = child::start(here(), {name});
  ::unlink(name);
  EXPECT_TRUE(fails_with(started, std::errc::executable_format_error));
}

TEST_P(children, it_runs_in_the_directory_that_is_asked_for) {
  play([]() -> task<result<void>> {
    const std::string there = co_await ok(output_of({"pwd", "-P"}, {.directory = "/"}));
    EXPECT_EQ(there, "/\n");
    const std::string relative = co_await ok(output_of({"./sh", "-c", "pwd -P"}, {.directory = "/bin/"}));
    EXPECT_TRUE(relative.ends_with("/bin\n")) << relative;
    co_return {};
  });
  auto nowhere = child::start(here(), {"true"}, {.directory = "/no/such/place"});
  EXPECT_TRUE(fails_with(nowhere, std::errc::no_such_file_or_directory));
  if (!nowhere)
    EXPECT_EQ(to_string(nowhere.error()), "run true: no such file or directory (in /no/such/place)");
}

TEST_P(children, its_environment_is_ours_and_more_or_less_or_all_anew) {
  ::setenv("SOQUETE_CHILD_A", "ours", 1);
  ::setenv("SOQUETE_CHILD_B", "ours", 1);
  play([]() -> task<result<void>> {
    const std::string line = "echo ${SOQUETE_CHILD_A-no} ${SOQUETE_CHILD_B-no} ${SOQUETE_CHILD_C-no}";
    const std::vector<std::string> words{"/bin/sh", "-c", line};
    const std::vector<std::string> variables{"SOQUETE_CHILD_B", "SOQUETE_CHILD_C=new=er"};
    const std::string same = co_await ok(output_of(words, {}));
    EXPECT_EQ(same, "ours ours no\n");
    const std::string changed = co_await ok(output_of(words, {.variables = variables}));
    EXPECT_EQ(changed, "ours no new=er\n");
    const std::string all =
        co_await ok(output_of(arguments("env"), {.variables = variables, .has_our_environment = false}));
    EXPECT_EQ(all, "SOQUETE_CHILD_C=new=er\n");
    co_return {};
  });
  ::unsetenv("SOQUETE_CHILD_A");
  ::unsetenv("SOQUETE_CHILD_B");
}

// Also when numbers change places, and when some have been left open across exec.
TEST_P(children, it_has_the_descriptors_that_it_was_given_and_no_others) {
  const int leaking = ::open("/dev/null", O_RDONLY);
  const int high = ::fcntl(leaking, F_DUPFD, 43);
  play([this]() -> task<result<void>> {
    // Not that of ls, which opens one more; and not the last command, so that the shell does not become it.
    const std::vector<std::string> list{"sh", "-c", "ls /proc/$$/fd; :"};
    const std::string standard = co_await ok(output_of(list, {}));
    EXPECT_EQ(standard, "0\n1\n2\n");

    auto a = co_await ok(open_pipe(here()));
    auto b = co_await ok(open_pipe(here()));
    co_await ok(a.writing.send("from a"));
    co_await ok(b.writing.send("from b"));
    a.writing.close();
    b.writing.close();
    // Each has the number that the other has here.
    const std::array<passed_descriptor, 3> passed{{{a.reading.number(), b.reading.number()},
                                                   {b.reading.number(), a.reading.number()},
                                                   {a.reading.number(), 45}}};
    const std::string line = "ls -v /proc/$$/fd; cat <&" + std::to_string(a.reading.number()) +
                             "; echo; cat <&" + std::to_string(b.reading.number());
    const std::string got = co_await ok(output_of({"bash", "-c", line}, {.descriptors = passed}));
    const auto lowest = std::to_string(std::min(a.reading.number(), b.reading.number()));
    const auto highest = std::to_string(std::max(a.reading.number(), b.reading.number()));
    EXPECT_EQ(got, "0\n1\n2\n" + lowest + "\n" + highest + "\n45\nfrom b\nfrom a");
    EXPECT_TRUE(a.reading.is_open());
    co_return {};
  });
  ::close(leaking);
  ::close(high);
}

TEST_P(children, a_descriptor_that_is_not_open_is_refused) {
  const std::array<passed_descriptor, 1> none{{{1'000'000, 5}}};
  EXPECT_TRUE(
      fails_with(child::start(here(), {"true"}, {.descriptors = none}), std::errc::bad_file_descriptor));
  const std::array<passed_descriptor, 1> negative{{{0, -1}}};
  EXPECT_TRUE(
      fails_with(child::start(here(), {"true"}, {.descriptors = negative}), std::errc::bad_file_descriptor));
  EXPECT_TRUE(fails_with(child::start(here(), {"true"}, {.output = child_stream::given(-1)}),
                         std::errc::bad_file_descriptor));
}

TEST_P(children, errors_go_where_the_output_goes_or_a_way_of_their_own) {
  play([this]() -> task<result<void>> {
    const std::vector<std::string> words{"sh", "-c", "echo out; echo err >&2"};
    const std::string both = co_await ok(output_of(words, {.errors = child_stream::same_as_output()}));
    EXPECT_EQ(both, "out\nerr\n");
    child apart = co_await ok(
        child::start(here(), words, {.output = child_stream::null(), .errors = child_stream::pipe()}));
    EXPECT_FALSE(apart.output().is_open());
    std::string errors;
    co_await ok(receive_all(apart.errors(), errors));
    EXPECT_EQ(errors, "err\n");
    co_await ok(apart.wait());
    co_return {};
  });
}

TEST_P(children, two_programs_are_joined_by_a_pipe_of_ours) {
  play([this]() -> task<result<void>> {
    auto between = co_await ok(open_pipe(here()));
    child first = co_await ok(
        child::start(here(), {"printf", "b\\na\\n"},
                     {.input = child_stream::null(), .output = child_stream::given(between.writing)}));
    between.writing.close();
    const std::string sorted =
        co_await ok(output_of({"sort"}, {.input = child_stream::given(between.reading)}));
    EXPECT_EQ(sorted, "a\nb\n");
    co_await ok(first.wait());
    co_return {};
  });
}

// What we block and ignore is not inherited, but what nohup(1) has made us ignore is.
TEST_P(children, its_signals_are_as_usual) {
  const std::array<int, 2> blocked{SIGTERM, SIGUSR1};
  block_signals(blocked);
  std::signal(SIGUSR2, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  play([]() -> task<result<void>> {
    const std::string blk = co_await ok(output_of({"grep", "SigBlk", "/proc/self/status"}, {}));
    EXPECT_EQ(blk, "SigBlk:\t0000000000000000\n");
    const std::string ign = co_await ok(output_of({"grep", "SigIgn", "/proc/self/status"}, {}));
    // 32 and 33 belong to glibc, whose posix_spawn leaves them ignored.
    constexpr unsigned long long of_libc = 3ULL << 31U;
    EXPECT_EQ(std::stoull(ign.substr(ign.find('\t') + 1), nullptr, 16) & ~of_libc, 1U << (SIGHUP - 1)) << ign;
    co_return {};
  });
  std::signal(SIGHUP, SIG_DFL);
  std::signal(SIGUSR2, SIG_DFL);
  unblock_signals(blocked);
}

TEST_P(children, one_that_reads_no_more_breaks_the_pipe) {
  play([this]() -> task<result<void>> {
    child deaf = co_await ok(child::start(here(), {"true"}, {.input = child_stream::pipe()}));
    co_await ok(deaf.wait());
    auto sent = co_await deaf.input().send("x");
    EXPECT_TRUE(fails_with(sent, std::errc::broken_pipe));
    co_return {};
  });
}

TEST_P(children, where_ends_are_forgotten_nothing_is_started) {
  std::signal(SIGCHLD, SIG_IGN);
  auto started = child::start(here(), {"true"});
  std::signal(SIGCHLD, SIG_DFL);
  EXPECT_TRUE(fails_with(started, std::errc::no_child_process));
}

TEST_P(children, what_a_program_says_is_captured) {
  play([]() -> task<result<void>> {
    const captured got = co_await ok(capture({"sh", "-c", "tr a-z A-Z; echo no >&2; exit 3"}, "loud", much));
    EXPECT_EQ(got.output, "LOUD");
    EXPECT_EQ(got.errors, "no\n");
    EXPECT_EQ(got.status.code, 3);
    // It need not read what it is given.
    const std::string unread(much, 'x');
    const captured rude = co_await ok(capture({"echo", "hi"}, unread, much));
    EXPECT_EQ(rude.output, "hi\n");
    const captured exact = co_await ok(capture({"printf", "12345"}, "", 5));
    EXPECT_EQ(exact.output, "12345");
    co_return {};
  });
}

TEST_P(children, one_that_says_too_much_or_for_too_long_is_killed) {
  play([]() -> task<result<void>> {
    auto loud = co_await capture({"cat", "/dev/zero"}, "", 100'000);
    EXPECT_TRUE(fails_with(loud, std::errc::no_buffer_space));
    if (!loud) EXPECT_EQ(loud.error().subject(), "cat");
    auto slow = co_await within(10ms, capture({"sleep", "1000"}, "", 10));
    EXPECT_TRUE(fails_with(slow, std::errc::timed_out));
    auto none = co_await capture({"soquete-no-such-program"}, "", 10);
    EXPECT_TRUE(fails_with(none, std::errc::no_such_file_or_directory));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
