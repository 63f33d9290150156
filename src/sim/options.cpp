// Options of simulated sockets: what has an effect, what has none anywhere, and what is refused.
#include <algorithm>
#include <cerrno>
#include <limits>

#include "sim/driver.hpp"

namespace soquete::sim {
namespace {

enum class treatment : std::uint8_t {
  effective,  // as on a real system
  harmless,   // kept and given back; in a model without segments and queues it changes nothing
  refused,
};

treatment treatment_of(option which, bool is_of_streams) noexcept {
  switch (which) {
    case option::reuse_address:
    case option::reuse_port:
    case option::v6_only:
    case option::receive_buffer:
    case option::send_buffer:
    case option::linger:
    case option::free_bind: return treatment::effective;
    case option::user_timeout:
    case option::keep_alive:
    case option::keep_alive_idle:
    case option::keep_alive_interval:
    case option::keep_alive_count: return is_of_streams ? treatment::effective : treatment::refused;
    case option::traffic_class:
    case option::hop_limit:
    case option::priority: return treatment::effective;
    case option::no_delay:
    case option::not_sent_low_water: return is_of_streams ? treatment::harmless : treatment::refused;
    case option::tell_destination:
    case option::tell_traffic_class:
    case option::tell_hops:
    case option::tell_time:
    case option::tell_drops:
    case option::path_mtu_discovery: return is_of_streams ? treatment::refused : treatment::effective;
    case option::receive_segments: return is_of_streams ? treatment::refused : treatment::harmless;
    case option::broadcast: return is_of_streams ? treatment::harmless : treatment::effective;
    case option::multicast_hops:
    case option::multicast_loop:
    case option::multicast_interface:
    case option::multicast_all: return is_of_streams ? treatment::refused : treatment::effective;
    case option::mark:
    case option::max_segment:
    case option::defer_accept:
    case option::fast_open:
    case option::fast_open_connect:
    case option::pending_error:
    case option::path_mtu:
    case option::tell_sender:
    case option::incoming_cpu: return treatment::refused;
  }
  return treatment::refused;
}

// Most options are of TCP, UDP or IP: the kernel refuses them, and so do we.
treatment treatment_of_local(option which) noexcept {
  switch (which) {
    case option::send_buffer:
    case option::tell_sender: return treatment::effective;
    case option::receive_buffer:  // The sender's room is what counts.
    case option::reuse_address:
    case option::linger:
    case option::keep_alive:
    case option::broadcast:
    case option::priority: return treatment::harmless;
    default: return treatment::refused;
  }
}

std::int64_t usual_value(option which) noexcept {
  switch (which) {
    case option::receive_buffer: return 131'072;
    case option::send_buffer: return 262'144;
    case option::hop_limit: return 64;
    default: return 0;
  }
}

struct range {
  std::int64_t least;
  std::int64_t most;
};

range range_of(option which) noexcept {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  switch (which) {
    case option::linger: return {-1, most};
    case option::hop_limit: return {1, 255};
    case option::multicast_hops:
    case option::traffic_class: return {0, 255};
    case option::multicast_loop:
    case option::multicast_all: return {0, 1};
    case option::keep_alive_idle:
    case option::keep_alive_interval: return {1, 32'767};  // MAX_TCP_KEEPIDLE
    case option::keep_alive_count: return {1, 127};        // MAX_TCP_KEEPCNT
    default: return {0, most};
  }
}

treatment treatment_of(option which, const block& b) noexcept {
  return b.local ? treatment_of_local(which) : treatment_of(which, b.is_of_streams());
}
error of_errno(int cause, step during) { return {std::error_code(cause, std::generic_category()), during}; }

error refusal(step during) {
  error why(soquete::fault::unsupported, during);
  why.set_detail("not simulated");
  return why;
}

}  // namespace

result<std::int64_t> host_driver::path_mtu(const block& b) const {
  constexpr std::int64_t inside = 65'536;
  constexpr std::int64_t usual = 1500;
  constexpr std::int64_t headers = 28;
  const endpoint peer = b.wire ? b.wire->name(1 - b.side) : b.peer;
  if (peer.is_empty()) return fail(std::errc::not_connected, step::get_option);
  machine* const there = at_.has(peer.addr()) ? &at_ : net_.find(peer.addr());
  if (there == &at_) return inside;
  const std::size_t longest = there == nullptr ? 0 : net_.between(at_, *there).how().datagram_max;
  return longest == 0 ? usual : static_cast<std::int64_t>(longest) + headers;
}

result<void> host_driver::set(socket_block& socket, option which, std::int64_t value) {
  auto& b = data_of(socket);
  if (!is_socket(b.kind)) return fail(std::errc::not_a_socket, step::set_option);
  if (treatment_of(which, b) == treatment::refused) return fail(refusal(step::set_option));
  if (const int cause = meddled(request::set_option); cause != 0)
    return fail(of_errno(cause, step::set_option));
  const range possible = range_of(which);
  if (value < possible.least || value > possible.most)
    return fail(std::errc::invalid_argument, step::set_option);
  if (which == option::multicast_interface && value > network_interface)
    return fail(b.domain == family::v6 ? std::errc::no_such_device : std::errc::address_not_available,
                step::set_option);
  if (which == option::v6_only && (b.domain != family::v6 || !b.bound.is_empty()))
    return fail(b.domain == family::v6 ? std::errc::invalid_argument : std::errc::no_protocol_option,
                step::set_option);
  if (b.local && which == option::send_buffer) value = std::min(value, local_end::asked_max);
  b.value(which) = value;
  if (b.local) {
    b.local->tells_sender = b.value(option::tell_sender) != 0;
    if (const std::int64_t asked = b.value(option::send_buffer); asked != 0)
      b.local->room = static_cast<std::size_t>(std::max(asked * 2, local_end::room_min));
  }
  if (which == option::keep_alive && b.wire) b.wire->suspect(b.side);
  return {};
}

result<std::int64_t> host_driver::get(const socket_block& socket, option which) const {
  const auto& b = data_of(socket);
  if (!is_socket(b.kind)) return fail(std::errc::not_a_socket, step::get_option);
  if (which == option::pending_error) {
    auto& mine = const_cast<block&>(b);  // Reading forgets it, as SO_ERROR does.
    if (b.local) return b.local->take_error();
    if (b.wire) return b.wire->take_error(b.side);
    return std::exchange(mine.pending_error, 0);
  }
  if (const int cause = meddled(request::get_option); cause != 0)
    return fail(of_errno(cause, step::get_option));
  if (which == option::path_mtu) return path_mtu(b);
  if (treatment_of(which, b) == treatment::refused) return fail(refusal(step::get_option));
  const std::int64_t set = b.value(which);
  const bool is_buffer = which == option::receive_buffer || which == option::send_buffer;
  if (set == 0 && b.local && is_buffer) return static_cast<std::int64_t>(local_end::usual_room);
  if (set == 0) return usual_value(which);
  if (which == option::multicast_all) return set == block::unset ? 1 : set;
  // The kernel doubles what it is given, for its own needs.  socket(7)
  return is_buffer ? set * 2 : set;
}

result<void> host_driver::set(socket_block&, text_option, std::string_view) {
  return fail(refusal(step::set_option));
}

result<std::string> host_driver::get(const socket_block&, text_option) const {
  return fail(refusal(step::get_option));
}

result<void> host_driver::set_raw(socket_block&, option_number, bytes) {
  return fail(refusal(step::set_option));
}

result<std::size_t> host_driver::get_raw(const socket_block&, option_number, mutable_bytes) const {
  return fail(refusal(step::get_option));
}

}  // namespace soquete::sim
