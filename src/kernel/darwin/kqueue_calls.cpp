// kevent(2) itself, and the proof that our numbers are Apple's.
#include <fcntl.h>
#include <sys/event.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>

#include "kernel/kernel_driver.hpp"
#include "kernel/kqueue.hpp"

namespace soquete::kernel {
namespace {

using theirs = struct kevent;
using ours = kqueue_event;

static_assert(sizeof(ours) == sizeof(theirs));
static_assert(offsetof(ours, ident) == offsetof(theirs, ident));
static_assert(offsetof(ours, filter) == offsetof(theirs, filter));
static_assert(offsetof(ours, flags) == offsetof(theirs, flags));
static_assert(offsetof(ours, filter_flags) == offsetof(theirs, fflags));
static_assert(offsetof(ours, data) == offsetof(theirs, data));
static_assert(offsetof(ours, user_data) == offsetof(theirs, udata));
static_assert(sizeof(theirs::ident) == 8 && sizeof(theirs::data) == 8 && sizeof(theirs::udata) == 8);
static_assert(kqueue_filter::read == EVFILT_READ);
static_assert(kqueue_filter::write == EVFILT_WRITE);
static_assert(kqueue_filter::user == EVFILT_USER);
static_assert(kqueue_flag::add == EV_ADD);
static_assert(kqueue_flag::remove == EV_DELETE);
static_assert(kqueue_flag::clear == EV_CLEAR);
static_assert(kqueue_flag::receipt == EV_RECEIPT);
static_assert(kqueue_flag::error == EV_ERROR);
static_assert(kqueue_flag::end_of_file == EV_EOF);
static_assert(kqueue_note::enough == NOTE_LOWAT);
static_assert(kqueue_note::urgent == NOTE_OOB);
static_assert(kqueue_note::trigger == NOTE_TRIGGER);

class real_calls final : public kqueue_calls {
 public:
  explicit real_calls(int queue) noexcept : queue_(queue) {}
  ~real_calls() override { ::close(queue_); }

  int exchange(std::span<const ours> changes, std::span<ours> events,
               const timespec* wait) noexcept override {
    const int got =
        ::kevent(queue_, reinterpret_cast<const theirs*>(changes.data()), static_cast<int>(changes.size()),
                 reinterpret_cast<theirs*>(events.data()), static_cast<int>(events.size()), wait);
    return got < 0 ? -errno : got;
  }

 private:
  int queue_;
};

}  // namespace

result<std::unique_ptr<kqueue_calls>> open_kqueue() {
  const int queue = ::kqueue();
  if (queue < 0) return fail(system_error(step::start_driver));
  ::fcntl(queue, F_SETFD, FD_CLOEXEC);
  return std::make_unique<real_calls>(queue);
}

}  // namespace soquete::kernel
