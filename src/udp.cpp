// UDP sockets: sending and receiving.
#include <algorithm>
#include <limits>
#include <soquete/deadline.hpp>
#include <soquete/udp.hpp>

#include "unread_datagrams.hpp"

namespace soquete::udp {
namespace {

constexpr std::size_t batch_max = 32;  // Calls of more bring nothing.

// What is out of range stays so, and the system refuses it.
std::int16_t narrow(int value) noexcept {
  constexpr int most = std::numeric_limits<std::int16_t>::max();
  return static_cast<std::int16_t>(value < -1 ? most : std::min(value, most));
}

void fill(outgoing_message& m, const endpoint* to, bytes payload, const send_options& how) noexcept {
  m.to = to;
  m.payload = payload;
  m.from = how.from;
  m.interface = how.interface;
  m.hops = narrow(how.hops);
  m.traffic_class = narrow(how.traffic_class);
}

// An answer to a link-local address must leave by the link it came from; else the routes say.
std::uint32_t link_of(const datagram& d) noexcept {
  return d.from().is_ip() && d.from().addr().is_link_local() ? d.interface() : 0;
}

}  // namespace

received::received(const datagram& one) : kept_(new kept) {
  kept_->payload.assign(one.payload.begin(), one.payload.end());
  const received_message& m = one.message();
  received_message& about = kept_->about;
  about.from = m.from;
  about.length = static_cast<std::uint32_t>(one.length);
  about.interface = m.interface;
  about.to = m.to;
  about.answer_from = m.answer_from;
  about.drops = m.drops;
  about.hops = m.hops;
  about.traffic_class = m.traffic_class;
  about.when = m.when;
}

datagram received::of_kept() const noexcept {
  static const received_message nothing;
  return kept_ ? datagram(kept_->about, kept_->payload) : datagram(nothing, {});
}

namespace detail {

bool receive_operation::begin(environment env, waiter* then) noexcept {
  const bool is_cancelled = env.cancel != nullptr && env.cancel->requested();
  is_rest_ = !on_.rest_.empty() && !is_cancelled;
  if (is_rest_) return false;
  slot& s = on_.socket_.block().reader;
  s.code = opcode::receive_messages;
  s.size = most_;
  return s.begin(env, then);
}

bool receive_operation::failed() const noexcept { return !is_rest_ && on_.socket_.block().reader.failed(); }

void receive_operation::describe(suspension_report& report) const {
  on_.socket_.block().reader.describe(report);
}

result<batch> receive_operation::taken() {
  if (is_rest_) return std::move(on_.rest_);
  slot& s = on_.socket_.block().reader;
  if (s.failed()) return fail(soquete::detail::error_of(s, step::receive));
  return batch(static_cast<const received_message*>(s.data), static_cast<std::uint32_t>(s.outcome), s.home,
               s.id);
}

result<received> receive_one::take() {
  if (const slot& s = on_.socket_.block().reader; !is_rest() && s.outcome == 1) {
    const auto* const first = static_cast<const received_message*>(s.data);
    if (first->segment == 0) return result<received>(std::in_place, batch(first, 1, s.home, s.id));
  }
  auto got = taken();
  if (!got) return fail(std::move(got.error()));
  if (std::next(got->begin()) == got->end()) return received(std::move(*got));
  received first(got->front());
  got->drop_front();
  on_.rest_ = std::move(*got);
  return first;
}

result<arrival> receive_into::take() {
  auto got = taken();
  if (!got) return fail(std::move(got.error()));
  const datagram first = got->front();
  const std::size_t size = std::min(first.payload.size(), into_.size());
  std::copy_n(first.payload.begin(), size, into_.begin());
  arrival told{.from = first.from(), .size = size, .length = first.length};
  got->drop_front();
  if (!got->empty()) on_.rest_ = std::move(*got);
  return told;
}

send_one::send_one(socket_block& on, const endpoint* to, bytes payload, const send_options& how) noexcept
    : slot_(on.writer) {
  fill(message_, nullptr, payload, how);
  if (to == nullptr) return;
  to_ = *to;
  message_.to = &to_;
}

send_one::send_one(send_one&& other) noexcept : slot_(other.slot_), to_(other.to_), message_(other.message_) {
  if (message_.to != nullptr) message_.to = &to_;
}

bool send_one::begin(environment env, waiter* then) noexcept {
  message_.outcome = 0;
  slot_.code = opcode::send_messages;
  slot_.data = &message_;
  slot_.size = 1;
  return slot_.begin(env, then);
}

result<void> send_one::take() const {
  if (!failed()) return {};
  error why = soquete::detail::error_of(slot_, step::send);
  if (message_.outcome < 0) {
    error refused(std::error_code(-message_.outcome, std::generic_category()), step::send);
    refused.set_subject(why.subject()).set_local(why.local());
    why = std::move(refused);
  }
  if (message_.to != nullptr) why.set_subject(to_string(to_));
  return fail(std::move(why));
}

bool flush_queue::begin(environment env, waiter* then) noexcept {
  is_empty_ = on_.queue_.empty();
  if (is_empty_) return false;
  slot& s = on_.socket_.block().writer;
  s.code = opcode::send_messages;
  // What is noted meanwhile is for the next flush.
  if (!s.is_pending()) {
    on_.leaving_.clear();
    on_.queue_.swap(on_.leaving_);
  }
  s.data = on_.leaving_.data();
  s.size = on_.leaving_.size();
  return s.begin(env, then);
}

bool flush_queue::failed() const noexcept { return !is_empty_ && on_.socket_.block().writer.failed(); }

result<flushed> flush_queue::take() {
  flushed told;
  if (is_empty_) return told;
  const slot& s = on_.socket_.block().writer;
  for (const outgoing_message& m : std::span(on_.leaving_).first(s.moved)) {
    if (m.outcome == 0) {
      ++told.sent;
    } else if (told.failed++ == 0) {
      told.first_cause = std::error_code(-m.outcome, std::generic_category());
    }
  }
  on_.leaving_.clear();
  if (s.failed()) return fail(soquete::detail::error_of(s, step::send));
  return told;
}

void flush_queue::describe(suspension_report& report) const { on_.socket_.block().writer.describe(report); }

}  // namespace detail

detail::receive_batch socket::receive_batch() noexcept {
  // Where the kernel does not know it, datagrams come one by one.
  if (!std::exchange(takes_runs_, true))
    static_cast<void>(socket_.net().set(socket_.block(), option::receive_segments, 1));
  return {*this, batch_max};
}

void socket::forget() noexcept {
  rest_ = {};
  queue_.clear();
}

owned_descriptor socket::release() {
  std::vector<std::byte> unread;
  for (const datagram& d : rest_) put_unread(unread, d.from(), d.payload);
  forget();
  owned_descriptor whole = socket_.release();
  if (unread.empty()) return whole;
  const std::vector<std::byte> later = whole.take_unread();
  unread.insert(unread.end(), later.begin(), later.end());
  whole.set_unread(std::move(unread));
  return whole;
}

bool socket::queue_reply(const datagram& d, bytes payload) {
  return queue(&d.from(), payload, {.from = d.answer_from(), .interface = link_of(d)});
}

// Built where it stays: many are noted for each call, and a copy of what was just written waits for it.
bool socket::queue(const endpoint* to, bytes payload) {
  if (queue_.size() >= queue_max) return false;
  queue_.emplace_back(to).payload = payload;
  return true;
}

bool socket::queue(const endpoint* to, bytes payload, const send_options& how) {
  if (queue_.size() >= queue_max) return false;
  fill(queue_.emplace_back(to), to, payload, how);
  return true;
}

}  // namespace soquete::udp
