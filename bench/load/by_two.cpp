// Modes echo-by-two and connect-by-two: two processes, each on a core of its own, load one server that may
// use both cores. CPU of the server for each message or connection, of all its threads and of the busiest.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "clock.hpp"
#include "crowd.hpp"

namespace load {

namespace {

// This process and another one, which does the same until this one ends.
class pair_of_processes {
 public:
  pair_of_processes() {
    void* shared = mmap(nullptr, sizeof(both), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail_errno("mmap");
    both_ = new (shared) both;
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) < 0) fail_errno("sched_getaffinity");
    other_ = fork();
    if (other_ < 0) fail_errno("fork");
    if (other_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      alarm(60);  // It is not inherited.
    }
    take_core(cores);
  }

  // Calls `turn(count)` for ever in the other process, and here for as long as is measured; `count()` once
  // for each that is done.
  template <class Turn>
  void run(const options& o, Turn turn) {
    std::atomic<std::uint64_t>& mine = both_->done[other_ == 0];
    auto count = [&] { mine.fetch_add(1, std::memory_order_relaxed); };
    both_->ready.fetch_add(1);
    if (other_ == 0)
      for (;;) turn(count);
    while (both_->ready < 2) check_other();
    stopwatch watch(o);
    std::uint64_t before = 0;
    bool was_running = false;
    // At least one a connection: what is slow is measured for longer.
    while (watch.tick(now_ns(), done() - before >= o.connections)) {
      if (watch.running() && !was_running) before = done();
      was_running = watch.running();
      turn(count);
    }
    auto all = static_cast<double>(done() - before);
    check_other();
    kill(other_, SIGKILL);
    std::printf("{\"count\": %.0f, \"cpu_ns\": %.1f, \"busiest_ns\": %.1f, \"per_second\": %.1f}\n", all,
                watch.cpu_ns() / all, watch.busiest_cpu_ns() / all, all / watch.seconds());
  }

 private:
  struct both {
    alignas(64) std::atomic<int> ready = 0;
    struct alignas(64) counter : std::atomic<std::uint64_t> {};
    counter done[2];
  };

  // The first of those allowed, and the other process the last.
  void take_core(const cpu_set_t& allowed) const {
    int chosen = -1;
    for (int i = 0; i < CPU_SETSIZE && (chosen < 0 || other_ == 0); ++i)
      if (CPU_ISSET(i, &allowed)) chosen = i;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(chosen, &only);
    if (sched_setaffinity(0, sizeof only, &only) < 0) fail_errno("sched_setaffinity");
  }

  std::uint64_t done() const { return both_->done[0] + both_->done[1]; }

  void check_other() const {
    if (waitpid(other_, nullptr, WNOHANG) != 0) fail("the other process has failed");
  }

  both* both_;
  pid_t other_;
};

}  // namespace

void echo_by_two(const options& o) {
  pair_of_processes both;
  crowd all(o);
  all.grow(o.connections / 2);
  for (conversation& c : all.members()) c.speak();
  both.run(o, [&](auto count) {
    all.turn([&](conversation& c) {
      count();
      c.speak();
    });
  });
}

void connect_by_two(const options& o) {
  pair_of_processes both;
  crowd window(o);
  window.members().reserve(o.connections / 2);
  for (std::size_t i = 0; i < o.connections / 2; ++i) window.open();
  both.run(o, [&](auto count) {
    window.turn([&](conversation& c) {
      c.close_with_reset();
      window.reopen(c);
      count();
    });
  });
}

}  // namespace load
