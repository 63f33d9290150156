// Memory lent to receives.
#include "sim/pool.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace soquete::sim {
namespace {

// Midnight of the first day of 2000, UTC, where clocks that are right begin.
constexpr std::chrono::seconds beginning(946'684'800);

received_message told(const block& on, const arrived_datagram& from, moment skew) {
  received_message m;
  m.from = on.shown(from.from);
  m.length = static_cast<std::uint32_t>(from.payload.size());
  if (on.value(option::tell_destination) != 0) {
    const bool is_mapped = on.shows_mapped() && from.to.is_v4();
    m.to = is_mapped ? from.to.mapped() : from.to;
    m.answer_from = is_mapped ? from.answer_from.mapped() : from.answer_from;
    m.interface = from.interface;
  }
  if (on.value(option::tell_hops) != 0) m.hops = from.hops;
  if (on.value(option::tell_traffic_class) != 0) m.traffic_class = from.traffic_class;
  if (on.value(option::tell_drops) != 0) m.drops = from.drops;
  if (on.value(option::tell_time) != 0)
    m.when = std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(beginning + skew + from.when));
  return m;
}

}  // namespace

byte_pool::byte_pool() noexcept {
  recycle = [](lease_home* home, const std::byte* data, std::uint32_t size) noexcept {
    auto& self = *static_cast<byte_pool*>(home);
    assert(self.leases_ != 0);
    --self.leases_;
    self.memory_ -= size;
    delete[] data;
  };
}

void byte_pool::lend(bytes filled, op& to) {
  auto* const room = new std::byte[filled.size()];
  std::memcpy(room, filled.data(), filled.size());
  ++leases_;
  memory_ += filled.size();
  to.data = room;
  to.id = static_cast<std::uint32_t>(filled.size());
  to.home = this;
}

message_pool::message_pool() noexcept {
  recycle = [](lease_home* home, const std::byte*, std::uint32_t id) noexcept {
    auto& self = *static_cast<message_pool*>(home);
    assert(self.leases_ != 0);
    --self.leases_;
    self.memory_ -= self.batches_[id]->size;
    self.whole_ -= self.batches_[id]->is_whole ? 1U : 0U;
    self.batches_[id].reset();
  };
}

std::int64_t message_pool::lend(block& from, std::size_t count, moment skew, op& to) {
  count = std::min({count, has_room() ? messages_max : 1, from.arrived.size()});
  std::vector<held_message> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    arrived_datagram one = from.arrived.pop();
    from.arrived_bytes -= one.payload.size();
    all.push_back({told(from, one, skew), std::move(one.payload)});
  }
  return lend(std::move(all), to);
}

std::int64_t message_pool::lend(std::vector<held_message> all, op& to) {
  std::size_t place = 0;
  while (place < batches_.size() && batches_[place]) ++place;
  if (place == batches_.size()) batches_.emplace_back();
  batches_[place] = std::make_unique<batch>();
  batch& b = *batches_[place];
  b.is_whole = has_room();
  if (b.is_whole) ++whole_;
  for (held_message& one : all) {
    b.held.push_back(std::move(one.held));
    b.messages.push_back(std::move(one.told));
    b.messages.back().data = b.held.back().data();
    b.messages.back().size = static_cast<std::uint32_t>(b.held.back().size());
    b.size += b.held.back().size();
  }
  ++leases_;
  memory_ += b.size;
  to.data = b.messages.data();
  to.id = static_cast<std::uint32_t>(place);
  to.home = this;
  return static_cast<std::int64_t>(all.size());
}

}  // namespace soquete::sim
