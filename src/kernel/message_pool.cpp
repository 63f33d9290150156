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
static_assert(many.count * many.stride <= message_room::memory_size);
static_assert(few.count * few.stride <= message_room::memory_size);
static_assert(many.count == message_room::messages_max);
static_assert(many.size <= message_room::memory_size_of_one && few.size <= message_room::memory_size_of_one);

constexpr std::size_t memory_for(std::size_t messages) noexcept {
  return messages == 1 ? message_room::memory_size_of_one : message_room::memory_size;
}

constexpr std::size_t control_for(std::size_t messages) noexcept {
  return messages == 1 ? std::max(many.control, few.control)
                       : std::max(many.count * many.control, few.count * few.control);
}

}  // namespace

message_room::message_room(std::uint32_t number, std::size_t messages_here)
    : id(number),
      memory(allocate_pages(memory_for(messages_here))),
      messages(messages_here),
      headers(messages_here),
      parts(messages_here),
      names(messages_here),
      control(new std::byte[control_for(messages_here)]) {}

unsigned message_room::prepare(cut how, unsigned count) noexcept {
  const cutting& shape = how == cut::many ? many : few;
  const unsigned most = std::min(shape.count, static_cast<unsigned>(messages.size()));
  if (cut_as != how) {
    cut_as = how;
    for (unsigned i = 0; i < most; ++i) {
      parts[i] = {memory.get() + i * shape.stride, shape.size};
      msghdr& h = headers[i].msg_hdr;
      h.msg_name = &names[i];
      h.msg_iov = &parts[i];
      h.msg_iovlen = 1;
      h.msg_control = control.get() + i * shape.control;
    }
  }
  count = std::min(count, most);
  for (unsigned i = 0; i < count; ++i) {  // What each receive overwrites.
    msghdr& h = headers[i].msg_hdr;
    h.msg_namelen = sizeof names[i];
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

message_room* message_pool::take() {
  if (last_ != nullptr) return std::exchange(last_, nullptr);
  if (!idle_.empty()) {
    message_room& r = *rooms_[idle_.back()];
    idle_.pop_back();
    return &r;
  }
  const std::size_t known = rooms_.size();
  const bool has_room = !bare_.empty() || known < rooms_max;
  std::vector<std::uint32_t>& numbers = has_room ? bare_ : bare_of_one_;
  if (numbers.empty()) {
    rooms_.emplace_back();
    numbers.push_back(static_cast<std::uint32_t>(known));
  }
  return make(numbers, has_room ? message_room::messages_max : 1);
}

message_room* message_pool::make(std::vector<std::uint32_t>& numbers, std::size_t messages) {
  auto made = std::make_unique<message_room>(numbers.back(), messages);
  if (!made->memory) return nullptr;
  memory_ += memory_for(messages);
  auto& place = rooms_[numbers.back()];
  numbers.pop_back();
  place = std::move(made);
  return place.get();
}

void message_pool::lend(message_room& r, op& to, std::uint32_t first) noexcept {
  ++leases_;
  ++r.holders;
  to.data = &r.messages[first];
  to.id = r.id;
  to.home = this;
}

void message_pool::let_go(message_room& r) noexcept {
  assert(r.holders != 0);
  if (--r.holders == 0) give_back(r);
}

void message_pool::give_back(message_room& r) noexcept {
  r.clear();
  const bool is_of_one = r.id >= rooms_max;
  if (!is_of_one && last_ == nullptr) {
    last_ = &r;
    return;
  }
  if (!is_of_one && idle_.size() + 1 < idle_max) return idle_.push_back(r.id);
  memory_ -= memory_for(r.messages.size());
  (is_of_one ? bare_of_one_ : bare_).push_back(r.id);
  rooms_[r.id].reset();
}

void message_pool::come_home(std::uint32_t id) noexcept {
  assert(leases_ != 0);
  --leases_;
  let_go(*rooms_[id]);
}

}  // namespace soquete::kernel
