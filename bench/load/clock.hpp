// Time, and where a run stands in it: first warming up, then measured.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>

#include "options.hpp"
#include "server.hpp"

namespace load {

inline std::uint64_t now_ns(clockid_t which = CLOCK_MONOTONIC) {
  timespec t;
  clock_gettime(which, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

// Reads the CPU time of the server, and our own, at both marks. Call tick() often.
class stopwatch {
 public:
  explicit stopwatch(const options& o)
      : server_(o.server),
        measure_from_(now_ns() + static_cast<std::uint64_t>(o.warm_up * 1e9)),
        measure_ns_(static_cast<std::uint64_t>(o.measure * 1e9)) {}

  // False once the time is over and the sample is `enough`.
  bool tick(std::uint64_t now, bool enough = true) {
    if (!running_ && now >= measure_from_) {
      running_ = true;
      began_ = now;
      cpu_began_ = server_.cpu_ns();
      own_began_ = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    } else if (running_ && enough && now >= began_ + measure_ns_) {
      ended_ = now;
      cpu_ended_ = server_.cpu_ns();
      own_ended_ = now_ns(CLOCK_PROCESS_CPUTIME_ID);
      return false;
    }
    return true;
  }

  bool running() const { return running_; }
  double seconds() const { return static_cast<double>(ended_ - began_) / 1e9; }
  double cpu_ns() const {
    double sum = 0;
    for (const auto& [thread, ns] : cpu_ended_) sum += cpu_ns_of(thread, ns);
    return sum;
  }
  double own_cpu_ns() const { return static_cast<double>(own_ended_ - own_began_); }
  double busiest_cpu_ns() const {
    double most = 0;
    for (const auto& [thread, ns] : cpu_ended_) most = std::max(most, cpu_ns_of(thread, ns));
    return most;
  }

 private:
  double cpu_ns_of(const std::string& thread, std::uint64_t at_the_end) const {
    auto before = cpu_began_.find(thread);
    return static_cast<double>(at_the_end - (before == cpu_began_.end() ? 0 : before->second));
  }

  server server_;
  std::uint64_t measure_from_, measure_ns_;
  std::uint64_t began_ = 0, ended_ = 0, own_began_ = 0, own_ended_ = 0;
  server::cpu_times cpu_began_, cpu_ended_;
  bool running_ = false;
};

}  // namespace load
