// What is awaited stays where it is, wherever the co_await stands, and dies once.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <soquete/deadline.hpp>
#include <soquete/run.hpp>
#include <tuple>
#include <vector>

namespace soquete::test {
namespace {

// How many awaits have ended, and how many objects are left.
struct tally {
  int awaited = 0;
  int alive = 0;
};

// Waits for the next round, and looks whether it still is what it was. Large, so that what runs meanwhile
// would be seen to write over one that had been left on the stack.
class steady : waiter {
 public:
  using awaiter = steady;
  steady(tally& t, int value) noexcept : tally_(t), value_(value) {
    ++tally_.alive;
    fill_.fill(value);
  }
  steady(steady&& other) noexcept : steady(other.tally_, other.value_) {}
  ~steady() {
    EXPECT_TRUE(is_whole());
    --tally_.alive;
    fill_.fill(-1);
  }

  bool begin(environment env, waiter* then) noexcept {
    self_ = this;
    then_ = then;
    wake = [](waiter* w) noexcept {
      auto* const me = static_cast<steady*>(w);
      me->then_->wake(me->then_);
    };
    env.queue->push(*this);
    return true;
  }
  bool failed() const noexcept { return value_ < 0; }
  result<int> take() {
    EXPECT_EQ(self_, this);
    EXPECT_TRUE(is_whole());
    ++tally_.awaited;
    if (failed()) return fail(std::errc::no_buffer_space, step::send);
    return value_;
  }

 private:
  bool is_whole() const {
    for (const int each : fill_)
      if (each != value_) return false;
    return true;
  }

  tally& tally_;
  int value_;
  steady* self_ = nullptr;
  waiter* then_ = nullptr;
  std::array<int, 64> fill_{};
};

// What it does counts its awaits, and leaves nothing.
void expect_awaits(int count, task<result<void>> (*body)(tally&), bool fails = false) {
  const baseline before = baseline::now();
  tally seen;
  {
    test_loop loop(driver_choice::poll);
    EXPECT_NE(loop.run(body(seen)).has_value(), fails);
  }
  EXPECT_EQ(seen.awaited, count);
  EXPECT_EQ(seen.alive, 0);
  EXPECT_EQ(baseline::now(), before);
}

TEST(await, alone_and_in_a_sum) {
  expect_awaits(4, [](tally& t) -> task<result<void>> {
    const int one = co_await ok(steady(t, 1));
    EXPECT_EQ(one + co_await ok(steady(t, 2)) * co_await ok(steady(t, 3)), 7);
    EXPECT_EQ((co_await steady(t, 4)).value(), 4);
    co_return {};
  });
}

TEST(await, in_conditions) {
  expect_awaits(7, [](tally& t) -> task<result<void>> {
    int seen = 0;
    if (co_await ok(steady(t, 1)) == 1) ++seen;
    if (co_await ok(steady(t, 0)) == 1 || co_await ok(steady(t, 2)) == 2) ++seen;
    if (co_await ok(steady(t, 0)) == 1 && co_await ok(steady(t, 3)) == 3) ++seen;
    if (const int got = co_await ok(steady(t, 4)); got == 4) ++seen;
    if (auto got = co_await steady(t, 5)) ++seen;
    switch (co_await ok(steady(t, 6))) {
      case 6: ++seen; break;
      default: break;
    }
    EXPECT_EQ(seen, 5);
    co_return {};
  });
}

TEST(await, in_loops) {
  expect_awaits(9, [](tally& t) -> task<result<void>> {
    int left = 2;
    while (co_await ok(steady(t, left)) > 0) --left;
    do ++left;
    while (co_await ok(steady(t, left)) < 2);
    for (int i = co_await ok(steady(t, 0)); i < co_await ok(steady(t, 1)); i += co_await ok(steady(t, 1))) {}
    co_return {};
  });
}

TEST(await, in_a_choice_and_in_arguments) {
  expect_awaits(5, [](tally& t) -> task<result<void>> {
    const bool first = co_await ok(steady(t, 1)) == 1;
    EXPECT_EQ(first ? co_await ok(steady(t, 2)) : co_await ok(steady(t, 3)), 2);
    const auto sum = [](int a, int b) { return a + b; };
    EXPECT_EQ(sum(co_await ok(steady(t, 4)), co_await ok(steady(t, 5))), 9);
    const std::tuple<int, int> both{co_await ok(steady(t, 6)), 7};
    EXPECT_EQ(std::get<0>(both), 6);
    co_return {};
  });
}

TEST(await, one_that_has_a_name_may_be_awaited_again) {
  expect_awaits(3, [](tally& t) -> task<result<void>> {
    steady named(t, 1);
    EXPECT_EQ(co_await ok(named), 1);
    EXPECT_EQ(co_await ok(std::move(named)), 1);
    EXPECT_EQ(*(co_await named), 1);
    co_return {};
  });
}

TEST(await, in_a_return_a_range_and_braces) {
  expect_awaits(4, [](tally& t) -> task<result<void>> {
    const auto returned = [](tally& in) -> task<result<int>> { co_return co_await steady(in, 1); };
    EXPECT_EQ(co_await ok(returned(t)), 1);
    int rounds = 0;
    for (const int i : std::vector<int>(static_cast<std::size_t>(co_await ok(steady(t, 2))))) rounds += i + 1;
    EXPECT_EQ(rounds, 2);
    struct pair {
      int first, second;
    };
    const pair made{co_await ok(steady(t, 3)), co_await ok(steady(t, 4))};
    EXPECT_EQ(made.first * made.second, 12);
    co_return {};
  });
}

// Either half may be asked for first.
TEST(await, one_that_fails_beside_others_leaves_none) {
  for (const int fails : {1, 2}) {
    tally seen;
    test_loop loop(driver_choice::poll);
    const auto body = [](tally& t, int which) -> task<result<void>> {
      const auto sum = [](int a, int b) { return a + b; };
      ADD_FAILURE() << sum(co_await ok(steady(t, which == 1 ? -1 : 1)),
                           co_await ok(steady(t, which == 2 ? -2 : 2)));
      co_return {};
    };
    EXPECT_FALSE(loop.run(body(seen, fails)));
    EXPECT_EQ(seen.alive, 0);
  }
}

TEST(await, one_that_fails_in_a_condition_leaves_none) {
  expect_awaits(
      2,
      [](tally& t) -> task<result<void>> {
        const bool first = co_await ok(steady(t, 0)) != 0;
        ADD_FAILURE() << (first ? co_await ok(steady(t, 1)) : co_await ok(steady(t, -1)));
        co_return {};
      },
      true);
  expect_awaits(
      2,
      [](tally& t) -> task<result<void>> {
        if (co_await ok(steady(t, 0)) == 0 && co_await ok(steady(t, -1)) == 0) ADD_FAILURE();
        co_return {};
      },
      true);
  expect_awaits(
      2,
      [](tally& t) -> task<result<void>> {
        if (co_await ok(steady(t, 0)) == 1 || co_await ok(steady(t, -1)) == 0) ADD_FAILURE();
        co_return {};
      },
      true);
}

TEST(await, one_that_fails_dies_with_its_coroutine) {
  expect_awaits(
      2,
      [](tally& t) -> task<result<void>> {
        const int one = co_await ok(steady(t, 1));
        ADD_FAILURE() << one + co_await ok(steady(t, -2));
        co_return {};
      },
      true);
}

TEST(await, within_a_deadline) {
  expect_awaits(1, [](tally& t) -> task<result<void>> {
    EXPECT_EQ(co_await ok(within(std::chrono::hours(1), steady(t, 1))), 1);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
