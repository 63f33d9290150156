// Runs a scenario again and again, and ends it at another moment each time.
#include "each_moment.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t turns_max = 2000;

// Strikes once, at one turn.
struct striker : turn_watcher, private waiter {
  strike how;
  std::size_t at;
  std::size_t turns = 0;
  bool has_struck = false;
  bool is_over = false;
  test_loop* loop = nullptr;

  striker(strike h, std::size_t a) : how(h), at(a) {
    waiter::wake = [](waiter* w) noexcept { static_cast<striker*>(w)->end(); };
  }
  void before_turn() override {
    if (how == strike::before_turn && is_due()) end();
  }
  void after_turn() override {
    if (is_due()) {
      if (how == strike::after_turn) end();
      if (how == strike::in_round) loop->here().push(*this);
      if (how == strike::deadline) {
        has_struck = true;
        leap += 2h;
      }
    }
    ++turns;
  }
  bool is_due() const { return turns == at && !is_over; }
  void end() noexcept {
    has_struck = true;
    loop->cancel();
  }
};

bool was_ended(const result<void>& how, strike by) {
  if (how) return true;
  return how.error() == (by == strike::deadline ? std::errc::timed_out : std::errc::operation_canceled);
}

// False: it got to its end untouched.
bool run_once(driver_choice which, const scenario& play, strike how, std::size_t at) {
  SCOPED_TRACE("struck " + std::to_string(static_cast<int>(how)) + " at turn " + std::to_string(at));
  const baseline before = baseline::now();
  lent_memory memory;
  striker watcher(how, at);
  {
    test_loop loop(which, &watcher);
    watcher.loop = &loop;
    const auto ended = how == strike::deadline ? loop.run([](task<result<void>> work) -> task<result<void>> {
      co_return co_await within(1h, std::move(work));
    }(play(memory)))
                                               : loop.run(play(memory));
    watcher.is_over = true;
    EXPECT_TRUE(was_ended(ended, how)) << to_string(ended.error());
    if (!watcher.has_struck) EXPECT_TRUE(ended.has_value());
    loop.settle();
    EXPECT_EQ(loop.counts().sockets, 0U);
    EXPECT_EQ(loop.counts().leases, 0U);
    EXPECT_EQ(loop.here().timers().size(), 0U);
  }
  EXPECT_TRUE(memory.is_untouched()) << "written to after the end of the await";
  EXPECT_EQ(baseline::now(), before);
  return watcher.has_struck;
}

}  // namespace

std::size_t at_each_moment(driver_choice which, const scenario& play) {
  std::size_t runs = 0;
  for (strike how : {strike::before_turn, strike::after_turn, strike::in_round, strike::deadline}) {
    for (std::size_t at = 0; at != turns_max; ++at) {
      ++runs;
      if (!run_once(which, play, how, at) || testing::Test::HasFailure()) break;
    }
  }
  return runs;
}

}  // namespace soquete::test
