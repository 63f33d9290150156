// One simulated host as the network sees it.
#include "sim/machine.hpp"

#include <algorithm>
#include <cstdio>

#include "sim/block.hpp"

namespace soquete::sim {
namespace {

// 10.x.y.z and fd00::x:yz, counted from 1.
std::vector<address> usual_addresses(std::uint32_t number) {
  const std::uint32_t n = number + 1;
  const auto byte = [n](unsigned shift) { return static_cast<std::uint8_t>(n >> shift & 0xff); };
  std::array<std::uint8_t, 16> v6{0xfd};
  v6[13] = byte(16);
  v6[14] = byte(8);
  v6[15] = byte(0);
  return {address::v6(v6), address::v4({10, byte(16), byte(8), byte(0)})};
}

std::vector<address> addresses_of(const host_options& options, std::uint32_t number) {
  if (options.addresses.empty()) return usual_addresses(number);
  return {options.addresses.begin(), options.addresses.end()};
}

bool covers_v4(const block& b, const endpoint& at) noexcept {
  return at.addr().is_v4() || (at.addr().is_unspecified() && b.value(option::v6_only) == 0);
}

// Could a packet be for both?
bool overlap(const block& a, const endpoint& at, const block& b) noexcept {
  const address& one = at.addr();
  const address& other = b.bound.addr();
  const bool both_v4 = covers_v4(a, at) && covers_v4(b, b.bound);
  const bool both_v6 = one.is_v6() && other.is_v6();
  if (!both_v4 && !both_v6) return false;
  return one.is_unspecified() || other.is_unspecified() || one == other;
}

// How well it fits a packet to `to`: 0 not at all.
int fit(const block& b, const endpoint& to) noexcept {
  if (b.bound.addr() == to.addr()) return 3;
  if (!b.bound.addr().is_unspecified()) return 0;
  if (to.addr().is_v4()) return covers_v4(b, b.bound) ? (b.bound.addr().is_v4() ? 2 : 1) : 0;
  return b.bound.addr().is_v6() ? 2 : 0;
}

std::uint64_t hash_of(const endpoint& from, const endpoint& to) noexcept {
  std::uint64_t sum = std::uint64_t{from.port()} << 16 | to.port();
  for (const std::uint8_t octet : from.addr().octets()) sum = mixed(sum ^ octet);
  return sum;
}

}  // namespace

machine::machine(network& in, std::uint32_t with_number, std::string called, const host_options& options)
    : net(in),
      number(with_number),
      name(std::move(called)),
      addresses(addresses_of(options, with_number)),
      is_in_usual_network(options.addresses.empty()),
      descriptor_limit(options.descriptor_limit),
      skew(options.clock_skew),
      ports_(in.seed, purpose::port, with_number),
      free_names_(in.seed, purpose::name, with_number) {}

bool machine::has(const address& one) const noexcept {
  return one.is_loopback() || one.is_unspecified() ||
         std::find(addresses.begin(), addresses.end(), one) != addresses.end();
}

bool machine::is_broadcast(const address& to) const noexcept {
  if (!to.is_v4()) return false;
  constexpr std::uint8_t all = 255;
  const std::span<const std::uint8_t> t = to.octets();
  if (t[3] != all) return false;
  if (t[0] == 127) return t[1] == all && t[2] == all;
  const bool is_of_all_networks = t[0] == all && t[1] == all && t[2] == all;
  return std::any_of(addresses.begin(), addresses.end(), [&](const address& mine) {
    if (!mine.is_v4()) return false;
    const std::span<const std::uint8_t> m = mine.octets();
    if (is_in_usual_network) return is_of_all_networks || (t[0] == m[0] && t[1] == all && t[2] == all);
    return is_of_all_networks || (t[0] == m[0] && t[1] == m[1] && t[2] == m[2]);
  });
}

bool machine::source_for(const address& to, address& from) const noexcept {
  if (to.is_loopback() || to.is_unspecified()) {
    from = to.is_v4() ? address::loopback_v4() : address::loopback_v6();
    return true;
  }
  if (has(to)) return from = to, true;
  for (const address& one : addresses)
    if (one.is_v4() == to.is_v4()) return from = one, true;
  return false;
}

credentials machine::us() const noexcept {
  constexpr std::uint32_t ordinary = 1000;
  return {static_cast<std::int32_t>(life), ordinary, ordinary};
}

// Five hexadecimal digits.  "Autobind feature", unix(7)
endpoint machine::free_name() {
  for (;;) {
    std::array<char, 8> digits{};
    std::snprintf(digits.data(), digits.size(), "%05x", static_cast<unsigned>(free_names_.below(1U << 20)));
    const endpoint one = endpoint::local_abstract(digits.data()).value_or(endpoint());
    if (names.find(one).it == nullptr) return one;
  }
}

void machine::make_ready() {
  if (is_waiting) return;
  is_waiting = true;
  net.ready.push_back(this);
}

int machine::take_descriptor(block& whose) {
  if (open_ >= descriptor_limit) return -EMFILE;
  std::size_t place = maybe_free_;
  while (place < descriptors_.size() && descriptors_[place] != nullptr) ++place;
  if (place == descriptors_.size()) descriptors_.push_back(nullptr);
  descriptors_[place] = &whose;
  maybe_free_ = place + 1;
  ++open_;
  return first_descriptor + static_cast<int>(place);
}

void machine::free_descriptor(int freed) noexcept {
  const auto place = static_cast<std::size_t>(freed - first_descriptor);
  descriptors_[place] = nullptr;
  maybe_free_ = std::min(maybe_free_, place);
  --open_;
}

machine::port_table& machine::table_for(const block& whose) noexcept {
  return whose.is_of_streams() ? stream_ports_ : datagram_ports_;
}

bool machine::is_free(const block& whose, const endpoint& where) const noexcept {
  const port_table& table = whose.is_of_streams() ? stream_ports_ : datagram_ports_;
  const auto found = table.find(where.port());
  if (found == table.end()) return true;
  for (const block* other : found->second) {
    if (!overlap(whose, where, *other)) continue;
    if (whose.value(option::reuse_port) != 0 && other->value(option::reuse_port) != 0) continue;
    const bool may_share = !whose.is_of_streams() || other->kind != descriptor_kind::listener;
    if (may_share && whose.value(option::reuse_address) != 0 && other->value(option::reuse_address) != 0)
      continue;
    return false;
  }
  return true;
}

std::uint16_t machine::free_port(const block& whose, const endpoint& where, const endpoint* peer) {
  constexpr std::uint32_t count = last_free_port - first_free_port + 1;
  const port_table& table = table_for(whose);
  const auto start = static_cast<std::uint32_t>(ports_.below(count));
  const auto port_of = [&](std::uint32_t i) {
    return static_cast<std::uint16_t>(first_free_port + (start + i) % count);
  };
  if (table.size() < count)
    for (std::uint32_t i = 0; i < count; ++i)
      if (!table.contains(port_of(i))) return port_of(i);
  // One port may serve connections to different peers.
  for (std::uint32_t i = 0; peer != nullptr && whose.is_of_streams() && i < count; ++i) {
    const auto found = table.find(port_of(i));
    if (found == table.end() || std::all_of(found->second.begin(), found->second.end(), [&](const block* b) {
          return b->wire && b->bound.addr() == where.addr() && b->wire->name(1 - b->side) != *peer;
        }))
      return port_of(i);
  }
  return 0;
}

int machine::bind(block& whose, const endpoint& where) {
  if (!whose.bound.is_empty() || !where.is_ip()) return -EINVAL;
  endpoint at(where.addr().unmapped(), where.port());
  if ((whose.domain == family::v4) != where.addr().is_v4()) return -EAFNOSUPPORT;
  if (where.addr().is_v4_mapped() && whose.value(option::v6_only) != 0) return -EINVAL;
  if (wants_zone(at.addr())) {
    if (at.addr().zone() == 0) return -EINVAL;
    if (at.addr().zone() > network_interface) return -ENODEV;
  }
  const bool is_of_many = !whose.is_of_streams() && (at.addr().is_multicast() || is_broadcast(at.addr()));
  if (!is_of_many && !has(at.addr()) && whose.value(option::free_bind) == 0) return -EADDRNOTAVAIL;
  if (at.port() == 0) {
    const std::uint16_t free = free_port(whose, at, nullptr);
    if (free == 0) return -EADDRINUSE;
    at = endpoint(at.addr(), free);
  } else if (!is_free(whose, at)) {
    return -EADDRINUSE;
  }
  whose.bound = at;
  table_for(whose)[at.port()].push_back(&whose);
  return 0;
}

int machine::bind_for(block& whose, const endpoint& peer) {
  address from;
  if (!source_for(peer.addr(), from)) return -ENETUNREACH;
  const endpoint where(from, 0);
  const std::uint16_t free = free_port(whose, where, &peer);
  if (free == 0) return whose.is_of_streams() ? -EADDRNOTAVAIL : -EAGAIN;
  whose.bound = endpoint(from, free);
  table_for(whose)[free].push_back(&whose);
  return 0;
}

int machine::may_listen(const block& whose) const noexcept {
  const auto found = stream_ports_.find(whose.bound.port());
  if (found == stream_ports_.end()) return 0;
  for (const block* other : found->second) {
    if (other == &whose || other->kind != descriptor_kind::listener) continue;
    if (!overlap(whose, whose.bound, *other)) continue;
    if (whose.value(option::reuse_port) == 0 || other->value(option::reuse_port) == 0) return -EADDRINUSE;
  }
  return 0;
}

void machine::unbind(block& whose) noexcept {
  groups.forget(whose);
  if (whose.bound.is_empty()) return;
  port_table& table = table_for(whose);
  if (const auto found = table.find(whose.bound.port()); found != table.end()) {
    std::erase(found->second, &whose);
    if (found->second.empty()) table.erase(found);
  }
  whose.bound = endpoint();
}

block* machine::find_listener(const endpoint& to, const endpoint& from) noexcept {
  const auto found = stream_ports_.find(to.port());
  if (found == stream_ports_.end()) return nullptr;
  int best = 0;
  std::vector<block*> all;
  for (block* one : found->second) {
    if (one->kind != descriptor_kind::listener) continue;
    const int how = fit(*one, to);
    if (how > best) all.clear();
    if (how == 0 || how < best) continue;
    best = how;
    all.push_back(one);
  }
  if (all.empty()) return nullptr;
  return all[hash_of(from, to) % all.size()];
}

block* machine::find_datagram(const endpoint& to, const endpoint& from) noexcept {
  const auto found = datagram_ports_.find(to.port());
  if (found == datagram_ports_.end()) return nullptr;
  int best = 0;
  std::vector<block*> all;
  for (block* one : found->second) {
    if (!one->peer.is_empty() && one->peer != from) continue;
    int how = fit(*one, to);
    if (how != 0 && !one->peer.is_empty()) how += 4;
    if (how > best) all.clear();
    if (how == 0 || how < best) continue;
    best = how;
    all.push_back(one);
  }
  if (all.empty()) return nullptr;
  // With SO_REUSEADDR alone, the one that was bound last has taken the port over.
  if (all.back()->value(option::reuse_port) == 0) return all.back();
  return all[hash_of(from, to) % all.size()];
}

// As __udp_is_mcast_sock() of Linux.
std::vector<block*> machine::find_all(const endpoint& to, const endpoint& from,
                                      std::uint32_t interface) const {
  std::vector<block*> all;
  const auto found = datagram_ports_.find(to.port());
  if (found == datagram_ports_.end()) return all;
  for (block* const one : found->second) {
    if (!one->peer.is_empty() && one->peer != from) continue;
    const address& bound = one->bound.addr();
    if (bound.zone() != 0 && bound.zone() != interface) continue;
    if (bound.with_zone(0) != to.addr() && fit(*one, to) == 0) continue;
    if (to.addr().is_multicast() && !groups.wants(*one, to.addr(), from.addr(), interface)) continue;
    all.push_back(one);
  }
  return all;
}

}  // namespace soquete::sim
