// A poller over kqueue(2), edge-triggered: what is done with it. The system calls stand behind a seam.
#pragma once

#include <array>
#include <cerrno>
#include <ctime>
#include <vector>

#include "kernel/kqueue_abi.hpp"
#include "kernel/poller.hpp"

namespace soquete::kernel {

/// The system calls of a kqueue: real ones in darwin/, others in tests.
class kqueue_calls {
 public:
  kqueue_calls() = default;
  kqueue_calls(const kqueue_calls&) = delete;
  kqueue_calls& operator=(const kqueue_calls&) = delete;
  virtual ~kqueue_calls() = default;

  /// kevent(2): makes the changes, then waits that long for events; null: for ever. Gives the number of
  /// events or -errno. With EINTR all changes have been made.
  virtual int exchange(std::span<const kqueue_event> changes, std::span<kqueue_event> events,
                       const timespec* wait) noexcept = 0;
};

/// Reading is registered when a descriptor is added, writing while somebody waits to write. Changes of
/// interest travel with the next wait, in one system call.
class kqueue_poller final : public poller {
 public:
  explicit kqueue_poller(std::unique_ptr<kqueue_calls> calls) noexcept : calls_(std::move(calls)) {}

  /// Registers the wake-up.
  result<void> open();

  std::string_view name() const noexcept override { return "kqueue"; }
  bool is_edge_triggered() const noexcept override { return true; }
  int add(int descriptor, poll_token) noexcept override;
  int add_level(int, poll_token) noexcept override { return -ENOSYS; }
  void want(int descriptor, poll_token, bool reading, bool writing) noexcept override;
  void remove(int descriptor, poll_token) noexcept override;
  std::span<const ready_event> wait(time_point now, time_point until) noexcept override;
  void wake() noexcept override;

 private:
  /// What is registered for one place of the driver's table, and what is to be.
  struct interest {
    int descriptor = -1;
    std::uint32_t generation = 0;
    bool writes = false;       ///< The kernel knows.
    bool wants_write = false;  ///< It is to know.
    bool asks_again = false;   ///< What is the case already is to be told again.
    bool is_device = false;    ///< It cannot count its bytes.
    bool is_changed = false;   ///< Its place stands in changed_.
  };

  static kqueue_event adding(const interest&, std::int16_t filter, poll_token) noexcept;
  int change_now(std::span<kqueue_event> changes) noexcept;
  std::size_t collect_changes() noexcept;
  void translate(const kqueue_event&) noexcept;

  static constexpr std::size_t events_max = 256;

  std::unique_ptr<kqueue_calls> calls_;
  std::vector<interest> places_;
  std::vector<std::uint32_t> changed_;
  std::array<kqueue_event, events_max> changes_{};
  std::array<kqueue_event, events_max> events_{};
  std::vector<ready_event> ready_;
};

/// A real one.
result<std::unique_ptr<kqueue_calls>> open_kqueue();

}  // namespace soquete::kernel
