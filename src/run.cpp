// Running a program: on one loop or on several, to its end.
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <soquete/run.hpp>
#include <soquete/signals.hpp>
#include <thread>

#include "processors.hpp"

namespace soquete {
namespace {

constexpr std::array end_signals{SIGINT, SIGTERM};

// A task that runs from outside any coroutine.
class root_task : waiter, loop::root {
 public:
  root_task(loop& here, task<result<void>> work) : here_(here), work_(std::move(work)) {
    waiter::wake = [](waiter* w) noexcept { static_cast<root_task*>(w)->is_over_ = true; };
    loop::root::describe = [](const loop::root& r, suspension_report& report) {
      static_cast<const root_task&>(r).work_.describe(report);
    };
  }
  void begin() noexcept {
    here_.add_root(*this);
    is_over_ = !work_.begin({&here_, &cancel_}, this);
  }
  result<void> take() {
    here_.remove_root(*this);
    return work_.take();
  }
  void cancel() noexcept { cancel_.request(stop::cancelled); }
  const bool& is_over() const noexcept { return is_over_; }

 private:
  loop& here_;
  cancel_context cancel_;
  task<result<void>>::awaiter work_;
  bool is_over_ = false;
};

// The loops of one run, their common end and the first error.
class runner {
 public:
  runner(const run_options& options, const run_body& body)
      : options_(options), body_(body), group_(options.threads) {}

  result<void> run_all(bool watch_signals) {
    const unsigned count = options_.threads;
    running_ = count;
    if (options_.pin) processors_ = processors_of_this_thread();
    if (count == 1 || count > processors_.size()) processors_.assign(count, -1);
    std::vector<std::thread> others;
    for (unsigned i = 1; i < count; ++i)
      others.emplace_back([this, i] {
        run_one(processors_[i], false);
        release_cached_frames();
      });
    run_one(processors_[0], watch_signals);
    for (std::thread& t : others) t.join();
    if (first_error_) return fail(std::move(*first_error_));
    return {};
  }

  int ended_by() const noexcept { return ended_by_; }

 private:
  void run_one(int processor, bool watch_signals) {
    const pinned_thread stays(processor);
    loop here(group_);
    here.set_processor(stays.processor());
    if (auto opened = here.open(options_.driver, options_.spin); !opened) {
      end_with(std::move(opened.error()));
      one_has_ended();
      return;
    }
    here.net().trace = options_.trace;
    root_task main(here, body_());
    with_lock([&] {
      mains_.push_back({&here, &main});
      if (watch_signals) watching_on_ = &here;
    });
    main.begin();
    if (is_ending_) main.cancel();  // Asked before this loop was there to hear it.
    if (watch_signals)
      run_with_signals(here, main);
    else
      here.run_until(main.is_over());
    with_lock([&] { std::erase_if(mains_, [&](const place& p) { return p.on == &here; }); });
    if (auto ended = main.take(); !ended) end_with(std::move(ended.error()));
    one_has_ended();
    if (watch_signals) wait_for_others(here);
  }

  // Signals matter until the last loop has ended, whichever that is.
  void run_with_signals(loop& here, root_task& main) {
    watch_.emplace(here, watch(here));
    watch_->begin();
    here.run_until(main.is_over());
  }

  void wait_for_others(loop& here) {
    here.run_until(all_ended_);
    watch_->cancel();
    here.run_until(watch_->is_over());
    static_cast<void>(watch_->take());
    watch_.reset();
  }

  task<result<void>> watch(loop& here) {
    auto arriving = co_await ok(signals::open(here, end_signals));
    ended_by_ = co_await ok(arriving.next());
    // From here on the usual effect: whoever asks twice means it.
    unblock_signals(end_signals);
    end_all();
    co_return {};
  }

  void one_has_ended() {
    with_lock([&] {
      if (--running_ == 0 && watching_on_ != nullptr)
        group_.post(*watching_on_, [this] { all_ended_ = true; });
    });
  }

  void end_with(error why) {
    with_lock([&] {
      if (!first_error_) first_error_ = std::move(why);
    });
    end_all();
  }

  void end_all() {
    with_lock([&] {
      is_ending_ = true;
      for (const place& p : mains_)
        group_.post(*p.on, [this, on = p.on] {
          with_lock([&] {
            for (const place& still : mains_)
              if (still.on == on) still.main->cancel();
          });
        });
    });
  }

  template <class F>
  void with_lock(F f) {
    std::lock_guard lock(mutex_);
    f();
  }

  struct place {
    loop* on;
    root_task* main;
  };

  run_options options_;
  const run_body& body_;
  loop_group group_;
  std::mutex mutex_;
  std::vector<place> mains_;
  std::optional<error> first_error_;
  std::atomic<bool> is_ending_ = false;
  unsigned running_ = 0;
  loop* watching_on_ = nullptr;
  std::vector<int> processors_;  // Where each loop stays; -1: anywhere.

  // On the first loop's thread only.
  std::optional<root_task> watch_;
  bool all_ended_ = false;
  int ended_by_ = 0;
};

result<unsigned> threads_from(unsigned wanted) {
  if (wanted != 0) return wanted;
  const char* const text = std::getenv("SOQUETE_THREADS");
  if (text == nullptr || *text == '\0') return usable_processors();
  unsigned count = 0;
  const char* const end = text + std::strlen(text);
  const auto [stopped, cause] = std::from_chars(text, end, count);
  if (cause == std::errc() && stopped == end && count <= 1024)
    return count == 0 ? usable_processors() : count;
  error why(std::errc::invalid_argument, step::start_driver);
  return fail(std::move(why.set_subject(text).set_detail("SOQUETE_THREADS takes a number from 0 to 1024")));
}

result<bool> pin_from(bool wanted) {
  const char* const text = std::getenv("SOQUETE_PIN");
  if (wanted || text == nullptr || *text == '\0' || std::strcmp(text, "0") == 0) return wanted;
  if (std::strcmp(text, "1") == 0) return true;
  error why(std::errc::invalid_argument, step::start_driver);
  return fail(std::move(why.set_subject(text).set_detail("SOQUETE_PIN takes 0 or 1")));
}

}  // namespace

result<void> run(run_options options, run_body body) {
  if (options.ended_by != nullptr) *options.ended_by = 0;
  auto threads = threads_from(options.threads);
  if (!threads) return fail(std::move(threads.error()));
  options.threads = *threads;
  auto pin = pin_from(options.pin);
  if (!pin) return fail(std::move(pin.error()));
  options.pin = *pin;
  if (options.ended_by == nullptr) return runner(options, body).run_all(false);
  block_signals(end_signals);
  runner all(options, body);
  auto ended = all.run_all(true);
  *options.ended_by = all.ended_by();
  return ended;
}

int run_main(run_options options, run_body body) {
  block_signals(end_signals);
  int signal = 0;
  if (options.ended_by == nullptr) options.ended_by = &signal;
  const result<void> ended = run(options, std::move(body));
  if (ended) return 0;
  signal = *options.ended_by;
  if (signal != 0 && ended.error() == std::errc::operation_canceled) die_of_signal(signal);
  std::fprintf(stderr, "%s: %s\n", program_name(), to_string(ended.error()).c_str());
  return 1;
}

int run_main(run_body body) { return run_main({}, std::move(body)); }

context::context(driver_choice which, std::chrono::nanoseconds spin) : opened_(loop_.open(which, spin)) {}

result<signals> signals::open(loop& here, std::span<const int> numbers) {
  auto block = here.net().watch_signals(numbers);
  if (!block) return fail(std::move(block.error()));
  return signals(**block);
}

}  // namespace soquete
