// Room for received messages.
#include "kernel/message_pool.hpp"

#include <algorithm>
#include <cassert>
#include <soquete/op.hpp>

#include "kernel/ancillary.hpp"

namespace soquete::kernel {
namespace {

struct cutting {
  unsigned count;
  std::size_t size;    // Of one message.
  std::size_t stride;  // From one to the next.
  std::size_t control;
};

// A few cache lines apart modulo a page: with equal offsets all would share the same few lines of the cache.
constexpr cutting many{32, 64 * 1024, 64 * 1024 + 5 * 64, ip_control_size};
constexpr cutting few{8, 256 * 1024, 256 * 1024 + 5 * 64, local_control_size};
constexpr std::size_t control_memory = std::max(many.count * many.control, few.count* few.control);
static_assert(many.count * many.stride <= message_room::memory_size);
static_assert(few.count * few.stride <= message_room::memory_size);
static_assert(many.count == message_room::messages_max);

}  // namespace

message_room::message_room(std::uint32_t number)
    : id(number),
      memory(allocate_pages(memory_size)),
      messages(messages_max),
      headers(messages_max),
      parts(messages_max),
      names(messages_max),
      control(new std::byte[control_memory]) {}

unsigned message_room::prepare(cut how, unsigned count) noexcept {
  const cutting& shape = how == cut::many ? many : few;
  count = std::min(count, shape.count);
  for (unsigned i = 0; i < count; ++i) {
    parts[i] = {memory.get() + i * shape.stride, shape.size};
    msghdr& h = headers[i].msg_hdr;
    h.msg_name = &names[i];
    h.msg_namelen = sizeof names[i];
    h.msg_iov = &parts[i];
    h.msg_iovlen = 1;
    h.msg_control = control.get() + i * shape.control;
    h.msg_controllen = static_cast<decltype(h.msg_controllen)>(shape.control);
    h.msg_flags = 0;
  }
  return count;
}

void message_room::clear() noexcept {
  for (std::uint32_t i = 0; i < filled; ++i) messages[i].handles.clear();
  filled = 0;
}

message_pool::message_pool() noexcept {
  recycle = [](lease_home* home, const std::byte*, std::uint32_t id) noexcept {
    static_cast<message_pool*>(home)->come_home(id);
  };
}

std::size_t message_pool::memory() const noexcept {
  return (rooms_.size() - bare_.size()) * message_room::memory_size;
}

message_room* message_pool::take() {
  if (idle_.empty()) {
    if (bare_.empty()) {
      if (rooms_.size() == rooms_max) return nullptr;
      rooms_.emplace_back();
      bare_.push_back(static_cast<std::uint32_t>(rooms_.size() - 1));
    }
    const std::uint32_t id = bare_.back();
    auto made = std::make_unique<message_room>(id);
    if (!made->memory) return nullptr;
    rooms_[id] = std::move(made);
    bare_.pop_back();
    idle_.push_back(id);
  }
  message_room& r = *rooms_[idle_.back()];
  idle_.pop_back();
  return &r;
}

void message_pool::lend(message_room& r, unsigned count, op& to) noexcept {
  ++leases_;
  r.filled = count;
  to.data = r.messages.data();
  to.id = r.id;
  to.home = this;
}

void message_pool::give_back(message_room& r) noexcept {
  r.clear();
  if (idle_.size() < idle_max) return idle_.push_back(r.id);
  bare_.push_back(r.id);
  rooms_[r.id].reset();
}

void message_pool::come_home(std::uint32_t id) noexcept {
  assert(leases_ != 0);
  --leases_;
  give_back(*rooms_[id]);
}

}  // namespace soquete::kernel
