// Options of sockets of datagrams.
#include <soquete/datagram_options.hpp>
#include <soquete/message.hpp>

namespace soquete {
namespace {

constexpr std::int64_t ecn_mask = 3;

}  // namespace

result<int> datagram_options::number(option which) const {
  const auto got = get(which);
  if (!got) return fail(got.error());
  return static_cast<int>(*got);
}

result<void> datagram_options::set_ecn(soquete::ecn mark) {
  const auto now = get(option::traffic_class);
  if (!now) return fail(now.error());
  return set(option::traffic_class, (*now & ~ecn_mask) | static_cast<std::int64_t>(mark));
}

result<soquete::ecn> datagram_options::ecn() const {
  const auto got = get(option::traffic_class);
  if (!got) return fail(got.error());
  return static_cast<soquete::ecn>(*got & ecn_mask);
}

result<path_mtu_discovery> datagram_options::mtu_discovery() const {
  const auto got = get(option::path_mtu_discovery);
  if (!got) return fail(got.error());
  return static_cast<path_mtu_discovery>(*got);
}

}  // namespace soquete
