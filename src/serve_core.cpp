// A server of connections: which errors of accept(2) are whose.
#include "serve_core.hpp"

namespace soquete::detail {

// Errors of one connection, which accept(2) tells on the listener.
bool is_of_one_connection(const error& why) {
  constexpr std::array passing{
      std::errc::connection_aborted,      std::errc::protocol_error,         std::errc::network_down,
      std::errc::host_unreachable,        std::errc::network_unreachable,    std::errc::no_protocol_option,
      std::errc::operation_not_permitted, std::errc::operation_not_supported};
  return std::any_of(passing.begin(), passing.end(), [&](std::errc one) { return why == one; });
}

bool is_of_resources(const error& why) {
  return why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system ||
         why == std::errc::no_buffer_space || why == std::errc::not_enough_memory;
}

}  // namespace soquete::detail
