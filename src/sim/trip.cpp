// Simulated datagrams on their way: they come, are refused, or find no room.  udp(7)
#include "sim/trip.hpp"

#include <algorithm>

#include "sim/driver.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t usual_receive_room = 212'992;  // net.core.rmem_default
constexpr std::size_t cost_of_one = 256;             // What the kernel counts besides the bytes, about.

}  // namespace

void trip::happen(network& net, unsigned what) noexcept {
  if (what == arrival) return arrive(net);
  if (is_cut(net, target, source) || !source.is_up()) {
    if (net.tape) [[unlikely]]
      net.tape->lost(recorded_refusal, net.now(), "lost where the link is cut");
    return;
  }
  if (net.tape) [[unlikely]]
    net.tape->came(recorded_refusal, net.now());
  block* const b = source.find_datagram(about.from, about.to);
  if (b == nullptr || b->peer != about.to) return;  // Only a connected socket is told.
  net.note(source, noted::refused, about.from.port(), about.to.port());
  static_cast<host_driver&>(b->home).refused(*b);
}

bool trip::is_cut(network& net, machine& from, machine& to) const {
  if (net.between(from, to).is_cut()) return true;
  return &from != &to && (net.is_cut(about.from.addr()) || net.is_cut(about.to.addr()));
}

void trip::arrive(network& net) noexcept {
  if (is_cut(net, source, target)) return lose(net, "lost where the link is cut");
  if (!target.is_up()) return lose(net, "the host is down");
  if (about.interface != 0) return arrive_for_many(net);
  block* const b = target.find_datagram(about.to, about.from);
  if (b == nullptr) return refuse(net);
  if (!put(net, *b)) return lose(net, "the buffer of the receiver is full");
  if (net.tape) [[unlikely]]
    net.tape->came(recorded, net.now());
}

// Each socket that it is for gets a copy. Where there is none, nobody is told.  RFC 1122 section 3.2.2
void trip::arrive_for_many(network& net) noexcept {
  const std::vector<block*> all = target.find_all(about.to, about.from, about.interface);
  if (all.empty()) return lose(net, "nobody there hears it");
  bool is_taken = false;
  for (block* const one : all) is_taken |= put(net, *one);
  if (!is_taken) return lose(net, "the buffer of the receiver is full");
  if (net.tape) [[unlikely]]
    net.tape->came(recorded, net.now());
}

// False: there is no room.
bool trip::put(network& net, block& into) noexcept {
  const std::int64_t asked = into.value(option::receive_buffer);
  const std::size_t room = asked > 0 ? static_cast<std::size_t>(asked) * 2 : usual_receive_room;
  const std::size_t used = into.arrived_bytes + into.arrived.size() * cost_of_one;
  if (used + carried.size() + cost_of_one > room) {
    ++into.drops;
    return false;
  }
  net.note(target, noted::arrived, carried.size(), about.to.port());
  into.arrived_bytes += carried.size();
  arrived_datagram come{about.from,          about.to.addr(), carried,  about.hops,
                        about.traffic_class, into.drops,      net.now()};
  if (about.interface == 0) {
    come.answer_from = come.to;
    come.interface = come.to.is_loopback() ? loopback_interface : network_interface;
  } else {
    come.interface = about.interface;
    // Of IPv6 nothing tells it.  in6_pktinfo, ipv6(7)
    if (come.to.is_v4()) target.source_for(about.from.addr(), come.answer_from);
  }
  into.arrived.push(std::move(come));
  into.wake_reader();
  return true;
}

void trip::lose(network& net, std::string_view why) noexcept {
  net.note(target, noted::lost, carried.size());
  if (net.tape) [[unlikely]]
    net.tape->lost(recorded, net.now(), why);
}

void trip::refuse(network& net) noexcept {
  lose(net, "nobody has this port");
  const bool is_inside = &source == &target;
  const moment due = is_inside ? net.now() : net.now() + net.between(target, source).delay();
  if (net.tape) record_refusal(net, due);
  if (is_inside) return happen(net, refusal);
  net.events.add(due, *this, refusal);
}

void trip::record_refusal(network& net, moment due) {
  message news;
  news.what = parcel::unreachable;
  news.from = target.number;
  news.to = source.number;
  news.source = {about.to.addr(), about.to.port()};
  news.target = {about.from.addr(), about.from.port()};
  news.left = net.now();
  news.due = due;
  // As much of what was refused as the news may hold.  RFC 1812 section 4.3.2.3, RFC 4443 section 2.4
  news.size = carried.size();
  constexpr std::size_t quoted_max = 512;
  const bytes quoted = bytes(carried).first(std::min(carried.size(), quoted_max));
  news.payload.assign(quoted.begin(), quoted.end());
  recorded_refusal = net.tape->add(std::move(news));
}

}  // namespace soquete::sim
