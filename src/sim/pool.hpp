// Memory lent to receives. Each lease is a piece of the heap of its very size, so that a sanitizer sees every
// byte that is touched too late.
#pragma once

#include <memory>
#include <soquete/lease.hpp>
#include <soquete/op.hpp>
#include <vector>

#include "sim/block.hpp"

namespace soquete::sim {

/// Bytes of streams.
class byte_pool : public lease_home {
 public:
  byte_pool() noexcept;
  byte_pool(const byte_pool&) = delete;
  byte_pool& operator=(const byte_pool&) = delete;

  void lend(bytes filled, op& to);
  std::size_t leases() const noexcept { return leases_; }
  std::size_t memory() const noexcept { return memory_; }

 private:
  std::size_t leases_ = 0;
  std::size_t memory_ = 0;
};

/// Batches of datagrams.
class message_pool : public lease_home {
 public:
  static constexpr std::size_t batches_max = 64;   ///< While these are lent, others hold one message.
  static constexpr std::size_t messages_max = 32;  ///< Of one batch.

  message_pool() noexcept;
  message_pool(const message_pool&) = delete;
  message_pool& operator=(const message_pool&) = delete;

  /// What a message tells, and its bytes.
  struct held_message {
    received_message told;
    std::vector<std::byte> held;
  };

  bool has_room() const noexcept { return whole_ < batches_max; }
  /// Takes up to `count` datagrams from the socket, which has some, and one while there is no room; how many.
  std::int64_t lend(block& from, std::size_t count, moment skew, op& to);
  /// Messages that have been taken, at least one; how many.
  std::int64_t lend(std::vector<held_message> all, op& to);
  std::size_t leases() const noexcept { return leases_; }
  std::size_t memory() const noexcept { return memory_; }

 private:
  struct batch {
    std::vector<received_message> messages;
    std::vector<std::vector<std::byte>> held;
    std::size_t size = 0;
    bool is_whole = false;  ///< It had room for more than one.
  };
  std::vector<std::unique_ptr<batch>> batches_;  ///< Null: free.
  std::size_t leases_ = 0;
  std::size_t whole_ = 0;
  std::size_t memory_ = 0;
};

}  // namespace soquete::sim
