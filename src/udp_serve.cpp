// A server of datagrams.
#include <soquete/udp_serve.hpp>

#include <atomic>
#include <mutex>
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>
#include <unordered_map>

#include "udp_open.hpp"

namespace soquete::udp {
namespace {

using namespace std::chrono_literals;

// What the servers of all loops share.
struct serve_share : group_share {
  std::mutex mutex;
  bool is_open = false;
  std::optional<error> failure;
  std::vector<endpoint> bound;  // Empty: one loop has inherited sockets.
  std::size_t sessions = 0;
  std::unordered_map<address, std::size_t> of_address;
};

// A peer, as one socket of ours sees it.
struct session_key {
  const socket* on;
  endpoint peer;
  address asked;

  friend bool operator==(const session_key&, const session_key&) = default;
};
struct session_key_hash {
  std::size_t operator()(const session_key& k) const noexcept {
    return std::hash<endpoint>()(k.peer) * 31 + std::hash<address>()(k.asked) +
           std::hash<const void*>()(k.on);
  }
};

bool needs_interface(const endpoint& peer) { return peer.is_ip() && peer.addr().is_link_local(); }

}  // namespace

namespace detail {

// The sessions and sockets of one loop.
class server {
 public:
  server(loop& here, serve_share& share, const serve_options& options, session_handler& handler)
      : here_(here), share_(share), options_(options), handler_(handler), sessions_({&here, nullptr}) {}

  task<result<void>> run(where on);

  task<result<received>> next_of(session& s);
  task<result<void>> send(session& s, bytes payload);

 private:
  struct entry;

  result<void> open(const where& on);
  task<result<void>> receive_all(scope& s);
  task<result<void>> receive_from(socket& on);
  void deliver(socket& on, const datagram& d);
  entry* begin(socket& on, const datagram& d, std::deque<received> left);
  bool claim_place(const endpoint& peer);
  void give_place_back(const endpoint& peer);
  void ended(entry& e, result<void> how);
  task<void> drain(bool in_peace);

  loop& here_;
  serve_share& share_;
  const serve_options& options_;
  session_handler& handler_;
  std::vector<socket> sockets_;
  std::unordered_map<session_key, entry*, session_key_hash> open_;
  event writer_free_;
  event woken_;
  bool is_ending_ = false;
  scope sessions_;
};

// A session, its handler's task and its idle time.
struct server::entry final : soquete::detail::scope_child, session, timer {
  entry(server& s, socket& on, const datagram& first) : session(s, on, first) {
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
  ~entry() { of_.here_.timers().disarm(*this); }
  using session::of_;

  void arm() {
    of_.here_.timers().arm(*this, soquete::detail::moment_after(last_active_, of_.options_.idle));
  }
  // The timer is left alone while datagrams come, and looks for itself when it is due.
  void check_idle() noexcept {
    if (soquete::detail::moment_after(last_active_, of_.options_.idle) > of_.here_.now()) return arm();
    is_idle = true;
    cancel.request(stop::timed_out);
  }
  static void over(waiter* w) noexcept {
    const owned<entry> self(static_cast<entry*>(w));
    std::exception_ptr thrown = self->work->exception();
    self->of_.ended(*self, thrown ? result<void>() : self->work->take());
    self->owner->child_ended(*self, std::move(thrown), nullptr);
  }
  session_key key() const { return {&from_, peer_, asked_}; }

  std::optional<task<result<void>>::awaiter> work;
  bool is_idle = false;

 private:
  friend server;
};

task<result<void>> server::run(where on) {
  co_await ok(open(on));
  auto receiving = [this](scope& s) -> task<result<void>> { return receive_all(s); };
  result<void> ended = co_await with_scope(receiving);
  const bool was_asked = co_await soquete::detail::is_cancelled();
  is_ending_ = true;
  co_await drain(was_asked);
  sockets_.clear();
  if (was_asked) co_return {};
  co_return ended;
}

result<void> server::open(const where& on) {
  std::lock_guard lock(share_.mutex);
  if (share_.failure) return fail(*share_.failure);
  if (!share_.is_open) {
    auto opened = open_sockets(here_, on, options_.bind, here_.group().size() > 1);
    if (!opened) {
      share_.failure = opened.error();
      return fail(std::move(opened.error()));
    }
    share_.is_open = true;
    sockets_ = std::move(opened->all);
    for (const socket& s : sockets_) {
      auto at = s.local();
      if (!at) return fail(std::move(at.error()));
      if (!opened->are_inherited) share_.bound.push_back(*at);
      if (options_.watch != nullptr && options_.watch->listening) options_.watch->listening(*at);
    }
    return {};
  }
  bind_options how = options_.bind;
  how.reuse_port = true;
  for (const endpoint& at : share_.bound) {
    auto got = bind_one(here_, at, how);
    if (!got) return fail(std::move(got.error()));
    sockets_.push_back(std::move(*got));
  }
  return {};
}

task<result<void>> server::receive_all(scope& s) {
  for (socket& one : sockets_) s.spawn(receive_from(one));
  // A loop without a socket of its own is asked to end like the others.
  while (sockets_.empty()) co_await ok(woken_.wait());
  co_return {};
}

task<result<void>> server::receive_from(socket& on) {
  for (;;) {
    batch got = co_await ok(on.receive_batch());
    for (const datagram& d : got) deliver(on, d);
  }
}

void server::deliver(socket& on, const datagram& d) {
  const auto found = open_.find({&on, d.from(), d.to()});
  entry* const e = found != open_.end() ? found->second : begin(on, d, {});
  if (e == nullptr) return;
  e->last_active_ = here_.now();
  ++e->counts_.received;
  e->counts_.received_bytes += d.payload.size();
  if (e->waiting_.size() >= std::max<std::size_t>(options_.queue, 1)) {
    ++e->counts_.dropped;
    return;
  }
  e->waiting_.emplace_back(d);
  e->arrived_.notify_all();
}

server::entry* server::begin(socket& on, const datagram& d, std::deque<received> left) {
  if (!claim_place(d.from())) {
    if (options_.watch != nullptr && options_.watch->refused) options_.watch->refused(d.from());
    return nullptr;
  }
  owned<entry> made(new entry(*this, on, d));
  if (options_.watch != nullptr && options_.watch->admit && !options_.watch->admit(*made)) {
    give_place_back(d.from());
    return nullptr;
  }
  made->waiting_ = std::move(left);
  entry* const e = made.release();
  open_.emplace(e->key(), e);
  sessions_.adopt(*e);
  return e;
}

bool server::claim_place(const endpoint& peer) {
  std::lock_guard lock(share_.mutex);
  if (share_.sessions >= std::max<std::size_t>(options_.max_sessions, 1)) return false;
  if (options_.max_per_address != 0) {
    std::size_t& count = share_.of_address[peer.addr().unmapped()];
    if (count >= options_.max_per_address) return false;
    ++count;
  }
  ++share_.sessions;
  return true;
}

void server::give_place_back(const endpoint& peer) {
  std::lock_guard lock(share_.mutex);
  --share_.sessions;
  if (options_.max_per_address == 0) return;
  if (const auto found = share_.of_address.find(peer.addr().unmapped()); --found->second == 0)
    share_.of_address.erase(found);
}

void server::ended(entry& e, result<void> how) {
  open_.erase(e.key());
  give_place_back(e.peer_);
  if (options_.watch != nullptr && options_.watch->ended) {
    const bool is_of_its_own = !how && !e.is_idle && !e.cancel.requested();
    options_.watch->ended(e, is_of_its_own ? &how.error() : nullptr);
  }
  // A handler that is done with one datagram has not been asked about the next.
  if (e.waiting_.empty() || is_ending_ || e.cancel.requested()) return;
  const received next = std::move(e.waiting_.front());
  e.waiting_.pop_front();
  e.waiting_.push_front(received(next.about()));
  entry* const again = begin(e.from_, next.about(), std::move(e.waiting_));
  if (again != nullptr) again->counts_.received = again->waiting_.size();
}

task<void> server::drain(bool in_peace) {
  struct cut : timer {
    scope& sessions;
    explicit cut(scope& s) : sessions(s) {
      fire = [](timer* t) noexcept { static_cast<cut*>(t)->sessions.cancel(); };
    }
  } at_the_end(sessions_);
  if (!in_peace || options_.drain <= 0ns)
    sessions_.cancel();
  else if (sessions_.size() != 0)
    here_.timers().arm(at_the_end, soquete::detail::moment_after(here_.now(), options_.drain));
  co_await scope::join(sessions_);
  here_.timers().disarm(at_the_end);
}

task<result<received>> server::next_of(session& s) {
  while (s.waiting_.empty()) co_await ok(s.arrived_.wait());
  received first = std::move(s.waiting_.front());
  s.waiting_.pop_front();
  co_return first;
}

task<result<void>> server::send(session& s, bytes payload) {
  const std::uint64_t allowed = s.counts_.received_bytes * options_.answer_factor;
  if (options_.answer_factor != 0 && !s.is_trusted_ && s.counts_.sent_bytes + payload.size() > allowed) {
    error why(std::errc::operation_not_permitted, step::send);
    co_return fail(
        std::move(why.set_subject(to_string(s.peer_)).set_detail("more than answer_factor allows")));
  }
  // All sessions send by one socket, whose buffer is rarely full.
  while (s.from_.is_sending()) co_await ok(writer_free_.wait());
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

}  // namespace detail

session::session(detail::server& of, socket& from, const datagram& first)
    : of_(of),
      from_(from),
      peer_(first.from()),
      asked_(first.to()),
      answer_from_(first.answer_from()),
      interface_(needs_interface(first.from()) ? first.interface() : 0) {}

task<result<received>> session::receive() { return of_.next_of(*this); }

task<result<void>> session::send(bytes payload) { return of_.send(*this, payload); }

namespace {

task<result<void>> serve_parsed(where on, std::string text, session_handler handler, serve_options options) {
  loop& here = co_await this_loop();
  auto& share = here.group().share<serve_share>(here, "udp " + text);
  detail::server one(here, share, options, handler);
  co_return co_await one.run(std::move(on));
}

task<result<void>> serve_failing(error why) { co_return fail(std::move(why)); }

}  // namespace

task<result<void>> serve(std::string_view on, session_handler handler, serve_options options) {
  auto parsed = where::parse(on, &zone_number);
  if (!parsed) return serve_failing(std::move(parsed.error()));
  return serve_parsed(std::move(*parsed), std::string(on), std::move(handler), options);
}

}  // namespace soquete::udp
