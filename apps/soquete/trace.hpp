// --trace: each socket call as it happens, with its result and what it means.
#pragma once

#include <atomic>
#include <chrono>
#include <soquete/driver.hpp>

#include "console.hpp"

namespace command {

/// Writes a line for each event, from any thread.
class narrator : public soquete::trace_sink {
 public:
  narrator(console& to, const options& how);

 private:
  void narrate(const soquete::trace_event& event);

  console& to_;
  const options& how_;
  std::atomic<bool> has_explained_mapping_ = false;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace command
