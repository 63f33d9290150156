// A poller over poll(2), level-triggered: for systems and sandboxes that have nothing better.
#include <poll.h>
#include <cerrno>
#include <vector>

#include "kernel/poller.hpp"
#include "kernel/system.hpp"
#include "kernel/wake_event.hpp"

namespace soquete::kernel {
namespace {

class poll_poller final : public poller {
 public:
  result<void> open() {
    if (auto opened = wake_.open(); !opened) return opened;
    slots_.push_back({wake_.descriptor(), POLLIN, 0});
    generations_.push_back(0);
    return {};
  }

  std::string_view name() const noexcept override { return "poll"; }
  bool is_edge_triggered() const noexcept override { return false; }

  int add(int descriptor, poll_token token) noexcept override {
    const std::size_t place = token.place + 1;  // The first slot is the wake-up's.
    if (place >= slots_.size()) {
      slots_.resize(place + 1, {-1, 0, 0});
      generations_.resize(place + 1);
    }
    slots_[place] = {~descriptor, 0, 0};
    generations_[place] = token.generation;
    return 0;
  }

  int add_level(int descriptor, poll_token token) noexcept override { return add(descriptor, token); }

  void want(int descriptor, poll_token token, bool reading, bool writing) noexcept override {
    pollfd& slot = slots_[token.place + 1];
    // Without interest the descriptor is hidden: poll(2) would tell of a hang-up again and again.
    slot.fd = reading || writing ? descriptor : ~descriptor;
    slot.events = static_cast<short>((reading ? POLLIN | poll_hang_up : 0) | (writing ? POLLOUT : 0));
  }

  void remove(int, poll_token token) noexcept override { slots_[token.place + 1] = {-1, 0, 0}; }

  std::span<const ready_event> wait(time_point now, time_point until) noexcept override {
    ready_.clear();
    int left = wait_for(now, until);
    if (left <= 0) return {};
    if (slots_[0].revents != 0) {
      wake_.clear();
      --left;
    }
    for (std::size_t place = 1; place < slots_.size() && left > 0; ++place) {
      const short events = slots_[place].revents;
      if (events == 0) continue;
      --left;
      const bool hung_up = (events & (poll_hang_up | POLLHUP | POLLERR | POLLNVAL)) != 0;
      const bool failed = (events & (POLLHUP | POLLERR | POLLNVAL)) != 0;
      ready_.push_back({{static_cast<std::uint32_t>(place - 1), generations_[place]},
                        hung_up || (events & POLLIN) != 0,
                        failed || (events & POLLOUT) != 0,
                        hung_up});
    }
    return ready_;
  }

  void wake() noexcept override { wake_.signal(); }

 private:
  int wait_for(time_point now, time_point until) noexcept {
    using namespace std::chrono;
    if (until == time_point::max()) return poll_for(slots_.data(), slots_.size(), nullptr);
    const auto left = std::max(until - now, clock::duration::zero());
    const timespec span{duration_cast<seconds>(left).count(), static_cast<long>((left % seconds(1)).count())};
    return poll_for(slots_.data(), slots_.size(), &span);
  }

  wake_event wake_;
  std::vector<pollfd> slots_;
  std::vector<std::uint32_t> generations_;
  std::vector<ready_event> ready_;
};

}  // namespace

result<std::unique_ptr<poller>> make_poll_poller() {
  auto made = std::make_unique<poll_poller>();
  if (auto opened = made->open(); !opened) return fail(std::move(opened.error()));
  return made;
}

}  // namespace soquete::kernel
