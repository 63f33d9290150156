// Options and counters as Linux numbers them.  socket(7), tcp(7), ip(7), ipv6(7)
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "kernel/ancillary.hpp"
#include "kernel/kernel_driver.hpp"
#include "kernel/option_names.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {
namespace {

// Newer than some headers.
constexpr int multicast_all_v6 = 29;  // IPV6_MULTICAST_ALL

// Options of both families: IPv6's for a socket of IPv6, which may carry IPv4 as well.
option_name ip_name(int descriptor, int v4, int v6) noexcept {
  return domain_of(descriptor) == AF_INET6 ? option_name{IPPROTO_IPV6, v6, {}}
                                           : option_name{IPPROTO_IP, v4, {}};
}

}  // namespace

int v4_twin(option which) noexcept {
  switch (which) {
    case option::traffic_class: return IP_TOS;
    case option::hop_limit: return IP_TTL;
    case option::path_mtu_discovery: return IP_MTU_DISCOVER;
    case option::tell_destination: return IP_PKTINFO;
    case option::tell_traffic_class: return IP_RECVTOS;
    case option::tell_hops: return IP_RECVTTL;
    case option::multicast_hops: return IP_MULTICAST_TTL;
    case option::multicast_loop: return IP_MULTICAST_LOOP;
    case option::multicast_all: return IP_MULTICAST_ALL;
    default: return 0;
  }
}

option_name name_of(option which, int descriptor) noexcept {
  switch (which) {
    case option::reuse_address: return {SOL_SOCKET, SO_REUSEADDR, {}};
    case option::reuse_port: return {SOL_SOCKET, SO_REUSEPORT, {}};
    case option::v6_only: return {IPPROTO_IPV6, IPV6_V6ONLY};
    case option::receive_buffer: return {SOL_SOCKET, SO_RCVBUF, {}};
    case option::send_buffer: return {SOL_SOCKET, SO_SNDBUF, {}};
    case option::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE, {}};
    case option::linger: return {SOL_SOCKET, SO_LINGER, {}};
    case option::mark: return {SOL_SOCKET, SO_MARK, {}};
    case option::priority: return {SOL_SOCKET, SO_PRIORITY, {}};
    case option::traffic_class: return ip_name(descriptor, IP_TOS, IPV6_TCLASS);
    case option::no_delay: return {IPPROTO_TCP, TCP_NODELAY, {}};
    case option::keep_alive_idle: return {IPPROTO_TCP, TCP_KEEPIDLE, {}};
    case option::keep_alive_interval: return {IPPROTO_TCP, TCP_KEEPINTVL, {}};
    case option::keep_alive_count: return {IPPROTO_TCP, TCP_KEEPCNT, {}};
    case option::user_timeout: return {IPPROTO_TCP, TCP_USER_TIMEOUT, {}};
    case option::not_sent_low_water: return {IPPROTO_TCP, TCP_NOTSENT_LOWAT, {}};
    case option::max_segment: return {IPPROTO_TCP, TCP_MAXSEG, {}};
    case option::defer_accept: return {IPPROTO_TCP, TCP_DEFER_ACCEPT, {}};
    case option::fast_open: return {IPPROTO_TCP, TCP_FASTOPEN, {}};
    case option::fast_open_connect: return {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, {}};
    case option::pending_error: return {SOL_SOCKET, SO_ERROR, {}};
    case option::broadcast: return {SOL_SOCKET, SO_BROADCAST, {}};
    case option::free_bind: return {IPPROTO_IP, IP_FREEBIND, {}};
    case option::hop_limit: return ip_name(descriptor, IP_TTL, IPV6_UNICAST_HOPS);
    case option::multicast_hops: return ip_name(descriptor, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
    case option::multicast_loop: return ip_name(descriptor, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP);
    case option::multicast_interface: return ip_name(descriptor, IP_MULTICAST_IF, IPV6_MULTICAST_IF);
    case option::multicast_all: return ip_name(descriptor, IP_MULTICAST_ALL, multicast_all_v6);
    case option::path_mtu_discovery: return ip_name(descriptor, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER);
    case option::path_mtu: return ip_name(descriptor, IP_MTU, IPV6_MTU);
    case option::tell_destination: return ip_name(descriptor, IP_PKTINFO, IPV6_RECVPKTINFO);
    case option::tell_traffic_class: return ip_name(descriptor, IP_RECVTOS, IPV6_RECVTCLASS);
    case option::tell_hops: return ip_name(descriptor, IP_RECVTTL, IPV6_RECVHOPLIMIT);
    case option::tell_time: return {SOL_SOCKET, SO_TIMESTAMPNS, {}};
    case option::tell_drops: return {SOL_SOCKET, SO_RXQ_OVFL, {}};
    case option::tell_sender: return {SOL_SOCKET, SO_PASSCRED, {}};
    case option::receive_segments: return {IPPROTO_UDP, udp_receive_segments, {}};
    case option::incoming_cpu: return {SOL_SOCKET, SO_INCOMING_CPU, {}};
  }
  return {};
}

option_name name_of(text_option which) noexcept {
  return which == text_option::bound_device ? option_name{SOL_SOCKET, SO_BINDTODEVICE, {}}
                                            : option_name{IPPROTO_TCP, TCP_CONGESTION, {}};
}

result<soquete::tcp_info> kernel_driver::info(const socket_block& block) const {
  ::tcp_info raw{};  // The kernel fills what it knows; the rest stays zero.
  socklen_t size = sizeof raw;
  if (::getsockopt(block.descriptor, IPPROTO_TCP, TCP_INFO, &raw, &size) != 0)
    return fail(system_error(step::get_option));
  using std::chrono::microseconds;
  soquete::tcp_info told;
  told.now = static_cast<soquete::tcp_info::state>(raw.tcpi_state);
  told.round_trip = microseconds(raw.tcpi_rtt);
  told.round_trip_variation = microseconds(raw.tcpi_rttvar);
  told.round_trip_min = microseconds(raw.tcpi_min_rtt);
  told.retransmit_timeout = microseconds(raw.tcpi_rto);
  told.congestion_window = raw.tcpi_snd_cwnd;
  told.slow_start_threshold = raw.tcpi_snd_ssthresh;
  told.send_segment_max = raw.tcpi_snd_mss;
  told.receive_segment_max = raw.tcpi_rcv_mss;
  told.path_mtu = raw.tcpi_pmtu;
  told.retransmitted = raw.tcpi_total_retrans;
  told.unacknowledged = raw.tcpi_unacked;
  told.not_sent = raw.tcpi_notsent_bytes;
  told.delivery_rate = raw.tcpi_delivery_rate;
  told.bytes_acknowledged = raw.tcpi_bytes_acked;
  told.bytes_received = raw.tcpi_bytes_received;
  told.receiver_limited = microseconds(static_cast<std::int64_t>(raw.tcpi_rwnd_limited));
  told.sender_limited = microseconds(static_cast<std::int64_t>(raw.tcpi_sndbuf_limited));
  return told;
}

}  // namespace soquete::kernel
