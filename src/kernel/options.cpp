// Socket options as the kernel knows them.  socket(7), tcp(7), ip(7), ipv6(7).
#include <netinet/in.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "kernel/ancillary.hpp"
#include "kernel/kernel_driver.hpp"
#include "kernel/option_names.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {
namespace {

int set_multicast_interface(int descriptor, const option_name& name, int value) noexcept {
  if (name.level == IPPROTO_IPV6 &&
      ::setsockopt(descriptor, name.level, name.number, &value, sizeof value) != 0)
    return -1;
  ip_mreqn how{};
  how.imr_ifindex = value;
  const int done = ::setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &how, sizeof how);
  return name.level == IPPROTO_IPV6 ? 0 : done;
}

// The bit of an option that makes datagrams bring something beside their bytes; 0: it is another.
std::uint16_t told_by(option which) noexcept {
  constexpr std::array tells{option::tell_destination, option::tell_traffic_class, option::tell_hops,
                             option::tell_time,        option::tell_drops,         option::receive_segments};
  const auto found = std::find(tells.begin(), tells.end(), which);
  return found != tells.end() ? static_cast<std::uint16_t>(1U << (found - tells.begin())) : std::uint16_t{0};
}

// The kernel bounds some values in silence, and takes -1 for the most.
std::int64_t lowest_of(option which) noexcept {
  if (which == option::linger) return -1;
  return which == option::hop_limit ? 1 : 0;
}

}  // namespace

result<void> kernel_driver::set(socket_block& block, option which, std::int64_t value) {
  const option_name name = name_of(which, block.descriptor);
  if (!name.missing.empty()) return fail(only_on_linux(step::set_option, name.missing));
  const std::int64_t highest = which == option::mark ? std::int64_t{std::numeric_limits<std::uint32_t>::max()}
                                                     : std::numeric_limits<int>::max();
  if (value > highest || value < lowest_of(which)) return fail(std::errc::invalid_argument, step::set_option);
  int done;
  if (which == option::linger) {
    const linger how{value >= 0, value >= 0 ? static_cast<int>(value) : 0};
    done = ::setsockopt(block.descriptor, name.level, name.number, &how, sizeof how);
  } else if (which == option::multicast_interface) {
    done = set_multicast_interface(block.descriptor, name, static_cast<int>(value));
  } else {
    const int number = static_cast<int>(value);
    done = ::setsockopt(block.descriptor, name.level, name.number, &number, sizeof number);
    // Where the socket does without IPv4, this fails harmlessly.
    if (const int twin = v4_twin(which); done == 0 && twin != 0 && name.level == IPPROTO_IPV6)
      ::setsockopt(block.descriptor, IPPROTO_IP, twin, &number, sizeof number);
  }
  if (done != 0) return fail(system_error(step::set_option));
  block.told_beside &= static_cast<std::uint16_t>(~told_by(which));
  if (value != 0) block.told_beside |= told_by(which);
  return {};
}

result<std::int64_t> kernel_driver::get(const socket_block& block, option which) const {
  const option_name name = name_of(which, block.descriptor);
  if (!name.missing.empty()) return fail(only_on_linux(step::get_option, name.missing));
  if (which == option::linger) {
    linger how{};
    socklen_t size = sizeof how;
    if (::getsockopt(block.descriptor, name.level, name.number, &how, &size) != 0)
      return fail(system_error(step::get_option));
    return how.l_onoff != 0 ? how.l_linger : -1;
  }
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(block.descriptor, name.level, name.number, &value, &size) != 0)
    return fail(system_error(step::get_option));
  return value;
}

result<void> kernel_driver::set(socket_block& block, text_option which, std::string_view value) {
  const option_name name = name_of(which);
  if (!name.missing.empty()) return fail(only_on_linux(step::set_option, name.missing));
  if (::setsockopt(block.descriptor, name.level, name.number, value.data(),
                   static_cast<socklen_t>(value.size())) != 0)
    return fail(system_error(step::set_option));
  return {};
}

result<std::string> kernel_driver::get(const socket_block& block, text_option which) const {
  const option_name name = name_of(which);
  if (!name.missing.empty()) return fail(only_on_linux(step::get_option, name.missing));
  std::array<char, 64> value{};
  socklen_t size = value.size() - 1;
  if (::getsockopt(block.descriptor, name.level, name.number, value.data(), &size) != 0)
    return fail(system_error(step::get_option));
  return std::string(value.data(), strnlen(value.data(), size));
}

result<void> kernel_driver::set_raw(socket_block& block, option_number which, bytes value) {
  if (::setsockopt(block.descriptor, which.level, which.name, value.data(),
                   static_cast<socklen_t>(value.size())) != 0)
    return fail(system_error(step::set_option));
  block.told_beside = socket_block::told_unknown;
  return {};
}

result<std::size_t> kernel_driver::get_raw(const socket_block& block, option_number which,
                                           mutable_bytes into) const {
  auto size = static_cast<socklen_t>(into.size());
  if (::getsockopt(block.descriptor, which.level, which.name, into.data(), &size) != 0)
    return fail(system_error(step::get_option));
  return size;
}

}  // namespace soquete::kernel
