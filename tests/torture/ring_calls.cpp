// The functions of liburing that the driver calls: the linker leads them here (--wrap, see CMakeLists.txt).
// While a mischief is going on they end in a fake ring, else in the kernel.
#include <map>
#include <memory>

#include "torture/ring.hpp"

extern "C" {
int __real_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* how);
void __real_io_uring_queue_exit(io_uring* ring);
int __real_io_uring_ring_dontfork(io_uring* ring);
int __real_io_uring_register_buf_ring(io_uring* ring, io_uring_buf_reg* what, unsigned flags);
int __real_io_uring_unregister_buf_ring(io_uring* ring, int group);
int __real_io_uring_submit(io_uring* ring);
int __real_io_uring_get_events(io_uring* ring);
int __real_io_uring_submit_and_get_events(io_uring* ring);
int __real_io_uring_submit_and_wait(io_uring* ring, unsigned count);
int __real_io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** first, unsigned count,
                                            __kernel_timespec* limit, sigset_t* mask);
int __real_io_uring_wait_cqe_timeout(io_uring* ring, io_uring_cqe** first, __kernel_timespec* limit);
unsigned __real_io_uring_peek_batch_cqe(io_uring* ring, io_uring_cqe** all, unsigned count);
}

namespace soquete::test {
namespace {

using time_point = fake_ring::time_point;

thread_local std::map<const io_uring*, std::unique_ptr<fake_ring>> rings;

fake_ring* fake(const io_uring* seen) {
  const auto found = rings.find(seen);
  return found == rings.end() ? nullptr : found->second.get();
}

time_point after(const __kernel_timespec* limit) {
  if (limit == nullptr) return time_point::max();
  return fake_ring::clock::now() + std::chrono::seconds(limit->tv_sec) +
         std::chrono::nanoseconds(limit->tv_nsec);
}

}  // namespace
}  // namespace soquete::test

using namespace soquete::test;

extern "C" {

int __wrap_io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* how) {
  if (!mischief::is_going_on()) return __real_io_uring_queue_init_params(entries, ring, how);
  if (const harm* const h = mischief::at("ring set-up")) return -h->why;
  const unsigned room = mischief::completions();
  rings[ring] = std::make_unique<fake_ring>(*ring, entries, room != 0 ? room : how->cq_entries);
  how->features = ring->features = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;
  return 0;
}
void __wrap_io_uring_queue_exit(io_uring* ring) {
  if (rings.erase(ring) == 0) __real_io_uring_queue_exit(ring);
}
int __wrap_io_uring_ring_dontfork(io_uring* ring) {
  return fake(ring) != nullptr ? 0 : __real_io_uring_ring_dontfork(ring);
}
int __wrap_io_uring_register_buf_ring(io_uring* ring, io_uring_buf_reg* what, unsigned flags) {
  fake_ring* const f = fake(ring);
  if (f == nullptr) return __real_io_uring_register_buf_ring(ring, what, flags);
  if (const harm* const h = mischief::at("ring set-up")) return -h->why;
  f->register_buffers(*what);
  return 0;
}
int __wrap_io_uring_unregister_buf_ring(io_uring* ring, int group) {
  return fake(ring) != nullptr ? 0 : __real_io_uring_unregister_buf_ring(ring, group);
}
int __wrap_io_uring_submit(io_uring* ring) {
  fake_ring* const f = fake(ring);
  return f != nullptr ? f->enter(0, time_point::min()) : __real_io_uring_submit(ring);
}
int __wrap_io_uring_get_events(io_uring* ring) {
  fake_ring* const f = fake(ring);
  return f != nullptr ? f->enter(0, time_point::min()) : __real_io_uring_get_events(ring);
}
int __wrap_io_uring_submit_and_get_events(io_uring* ring) {
  fake_ring* const f = fake(ring);
  return f != nullptr ? f->enter(0, time_point::min()) : __real_io_uring_submit_and_get_events(ring);
}
int __wrap_io_uring_submit_and_wait(io_uring* ring, unsigned count) {
  fake_ring* const f = fake(ring);
  return f != nullptr ? f->enter(count, time_point::max()) : __real_io_uring_submit_and_wait(ring, count);
}
int __wrap_io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** first, unsigned count,
                                            __kernel_timespec* limit, sigset_t* mask) {
  fake_ring* const f = fake(ring);
  if (f == nullptr) return __real_io_uring_submit_and_wait_timeout(ring, first, count, limit, mask);
  return f->enter(count, after(limit));
}
int __wrap_io_uring_wait_cqe_timeout(io_uring* ring, io_uring_cqe** first, __kernel_timespec* limit) {
  fake_ring* const f = fake(ring);
  if (f == nullptr) return __real_io_uring_wait_cqe_timeout(ring, first, limit);
  while (f->peek(first, 1) == 0)
    if (const int done = f->enter(1, after(limit)); done < 0) return done;
  return 0;
}
unsigned __wrap_io_uring_peek_batch_cqe(io_uring* ring, io_uring_cqe** all, unsigned count) {
  fake_ring* const f = fake(ring);
  return f != nullptr ? f->peek(all, count) : __real_io_uring_peek_batch_cqe(ring, all, count);
}

}  // extern "C"
