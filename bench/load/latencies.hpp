// How long answers took.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace load {

class latencies {
 public:
  explicit latencies(std::size_t expected = 1 << 20) { all_.reserve(expected); }

  // From four seconds on it does not matter how long.
  void add(std::uint64_t ns) {
    all_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(ns, UINT32_MAX)));
  }
  std::size_t count() const { return all_.size(); }
  // part: 0.5 is the median. 0 of none.
  double percentile_us(double part) {
    if (all_.empty()) return 0;
    auto at = all_.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(all_.size() - 1) * part);
    std::nth_element(all_.begin(), at, all_.end());
    return *at / 1e3;
  }

 private:
  std::vector<std::uint32_t> all_;
};

}  // namespace load
