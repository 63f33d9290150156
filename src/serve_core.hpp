// A server of connections, whatever they are: accepts within limits, keeps clients to the end, ends in order.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <soquete/deadline.hpp>
#include <soquete/event.hpp>
#include <soquete/scope.hpp>
#include <soquete/where.hpp>
#include <unordered_map>

#include "serve_errors.hpp"
#include "serve_handover.hpp"
#include "serve_scope.hpp"

namespace soquete::detail {

/// What open_first() of a kind of server gives.
template <class Listener>
struct opened_for_serving {
  std::vector<Listener> all;
  bool is_shared = false;  ///< There is one of each for all loops: its connections are handed to all of them.
};

/// What the servers of all loops share.
template <class Kind>
class server;
template <class Kind>
struct serve_share : group_share {
  std::mutex mutex;
  bool is_open = false;
  bool is_shared = false;  ///< The loop that came first has the listeners.
  std::optional<error> failure;
  std::vector<endpoint> bound;  ///< For the loops that have listeners of their own.
  std::atomic<std::size_t> connections = 0;
  std::atomic<bool> handed_over = false;
  std::unordered_map<typename Kind::client_key, std::size_t, typename Kind::key_hash> of_client;
  std::vector<server<Kind>*> waiting_for_room;
  std::vector<server<Kind>*> all;  ///< Those that take connections.
};

/// The server on one loop. `Kind` says what TCP and local sockets differ in.
template <class Kind>
class server {
 public:
  using stream = typename Kind::stream;
  using listener = typename Kind::listener;
  using who = typename Kind::client;

  server(loop& here, serve_share<Kind>& share, const typename Kind::options& options,
         typename Kind::handler& handler)
      : here_(here), share_(share), options_(options), handler_(handler), clients_(*this) {}

  task<result<void>> run(where on) {
    if (options_.handover.empty()) {
      co_await ok(open(on));
    } else {
      co_await ok(open_or_take_over(std::move(on)));
    }
    auto accepting = [this](scope& s) -> task<result<void>> { return accept_all(s); };
    result<void> ended = co_await with_scope(accepting);
    const bool in_peace = !thrown_ && (co_await is_cancelled() || share_.handed_over);
    if (share_.handed_over) co_await serve_accepted();
    listeners_.clear();
    door_.close();
    leave();
    // Those that are on their way from another loop have been accepted: they are served like the others.
    while (load_ != clients_.size()) static_cast<void>(co_await shield(arrival_max, arrived_.wait()));
    if (const std::size_t left = clients_.size(); in_peace && left != 0 && options_.drain.count() > 0)
      if (options_.watch != nullptr && options_.watch->draining) options_.watch->draining(left);
    co_await drain(here_, clients_, in_peace ? options_.drain : options_.drain.zero());
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    if (in_peace) co_return {};
    co_return ended;
  }

 private:
  static constexpr std::chrono::seconds arrival_max{1};  // A turn of this loop is all it takes.

  // Those who are served. Each finds its server through it.
  struct crowd final : scope {
    explicit crowd(server& s) : scope({&s.here_, nullptr}), of(s) {}
    server& of;
  };

  // A client: its task, and its place in the counts.
  struct client final : scope_child {
    client(const who& from, task<result<void>>&& t) : me(from), work(std::move(t)) {
      wake = [](waiter* w) noexcept {
        auto* self = static_cast<client*>(w);
        self->wake = &over;
        if (!self->work.begin({&self->of().here_, &self->cancel}, self)) over(self);
      };
      describe = [](const scope_child& c, suspension_report& report) {
        static_cast<const client&>(c).work.describe(report);
      };
    }
    static void over(waiter* w) noexcept {
      const owned<client> self(static_cast<client*>(w));
      server& s = self->of();
      if (std::exception_ptr thrown = self->work.exception(); !thrown)
        s.client_ended(*self, self->work.take());
      else if (!s.thrown_)
        s.thrown_ = std::move(thrown);
      s.forget(self->me);
      self->owner->child_ended(*self, nullptr, nullptr);
    }
    server& of() const noexcept { return static_cast<crowd*>(owner)->of; }
    who me;
    task<result<void>>::awaiter work;
  };

  result<void> open(const where& on);
  task<result<void>> open_or_take_over(where on);
  result<void> keep(owned_descriptor given, bool owns_path);
  task<result<void>> accept_all(scope& s);
  task<result<void>> accept_from(listener& l);
  task<result<void>> meet_successors(scope& accepting);
  task<void> serve_accepted();
  task<result<void>> wait_for_room();
  task<result<void>> wait_for_descriptors();
  enum class claim : std::uint8_t { granted, full, too_many_of_client };
  claim claim_place(const who& from);
  task<result<void>> admit(stream peer);
  bool welcome(stream& peer);
  void hand_out(stream peer, const who& from);
  void begin(stream peer, const who& from);
  void forget(const who& from);
  void client_ended(const client& c, result<void> how);
  void leave() {
    std::lock_guard lock(share_.mutex);
    std::erase(share_.all, this);
  }

  loop& here_;
  serve_share<Kind>& share_;
  const typename Kind::options& options_;
  typename Kind::handler& handler_;
  std::vector<listener> listeners_;
  std::optional<predecessor> before_;
  local::seqpacket_listener door_;
  event client_left_;
  event arrived_;  ///< One that another loop has accepted for this one.
  std::exception_ptr thrown_;
  crowd clients_;
  std::atomic<std::size_t> load_ = 0;  // Clients, those on their way included.
};

template <class Kind>
result<void> server<Kind>::open(const where& on) {
  std::lock_guard lock(share_.mutex);
  if (share_.failure) return fail(*share_.failure);
  share_.all.push_back(this);
  if (!share_.is_open) {
    auto opened = Kind::open_first(here_, on, options_, share_.bound);
    result<void> done;
    if (opened)
      done = announce(options_.watch, opened->all);
    else
      done = fail(std::move(opened.error()));
    if (!done) {
      std::erase(share_.all, this);
      share_.failure = done.error();
      return done;
    }
    share_.is_open = true;
    share_.is_shared = opened->is_shared;
    listeners_ = std::move(opened->all);
    return {};
  }
  if (share_.is_shared) return {};
  for (const endpoint& at : share_.bound) {
    auto got = Kind::open_again(here_, at, options_);
    if (!got) {
      std::erase(share_.all, this);
      return fail(std::move(got.error()));
    }
    listeners_.push_back(std::move(*got));
  }
  return {};
}

// One loop has the listeners, so that they can be handed over without waiting for the others: of a group of
// SO_REUSEPORT sockets each has a queue of its own, and the connections in one that closes are lost.
template <class Kind>
task<result<void>> server<Kind>::open_or_take_over(where on) {
  {
    std::lock_guard lock(share_.mutex);
    if (share_.failure) co_return fail(*share_.failure);
    share_.all.push_back(this);
    if (std::exchange(share_.is_open, true)) co_return {};
    share_.is_shared = true;
  }
  result<void> opened;
  std::string name(options_.handover);
  auto found = co_await find_predecessor(std::move(name));
  if (!found) {
    opened = fail(std::move(found.error()));
  } else if (!found->listeners.empty()) {
    before_.emplace(std::move(*found));
    for (given_listener& one : before_->listeners)
      if (opened) opened = keep(std::move(one.it), one.owns_path);
  } else {
    auto got = Kind::open_first(here_, on, options_, share_.bound, true);
    if (got)
      listeners_ = std::move(got->all);
    else
      opened = fail(std::move(got.error()));
    if (opened) {
      auto door = co_await local::listen_seqpacket(options_.handover, {.mode = 0600});
      if (door)
        door_ = std::move(*door);
      else
        opened = fail(std::move(door.error()));
    }
  }
  if (opened) opened = announce(options_.watch, listeners_);
  if (!opened) {
    leave();
    listeners_.clear();
    std::lock_guard lock(share_.mutex);
    share_.failure = opened.error();
  }
  co_return opened;
}

template <class Kind>
result<void> server<Kind>::keep(owned_descriptor given, bool owns_path) {
  auto block = here_.net().adopt(std::move(given));
  if (!block) return fail(std::move(block.error()));
  socket s(**block);
  if ((*block)->kind != descriptor_kind::listener) return fail(std::errc::invalid_argument, step::adopt);
  if (owns_path) here_.net().own_path(**block);
  listeners_.emplace_back(std::move(s));
  return {};
}

template <class Kind>
task<result<void>> server<Kind>::accept_all(scope& s) {
  for (listener& l : listeners_) s.spawn(accept_from(l));
  if (!listeners_.empty() && !options_.handover.empty()) s.spawn(meet_successors(s));
  while (!thrown_ && !share_.handed_over) co_await ok(attending(client_left_, clients_));
  s.cancel();
  co_return {};
}

template <class Kind>
task<result<void>> server<Kind>::meet_successors(scope& accepting) {
  if (before_) {
    co_await ok(confirm(*before_));
    auto block = here_.net().adopt(std::move(before_->door));
    if (!block) co_return fail(std::move(block.error()));
    here_.net().own_path(**block);
    door_ = local::seqpacket_listener(socket(**block));
    before_.reset();
  }
  std::vector<lent_listener> all;
  for (listener& l : listeners_) all.push_back({l.descriptor(), Kind::owns_path(l)});
  for (;;) {
    auto line = co_await door_.accept();
    if (!line && co_await is_cancelled()) co_return fail(std::move(line.error()));
    if (!line) {
      co_await ok(wait_for_descriptors());
      continue;
    }
    auto handed = co_await offer(std::move(*line), all, door_.descriptor());
    if (handed && *handed) break;
    if (co_await is_cancelled()) co_return fail(std::errc::operation_canceled, step::wait);
  }
  share_.handed_over = true;
  accepting.cancel();
  std::lock_guard lock(share_.mutex);
  for (server* one : share_.all)
    if (one != this)
      here_.group().post(one->here_, [one, share = &share_] {
        std::unique_lock inner(share->mutex);
        if (std::find(share->all.begin(), share->all.end(), one) == share->all.end()) return;
        inner.unlock();
        one->client_left_.notify_all();
      });
  co_return {};
}

// They are the successor's now: closing would shut them down for it as well. What the driver had accepted in
// advance, the successor cannot see.
template <class Kind>
task<void> server<Kind>::serve_accepted() {
  static_cast<void>(door_.release());
  for (listener& l : listeners_) {
    owned_descriptor whole = l.release();
    for (owned_descriptor& one : whole.take_accepted())
      if (auto peer = stream::adopt(here_, std::move(one)))
        static_cast<void>(co_await admit(std::move(*peer)));
  }
}

template <class Kind>
task<result<void>> server<Kind>::accept_from(listener& l) {
  for (;;) {
    co_await ok(wait_for_room());
    auto peer = co_await l.accept();
    if (peer) {
      if (!welcome(*peer)) co_await ok(admit(std::move(*peer)));
    } else if (is_of_resources(peer.error())) {
      if (options_.watch != nullptr && options_.watch->accept_paused)
        options_.watch->accept_paused(peer.error());
      co_await ok(wait_for_descriptors());
    } else if (!is_of_one_connection(peer.error())) {
      co_return fail(std::move(peer.error()));
    }
  }
}

// Clients that leave make room; but not each of them is worth an accept that may fail again. Descriptors may
// come free elsewhere in the process, too, where nobody tells us.
template <class Kind>
task<result<void>> server<Kind>::wait_for_descriptors() {
  constexpr auto accept_pause = std::chrono::milliseconds(100);
  const std::size_t now = clients_.size();
  const std::size_t enough = now - std::min(now, std::max<std::size_t>(1, now / 8));
  const time_point end = here_.now() + accept_pause;
  while ((clients_.size() > enough || now == 0) && here_.now() < end) {
    auto changed = co_await within(end - here_.now(), client_left_.wait());
    if (!changed && co_await is_cancelled()) co_return fail(std::move(changed.error()));
  }
  co_return {};
}

template <class Kind>
task<result<void>> server<Kind>::wait_for_room() {
  if (options_.max_connections == 0) co_return {};
  for (;;) {
    {
      std::lock_guard lock(share_.mutex);
      std::erase(share_.waiting_for_room, this);
      if (share_.connections < options_.max_connections) co_return {};
      share_.waiting_for_room.push_back(this);
    }
    auto changed = co_await client_left_.wait();
    if (!changed) {
      std::lock_guard lock(share_.mutex);
      std::erase(share_.waiting_for_room, this);
      co_return fail(std::move(changed.error()));
    }
  }
}

template <class Kind>
typename server<Kind>::claim server<Kind>::claim_place(const who& from) {
  const std::size_t most_of_client = Kind::max_per_client(options_);
  if (options_.max_connections == 0 && most_of_client == 0) return ++share_.connections, claim::granted;
  std::lock_guard lock(share_.mutex);
  if (options_.max_connections != 0 && share_.connections >= options_.max_connections) return claim::full;
  if (most_of_client != 0) {
    std::size_t& count = share_.of_client[Kind::key_of(from)];
    if (count >= most_of_client) return claim::too_many_of_client;
    ++count;
  }
  ++share_.connections;
  return claim::granted;
}

template <class Kind>
void server<Kind>::forget(const who& from) {
  --share_.connections;
  --load_;
  if (Kind::max_per_client(options_) != 0 || options_.max_connections != 0) {
    std::lock_guard lock(share_.mutex);
    if (const auto found = share_.of_client.find(Kind::key_of(from));
        found != share_.of_client.end() && --found->second == 0)
      share_.of_client.erase(found);
    // The one that waits may be on another loop, and may end before it hears of it.
    for (server* one : share_.waiting_for_room)
      if (one != this)
        here_.group().post(one->here_, [one, share = &share_] {
          std::unique_lock inner(share->mutex);
          const auto& all = share->waiting_for_room;
          if (std::find(all.begin(), all.end(), one) == all.end()) return;
          inner.unlock();
          one->client_left_.notify_all();
        });
  }
  client_left_.notify_all();
}

template <class Kind>
task<result<void>> server<Kind>::admit(stream peer) {
  while (!welcome(peer)) co_await ok(wait_for_room());
  co_return {};
}

// False: another loop has taken the last place since we looked.
template <class Kind>
bool server<Kind>::welcome(stream& peer) {
  const who from = Kind::client_of(peer);
  const claim got = claim_place(from);
  if (got == claim::full) return false;
  if (got == claim::too_many_of_client) return Kind::turn_away(peer), true;
  ++load_;
  if (options_.watch != nullptr && !Kind::admits(*options_.watch, peer)) {
    forget(from);
    Kind::turn_away(peer);
  } else if (share_.is_shared) {
    hand_out(std::move(peer), from);
  } else {
    begin(std::move(peer), from);
  }
  return true;
}

// To the loop that has the least to do.
template <class Kind>
void server<Kind>::hand_out(stream peer, const who& from) {
  server* least = this;
  {
    std::lock_guard lock(share_.mutex);
    for (server* one : share_.all)
      if (one->load_ < least->load_ - (least == this ? 1 : 0)) least = one;
    if (least != this) {
      --load_;
      ++least->load_;
    }
  }
  if (least == this) return begin(std::move(peer), from);
  auto moved = std::make_shared<owned_descriptor>(peer.release());
  // It does not end before this has come.
  const bool posted = here_.group().post(least->here_, [moved, least, from] {
    auto there = stream::adopt(least->here_, std::move(*moved));
    if (there)
      least->begin(std::move(*there), from);
    else
      least->forget(from);
    least->arrived_.notify_all();
  });
  if (!posted) --share_.connections;
}

template <class Kind>
void server<Kind>::begin(stream peer, const who& from) {
  const auto start = [&] { clients_.adopt(*new client(from, handler_(std::move(peer)))); };
#ifdef __cpp_exceptions
  try {
    start();
  } catch (...) {  // A handler that is no coroutine; or memory is out.
    if (!thrown_) thrown_ = std::current_exception();
    forget(from);
  }
#else
  start();
#endif
}

template <class Kind>
void server<Kind>::client_ended(const client& c, result<void> how) {
  if (how || options_.watch == nullptr || !options_.watch->client_failed) return;
  options_.watch->client_failed(Kind::name_of(c.me), how.error());
}

}  // namespace soquete::detail
