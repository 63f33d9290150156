// Mode open-loop: messages at a rate of their own, however late the answers are, and how long each answer
// took from the moment when its message was due: a server that halts pays for all that were due meanwhile.
#include <deque>
#include <random>
#include <vector>

#include "clock.hpp"
#include "crowd.hpp"
#include "latencies.hpp"

namespace load {

namespace {

// When messages are due, at random, and on which connection; but for the rate the same for every server.
class schedule {
 public:
  schedule(double per_second, std::size_t connections, std::uint64_t from)
      : gap_ns_(per_second / 1e9), any_(0, connections - 1), next_(static_cast<double>(from)) {}

  std::uint64_t next() const { return static_cast<std::uint64_t>(next_); }
  std::size_t take() {
    next_ += gap_ns_(random_);
    return any_(random_);
  }

 private:
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_ns_;
  std::uniform_int_distribution<std::size_t> any_;
  double next_;
};

// Percentiles of each tenth of a second, and of those the median. A virtual machine halts for some ms now and
// then; over the whole time a p99.9 would tell of that, and of no server. What a server does more often is
// seen.
class by_tenths {
 public:
  explicit by_tenths(double per_second) : enough_(static_cast<std::size_t>(per_second / 20)) {}
  void add(std::uint64_t since_began, std::uint64_t took) {
    const std::size_t at = since_began / tenth_ns;
    while (tenths_.size() <= at) tenths_.emplace_back(1 << 14);
    tenths_[at].add(took);
    ++count_;
  }
  std::size_t count() const { return count_; }
  double percentile_us(double part) {
    std::vector<double> each;
    for (latencies& tenth : tenths_)
      if (tenth.count() >= enough_) each.push_back(tenth.percentile_us(part));
    if (each.empty()) fail("too few messages in every tenth of a second");
    const auto middle = each.begin() + static_cast<std::ptrdiff_t>(each.size() / 2);
    std::nth_element(each.begin(), middle, each.end());
    return *middle;
  }

 private:
  static constexpr std::uint64_t tenth_ns = 100'000'000;
  const std::size_t enough_;  // Half of what is due in one: the last is a part only.
  std::vector<latencies> tenths_;
  std::size_t count_ = 0;
};

}  // namespace

void open_loop(const options& o) {
  if (o.rate <= 0) fail("--rate is missing");
  crowd all(o);
  all.grow(o.connections);
  // Due and not answered, by connection. The first one is asked; the others wait until it is answered.
  std::vector<std::deque<std::uint64_t>> due(o.connections);
  by_tenths taken(o.rate);
  std::uint64_t counts_from = UINT64_MAX, now = now_ns();
  std::size_t unanswered = 0;
  auto on_answer = [&](conversation& c) {
    std::deque<std::uint64_t>& mine = due[all.index_of(c)];
    now = now_ns();
    if (mine.front() >= counts_from) taken.add(mine.front() - counts_from, now - mine.front());
    mine.pop_front();
    --unanswered;
    if (!mine.empty()) c.speak();
  };
  schedule plan(o.rate, o.connections, now);
  stopwatch watch(o);
  while (watch.tick(now = now_ns())) {
    if (watch.running() && counts_from == UINT64_MAX) counts_from = now;
    while (plan.next() <= now) {
      std::uint64_t at = plan.next();
      std::size_t who = plan.take();
      due[who].push_back(at);
      ++unanswered;
      if (due[who].size() == 1) all.members()[who].speak();
    }
    all.turn(on_answer);
  }
  while (unanswered > 0) all.turn(on_answer);
  double messages = static_cast<double>(taken.count());
  std::printf(
      "{\"count\": %.0f, \"cpu_ns\": %.1f, \"per_second\": %.1f, \"busy\": %.3f, \"p50_us\": %.1f, "
      "\"p99_us\": "
      "%.1f, \"p999_us\": %.1f}\n",
      messages, watch.cpu_ns() / messages, messages / watch.seconds(), watch.cpu_ns() / 1e9 / watch.seconds(),
      taken.percentile_us(0.5), taken.percentile_us(0.99), taken.percentile_us(0.999));
}

}  // namespace load
