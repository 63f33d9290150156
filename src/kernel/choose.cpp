// Which driver: by name, or the best that works here.
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "kernel/drivers.hpp"
#include "kernel/readiness.hpp"

namespace soquete {
namespace kernel {

result<owned<driver>> over(result<std::unique_ptr<poller>> made, run_queue& queue) {
  if (!made) return fail(std::move(made.error()));
  return owned<driver>(new readiness_driver(queue, std::move(*made)));
}

std::unexpected<error> elsewhere(std::string_view name, std::string_view where) {
  error why(fault::unsupported, step::start_driver);
  return fail(std::move(why.set_subject(name).set_detail(where)));
}

}  // namespace kernel

namespace {

constexpr std::array<std::pair<std::string_view, driver_choice>, 5> names{{
    {"auto", driver_choice::automatic},
    {"io_uring", driver_choice::io_uring},
    {"epoll", driver_choice::epoll},
    {"kqueue", driver_choice::kqueue},
    {"poll", driver_choice::poll},
}};

std::string_view name_of(driver_choice which) noexcept {
  for (const auto& [name, choice] : names)
    if (choice == which) return name;
  return {};
}

result<driver_choice> from_environment() {
  const char* const text = std::getenv("SOQUETE_DRIVER");
  const std::string_view wanted = text == nullptr ? std::string_view() : text;
  if (wanted.empty()) return driver_choice::automatic;
  for (const auto& [name, choice] : names)
    if (name == wanted) return choice;
  error why(std::errc::invalid_argument, step::start_driver);
  why.set_subject(wanted).set_detail("SOQUETE_DRIVER takes io_uring, epoll, kqueue, poll or auto");
  return fail(std::move(why));
}

std::string why_not(driver_choice which, const error& refused) {
  std::string text = std::string(name_of(which)) + " does not work here: " + refused.code().message();
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
    auto one = kernel::open_driver(queue, wanted);
    if (!one) return fail(std::move(one.error()));
    return chosen_driver{std::move(*one), reason};
  }
  const std::span<const driver_choice> usual = kernel::usual_drivers();
  auto best = kernel::open_driver(queue, usual.front());
  if (best) return chosen_driver{std::move(*best), "the best that works here"};
  reason = why_not(usual.front(), best.error());
  for (const driver_choice next : usual.subspan(1))
    if (auto one = kernel::open_driver(queue, next)) return chosen_driver{std::move(*one), std::move(reason)};
  return fail(std::move(best.error()));
}

}  // namespace soquete
