// A simulated TCP connection: two ends, and a way for bytes in each direction.  RFC 9293; what is and is not
// modelled: docs/simulation.md
#pragma once

#include <array>
#include <soquete/driver.hpp>

#include "sim/byte_line.hpp"
#include "sim/line.hpp"
#include "sim/network.hpp"
#include "sim/recording.hpp"

namespace soquete::sim {

struct block;

/// Sides are 0, which has asked for the connection, and 1, which accepts it.
///
///     none --SYN--> opening --SYN-ACK, ACK--> open --close()--> closed --both ends finished--> gone
///                      |                       |                  |                             ^
///                      +--- refused, given up, +-- reset ---------+-- answered by a reset ------+
class connection final : public occurrence {
 public:
  connection(network& net, block& asking, const endpoint& from, const endpoint& to, machine* there);

  /// Sends the first packet.
  void ask();
  void happen(network& net, unsigned what) noexcept override;

  /// Bytes, 0 at the end, or -errno; -EAGAIN: there are none yet.
  std::int64_t receive(unsigned side, mutable_bytes into) noexcept;
  /// What a receive would find, without taking it: 0 or -EAGAIN.
  std::int64_t readable(unsigned side) const noexcept;
  /// Bytes taken, or -errno; -EAGAIN: there is no room.
  std::int64_t send(unsigned side, bytes from) noexcept;
  /// Its writer waits for room.
  void expect_room(unsigned side) { expect_credit(side); }
  /// 0 or -errno.
  int shutdown(unsigned side, direction which) noexcept;
  /// The socket is gone. With a reset if asked for, or if bytes were left unread.
  void close(unsigned side, bool reset) noexcept;
  /// The machine of that side has lost its memory.
  void vanish(unsigned side) noexcept;
  /// The socket that has accepted it.
  void accepted_by(block& by) noexcept;
  /// Something on the way resets both ends.
  void break_in_the_middle() noexcept;
  /// A link is whole again, or a machine up.
  void resume() noexcept;
  /// A recording begins.
  void record_flights() const;
  /// That side may have lost the other without a word: keep-alive finds out, where it is on.
  void suspect(unsigned side) noexcept;

  const endpoint& name(unsigned side) const noexcept { return ends_[side].name; }
  machine* at(unsigned side) const noexcept { return ends_[side].at; }
  bool is_open(unsigned side) const noexcept { return ends_[side].now == state::open; }
  bool is_over() const noexcept { return ends_[0].now == state::gone && ends_[1].now == state::gone; }
  /// Why it broke, an errno; told once.
  int take_error(unsigned side) noexcept { return std::exchange(ends_[side].error, 0); }
  tcp_info info(unsigned side) noexcept;
  std::string describe() const;

  std::size_t place = 0;  ///< Among those of the network.

 private:
  ~connection() override;

  enum class state : std::uint8_t { none, opening, open, closed, gone };
  struct end {
    machine* at = nullptr;
    block* owner = nullptr;
    endpoint name;
    state now = state::none;
    int error = 0;          ///< An errno, told once.
    bool finished = false;  ///< The other end's FIN has come.
    bool broken = false;    ///< Reset or given up.
    bool stopped_sending = false;
    bool stopped_receiving = false;
    bool suspects = false;  ///< There is an event for it.
  };
  enum class flag : std::uint8_t { none, syn, fin, reset };
  struct piece {
    std::uint64_t until;  ///< Position after its last byte.
    moment at;
    flag what;
  };
  struct credit {
    moment at;
    std::uint64_t arrived;
    std::uint64_t edge;
  };
  /// From the end of the same number to the other. Positions count from the beginning:
  /// read <= arrived <= sent <= written, sent <= edge.
  struct way {
    link* along = nullptr;
    byte_line held;  ///< From `read` to `written`.
    std::uint64_t read = 0, arrived = 0, sent = 0, written = 0;
    std::uint64_t acknowledged = 0;  ///< As the sender knows: it may forget these.
    std::uint64_t edge = 0;          ///< As the sender knows: it may send so far.
    std::uint64_t advertised = 0;    ///< The edge that was last told to the sender.
    std::size_t room = 0;            ///< Bytes that the sender may have unacknowledged.
    std::size_t window = 0;          ///< Bytes that the receiver may have unread.
    line<piece> flying;
    line<credit> credits;
    moment last_at{};
    bool stalled = false;         ///< A piece has come to a link that is cut.
    bool credit_stalled = false;  ///< Likewise.
    bool credit_expected = false;
    bool wants_end = false, end_sent = false;
    bool gives_up = false;  ///< There is an event for it.
  };
  enum kind : unsigned {
    syn,
    again,
    refusal,
    middle,
    piece_event,
    credit_event = 6,
    give_up = 8,
    probe = 10,
    heard = 12
  };

  void send_syn();
  void lose_syn(std::string_view why);
  void syn_came();
  void ask_again();
  void fail_to_connect(int cause);
  void pieces_came(unsigned side);
  void deliver(unsigned side, const piece& one);
  void handshake(unsigned side);
  void forget() noexcept;
  bool is_heard_late();
  void end_came(unsigned at);
  void reset_came(unsigned at, int cause);
  void send_reset(unsigned side);
  void pump(unsigned side);
  void fly(unsigned side, std::size_t size, flag what);
  void settle(unsigned side) noexcept;
  void tell_sender(unsigned side);
  void expect_credit(unsigned side);
  bool is_hungry(unsigned side) const noexcept;
  void given_up(unsigned side);
  void probed(unsigned side);
  bool is_cut(unsigned side) const noexcept;
  bool is_stopped(unsigned side) const noexcept;
  std::size_t send_room(const block& of) noexcept;
  std::size_t receive_room(std::int64_t set, link& along) noexcept;
  std::size_t room_left(const way& w) const noexcept;
  void note(unsigned side, noted what, std::uint64_t a = 0, std::uint64_t b = 0);
  // For the recording, if there is one.
  message packet(unsigned side, parcel what) const;
  void record_piece(unsigned side, std::size_t size, flag what, moment due);
  void record_acknowledgement(unsigned side, moment due);
  void record_request(moment due);
  void record_refusal(moment due);
  void record_reset_from_the_way(unsigned to);
  void record_landing(unsigned side) {
    if (net_.tape) [[unlikely]]
      net_.tape->land(number_, side, net_.now());
  }
  void record_drop(unsigned side, std::string_view why) {
    if (net_.tape) [[unlikely]]
      net_.tape->drop(number_, side, net_.now(), why);
  }

  network& net_;
  std::array<end, 2> ends_;
  std::array<way, 2> ways_;
  random draws_;
  random chances_;  ///< Of what rarely comes between two steps of the handshake.
  std::uint64_t number_;
  unsigned attempts_ = 0;
  moment asked_at_{};
};

}  // namespace soquete::sim
