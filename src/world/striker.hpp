// The hand that is put in: counts the awaits and the calls of a run, and strikes at one of them.
#pragma once

#include <optional>
#include <soquete/sim.hpp>
#include <string>

#include "sim/meddler.hpp"
#include "sim/network.hpp"

namespace soquete::sim {

std::string_view to_string(strike) noexcept;

/// Awaits are operations that wait, calls all that a program asks of its host; both are counted from 1.
class striker final : public meddler {
 public:
  /// Counts only.
  striker() = default;
  /// At that await; nothing: looks where it is.
  striker(std::uint64_t await, std::optional<strike> how) : at_await_(await), how_(how) {}
  /// Lets that call fail.
  striker(std::uint64_t call, int cause) : at_call_(call), cause_(cause) {}

  /// Before anything else.
  void enter(world::inside& in) noexcept { in_ = &in; }

  int fails(request what) noexcept override;
  void waits(block& on, op& what) noexcept override;
  /// The turn of a host is over: what was found in it is struck now.
  void look(host::inside& on);

  std::uint64_t awaits() const noexcept { return awaits_; }
  const std::string& calls() const noexcept { return calls_; }  ///< A character each, the number of its kind.
  bool was_there() const noexcept { return was_there_; }        ///< Has the await or the call come?
  bool has_struck() const noexcept { return has_struck_; }      ///< And was there something to strike?
  const std::string& where() const noexcept { return where_; }  ///< "receive at client.cpp:9, from …"

 private:
  void strike_now(host::inside& on, op& what);

  world::inside* in_ = nullptr;
  std::uint64_t awaits_ = 0;
  std::string calls_;
  std::uint64_t at_await_ = 0;
  std::optional<strike> how_;
  std::uint64_t at_call_ = 0;
  int cause_ = 0;
  op* found_ = nullptr;
  bool was_there_ = false;
  bool has_struck_ = false;
  std::string where_;
};

}  // namespace soquete::sim
