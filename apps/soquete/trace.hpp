// --trace: each socket call as it happens, with its result and what it means.
#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <soquete/driver.hpp>

#include "console.hpp"

namespace command {

/// Writes a line for each event, from any thread.
class narrator : public soquete::trace_sink {
 public:
  explicit narrator(console& to);

 private:
  void narrate(const soquete::trace_event& event);
  bool is_datagram(const soquete::trace_event& event);

  console& to_;
  std::mutex mutex_;
  std::set<int> datagrams_;  // Sockets of ours that are open.
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace command
