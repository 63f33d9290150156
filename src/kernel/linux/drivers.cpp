// The drivers of Linux: io_uring, epoll, poll.
#include "kernel/drivers.hpp"

#include <array>

#if defined(SOQUETE_HAVE_URING)
#include "kernel/uring.hpp"
#endif

namespace soquete::kernel {
namespace {

result<owned<driver>> over_io_uring([[maybe_unused]] run_queue& queue) {
#if defined(SOQUETE_HAVE_URING)
  owned made(new uring_driver(queue));
  if (auto opened = made->set_up(); !opened) return fail(std::move(opened.error()));
  return made;
#else
  error why(fault::unsupported, step::start_driver);
  return fail(std::move(why.set_subject("io_uring").set_detail("this build has no liburing")));
#endif
}

}  // namespace

std::span<const driver_choice> usual_drivers() noexcept {
  static constexpr std::array in_order{driver_choice::io_uring, driver_choice::epoll, driver_choice::poll};
  return in_order;
}

result<owned<driver>> open_driver(run_queue& queue, driver_choice which) {
  switch (which) {
    case driver_choice::epoll: return over(make_epoll_poller(), queue);
    case driver_choice::poll: return over(make_poll_poller(), queue);
    case driver_choice::kqueue: return elsewhere("kqueue", "macOS only");
    default: return over_io_uring(queue);
  }
}

}  // namespace soquete::kernel
