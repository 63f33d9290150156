// The drivers of macOS: kqueue, poll.
#include "kernel/drivers.hpp"

#include <array>

#include "kernel/kqueue.hpp"

namespace soquete::kernel {
namespace {

result<std::unique_ptr<poller>> make_kqueue_poller() {
  auto calls = open_kqueue();
  if (!calls) return fail(std::move(calls.error()));
  auto made = std::make_unique<kqueue_poller>(std::move(*calls));
  if (auto opened = made->open(); !opened) return fail(std::move(opened.error()));
  return made;
}

}  // namespace

std::span<const driver_choice> usual_drivers() noexcept {
  static constexpr std::array in_order{driver_choice::kqueue, driver_choice::poll};
  return in_order;
}

result<owned<driver>> open_driver(run_queue& queue, driver_choice which) {
  switch (which) {
    case driver_choice::kqueue: return over(make_kqueue_poller(), queue);
    case driver_choice::poll: return over(make_poll_poller(), queue);
    case driver_choice::epoll: return elsewhere("epoll", "Linux only");
    default: return elsewhere("io_uring", "Linux only");
  }
}

}  // namespace soquete::kernel
