// A server of datagrams on one loop: receiving, and sessions from their first datagram to their end.
#include "udp_server.hpp"

#include <algorithm>
#include <soquete/deadline.hpp>

#include "serve_errors.hpp"
#include "serve_scope.hpp"

namespace soquete::udp::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto want_pause = 100ms;  // For memory to come free.

bool needs_interface(const endpoint& peer) { return peer.is_ip() && peer.addr().is_link_local(); }

}  // namespace

task<result<void>> server::run(where on) {
  if (co_await soquete::detail::is_cancelled()) co_return {};
  co_await ok(open(on));
  result<void> asked;
  while (asked && !failure_ && !thrown_) {
    asked = co_await soquete::detail::attending(woken_, sessions_, &receivers_);
  }
  stop_serving();
  co_await soquete::detail::drain(here_, sessions_, asked ? 0ns : options_.drain);
  receivers_.cancel();
  // What another loop leaves us may come still.
  while (receivers_.size() != 0) co_await scope::join(receivers_);
  leave();
  if (thrown_) std::rethrow_exception(std::move(thrown_));
  if (asked) co_return fail(std::move(*failure_));
  co_return {};
}

void server::end_with(error why) {
  if (!failure_) failure_ = std::move(why);
  woken_.notify_all();
}

task<result<void>> server::receive_from(std::uint32_t door, socket& on) {
  for (;;) {
    auto got = co_await on.receive_batch();
    if (!got) {
      if (co_await soquete::detail::is_cancelled()) co_return {};
      if (soquete::detail::is_of_one_datagram(got.error())) continue;
      if (!soquete::detail::is_of_resources(got.error())) {
        end_with(std::move(got.error()));
        co_return {};
      }
      // What has come stays where it is meanwhile.
      static_cast<void>(co_await sleep(want_pause));
      continue;
    }
    for (const datagram& d : *got) deliver(door, d, nullptr);
    pass_on();
  }
}

// `own` is what `d` is a look at, where it need not be copied.
void server::deliver(std::uint32_t door, const datagram& d, received* own) {
  const session_key key{door, d.from(), d.to()};
  const auto found = open_.find(key);
  entry* e = found != open_.end() ? found->second : nullptr;
  if (e == nullptr) {
    server* const at = place_of(key);
    if (at == nullptr) return;
    if (at != this) {
      away_[at].push_back({door, own != nullptr ? std::move(*own) : received(d)});
      return;
    }
    e = begin(key, d);
    if (e == nullptr) return;
  }
  e->last_active_ = here_.now();
  ++e->counts_.received;
  e->counts_.received_bytes += d.payload.size();
  if (e->waiting_.size() >= std::max<std::size_t>(options_.queue, 1)) {
    ++e->counts_.dropped;
    return;
  }
  e->waiting_.push_back(own != nullptr ? std::move(*own) : received(d));
  e->arrived_.notify_all();
}

server::entry* server::begin(const session_key& key, const datagram& d) {
  owned<entry> made(new entry(*this, key, d));
  if (options_.watch != nullptr && options_.watch->admit && !options_.watch->admit(*made)) {
    give_place_back(key);
    return nullptr;
  }
  entry* const e = made.release();
  open_.emplace(key, e);
  sessions_.adopt(*e);
  return e;
}

// A handler that is done with one datagram has not been asked about the next. But that which began the
// session has had its chance: else a handler that receives nothing would be called for ever.
void server::ended(entry& e, result<void> how) {
  open_.erase(e.key);
  std::deque<received> left = std::move(e.waiting_);
  if (!e.has_received_ && !left.empty()) left.pop_front();
  give_place_back(e, !left.empty());
  if (options_.watch != nullptr && options_.watch->ended) {
    const bool is_of_its_own = !how && !e.is_idle && !e.cancel.requested();
    options_.watch->ended(e, is_of_its_own ? &how.error() : nullptr);
  }
  for (received& next : left) deliver(e.key.door, next.about(), &next);
  pass_on();
}

task<result<received>> server::next_of(session& s) {
  while (s.waiting_.empty()) co_await ok(s.arrived_.wait());
  received first = std::move(s.waiting_.front());
  s.waiting_.pop_front();
  s.has_received_ = true;
  co_return first;
}

task<result<void>> server::send(session& s, bytes payload) {
  // All sessions send by one socket, whose buffer is rarely full.
  while (s.from_.is_sending()) co_await ok(writer_free_.wait());
  // Here, where no other send of this session can come between.
  const std::uint64_t allowed = s.counts_.received_bytes * options_.answer_factor;
  if (options_.answer_factor != 0 && !s.is_trusted_ && s.counts_.sent_bytes + payload.size() > allowed) {
    error why(std::errc::operation_not_permitted, step::send);
    co_return fail(
        std::move(why.set_subject(to_string(s.peer_)).set_detail("more than answer_factor allows")));
  }
  const send_options how{.from = s.answer_from_, .interface = s.interface_};
  result<void> sent = co_await s.from_.send_to(s.peer_, payload, how);
  writer_free_.notify_all();
  if (sent) {
    s.last_active_ = here_.now();
    ++s.counts_.sent;
    s.counts_.sent_bytes += payload.size();
  }
  co_return sent;
}

server::entry::entry(server& s, const session_key& k, const datagram& first)
    : session(s, s.sockets_[k.door], first), key(k) {
  waiter::wake = [](waiter* w) noexcept {
    auto* self = static_cast<entry*>(w);
    self->waiter::wake = &over;
    self->work.emplace(self->of_.handler_(*self));
    if (!self->work->begin({&self->of_.here_, &self->cancel}, self)) over(self);
  };
  describe = [](const soquete::detail::scope_child& c, suspension_report& report) {
    if (const auto& self = static_cast<const entry&>(c); self.work) self.work->describe(report);
  };
  timer::fire = [](timer* t) noexcept { static_cast<entry*>(t)->check_idle(); };
  last_active_ = s.here_.now();
  if (s.options_.idle > 0ns) arm();
}

void server::entry::arm() {
  of_.here_.timers().arm(*this, soquete::detail::moment_after(last_active_, of_.options_.idle));
}

// The timer is left alone while datagrams come, and looks for itself when it is due. What comes between this
// and the end of the handler begins the next session.
void server::entry::check_idle() noexcept {
  if (soquete::detail::moment_after(last_active_, of_.options_.idle) > of_.here_.now()) return arm();
  is_idle = true;
  cancel.request(stop::timed_out);
}

void server::entry::over(waiter* w) noexcept {
  const owned<entry> self(static_cast<entry*>(w));
  server& of = self->of_;
  std::exception_ptr thrown = self->work->exception();
  of.ended(*self, thrown ? result<void>() : self->work->take());
  if (thrown && !of.thrown_) {
    of.thrown_ = std::move(thrown);
    of.woken_.notify_all();
  }
  self->owner->child_ended(*self, nullptr, nullptr);
}

}  // namespace soquete::udp::detail

namespace soquete::udp {

session::session(detail::server& of, socket& from, const datagram& first)
    : of_(of),
      from_(from),
      peer_(first.from()),
      asked_(first.to()),
      answer_from_(first.answer_from()),
      interface_(detail::needs_interface(first.from()) ? first.interface() : 0) {}

task<result<received>> session::receive() { return of_.next_of(*this); }

task<result<void>> session::send(bytes payload) { return of_.send(*this, payload); }

}  // namespace soquete::udp
