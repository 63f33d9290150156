// Runs a scenario again and again, and ends it at another moment each time.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <soquete/deadline.hpp>
#include <vector>

#include "test_loop.hpp"

namespace soquete::test {

/// How a scenario is ended, at the n-th turn of its loop.
enum class strike : std::uint8_t {
  before_turn,  ///< Operations have been started and not yet submitted.
  after_turn,   ///< Their completions are queued, nobody has heard of them.
  in_round,     ///< Those that were queued have been heard of.
  deadline,     ///< Time jumps beyond a deadline around all of it.
};

/// Memory that was lent to a receive: nobody may write to it once the await has ended.
class lent_memory {
 public:
  using room = std::vector<std::byte>;

  /// Fresh memory for one receive.
  mutable_bytes lend(std::size_t size) { return all_.emplace_back(size); }
  /// The await has ended, whichever way: its bytes are copied out, and the memory is marked.
  static std::string take_back(mutable_bytes lent, std::size_t size) {
    std::string got(as_text(lent.first(size)));
    std::fill(lent.begin(), lent.end(), mark);
    return got;
  }
  bool is_untouched() const {
    for (const room& one : all_)
      for (std::byte b : one)
        if (b != mark) return false;
    return true;
  }

 private:
  static constexpr std::byte mark{0xEE};
  std::deque<room> all_;
};

/// One run of a scenario. It fails only by being ended, or with EXPECT.
using scenario = std::function<task<result<void>>(lent_memory&)>;

/// Ends `play` at every turn in every way until it gets to its end untouched; checks each time that nothing
/// is left behind. Gives the number of runs.
std::size_t at_each_moment(driver_choice which, const scenario& play);

}  // namespace soquete::test
