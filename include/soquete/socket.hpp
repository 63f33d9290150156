// The owner of one open socket, and its options.  socket(7)
#pragma once

#include <array>
#include <cassert>
#include <chrono>
#include <cstring>
#include <optional>
#include <soquete/driver.hpp>
#include <string>
#include <type_traits>

namespace soquete {

/// Owns a socket; closes it at its end. Move-only; empty after a move.
///
/// No operation may be pending when it ends: structured tasks see to that. Belongs to the loop that opened
/// it.
class socket {
 public:
  socket() = default;
  explicit socket(socket_block& block) noexcept : block_(&block) {}  ///< Owns what a driver has opened.
  socket(socket&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  socket& operator=(socket&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~socket() { close(); }

  bool is_open() const noexcept { return block_ != nullptr; }
  /// Closes now; once more does nothing.  close(2)
  void close() noexcept;
  /// Lets the descriptor go, open, with what has arrived on it. No operation may be pending.
  [[nodiscard]] owned_descriptor release();

  /// What the driver keeps of it. To ask anything of a closed socket is a mistake in the program.
  socket_block& block() const noexcept {
    assert(block_ != nullptr);
    return *block_;
  }
  driver& net() const noexcept { return block().home; }  ///< The driver it belongs to.
  /// The number by which the system knows it. It stays owned here.
  int descriptor() const noexcept { return block().descriptor; }

  /// Our end.  Errors: bad_file_descriptor.  getsockname(2)
  result<endpoint> local() const { return net().local(block()); }
  /// The other end; nothing for a listener, and for a peer that was gone before it was accepted.
  endpoint peer() const noexcept;

 private:
  socket_block* block_ = nullptr;
};

/// Times of TCP keep-alive.  TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, tcp(7)
struct keep_alive_times {
  std::chrono::seconds idle{7200};    ///< Silence before the first probe. RFC 1122's two hours.
  std::chrono::seconds interval{75};  ///< Between probes that nobody answers.
  unsigned count = 9;                 ///< Unanswered probes before the connection is given up.
};

/// A value that the kernel takes and gives as it lies in memory. Text and arrays are bytes, of a size of
/// their own.
template <class T>
concept option_value =
    std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !requires(const T& value) { value.data(); };

/// The options of a socket, each one call of setsockopt(2) or getsockopt(2) unless it says more.
///
/// A view: valid while the socket is open. Errors of all: invalid_argument, operation_not_permitted where a
/// privilege is missing, no_protocol_option where the socket is of another kind.
class socket_options {
 public:
  /// Of this socket, which outlives them.
  explicit socket_options(socket_block& block) noexcept : block_(block) {}

  /// Sends small pieces at once instead of waiting for acknowledgements. On for all our streams. TCP_NODELAY,
  /// tcp(7)
  result<void> set_no_delay(bool on) { return set(option::no_delay, on); }
  result<bool> no_delay() const { return flag(option::no_delay); }

  /// Asks a silent peer now and then whether it is still there.  SO_KEEPALIVE, socket(7)
  result<void> set_keep_alive(bool on) { return set(option::keep_alive, on); }
  result<bool> keep_alive() const { return flag(option::keep_alive); }
  /// Four calls: on, and the three times.
  result<void> set_keep_alive(keep_alive_times times);
  result<keep_alive_times> keep_alive_schedule() const;

  /// Gives the connection up when sent bytes stay unacknowledged that long; zero: the system's rule.
  /// TCP_USER_TIMEOUT, tcp(7)
  result<void> set_user_timeout(std::chrono::milliseconds limit) {
    return set(option::user_timeout, limit.count());
  }
  result<std::chrono::milliseconds> user_timeout() const;

  /// How long close() keeps trying to deliver; zero: it resets; nothing: in the background.  SO_LINGER,
  /// socket(7)
  result<void> set_linger(std::optional<std::chrono::seconds> limit);
  result<std::optional<std::chrono::seconds>> linger() const;

  /// Bytes of the kernel's buffers. Linux doubles what is set, and bounds it.  SO_RCVBUF, SO_SNDBUF,
  /// socket(7)
  result<void> set_receive_buffer(std::int64_t size) { return set(option::receive_buffer, size); }
  result<std::int64_t> receive_buffer() const { return get(option::receive_buffer); }
  /// The same for what is sent.
  result<void> set_send_buffer(std::int64_t size) { return set(option::send_buffer, size); }
  result<std::int64_t> send_buffer() const { return get(option::send_buffer); }

  /// Only so many bytes wait unsent in the kernel before a send waits.  TCP_NOTSENT_LOWAT, tcp(7)
  result<void> set_not_sent_low_water(std::int64_t size) { return set(option::not_sent_low_water, size); }
  result<std::int64_t> not_sent_low_water() const { return get(option::not_sent_low_water); }

  /// The largest segment, bytes; before connecting, an upper bound.  TCP_MAXSEG, tcp(7)
  result<void> set_max_segment(std::int64_t size) { return set(option::max_segment, size); }
  result<std::int64_t> max_segment() const { return get(option::max_segment); }

  /// Binds an address that a closed connection still occupies.  SO_REUSEADDR, socket(7)
  result<void> set_reuse_address(bool on) { return set(option::reuse_address, on); }
  result<bool> reuse_address() const { return flag(option::reuse_address); }
  /// Several listeners on one address; the kernel spreads connections.  SO_REUSEPORT, socket(7)
  result<void> set_reuse_port(bool on) { return set(option::reuse_port, on); }
  result<bool> reuse_port() const { return flag(option::reuse_port); }
  /// Of several listeners on one address, this one takes what the kernel receives on that processor; -1: on
  /// any. Of a connection it tells where it was received last. run_options::pin does it for whole servers.
  /// SO_INCOMING_CPU, socket(7)
  result<void> set_incoming_cpu(int processor) { return set(option::incoming_cpu, processor); }
  result<int> incoming_cpu() const;
  /// An IPv6 socket that leaves IPv4 alone.  IPV6_V6ONLY, ipv6(7)
  result<void> set_v6_only(bool on) { return set(option::v6_only, on); }
  result<bool> v6_only() const { return flag(option::v6_only); }

  /// Accepts only once bytes have come, or that much later; seconds, rounded up by the kernel.
  /// TCP_DEFER_ACCEPT, tcp(7)
  result<void> set_defer_accept(std::chrono::seconds limit) {
    return set(option::defer_accept, limit.count());
  }
  /// Takes bytes with the SYN from that many peers at a time; on a listener.  RFC 7413.  TCP_FASTOPEN, tcp(7)
  result<void> set_fast_open(int queue) { return set(option::fast_open, queue); }
  /// Sends the first bytes with the SYN; before connecting.  RFC 7413.  TCP_FASTOPEN_CONNECT, tcp(7)
  result<void> set_fast_open_connect(bool on) { return set(option::fast_open_connect, on); }

  /// Traffic class of what is sent, 0 to 63.  RFC 2474.  IP_TOS, ip(7); IPV6_TCLASS, ipv6(7)
  result<void> set_dscp(unsigned code_point);
  result<unsigned> dscp() const;
  /// Routing and filter mark; needs CAP_NET_ADMIN.  SO_MARK, socket(7)
  result<void> set_mark(std::uint32_t mark) { return set(option::mark, mark); }
  result<std::uint32_t> mark() const;
  /// Queueing priority, 0 to 6 without privilege.  SO_PRIORITY, socket(7)
  result<void> set_priority(int level) { return set(option::priority, level); }
  result<int> priority() const;

  /// Uses only this interface; empty: any.  SO_BINDTODEVICE, socket(7)
  result<void> set_bound_device(std::string_view name) { return set(text_option::bound_device, name); }
  result<std::string> bound_device() const { return block_.home.get(block_, text_option::bound_device); }
  /// By its name, as in /proc/sys/net/ipv4/tcp_available_congestion_control.  TCP_CONGESTION, tcp(7)
  result<void> set_congestion_control(std::string_view name) {
    return set(text_option::congestion_control, name);
  }
  result<std::string> congestion_control() const {
    return block_.home.get(block_, text_option::congestion_control);
  }

  /// Messages of a local socket tell who has sent them.  SO_PASSCRED, unix(7)
  result<void> set_tell_sender(bool on) { return set(option::tell_sender, on); }
  result<bool> tell_sender() const { return flag(option::tell_sender); }

  /// The error that is waiting to be told; reading forgets it.  SO_ERROR, socket(7)
  result<std::error_code> take_pending_error();

  /// Options that have no function above: `set_raw({IPPROTO_TCP, TCP_QUICKACK}, 1)`, where 1 is an int
  /// because the man page says so.
  template <option_value T>
  result<void> set_raw(option_number which, const T& value) {
    return set_raw_bytes(which, std::as_bytes(std::span(&value, 1)));
  }
  /// `get_raw<ucred>({SOL_SOCKET, SO_PEERCRED})`.  Errors: value_too_large if the kernel's value is not of
  /// the size of T.
  template <option_value T>
  result<T> get_raw(option_number which) const {
    std::array<std::byte, sizeof(T) + 1> room{};  // One more, to see that nothing was cut off.
    if (auto done = get_raw_whole(which, room); !done) return fail(std::move(done.error()));
    T value;
    std::memcpy(&value, room.data(), sizeof(T));
    return value;
  }
  /// Values of any size. What `into` holds is given to the kernel as well, for the options that read it.
  /// Gives the size of the value, cut to `into.size()` bytes.
  result<void> set_raw_bytes(option_number which, bytes value);
  /// See set_raw_bytes().
  result<std::size_t> get_raw_bytes(option_number which, mutable_bytes into) const;

 protected:
  // By name, as they cross the seam; the trace is told of each that is set.
  result<void> set(option which, std::int64_t value);
  result<void> set(text_option which, std::string_view value);
  result<std::int64_t> get(option which) const { return block_.home.get(block_, which); }
  result<bool> flag(option which) const;
  /// Fills all of `room` but its last byte.  Errors: value_too_large otherwise.
  result<void> get_raw_whole(option_number which, mutable_bytes room) const;

 private:
  socket_block& block_;
};

namespace detail {

/// Ends our side of a connection.
result<void> finish_sending(socket_block& block);
/// Tells the trace, if there is one.
void tell(const socket_block& block, step what, std::int64_t amount, const endpoint* subject,
          std::string_view note, const error* why) noexcept;

/// Why an operation failed, with both ends.
error error_of(const slot& failed, step during);

}  // namespace detail
}  // namespace soquete
