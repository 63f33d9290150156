// The hand that is put in: counts the awaits and the calls of a run, and strikes at one of them.
#pragma once

#include <optional>
#include <soquete/sim.hpp>
#include <string>

#include "sim/meddler.hpp"
#include "sim/network.hpp"

namespace soquete::sim {

struct life;
struct place;

std::string_view to_string(strike) noexcept;

/// Awaits are operations that wait, sleeps and all else that does; calls all that a program asks of its host.
/// Both are counted from 1.
///
/// An await is struck where nothing else runs: when the turn of its host is over; before a turn in which its
/// time is over, or its result is told; and after that, before its coroutine runs.
class striker final : public meddler {
 public:
  /// Counts only.
  striker() = default;
  /// At that await; nothing: looks where it is.
  striker(std::uint64_t await, std::optional<strike> how) : at_await_(await), how_(how) {}
  /// Lets that call fail.
  striker(std::uint64_t call, int cause) : at_call_(call), cause_(cause) {}

  /// Before anything else. Whoever is asked to end has so long.
  void enter(world::inside& in, moment patience) noexcept;

  // Told by drivers, of operations.
  int fails(request what) noexcept override;
  void waits(block& on, op& what) noexcept override;
  bool holds(op& what) noexcept override;
  void gives_up(op& what) noexcept override;
  // Told by loops, of other waits.
  void begun(life& in, const void* wait, wait_kind what) noexcept;
  void ended(const void* wait) noexcept;
  // Told by hosts.
  void before_turn(life& in);
  void after_turn(life& in);
  void look(host::inside& on);  ///< The turn of a host is over.
  void forget(const life& in) noexcept;

  const std::string& awaits() const noexcept { return awaits_; }  ///< A character each, for may_strike().
  const std::string& calls() const noexcept { return calls_; }  ///< A character each, the number of its kind.
  bool was_there() const noexcept { return was_there_; }        ///< Has the await or the call come?
  bool has_struck() const noexcept { return has_struck_; }      ///< And was there something to strike?
  const std::string& where() const noexcept { return where_; }  ///< "receive at client.cpp:9, from …"

 private:
  void count(life& in, const void* wait, op* what, char kind);
  void see(host::inside& on);
  void meet();
  void strike_now(life& in, const place& there);
  void look_who_ends(const place& there);

  world::inside* in_ = nullptr;
  moment patience_{};
  std::string awaits_;
  std::string calls_;
  std::uint64_t at_await_ = 0;
  std::optional<strike> how_;
  std::uint64_t at_call_ = 0;
  int cause_ = 0;
  bool was_there_ = false;
  bool has_struck_ = false;
  std::string where_;

  // What it is about to strike.
  life* in_life_ = nullptr;     ///< Null: nothing.
  const void* wait_ = nullptr;  ///< Only compared: it may be gone.
  op* what_ = nullptr;          ///< Null: it is no operation.
  bool is_seen_ = false;        ///< Since it waits, a turn has ended.
  bool is_held_ = false;        ///< Its result has come, and is not told yet.
  bool is_over_ = false;        ///< It has ended, and its coroutine has not gone on yet.
};

/// Is there a point in doing that to such an await?
bool may_strike(char await, strike how) noexcept;

}  // namespace soquete::sim
