// The library and a program of coroutines without exceptions and run-time types.
//
// Method: CMake compiles every source of the library once more, with -fno-exceptions -fno-rtti, and links
// this to the outcome and to nothing else of ours.
#include <gtest/gtest.h>

#include <soquete/soquete.hpp>
#include <string>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this is to be compiled with -fno-exceptions -fno-rtti"
#endif

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

task<result<void>> echo(tcp::listener& door) {
  tcp::stream peer = co_await ok(door.accept());
  for (;;) {
    lease data = co_await ok(peer.receive());
    if (data.empty()) co_return {};
    co_await ok(peer.send(data));
  }
}

task<result<std::string>> ask(std::string_view words) {
  auto door = co_await ok(tcp::listen("127.0.0.1:0"));
  const endpoint there = co_await ok(door.local());
  co_return co_await with_scope([&](scope& s) -> task<result<std::string>> {
    s.spawn(echo(door));
    auto peer = co_await ok(tcp::connect(there));
    co_await ok(peer.send(words));
    reader in(peer);
    co_return co_await in.line(64);
  });
}

class no_exceptions : public testing::TestWithParam<driver_choice> {};

TEST_P(no_exceptions, bytes_come_back_through_a_scope) {
  context net(GetParam());
  const auto answer = net.wait(ask("plain\n"));
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, "plain");
}

TEST_P(no_exceptions, an_error_passes_through_a_scope) {
  context net(GetParam());
  const auto answer = net.wait(with_scope([](scope& s) -> task<result<void>> {
    s.spawn([]() -> task<result<void>> { co_return fail(std::errc::connection_refused); }());
    co_return co_await sleep(1h);
  }));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), std::errc::connection_refused);
}

TEST_P(no_exceptions, a_deadline_ends_what_waits) {
  context net(GetParam());
  const auto late = net.wait(within(1ms, sleep(1h)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), std::errc::timed_out);
}

INSTANTIATE_TEST_SUITE_P(drivers, no_exceptions,
                         testing::Values(driver_choice::automatic, driver_choice::epoll,
                                         driver_choice::poll));

}  // namespace
}  // namespace soquete::test
