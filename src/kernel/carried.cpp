// Reading what a socket has brought along from another loop or process.
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kernel/kernel_driver.hpp"
#include "kernel/messages.hpp"
#include "kernel/sockaddr.hpp"
#include "unread_datagrams.hpp"

namespace soquete::kernel {
namespace {

// A lease of memory of its own.
lease_home& heap() noexcept {
  static lease_home home{[](lease_home*, const std::byte* data, std::uint32_t) noexcept { delete[] data; }};
  return home;
}

std::int64_t take_first(std::vector<std::byte>& from, std::byte* into, std::size_t size) noexcept {
  const std::size_t taken = std::min(size, from.size());
  std::memcpy(into, from.data(), taken);
  from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(taken));
  return static_cast<std::int64_t>(taken);
}

// 1, or -errno.
std::int64_t take_datagram(std::vector<std::byte>& from, message_pool& pool, op& o) {
  bytes rest = from;
  const auto first = next_unread(rest);
  if (!first) {  // Whoever gave it to us made that up.
    from.clear();
    return -EPROTO;
  }
  const std::int64_t lent = lend_message(pool, o, first->payload.data(), first->payload.size(), first->from);
  if (lent < 0) return lent;
  from.erase(from.begin(), from.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return 1;
}

}  // namespace

void kernel_driver::read_carried(socket_block& block, op& o) {
  std::vector<std::byte> unread = block.carried->take_unread();
  std::vector<owned_descriptor> accepted_before = block.carried->take_accepted();
  switch (o.code) {
    case opcode::receive:
      o.outcome = take_first(unread, static_cast<std::byte*>(const_cast<void*>(o.data)), o.size);
      break;
    case opcode::receive_lease: {
      auto* const memory = new std::byte[unread.size()];
      o.outcome = take_first(unread, memory, unread.size());
      o.data = memory;
      o.home = &heap();
      break;
    }
    case opcode::receive_messages:
      if (block.carries == transport::datagram) {
        o.outcome = take_datagram(unread, messages_, o);
        break;
      }
      o.outcome = lend_message(messages_, o, unread.data(), unread.size());
      if (o.outcome > 0) {
        unread.erase(unread.begin(), unread.begin() + o.outcome);
        o.outcome = 1;
      }
      break;
    case opcode::accept: {
      owned_descriptor next = std::move(accepted_before.front());
      accepted_before.erase(accepted_before.begin());
      socket_address peer;
      if (::getpeername(next.descriptor(), peer.get(), &peer.size) != 0) peer.size = 0;
      o.data = &accepted(block, next.release(), peer.to_endpoint());
      o.outcome = 0;
      break;
    }
    case opcode::splice_in: o.outcome = -EBUSY; break;
    default: o.outcome = 0; break;
  }
  block.carried->set_unread(std::move(unread));
  block.carried->set_accepted(std::move(accepted_before));
  if (block.carried->unread().empty() && block.carried->accepted().empty())
    delete std::exchange(block.carried, nullptr);
}

}  // namespace soquete::kernel
