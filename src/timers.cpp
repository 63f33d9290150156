// Deadlines of one thread: an intrusive heap of four children a node.
#include <algorithm>
#include <soquete/timers.hpp>

namespace soquete {
namespace {

constexpr std::uint32_t arity = 4;

bool before(const timer* a, const timer* b) noexcept {
  return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

}  // namespace

void timer_heap::put(std::uint32_t place, timer* t) noexcept {
  heap_[place] = t;
  t->place = place;
}

void timer_heap::up(std::uint32_t place) noexcept {
  timer* const t = heap_[place];
  while (place != 0) {
    const std::uint32_t parent = (place - 1) / arity;
    if (!before(t, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, t);
}

void timer_heap::down(std::uint32_t place) noexcept {
  timer* const t = heap_[place];
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    const std::uint32_t first = place * arity + 1;
    if (first >= size) break;
    std::uint32_t least = first;
    for (std::uint32_t child = first + 1; child < std::min(first + arity, size); ++child)
      if (before(heap_[child], heap_[least])) least = child;
    if (!before(heap_[least], t)) break;
    put(place, heap_[least]);
    place = least;
  }
  put(place, t);
}

void timer_heap::arm(timer& t, time_point at) {
  assert(!t.is_armed());
  t.at = at;
  t.sequence = ++armed_;
  heap_.push_back(&t);
  up(static_cast<std::uint32_t>(heap_.size() - 1));
}

void timer_heap::disarm(timer& t) noexcept {
  if (!t.is_armed()) return;
  const std::uint32_t place = t.place;
  timer* const last = heap_.back();
  heap_.pop_back();
  t.place = timer::unarmed;
  if (last == &t) return;
  put(place, last);
  up(place);
  down(last->place);
}

void timer_heap::fire_due(time_point now) noexcept {
  while (!heap_.empty() && heap_.front()->at <= now) {
    timer* const t = heap_.front();
    disarm(*t);
    t->fire(t);
  }
}

}  // namespace soquete
