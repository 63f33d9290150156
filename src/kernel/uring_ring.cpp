// The io_uring driver: the ring itself, from set-up and trial to turns.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstdio>

#include "kernel/uring.hpp"
#include "kernel/uring_block.hpp"

namespace soquete::kernel {
namespace {

constexpr unsigned submissions = 1024;
constexpr unsigned completions = 8 * submissions;  // A multishot can complete many times a turn.

error refused(int outcome, std::string_view what) {
  error why(std::error_code(-outcome, std::generic_category()), step::start_driver);
  why.set_subject("io_uring").set_detail(what);
  return why;
}

__kernel_timespec to_timespec(clock::duration span) noexcept {
  using namespace std::chrono;
  return {duration_cast<seconds>(span).count(), static_cast<long long>((span % seconds(1)).count())};
}

}  // namespace

result<void> uring_driver::set_up(buffers which) {
  io_uring_params parameters{};
  parameters.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  parameters.cq_entries = completions;
  if (const int done = io_uring_queue_init_params(submissions, &ring_, &parameters); done < 0)
    return fail(refused(done, "set-up"));
  is_set_up_ = true;
  io_uring_ring_dontfork(&ring_);
  if ((parameters.features & IORING_FEAT_NODROP) == 0 || (parameters.features & IORING_FEAT_EXT_ARG) == 0)
    return fail(refused(-ENOSYS, "features"));
  if (const int done = buffers_.open(ring_, which == buffers::best); done < 0)
    return fail(refused(done, "buffer ring"));
  if (auto tried = try_it(); !tried) return tried;
  // The trial has used a byte of the first buffer. Copies into memory that is not aligned can take several
  // times as long, so real traffic gets a fresh start.
  buffers_.close();
  if (const int done = buffers_.open(ring_, which == buffers::best); done < 0)
    return fail(refused(done, "buffer ring"));
  if (auto opened = wake_.open(); !opened) return opened;
  watch_wake_ups();
  return {};
}

// A sandbox may refuse any part of it, and version numbers lie: what is needed is done once.
result<void> uring_driver::try_it() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return fail(system_error(step::start_driver));
  const auto await = [&](io_uring_cqe& into) {
    __kernel_timespec limit{2, 0};
    io_uring_cqe* got = nullptr;
    int done = -EINTR;
    while (done == -EINTR) done = io_uring_wait_cqe_timeout(&ring_, &got, &limit);
    if (done < 0) return done;
    into = *got;
    io_uring_cqe_seen(&ring_, got);
    return 0;
  };

  int outcome = -ENOSYS;
  std::string_view what = "multishot receive";
  io_uring_cqe c{};
  buffers_.grow();
  io_uring_sqe& e = entry_for(nullptr, ignored);
  io_uring_prep_recv_multishot(&e, ends[0], nullptr, 0, 0);
  io_uring_sqe_set_data64(&e, 8);
  e.flags |= IOSQE_BUFFER_SELECT;
  e.buf_group = uring_buffers::group;
  ssize_t sent = -1;
  do sent = ::write(ends[1], "?", 1);
  while (sent < 0 && errno == EINTR);
  if (sent == 1 && io_uring_submit(&ring_) >= 0 && (outcome = await(c)) == 0) {
    outcome = c.res;
    if (const auto piece = buffers_.take(c); piece.data != nullptr) {
      const bool intact = *piece.data == std::byte{'?'};
      buffers_.come_home(piece.id);
      outcome = intact && (c.flags & IORING_CQE_F_MORE) != 0 ? 0 : -ENOSYS;
    }
  }
  if (outcome == 0) {
    what = "cancel";
    submit_cancel(reinterpret_cast<const void*>(8), ignored);
    outcome = io_uring_submit(&ring_) < 0 ? -ENOSYS : await(c);
    if (outcome == 0) outcome = c.res == -ECANCELED && (c.flags & IORING_CQE_F_MORE) == 0 ? 0 : -ENOSYS;
  }
  ::close(ends[0]);
  ::close(ends[1]);
  if (outcome < 0) return fail(refused(outcome, what));
  return {};
}

uring_driver::~uring_driver() {
  assert(open_ == 0);
  buffers_.close();
  if (is_set_up_) io_uring_queue_exit(&ring_);
}

void uring_driver::drain() noexcept {
  while (closing_ != 0) turn(time_point::max());
}

io_uring_sqe& uring_driver::entry_for(const void* whom, tag kind) noexcept {
  for (int tries = 0;; ++tries) {
    if (io_uring_sqe* e = io_uring_get_sqe(&ring_)) {
      io_uring_prep_nop(e);  // Clears what the last user left.
      io_uring_sqe_set_data64(e, reinterpret_cast<std::uintptr_t>(whom) | kind);
      return *e;
    }
    // Full: the kernel takes what there is. When it has no room for completions, it needs a call to move
    // those that it kept aside into the queue.
    ++calls_;
    if (io_uring_submit(&ring_) < 0) io_uring_get_events(&ring_);
    if (tries > 1'000'000) {
      std::fputs("soquete: io_uring takes no more submissions\n", stderr);
      std::abort();
    }
  }
}

void uring_driver::submit_receive(block& b, op& o) noexcept {
  io_uring_sqe& e = entry_for(&o, entry);
  io_uring_prep_recv(&e, b.descriptor, const_cast<void*>(o.data), std::min<std::size_t>(o.size, 1U << 30), 0);
  io_uring_sqe_set_data64(&e, reinterpret_cast<std::uintptr_t>(&o) | entry);
  if (!b.more_waits) e.ioprio |= IORING_RECVSEND_POLL_FIRST;
  b.reader_entry = entry;
  ++b.with_kernel;
}

void uring_driver::submit_send(block& b, op& o) noexcept {
  const auto* from = static_cast<const std::byte*>(o.data) + o.moved;
  io_uring_sqe& e = entry_for(&o, entry);
  io_uring_prep_send(&e, b.descriptor, from, std::min<std::size_t>(o.size - o.moved, 1U << 30),
                     MSG_NOSIGNAL | MSG_WAITALL);
  io_uring_sqe_set_data64(&e, reinterpret_cast<std::uintptr_t>(&o) | entry);
  b.writer_entry = entry;
  ++b.with_kernel;
}

void uring_driver::submit_poll(block& b, op& o) noexcept {
  io_uring_sqe& e = entry_for(&o, readiness);
  io_uring_prep_poll_add(&e, b.descriptor, b.is_reader(o) ? POLLIN : POLLOUT);
  io_uring_sqe_set_data64(&e, reinterpret_cast<std::uintptr_t>(&o) | readiness);
  b.entry_of(o) = readiness;
  ++b.with_kernel;
}

// A read stops before urgent bytes (PRI), though more is there and no news will tell of it: as at the end,
// reads go on until they would wait.
void uring_driver::watch(block& b) noexcept {
  io_uring_sqe& e = entry_for(&b, watching);
  io_uring_prep_poll_multishot(&e, b.descriptor, POLLIN | POLLRDHUP | POLLPRI);
  io_uring_sqe_set_data64(&e, reinterpret_cast<std::uintptr_t>(static_cast<void*>(&b)) | watching);
  b.watched = true;
  ++b.with_kernel;
}

// Its own outcome does not matter: what it cancels completes in any case.
void uring_driver::submit_cancel(const void* whom, tag kind) noexcept {
  io_uring_sqe& e = entry_for(nullptr, ignored);
  io_uring_prep_cancel64(&e, reinterpret_cast<std::uintptr_t>(whom) | kind, 0);
  io_uring_sqe_set_data64(&e, 0);
  e.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void uring_driver::watch_wake_ups() noexcept {
  io_uring_sqe& e = entry_for(nullptr, waking);
  io_uring_prep_poll_multishot(&e, wake_.descriptor(), POLLIN);
  io_uring_sqe_set_data64(&e, waking);
}

void uring_driver::enter_now() noexcept {
  ++calls_;
  io_uring_submit_and_get_events(&ring_);
  reap();
}

void uring_driver::enter_and_wait() noexcept {
  ++calls_;
  io_uring_submit_and_wait(&ring_, 1);
  reap();
}

void uring_driver::turn(time_point until) noexcept {
  buffers_.publish();
  feed_starved();
  ++calls_;
  // No sleep while somebody starves: what completes in this turn may bring a buffer home.
  if (!starved_.empty() || is_woken_) until = time_point::min();
  const time_point from = until == time_point::max() ? queue().now() : now();
  // The kernel runs the work that completes requests only when entered for events.
  if (until <= from) {
    io_uring_submit_and_get_events(&ring_);
  } else if (until == time_point::max()) {
    io_uring_submit_and_wait(&ring_, 1);
  } else {
    __kernel_timespec limit = to_timespec(until - from);
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
  }
  reap();
  is_woken_ = false;
  if (!starved_.empty() && queue().empty()) relieve_starved();
}

void uring_driver::reap() noexcept {
  std::array<io_uring_cqe*, 64> view;
  std::array<io_uring_cqe, 64> batch;
  last_reaped_ = 0;
  // The places in the queue are given back before anything is made of them: that may need room for more.
  while (const unsigned count = io_uring_peek_batch_cqe(&ring_, view.data(), view.size())) {
    for (unsigned i = 0; i < count; ++i) batch[i] = *view[i];
    io_uring_cq_advance(&ring_, count);
    for (unsigned i = 0; i < count; ++i) on_completion(batch[i]);
    last_reaped_ += count;
    if (count < view.size()) break;
  }
}

}  // namespace soquete::kernel
