// A poller over epoll(7), edge-triggered.
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "kernel/kernel_driver.hpp"
#include "kernel/poller.hpp"
#include "kernel/wake_event.hpp"

namespace soquete::kernel {
namespace {

constexpr poll_token wake_token{~std::uint32_t{0}, ~std::uint32_t{0}};

// A read stops before urgent bytes (PRI), though more is there and no edge will tell of it: as at the end,
// reads go on until they would wait.
constexpr std::uint32_t reading_events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;

class epoll_poller final : public poller {
 public:
  ~epoll_poller() override {
    if (epoll_ >= 0) ::close(epoll_);
  }

  result<void> open() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return fail(system_error(step::start_driver));
    if (auto opened = wake_.open(); !opened) return opened;
    if (control(EPOLL_CTL_ADD, wake_.descriptor(), wake_token, EPOLLIN) != 0)
      return fail(system_error(step::start_driver));
    return {};
  }

  std::string_view name() const noexcept override { return "epoll"; }
  bool is_edge_triggered() const noexcept override { return true; }

  int add(int descriptor, poll_token token) noexcept override {
    return control(EPOLL_CTL_ADD, descriptor, token, reading_events);
  }
  int add_level(int descriptor, poll_token token) noexcept override {
    return control(EPOLL_CTL_ADD, descriptor, token, reading_events & ~static_cast<std::uint32_t>(EPOLLET));
  }
  void want(int descriptor, poll_token token, bool, bool writing) noexcept override {
    control(EPOLL_CTL_MOD, descriptor, token, reading_events | (writing ? EPOLLOUT : 0U));
  }
  void remove(int descriptor, poll_token token) noexcept override {
    control(EPOLL_CTL_DEL, descriptor, token, 0);
  }

  std::span<const ready_event> wait(time_point now, time_point until) noexcept override {
    const int got = wait_for(now, until);
    std::size_t count = 0;
    for (int i = 0; i < got; ++i) {
      const epoll_event& e = raw_[static_cast<std::size_t>(i)];
      const poll_token token{static_cast<std::uint32_t>(e.data.u64),
                             static_cast<std::uint32_t>(e.data.u64 >> 32)};
      if (token.place == wake_token.place) {
        wake_.clear();
        continue;
      }
      const bool hung_up = (e.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0;
      const bool failed = (e.events & (EPOLLHUP | EPOLLERR)) != 0;
      ready_[count++] = {token, hung_up || (e.events & EPOLLIN) != 0, failed || (e.events & EPOLLOUT) != 0,
                         hung_up};
    }
    return {ready_.data(), count};
  }

  void wake() noexcept override { wake_.signal(); }

 private:
  int control(int what, int descriptor, poll_token token, std::uint32_t events) noexcept {
    epoll_event e{};
    e.events = events;
    e.data.u64 = std::uint64_t{token.generation} << 32 | token.place;
    return ::epoll_ctl(epoll_, what, descriptor, &e) == 0 ? 0 : -errno;
  }

  int wait_for(time_point now, time_point until) noexcept {
    using namespace std::chrono;
    const int room = static_cast<int>(raw_.size());
    if (until <= now) return ::epoll_wait(epoll_, raw_.data(), room, 0);
    if (until == time_point::max()) return ::epoll_wait(epoll_, raw_.data(), room, -1);
    const auto left = until - now;
    if (has_nanoseconds_) {
      const timespec span{duration_cast<seconds>(left).count(),
                          static_cast<long>((left % seconds(1)).count())};
      // By number: musl has no epoll_pwait2().
      const auto got =
          static_cast<int>(::syscall(SYS_epoll_pwait2, epoll_, raw_.data(), room, &span, nullptr, 0L));
      if (got >= 0 || (errno != ENOSYS && errno != EPERM)) return got;
      has_nanoseconds_ = false;  // Linux before 5.11, or a filter that does not know the call.
    }
    // Rounded up: rounded down, the last millisecond would be spent turning in a circle.
    const auto whole = std::min<std::int64_t>(ceil<milliseconds>(left).count(), INT_MAX);
    return ::epoll_wait(epoll_, raw_.data(), room, static_cast<int>(whole));
  }

  int epoll_ = -1;
  bool has_nanoseconds_ = true;
  wake_event wake_;
  std::array<epoll_event, 256> raw_{};
  std::array<ready_event, 256> ready_{};
};

}  // namespace

result<std::unique_ptr<poller>> make_epoll_poller() {
  auto made = std::make_unique<epoll_poller>();
  if (auto opened = made->open(); !opened) return fail(std::move(opened.error()));
  return made;
}

}  // namespace soquete::kernel
