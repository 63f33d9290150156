// Scopes: children end before their scope does, on every path.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>
#include <stdexcept>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

void play(const std::function<task<result<void>>()>& body) {
  const baseline before = baseline::now();
  {
    test_loop loop(driver_choice::poll);
    const auto ended = loop.run(body());
    EXPECT_TRUE(ended) << to_string(ended.error());
    EXPECT_EQ(loop.here().timers().size(), 0U);
  }
  EXPECT_EQ(baseline::now(), before);
}

task<result<void>> wait_long(std::string& log, char name) {
  auto waited = co_await sleep(1h);
  log += name;
  co_return waited;
}
task<result<void>> note(std::string& log, char name) {
  log += name;
  co_return {};
}
task<result<void>> fail_later(std::string& log, std::errc why) {
  co_await ok(yield());
  log += '!';
  co_return fail(why);
}
// Cancelled, it still has something to do.
task<result<void>> say_goodbye(std::string& log) {
  auto waited = co_await sleep(1h);
  co_await ok(shield(1h, yield()));
  co_await ok(shield(1h, yield()));
  log += 'g';
  co_return waited;
}
task<void> throw_later() {
  static_cast<void>(co_await yield());
  throw std::runtime_error("thrown");
}

bool was_cancelled(const result<void>& r) { return !r && r.error() == std::errc::operation_canceled; }

TEST(scope, children_start_in_a_later_round_and_in_order) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(note(log, 'a'));
      s.spawn(note(log, 'b'));
      EXPECT_EQ(log, "");
      EXPECT_EQ(s.size(), 2U);
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(log, "ab");
    co_return {};
  });
}

TEST(scope, it_waits_for_its_children_and_gives_the_value_of_its_body) {
  play([]() -> task<result<void>> {
    std::string log;
    auto slow = [](std::string& into) -> task<result<void>> {
      for (int i = 0; i != 5; ++i) co_await ok(yield());
      into += 's';
      co_return {};
    };
    auto body = [&](scope& s) -> task<result<int>> {
      s.spawn(slow(log));
      co_return 42;
    };
    const int got = co_await ok(with_scope(body));
    EXPECT_EQ(got, 42);
    EXPECT_EQ(log, "s");
    co_return {};
  });
}

TEST(scope, the_first_error_of_a_child_cancels_the_others_and_the_body) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_long(log, 'a'));
      s.spawn(fail_later(log, std::errc::bad_message));
      s.spawn(wait_long(log, 'b'));
      auto waited = co_await sleep(1h);
      EXPECT_TRUE(was_cancelled(waited));
      co_return waited;
    };
    auto got = co_await with_scope(body);
    EXPECT_TRUE(!got && got.error() == std::errc::bad_message);
    EXPECT_EQ(log.size(), 3U);
    co_return {};
  });
}

TEST(scope, an_error_of_the_body_cancels_the_children) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_long(log, 'a'));
      co_await ok(yield());
      co_return fail(std::errc::bad_message);
    };
    auto got = co_await with_scope(body);
    EXPECT_TRUE(!got && got.error() == std::errc::bad_message);
    EXPECT_EQ(log, "a");
    co_return {};
  });
}

TEST(scope, errors_that_its_own_cancellation_brings_are_not_its_own) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_long(log, 'a'));
      s.spawn(say_goodbye(log));
      co_await ok(yield());
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(log, "ag");
    co_return {};
  });
}

TEST(scope, cancellation_from_outside_reaches_children_and_is_the_result) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(wait_long(log, 'a'));
      s.spawn(say_goodbye(log));
      co_return {};
    };
    auto got = co_await within(1ms, with_scope(body));
    EXPECT_TRUE(!got && got.error() == std::errc::timed_out);
    EXPECT_EQ(log, "ag");
    co_return {};
  });
}

TEST(scope, a_child_that_is_spawned_after_the_cancellation_is_cancelled_from_its_start) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      s.cancel();
      s.spawn(wait_long(log, 'a'));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(log, "a");
    co_return {};
  });
}

TEST(scope, an_exception_of_a_child_is_rethrown_after_the_join) {
  play([]() -> task<result<void>> {
    std::string log, caught;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(throw_later());
      s.spawn(say_goodbye(log));
      co_return {};
    };
    try {
      static_cast<void>(co_await with_scope(body));
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    EXPECT_EQ(caught, "thrown");
    EXPECT_EQ(log, "g");
    co_return {};
  });
}

TEST(scope, an_exception_of_the_body_is_rethrown_after_the_join) {
  play([]() -> task<result<void>> {
    std::string log, caught;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(say_goodbye(log));
      co_await ok(yield());
      throw std::runtime_error("of the body");
    };
    try {
      static_cast<void>(co_await with_scope(body));
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    EXPECT_EQ(caught, "of the body");
    EXPECT_EQ(log, "g");
    co_return {};
  });
}

TEST(scope, a_child_may_spawn_siblings) {
  play([]() -> task<result<void>> {
    int count = 0;
    struct family {
      static task<result<void>> grow(scope& s, int depth, int& total) {
        ++total;
        co_await ok(yield());
        if (depth != 0)
          for (int i = 0; i != 2; ++i) s.spawn(grow(s, depth - 1, total));
        co_return {};
      }
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(family::grow(s, 9, count));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(count, 1023);
    co_return {};
  });
}

TEST(scope, scopes_nest_and_the_inner_one_ends_first) {
  play([]() -> task<result<void>> {
    std::string log;
    auto inner_scope = [](std::string& into) -> task<result<void>> {
      auto inner = [&](scope& s) -> task<result<void>> {
        s.spawn(wait_long(into, 'i'));
        co_return {};
      };
      auto got = co_await with_scope(inner);
      into += 'o';
      co_return got;
    };
    auto outer = [&](scope& s) -> task<result<void>> {
      s.spawn(inner_scope(log));
      co_await ok(yield());
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(outer));
    EXPECT_EQ(log, "io");
    co_return {};
  });
}

TEST(scope, ten_thousand_children_come_and_go) {
  play([]() -> task<result<void>> {
    std::string log;
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 10'000; ++i) s.spawn(note(log, '.'));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_EQ(log.size(), 10'000U);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
