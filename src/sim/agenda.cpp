// What is going to happen in a simulated network.
#include "sim/agenda.hpp"

#include <algorithm>

namespace soquete::sim {

agenda::~agenda() { clear(); }

void agenda::clear() noexcept {
  while (!heap_.empty()) {
    const event one = heap_.back();
    heap_.pop_back();
    one.whose->let_go();
  }
  foreground_ = 0;
}

void agenda::add(moment at, occurrence& whose, unsigned what) {
  whose.hold();
  if ((what & background) == 0) ++foreground_;
  heap_.push_back({at, ++added_, &whose, what});
  std::push_heap(heap_.begin(), heap_.end(), is_later);
}

void agenda::happen(network& net) noexcept {
  std::pop_heap(heap_.begin(), heap_.end(), is_later);
  const event now = heap_.back();
  heap_.pop_back();
  if ((now.what & background) == 0) --foreground_;
  ++happened_;
  now.whose->happen(net, now.what & ~background);
  now.whose->let_go();
}

}  // namespace soquete::sim
