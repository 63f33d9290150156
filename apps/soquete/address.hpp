// Addresses of the command line: scheme://authority,option,key=value.  soquete(1)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <soquete/endpoint.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "framing.hpp"
#include "socket_kind.hpp"
#include "words.hpp"

namespace command {

/// What an address is: how it is opened.
enum class scheme : std::uint8_t { tcp, udp, local, stdio, exec, descriptor, inherited, echo, discard, zero };

/// What an address is for. A PEER connects, as `connect` does.
enum class role : std::uint8_t { listens, connects };

/// An address as written, read and checked. Fields that its scheme does not know stay empty.
struct place {
  std::string text;                  ///< As the user wrote it.
  scheme what = scheme::stdio;       ///< Says which fields count.
  socket_kind kind;                  ///< Of sockets. Of descriptors: what the kernel says of the first.
  std::string where;                 ///< tcp, udp: host and port, as soquete::where reads it.
  soquete::endpoint name;            ///< unix: a path or an abstract name.
  std::vector<int> descriptors;      ///< fd: one; systemd: those that were passed.
  std::optional<mistake> missing;    ///< fd:, systemd: why there is none.
  std::vector<std::string> program;  ///< exec: the program and its arguments.
  bool takes_errors = false;         ///< exec: standard error travels with standard output.
  bool crlf = false;                 ///< Sockets, -: what goes to the network ends its lines with CR LF.
  framing frame = framing::none;     ///< How a stream of this address, or one that it meets, holds messages.

  // Datagrams, which have no end of their own.
  std::optional<std::chrono::nanoseconds> idle;  ///< Silence that ends a session.
  std::chrono::nanoseconds patience =
      std::chrono::seconds(2);      ///< For answers, once the other side has ended.
  std::uint64_t count = 0;          ///< Messages after which all ends; 0: no limit.
  std::size_t max_sessions = 4096;  ///< At a time.
  std::optional<unsigned> hops;     ///< Time to live, hop limit.
  bool broadcast = false;

  // unix: as in the options of soquete::local.
  std::optional<unsigned> mode;  ///< Permissions of the path.
  soquete::endpoint from_name;   ///< Our own name when connecting; nothing: one that the system chooses.

  // tcp, udp, as in the options of soquete::tcp and soquete::udp.
  std::optional<bool> no_delay;
  std::optional<std::chrono::seconds> keep_alive;
  std::optional<std::chrono::nanoseconds> connect_timeout;
  std::optional<unsigned> dscp;
  std::string from;
  std::string device;
  std::string congestion;
  std::uint32_t mark = 0;
  int receive_buffer = 0;
  int send_buffer = 0;
  int backlog = 4096;
  bool fast_open = false;
  bool multipath = false;
  bool v6_only = false;

  /// A service of this program, which serves the other side and has no side of its own.
  bool is_service() const noexcept {
    return what == scheme::echo || what == scheme::discard || what == scheme::zero;
  }
  bool is_tcp() const noexcept { return kind.over == network::ip && kind.what == carrier::bytes; }
  bool is_udp() const noexcept { return kind.over == network::ip && kind.what == carrier::datagrams; }
  bool is_local() const noexcept { return kind.over == network::local; }
  /// Messages arrive as they were sent, neither divided nor joined.
  bool keeps_bounds() const noexcept { return kind.is_socket() && kind.what != carrier::bytes; }
  /// Datagrams: they have no end, and when listened for, a new sender begins a session.
  bool has_sessions() const noexcept { return kind.is_socket() && kind.what == carrier::datagrams; }
  /// It was opened before this program was started.
  bool is_open() const noexcept { return what == scheme::descriptor || what == scheme::inherited; }
  /// There is only one of it: it can be joined with one client.
  bool is_single() const noexcept { return what == scheme::stdio || is_open(); }

  /// Of sockets to listen on: each as soquete::where reads it.
  std::vector<std::string> places() const;
};

/// Permissions of a path where the user gives none: those of a file that is nobody else's business.
constexpr unsigned private_mode = 0600;

/// Reads an address for that role.
read<place> place_from(std::string_view text, role as);

/// Does it look like an address, for a word that stands where a verb should?
bool looks_like_address(std::string_view text);

/// What to write instead of a text that lacks its scheme: "tcp://localhost:80" for "localhost:80"; empty if
/// nothing comes to mind.
std::string with_scheme(std::string_view text);

}  // namespace command
