// Datagrams of local senders.
#include "local_session.hpp"

#include <soquete/deadline.hpp>
#include <soquete/loop.hpp>

namespace command {

using namespace soquete;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t waiting_max = 64;
constexpr std::size_t waiting_bytes_max = 4 * 1024 * 1024;

// What others wait for one session.
constexpr auto stuck_after = 1s;

// A receiver that is full is asked again: the kernel does not say when it has room.
constexpr auto first_pause = 1ms;
constexpr auto longest_pause = 50ms;

}  // namespace

local_session::local_session(local_server& of, const local::message& first)
    : of_(of), peer_(first.from), sender_(first.sender), last_taken_(of.here_.net().now()) {}

bool local_session::has_room(std::size_t size) const noexcept {
  return waiting_.empty() || (waiting_.size() < waiting_max && waiting_bytes_ + size <= waiting_bytes_max);
}

task<result<local_datagram>> local_session::receive() {
  while (waiting_.empty()) co_await ok(arrived_.wait());
  local_datagram first = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= first.payload.size();
  last_taken_ = of_.here_.net().now();
  has_taken_ = true;
  is_stuck_ = false;
  of_.changed_.notify_all();
  co_return first;
}

task<result<void>> local_session::send(bytes payload) {
  if (peer_.local_name().empty()) co_return fail(std::errc::destination_address_required, step::send);
  co_return co_await of_.send(peer_, payload);
}

result<endpoint> local_session::local() const { return of_.on_.local(); }

socket_options local_session::options() noexcept { return of_.on_.options(); }

task<result<void>> local_server::run() {
  // Who sends is told where the system can.
  static_cast<void>(on_.tell_sender(true));
  auto receiving = [this](scope& s) -> task<result<void>> { return receive_all(s); };
  co_return co_await with_scope(receiving);
}

task<result<void>> local_server::receive_all(scope& s) {
  for (;;) {
    const local::message one = co_await ok(on_.receive());
    co_await ok(deliver(s, one));
  }
}

// The session may end while we wait, and then the next one begins.
task<result<void>> local_server::deliver(scope& s, const local::message& one) {
  for (;;) {
    local_session* const to = session_of(s, one);
    if (to == nullptr) {
      if (limits_.refused) limits_.refused();
      co_return {};
    }
    if (to->has_room(one.payload.size())) {
      const bytes payload = one.payload.bytes();
      if (to->waiting_.empty()) to->last_taken_ = here_.net().now();
      to->waiting_.push_back({{payload.begin(), payload.end()}, one.length > payload.size()});
      to->waiting_bytes_ += payload.size();
      to->arrived_.notify_all();
      co_return {};
    }
    const bool is_alone = limits_.max_sessions == 1;
    const auto left = is_alone ? clock::duration::max() : to->last_taken_ + stuck_after - here_.net().now();
    if (to->is_stuck_ || left <= 0ns) {
      to->is_stuck_ = true;
      if (limits_.dropped) limits_.dropped();
      co_return {};
    }
    auto waited = co_await within(left, changed_.wait());
    if (!waited && waited.error() != std::errc::timed_out) co_return waited;
  }
}

local_session* local_server::session_of(scope& s, const local::message& one) {
  if (const auto found = open_.find(one.from); found != open_.end()) return found->second.get();
  if (open_.size() >= limits_.max_sessions) return nullptr;
  auto made = std::make_unique<local_session>(*this, one);
  local_session* const begun = made.get();
  open_.emplace(one.from, std::move(made));
  s.spawn(hold(s, one.from));
  return begun;
}

// What has come for it meanwhile begins the next session: nobody has been asked about that yet. But the
// datagram that has begun this one does not, or a PEER that cannot be had would be asked for again and again.
task<result<void>> local_server::hold(scope& s, endpoint name) {
  local_session& mine = *open_.at(name);
  static_cast<void>(co_await handler_(mine));
  const bool goes_on = (co_await sleep(0ns)).has_value();  // Unless we are cancelled.
  const auto found = open_.find(name);
  const std::unique_ptr<local_session> ended = std::move(found->second);
  open_.erase(found);
  changed_.notify_all();
  if (!ended->has_taken_ && !ended->waiting_.empty()) {
    ended->waiting_bytes_ -= ended->waiting_.front().payload.size();
    ended->waiting_.pop_front();
  }
  if (ended->waiting_.empty() || !goes_on) co_return {};
  local::message next;
  next.from = ended->peer_;
  next.sender = ended->sender_;
  auto again = std::make_unique<local_session>(*this, next);
  again->waiting_ = std::move(ended->waiting_);
  again->waiting_bytes_ = ended->waiting_bytes_;
  open_.emplace(name, std::move(again));
  s.spawn(hold(s, name));
  co_return {};
}

task<result<void>> local_server::send(const endpoint& to, bytes payload) {
  for (clock::duration pause = first_pause;; pause = std::min<clock::duration>(2 * pause, longest_pause)) {
    // All sessions send by one socket, which takes or refuses at once.
    while (is_sending_) co_await ok(writer_free_.wait());
    is_sending_ = true;
    auto sent = co_await on_.send_to(to, payload);
    is_sending_ = false;
    writer_free_.notify_all();
    if (sent || sent.error() != std::errc::resource_unavailable_try_again) co_return sent;
    co_await ok(sleep(pause));
  }
}

}  // namespace command
