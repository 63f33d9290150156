// A loop on one driver for a test.
#include "test_loop.hpp"

#include <dirent.h>
#include <gtest/gtest.h>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <ostream>
#include <soquete/deadline.hpp>
#include <soquete/sim.hpp>
#include <thread>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Sockets belong to the driver inside; turns and time pass through here.
class watched_driver final : public driver {
 public:
  watched_driver(run_queue& queue, owned<driver> inner, turn_watcher& watcher)
      : driver(queue), inner_(std::move(inner)), watcher_(watcher) {}

  std::string_view name() const noexcept override { return inner_->name(); }
  driver_counts counts() const noexcept override { return inner_->counts(); }
  result<socket_block*> open(family f, transport t) override { return inner_->open(f, t); }
  result<socket_block*> adopt(owned_descriptor h) override { return inner_->adopt(std::move(h)); }
  result<socket_pair> pair(transport t) override { return inner_->pair(t); }
  result<socket_pair> pipe() override { return inner_->pipe(); }
  result<conduit> open_conduit() override { return inner_->open_conduit(); }
  result<socket_block*> watch_signals(std::span<const int> s) override { return inner_->watch_signals(s); }
  result<void> bind(socket_block& b, const endpoint& e) override { return inner_->bind(b, e); }
  result<void> listen(socket_block& b, int backlog) override { return inner_->listen(b, backlog); }
  result<void> claim(socket_block& b, const endpoint& e, const path_claim& how) override {
    return inner_->claim(b, e, how);
  }
  void own_path(socket_block& b) override { inner_->own_path(b); }
  bool owns_path(const socket_block& b) const override { return inner_->owns_path(b); }
  result<endpoint> local(const socket_block& b) const override { return inner_->local(b); }
  result<endpoint> peer(const socket_block& b) const override { return inner_->peer(b); }
  result<credentials> peer_credentials(const socket_block& b) const override {
    return inner_->peer_credentials(b);
  }
  result<void> disconnect(socket_block& b) override { return inner_->disconnect(b); }
  result<void> join(socket_block& b, const group_membership& g) override { return inner_->join(b, g); }
  result<void> leave(socket_block& b, const group_membership& g) override { return inner_->leave(b, g); }
  result<void> set(socket_block& b, option o, std::int64_t v) override { return inner_->set(b, o, v); }
  result<std::int64_t> get(const socket_block& b, option o) const override { return inner_->get(b, o); }
  result<void> set(socket_block& b, text_option o, std::string_view v) override {
    return inner_->set(b, o, v);
  }
  result<std::string> get(const socket_block& b, text_option o) const override { return inner_->get(b, o); }
  result<void> set_raw(socket_block& b, option_number o, bytes v) override {
    return inner_->set_raw(b, o, v);
  }
  result<std::size_t> get_raw(const socket_block& b, option_number o, mutable_bytes v) const override {
    return inner_->get_raw(b, o, v);
  }
  result<tcp_info> info(const socket_block& b) const override { return inner_->info(b); }
  result<void> shutdown(socket_block& b, direction d) override { return inner_->shutdown(b, d); }
  result<owned_descriptor> copy_of(int number) override { return inner_->copy_of(number); }
  credentials us() const noexcept override { return inner_->us(); }
  void close(socket_block& b) noexcept override { inner_->close(b); }
  owned_descriptor release(socket_block& b) override { return inner_->release(b); }
  std::vector<address> addresses_of(std::string_view host) const override {
    return inner_->addresses_of(host);
  }
  name_answer look_up(std::string_view host) override { return inner_->look_up(host); }
  bool start(op& o) noexcept override { return inner_->start(o); }
  void cancel(op& o) noexcept override { inner_->cancel(o); }
  time_point now() const noexcept override { return inner_->now() + watcher_.leap; }
  void turn(time_point until) noexcept override {
    watcher_.before_turn();
    // Where the watcher has made something runnable, there is no time to wait.
    if (!queue().empty() || watcher_.is_hasty) until = queue().now();
    // The driver inside goes by the real clock.
    inner_->turn(until == time_point::max() ? until : until - watcher_.leap);
    watcher_.after_turn();
  }
  void wake() noexcept override { inner_->wake(); }
  void drain() noexcept override { inner_->drain(); }

 private:
  owned<driver> inner_;
  turn_watcher& watcher_;
};

// Tells where a loop is stuck, and asks it to end; if that does not help, ends the process.
class watchdog {
 public:
  watchdog(loop& here, cancel_context& cancel) : thread_([this, &here, &cancel] { watch(here, cancel); }) {}
  ~watchdog() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch(loop& here, cancel_context& cancel) {
    std::unique_lock lock(mutex_);
    const auto is_over = [this] { return over_; };
    if (changed_.wait_for(lock, test_loop::guard, is_over)) return;
    std::fputs("a test hangs\n", stderr);
    here.post([&here, &cancel] {
      // Whatever error it ends with then, it has failed.
      ADD_FAILURE() << "it waits here:\n" << here.dump();
      cancel.request(stop::timed_out);
    });
    if (changed_.wait_for(lock, 20s, is_over)) return;
    std::fputs("and cancelling it did not help\n", stderr);
    std::abort();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

// A task that nobody awaits but the test.
class outermost : waiter, loop::root {
 public:
  outermost(loop& here, task<result<void>> work) : here_(here), work_(std::move(work)) {
    waiter::wake = [](waiter* w) noexcept { static_cast<outermost*>(w)->is_over_ = true; };
    loop::root::describe = [](const loop::root& r, suspension_report& report) {
      static_cast<const outermost&>(r).work_.describe(report);
    };
    here_.add_root(*this);
  }
  ~outermost() { here_.remove_root(*this); }
  result<void> run(cancel_context& cancel) {
    if (work_.begin({&here_, &cancel}, this)) here_.run_until(is_over_);
    return work_.take();
  }

 private:
  loop& here_;
  task<result<void>>::awaiter work_;
  bool is_over_ = false;
};

task<result<void>> wait_for_closing(loop& here) {
  for (int tries = 0; tries != 10'000 && here.net().counts().sockets != 0; ++tries) co_await ok(sleep(1ms));
  co_return {};
}

}  // namespace

test_loop::test_loop(driver_choice which, turn_watcher* watcher) {
  result<chosen_driver> chosen =
      which == simulated ? result<chosen_driver>(sim::open_driver(here_)) : open_kernel_driver(here_, which);
  if (!chosen) {
    opened_ = fail(std::move(chosen.error()));
    return;
  }
  if (watcher != nullptr)
    chosen->it = owned<driver>(new watched_driver(here_, std::move(chosen->it), *watcher));
  here_.use(std::move(*chosen));
}

result<void> test_loop::run(task<result<void>> work) {
  cancel_context cancel;
  running_ = &cancel;
  watchdog dog(here_, cancel);
  outermost main(here_, std::move(work));
  result<void> ended = main.run(cancel);
  running_ = nullptr;
  return ended;
}

void test_loop::cancel() noexcept {
  if (running_ != nullptr) running_->request(stop::cancelled);
}

void test_loop::settle() { static_cast<void>(run(wait_for_closing(here_))); }

std::size_t open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) std::abort();
  std::size_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

std::chrono::nanoseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

baseline baseline::now() { return {open_descriptors(), live_frames()}; }

std::ostream& operator<<(std::ostream& out, const baseline& b) {
  return out << b.descriptors << " descriptors, " << b.frames << " frames";
}

}  // namespace soquete::test
