// What all servers do: tell where they listen, show the tasks of their clients in dumps, and drain them.
#pragma once

#include <soquete/event.hpp>
#include <soquete/loop.hpp>
#include <soquete/scope.hpp>
#include <vector>

namespace soquete::detail {

/// `co_await attending(changed, clients)`: as `changed.wait()`; a dump shows the clients meanwhile, and the
/// tasks that receive for them, where there are such.
class attending {
 public:
  using awaiter = attending;
  attending(event& on, const scope& clients, const scope* receivers = nullptr) noexcept
      : wait_(on.wait()), clients_(clients), receivers_(receivers) {}

  bool begin(environment env, waiter* then) noexcept { return wait_.begin(env, then); }
  bool failed() const noexcept { return wait_.failed(); }
  result<void> take() const noexcept { return wait_.take(); }
  void describe(suspension_report& report) const {
    report.waits_for(std::to_string(clients_.size()) + " clients");
    report.reached(&wait_);
    report.shielded();  // They are drained.
    clients_.describe(report);
    if (receivers_ != nullptr) receivers_->describe(report);
  }

 private:
  event::waiting wait_;
  const scope& clients_;
  const scope* receivers_;
};

/// Tells where these sockets are: one by one, then of all together. If one cannot say it, nothing is told.
template <class Watch, class Sockets>
result<void> announce(const Watch* watch, const Sockets& sockets) {
  if (watch == nullptr) return {};
  std::vector<endpoint> all;
  for (const auto& one : sockets) {
    auto at = one.local();
    if (!at) return fail(std::move(at.error()));
    all.push_back(*at);
  }
  if (watch->listening)
    for (const endpoint& at : all) watch->listening(at);
  if (watch->ready) watch->ready(all);
  return {};
}

/// Waits for the last client; cancels them when the time is over, or at once where there is none.
task<void> drain(loop& here, scope& clients, std::chrono::nanoseconds time);

}  // namespace soquete::detail
