// Who on one simulated host has joined which groups.
#include "sim/groups.hpp"

#include <algorithm>
#include <cerrno>

#include "sim/block.hpp"

namespace soquete::sim {
namespace {

// net.ipv4.igmp_max_memberships, net.ipv4.igmp_max_msf, net.ipv6.mld_max_msf
constexpr std::ptrdiff_t groups_max_v4 = 20;
constexpr std::size_t sources_max_v4 = 10;
constexpr std::size_t sources_max_v6 = 64;

address plain(const address& one) noexcept { return one.unmapped().with_zone(0); }

std::uint32_t interface_of(const group_membership& which) noexcept {
  return which.interface != 0 ? which.interface : which.group.zone();
}

// RFC 4291 section 2.7
constexpr unsigned interface_local = 1;
constexpr unsigned link_local = 2;
unsigned scope_of(const address& group) noexcept { return group.octets()[1] & 0xfU; }

// Each host is a member, unasked.  RFC 1112 section 4, RFC 4291 section 2.8
bool is_of_all_hosts(const address& group) noexcept {
  static const std::array<address, 3> all{address::v4({224, 0, 0, 1}),
                                          address::v6({0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
                                          address::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})};
  return std::ranges::find(all, group) != all.end();
}

}  // namespace

bool wants_zone(const address& group) noexcept {
  return group.is_v6() && group.is_multicast() && scope_of(group) <= link_local;
}

bool stays_inside(const address& group) noexcept {
  return group.is_v6() && group.is_multicast() && scope_of(group) <= interface_local;
}

bool group_table::membership::wants(const address& source) const noexcept {
  return is_of_all || std::ranges::find(sources, source) != sources.end();
}

group_table::membership* group_table::find(const block& whose, const address& group,
                                           std::uint32_t interface) noexcept {
  const auto found = std::ranges::find_if(all_, [&](const membership& one) {
    return one.whose == &whose && one.group == group && (interface == 0 || one.interface == interface);
  });
  return found == all_.end() ? nullptr : &*found;
}

// What is wrong with it, whatever has been joined.
int group_table::check(const block& whose, const group_membership& which) const noexcept {
  const address group = plain(which.group);
  if (group.is_v6() && whose.domain == family::v4) return ENOPROTOOPT;
  if (!which.source.is_unspecified() && plain(which.source).is_v4() != group.is_v4()) return EADDRNOTAVAIL;
  if (!group.is_multicast()) return EINVAL;
  return interface_of(which) > network_interface ? ENODEV : 0;
}

int group_table::join(const block& whose, const group_membership& which) {
  if (const int cause = check(whose, which); cause != 0) return cause;
  const address group = plain(which.group);
  const std::uint32_t interface = interface_of(which);
  const bool is_of_one = !which.source.is_unspecified();
  membership* found = find(whose, group, interface);
  if (found != nullptr && !is_of_one) return EADDRINUSE;
  if (found == nullptr) {
    const auto of_v4 = std::ranges::count_if(
        all_, [&](const membership& one) { return one.whose == &whose && one.group.is_v4(); });
    if (group.is_v4() && of_v4 >= groups_max_v4) return ENOBUFS;
    all_.push_back({&whose, group, interface != 0 ? interface : network_interface, !is_of_one});
    found = &all_.back();
  }
  return is_of_one ? add_source(*found, plain(which.source)) : 0;
}

// From all it becomes those that are named: ip_mc_source() of Linux.
int group_table::add_source(membership& to, const address& source) const {
  to.is_of_all = false;
  if (to.sources.size() >= (to.group.is_v4() ? sources_max_v4 : sources_max_v6)) return ENOBUFS;
  if (to.wants(source)) return EADDRNOTAVAIL;
  to.sources.push_back(source);
  return 0;
}

int group_table::leave(const block& whose, const group_membership& which) {
  const int cause = check(whose, which);
  const bool is_of_one = !which.source.is_unspecified();
  if (cause != 0) return cause == ENODEV && !is_of_one ? EADDRNOTAVAIL : cause;
  membership* const found = find(whose, plain(which.group), interface_of(which));
  if (found == nullptr) return is_of_one ? EINVAL : EADDRNOTAVAIL;
  if (is_of_one) {
    found->is_of_all = false;
    if (std::erase(found->sources, plain(which.source)) == 0) return EADDRNOTAVAIL;
    if (!found->sources.empty()) return 0;
  }
  all_.erase(all_.begin() + (found - all_.data()));
  return 0;
}

void group_table::forget(const block& whose) noexcept {
  std::erase_if(all_, [&whose](const membership& one) { return one.whose == &whose; });
}

bool group_table::wants(const address& group, const address& source, std::uint32_t interface) const noexcept {
  return is_of_all_hosts(group) || std::ranges::any_of(all_, [&](const membership& one) {
           return one.group == group && one.interface == interface && one.wants(source);
         });
}

// Of IPv6 Linux asks for no interface here.
bool group_table::wants(const block& whose, const address& group, const address& source,
                        std::uint32_t interface) const noexcept {
  for (auto one = all_.rbegin(); one != all_.rend(); ++one)
    if (one->whose == &whose && one->group == group && (group.is_v6() || one->interface == interface))
      return one->wants(source);
  const std::int64_t set = whose.value(option::multicast_all);
  // Unless it is said, a socket of IPv6 does so for IPv6 only.
  return set == block::unset ? group.is_v6() || whose.domain == family::v4 : set != 0;
}

}  // namespace soquete::sim
