// A network in memory: machines, links, what travels between them, and the time.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <soquete/sim_options.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/agenda.hpp"
#include "sim/fault_filter.hpp"
#include "sim/random.hpp"
#include "sim/recording.hpp"
#include "sim/trace.hpp"

namespace soquete::sim {

class connection;
class machine;
class meddler;

/// One direction between two machines, or from a machine to itself.
class link {
 public:
  link(std::uint64_t seed, std::uint32_t number, bool is_inside) noexcept
      : draws_(seed, purpose::link, number), is_inside_(is_inside) {}

  void set(const link_options& how) noexcept;
  const link_options& how() const noexcept { return how_; }

  enum class cause : unsigned { script = 1, fault = 2, both = 3 };
  void cut(cause why) noexcept { cuts_ |= static_cast<unsigned>(why); }
  void mend(cause why) noexcept { cuts_ &= ~static_cast<unsigned>(why); }
  bool is_cut() const noexcept { return cuts_ != 0; }

  /// When the last of `size` bytes has left, if they are given now.
  moment leave(moment now, std::size_t size) noexcept;
  /// How long the next one takes.
  moment delay() noexcept;
  bool loses() noexcept { return draws_.happens(loss_); }
  bool duplicates() noexcept { return draws_.happens(duplicates_); }
  std::size_t draw_window() noexcept;

 private:
  link_options how_;
  random draws_;
  bool is_inside_;
  unsigned cuts_ = 0;
  std::uint64_t loss_ = 0;
  std::uint64_t duplicates_ = 0;
  moment busy_until_{};
};

/// How often faults of each kind happen by themselves, in 2^32nds of the occasions. Nemesis makes the others.
struct weather {
  std::array<std::uint64_t, fault_count> rates{};
  moment end = moment::max();

  std::uint64_t& operator[](fault kind) noexcept { return rates[static_cast<std::size_t>(kind)]; }
};

class network {
 public:
  explicit network(std::uint64_t from) noexcept;
  network(const network&) = delete;
  network& operator=(const network&) = delete;
  ~network();

  moment now() const noexcept { return now_; }
  /// Lets all happen that is due at the next moment, which becomes now; that is not after `latest`.
  void go_on(moment latest) noexcept;
  /// Time passes and nothing happens.
  void pass_until(moment then) noexcept { now_ = then > now_ ? then : now_; }

  machine& add_machine(std::string name, const host_options&);
  machine* find(const address& at) noexcept;
  machine* find(std::string_view name) noexcept;
  const std::vector<std::unique_ptr<machine>>& machines() const noexcept { return machines_; }

  /// From now on the name leads to these; a host's own as well.
  void set_name(std::string_view name, std::span<const address> addresses);
  /// None: nobody has that name.
  std::span<const address> addresses_of(std::string_view name) const noexcept;

  link& between(machine& from, machine& to);
  bool is_cut(const address& one) const noexcept {
    return !cut_addresses_.empty() && cut_addresses_.contains(one);
  }
  /// For links that are first used after this.
  link_options usual;
  void cut(machine& from, machine& to, link::cause why);
  void mend(machine& from, machine& to, link::cause why);
  /// Of the host with that address nothing passes to or from it, by script; mend_all() mends it.
  void cut(const address& one);
  /// Mends what was cut for this cause.
  void mend_all(link::cause why);
  /// Lets go on what has stopped at a link that is whole again, or at a machine that is up again.
  void resume_all();

  void add(connection&);
  void remove(connection&) noexcept;
  const std::vector<connection*>& connections() const noexcept { return connections_; }

  /// Does a fault of this kind happen here and now?
  bool strikes(fault kind) noexcept { return strikes(kind, faults); }
  /// Likewise, drawn elsewhere.
  bool strikes(fault kind, random& draws) noexcept {
    const std::uint64_t rate = clouds[kind];
    if (rate == 0 || now_ >= clouds.end || !draws.happens(rate)) return false;
    return may_strike(kind);
  }
  /// From now on all that travels is kept.
  void record();
  /// Null if nobody has asked for it; from now on nothing is.
  std::unique_ptr<recording> take_recording() noexcept;
  /// It would strike now. Notes it and gives true, unless the filter holds it back.
  bool may_strike(fault kind);
  void note(const machine& who, noted what, std::uint64_t a = 0, std::uint64_t b = 0);

  const std::uint64_t seed;
  agenda events;
  trace story;
  std::unique_ptr<recording> tape;  ///< Null: nobody has asked for it.
  const char* unusual = "";         ///< What the next piece of a stream suffers, for the recording.
  weather clouds;
  std::array<std::uint64_t, fault_count> struck{};     ///< How often each kind has happened.
  std::array<std::uint64_t, fault_count> occasions{};  ///< And would have, without the filter.
  const fault_filter* only = nullptr;                  ///< Null: all may strike.
  /// Those that the filter has let through, and when.
  std::vector<std::pair<numbered_fault, moment>> let_through;
  meddler* hand = nullptr;  ///< Null: nobody puts a hand in.
  random faults;            ///< For what strikes.
  /// Where bytes stand for a moment before they are lent.
  std::vector<std::byte> scratch;
  /// Machines with something to run, in order.
  std::vector<machine*> ready;
  /// Somebody outside takes the turns, so drivers do not.
  bool is_driven = false;
  std::uint64_t connections_made = 0;

 private:
  void mend(link& one, link::cause why, std::uint32_t from, std::uint32_t to);
  void remark(const address& about, noted what, std::string_view words);
  void suspect_all();

  moment now_{};
  std::vector<std::unique_ptr<machine>> machines_;
  std::map<address, machine*> by_address_;
  std::map<std::string, machine*, std::less<>> by_name_;
  std::map<std::string, std::vector<address>, std::less<>> other_names_;  ///< Before those of machines.
  std::set<address> cut_addresses_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, link> links_;
  std::vector<connection*> connections_;
};

}  // namespace soquete::sim
