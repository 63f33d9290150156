// Which errors of its sockets a server goes on after.  accept(2), recv(2), udp(7)
#include "serve_errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace soquete::detail {
namespace {

bool is_one_of(const error& why, std::span<const std::errc> all) {
  return std::any_of(all.begin(), all.end(), [&](std::errc one) { return why == one; });
}

// Two causes of Linux have no std::errc.
bool is_host_down(const error& why) {
  const auto is = [&](int number) { return why.code() == std::error_code(number, std::generic_category()); };
#ifdef ENONET
  if (is(ENONET)) return true;
#endif
  return is(EHOSTDOWN);
}

}  // namespace

bool is_of_one_connection(const error& why) {
  constexpr std::array passing{
      std::errc::connection_aborted,      std::errc::protocol_error,         std::errc::network_down,
      std::errc::host_unreachable,        std::errc::network_unreachable,    std::errc::no_protocol_option,
      std::errc::operation_not_permitted, std::errc::operation_not_supported};
  return is_one_of(why, passing) || is_host_down(why);
}

bool is_of_one_datagram(const error& why) {
  constexpr std::array passing{std::errc::connection_refused, std::errc::connection_reset,
                               std::errc::host_unreachable,   std::errc::network_unreachable,
                               std::errc::network_down,       std::errc::protocol_error,
                               std::errc::no_protocol_option, std::errc::message_size};
  return is_one_of(why, passing) || is_host_down(why);
}

bool is_of_resources(const error& why) {
  constexpr std::array passing{std::errc::too_many_files_open, std::errc::too_many_files_open_in_system,
                               std::errc::no_buffer_space, std::errc::not_enough_memory};
  return is_one_of(why, passing);
}

}  // namespace soquete::detail
