// Programs: run, run_main, context, posting, blocking calls, and the environment variables.
#include "child.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <unistd.h>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <soquete/blocking.hpp>
#include <soquete/event.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <soquete/signals.hpp>
#include <thread>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class running : public with_driver {
 protected:
  void SetUp() override {
    with_driver::SetUp();
    before_ = baseline::now();
  }
  void TearDown() override {
    if (!IsSkipped()) EXPECT_EQ(baseline::now(), before_);
  }

 private:
  baseline before_{};
};
ON_EACH_DRIVER(running);

task<result<void>> at_once() { co_return {}; }
task<result<void>> failing() { co_return fail(std::errc::bad_message, step::receive); }

TEST_P(running, a_program_ends_with_its_result) {
  EXPECT_TRUE(succeeds(run({.driver = GetParam()}, at_once)));
  EXPECT_TRUE(fails_with(run({.driver = GetParam()}, failing), std::errc::bad_message));
}

TEST_P(running, each_loop_has_a_thread_and_runs_the_program_once) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  int calls = 0;
  auto count = [&]() -> task<result<void>> {
    {
      std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      ++calls;
    }
    co_return co_await sleep(1ms);
  };
  EXPECT_TRUE(succeeds(run({.threads = 3, .driver = GetParam()}, count)));
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(threads.size(), 3U);
}

TEST_P(running, one_loop_that_fails_ends_the_others) {
  std::atomic<int> number = 0;
  std::atomic<int> cancelled = 0;
  auto one_fails = [&]() -> task<result<void>> {
    if (number++ == 1) co_return fail(std::errc::bad_message);
    auto waited = co_await sleep(1h);
    if (!waited && waited.error() == std::errc::operation_canceled) ++cancelled;
    co_return waited;
  };
  EXPECT_TRUE(fails_with(run({.threads = 3, .driver = GetParam()}, one_fails), std::errc::bad_message));
  EXPECT_EQ(cancelled, 2);
}

TEST_P(running, a_loop_that_succeeds_leaves_the_others_alone) {
  std::atomic<int> number = 0, ended = 0;
  auto staggered = [&]() -> task<result<void>> {
    const int mine = number++;
    co_await ok(sleep(mine * 2ms));
    ++ended;
    co_return {};
  };
  EXPECT_TRUE(succeeds(run({.threads = 3, .driver = GetParam()}, staggered)));
  EXPECT_EQ(ended, 3);
}

TEST_P(running, other_threads_post_to_a_loop) {
  int count = 0;
  auto wait_for_posts = [&count]() -> task<result<void>> {
    loop& here = co_await this_loop();
    event counted;
    std::thread other([&] {
      for (int i = 0; i != 1000; ++i)
        here.post([&] {
          ++count;
          counted.notify_all();
        });
    });
    while (count != 1000) {
      auto woken = co_await counted.wait();
      if (!woken) break;
    }
    other.join();
    co_return {};
  };
  EXPECT_TRUE(succeeds(run({.driver = GetParam()}, wait_for_posts)));
  EXPECT_EQ(count, 1000);
}

TEST_P(running, a_post_wakes_a_loop_that_waits_for_nothing_else) {
  auto wait = []() -> task<result<void>> {
    loop& here = co_await this_loop();
    event told;
    bool is_told = false;
    std::thread other([&] {
      here.post([&] {
        is_told = true;
        told.notify_all();
      });
    });
    while (!is_told) {
      auto woken = co_await told.wait();
      if (!woken) break;
    }
    other.join();
    EXPECT_TRUE(is_told);
    co_return {};
  };
  for (int i = 0; i != 50; ++i) EXPECT_TRUE(succeeds(run({.driver = GetParam()}, wait)));
}

TEST_P(running, a_blocking_call_gives_its_value_from_another_thread) {
  auto call = []() -> task<result<void>> {
    const auto ours = std::this_thread::get_id();
    const auto theirs = co_await ok(blocking([] { return std::this_thread::get_id(); }));
    EXPECT_NE(ours, theirs);
    auto nothing = co_await blocking([] {});
    EXPECT_TRUE(nothing.has_value());
    co_return {};
  };
  EXPECT_TRUE(succeeds(run({.driver = GetParam()}, call)));
}

TEST_P(running, a_cancelled_blocking_call_ends_at_once_and_the_work_goes_on) {
  std::atomic<bool> may_end = false, has_ended = false;
  auto call = [&]() -> task<result<void>> {
    auto work = [&may_end, &has_ended] {
      may_end.wait(false);
      has_ended = true;
      return 1;
    };
    auto got = co_await within(1ms, blocking(work));
    EXPECT_TRUE(fails_with(got, std::errc::timed_out));
    EXPECT_FALSE(has_ended);
    may_end = true;
    may_end.notify_all();
    auto never = co_await within(0ms, blocking(work));
    EXPECT_TRUE(fails_with(never, std::errc::timed_out));
    co_return {};
  };
  EXPECT_TRUE(succeeds(run({.driver = GetParam()}, call)));
  // The group has waited for its threads.
  EXPECT_TRUE(has_ended);
}

TEST_P(running, a_hundred_blocking_calls_share_eight_threads) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> at_once_now = 0, most = 0;
  auto one = [&]() -> task<result<void>> {
    auto work = [&] {
      const int now = ++at_once_now;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
      std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      --at_once_now;
    };
    co_return co_await blocking(work);
  };
  auto many = [&]() -> task<result<void>> {
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 100; ++i) s.spawn(one());
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  EXPECT_TRUE(succeeds(run({.driver = GetParam()}, many)));
  EXPECT_LE(threads.size(), 8U);
  EXPECT_LE(most, 8);
}

TEST_P(running, a_context_runs_one_operation_after_the_other) {
  context net(GetParam());
  auto l = net.wait(tcp::listen("127.0.0.1:0"));
  ASSERT_TRUE(succeeds(l));
  auto door = l->local();
  ASSERT_TRUE(succeeds(door));
  auto client = net.wait(tcp::connect(*door));
  auto server = net.wait(l->accept());
  ASSERT_TRUE(client && server);
  EXPECT_TRUE(succeeds(net.wait(client->send("hello"))));
  auto got = net.wait(server->receive());
  ASSERT_TRUE(succeeds(got));
  EXPECT_EQ(got->text(), "hello");
  auto late = net.wait(within(1ms, server->receive()));
  EXPECT_TRUE(fails_with(late, std::errc::timed_out));
}

// simulation.md 4.9: the kernel refuses a ring that another thread enters (EEXIST,
// IORING_SETUP_SINGLE_ISSUER). On the other drivers it is the same mistake, so it ends the same way.
TEST_P(running, a_context_knows_the_time_though_it_has_not_run_for_long) {
  context net(GetParam());
  EXPECT_TRUE(net.wait(yield()));
  const time_point later = clock::now();
  const auto at_once = []() -> task<result<void>> { co_return {}; };
  EXPECT_TRUE(net.wait(at_once()));
  EXPECT_GE(net.on().now(), later);
}

TEST_P(running, a_context_that_another_thread_uses_ends_the_program_with_words) {
  const child_ending how = in_a_child([] {
    context net(GetParam());
    std::thread other([&] { static_cast<void>(net.wait(sleep(1ms))); });
    other.join();
    return 0;
  });
  EXPECT_EQ(how.signal, SIGABRT) << how.exit_code;
  EXPECT_NE(how.output.find("on another thread than the one that opened it"), std::string::npos)
      << how.output;
}

// Signals: in a child, because they end it.

child_ending main_with(driver_choice which, run_body body, const std::function<void(int)>& meanwhile = {}) {
  return in_a_child([&] { return run_main({.threads = 2, .driver = which}, body); }, meanwhile);
}

TEST_P(running, main_gives_0_on_success_and_1_with_words_on_an_error) {
  const child_ending well = main_with(GetParam(), at_once);
  EXPECT_EQ(well.exit_code, 0);
  EXPECT_EQ(well.output, "");
  const child_ending badly = main_with(GetParam(), failing);
  EXPECT_EQ(badly.exit_code, 1);
  EXPECT_EQ(badly.output, "run_test: receive: bad message\n");
}

TEST_P(running, a_signal_asks_all_loops_to_end_and_the_program_dies_of_it) {
  for (int signal : {SIGINT, SIGTERM}) {
    std::atomic<bool> is_sent = false;
    auto wait = [&is_sent, signal]() -> task<result<void>> {
      if (!is_sent.exchange(true)) ::kill(::getpid(), signal);
      co_return co_await sleep(1h);
    };
    const child_ending how = main_with(GetParam(), wait);
    EXPECT_EQ(how.signal, signal) << how.output;
  }
}

TEST_P(running, a_program_that_ends_well_after_a_signal_gives_0) {
  std::atomic<bool> is_sent = false;
  auto wait = [&is_sent]() -> task<result<void>> {
    if (!is_sent.exchange(true)) ::kill(::getpid(), SIGTERM);
    auto waited = co_await sleep(1h);
    co_await ok(shield(1s, sleep(1ms)));
    EXPECT_TRUE(fails_with(waited, std::errc::operation_canceled));
    co_return {};
  };
  const child_ending how = main_with(GetParam(), wait);
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

TEST_P(running, a_second_signal_ends_a_program_that_does_not_listen) {
  auto deaf = []() -> task<result<void>> {
    ::kill(::getpid(), SIGTERM);
    auto waited = co_await sleep(1h);
    EXPECT_FALSE(waited);
    ::kill(::getpid(), SIGTERM);
    co_return co_await shield(1h, sleep(1h));
  };
  const child_ending how = main_with(GetParam(), deaf);
  EXPECT_EQ(how.signal, SIGTERM) << how.output;
}

TEST_P(running, signals_are_awaited_by_number) {
  const child_ending how = in_a_child([&] {
    auto watch = []() -> task<result<void>> {
      loop& here = co_await this_loop();
      auto arriving = co_await ok(signals::open(here, std::array{SIGUSR1, SIGHUP}));
      auto none = co_await within(1ms, arriving.next());
      EXPECT_TRUE(fails_with(none, std::errc::timed_out));
      for (int sent : {SIGHUP, SIGUSR1}) {
        ::kill(::getpid(), sent);
        const int got = co_await ok(arriving.next());
        EXPECT_EQ(got, sent);
      }
      co_return {};
    };
    EXPECT_TRUE(succeeds(run({.driver = GetParam()}, watch)));
    return 0;
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// The environment.

child_ending with_variable(const char* name, const char* value, run_options options, run_body body) {
  return in_a_child([&] {
    ::setenv(name, value, 1);
    return run_main(options, std::move(body));
  });
}

task<result<void>> print_driver() {
  loop& here = co_await this_loop();
  std::printf("%s: %s\n", std::string(here.net().name()).c_str(), here.driver_reason().c_str());
  co_return {};
}

TEST(environment, a_driver_is_chosen_by_name) {
  for (const char* name : {"epoll", "poll"}) {
    const child_ending how = with_variable("SOQUETE_DRIVER", name, {}, print_driver);
    EXPECT_EQ(how.output, std::string(name) + ": asked for by SOQUETE_DRIVER\n");
  }
}

TEST(environment, the_program_overrules_it) {
  const child_ending how =
      with_variable("SOQUETE_DRIVER", "poll", {.driver = driver_choice::epoll}, print_driver);
  EXPECT_EQ(how.output, "epoll: asked for by the program\n");
}

TEST(environment, a_driver_of_another_system_is_an_error_that_says_so) {
  const child_ending how = with_variable("SOQUETE_DRIVER", "kqueue", {}, print_driver);
  EXPECT_EQ(how.exit_code, 1);
  EXPECT_EQ(how.output, "run_test: start driver kqueue: not supported here (macOS only)\n");
}

TEST(environment, a_driver_that_is_none_is_an_error) {
  for (const char* name : {"devpoll", "EPOLL", " epoll"}) {
    const child_ending how = with_variable("SOQUETE_DRIVER", name, {}, print_driver);
    EXPECT_EQ(how.exit_code, 1);
    EXPECT_EQ(how.output,
              "run_test: start driver " + std::string(name) +
                  ": invalid argument (SOQUETE_DRIVER takes io_uring, epoll, kqueue, poll or auto)\n");
  }
}

TEST(environment, threads_are_counted_by_it_where_the_program_asks_for_none) {
  auto dot = []() -> task<result<void>> {
    static_cast<void>(::write(STDOUT_FILENO, ".", 1) + 0);
    co_return {};
  };
  EXPECT_EQ(with_variable("SOQUETE_THREADS", "3", {.threads = 0}, dot).output, "...");
  EXPECT_EQ(with_variable("SOQUETE_THREADS", "3", {.threads = 1}, dot).output, ".");
}

TEST(environment, a_number_of_threads_that_is_none_is_an_error) {
  for (const char* text : {"many", "-1", "2x", "1025", "1e3", " 2"}) {
    const child_ending how = with_variable("SOQUETE_THREADS", text, {.threads = 0}, at_once);
    EXPECT_EQ(how.exit_code, 1) << text;
    EXPECT_EQ(how.output, "run_test: start driver " + std::string(text) +
                              ": invalid argument (SOQUETE_THREADS takes a number from 0 to 1024)\n");
  }
}

}  // namespace
}  // namespace soquete::test
