// An io_uring without the kernel.
#include "torture/ring.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "kernel/uring_abi.hpp"
#include "torture/calls.hpp"

namespace soquete::test {
namespace {

unsigned power_of_two(unsigned n) {
  unsigned p = 1;
  while (p < n) p *= 2;
  return p;
}

harm_site site_of(const io_uring_sqe& e) {
  switch (e.opcode) {
    case IORING_OP_RECV: return (e.flags & IOSQE_BUFFER_SELECT) != 0 ? "ring receive" : "ring receive into";
    case IORING_OP_SEND: return "ring send";
    case IORING_OP_ACCEPT: return "ring accept";
    case IORING_OP_POLL_ADD: return "ring poll";
    default: return "ring entry";
  }
}

bool is(const harm* h, harm::kind what) { return h != nullptr && h->what == what; }

std::uint32_t more_waits(int descriptor) {
  int left = 0;
  return ::ioctl(descriptor, FIONREAD, &left) == 0 && left != 0 ? IORING_CQE_F_SOCK_NONEMPTY : 0;
}

}  // namespace

fake_ring::fake_ring(io_uring& seen, unsigned entries, unsigned completions) : seen_(seen) {
  submission_entries_ = power_of_two(entries);
  submission_mask_ = submission_entries_ - 1;
  entries_.resize(submission_entries_);
  array_.resize(submission_entries_);
  completion_entries_ = power_of_two(completions);
  completion_mask_ = completion_entries_ - 1;
  completions_.resize(completion_entries_);

  seen = {};
  seen.sq.khead = &submission_head_;
  seen.sq.ktail = &submission_tail_;
  seen.sq.kring_mask = &submission_mask_;
  seen.sq.kring_entries = &submission_entries_;
  seen.sq.kflags = &submission_flags_;
  seen.sq.kdropped = &dropped_;
  seen.sq.array = array_.data();
  seen.sq.sqes = entries_.data();
  seen.sq.ring_mask = submission_mask_;
  seen.sq.ring_entries = submission_entries_;
  seen.cq.khead = &completion_head_;
  seen.cq.ktail = &completion_tail_;
  seen.cq.kring_mask = &completion_mask_;
  seen.cq.kring_entries = &completion_entries_;
  seen.cq.kflags = &completion_flags_;
  seen.cq.koverflow = &overflow_;
  seen.cq.cqes = completions_.data();
  seen.cq.ring_mask = completion_mask_;
  seen.cq.ring_entries = completion_entries_;
  seen.ring_fd = seen.enter_ring_fd = -1;
}

void fake_ring::register_buffers(const io_uring_buf_reg& what) {
  buffers_ = reinterpret_cast<io_uring_buf_ring*>(what.ring_addr);
  buffer_entries_ = what.ring_entries;
  is_incremental_ = (what.pad & kernel::buffer_ring_incremental) != 0;
  buffer_head_ = 0;
  buffer_used_ = 0;
}

// Completions.

void fake_ring::post(std::uint64_t whom, int outcome, std::uint32_t flags) {
  // Those of one request stay in order; and those with a buffer, for they do not say which piece of it they
  // mean (where a kernel failed to keep that order it was a bug: liburing issue 1423).
  const auto is_of_it = [&](const completion& c) {
    return c.whom == whom || (c.flags & flags & IORING_CQE_F_BUFFER) != 0;
  };
  if (is_late_ || std::ranges::any_of(late_, is_of_it)) {
    late_.push_back({whom, outcome, flags});
    return;
  }
  put({whom, outcome, flags});
}

void fake_ring::put(const completion& told) {
  if (ready() == completion_entries_ || !overflowed_.empty()) {
    overflowed_.push_back(told);
    submission_flags_ |= IORING_SQ_CQ_OVERFLOW;
    return;
  }
  io_uring_cqe& c = completions_[completion_tail_++ & completion_mask_];
  c.user_data = told.whom;
  c.res = told.outcome;
  c.flags = told.flags;
}

// True: that was its last.
bool fake_ring::answer(const request& r, int outcome, std::uint32_t flags) {
  // The kernel ends a multishot rather than keep its completions aside.
  if (ready() == completion_entries_ || !overflowed_.empty()) flags &= ~IORING_CQE_F_MORE;
  post(r.entry->user_data, outcome, flags);
  return (flags & IORING_CQE_F_MORE) == 0;
}

void fake_ring::release_late() {
  std::deque<completion> due;
  due.swap(late_);
  for (const completion& c : due) put(c);
}

void fake_ring::flush_overflow() {
  std::deque<completion> aside;
  aside.swap(overflowed_);
  submission_flags_ &= ~IORING_SQ_CQ_OVERFLOW;
  for (const completion& c : aside) put(c);
}

unsigned fake_ring::peek(io_uring_cqe** all, unsigned count) {
  if (ready() == 0 && !overflowed_.empty()) flush_overflow();
  count = std::min(count, ready());
  for (unsigned i = 0; i < count; ++i) all[i] = &completions_[(completion_head_ + i) & completion_mask_];
  return count;
}

// Requests.

unsigned fake_ring::submit(bool only_first) {
  unsigned count = 0;
  while (seen_.sq.sqe_head != seen_.sq.sqe_tail) {
    if (only_first && count == 1) break;
    const io_uring_sqe e = entries_[seen_.sq.sqe_head & submission_mask_];
    ++seen_.sq.sqe_head;
    ++count;
    begin(e);
  }
  submission_head_ = submission_tail_ = seen_.sq.sqe_head;
  return count;
}

void fake_ring::begin(const io_uring_sqe& e) {
  if (e.opcode == IORING_OP_NOP) return post(e.user_data, 0, 0);
  if (e.opcode == IORING_OP_ASYNC_CANCEL) return cancel(e);
  request r(e);
  const harm* const h = mischief::at(site_of(e));
  if (h != nullptr && h->what == harm::kind::fails) {
    post(e.user_data, -h->why, 0);
    return;
  }
  const bool waits = h != nullptr && h->what == harm::kind::not_yet;
  is_late_ = h != nullptr && h->what == harm::kind::late;
  const bool is_over = !waits && go_on(r, h);
  is_late_ = false;
  if (!is_over) waiting_.push_back(std::move(r));
}

// True: its last completion has been posted.
bool fake_ring::go_on(request& r, const harm* h) {
  switch (r.entry->opcode) {
    case IORING_OP_RECV:
      return (r.entry->flags & IOSQE_BUFFER_SELECT) != 0 ? receive_chosen(r, h) : receive(r, h);
    case IORING_OP_SEND: return send(r, h);
    case IORING_OP_ACCEPT: return accept(r, h);
    case IORING_OP_POLL_ADD: return poll(r, h);
    default: std::fprintf(stderr, "the fake ring has no operation %d\n", r.entry->opcode); std::abort();
  }
}

bool fake_ring::receive(request& r, const harm* h) {
  const std::size_t size = is(h, harm::kind::shortened) ? 1 : r.entry->len;
  const auto got = __real_recv(r.entry->fd, reinterpret_cast<void*>(r.entry->addr), size,
                               static_cast<int>(r.entry->msg_flags) | MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return false;
  return answer(r, got < 0 ? -errno : static_cast<int>(got), more_waits(r.entry->fd));
}

bool fake_ring::receive_chosen(request& r, const harm* h) {
  if (is(h, harm::kind::no_buffers)) return answer(r, -ENOBUFS);
  constexpr int turns = 32;  // Then others have theirs.
  for (int i = 0; i < turns; ++i) {
    // The tail lies over a reserved field of the first buffer.
    const auto tail = __atomic_load_n(&buffers_->tail, __ATOMIC_ACQUIRE);
    if (tail == buffer_head_) return answer(r, -ENOBUFS);
    const io_uring_buf& b = buffers_->bufs[buffer_head_ & (buffer_entries_ - 1)];
    const std::size_t room = b.len - buffer_used_;
    const auto got = __real_recv(r.entry->fd, reinterpret_cast<std::byte*>(b.addr) + buffer_used_,
                                 is(h, harm::kind::shortened) ? 1 : room, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return false;
    if (got < 0) return answer(r, -errno);
    std::uint32_t flags = IORING_CQE_F_BUFFER | static_cast<std::uint32_t>(b.bid) << IORING_CQE_BUFFER_SHIFT;
    // At the end of a stream an incremental buffer is named and stays (liburing issue 1545).
    if (got == 0) return answer(r, 0, is_incremental_ ? flags : 0);
    buffer_used_ += static_cast<std::size_t>(got);
    if (is_incremental_ && buffer_used_ != b.len) {
      flags |= kernel::completion_buffer_more;
    } else {
      ++buffer_head_;
      buffer_used_ = 0;
    }
    if (r.is_multishot() && !is(h, harm::kind::ends)) flags |= IORING_CQE_F_MORE;
    if (answer(r, static_cast<int>(got), flags | more_waits(r.entry->fd))) return true;
    h = nullptr;
  }
  return false;
}

bool fake_ring::send(request& r, const harm* h) {
  for (;;) {
    const auto* from = reinterpret_cast<const std::byte*>(r.entry->addr) + r.moved;
    const std::size_t left = r.entry->len - r.moved;
    const auto sent = __real_send(r.entry->fd, from, is(h, harm::kind::shortened) ? 1 : left,
                                  static_cast<int>(r.entry->msg_flags) | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return false;
    // What has gone is told first.
    if (sent < 0) return answer(r, r.moved != 0 ? static_cast<int>(r.moved) : -errno);
    r.moved += static_cast<std::size_t>(sent);
    const bool asks_for_all = (r.entry->msg_flags & MSG_WAITALL) != 0;
    if (r.moved == r.entry->len || !asks_for_all || h != nullptr) return answer(r, static_cast<int>(r.moved));
  }
}

bool fake_ring::accept(request& r, const harm* h) {
  for (;;) {
    const int got = __real_accept4(r.entry->fd, nullptr, nullptr, static_cast<int>(r.entry->accept_flags));
    if (got < 0 && errno == EAGAIN) return false;
    if (got < 0) return answer(r, -errno);
    const bool goes_on = r.is_multishot() && !is(h, harm::kind::ends);
    if (answer(r, got, goes_on ? IORING_CQE_F_MORE : 0)) return true;
    h = nullptr;
  }
}

bool fake_ring::poll(request& r, const harm* h) {
  pollfd one{r.entry->fd, r.events(), 0};
  __real_poll(&one, 1, 0);
  if (is(h, harm::kind::spurious)) one.revents = r.events();
  if (one.revents == 0) return r.was_ready = false;
  if (!r.is_multishot()) return answer(r, one.revents);
  if (r.has_told()) return false;
  r.was_ready = true;
  r.edge = edges_of(r.entry->fd);
  return answer(r, one.revents, is(h, harm::kind::ends) ? 0 : IORING_CQE_F_MORE);
}

void fake_ring::cancel(const io_uring_sqe& e) {
  const auto tell = [&](int outcome) {
    if (outcome < 0 || (e.flags & IOSQE_CQE_SKIP_SUCCESS) == 0) post(e.user_data, outcome, 0);
  };
  const auto is_meant = [&](const request& r) { return r.entry->user_data == e.addr; };
  const auto found = std::ranges::find_if(waiting_, is_meant);
  const harm* const h = mischief::at("ring cancel");
  if (found == waiting_.end()) return tell(-ENOENT);
  if (is(h, harm::kind::already)) {
    found->is_ending = true;
    return tell(-EALREADY);
  }
  if (is(h, harm::kind::won) && go_on(*found, nullptr)) {
    waiting_.erase(found);
    return tell(-ENOENT);
  }
  is_late_ = is(h, harm::kind::late);
  post(found->entry->user_data, found->moved != 0 ? static_cast<int>(found->moved) : -ECANCELED, 0);
  is_late_ = false;
  waiting_.erase(found);
  tell(0);
}

void fake_ring::progress(bool backwards) {
  if (backwards) waiting_.reverse();
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    bool is_over = go_on(*at, nullptr);
    if (!is_over && at->is_ending)
      is_over = answer(*at, at->moved != 0 ? static_cast<int>(at->moved) : -ECANCELED);
    at = is_over ? waiting_.erase(at) : std::next(at);
  }
  if (backwards) waiting_.reverse();
}

void fake_ring::wait_for_one(time_point until) {
  std::vector<pollfd> all;
  for (const request& r : waiting_)
    if (!r.has_told()) all.push_back({r.entry->fd, r.events(), 0});
  timespec span{};
  if (until != time_point::max()) {
    using namespace std::chrono;
    const auto left = std::max(until - clock::now(), clock::duration::zero());
    span = {duration_cast<seconds>(left).count(), static_cast<long>((left % seconds(1)).count())};
  }
  __real_ppoll(all.data(), all.size(), until == time_point::max() ? nullptr : &span, nullptr);
}

int fake_ring::enter(unsigned wanted, time_point until) {
  const harm* const h = mischief::at("ring enter");
  if (is(h, harm::kind::fails)) {
    // A signal comes after the entries have been taken.
    if (h->why != EINTR) return -h->why;
    const unsigned taken = submit(false);
    return taken != 0 ? static_cast<int>(taken) : -EINTR;
  }
  const unsigned taken = submit(is(h, harm::kind::partly));
  if (seen_.sq.sqe_head != seen_.sq.sqe_tail) return static_cast<int>(taken);
  flush_overflow();
  release_late();
  progress(is(h, harm::kind::out_of_order));
  while (ready() < wanted) {
    // What was late is told before anybody sleeps.
    if (!late_.empty()) {
      release_late();
      continue;
    }
    if (until != time_point::max() && clock::now() >= until) return -ETIME;
    wait_for_one(until);
    progress(false);
  }
  return static_cast<int>(taken);
}

}  // namespace soquete::test
