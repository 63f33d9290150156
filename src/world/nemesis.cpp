// What goes wrong by itself: which kinds, how often, when.  Groce et al., Swarm Testing, ISSTA 2012
#include "world/inside.hpp"

namespace soquete::sim {

swarm swarm::without(fault kind) const noexcept {
  swarm made = *this;
  made.kinds_ &= ~(1U << static_cast<unsigned>(kind));
  return made;
}

swarm swarm::only(fault kind) const noexcept {
  swarm made = *this;
  made.kinds_ &= 1U << static_cast<unsigned>(kind);
  return made;
}

swarm swarm::until(std::chrono::nanoseconds end) const noexcept {
  swarm made = *this;
  made.end_ = end;
  return made;
}

swarm swarm::all_at_once() const noexcept {
  swarm made = *this;
  made.is_all_at_once_ = true;
  return made;
}

bool swarm::has(fault kind) const noexcept { return (kinds_ >> static_cast<unsigned>(kind) & 1) != 0; }

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t one = std::uint64_t{1} << 32;  // A rate of always.

// As much above `least` as below `most`, in powers of two.
constexpr std::uint64_t middle_of(std::uint64_t least, std::uint64_t most) noexcept {
  for (; least < most / 2; most /= 2) least *= 2;
  return least;
}

// Faults that begin and end.
class nemesis final : public occurrence {
 public:
  nemesis(world::inside& on, moment end) noexcept
      : on_(on), end_(end), draws_(on.net.seed, purpose::nemesis) {}

  void begin(fault kind, bool is_middling) {
    constexpr auto least = moment(500ms).count(), most = moment(30s).count();
    every_[static_cast<std::size_t>(kind)] =
        moment(is_middling ? middle_of(least, most) : draws_.log_between(least, most));
    add(kind);
  }

  void happen(network& net, unsigned what) noexcept override {
    if (on_.is_ending || net.now() >= end_) return;
    strike(static_cast<fault>(what));
    add(static_cast<fault>(what));
  }

 private:
  void add(fault kind) {
    const auto every = static_cast<std::uint64_t>(every_[static_cast<std::size_t>(kind)].count());
    on_.net.events.add(on_.net.now() + moment(draws_.between(1, 2 * every)), *this,
                       static_cast<unsigned>(kind) | agenda::background);
  }
  void later(moment how_long, std::function<void()> what) {
    const shared<call> end(new call(std::move(what)));
    on_.net.events.add(on_.net.now() + how_long, *end, 0);
  }
  host::inside& victim() { return *on_.hosts[draws_.below(on_.hosts.size())]; }

  void strike(fault kind) {
    // What ends later outlives this object.
    world::inside* const in = &on_;
    host::inside* const first = &victim();
    host::inside* const second = &victim();
    const moment how_long(draws_.log_between(moment(10ms).count(), moment(20s).count()));
    if (!in->net.may_strike(kind)) return;
    switch (kind) {
      case fault::cut:
        in->net.cut(first->at, second->at, link::cause::fault);
        return later(how_long, [=] { in->net.mend(first->at, second->at, link::cause::fault); });
      case fault::isolate:
        for (const auto& other : in->hosts) {
          in->net.cut(first->at, other->at, link::cause::fault);
          in->net.cut(other->at, first->at, link::cause::fault);
        }
        return later(how_long, [=] {
          for (const auto& other : in->hosts) {
            in->net.mend(first->at, other->at, link::cause::fault);
            in->net.mend(other->at, first->at, link::cause::fault);
          }
        });
      case fault::pause: return first->stand_still(how_long);
      case fault::crash:
        first->fall();
        return later(how_long, [=] {
          if (!in->is_ending) first->rise();
        });
      default: return;
    }
  }

  world::inside& on_;
  moment end_;
  random draws_;
  std::array<moment, fault_count> every_{};
};

}  // namespace

void unleash(world::inside& on, const swarm& what) {
  random draws(on.net.seed, purpose::swarm, 1);
  weather& w = on.net.clouds;
  w = {};
  w.end = what.end();
  const bool is_swarm = !what.is_all_at_once();
  const std::uint64_t sort = is_swarm ? draws.below(10) : 10;
  if (sort == 0) return;  // A clear day, to compare with.
  if (sort == 1) {
    if (what.has(fault::pieces)) w[fault::pieces] = one;
    return;
  }
  const auto drawn = [&](fault kind, std::uint64_t least, std::uint64_t most) -> std::uint64_t {
    const bool is_on = !is_swarm || draws.below(2) == 0;
    const std::uint64_t rate = is_swarm ? draws.log_between(least, most) : middle_of(least, most);
    return is_on && what.has(kind) ? rate : 0;
  };
  w[fault::delay] = drawn(fault::delay, one / 1'000, one / 10);
  w[fault::loss] = drawn(fault::loss, one / 1'000, one / 4);
  w[fault::duplicate] = drawn(fault::duplicate, one / 100, one / 4);
  w[fault::pieces] = drawn(fault::pieces, one / 100, one);
  w[fault::reset] = drawn(fault::reset, one / 10'000, one / 20);
  w[fault::refuse] = drawn(fault::refuse, one / 100, one / 4);
  w[fault::exhaust] = drawn(fault::exhaust, one / 1'000, one / 4);
  w[fault::order] = drawn(fault::order, one / 100, one / 2);
  const shared<nemesis> evil(new nemesis(on, what.end()));
  for (const fault kind : {fault::cut, fault::isolate, fault::pause, fault::crash})
    if (drawn(kind, 1, 2) != 0) evil->begin(kind, !is_swarm);
  w[fault::name] = drawn(fault::name, one / 100, one / 2);
}

}  // namespace soquete::sim
