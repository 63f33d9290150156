// Calls that cannot be awaited, on a thread that may wait.
#pragma once

#include <optional>
#include <soquete/loop.hpp>

namespace soquete {
namespace detail {

class blocking_wait;

// Owned by the waiting coroutine, then by the pool, then by the loop that it is posted to, then by the
// coroutine again, if that still waits. Nothing in it refers to the coroutine's memory.
struct blocking_job {
  virtual ~blocking_job() = default;
  virtual void run() noexcept = 0;

  blocking_wait* waiting = nullptr;  // Read and written on the loop's thread only.
};

class blocking_wait : cancel_hook {
 public:
  explicit blocking_wait(owned<blocking_job> job) noexcept : job_(std::move(job)) {}
  blocking_wait(blocking_wait&& other) noexcept : cancel_hook(), job_(std::move(other.job_)) {}

  bool begin(environment env, waiter* then);
  bool is_done() const noexcept { return is_done_; }
  std::error_code cause() const noexcept;
  void describe(suspension_report& report) const;
  blocking_job& job() noexcept { return *job_; }

 private:
  static void come_back(owned<blocking_job> done) noexcept;

  environment env_;
  waiter* then_ = nullptr;
  owned<blocking_job> job_;  // While it is not under way.
  blocking_job* under_way_ = nullptr;
  bool is_done_ = false;
};

template <class F>
class blocking_call {
 public:
  using value = std::invoke_result_t<F&>;
  using awaiter = blocking_call;

  explicit blocking_call(F work) : wait_(owned<blocking_job>(new job(std::move(work)))) {}
  bool begin(environment env, waiter* then) { return wait_.begin(env, then); }
  bool failed() const noexcept { return !wait_.is_done(); }
  result<value> take() {
    if (failed()) return fail(error(wait_.cause(), step::wait));
    if constexpr (std::is_void_v<value>)
      return {};
    else
      return std::move(*static_cast<job&>(wait_.job()).got);
  }
  void describe(suspension_report& report) const { wait_.describe(report); }

 private:
  struct job final : blocking_job {
    explicit job(F w) : work(std::move(w)) {}
    void run() noexcept override {
      if constexpr (std::is_void_v<value>)
        work();
      else
        got.emplace(work());
    }
    F work;
    std::optional<std::conditional_t<std::is_void_v<value>, bool, value>> got;
  };
  blocking_wait wait_;
};

}  // namespace detail

/// Runs `work()` on another thread and gives its value. Cancelled, the wait ends at once and the call goes on
/// by itself to its end: `work` owns all that it uses. It must not throw.
/// Errors: operation_canceled, timed_out.
template <class F>
[[nodiscard]] auto blocking(F work) {
  static_assert(detail::safe_closure<F>, "name the closure first: GCC 12 destroys owning captures twice");
  return detail::blocking_call<F>(std::move(work));
}

}  // namespace soquete
