// What travels in a simulated network, and what becomes of it.
#include "sim/recording.hpp"

namespace soquete::sim {

void recording::note(moment at, std::uint32_t who, noted what) {
  switch (what) {
    case noted::started: return add({mark::kind::started, at, who});
    case noted::crashed: return add({mark::kind::crashed, at, who});
    case noted::paused: return add({mark::kind::paused, at, who});
    case noted::resumed: return add({mark::kind::resumed, at, who});
    default: return;
  }
}

void recording::add(mark one) {
  one.after = forgotten_ + messages_.size();
  marks_.push_back(std::move(one));
  if (marks_.size() <= marks_max) return;
  marks_.pop_front();
  has_forgotten_marks_ = true;
}

std::uint64_t recording::add(message one) {
  bytes_ += one.payload.size();
  messages_.push_back(std::move(one));
  while (messages_.size() > messages_max || (bytes_ > bytes_max && messages_.size() > 1)) {
    bytes_ -= messages_.front().payload.size();
    messages_.pop_front();
    ++forgotten_;
  }
  return forgotten_ + messages_.size();
}

message* recording::find(std::uint64_t number) noexcept {
  return number <= forgotten_ ? nullptr : &messages_[number - forgotten_ - 1];
}

void recording::came(std::uint64_t number, moment at) {
  message* const one = find(number);
  if (one == nullptr) return;
  one->became = fate::came;
  one->over = at;
}

void recording::lost(std::uint64_t number, moment at, std::string_view why) {
  message* const one = find(number);
  if (one == nullptr) return;
  one->became = fate::lost;
  one->over = at;
  one->remark = why;
}

namespace {

std::uint64_t key(std::uint64_t connection, unsigned side) noexcept { return connection << 1 | side; }

}  // namespace

void recording::fly(message one) {
  const std::uint64_t of = key(one.connection, one.side);
  flights_[of].push_back(add(std::move(one)));
}

void recording::fly_unknown(std::uint64_t connection, unsigned side, std::size_t count) {
  constexpr std::uint64_t nothing = 0;  // The number of no message.
  if (count != 0) flights_[key(connection, side)].assign(count, nothing);
}

void recording::land(std::uint64_t connection, unsigned side, moment at) {
  const auto found = flights_.find(key(connection, side));
  if (found == flights_.end()) return;
  came(found->second.front(), at);
  found->second.pop_front();
  if (found->second.empty()) flights_.erase(found);
}

void recording::hold(std::uint64_t connection, unsigned side, std::string_view why) {
  const auto found = flights_.find(key(connection, side));
  if (found == flights_.end()) return;
  if (message* const one = find(found->second.front())) one->remark = why;
}

void recording::drop(std::uint64_t connection, unsigned side, moment at, std::string_view why) {
  const auto found = flights_.find(key(connection, side));
  if (found == flights_.end()) return;
  for (const std::uint64_t number : found->second) lost(number, at, why);
  flights_.erase(found);
}

}  // namespace soquete::sim
