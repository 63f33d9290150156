// Simulated datagrams: on their way they may be lost, doubled and overtaken.  RFC 768, udp(7)
#include <algorithm>
#include <cerrno>

#include "sim/driver.hpp"
#include "sim/trip.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t payload_max_v4 = 65'507;
constexpr std::size_t payload_max_v6 = 65'527;
constexpr std::size_t header_size = 28;
constexpr std::int16_t octet_max = 255;
constexpr std::int64_t discovery_do = 2;  // IP_PMTUDISC_DO: no fragments.  ip(7)

}  // namespace

void host_driver::refused(block& b) noexcept {
  b.pending_error = ECONNREFUSED;
  b.wake_reader();
}

std::int64_t host_driver::receive_messages(block& b, op& o) noexcept {
  if (b.local) return receive_local_messages(b, o);
  if (b.kind != descriptor_kind::datagram) return -EOPNOTSUPP;
  if (b.pending_error != 0) return -std::exchange(b.pending_error, 0);
  if (b.arrived.empty()) return -EAGAIN;
  std::size_t count = o.size;
  if (count > 1 && net_.strikes(fault::pieces))
    count = static_cast<std::size_t>(net_.faults.between(1, count));
  return messages_.lend(b, count, at_.skew, o);
}

// True: done.
bool host_driver::send_datagrams(block& b, op& o) noexcept {
  const std::span<outgoing_message> all(static_cast<outgoing_message*>(const_cast<void*>(o.data)), o.size);
  if (b.kind != descriptor_kind::datagram) return o.outcome = -EOPNOTSUPP, true;
  for (; o.moved < all.size(); ++o.moved) {
    // A refusal of an earlier one is told to the receive that waits, else to this one: clause 24.
    if (b.pending_error != 0 && !b.is_reading()) {
      all[o.moved].outcome = -std::exchange(b.pending_error, 0);
      continue;
    }
    if (const int how = send_datagram(b, all[o.moved]); how < 0) all[o.moved].outcome = how;
  }
  o.outcome = static_cast<std::int64_t>(o.moved);
  return true;
}

// For the recording.
message host_driver::datagram_message(const datagram& d, const machine* there) const {
  message told;
  told.what = parcel::datagram;
  told.from = at_.number;
  if (there != nullptr) told.to = there->number;
  told.source = {d.from.addr(), d.from.port()};
  told.target = {d.to.addr(), d.to.port()};
  told.left = told.due = net_.now();
  told.size = d.payload.size();
  told.payload.assign(d.payload.begin(), d.payload.end());
  told.hops = d.hops;
  told.traffic_class = d.traffic_class;
  return told;
}

std::uint64_t host_driver::record(datagram& d, message told) {
  told.is_for_many = d.interface != 0;
  told.is_again = std::exchange(d.is_recorded, told.is_for_many);
  return net_.tape->add(std::move(told));
}

void host_driver::lose(datagram& d, const machine* there, std::string_view why) {
  net_.note(at_, noted::lost, d.payload.size());
  if (net_.tape) net_.tape->lost(record(d, datagram_message(d, there)), net_.now(), why);
}

// Where it is to go, without a zone; 0 or -errno.
int host_driver::find_target(const block& b, const outgoing_message& m, endpoint& to,
                             std::uint32_t& zone) const {
  if (!m.handles.empty() || m.sender != nullptr) return -EINVAL;
  to = b.peer;
  if (m.to != nullptr) {
    if (m.to->is_empty()) return -EDESTADDRREQ;
    if (!m.to->is_ip()) return -EAFNOSUPPORT;
    if (b.domain == family::v4 && m.to->addr().is_v6()) return -EAFNOSUPPORT;
    to = endpoint(m.to->addr().unmapped(), m.to->port());
  }
  if (to.is_empty()) return -EDESTADDRREQ;
  if (to.port() == 0) return -EINVAL;
  address where = to.addr();
  if (where.is_v4() && b.domain == family::v6 && b.value(option::v6_only) != 0) return -ENETUNREACH;
  if (m.hops == 0 || m.hops > octet_max || m.traffic_class > octet_max || m.hops < -1 || m.traffic_class < -1)
    return -EINVAL;
  if (m.payload.size() > (where.is_v4() ? payload_max_v4 : payload_max_v6)) return -EMSGSIZE;
  if (where.is_unspecified()) where = where.is_v4() ? address::loopback_v4() : address::loopback_v6();
  if (where.is_multicast()) {
    zone = where.zone();
    where = where.with_zone(0);
  }
  to = endpoint(where, to.port());
  return 0;
}

// From which address it leaves, and by which interface if it is for many. 0 or -errno.
int host_driver::find_source(const block& b, const outgoing_message& m, datagram& d,
                             std::uint32_t zone) const {
  const address& where = d.to.addr();
  const address& ours = b.bound.addr();
  // A socket of a group or broadcast address sends as itself; and over IPv4 who names an interface leaves the
  // address to the system: IP_PKTINFO says both.
  const bool is_left_open =
      ours.is_multicast() || at_.is_broadcast(ours) || (where.is_v4() && m.interface != 0);
  address source;
  if (!at_.source_for(where, source)) return -ENETUNREACH;
  if (!ours.is_unspecified() && ours.is_v4() != where.is_v4()) return -ENETUNREACH;
  const bool is_said = !m.from.is_unspecified() || !(ours.is_unspecified() || is_left_open);
  if (!m.from.is_unspecified()) {
    source = m.from.unmapped();
    if (!at_.has(source) || source.is_v4() != where.is_v4()) return -EINVAL;
  } else if (is_said) {
    source = ours;
  }
  if (m.interface > network_interface) return -ENODEV;
  const bool is_broadcast = at_.is_broadcast(where);
  if (is_broadcast && b.value(option::broadcast) == 0) return -EACCES;
  if (is_broadcast || where.is_multicast()) {
    d.interface = m.interface != 0 ? m.interface : zone != 0 ? zone : ours.zone();
    if (d.interface == 0 && where.is_multicast())
      d.interface = static_cast<std::uint32_t>(b.value(option::multicast_interface));
    if (d.interface > network_interface) return -ENODEV;
    if (d.interface == 0 || where.is_loopback()) {
      const bool stays = where.is_loopback() || (is_said && source.is_loopback());
      d.interface = stays ? loopback_interface : network_interface;
    }
    if (!is_said && d.interface == loopback_interface)
      source = where.is_v4() ? address::loopback_v4() : address::loopback_v6();
    // No other host could answer.
    if (source.is_loopback() && d.interface == network_interface) return -EINVAL;
  }
  d.from = endpoint(source, b.bound.port());
  return 0;
}

// 0 or -errno.
int host_driver::send_datagram(block& b, const outgoing_message& m) {
  datagram d;
  d.payload = m.payload;
  std::uint32_t zone = 0;
  if (const int cause = find_target(b, m, d.to, zone); cause != 0) return cause;
  if (b.bound.is_empty()) {
    const address any = b.domain == family::v4 ? address::any_v4() : address::any_v6();
    if (const int cause = at_.bind(b, endpoint(any, 0)); cause != 0) return cause;
  }
  if (const int cause = find_source(b, m, d, zone); cause != 0) return cause;
  const option of_hops = d.to.addr().is_multicast() ? option::multicast_hops : option::hop_limit;
  const std::int64_t usual_hops = b.value(of_hops);
  if (m.hops >= 0)
    d.hops = m.hops;
  else if (usual_hops != 0 || of_hops == option::multicast_hops)
    d.hops = static_cast<std::int16_t>(usual_hops);
  d.traffic_class =
      m.traffic_class >= 0 ? m.traffic_class : static_cast<std::int16_t>(b.value(option::traffic_class));
  if (d.interface != 0) return send_to_many(b, d), 0;

  machine* const there = at_.has(d.to.addr()) ? &at_ : net_.find(d.to.addr());
  if (there == nullptr) return lose(d, nullptr, "no host has this address"), 0;
  const std::size_t longest = there == &at_ ? 0 : net_.between(at_, *there).how().datagram_max;
  const bool is_too_long = longest != 0 && d.payload.size() > longest;
  if (is_too_long && b.value(option::path_mtu_discovery) >= discovery_do) return -EMSGSIZE;
  launch(d, *there);
  return 0;
}

// To all that are known to want it, as by a switch that listens to who joins.  RFC 4541
void host_driver::send_to_many(const block& b, datagram& d) {
  const address& where = d.to.addr();
  const bool is_group = where.is_multicast();
  const auto wants = [&](const machine& one) {
    return is_group ? one.groups.wants(where, d.from.addr(), d.interface) : one.is_broadcast(where);
  };
  bool is_heard = false;
  const auto give = [&](machine& one) {
    if (!wants(one)) return;
    is_heard = true;
    launch(d, one);
  };
  const bool is_inside = d.interface == loopback_interface;
  if (!is_group || is_inside || b.value(option::multicast_loop) != 0) give(at_);
  if (!is_inside && d.hops != 0 && !stays_inside(where))
    for (const auto& one : net_.machines())
      if (one.get() != &at_) give(*one);
  if (!is_heard) lose(d, nullptr, "nobody hears it");
}

void host_driver::launch(datagram& d, machine& there) {
  link& along = net_.between(at_, there);
  const bool is_inside = &there == &at_;
  const std::size_t longest = is_inside ? 0 : along.how().datagram_max;
  const bool is_too_long = longest != 0 && d.payload.size() > longest;
  const moment leaves = along.leave(net_.now(), d.payload.size() + header_size);
  if (is_too_long) return lose(d, &there, "too long for the link");
  if (!is_inside && (along.loses() || net_.strikes(fault::loss))) return lose(d, &there, "lost on the way");
  const bool twice = !is_inside && (along.duplicates() || net_.strikes(fault::duplicate));
  for (int copy = 0; copy != (twice ? 2 : 1); ++copy) {
    const shared<trip> one(new trip(at_, there, d));
    moment at = leaves + along.delay();
    const bool is_slow = !is_inside && net_.strikes(fault::delay);
    if (is_slow) at += std::chrono::milliseconds(net_.faults.log_between(1, 10'000));
    net_.note(at_, noted::sent, d.payload.size(), static_cast<std::uint64_t>(at.count()));
    if (net_.tape) [[unlikely]] {
      message told = datagram_message(d, &there);
      told.due = at;
      told.is_copy = copy != 0;
      if (is_slow) told.remark = remark::slow;
      one->recorded = record(d, std::move(told));
    }
    // On the loopback a datagram is there, or refused, before the call is over.
    if (is_inside)
      one->happen(net_, trip::arrival);
    else
      net_.events.add(at, *one, trip::arrival);
  }
}

}  // namespace soquete::sim
