// Awaits that complete at once use a flat stack, also without optimisation: this file is compiled at -O0.
//
// Goal: ten million awaits that never wait need no more stack than one. Method: every await notes how deep
// the stack is; the deepest and the highest place must be close together.
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <soquete/event.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

constexpr std::uint64_t awaits_wanted = 10'000'000;
constexpr std::uintptr_t stack_max = 16 * 1024;

class depth {
 public:
  void note() noexcept {
    // Not the address of a local: sanitizers keep those elsewhere.
    const auto at = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest_ = std::min(lowest_, at);
    highest_ = std::max(highest_, at);
    ++notes_;
  }
  std::uintptr_t range() const noexcept { return highest_ - lowest_; }
  std::uint64_t notes() const noexcept { return notes_; }

 private:
  std::uintptr_t lowest_ = UINTPTR_MAX;
  std::uintptr_t highest_ = 0;
  std::uint64_t notes_ = 0;
};

task<result<int>> innermost(depth& d) {
  d.note();
  co_return 1;
}
task<result<int>> middle(depth& d) {
  const int got = co_await ok(innermost(d));
  d.note();
  co_return got;
}
task<result<int>> middle_directly(depth& d) {
  auto got = co_await innermost(d);
  d.note();
  co_return got;
}

task<result<void>> await_all(depth& d) {
  while (d.notes() < awaits_wanted) {
    static_cast<void>(co_await ok(middle(d)));
    d.note();
    static_cast<void>(co_await middle_directly(d));
    d.note();
  }
  co_return {};
}

TEST(stack, ten_million_awaits_that_never_wait_use_a_flat_stack) {
  depth d;
  test_loop loop(driver_choice::poll);
  EXPECT_TRUE(loop.run(await_all(d)));
  EXPECT_GE(d.notes(), awaits_wanted);
  EXPECT_LT(d.range(), stack_max);
}

// Two that wake each other complete through the queue, not through the stack.
task<result<void>> play_ball(event& ours, event& theirs, depth& d, bool begins) {
  for (int i = 0; i != 200'000; ++i) {
    if (!begins || i != 0) co_await ok(ours.wait());
    d.note();
    theirs.notify_all();
  }
  ours.notify_all();
  co_return {};
}

TEST(stack, two_tasks_that_wake_each_other_use_a_flat_stack) {
  depth d;
  test_loop loop(driver_choice::poll);
  auto body = [&]() -> task<result<void>> {
    event one, other;
    auto inside = [&](scope& s) -> task<result<void>> {
      s.spawn(play_ball(one, other, d, false));
      s.spawn(play_ball(other, one, d, true));
      co_return {};
    };
    co_return co_await with_scope(inside);
  };
  EXPECT_TRUE(loop.run(body()));
  EXPECT_EQ(d.notes(), 400'000U);
  EXPECT_LT(d.range(), stack_max);
}

}  // namespace
}  // namespace soquete::test
