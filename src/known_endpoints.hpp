// Endpoints that can be told without asking anybody.
#pragma once

#include <soquete/driver.hpp>
#include <soquete/where.hpp>

namespace soquete {

/// literal_endpoints(), and those of hosts that the driver knows by name.
inline result<std::vector<endpoint>> known_endpoints(const driver& net, const where::alternative& of,
                                                     purpose what_for) {
  auto got = literal_endpoints(of, what_for);
  if (got || of.what != where::kind::host) return got;
  std::vector<endpoint> known;
  for (const address& one : net.addresses_of(of.name)) known.emplace_back(one, of.port);
  if (!known.empty()) return known;
  return got;
}

}  // namespace soquete
