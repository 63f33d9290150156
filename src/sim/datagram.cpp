// Simulated datagrams: on their way they may be lost, doubled and overtaken.  RFC 768, udp(7)
#include <algorithm>
#include <cerrno>

#include "sim/driver.hpp"

namespace soquete::sim {
namespace {

constexpr std::size_t payload_max_v4 = 65'507;
constexpr std::size_t payload_max_v6 = 65'527;
constexpr std::size_t usual_receive_room = 212'992;  // net.core.rmem_default
constexpr std::size_t cost_of_one = 256;             // What the kernel counts besides the bytes, about.
constexpr std::size_t header_size = 28;
constexpr std::int16_t octet_max = 255;
constexpr std::int64_t discovery_do = 2;  // IP_PMTUDISC_DO: no fragments.  ip(7)

// One datagram, or the news that one was refused.
class trip final : public occurrence {
 public:
  enum kind : unsigned { arrival, refusal };

  trip(machine& sender, machine& receiver, const endpoint& from, const endpoint& to, bytes payload)
      : source(sender),
        target(receiver),
        sent_from(from),
        sent_to(to),
        carried(payload.begin(), payload.end()) {}

  void happen(network& net, unsigned what) noexcept override {
    if (what == arrival) return arrive(net);
    if (net.between(target, source).is_cut() || !source.is_up()) {
      if (net.tape) [[unlikely]]
        net.tape->lost(recorded_refusal, net.now(), "lost where the link is cut");
      return;
    }
    if (net.tape) [[unlikely]]
      net.tape->came(recorded_refusal, net.now());
    block* const b = source.find_datagram(sent_from, sent_to);
    if (b == nullptr || b->peer != sent_to) return;  // Only a connected socket is told.
    net.note(source, noted::refused, sent_from.port(), sent_to.port());
    static_cast<host_driver&>(b->home).refused(*b);
  }

  machine& source;
  machine& target;
  endpoint sent_from;
  endpoint sent_to;
  std::vector<std::byte> carried;
  std::int16_t hops = 64;
  std::int16_t traffic_class = 0;
  std::uint64_t recorded = 0;  ///< Its number in the recording, if there is one.
  std::uint64_t recorded_refusal = 0;

 private:
  void arrive(network& net) noexcept {
    if (net.between(source, target).is_cut()) return lose(net, "lost where the link is cut");
    if (!target.is_up()) return lose(net, "the host is down");
    block* const b = target.find_datagram(sent_to, sent_from);
    if (b == nullptr) {
      net.note(target, noted::lost, carried.size());
      if (net.tape) [[unlikely]]
        net.tape->lost(recorded, net.now(), "nobody has this port");
      const bool is_inside = &source == &target;
      const moment due = is_inside ? net.now() : net.now() + net.between(target, source).delay();
      if (net.tape) record_refusal(net, due);
      if (is_inside) return happen(net, refusal);
      net.events.add(due, *this, refusal);
      return;
    }
    const std::int64_t asked = b->value(option::receive_buffer);
    const std::size_t room = asked > 0 ? static_cast<std::size_t>(asked) * 2 : usual_receive_room;
    const std::size_t used = b->arrived_bytes + b->arrived.size() * cost_of_one;
    if (used + carried.size() + cost_of_one > room) {
      ++b->drops;
      return lose(net, "the buffer of the receiver is full");
    }
    net.note(target, noted::arrived, carried.size(), sent_to.port());
    if (net.tape) [[unlikely]]
      net.tape->came(recorded, net.now());
    b->arrived_bytes += carried.size();
    b->arrived.push({sent_from, sent_to.addr(), carried, hops, traffic_class, b->drops, net.now()});
    b->wake_reader();
  }
  void lose(network& net, std::string_view why) noexcept {
    net.note(target, noted::lost, carried.size());
    if (net.tape) [[unlikely]]
      net.tape->lost(recorded, net.now(), why);
  }
  void record_refusal(network& net, moment due) {
    message news;
    news.what = parcel::unreachable;
    news.from = target.number;
    news.to = source.number;
    news.source = {sent_to.addr(), sent_to.port()};
    news.target = {sent_from.addr(), sent_from.port()};
    news.left = net.now();
    news.due = due;
    // As much of what was refused as the news may hold.  RFC 1812 section 4.3.2.3, RFC 4443 section 2.4
    news.size = carried.size();
    constexpr std::size_t quoted_max = 512;
    const bytes quoted = bytes(carried).first(std::min(carried.size(), quoted_max));
    news.payload.assign(quoted.begin(), quoted.end());
    recorded_refusal = net.tape->add(std::move(news));
  }
};

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
    all[o.moved].outcome = send_datagram(b, all[o.moved]);
  }
  o.outcome = static_cast<std::int64_t>(o.moved);
  return true;
}

// For the recording.
message host_driver::datagram_message(const endpoint& from, const endpoint& to, const machine* there,
                                      bytes payload) const {
  message told;
  told.what = parcel::datagram;
  told.from = at_.number;
  if (there != nullptr) told.to = there->number;
  told.source = {from.addr(), from.port()};
  told.target = {to.addr(), to.port()};
  told.left = told.due = net_.now();
  told.size = payload.size();
  told.payload.assign(payload.begin(), payload.end());
  return told;
}

void host_driver::record_loss(const endpoint& from, const endpoint& to, const machine* there, bytes payload,
                              std::string_view why) {
  net_.tape->lost(net_.tape->add(datagram_message(from, to, there, payload)), net_.now(), why);
}

// 0 or -errno.
int host_driver::send_datagram(block& b, const outgoing_message& m) {
  if (!m.handles.empty() || m.sender != nullptr) return -EINVAL;
  endpoint to = b.peer;
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
  if (is_broadcast(where) && b.value(option::broadcast) == 0) return -EACCES;
  if (where.is_multicast() || is_broadcast(where)) return -EOPNOTSUPP;
  if (m.hops == 0 || m.hops > octet_max || m.traffic_class > octet_max || m.hops < -1 || m.traffic_class < -1)
    return -EINVAL;
  if (m.payload.size() > (where.is_v4() ? payload_max_v4 : payload_max_v6)) return -EMSGSIZE;
  if (where.is_unspecified()) where = where.is_v4() ? address::loopback_v4() : address::loopback_v6();
  to = endpoint(where, to.port());
  address source;
  if (!at_.source_for(where, source)) return -ENETUNREACH;
  if (b.bound.is_empty()) {
    const address any = b.domain == family::v4 ? address::any_v4() : address::any_v6();
    if (const int cause = at_.bind(b, endpoint(any, 0)); cause != 0) return cause;
  }
  const address& ours = b.bound.addr();
  if (!ours.is_unspecified() && ours.is_v4() != where.is_v4()) return -ENETUNREACH;
  if (!m.from.is_unspecified()) {
    source = m.from.unmapped();
    if (!at_.has(source) || source.is_v4() != where.is_v4()) return -EINVAL;
  } else if (!b.bound.addr().is_unspecified()) {
    source = b.bound.addr();
  }
  machine* const there = at_.has(where) ? &at_ : net_.find(where);
  const endpoint from(source, b.bound.port());
  if (there == nullptr) {
    net_.note(at_, noted::lost, m.payload.size());
    if (net_.tape) record_loss(from, to, there, m.payload, "no host has this address");
    return 0;
  }
  link& along = net_.between(at_, *there);
  const std::size_t longest = there == &at_ ? 0 : along.how().datagram_max;
  const bool is_too_long = longest != 0 && m.payload.size() > longest;
  if (is_too_long && b.value(option::path_mtu_discovery) >= discovery_do) return -EMSGSIZE;
  const moment leaves = along.leave(net_.now(), m.payload.size() + header_size);
  const bool is_inside = there == &at_;
  const bool is_lost = is_too_long || (!is_inside && (along.loses() || net_.strikes(fault::loss)));
  if (is_lost) {
    net_.note(at_, noted::lost, m.payload.size());
    if (net_.tape)
      record_loss(from, to, there, m.payload, is_too_long ? "too long for the link" : "lost on the way");
    return 0;
  }
  const bool twice = !is_inside && (along.duplicates() || net_.strikes(fault::duplicate));
  for (int copy = 0; copy != (twice ? 2 : 1); ++copy) {
    const shared<trip> one(new trip(at_, *there, from, to, m.payload));
    one->hops = m.hops >= 0                       ? m.hops
                : b.value(option::hop_limit) != 0 ? static_cast<std::int16_t>(b.value(option::hop_limit))
                                                  : std::int16_t{64};
    one->traffic_class =
        m.traffic_class >= 0 ? m.traffic_class : static_cast<std::int16_t>(b.value(option::traffic_class));
    moment at = leaves + along.delay();
    const bool is_slow = !is_inside && net_.strikes(fault::delay);
    if (is_slow) at += std::chrono::milliseconds(net_.faults.log_between(1, 10'000));
    net_.note(at_, noted::sent, m.payload.size(), static_cast<std::uint64_t>(at.count()));
    if (net_.tape) [[unlikely]] {
      message told = datagram_message(from, to, there, m.payload);
      told.hops = one->hops;
      told.traffic_class = one->traffic_class;
      told.due = at;
      told.is_copy = copy != 0;
      if (is_slow) told.remark = remark::slow;
      one->recorded = net_.tape->add(std::move(told));
    }
    // On the loopback a datagram is there, or refused, before the call is over.
    if (is_inside)
      one->happen(net_, trip::arrival);
    else
      net_.events.add(at, *one, trip::arrival);
  }
  return 0;
}

}  // namespace soquete::sim
