// Two streams in memory, joined back to back.
#include <algorithm>
#include <cstring>
#include <soquete/memory.hpp>
#include <vector>

namespace soquete::memory {
namespace detail {

struct channel {
  explicit channel(std::size_t size) : room(size) {}

  std::vector<std::byte> stored;
  std::size_t room;
  bool finished = false;  // The writer has ended in order.
  bool writer_gone = false;
  bool reader_gone = false;
  unsigned ends = 2;
  event changed;
};

channel_end::~channel_end() {
  if (it_ != nullptr && --it_->ends == 0) delete it_;
}

}  // namespace detail

namespace {

using detail::channel;

constinit lease_home heap{[](lease_home*, const std::byte* data, std::uint32_t) noexcept { delete[] data; }};

lease lease_of(const std::vector<std::byte>& stored) {
  auto* copy = new std::byte[stored.size()];
  std::memcpy(copy, stored.data(), stored.size());
  return {copy, static_cast<std::uint32_t>(stored.size()), &heap, 0};
}

// True: there is something to receive; false: the end.
task<result<bool>> arrival(channel& c) {
  while (c.stored.empty()) {
    if (c.finished) co_return false;
    if (c.writer_gone) co_return fail(std::errc::connection_reset, step::receive);
    co_await ok(c.changed.wait());
  }
  co_return true;
}

}  // namespace

stream::stream(detail::channel_end incoming, detail::channel_end outgoing) noexcept
    : incoming_(std::move(incoming)), outgoing_(std::move(outgoing)) {}

stream& stream::operator=(stream&& other) noexcept {
  const stream old(std::move(*this));
  incoming_ = std::move(other.incoming_);
  outgoing_ = std::move(other.outgoing_);
  return *this;
}

stream::~stream() {
  if (incoming_) {
    incoming_->reader_gone = true;
    incoming_->changed.notify_all();
  }
  if (outgoing_) {
    outgoing_->writer_gone = true;
    outgoing_->changed.notify_all();
  }
}

task<result<lease>> stream::receive() {
  channel& c = *incoming_;
  if (!co_await ok(arrival(c))) co_return lease();
  lease got = lease_of(c.stored);
  c.stored.clear();
  c.changed.notify_all();
  co_return got;
}

task<result<std::size_t>> stream::receive(mutable_bytes into) {
  channel& c = *incoming_;
  if (into.empty()) co_return fail(std::errc::invalid_argument, step::receive);
  if (!co_await ok(arrival(c))) co_return std::size_t{0};
  const std::size_t size = std::min(into.size(), c.stored.size());
  std::memcpy(into.data(), c.stored.data(), size);
  c.stored.erase(c.stored.begin(), c.stored.begin() + static_cast<std::ptrdiff_t>(size));
  c.changed.notify_all();
  co_return size;
}

task<result<void>> stream::send(bytes from) {
  channel& c = *outgoing_;
  while (!from.empty()) {
    if (c.reader_gone || c.finished) co_return fail(std::errc::broken_pipe, step::send);
    const std::size_t size = std::min(from.size(), c.room - c.stored.size());
    if (size == 0) {
      co_await ok(c.changed.wait());
      continue;
    }
    c.stored.insert(c.stored.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
    from = from.subspan(size);
    c.changed.notify_all();
  }
  co_return {};
}

result<void> stream::finish() {
  outgoing_->finished = true;
  outgoing_->changed.notify_all();
  return {};
}

std::pair<stream, stream> pair(std::size_t capacity) {
  auto* one = new channel(std::max<std::size_t>(capacity, 1));
  auto* other = new channel(std::max<std::size_t>(capacity, 1));
  return {stream(detail::channel_end(one), detail::channel_end(other)),
          stream(detail::channel_end(other), detail::channel_end(one))};
}

}  // namespace soquete::memory
