// One end of a simulated local socket, a stream, a seqpacket or a datagram socket, or of a pipe. What is sent
// is there at once, in the receiver's line, and uses the sender's room until it is read.  unix(7)
#pragma once

#include <soquete/driver.hpp>

#include "sim/handles.hpp"
#include "sim/line.hpp"
#include "sim/machine.hpp"
#include "sim/shared.hpp"

namespace soquete::sim {

struct block;
class local_end;

/// What was sent at once.
struct delivery {
  std::vector<std::byte> payload;
  std::size_t read = 0;  ///< Of a stream: bytes of it that have been.
  endpoint from;
  credentials sender;
  shared<local_end> by;  ///< Who sent it, whose room it uses.
  std::size_t cost = 0;  ///< How much of it.
  std::vector<carried_descriptor> handles;
};

/// Outlives the socket while peers or deliveries know it.
///
///     unconnected --connect, pair--> connected --close of either--> over
///          |                                                         ^
///          +--listen--> listening ------------close------------------+
class local_end final : public occurrence {
 public:
  static constexpr std::size_t usual_room = 212'992;  ///< net.core.wmem_default
  static constexpr std::int64_t asked_max = 212'992;  ///< net.core.wmem_max: more is not given.
  static constexpr std::int64_t room_min = 4608;      ///< SOCK_MIN_SNDBUF
  static constexpr std::size_t pipe_room = 65'536;    ///< pipe(7)
  static constexpr std::size_t overhead = 512;        ///< What the kernel counts besides the bytes, about.
  static constexpr std::size_t datagrams_max = 10;    ///< net.unix.max_dgram_qlen
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};  ///< As user and group: not known.

  local_end(machine& on, transport how, block* of) noexcept : at(on), carries(how), owner(of) {}

  /// Something has come: its reader is told.
  void happen(network& net, unsigned what) noexcept override;

  /// Each other's peers.
  static void join(local_end& one, local_end& other) noexcept;
  /// The ends of a pipe: bytes go one way.  pipe(7)
  static void join_as_pipe(local_end& reading, local_end& writing) noexcept;
  /// A client's end for a listener to accept. 0 or an errno.
  int ask(local_end& listener);
  /// Of datagrams: there it sends from now on, and from there only it receives; null: anywhere. What others
  /// have sent stays, but when another peer is left for it.
  void connect(local_end* to) noexcept;

  /// Of streams. Bytes, 0 at the end, or -errno; -EAGAIN: there are none yet. `beside`: what was sent beside
  /// the first of them.
  std::int64_t receive(mutable_bytes into, delivery* beside) noexcept;
  /// Of streams. Bytes taken, or -errno; -EAGAIN: there is no room. The descriptors go with the first of
  /// them.
  std::int64_t send(bytes from, std::vector<carried_descriptor> handles = {}) noexcept;
  /// Of records and datagrams: the next one; -EAGAIN: there is none yet; 0 at the end, else 1.
  std::int64_t receive(delivery& into) noexcept;
  /// Of records and datagrams. 0 or -errno, whoever shall receive it; -EAGAIN: there is no room.
  int may_send(std::size_t size) noexcept;
  /// Once it may. To the peer if null. 0 or -errno; -EAGAIN: the receiver has no room.
  int send(bytes payload, std::vector<carried_descriptor> handles, local_end* to);
  /// What a receive would find, without taking it: 0 or -EAGAIN.
  std::int64_t readable() const noexcept;
  /// 0 or an errno.
  int shutdown(direction which) noexcept;
  /// The socket is gone, or was never accepted.
  void close(bool was_accepted = true) noexcept;
  /// Its machine has lost its memory: nobody is told.
  void vanish() noexcept;

  /// A stream or a seqpacket, whatever has become of its peer.
  /// Of the descriptors that wait here or with connections that nobody has accepted: what of this host is
  /// open.
  template <class F>
  void for_each_carried(const F& told) const {
    for (const delivery& one : inbox_)
      for (const carried_descriptor& each : one.handles) told(each.open());
    for (const shared<local_end>& one : waiting) one->for_each_carried(told);
  }
  /// Moves them there.
  void lose_carried(std::vector<carried_descriptor>& to);

  bool was_connected() const noexcept { return was_connected_; }
  local_end* peer() const noexcept { return peer_.get(); }
  std::string describe() const;
  int take_error() noexcept { return std::exchange(error_, 0); }

  machine& at;
  const transport carries;
  block* owner;  ///< Null: not accepted yet, or closed.
  endpoint name = endpoint::local_unnamed();
  credentials peer_is{0, nobody, nobody};  ///< Who it was when it connected, or listened.
  std::size_t room = usual_room;
  bool tells_sender = false;        ///< SO_PASSCRED
  int backlog = -1;                 ///< -1: it does not listen.
  line<shared<local_end>> waiting;  ///< Connected and not accepted.

 private:
  bool is_of_bytes() const noexcept { return carries == transport::stream; }
  bool has_pair() const noexcept { return carries != transport::datagram; }
  void deliver(bytes payload, std::vector<carried_descriptor> handles, local_end& to);
  /// The delivery is no longer in our line.
  void taken(const delivery& one) noexcept;
  void drop_all() noexcept;
  void wake_those_who_want_room() noexcept;
  void wake_reader() noexcept;
  void wake_writer() noexcept;

  shared<local_end> peer_;
  line<delivery> inbox_;
  std::size_t used_ = 0;                ///< Of our room, by what others have not read.
  line<shared<local_end>> wants_room_;  ///< Connected to this one, whose line was full.
  int error_ = 0;                       ///< An errno, told once.
  bool was_connected_ = false;
  bool is_closed_ = false;
  bool receives_no_more_ = false;
  bool sends_no_more_ = false;
  bool is_pipe_ = false;
  bool reads_pipe_ = false;  ///< It is the end that does.
};

}  // namespace soquete::sim
