// Whoever puts a hand in: fails what would not fail, is told which operations wait, and keeps results back.
#pragma once

#include <cstdint>
#include <soquete/op.hpp>
#include <span>
#include <string_view>

namespace soquete::sim {

struct block;
class machine;

/// What a program asks of its host: operations, and what is answered at once.
enum class request : std::uint8_t {
  open,
  bind,
  listen,
  local,
  peer,
  set_option,
  get_option,
  shutdown,
  connect,    // a stream
  associate,  // a datagram socket with its peer: connect(2), which exchanges nothing
  accept,
  receive,
  send,
  receive_messages,
  send_messages,
  wait,  // until a read would not wait
  pair,  // of local sockets
  pipe,
  watch,  // for signals
  claim,  // a path or an abstract name, to serve there
  copy,   // a descriptor
  dissociate,
  look_up,
};
inline constexpr std::size_t request_count = 23;

std::string_view to_string(request) noexcept;
/// What such a call may fail with by no fault of the program, as errno; the man pages of section 2 list them.
std::span<const int> plausible(request) noexcept;
/// How one that waits already may fail: what comes late, such as a peer that is given up. 0: it cannot.
int late_cause(request) noexcept;
/// "ECONNRESET"; a number where we have no name.
std::string_view errno_name(int cause) noexcept;
/// 0: it is no name of ours.
int errno_named(std::string_view name) noexcept;

class meddler {
 public:
  /// Something is asked for. Not 0: it fails with this errno, and nothing else happens.
  virtual int fails(request what) noexcept = 0;
  /// An operation waits, as it will until the turn of its host is over.
  virtual void waits(block& on, op& what) noexcept = 0;
  /// The result of one that waits has come. True: it is told when host_driver::let_go says so, within the
  /// same moment.
  virtual bool holds(op& what) noexcept = 0;
  /// One that waits ends because it was asked to.
  virtual void gives_up(op& what) noexcept = 0;

 protected:
  ~meddler() = default;
};

}  // namespace soquete::sim
