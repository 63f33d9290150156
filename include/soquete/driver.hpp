// The seam: what the library asks of a network, real or simulated.  Numbered contract: docs/driver.md.
#pragma once

#include <soquete/message.hpp>
#include <soquete/op.hpp>
#include <soquete/option.hpp>
#include <soquete/owned.hpp>
#include <soquete/tcp_info.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soquete {

class driver;

/// Of addresses: IPv4, IPv6, Unix-domain.
enum class family : std::uint8_t { v4, v6, local };
/// How bytes travel: in order, the same over several paths (RFC 8684), each piece by itself, pieces in order.
enum class transport : std::uint8_t { stream, multipath_stream, datagram, sequenced };
/// Halves of a connection.
enum class direction : std::uint8_t { receiving, sending, both };

/// What a descriptor is, as far as drivers must know.
enum class descriptor_kind : std::uint8_t {
  stream,    ///< A socket of bytes in order.
  datagram,  ///< A socket of messages, in order or not.
  listener,  ///< A socket that listens.
  file,      ///< A file: it never waits.
  other,     ///< A pipe, a terminal, anything that is read and written.
};

/// Has it addresses, options and halves?
constexpr bool is_socket(descriptor_kind kind) noexcept { return kind < descriptor_kind::file; }

/// How a local socket takes its name.  unix(7)
struct path_claim {
  std::uint32_t mode = 0660;  ///< Permissions of the path: exactly these, whatever the umask.
  bool replace_stale = true;  ///< A socket at that path which no process has open gives way.
  int backlog = -1;           ///< Listens as well; -1: it does not.
};

/// A path in the file system that belongs to a socket and goes with it.
struct owned_path {
  std::string path;          ///< Absolute.
  std::uint64_t device = 0;  ///< With `inode`: which file was ours, should another be there by then.
  std::uint64_t inode = 0;   ///< With `device`.
};

/// What a driver keeps of one open socket. Made and freed by the driver; drivers add their own part.
struct socket_block {
  /// Of this driver, which outlives it.
  explicit socket_block(driver& owner) noexcept : home(owner) { reader.on = writer.on = this; }
  socket_block(const socket_block&) = delete;
  socket_block& operator=(const socket_block&) = delete;

  slot reader;                          ///< What receives, accepts.
  slot writer;                          ///< What sends, connects.
  driver& home;                         ///< Whose it is.
  owned_descriptor* carried = nullptr;  ///< What it has brought along, unread; owned.
  owned_path* path = nullptr;           ///< Removed when it is closed; owned.
  address peer_address;                 ///< Kept because the kernel forgets it after a reset.
  int descriptor = -1;                  ///< -1: none.
  std::int32_t refused = 0;  ///< -errno of an earlier datagram, to be told to the receive that waits.
  /// Longest datagram that the kernel has not failed to cut runs into; 0: none.
  std::uint16_t segment_max = segment_unknown;
  std::uint16_t segment_doubt = 0;  ///< Messages until that failure is forgotten.
  /// What datagrams bring beside their bytes: a bit for each option that asks for it, or told_unknown.
  std::uint16_t told_beside = 0;
  std::uint16_t peer_port = 0;                     ///< Beside `peer_address`.
  bool has_peer = false;                           ///< Are these two known?
  descriptor_kind kind = descriptor_kind::stream;  ///< What can be done with it.
  family domain = family::v4;                      ///< Of sockets.
  transport carries = transport::stream;           ///< Of sockets, listeners among them.
  bool was_open = false;                           ///< Before it was adopted: others may have it too.
  bool reset_on_close = false;                     ///< Close with a reset instead of a FIN.
  bool send_broken = false;                        ///< A send ended part-way: nothing sensible can follow.

  /// Options may have been set that the driver has not seen.
  static constexpr std::uint16_t told_unknown = 1U << 15;
  /// No failure has been seen.
  static constexpr std::uint16_t segment_unknown = 0xffff;

 protected:
  ~socket_block() {
    delete carried;
    delete path;
  }
};

/// Who may send to a group: anybody, or one source.  RFC 3376, RFC 3678
struct group_membership {
  address group{};              ///< A multicast address.
  address source{};             ///< Unspecified: any.
  std::uint32_t interface = 0;  ///< By number; 0: the system chooses.
};

/// How the sockets of a driver stand: for tests, and for operators.
struct driver_counts {
  std::size_t sockets = 0;         ///< Blocks that are open or still closing.
  std::size_t leases = 0;          ///< Leases that have not come home.
  std::size_t buffer_bytes = 0;    ///< Memory of the buffers for leased receives.
  std::uint64_t kernel_calls = 0;  ///< System calls made for operations and turns.
};

/// Told of every step of every socket, in order. Called on the loop's thread, within the step.
struct trace_event {
  step what = step::none;             ///< The step that has ended.
  int descriptor = -1;                ///< The number of the socket.
  std::int64_t amount = 0;            ///< Bytes moved; open: the transport; accept: the new descriptor.
  std::error_code cause{};            ///< Why it failed; empty on success.
  const endpoint* subject = nullptr;  ///< Address bound, connected to or accepted from; may be null.
  std::string_view note{};            ///< Name of the option, half that was shut down, …
};
/// Who is told of steps.
struct trace_sink {
  /// Called after each step; does not block.
  void (*told)(trace_sink*, const trace_event&) noexcept = nullptr;
};

/// Two sockets, each other's peers.
struct socket_pair {
  socket_block* first = nullptr;   ///< Of the driver; the caller closes it.
  socket_block* second = nullptr;  ///< Likewise.
};

/// A pipe through which bytes go from one socket to another without leaving the kernel.
struct conduit {
  owned_descriptor reading;  ///< For splice_out.
  owned_descriptor writing;  ///< For splice_in.
};

/// What a driver answers to the name of a host.
struct name_answer {
  std::vector<address> addresses{};  ///< The best first; none, and no `cause`: it does not know the name.
  std::error_code cause{};           ///< Why nobody can say at present.
  clock::duration after{};           ///< How long the answer takes: whoever asks waits until then.
};

/// One thread only, but for wake().
class driver {
 public:
  /// Completions go to `queue`, which outlives it.
  explicit driver(run_queue& queue) noexcept : queue_(queue) {}
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;
  virtual ~driver() = default;

  virtual std::string_view name() const noexcept = 0;  ///< "io_uring", "epoll", "poll".
  virtual driver_counts counts() const noexcept = 0;   ///< How its sockets stand.

  // Sockets: answered at once.
  virtual result<socket_block*> open(family, transport) = 0;  // socket(2)
  virtual result<socket_block*> adopt(owned_descriptor) = 0;  // takes it over
  virtual result<socket_pair> pair(transport) = 0;            // socketpair(2)
  virtual result<socket_pair> pipe() = 0;  // pipe(2): the first is read, the second written
  /// For splice_in and splice_out, as large as may be. Errors: unsupported.
  virtual result<conduit> open_conduit() = 0;  // pipe(2), splice(2)
  /// From now on they have no other effect in this thread.
  virtual result<socket_block*> watch_signals(std::span<const int> signals) = 0;  // signalfd(2)
  virtual result<void> bind(socket_block&, const endpoint&) = 0;                  // bind(2)
  virtual result<void> listen(socket_block&, int backlog) = 0;                    // listen(2)
  /// Binds a local socket, and listens where that is asked for. Its path is removed when it is closed, unless
  /// another is there by then.
  virtual result<void> claim(socket_block&, const endpoint& where, const path_claim&) = 0;
  /// From now on the path to which it is bound goes with it, as after claim().
  virtual void own_path(socket_block&) = 0;
  /// Has it a path that goes with it, and still is its own?
  virtual bool owns_path(const socket_block&) const = 0;
  virtual result<endpoint> local(const socket_block&) const = 0;                // getsockname(2)
  virtual result<endpoint> peer(const socket_block&) const = 0;                 // getpeername(2)
  virtual result<credentials> peer_credentials(const socket_block&) const = 0;  // SO_PEERCRED
  virtual result<void> disconnect(socket_block&) = 0;                           // connect(2), AF_UNSPEC
  virtual result<void> join(socket_block&, const group_membership&) = 0;        // MCAST_JOIN_GROUP
  virtual result<void> leave(socket_block&, const group_membership&) = 0;       // MCAST_LEAVE_GROUP
  virtual result<void> set(socket_block&, option, std::int64_t value) = 0;      // setsockopt(2)
  virtual result<std::int64_t> get(const socket_block&, option) const = 0;      // getsockopt(2)
  /// Sets an option that is text.  setsockopt(2)
  virtual result<void> set(socket_block&, text_option, std::string_view value) = 0;
  /// What an option that is text is set to.  getsockopt(2)
  virtual result<std::string> get(const socket_block&, text_option) const = 0;
  /// Sets an option by number, with bytes as they are.  setsockopt(2)
  virtual result<void> set_raw(socket_block&, option_number, bytes value) = 0;
  /// Gives how many bytes the option has filled.  getsockopt(2)
  virtual result<std::size_t> get_raw(const socket_block&, option_number, mutable_bytes into) const = 0;
  virtual result<tcp_info> info(const socket_block&) const = 0;  // TCP_INFO, tcp(7)
  virtual result<void> shutdown(socket_block&, direction) = 0;   // shutdown(2)
  /// The block is the driver's from here on. No operation may be pending on it.
  virtual void close(socket_block&) noexcept = 0;  // close(2)
  /// Lets the descriptor go, open, with all that has arrived on it. Otherwise as close().
  virtual owned_descriptor release(socket_block&) = 0;
  /// A second owner of what is open under that number, which is none of the standard streams'. What the
  /// driver has received in advance stays with the first.
  virtual result<owned_descriptor> copy_of(int descriptor) = 0;  // F_DUPFD_CLOEXEC, fcntl(2)
  /// Who we are to local peers.
  virtual credentials us() const noexcept = 0;

  /// The addresses of a host that the driver knows by name without asking anybody, the best first: a
  /// simulated network knows its hosts. Empty: it knows none.
  virtual std::vector<address> addresses_of(std::string_view) const { return {}; }
  /// The same for who wants to talk to that host: the answer may be wanting, or late.
  virtual name_answer look_up(std::string_view name) { return {addresses_of(name), {}, {}}; }

  // Operations: each ends exactly once.
  /// True: it is done, `outcome` is set and nobody is woken. False: one complete() follows, later.
  /// Never fails for want of queue space; runs no waiter.
  virtual bool start(op&) noexcept = 0;
  /// Asks only: the operation completes as usual, perhaps with success.
  virtual void cancel(op&) noexcept = 0;

  // Time.
  virtual time_point now() const noexcept = 0;  ///< The only clock.
  /// Submits what is queued, waits at most until then for something to do, and queues what completed.
  virtual void turn(time_point until) noexcept = 0;
  /// Ends a turn early. From any thread.
  virtual void wake() noexcept = 0;

  /// Closes what is still closing. Called once, when no socket is open any more.
  virtual void drain() noexcept = 0;

  trace_sink* trace = nullptr;  ///< Told of every step; null: nobody is.

 protected:
  /// Ends an operation that is in flight, once; its waiter runs in the next round.
  void complete(op& o, std::int64_t outcome) noexcept {
    assert(o.now == op::state::in_flight);
    o.outcome = outcome;
    o.now = op::state::queued;
    queue_.push(o);
  }
  run_queue& queue() noexcept { return queue_; }  ///< Where what has completed waits for its turn.

 private:
  run_queue& queue_;
};

/// Which kernel driver to use: the best that works here, or one by name.
enum class driver_choice : std::uint8_t { automatic, io_uring, epoll, kqueue, poll };

/// A driver and why it is this one: "io_uring: chosen by probing", "epoll: io_uring is refused (EPERM)".
struct chosen_driver {
  owned<driver> it;    ///< The driver.
  std::string reason;  ///< Its name, and why it is this one.
};

/// Opens a kernel driver for the calling thread. `automatic` obeys the environment variable SOQUETE_DRIVER
/// (io_uring, epoll, kqueue, poll), then tries in this order those that the system has, by doing.
/// Errors: a driver asked for by name that cannot start, one of another system, a name that is none.
result<chosen_driver> open_kernel_driver(run_queue&, driver_choice);

/// The number of a network interface by its name, for zones such as `fe80::1%eth0`; 0 when there is none.
/// if_nametoindex(3)
std::uint32_t zone_number(std::string_view name) noexcept;

/// Keeps signals from their usual effect in this thread and those it starts, so that a driver can watch for
/// them; and lets them through again.  pthread_sigmask(3)
void block_signals(std::span<const int> signals) noexcept;
void unblock_signals(std::span<const int> signals) noexcept;
/// Ends the process as that signal does by default.
[[noreturn]] void die_of_signal(int signal) noexcept;

/// What this program is called.  program_invocation_short_name(3), getprogname(3)
const char* program_name() noexcept;

/// Processors that this process may use: affinity and the cgroup's quota, at least 1.  sched_getaffinity(2)
unsigned usable_processors() noexcept;

}  // namespace soquete
