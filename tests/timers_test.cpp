// The heap of timers against a sorted list.
#include "random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <soquete/timers.hpp>
#include <vector>

namespace soquete::test {
namespace {

struct numbered : timer {
  std::vector<std::size_t>* fired = nullptr;
  std::size_t number = 0;
};

// Goal: the heap does what a plain list of (moment, sequence) does. Method: random arming, disarming and
// firing, compared after every step; moments are few, so that many are equal.
void compare_with_model(std::uint64_t seed) {
  random_numbers random(seed);
  constexpr std::size_t count = 300;
  std::vector<std::size_t> fired;
  std::deque<numbered> all(count);
  for (std::size_t i = 0; i != count; ++i) {
    all[i].number = i;
    all[i].fired = &fired;
    all[i].fire = [](timer* t) noexcept {
      auto* self = static_cast<numbered*>(t);
      EXPECT_FALSE(self->is_armed());
      self->fired->push_back(self->number);
    };
  }
  struct armed {
    time_point at;
    std::uint64_t order;
    std::size_t number;
    bool operator<(const armed& other) const { return at != other.at ? at < other.at : order < other.order; }
  };
  std::vector<armed> model;
  timer_heap heap;
  std::uint64_t order = 0;
  time_point now{};
  for (int step = 0; step != 20'000; ++step) {
    numbered& t = all[random.below(count)];
    const auto place =
        std::find_if(model.begin(), model.end(), [&](const armed& a) { return a.number == t.number; });
    switch (random.below(8)) {
      default:
        if (place == model.end()) {
          const time_point at = now + clock::duration(random.below(50));
          heap.arm(t, at);
          model.push_back({at, order++, t.number});
        }
        break;
      case 5:
      case 6:
        heap.disarm(t);
        if (place != model.end()) model.erase(place);
        break;
      case 7: {
        now += clock::duration(random.below(10));
        fired.clear();
        heap.fire_due(now);
        std::sort(model.begin(), model.end());
        std::vector<std::size_t> due;
        while (!model.empty() && model.front().at <= now) {
          due.push_back(model.front().number);
          model.erase(model.begin());
        }
        ASSERT_EQ(fired, due) << "seed " << seed << ", step " << step;
        break;
      }
    }
    ASSERT_EQ(heap.size(), model.size()) << "seed " << seed << ", step " << step;
    ASSERT_EQ(heap.empty(), model.empty());
    const auto first = std::min_element(model.begin(), model.end());
    ASSERT_EQ(heap.earliest(), model.empty() ? time_point::max() : first->at);
  }
}

TEST(timers, the_heap_agrees_with_a_list) {
  for (std::uint64_t seed = 1; seed != 11; ++seed) compare_with_model(seed);
}

TEST(timers, timers_of_one_moment_fire_in_the_order_in_which_they_were_armed) {
  std::vector<std::size_t> fired;
  std::deque<numbered> all(1000);
  timer_heap heap;
  for (std::size_t i = 0; i != all.size(); ++i) {
    all[i].number = i;
    all[i].fired = &fired;
    all[i].fire = [](timer* t) noexcept {
      static_cast<numbered*>(t)->fired->push_back(static_cast<numbered*>(t)->number);
    };
    heap.arm(all[i], time_point(clock::duration(5)));
  }
  heap.fire_due(time_point(clock::duration(4)));
  EXPECT_TRUE(fired.empty());
  heap.fire_due(time_point(clock::duration(5)));
  EXPECT_EQ(fired.size(), all.size());
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
}

TEST(timers, a_timer_that_fires_may_disarm_another_and_arm_itself) {
  struct pair_of : timer {
    timer_heap* heap = nullptr;
    timer* other = nullptr;
    int times = 0;
  };
  timer_heap heap;
  pair_of one, other;
  for (pair_of* t : {&one, &other}) {
    t->heap = &heap;
    t->other = t == &one ? &other : &one;
    t->fire = [](timer* fired) noexcept {
      auto* self = static_cast<pair_of*>(fired);
      self->heap->disarm(*self->other);
      if (++self->times != 3) self->heap->arm(*self, self->at + clock::duration(1));
    };
    heap.arm(*t, time_point(clock::duration(1)));
  }
  heap.fire_due(time_point(clock::duration(10)));
  EXPECT_EQ(one.times, 3);
  EXPECT_EQ(other.times, 0);
  EXPECT_TRUE(heap.empty());
}

TEST(timers, disarming_what_is_not_armed_does_nothing) {
  timer_heap heap;
  timer t;
  heap.disarm(t);
  EXPECT_FALSE(t.is_armed());
  EXPECT_EQ(heap.earliest(), time_point::max());
}

}  // namespace
}  // namespace soquete::test
