// Which driver: by name, or the best that works here.
#include <cstdlib>
#include <string>

#include "kernel/poller.hpp"
#include "kernel/readiness.hpp"
#if defined(SOQUETE_HAVE_URING)
#include "kernel/uring.hpp"
#endif

namespace soquete {
namespace {

using kernel::poller;

result<owned<driver>> over(result<std::unique_ptr<poller>> made, run_queue& queue) {
  if (!made) return fail(std::move(made.error()));
  return owned<driver>(new kernel::readiness_driver(queue, std::move(*made)));
}

result<owned<driver>> over_io_uring([[maybe_unused]] run_queue& queue) {
#if defined(SOQUETE_HAVE_URING)
  owned made(new kernel::uring_driver(queue));
  if (auto opened = made->set_up(); !opened) return fail(std::move(opened.error()));
  return made;
#else
  error why(fault::unsupported, step::start_driver);
  return fail(std::move(why.set_subject("io_uring").set_detail("this build has no liburing")));
#endif
}

result<owned<driver>> open_one(run_queue& queue, driver_choice which) {
  switch (which) {
    case driver_choice::epoll: return over(kernel::make_epoll_poller(), queue);
    case driver_choice::poll: return over(kernel::make_poll_poller(), queue);
    default: return over_io_uring(queue);
  }
}

result<driver_choice> from_environment() {
  const char* const named = std::getenv("SOQUETE_DRIVER");
  const std::string_view name = named == nullptr ? std::string_view() : named;
  if (name.empty() || name == "auto") return driver_choice::automatic;
  if (name == "io_uring") return driver_choice::io_uring;
  if (name == "epoll") return driver_choice::epoll;
  if (name == "poll") return driver_choice::poll;
  error why(std::errc::invalid_argument, step::start_driver);
  why.set_subject(name).set_detail("SOQUETE_DRIVER takes io_uring, epoll, poll or auto");
  return fail(std::move(why));
}

std::string why_not(const error& refused) {
  std::string text = "io_uring does not work here: " + refused.code().message();
  if (!refused.detail().empty()) text.append(" (").append(refused.detail()).append(")");
  return text;
}

}  // namespace

result<chosen_driver> open_kernel_driver(run_queue& queue, driver_choice wanted) {
  std::string reason = "asked for by the program";
  if (wanted == driver_choice::automatic) {
    auto named = from_environment();
    if (!named) return fail(std::move(named.error()));
    wanted = *named;
    reason = "asked for by SOQUETE_DRIVER";
  }
  if (wanted != driver_choice::automatic) {
    auto one = open_one(queue, wanted);
    if (!one) return fail(std::move(one.error()));
    return chosen_driver{std::move(*one), reason};
  }
  auto best = open_one(queue, driver_choice::io_uring);
  if (best) return chosen_driver{std::move(*best), "the best that works here"};
  reason = why_not(best.error());
  for (const driver_choice next : {driver_choice::epoll, driver_choice::poll})
    if (auto one = open_one(queue, next)) return chosen_driver{std::move(*one), std::move(reason)};
  return fail(std::move(best.error()));
}

}  // namespace soquete
