// Moving what goes one way: bytes as they come, or whole messages.
#include <soquete/deadline.hpp>

#include "joint.hpp"

namespace command {

using namespace soquete;

namespace {

// What a stream takes for one message, if it is to hold its parts. Memory, not a protocol, sets the limit.
constexpr std::size_t frame_max = 1024 * 1024;

std::size_t message_max(peer& to) {
  return to.keeps_bounds() ? std::min(to.messages().size_max(), frame_max) : frame_max;
}

}  // namespace

task<result<void>> joint::pump(way& w) {
  if (!w.has_messages()) co_return co_await pump_bytes(w);
  if (!w.from.keeps_bounds()) co_return co_await pump_frames(w);
  if (w.from.has_end()) co_return co_await pump_messages(w);
  // Silence ends it, and only this.
  auto receiving = [this, &w](scope& s) -> task<result<void>> {
    w.until_quiet = &s;
    s.spawn(pump_messages(w));
    co_return {};
  };
  auto ended = co_await with_scope(receiving);
  w.until_quiet = nullptr;
  co_return ended;
}

task<result<void>> joint::pump_bytes(way& w) {
  for (;;) {
    auto data = co_await w.from.receive();
    if (!data) co_return reading_failed(w, std::move(data.error()));
    if (data->empty()) co_return end_of(w);
    last_ = here_->now();
    if (w.crlf) {
      auto sent = co_await send(w, data->bytes());
      if (!sent) co_return writing_failed(w, std::move(sent.error()));
    } else {
      auto sent = co_await w.to.send(data->bytes());
      if (!sent) co_return writing_failed(w, std::move(sent.error()));
    }
    w.moved += data->size();
    last_ = here_->now();
  }
}

// From a side that keeps their bounds. One without an end is given up here, where it shows whether a message
// has just come: one that comes a moment later has not been taken, and begins the next session.
task<result<void>> joint::pump_messages(way& w) {
  const bool has_deadline = how_.idle.count() != 0 && !w.from.has_end();
  for (;;) {
    const time_point deadline = has_deadline ? last_ + how_.idle : time_point::max();
    const auto left = has_deadline ? deadline - here_->now() : clock::duration::max();
    auto got = co_await within(left, w.from.messages().receive());
    if (!got && w.is_quiet) co_return end_of(w);
    if (!got && got.error() == std::errc::timed_out && has_deadline && here_->now() >= deadline) {
      if (last_ + how_.idle > here_->now()) continue;
      co_return end_by_idleness(w);
    }
    // A reset of a seqpacket overtakes the records before it; they come afterwards, and then an end.
    if (!got && got.error() == std::errc::connection_reset && w.from.is_connection() && !w.is_reset) {
      w.is_reset = true;
      if (!w.from.broken) w.from.broken = std::move(got.error());
      continue;
    }
    if (!got) co_return reading_failed(w, std::move(got.error()));
    if (got->is_end()) co_return end_of(w);
    last_ = here_->now();
    if (got->is_truncated()) co_return reading_failed(w, error(std::errc::message_size, step::receive));
    auto sent = co_await send_message(w, got->payload());
    if (!sent) co_return writing_failed(w, std::move(sent.error()));
    if (w.messages == w.how_from.count) co_return end_by_count(w);
  }
}

// From a stream.
task<result<void>> joint::pump_frames(way& w) {
  unframer frames(w.frame_from(), message_max(w.to));
  for (bool is_last = false; !is_last;) {
    {
      auto data = co_await w.from.receive();
      if (!data) co_return reading_failed(w, std::move(data.error()));
      is_last = data->empty();
      frames.add(data->bytes());
    }
    last_ = here_->now();
    bool is_done = false;
    auto sent = co_await send_frames(w, frames, is_last, is_done);
    if (is_done) co_return sent;
  }
  co_return end_of(w);
}

// Those that are whole. Done: this way is over.
task<result<void>> joint::send_frames(way& w, unframer& from, bool is_last, bool& is_done) {
  for (;;) {
    auto one = is_last ? from.last() : from.next();
    is_done = true;
    if (!one) co_return reading_failed(w, std::move(one.error()));
    if (*one) {
      auto sent = co_await send_message(w, **one);
      if (!sent) co_return writing_failed(w, std::move(sent.error()));
      if (w.messages == w.how_from.count) co_return end_by_count(w);
    }
    is_done = false;
    if (!*one) co_return {};
  }
}

task<result<void>> joint::send_message(way& w, bytes message) {
  if (message.empty() && w.to.keeps_bounds() && !w.to.messages().takes_empty()) {
    ++told_.left_out;
    ++w.messages;
    co_return {};
  }
  if (w.to.keeps_bounds() && !w.crlf) {
    co_await ok(w.to.messages().send(message));
  } else {
    std::vector<std::byte> stream;
    co_await ok(append_framed(stream, w.to.keeps_bounds() ? framing::none : w.frame_to(), message));
    co_await ok(send(w, stream));
  }
  w.moved += message.size();
  ++w.messages;
  last_ = here_->now();
  co_return {};
}

// With CR LF, if it is to be, for each LF that has no CR yet.
task<result<void>> joint::send(way& w, bytes data) {
  std::string lines;
  if (w.crlf) {
    for (const char c : as_text(data)) {
      if (c == '\n' && !w.after_return) lines += '\r';
      lines += c;
      w.after_return = c == '\r';
    }
    data = as_bytes(lines);
  }
  if (w.to.keeps_bounds()) co_return co_await w.to.messages().send(data);
  co_await ok(w.to.send(data));
  co_return {};
}

}  // namespace command
