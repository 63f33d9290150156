// Datagrams that came with one that was asked for.
#include "kernel/datagrams_ahead.hpp"

#include <algorithm>

#include "kernel/system.hpp"
#include "unread_datagrams.hpp"

namespace soquete::kernel {

bool should_take_ahead(const watched_block& b) noexcept {
  return batch_is_one_call && b.in_a_row == watched_block::in_a_row_max;
}

std::int64_t lend_ahead(watched_block& b, message_pool& pool, op& o) noexcept {
  message_room& room = *b.ahead;
  const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(o.size, room.filled - room.next));
  pool.lend(room, o, room.next);
  room.next += count;
  if (room.next == room.filled) drop_ahead(b, pool);
  return count;
}

void keep_ahead(watched_block& b, message_pool& pool, message_room& filled) noexcept {
  filled.next = 0;
  pool.keep(filled);
  b.ahead = &filled;
}

void drop_ahead(watched_block& b, message_pool& pool) noexcept {
  if (b.ahead != nullptr) pool.let_go(*std::exchange(b.ahead, nullptr));
}

void carry_ahead(watched_block& b, message_pool& pool, std::vector<std::byte>& unread) {
  if (b.ahead == nullptr) return;
  const std::span<const received_message> all(b.ahead->messages);
  for (const received_message& m : all.first(b.ahead->filled).subspan(b.ahead->next)) {
    // A run that came as one comes apart.
    bytes rest(m.data, m.size);
    do {
      const std::size_t size = m.segment == 0 ? rest.size() : std::min<std::size_t>(rest.size(), m.segment);
      put_unread(unread, m.from, rest.first(size));
      rest = rest.subspan(size);
    } while (!rest.empty());
  }
  drop_ahead(b, pool);
}

}  // namespace soquete::kernel
