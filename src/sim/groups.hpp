// Who on one simulated host has joined which groups.  RFC 1112, RFC 3376, RFC 3678; ip(7), ipv6(7)
#pragma once

#include <soquete/driver.hpp>
#include <vector>

namespace soquete::sim {

struct block;

/// The interfaces of each host, by number: the loopback, and a card on the one network that all hosts share.
inline constexpr std::uint32_t loopback_interface = 1;
inline constexpr std::uint32_t network_interface = 2;

/// Is it of a group whose datagrams stay on one link or in one host, so that a zone says on which?  RFC 4007
bool wants_zone(const address& group) noexcept;
/// Of these, the ones that no card sends.
bool stays_inside(const address& group) noexcept;

/// Addresses of groups and sources are without zones, IPv4 unmapped.
class group_table {
 public:
  /// 0 or an errno.
  int join(const block& whose, const group_membership& which);
  int leave(const block& whose, const group_membership& which);
  void forget(const block& whose) noexcept;

  /// Does anybody here want what comes from there, on that interface?
  bool wants(const address& group, const address& source, std::uint32_t interface) const noexcept;
  /// Does this socket? One that has not joined may hear what others have joined.  IP_MULTICAST_ALL
  bool wants(const block& whose, const address& group, const address& source,
             std::uint32_t interface) const noexcept;

 private:
  struct membership {
    const block* whose;
    address group;
    std::uint32_t interface;
    bool is_of_all;  ///< Whoever sends; else `sources`.
    std::vector<address> sources{};

    bool wants(const address& source) const noexcept;
  };

  int check(const block& whose, const group_membership& which) const noexcept;
  int add_source(membership& to, const address& source) const;
  membership* find(const block& whose, const address& group, std::uint32_t interface) noexcept;

  std::vector<membership> all_;
};

}  // namespace soquete::sim
