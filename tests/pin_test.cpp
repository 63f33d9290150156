// Loops that stay on processors of their own, and servers whose connections come to the loop of their
// processor.
#include "child.hpp"
#include "echo.hpp"
#include "on_each_driver.hpp"
#include "raw_socket.hpp"
#include "tcp_pair.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <soquete/blocking.hpp>
#include <soquete/child.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <string>
#include <thread>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

std::vector<int> allowed_here() {
  std::vector<int> numbers;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) numbers.push_back(i);
  return numbers;
}

void stay_on(int processor) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  EXPECT_EQ(::sched_setaffinity(0, sizeof only, &only), 0);
}

class pinned : public with_driver {
 protected:
  void SetUp() override {
    with_driver::SetUp();
    if (allowed_here().size() < 2) GTEST_SKIP() << "there is one processor only";
  }
  // Where each of two loops may run, and what it says of itself.
  std::map<std::vector<int>, int> places(unsigned threads, bool pin = true) {
    std::map<std::vector<int>, int> told;
    std::mutex mutex;
    auto tell = [&]() -> task<result<void>> {
      loop& here = co_await this_loop();
      const std::lock_guard lock(mutex);
      told[allowed_here()] = here.processor();
      co_return {};
    };
    EXPECT_TRUE(succeeds(run({.threads = threads, .driver = GetParam(), .pin = pin}, tell)));
    return told;
  }
  const std::vector<int> all_ = allowed_here();
  const std::map<std::vector<int>, int> anywhere_{{all_, -1}};
};
ON_EACH_DRIVER(pinned);

TEST_P(pinned, each_loop_stays_on_a_processor_of_its_own) {
  const std::map<std::vector<int>, int> expected{{{all_[0]}, all_[0]}, {{all_[1]}, all_[1]}};
  EXPECT_EQ(places(2), expected);
  EXPECT_EQ(allowed_here(), all_) << "the run is over";
}

TEST_P(pinned, nobody_is_who_has_not_asked) { EXPECT_EQ(places(2, false), anywhere_); }

TEST_P(pinned, one_loop_alone_runs_anywhere) { EXPECT_EQ(places(1), anywhere_); }

TEST_P(pinned, more_loops_than_processors_run_anywhere) {
  EXPECT_EQ(places(static_cast<unsigned>(all_.size()) + 1), anywhere_);
}

TEST_P(pinned, only_processors_that_were_allowed_before_are_taken) {
  stay_on(all_[1]);
  const std::map<std::vector<int>, int> expected{{{all_[1]}, -1}};
  EXPECT_EQ(places(2), expected);
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int number : all_) CPU_SET(number, &set);
  EXPECT_EQ(::sched_setaffinity(0, sizeof set, &set), 0);
}

// The line of /proc/self/status.  proc_pid_status(5)
std::string allowed_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Cpus_allowed_list")) return line + "\n";
  return {};
}

TEST_P(pinned, blocking_calls_and_child_processes_run_anywhere) {
  const std::string expected = allowed_of_this_process();
  auto look = [&]() -> task<result<void>> {
    loop& here = co_await this_loop();
    EXPECT_EQ(allowed_here().size(), 1U);
    EXPECT_EQ(co_await ok(blocking(allowed_here)), all_);
    child_options how;
    how.output = child_stream::pipe();
    child grep = co_await ok(child::start(here, {"grep", "Cpus_allowed_list", "/proc/self/status"}, how));
    std::string told;
    for (;;) {
      lease more = co_await ok(grep.output().receive());
      if (more.empty()) break;
      told += more.text();
    }
    EXPECT_EQ(told, expected);
    static_cast<void>(co_await ok(grep.wait()));
    EXPECT_EQ(allowed_here().size(), 1U);
    co_return {};
  };
  EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam(), .pin = true}, look)));
}

// SO_INCOMING_CPU decides among listeners that share an address since Linux 6.2, and an emulator may not know
// it.
bool are_connections_steered() {
  utsname system{};
  int major = 0, minor = 0;
  if (::uname(&system) != 0 || std::sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  const raw_socket any = raw_socket::listening(1);
  const int processor = 0;
  return std::pair(major, minor) >= std::pair(6, 2) &&
         ::setsockopt(any.number(), SOL_SOCKET, SO_INCOMING_CPU, &processor, sizeof processor) == 0;
}

TEST_P(pinned, a_listener_tells_whose_connections_it_takes) {
  if (!are_connections_steered()) GTEST_SKIP() << "there is no SO_INCOMING_CPU";
  context c(GetParam());
  auto shared = c.wait(tcp::listen("127.0.0.1:0", {.reuse_port = true}));
  ASSERT_TRUE(succeeds(shared));
  EXPECT_TRUE(succeeds(shared->options().set_incoming_cpu(all_[1])));
  EXPECT_EQ(shared->options().incoming_cpu(), all_[1]);
}

TEST_P(pinned, a_connection_is_served_where_its_packets_are_received) {
  if (!are_connections_steered()) GTEST_SKIP() << "this kernel spreads connections by their hash";
  std::atomic<std::uint16_t> door = 0;
  tcp::serve_watch watch;
  watch.listening = [&](const endpoint& at) { door = at.port(); };
  std::atomic<unsigned> serving = 0;
  std::atomic<bool> done = false, ended = false;
  auto tell_where = [](tcp::stream peer) -> task<result<void>> {
    loop& here = co_await this_loop();
    co_await ok(peer.send(std::to_string(here.processor())));
    co_return {};
  };
  auto count = [&]() -> task<result<void>> {
    ++serving;
    co_return {};
  };
  auto program = [&]() -> task<result<void>> {
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(tcp::serve("127.0.0.1:0", tell_where, {.watch = &watch}));
      s.spawn(count());  // Begins after the server, which then has its listener.
      co_await ok(wait_until([&] { return done.load(); }));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  };
  std::thread servers([&] {
    EXPECT_TRUE(succeeds(run({.threads = 2, .driver = GetParam(), .pin = true}, program)));
    ended = true;
  });
  while ((door == 0 || serving != 2) && !ended) std::this_thread::yield();
  for (const int processor : {all_[0], all_[1]}) {
    std::thread client([&, processor] {
      stay_on(processor);
      context c(GetParam());
      for (int i = 0; i != 20; ++i) {
        auto s = c.wait(tcp::connect(endpoint(address::loopback_v4(), door)));
        ASSERT_TRUE(succeeds(s));
        auto told = c.wait(receive_all(*s));
        ASSERT_TRUE(succeeds(told));
        EXPECT_EQ(*told, std::to_string(processor));
      }
    });
    client.join();
  }
  done = true;
  servers.join();
}

TEST_P(pinned, the_variable_asks_for_it_in_every_program) {
  const std::map<std::vector<int>, int> expected{{{all_[0]}, all_[0]}, {{all_[1]}, all_[1]}};
  ::setenv("SOQUETE_PIN", "1", 1);
  const auto asked = places(2, false);
  ::setenv("SOQUETE_PIN", "0", 1);
  const auto not_asked = places(2, false);
  const auto insisting = places(2, true);
  const child_ending how = in_a_child([] {
    ::setenv("SOQUETE_PIN", "1", 1);
    return run_main({.threads = 2, .driver = GetParam()}, []() -> task<result<void>> {
      EXPECT_EQ(allowed_here().size(), 1U);
      co_return {};
    });
  });
  ::unsetenv("SOQUETE_PIN");
  EXPECT_EQ(asked, expected);
  EXPECT_EQ(not_asked, anywhere_);
  EXPECT_EQ(insisting, expected);
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

class pin_variable : public testing::TestWithParam<const char*> {};

TEST_P(pin_variable, says_that_it_takes_0_or_1) {
  ::setenv("SOQUETE_PIN", GetParam(), 1);
  const auto ended = run({.threads = 2}, []() -> task<result<void>> { co_return {}; });
  ::unsetenv("SOQUETE_PIN");
  ASSERT_FALSE(ended);
  EXPECT_EQ(to_string(ended.error()),
            std::string("start driver ") + GetParam() + ": invalid argument (SOQUETE_PIN takes 0 or 1)");
}
INSTANTIATE_TEST_SUITE_P(wrong, pin_variable, testing::Values("yes", "2", "-1", " 1", "01"));

}  // namespace
}  // namespace soquete::test
