// Tasks: coroutines that end with a value, an error or an exception.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <soquete/deadline.hpp>
#include <soquete/run.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

void play(const std::function<task<result<void>>()>& body) {
  const baseline before = baseline::now();
  {
    test_loop loop(driver_choice::poll);
    const auto ended = loop.run(body());
    EXPECT_TRUE(ended) << to_string(ended.error());
  }
  EXPECT_EQ(baseline::now(), before);
}

// Notes when it is destroyed.
class noted {
 public:
  noted(std::vector<std::string>& into, std::string name) : into_(into), name_(std::move(name)) {}
  noted(const noted&) = delete;
  noted& operator=(const noted&) = delete;
  ~noted() { into_.push_back(name_); }

 private:
  std::vector<std::string>& into_;
  std::string name_;
};

task<result<int>> number(int n) { co_return n; }
task<result<int>> number_later(int n) {
  co_await ok(yield());
  co_return n;
}
task<result<int>> failing() { co_return fail(std::errc::no_buffer_space, step::send); }
task<result<int>> failing_later() {
  co_await ok(yield());
  co_return fail(std::errc::no_buffer_space, step::send);
}
task<result<int>> throwing() {
  co_await ok(yield());
  throw std::runtime_error("thrown");
}
task<void> nothing() { co_return; }
task<int> plain() { co_return 5; }

TEST(task, it_does_nothing_until_it_is_awaited) {
  const std::size_t before = live_frames();
  bool ran = false;
  auto work = [](bool& mark) -> task<result<void>> {
    mark = true;
    co_return {};
  };
  {
    auto unstarted = work(ran);
    EXPECT_EQ(live_frames(), before + 1);
    auto moved = std::move(unstarted);
    EXPECT_EQ(live_frames(), before + 1);
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(live_frames(), before);
}

TEST(task, it_gives_its_value) {
  play([]() -> task<result<void>> {
    const int now = co_await ok(number(1));
    const int later = co_await ok(number_later(2));
    auto as_result = co_await number(3);
    EXPECT_EQ(now + later, 3);
    EXPECT_TRUE(as_result && *as_result == 3);
    co_await nothing();
    const int five = co_await plain();
    EXPECT_EQ(five, 5);
    co_return {};
  });
}

TEST(task, an_error_is_a_value_when_awaited_directly) {
  play([]() -> task<result<void>> {
    for (auto* work : {&failing, &failing_later}) {
      auto got = co_await (*work)();
      EXPECT_TRUE(!got && got.error() == std::errc::no_buffer_space && got.error().during() == step::send);
    }
    co_return {};
  });
}

TEST(task, ok_ends_the_coroutine_with_the_error) {
  play([]() -> task<result<void>> {
    bool went_on = false;
    for (auto* work : {&failing, &failing_later}) {
      auto outer = [](task<result<int>> inner, bool& mark) -> task<result<std::string>> {
        const int got = co_await ok(std::move(inner));
        mark = true;
        co_return std::to_string(got);
      };
      auto got = co_await outer((*work)(), went_on);
      EXPECT_TRUE(!got && got.error() == std::errc::no_buffer_space);
    }
    EXPECT_FALSE(went_on);
    co_return {};
  });
}

TEST(task, ok_takes_a_result_that_is_there) {
  play([]() -> task<result<void>> {
    const int got = co_await ok(result<int>(4));
    EXPECT_EQ(got, 4);
    auto refused = []() -> task<result<int>> {
      result<int> none = fail(std::errc::bad_message);
      co_return co_await ok(std::move(none));
    };
    auto none = co_await refused();
    EXPECT_TRUE(!none && none.error() == std::errc::bad_message);
    co_return {};
  });
}

TEST(task, locals_of_a_coroutine_that_ok_ends_die_in_order_before_its_parent_goes_on) {
  play([]() -> task<result<void>> {
    for (auto* work : {&failing, &failing_later}) {
      std::vector<std::string> died;
      auto outer = [](task<result<int>> inner, std::vector<std::string>& into) -> task<result<void>> {
        const noted first(into, "first");
        const noted second(into, "second");
        static_cast<void>(co_await ok(std::move(inner)));
        const noted never(into, "never");
        co_return {};
      };
      auto got = co_await outer((*work)(), died);
      EXPECT_FALSE(got);
      EXPECT_EQ(died, (std::vector<std::string>{"second", "first"}));
    }
    co_return {};
  });
}

TEST(task, an_exception_leaves_at_the_await) {
  play([]() -> task<result<void>> {
    std::string caught;
    try {
      static_cast<void>(co_await throwing());
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    EXPECT_EQ(caught, "thrown");
    caught.clear();
    try {
      static_cast<void>(co_await ok(throwing()));
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    EXPECT_EQ(caught, "thrown");
    co_return {};
  });
}

TEST(task, an_exception_leaves_a_context_too) {
  context net;
  EXPECT_THROW(static_cast<void>(net.wait(throwing())), std::runtime_error);
  auto still = net.wait(number_later(3));
  EXPECT_TRUE(still && *still == 3);
}

TEST(task, values_that_only_move_pass) {
  play([]() -> task<result<void>> {
    auto make = []() -> task<result<std::unique_ptr<int>>> {
      co_await ok(yield());
      co_return std::make_unique<int>(7);
    };
    std::unique_ptr<int> got = co_await ok(make());
    EXPECT_EQ(*got, 7);
    co_return {};
  });
}

task<result<int>> deep(int depth) {
  if (depth == 0) co_return co_await number_later(0);
  const int below = co_await ok(deep(depth - 1));
  co_return below + 1;
}

TEST(task, a_thousand_nested_tasks_end_one_after_the_other) {
  play([]() -> task<result<void>> {
    // The way down is a stack of calls, the way up is not.
    const int got = co_await ok(deep(1000));
    EXPECT_EQ(got, 1000);
    co_return {};
  });
}

TEST(task, a_parameter_lives_as_long_as_its_coroutine) {
  play([]() -> task<result<void>> {
    std::vector<std::string> died;
    auto hold = [](std::unique_ptr<noted> held, std::vector<std::string>& into) -> task<result<void>> {
      co_await ok(yield());
      into.push_back("ended");
      static_cast<void>(held);
      co_return {};
    };
    auto held = std::make_unique<noted>(died, "held");
    co_await ok(hold(std::move(held), died));
    EXPECT_EQ(died, (std::vector<std::string>{"ended", "held"}));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
