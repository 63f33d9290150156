// What servers do with the tasks of their clients: draining.
#include "serve_scope.hpp"

#include <soquete/deadline.hpp>

namespace soquete::detail {

task<void> drain(loop& here, scope& clients, std::chrono::nanoseconds time) {
  struct cut : timer {
    scope& clients;
    explicit cut(scope& s) : clients(s) {
      fire = [](timer* t) noexcept { static_cast<cut*>(t)->clients.cancel(); };
    }
  } at_the_end(clients);
  if (time.count() <= 0)
    clients.cancel();
  else if (clients.size() != 0)
    here.timers().arm(at_the_end, moment_after(here.now(), time));
  // Some may be on their way from another loop still.
  while (clients.size() != 0) co_await scope::join(clients);
  here.timers().disarm(at_the_end);
}

}  // namespace soquete::detail
