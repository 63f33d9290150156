// Options and counters as macOS numbers them.  getsockopt(2), tcp(4), ip(4), ip6(4)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>

#include "kernel/kernel_driver.hpp"
#include "kernel/option_names.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {
namespace {

option_name absent(std::string_view name) noexcept { return {-1, -1, name}; }

option_name ip_name(int descriptor, int v4, int v6) noexcept {
  return domain_of(descriptor) == AF_INET6 ? option_name{IPPROTO_IPV6, v6, {}}
                                           : option_name{IPPROTO_IP, v4, {}};
}

// States in the order of BSD's <netinet/tcp_fsm.h>.
soquete::tcp_info::state state_of(unsigned number) noexcept {
  using enum soquete::tcp_info::state;
  constexpr std::array in_order{closed,     listen,  syn_sent, syn_received, established, close_wait,
                                fin_wait_1, closing, last_ack, fin_wait_2,   time_wait};
  return number < in_order.size() ? in_order[number] : closed;
}

}  // namespace

option_name name_of(option which, int descriptor) noexcept {
  switch (which) {
    case option::reuse_address: return {SOL_SOCKET, SO_REUSEADDR, {}};
    case option::reuse_port: return {SOL_SOCKET, SO_REUSEPORT, {}};
    case option::v6_only: return {IPPROTO_IPV6, IPV6_V6ONLY, {}};
    case option::receive_buffer: return {SOL_SOCKET, SO_RCVBUF, {}};
    case option::send_buffer: return {SOL_SOCKET, SO_SNDBUF, {}};
    case option::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE, {}};
    case option::linger: return {SOL_SOCKET, SO_LINGER_SEC, {}};  // SO_LINGER counts ticks here.
    case option::mark: return absent("SO_MARK");
    case option::priority: return absent("SO_PRIORITY");
    case option::traffic_class: return ip_name(descriptor, IP_TOS, IPV6_TCLASS);
    case option::no_delay: return {IPPROTO_TCP, TCP_NODELAY, {}};
    case option::keep_alive_idle: return {IPPROTO_TCP, TCP_KEEPALIVE, {}};
    case option::keep_alive_interval: return {IPPROTO_TCP, TCP_KEEPINTVL, {}};
    case option::keep_alive_count: return {IPPROTO_TCP, TCP_KEEPCNT, {}};
    case option::user_timeout: return absent("TCP_USER_TIMEOUT");
    case option::not_sent_low_water: return {IPPROTO_TCP, TCP_NOTSENT_LOWAT, {}};
    case option::max_segment: return {IPPROTO_TCP, TCP_MAXSEG, {}};
    case option::defer_accept: return absent("TCP_DEFER_ACCEPT");
    case option::fast_open: return {IPPROTO_TCP, TCP_FASTOPEN, {}};
    case option::fast_open_connect: return absent("TCP_FASTOPEN_CONNECT");
    case option::pending_error: return {SOL_SOCKET, SO_ERROR, {}};
    case option::broadcast: return {SOL_SOCKET, SO_BROADCAST, {}};
    case option::free_bind: return absent("IP_FREEBIND");
    case option::hop_limit: return ip_name(descriptor, IP_TTL, IPV6_UNICAST_HOPS);
    case option::multicast_hops: return ip_name(descriptor, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
    case option::multicast_loop: return ip_name(descriptor, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP);
    case option::multicast_interface: return ip_name(descriptor, IP_MULTICAST_IF, IPV6_MULTICAST_IF);
    case option::multicast_all: return absent("IP_MULTICAST_ALL");
    case option::path_mtu_discovery: return absent("IP_MTU_DISCOVER");
    case option::path_mtu: return absent("IP_MTU");
    case option::tell_destination: return ip_name(descriptor, IP_RECVPKTINFO, IPV6_RECVPKTINFO);
    case option::tell_traffic_class: return ip_name(descriptor, IP_RECVTOS, IPV6_RECVTCLASS);
    case option::tell_hops: return ip_name(descriptor, IP_RECVTTL, IPV6_RECVHOPLIMIT);
    case option::tell_time: return {SOL_SOCKET, SO_TIMESTAMP, {}};
    case option::tell_drops: return absent("SO_RXQ_OVFL");
    case option::tell_sender: return absent("SO_PASSCRED");
    case option::receive_segments: return absent("UDP_GRO");
    case option::incoming_cpu: return absent("SO_INCOMING_CPU");
  }
  return {};
}

option_name name_of(text_option which) noexcept {
  return absent(which == text_option::bound_device ? "SO_BINDTODEVICE" : "TCP_CONGESTION");
}

int v4_twin(option) noexcept { return 0; }  // A socket of IPv6 takes no options of IPv4 here.

result<soquete::tcp_info> kernel_driver::info(const socket_block& block) const {
  tcp_connection_info raw{};
  socklen_t size = sizeof raw;
  if (::getsockopt(block.descriptor, IPPROTO_TCP, TCP_CONNECTION_INFO, &raw, &size) != 0)
    return fail(system_error(step::get_option));
  using std::chrono::milliseconds;
  const auto in_segments = [&](std::uint32_t octets) {
    return octets / std::max<std::uint32_t>(raw.tcpi_maxseg, 1);
  };
  soquete::tcp_info told;
  told.now = state_of(raw.tcpi_state);
  told.round_trip = milliseconds(raw.tcpi_srtt);
  told.round_trip_variation = milliseconds(raw.tcpi_rttvar);
  told.retransmit_timeout = milliseconds(raw.tcpi_rto);
  told.congestion_window = in_segments(raw.tcpi_snd_cwnd);
  told.slow_start_threshold = in_segments(raw.tcpi_snd_ssthresh);
  told.send_segment_max = raw.tcpi_maxseg;
  told.retransmitted = static_cast<std::uint32_t>(raw.tcpi_txretransmitpackets);
  told.bytes_received = raw.tcpi_rxbytes;
  return told;
}

}  // namespace soquete::kernel
