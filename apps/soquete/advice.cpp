// What errors of TCP, UDP and the machine mean.
#include "advice.hpp"

#include <fmt/format.h>
#include <soquete/driver.hpp>
#include <soquete/where.hpp>

#include "address_options.hpp"
#include "borrowed.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::error;
using soquete::fault;
using soquete::step;

// The first place that is meant.
struct host_and_port {
  std::string host;
  unsigned port = 0;
  bool is_any = false;  // No host was written: all addresses of this machine.
};

host_and_port parts_of(const place& p) {
  auto where = soquete::where::parse(p.where, &soquete::zone_number);
  if (!where || where->alternatives().empty()) return {p.where};
  const auto& one = where->alternatives().front();
  using kind = soquete::where::kind;
  if (one.what == kind::ip) return {to_string(one.at.addr()), one.at.port(), one.at.addr().is_unspecified()};
  return {one.name.empty() ? "localhost" : one.name, one.port, one.what == kind::any_host};
}

advice of_options(const error& why) {
  if (why.detail() == "SO_BINDTODEVICE" && why == std::errc::no_such_device)
    return {_("there is no such network interface."), "ip link"};
  if (why.detail() == "TCP_CONGESTION")
    return {_("this kernel has no such congestion control loaded, or does not let you choose it."),
            "sysctl net.ipv4.tcp_available_congestion_control"};
  if (why == std::errc::operation_not_permitted)
    return {_("{} needs a privilege that this user lacks.", why.detail()), _("run it as root")};
  return {_("the kernel refuses the option {}.", why.detail()), {}};
}

// Of all addresses, or of one: a socket on the one conflicts with one on the other.
advice of_taken_port(const place& on, const host_and_port& taken) {
  const unsigned next = taken.port < 65535 ? taken.port + 1 : 0;
  if (on.is_udp())
    return {taken.is_any
                ? _("another program holds UDP port {} of an address of this machine.", taken.port)
                : _("another program holds UDP port {} of {}, or of all addresses.", taken.port, taken.host),
            _("ss -lunp 'sport = :{0}' tells which     or another port: udp://:{1}", taken.port, next)};
  return {taken.is_any
              ? _("another program holds TCP port {} of an address of this machine.", taken.port)
              : _("another program holds TCP port {} of {}, or of all addresses.", taken.port, taken.host),
          _("ss -ltnp 'sport = :{0}' tells which     or another port: tcp://:{1}", taken.port, next)};
}

}  // namespace

advice of_resources(const error& why) {
  if (why == std::errc::too_many_files_open)
    return {_("this process has as many files and sockets open as it may."),
            _("ulimit -n shows the limit; ulimit -n 65536 raises it, as far as the hard limit allows")};
  if (why == std::errc::too_many_files_open_in_system)
    return {_("the whole system has as many files open as it may."), "sysctl fs.file-max"};
  if (why == std::errc::not_enough_memory || why == std::errc::no_buffer_space)
    return {_("the kernel has no memory for it now."), "free -m"};
  return {};
}

// Nothing answers a datagram but another, or an ICMP message.  RFC 792, RFC 1122 section 4.1.3.3
advice of_sending(const place& to, const error& why) {
  const auto [host, port, is_any] = parts_of(to);
  if (why == std::errc::connection_refused)
    return {_("the host answered with ICMP that no program has UDP port {} of {}.", port, host),
            host == "localhost"
                ? _("ss -lun     or IPv4, as localhost is ::1 first: udp://127.0.0.1:{}", port)
                : _("on that host: ss -lun     or start one: soquete listen udp://:{} echo:", port)};
  if (why == std::errc::message_size)
    return {_("a datagram holds at most 65507 bytes over IPv4; on many networks more than 1472 travel in "
              "pieces."),
            _("smaller messages: frame=line, or a pipe that is written to in small pieces")};
  return {};
}

advice of_connecting(const place& to, const error& why) {
  const auto [host, port, is_any] = parts_of(to);
  if (to.is_udp())
    if (advice known = of_sending(to, why); !known.meaning.empty()) return known;
  if (why.during() == step::set_option) return of_options(why);
  if (why.during() == step::bind)
    return {_("our own end could not be bound: no interface has the address of bind=, or its port is taken."),
            _("ip address     or: ss -tn")};
  if (why == std::errc::connection_refused)
    return {_("the host answered, so it is up; no program is listening on TCP port {} of {}.", port, host),
            _("on that host: ss -ltn     or start one: soquete listen tcp://:{} echo:", port)};
  if (why == std::errc::timed_out)
    return {_("nobody answered: the host is down or far away, or a firewall drops what is sent to it."),
            _("ping {}     or more patience: {}", host, with_option(to.text, "connect-timeout=1m"))};
  if (why == std::errc::network_unreachable)
    return {_("this machine knows no way to that network."), fmt::format("ip route get {}", host)};
  if (why == std::errc::host_unreachable)
    return {_("a router, or this machine, says that the host cannot be reached."),
            fmt::format("ping {}", host)};
  if (why == fault::name_not_found)
    return {borrowed(why.detail()) + ".", _("getent ahosts {}     and then its address", host)};
  if (why == std::errc::address_not_available)
    return {_("there is no free local port, or that is no address to connect to."), "ss -s"};
  if (why == std::errc::permission_denied || why == std::errc::operation_not_permitted)
    return {_("a rule of this machine, perhaps of its firewall, forbids it."), {}};
  return of_resources(why);
}

advice of_listening(const place& on, const error& why) {
  const auto [host, port, is_any] = parts_of(on);
  if (why.during() == step::set_option) return of_options(why);
  if (why == std::errc::address_in_use) return of_taken_port(on, {host, port, is_any});
  const std::string_view name = on.is_udp() ? "udp" : "tcp";
  if (why == std::errc::permission_denied)
    return {_("ports below 1024 are for root; this is {}.", port),
            _("a higher port: soquete listen {}://:{}", name, 8000 + port % 1000)};
  if (why == std::errc::address_not_available)
    return {_("no interface of this machine has the address {}.", host),
            _("ip address     or all addresses: {}://:{}", name, port)};
  if (why == fault::name_not_found)
    return {borrowed(why.detail()) + ".", _("{}://:{} for every address", name, port)};
  if (on.is_open())
    return {_("{} is not a listening socket that soquete was started with.", on.text),
            "systemd-socket-activate -l 8080 soquete listen fd:3 echo:"};
  return of_resources(why);
}

}  // namespace command
