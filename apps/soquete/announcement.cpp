// Where clients can connect, and how: what a server says when it is ready.
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "borrowed.hpp"
#include "end_name.hpp"
#include "locale.hpp"
#include "plan.hpp"
#include "session.hpp"

namespace command {
namespace {

using soquete::endpoint;

// As others write it: "tcp://127.0.0.1:80", "unix:///run/x,dgram".
std::string address_at(const options& how, const endpoint& at) {
  if (at.is_ip()) return fmt::format("{}://{}", how.address.is_udp() ? "udp" : "tcp", to_string(at));
  return address_of(at, how.address.kind.what);
}

// The same for a client on this machine.
std::string address_here(const options& how, const endpoint& at) {
  if (at.is_ip() && (at.addr().is_unspecified() || at.addr().is_loopback()))
    return fmt::format("{}://localhost:{}", how.address.is_udp() ? "udp" : "tcp", at.port());
  return address_at(how, at);
}

// A word of a shell command.
std::string quoted(std::string_view word) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_";
  if (word.find_first_not_of(plain) == word.npos) return std::string(word);
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// The same with what most machines have; empty where that cannot.
std::string by_other_means(const options& how, const endpoint& at) {
  if (at.is_ip()) {
    const std::string host =
        at.addr().is_unspecified() || at.addr().is_loopback() ? "localhost" : to_string(at.addr().unmapped());
    return fmt::format("nc {}{} {}", how.address.has_sessions() ? "-u " : "", host, at.port());
  }
  if (at.is_abstract() || how.address.kind.what == carrier::records) return {};
  return fmt::format("nc -{}U {}", how.address.has_sessions() ? "u" : "", quoted(at.local_name()));
}

std::string reach_of(const options& how, const endpoint& at) {
  if (at.is_abstract()) return _(": for every program of this machine");
  if (at.is_local()) {
    if (how.address.what != scheme::local) return {};
    const unsigned mode = how.address.mode.value_or(private_mode);
    return mode == private_mode ? _(": for this user only (mode 0600)")
                                : _(": for whoever may write to it (mode {:04o})", mode);
  }
  if (at.addr() == soquete::address::any_v6()) return _(": every address of this machine, IPv4 and IPv6");
  if (at.addr().is_unspecified()) return _(": every IPv4 address of this machine");
  if (at.addr().is_loopback()) return _(": for clients on this machine only");
  return {};
}

// Where the listening sockets come from.
std::string origin_of(const options& how, unsigned long addresses, unsigned long loops) {
  if (how.address.is_open())
    return how.address.has_sessions()
               ? _("{} was opened and bound by whoever started this program", how.address.text)
               : _("{} was opened and told to listen by whoever started this program", how.address.text);
  if (how.address.is_local()) loops = 1;  // There is one socket to a name.
  if (how.address.has_sessions())
    return _n("{} socket was created and bound: each new sender begins a session",
              "{} sockets were created and bound: each new sender begins a session", addresses * loops,
              addresses * loops);
  if (addresses * loops == 1) return _("a socket was created, bound to it and told to listen");
  if (loops == 1)
    return _n("{} socket was created, bound to these and told to listen",
              "{} sockets were created, bound to these and told to listen", addresses, addresses);
  if (addresses == 1)
    return _("{} sockets, for {} event loops, were created, bound to it and told to listen", loops, loops);
  return _("{} sockets, for {} event loops, were created, bound to these and told to listen",
           addresses * loops, loops);
}

// Told the address, so that a script can go on; the end of the file says that this was all.
void write_ready(int descriptor, const std::string& lines) {
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(descriptor);
}

// A program that more people can run than one may think; empty: as few as can be.
std::string warning_of(const options& how, const endpoint& at) {
  constexpr unsigned others_write = 02;
  if (how.peer.what != scheme::exec) return {};
  if (at.is_ip() && at.addr().is_unspecified())
    return _(
        "warning: whoever can reach this machine can run {}\n"
        "  for this machine only: {}://localhost:{}",
        how.peer.text, how.address.is_udp() ? "udp" : "tcp", at.port());
  if (at.is_abstract())
    return _("warning: every user of this machine can run {}\n  for this user only: unix:///run/NAME",
             how.peer.text);
  if (at.is_local() && (how.address.mode.value_or(private_mode) & others_write) != 0)
    return _("warning: every user of this machine can run {}\n  for this user only: mode=0600",
             how.peer.text);
  return {};
}

}  // namespace

void session::place_ready(soquete::loop& here, std::span<const endpoint> at) {
  {
    const std::lock_guard lock(mutex_);
    ready_at_.insert(ready_at_.end(), at.begin(), at.end());
    if (++places_ready_ != how.address.places().size()) return;
  }
  announce(here, ready_at_);
}

void session::announce(soquete::loop& here, const std::vector<endpoint>& at) {
  if (at.empty()) return;
  std::string places;
  std::string lines;
  for (const endpoint& one : at) {
    const std::string name = one.is_ip() ? to_string(one) : address_of(one);
    places = places.empty() ? name : _("{} and {}", places, name);
    lines += address_at(how, one) + "\n";
  }
  if (how.ready_descriptor >= 0) write_ready(how.ready_descriptor, lines);
  if (const std::string warning = warning_of(how, at.front()); !warning.empty()) out.tell(warning);
  const bool was_chosen = how.address.where.ends_with(":0");
  if (!out.is_told_progress()) {
    // Nobody could connect to a port that nobody knows.
    if (was_chosen && !(out.is_quiet() && how.ready_descriptor >= 0))
      out.complain(_("listening on {}", places));
    return;
  }
  std::string told = _("listening on {}", places).append(reach_of(how, at.front()));
  told += fmt::format("\n  {} ({})", origin_of(how, at.size(), here.group().size()), here.net().name());
  const std::string purpose = purpose_of(how);
  told.append("\n  ").append(how.is_single() ? purpose : _("{}, until Ctrl-C", purpose)).append("\n  ");
  const std::string address = quoted(address_here(how, at.front()));
  const std::string other = by_other_means(how, at.front());
  told += other.empty() ? _("to talk to it:  soquete connect {}", address)
                        : _("to talk to it:  soquete connect {}     or: {}", address, other);
  out.say(told);
  out.detail(_("driver {}: {}", here.net().name(), borrowed(here.driver_reason())));
}

}  // namespace command
