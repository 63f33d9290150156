// Room for received messages: whole batches, lent and returned.
#pragma once

#include <sys/socket.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <soquete/lease.hpp>
#include <soquete/message.hpp>
#include <soquete/op.hpp>
#include <vector>

#include "kernel/page_memory.hpp"
#include "kernel/system.hpp"

namespace soquete::kernel {

/// Room for the messages of one receive. What is not written to costs address space only.
struct message_room {
  /// How it is cut: many datagrams of the Internet's sizes, or few local messages, which can be larger and
  /// bring descriptors.
  enum class cut : std::uint8_t { many, few };

  static constexpr std::size_t memory_size = 2 * 1024 * 1024 + 64 * 1024;
  static constexpr std::size_t messages_max = 32;
  static constexpr std::size_t memory_size_of_one = 256 * 1024;
  static constexpr std::uint32_t bare_size = 64 * 1024;  ///< Room for one that comes by recvfrom(2).

  /// For messages_max, or for one.
  message_room(std::uint32_t number, std::size_t messages);
  message_room(const message_room&) = delete;
  message_room& operator=(const message_room&) = delete;

  /// Points the headers to memory of that cut, for `count` messages at most; tells for how many.
  unsigned prepare(cut how, unsigned count) noexcept;
  /// Closes the descriptors that nobody took.
  void clear() noexcept;

  std::uint32_t id;
  std::uint32_t holders = 0;    ///< Leases, and one for a socket whose datagrams wait here.
  std::uint32_t filled = 0;     ///< Messages that hold something.
  std::uint32_t next = 0;       ///< Of those that wait, the first that has not been lent.
  std::optional<cut> cut_as{};  ///< As prepare() has last cut it.
  page_memory memory;
  std::vector<received_message> messages;
  std::vector<mmsghdr> headers;
  std::vector<iovec> parts;
  std::vector<sockaddr_storage> names;
  std::unique_ptr<std::byte[]> control;
};

class message_pool : public lease_home {
 public:
  /// Batches held at once, by one loop. While all are, each receive gets one message, in room of its own.
  static constexpr std::size_t rooms_max = 64;
  static constexpr std::size_t idle_max = 2;  ///< Idle rooms beyond these go back to the heap.

  message_pool() noexcept;
  message_pool(const message_pool&) = delete;
  message_pool& operator=(const message_pool&) = delete;

  /// Room for one receive; followed by lend(), keep() or give_back(). Null when memory is out.
  message_room* take();
  /// Messages from `first` on are leased through `to`; the room is held until the lease is home.
  void lend(message_room& r, op& to, std::uint32_t first = 0) noexcept;
  /// The room is held without a lease, until let_go().
  void keep(message_room& r) noexcept { ++r.holders; }
  /// One holder fewer; after the last it is given back.
  void let_go(message_room& r) noexcept;
  /// Nobody holds it.
  void give_back(message_room& r) noexcept;

  std::size_t leases() const noexcept { return leases_; }
  std::size_t memory() const noexcept { return memory_; }

 private:
  message_room* make(std::vector<std::uint32_t>& numbers, std::size_t messages);
  void come_home(std::uint32_t id) noexcept;

  std::vector<std::unique_ptr<message_room>> rooms_;  ///< From number rooms_max on, of one message.
  message_room* last_ = nullptr;                      ///< The room that came home last, idle as well.
  std::vector<std::uint32_t> idle_;                   ///< Last used last.
  std::vector<std::uint32_t> bare_;                   ///< Numbers without a room.
  std::vector<std::uint32_t> bare_of_one_;            ///< The same beyond rooms_max.
  std::size_t memory_ = 0;
  std::size_t leases_ = 0;
};

}  // namespace soquete::kernel
