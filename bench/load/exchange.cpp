// Mode exchange: so many messages, each answered and compared. Nothing is timed: for who counts what the
// server does meanwhile.
#include "crowd.hpp"

namespace load {

void exchange(const options& o) {
  crowd all(o);
  all.grow(o.connections);
  std::size_t asked = 0, answered = 0;
  auto ask = [&](conversation& c) {
    if (asked == o.messages) return;
    ++asked;
    c.speak();
  };
  for (conversation& c : all.members()) ask(c);
  while (answered < o.messages)
    all.turn([&](conversation& c) {
      ++answered;
      ask(c);
    });
  std::printf("{\"count\": %zu}\n", answered);
}

}  // namespace load
