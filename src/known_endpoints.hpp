// Endpoints that can be told without asking anybody.
#pragma once

#include <soquete/driver.hpp>
#include <soquete/where.hpp>

namespace soquete {

/// Where to listen: literal_endpoints(), and those of hosts that the driver knows by name.
inline result<std::vector<endpoint>> known_endpoints(const driver& net, const where::alternative& of) {
  auto got = literal_endpoints(of, purpose::listen);
  if (got || of.what != where::kind::host) return got;
  std::vector<endpoint> known;
  for (const address& one : net.addresses_of(of.name)) known.emplace_back(one, of.port);
  if (!known.empty()) return known;
  return got;
}

/// Where a client finds what it wants to talk to.
struct endpoints_to_try {
  result<std::vector<endpoint>> all;
  clock::duration after{};  ///< How long it takes to know them.
};

/// The same for a client, who may hear late of it, or that nobody can say at present.
inline endpoints_to_try look_up_endpoints(driver& net, const where::alternative& of) {
  endpoints_to_try found{literal_endpoints(of, purpose::connect), {}};
  if (found.all || of.what != where::kind::host) return found;
  const name_answer answer = net.look_up(of.name);
  found.after = answer.after;
  if (answer.cause) found.all = fail(std::move(error(answer.cause, step::resolve).set_subject(of.name)));
  if (answer.addresses.empty()) return found;
  std::vector<endpoint> known;
  for (const address& one : answer.addresses) known.emplace_back(one, of.port);
  found.all = std::move(known);
  return found;
}

}  // namespace soquete
