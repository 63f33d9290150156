// What the kernel knows about a TCP connection.  TCP_INFO, tcp(7).
#pragma once

#include <chrono>
#include <cstdint>

namespace soquete {

/// A snapshot. Fields that this kernel does not tell are zero.
struct tcp_info {
  /// States of RFC 9293, section 3.3.2.
  enum class state : std::uint8_t {
    established = 1,
    syn_sent,
    syn_received,
    fin_wait_1,
    fin_wait_2,
    time_wait,
    closed,
    close_wait,
    last_ack,
    listen,
    closing,
  };

  /// Of the connection.
  state now = state::closed;
  std::chrono::microseconds round_trip{};            ///< Smoothed.
  std::chrono::microseconds round_trip_variation{};  ///< Mean deviation.
  std::chrono::microseconds round_trip_min{};        ///< The shortest seen.
  std::chrono::microseconds retransmit_timeout{};    ///< As it stands.
  std::uint32_t congestion_window = 0;               ///< Segments.
  std::uint32_t slow_start_threshold = 0;            ///< Segments.
  std::uint32_t send_segment_max = 0;                ///< Bytes.
  std::uint32_t receive_segment_max = 0;             ///< Bytes.
  std::uint32_t path_mtu = 0;                        ///< Bytes.
  std::uint32_t retransmitted = 0;                   ///< Segments, over the life of the connection.
  std::uint32_t unacknowledged = 0;                  ///< Segments in flight.
  std::uint32_t not_sent = 0;                        ///< Bytes waiting in the send queue.
  std::uint64_t delivery_rate = 0;                   ///< Bytes per second.
  std::uint64_t bytes_acknowledged = 0;              ///< Over the life of the connection.
  std::uint64_t bytes_received = 0;                  ///< Over the life of the connection.
  std::chrono::microseconds receiver_limited{};      ///< Time the peer's window held us back.
  std::chrono::microseconds sender_limited{};        ///< Time our send buffer held us back.
};

}  // namespace soquete
