// Errors that teach.
#include "failure.hpp"

#include <fmt/format.h>
#include <cstring>
#include <soquete/driver.hpp>
#include <soquete/where.hpp>

#include "borrowed.hpp"
#include "error_name.hpp"
#include "locale.hpp"

namespace command {
namespace {

using soquete::error;
using soquete::fault;
using soquete::step;

// What it means, and what to try; each may be empty.
struct advice {
  std::string meaning;
  std::string attempt;
};

failure made(int status, std::string first_line, const advice& more) {
  std::string text = std::move(first_line);
  if (!more.meaning.empty()) text.append("\n  ").append(more.meaning);
  if (!more.attempt.empty()) text.append("\n  ").append(_("try: {}", more.attempt));
  return {status, std::move(text)};
}

struct host_and_port {
  std::string host;
  unsigned port = 0;
};

host_and_port parts_of(const place& p) {
  auto where = soquete::where::parse(p.where, &soquete::zone_number);
  if (!where || where->alternatives().empty()) return {p.where};
  const auto& one = where->alternatives().front();
  if (one.what == soquete::where::kind::ip) return {to_string(one.at.addr()), one.at.port()};
  return {one.name.empty() ? "localhost" : one.name, one.port};
}

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

// Nothing answers a datagram but another, or an ICMP message.  RFC 792, RFC 1122 section 4.1.3.3
advice of_sending(const place& to, const error& why) {
  const auto [host, port] = parts_of(to);
  if (why == std::errc::connection_refused)
    return {_("the host answered with ICMP that it has no program on UDP port {}.", port),
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
  const auto [host, port] = parts_of(to);
  if (to.what == scheme::udp)
    if (advice known = of_sending(to, why); !known.meaning.empty()) return known;
  if (why.during() == step::set_option) return of_options(why);
  if (why.during() == step::bind)
    return {_("our own end could not be bound: no interface has the address of bind=, or its port is taken."),
            _("ip address     or: ss -tn")};
  if (why == std::errc::connection_refused)
    return {_("the host answered, so it is up; no program is listening on TCP port {}.", port),
            _("on that host: ss -ltn     or start one: soquete listen tcp://:{} echo:", port)};
  if (why == std::errc::timed_out)
    return {_("nobody answered: the host is down or far away, or a firewall drops what is sent to it."),
            _("ping {}     or more patience: {},connect-timeout=1m", host, to.text)};
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
  if (why == std::errc::bad_file_descriptor)
    return {_("no descriptor of that number was passed to soquete."),
            _("soquete connect {} 3<>FILE, as a shell opens descriptor 3", to.text)};
  return of_resources(why);
}

advice of_listening(const place& on, const error& why) {
  const auto [host, port] = parts_of(on);
  if (why.during() == step::set_option) return of_options(why);
  if (why == std::errc::address_in_use)
    return on.what == scheme::udp
               ? advice{_("another program holds UDP port {}.", port),
                        _("ss -lunp 'sport = :{0}' tells which     or another port: udp://:{1}", port,
                          port < 65535 ? port + 1 : 0)}
               : advice{_("another program holds TCP port {}.", port),
                        _("ss -ltnp 'sport = :{0}' tells which     or another port: tcp://:{1}", port,
                          port < 65535 ? port + 1 : 0)};
  const std::string_view name = on.what == scheme::udp ? "udp" : "tcp";
  if (why == std::errc::permission_denied)
    return {_("ports below 1024 are for root; this is {}.", port),
            _("a higher port: soquete listen {}://:{}", name, 8000 + port % 1000)};
  if (why == std::errc::address_not_available)
    return {_("no interface of this machine has the address {}.", host),
            _("ip address     or all addresses: {}://:{}", name, port)};
  if (why == fault::name_not_found)
    return {borrowed(why.detail()) + ".", _("{}://:{} for every address", name, port)};
  if (on.what == scheme::descriptor)
    return {_("{} is not a listening socket that soquete was started with.", on.text),
            "systemd-socket-activate -l 8080 soquete listen fd:3 echo:"};
  return of_resources(why);
}

// What each of several addresses has said.
std::string attempts_of(const error& why) {
  std::string text;
  for (const soquete::attempt& one : why.attempts())
    text += fmt::format("\n  {}: {} ({})", one.peer, cause_of(one.cause), shown(one.took));
  return text;
}

std::string name_of(conversation::side whose, const options& of, bool wrote) {
  const place& which = whose == conversation::side::peer ? of.peer : of.address;
  if (which.what == scheme::stdio) return wrote ? _("standard output") : _("standard input");
  return which.text;
}

}  // namespace

std::string cause_of(const std::error_code& why) {
  std::string text = borrowed(why);
  const bool has_number =
      why.category() == std::generic_category() || why.category() == std::system_category();
  if (const std::string_view name = has_number ? error_name(why.value()) : ""; !name.empty())
    text.append(" (").append(name).append(")");
  return text;
}

failure usage_failure(const mistake& bad) {
  return {exit_usage, bad.advice.empty() ? bad.what : fmt::format("{}\n  {}", bad.what, bad.advice)};
}

failure cannot_connect(const place& to, const error& why) {
  const int status = why.during() == step::resolve ? exit_no_name : exit_no_connection;
  return made(status, _("cannot connect to {}: {}{}", to.text, cause_of(why.code()), attempts_of(why)),
              of_connecting(to, why));
}

failure cannot_listen(const place& on, const error& why) {
  const int status = why == fault::name_not_found ? exit_no_name : exit_no_listener;
  return made(status, _("cannot listen on {}: {}", on.text, cause_of(why.code())), of_listening(on, why));
}

failure cannot_run(const place& program, const error& why) {
  const bool is_missing = why == std::errc::no_such_file_or_directory;
  advice more = of_resources(why);
  if (is_missing)
    more = {_("no program {} was found in PATH.", program.program.front()),
            _("command -v {}     or for shell syntax: 'sh:{}'", program.program.front(),
              fmt::join(program.program, " "))};
  else if (why == std::errc::permission_denied)
    more = {_("{} is not executable by this user.", program.program.front()),
            _("ls -l {0}     or: chmod +x {0}", program.program.front())};
  return made(is_missing ? exit_not_found : exit_not_runnable,
              _("cannot run {}: {}", program.text, cause_of(why.code())), more);
}

failure cannot_start(const error& why) {
  const bool is_usage = why == std::errc::invalid_argument;
  const bool has_cause = why.subject().empty();
  return made(is_usage ? exit_usage : exit_broken,
              has_cause ? _("cannot start: {}", cause_of(why.code()))
                        : _("cannot start with '{}': {}", why.subject(), cause_of(why.code())),
              {borrowed(why.detail()), is_usage ? "" : _("another driver: --driver epoll, --driver poll")});
}

failure broken(const options& of, const conversation& what) {
  const error& why = *what.why;
  if (what.was_idle)
    return made(exit_broken, _("{}: nothing moved for {} (--idle)", of.address.text, shown(of.how.idle)),
                {_("the connection was ended before its sides had finished."), {}});
  const place& side = what.failed == conversation::side::peer ? of.peer : of.address;
  if (what.was_unanswered)
    return made(exit_broken, _("{}: no answer within {}", side.text, shown(side.patience)),
                {_("what was sent, or the answer to it, may be lost; or nobody is there, or nothing is to be "
                   "answered."),
                 _("more patience: {},wait=10s     or only send: soquete {} {}",
                   side.text.substr(0, side.text.find(',')), of.what == verb::listen ? "listen" : "connect",
                   what.failed == conversation::side::peer ? "-u" : "-U")});
  const std::uint64_t came = what.failed == conversation::side::peer ? what.down_messages : what.up_messages;
  if (side.what == scheme::udp && why == std::errc::connection_refused && came == 0)
    return cannot_connect(side, why);
  const bool wrote = why.during() == step::send;
  const std::string who = name_of(what.failed, of, wrote);
  if (why == std::errc::connection_reset || why == std::errc::broken_pipe)
    return made(
        exit_broken, fmt::format("{}: {}", who, cause_of(why.code())),
        {wrote ? _("the other side has closed or reset the connection; some of what was sent to it may be "
                   "lost.")
               : _("the other side ended the connection abruptly; what had arrived before was passed on."),
         {}});
  if (why == std::errc::timed_out)
    return made(exit_broken, fmt::format("{}: {}", who, cause_of(why.code())),
                {_("the other side no longer answers; the connection was given up."), {}});
  const std::string cause = cause_of(why.code());
  if (!why.detail().empty() && why == std::errc::message_size)
    return made(exit_broken, fmt::format("{}: {}", who, cause), {borrowed(why.detail()) + ".", {}});
  if (why == fault::end_of_stream)
    return made(exit_broken, fmt::format("{}: {}", who, cause),
                {_("its last frame is not whole; those before it were passed on."), {}});
  if (side.what == scheme::udp)
    if (const advice known = of_sending(side, why); !known.meaning.empty())
      return made(exit_broken, fmt::format("{}: {}", who, cause), known);
  if (side.what == scheme::stdio)
    return made(
        exit_broken,
        wrote ? _("cannot write to standard output: {}", cause) : _("cannot read standard input: {}", cause),
        of_resources(why));
  return made(exit_broken,
              wrote ? _("{}: cannot send: {}", who, cause) : _("{}: cannot receive: {}", who, cause),
              of_resources(why));
}

failure timed_out(const options& of) {
  return {exit_timeout, _("{}: not finished after {} (--timeout)", of.address.text, shown(*of.timeout))};
}

}  // namespace command
