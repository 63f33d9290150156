// What the readiness driver needs of a system: which descriptors are ready.
#pragma once

#include <cstdint>
#include <memory>
#include <soquete/error.hpp>
#include <soquete/run_queue.hpp>
#include <span>
#include <string_view>

namespace soquete::kernel {

/// Names a socket to a poller: its place in the driver's table, and which generation of that place, so that
/// a late event for a closed socket finds nobody.
struct poll_token {
  std::uint32_t place = 0;
  std::uint32_t generation = 0;

  friend bool operator==(const poll_token&, const poll_token&) = default;
};

struct ready_event {
  poll_token token;
  bool readable = false;
  bool writable = false;
  /// The peer has finished, or the descriptor has failed, or urgent bytes part the stream: no other event
  /// tells when there is more to read.
  bool hung_up = false;

  friend bool operator==(const ready_event&, const ready_event&) = default;
};

class poller {
 public:
  poller() = default;
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  virtual ~poller() = default;

  virtual std::string_view name() const noexcept = 0;
  /// An edge-triggered poller tells of news only, and of reading unasked.
  virtual bool is_edge_triggered() const noexcept = 0;
  /// Gives 0 or -errno; -EPERM for what never waits, such as a file.
  virtual int add(int descriptor, poll_token) noexcept = 0;
  /// The same, but until the first want() it tells of reading as long as it is the case. -ENOSYS: it cannot.
  virtual int add_level(int descriptor, poll_token) noexcept = 0;
  /// What to tell of from now on. What is already the case is told as well.
  virtual void want(int descriptor, poll_token, bool reading, bool writing) noexcept = 0;
  virtual void remove(int descriptor, poll_token) noexcept = 0;
  /// Waits until then, or for an event or a wake(). The events are valid until the next call.
  virtual std::span<const ready_event> wait(time_point now, time_point until) noexcept = 0;
  virtual void wake() noexcept = 0;
};

result<std::unique_ptr<poller>> make_epoll_poller();  // Linux
result<std::unique_ptr<poller>> make_poll_poller();

}  // namespace soquete::kernel
