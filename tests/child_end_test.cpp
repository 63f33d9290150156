// How programs that are run end: by themselves, by a signal, with their owner.  pidfd_open(2), waitid(2)
#include "child.hpp"
#include "children.hpp"
#include "refused_calls.hpp"

#include <sys/syscall.h>
#include <unistd.h>
#include <cstdio>
#include <soquete/deadline.hpp>
#include <soquete/reader.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

ON_EACH_DRIVER(children);

TEST_P(children, how_it_ended_is_told_and_told_again) {
  struct expected {
    const char* line;
    exit_status how;
    const char* words;
  };
  for (const expected& one :
       {expected{"exit 0", {.code = 0}, "exited with 0"}, expected{"exit 3", {.code = 3}, "exited with 3"},
        expected{"exit 255", {.code = 255}, "exited with 255"},
        expected{"kill -TERM $$", {.signal = SIGTERM}, "killed by SIGTERM"},
        expected{"kill -KILL $$", {.signal = SIGKILL}, "killed by SIGKILL"}}) {
    play([this, &one]() -> task<result<void>> {
      child sh = co_await ok(child::start(here(), {"sh", "-c", one.line}));
      EXPECT_GT(sh.pid(), 0);
      EXPECT_FALSE(sh.status());
      const exit_status first = co_await ok(sh.wait());
      const exit_status again = co_await ok(sh.wait());
      EXPECT_EQ(first, one.how) << one.line;
      EXPECT_EQ(again, first);
      EXPECT_EQ(to_string(first), one.words);
      EXPECT_EQ(sh.status(), first);
      EXPECT_TRUE(fails_with(sh.kill(SIGKILL), std::errc::no_such_process));
      co_return {};
    });
  }
}

TEST(exit_status, is_as_in_a_shell) {
  EXPECT_EQ(exit_status{.code = 3}.as_in_shell(), 3);
  EXPECT_EQ(exit_status{.signal = SIGKILL}.as_in_shell(), 137);
  EXPECT_FALSE(exit_status{.signal = SIGKILL}.is_success());
  EXPECT_EQ(to_string(exit_status{.signal = SIGSEGV, .dumped_core = true}),
            "killed by SIGSEGV (core dumped)");
  EXPECT_EQ(to_string(exit_status{.signal = SIGRTMIN}), "killed by signal " + std::to_string(SIGRTMIN));
}

TEST_P(children, a_group_of_its_own_is_killed_as_a_whole) {
  for (const child_group group : {child_group::own, child_group::own_session}) {
    play([this, group]() -> task<result<void>> {
      // Its own child holds its output open: the end of that tells that both have gone.
      child sh = co_await ok(child::start(here(), {"sh", "-c", "sleep 1000 & echo $!; wait"},
                                          {.output = child_stream::pipe(), .group = group}));
      reader<descriptor> lines(sh.output());
      const std::string pid = co_await ok(lines.line(20));
      EXPECT_EQ(::getpgid(sh.pid()), sh.pid());
      EXPECT_EQ(::getsid(sh.pid()) == sh.pid(), group == child_group::own_session);
      EXPECT_TRUE(succeeds(sh.kill(SIGKILL)));
      lease end = co_await ok(sh.output().receive());
      EXPECT_TRUE(end.empty()) << pid;
      const exit_status how = co_await ok(sh.wait());
      EXPECT_EQ(how.signal, SIGKILL);
      co_return {};
    });
  }
}

TEST_P(children, a_wait_is_cancelled_and_taken_up_again) {
  play([this]() -> task<result<void>> {
    child cat = co_await ok(child::start(here(), {"cat"}, {.input = child_stream::pipe()}));
    for (int i = 0; i != 3; ++i) {
      auto none = co_await within(1ms, cat.wait());
      EXPECT_TRUE(fails_with(none, std::errc::timed_out));
    }
    EXPECT_TRUE(succeeds(cat.input().finish()));
    const exit_status how = co_await ok(cat.wait());
    EXPECT_TRUE(how.is_success());
    co_return {};
  });
}

TEST_P(children, at_the_end_of_its_owner_it_is_killed_and_reaped) {
  play([this]() -> task<result<void>> {
    int pid = 0;
    {
      child sleeping = co_await ok(child::start(here(), {"sleep", "1000"}));
      pid = sleeping.pid();
      EXPECT_EQ(::kill(pid, 0), 0);
      child other = std::move(sleeping);
      EXPECT_EQ(other.pid(), pid);
    }
    EXPECT_EQ(::kill(pid, 0), -1);
    // Also if it has ended by itself, and nobody has asked.
    auto ended = co_await ok(child::start(here(), {"true"}, {.output = child_stream::pipe()}));
    lease end = co_await ok(ended.output().receive());
    EXPECT_TRUE(end.empty());
    co_return {};
  });
}

TEST_P(children, one_that_takes_a_hint_ends_by_it_and_one_that_does_not_is_made_to) {
  play([this]() -> task<result<void>> {
    child polite = co_await ok(child::start(here(), {"sleep", "1000"}));
    const exit_status first = co_await ok(polite.terminate(60s));
    EXPECT_EQ(first.signal, SIGTERM);
    const exit_status again = co_await ok(polite.terminate(60s));
    EXPECT_EQ(again, first);

    child deaf =
        co_await ok(child::start(here(), {"sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"},
                                 {.output = child_stream::pipe(), .group = child_group::own}));
    lease ready = co_await ok(deaf.output().receive());
    EXPECT_EQ(ready.text(), "\n");
    const exit_status forced = co_await ok(deaf.terminate(10ms));
    EXPECT_EQ(forced.signal, SIGKILL);
    co_return {};
  });
}

TEST_P(children, a_cancelled_program_still_ends_its_child) {
  play([this]() -> task<result<void>> {
    child sleeping = co_await ok(child::start(here(), {"sleep", "1000"}));
    auto stop_it = [](child& one) -> task<result<void>> {
      auto waited = co_await one.wait();
      EXPECT_TRUE(fails_with(waited, std::errc::operation_canceled));
      co_await ok(one.terminate(60s));
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(stop_it(sleeping));
      co_await ok(sleep(1ms));
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(sleeping.status() && sleeping.status()->signal == SIGTERM);
    co_return {};
  });
}

TEST_P(children, two_hundred_run_at_once) {
  play([this]() -> task<result<void>> {
    auto one = [](loop& on, int number) -> task<result<void>> {
      const std::string code = std::to_string(number % 256);
      child sh =
          co_await ok(child::start(on, {"sh", "-c", "read x; exit $x"}, {.input = child_stream::pipe()}));
      co_await ok(sleep(5ms));  // By then all have been started.
      co_await ok(sh.input().send(code + "\n"));
      const exit_status how = co_await ok(sh.wait());
      EXPECT_EQ(how.code, number % 256);
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 200; ++i) s.spawn(one(here(), i));
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(children, its_end_and_that_of_its_output_come_in_either_order) {
  play([this]() -> task<result<void>> {
    child quiet = co_await ok(child::start(here(), {"sh", "-c", "exec >&-; read x"},
                                           {.input = child_stream::pipe(), .output = child_stream::pipe()}));
    lease end = co_await ok(quiet.output().receive());
    EXPECT_TRUE(end.empty());
    auto running = co_await within(1ms, quiet.wait());
    EXPECT_TRUE(fails_with(running, std::errc::timed_out));
    quiet.input().close();
    co_await ok(quiet.wait());

    // The grandchild has the output, and says something after its parent's end.
    child gone = co_await ok(child::start(here(), {"sh", "-c", "exec 3<&0; (read x <&3; echo late) & exit 4"},
                                          {.input = child_stream::pipe(), .output = child_stream::pipe()}));
    const exit_status how = co_await ok(gone.wait());
    EXPECT_EQ(how.code, 4);
    co_await ok(gone.input().send("go\n"));
    lease late = co_await ok(gone.output().receive());
    EXPECT_EQ(late.text(), "late\n");
    lease over = co_await ok(gone.output().receive());
    EXPECT_TRUE(over.empty());
    co_return {};
  });
}

TEST_P(children, one_that_somebody_else_has_reaped_is_told_so) {
  play([this]() -> task<result<void>> {
    child stolen = co_await ok(child::start(here(), {"true"}));
    EXPECT_EQ(::waitpid(stolen.pid(), nullptr, 0), stolen.pid());
    auto how = co_await stolen.wait();
    EXPECT_TRUE(fails_with(how, std::errc::no_child_process));
    EXPECT_TRUE(fails_with(stolen.kill(SIGKILL), std::errc::no_such_process));
    co_return {};
  });
}

// As on kernels before 5.3 and in some sandboxes.
task<result<void>> live_without_pidfd() {
  loop& here = co_await this_loop();
  child cat = co_await ok(child::start(here, {"cat"}, {.input = child_stream::pipe()}));
  auto none = co_await within(1ms, cat.wait());
  EXPECT_TRUE(fails_with(none, std::errc::timed_out));
  cat.input().close();
  const exit_status how = co_await ok(cat.wait());
  EXPECT_TRUE(how.is_success());
  child sleeping = co_await ok(child::start(here, {"sleep", "1000"}));
  const exit_status terminated = co_await ok(sleeping.terminate(60s));
  EXPECT_EQ(terminated.signal, SIGTERM);
  child dropped = co_await ok(child::start(here, {"sleep", "1000"}));
  co_return {};
}

TEST_P(children, without_pidfd_all_is_the_same) {
  for (const int number : {ENOSYS, EPERM}) {
    const child_ending how = in_a_child([number, which = GetParam()] {
      if (!refuse_calls({SYS_pidfd_open}, number)) return 1;
      test_loop own(which);
      const auto done = own.run(live_without_pidfd());
      if (!done) std::fprintf(stderr, "%s\n", to_string(done.error()).c_str());
      siginfo_t any{};
      EXPECT_EQ(::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT), -1);
      return done ? 0 : 1;
    });
    EXPECT_EQ(how.exit_code, 0) << how.output;
  }
}

}  // namespace
}  // namespace soquete::test
