// Reads by a call, tried when there may be something.
#include <cerrno>

#include "kernel/kernel_driver.hpp"
#include "kernel/messages.hpp"
#include "kernel/transfer.hpp"

namespace soquete::kernel {
namespace {

// What resumes after a read has been cold since it began to wait. It comes into the cache while the kernel
// works.
void warm_up(const socket_block& b) noexcept {
  constexpr std::uintptr_t line = 64;
  const auto frame = reinterpret_cast<std::uintptr_t>(b.reader.then);
  const auto writer = reinterpret_cast<std::uintptr_t>(&b.writer);
  __builtin_prefetch(b.reader.cancel);
  for (const std::uintptr_t at : {frame, frame - line, writer, writer + line})
    __builtin_prefetch(reinterpret_cast<const void*>(at));
}

}  // namespace

std::int64_t kernel_driver::lease_now(socket_block& block, op& o, bool& drained) {
  const chunk_pool::room room = chunks_.take();
  const std::int64_t got = receive_now(block, room.data, room.size, drained);
  if (got <= 0) {
    chunks_.give_back(room);
    return got;
  }
  chunks_.lend(room, static_cast<std::uint32_t>(got));
  o.data = room.data;
  o.id = room.id;
  o.home = &chunks_;
  return got;
}

std::int64_t kernel_driver::accept_one(socket_block& block, op& o) {
  endpoint peer;
  const int descriptor = accept_now(block, peer);
  if (descriptor < 0) return descriptor;
  o.data = &accepted(block, descriptor, peer);
  return 0;
}

std::int64_t kernel_driver::read_now(watched_block& block, op& o, bool& drained) {
  switch (o.code) {
    case opcode::receive: return receive_now(block, const_cast<void*>(o.data), o.size, drained);
    case opcode::receive_lease: return lease_now(block, o, drained);
    case opcode::receive_messages: return receive_messages_now(block, messages_, o, drained);
    case opcode::accept: return accept_one(block, o);
    case opcode::readable: return block.ahead != nullptr ? 0 : readable_now(block);
    case opcode::signal: return signal_now(block);
    case opcode::splice_in: return splice_in_now(block, *static_cast<const int*>(o.data), o.size);
    default: return -EINVAL;
  }
}

bool kernel_driver::try_reading(watched_block& b) {
  op& o = b.reader;
  bool drained = false;
  warm_up(b);
  const std::int64_t got = read_now(b, o, drained);
  if (got == -EAGAIN || (drained && b.short_is_all && !b.hung_up)) b.readable = b.always_ready;
  if (got == -EAGAIN) return false;
  b.reader_parked = false;
  o.outcome = got;
  return true;
}

void kernel_driver::poke(watched_block& b) noexcept {
  if (b.poke_queued) return;
  b.poke_queued = true;
  queue().push(b);
}

void kernel_driver::take_news(watched_block& b, bool hung_up) noexcept {
  b.readable = true;
  // Of datagrams of the Internet it means an error, which passes once it has been told.
  const bool is_udp = b.kind == descriptor_kind::datagram && b.domain != family::local;
  if (hung_up && !is_udp) b.hung_up = true;
  if (b.reader_parked) poke(b);
}

}  // namespace soquete::kernel
