// A server: accepts within limits, keeps clients to the end, ends in order.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <soquete/deadline.hpp>
#include <soquete/event.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>
#include <unordered_map>

#include "tcp_open.hpp"

namespace soquete::tcp {
namespace {

using namespace std::chrono_literals;

// Descriptors may come free elsewhere in the process, where nobody tells us.
constexpr auto accept_pause = 100ms;

class server;

// What the servers of all loops share.
struct serve_share : group_share {
  std::mutex mutex;
  bool is_open = false;
  std::optional<error> failure;
  std::vector<endpoint> bound;  // Empty: one loop has an inherited listener.
  std::atomic<std::size_t> connections = 0;
  std::unordered_map<address, std::size_t> of_address;
  std::vector<server*> waiting_for_room;
};

class server {
 public:
  server(loop& here, serve_share& share, const serve_options& options, client_handler& handler)
      : here_(here), share_(share), options_(options), handler_(handler), clients_({&here, nullptr}) {}

  task<result<void>> run(where on) {
    co_await ok(open(on));
    auto accepting = [this](scope& s) -> task<result<void>> { return accept_all(s); };
    result<void> ended = co_await with_scope(accepting);
    listeners_.clear();
    const bool was_asked = co_await detail::is_cancelled();
    co_await drain(was_asked);
    if (was_asked) co_return {};
    co_return ended;
  }

 private:
  // A client: its task, and its place in the counts.
  struct client final : detail::scope_child {
    client(server& s, const endpoint& from, task<result<void>> t)
        : of(s), peer(who_is(from)), port(from.port()), work(std::move(t)) {
      wake = [](waiter* w) noexcept {
        auto* self = static_cast<client*>(w);
        self->wake = &over;
        if (!self->work.begin({&self->of.here_, &self->cancel}, self)) over(self);
      };
      describe = [](const detail::scope_child& c, suspension_report& report) {
        static_cast<const client&>(c).work.describe(report);
      };
    }
    static void over(waiter* w) noexcept {
      const owned<client> self(static_cast<client*>(w));
      std::exception_ptr thrown = self->work.exception();
      if (!thrown) self->of.client_ended(*self, self->work.take());
      self->of.forget(self->peer);
      self->owner->child_ended(*self, std::move(thrown), nullptr);
    }
    server& of;
    address peer;
    std::uint16_t port;
    task<result<void>>::awaiter work;
  };

  result<void> open(const where& on);
  result<opened_listeners> open_first(const where& on);
  task<result<void>> accept_all(scope& s);
  task<result<void>> accept_from(listener& l);
  task<result<void>> wait_for_room();
  task<result<void>> wait_for_descriptors();
  enum class claim : std::uint8_t { granted, full, too_many_of_address };
  claim claim_place(const address& from);
  static address who_is(const endpoint& client) {
    return client.is_ip() ? client.addr().unmapped() : address();
  }
  task<result<void>> admit(stream peer);
  void forget(const address& from);
  void client_ended(const client& c, result<void> how);
  task<void> drain(bool in_peace);

  loop& here_;
  serve_share& share_;
  const serve_options& options_;
  client_handler& handler_;
  std::vector<listener> listeners_;
  event client_left_;
  scope clients_;
};

result<opened_listeners> server::open_first(const where& on) {
  const bool is_alone = here_.group().size() == 1;
  auto opened =
      open_listeners(here_, on, options_.listen, is_alone ? sharing::as_asked : sharing::among_loops);
  if (!opened || opened->are_inherited) return opened;
  for (const listener& l : opened->all) {
    auto at = l.local();
    if (!at) return fail(std::move(at.error()));
    share_.bound.push_back(*at);
  }
  return opened;
}

result<void> server::open(const where& on) {
  std::lock_guard lock(share_.mutex);
  if (share_.failure) return fail(*share_.failure);
  if (!share_.is_open) {
    auto opened = open_first(on);
    if (!opened) {
      share_.failure = opened.error();
      return fail(std::move(opened.error()));
    }
    share_.is_open = true;
    listeners_ = std::move(opened->all);
    for (const listener& l : listeners_)
      if (options_.watch != nullptr && options_.watch->listening)
        if (auto at = l.local()) options_.watch->listening(*at);
    return {};
  }
  listen_options how = options_.listen;
  how.reuse_port = true;
  for (const endpoint& at : share_.bound) {
    auto got = open_listener(here_, at, how);
    if (!got) return fail(std::move(got.error()));
    listeners_.push_back(std::move(*got));
  }
  return {};
}

task<result<void>> server::accept_all(scope& s) {
  for (listener& l : listeners_) s.spawn(accept_from(l));
  // A loop without a listener of its own is asked to end like the others.
  while (listeners_.empty()) co_await ok(client_left_.wait());
  co_return {};
}

// Errors of one connection, which accept(2) tells on the listener.
bool is_of_one_connection(const error& why) {
  constexpr std::array passing{
      std::errc::connection_aborted,      std::errc::protocol_error,         std::errc::network_down,
      std::errc::host_unreachable,        std::errc::network_unreachable,    std::errc::no_protocol_option,
      std::errc::operation_not_permitted, std::errc::operation_not_supported};
  return std::any_of(passing.begin(), passing.end(), [&](std::errc one) { return why == one; });
}

bool is_of_resources(const error& why) {
  return why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system ||
         why == std::errc::no_buffer_space || why == std::errc::not_enough_memory;
}

task<result<void>> server::accept_from(listener& l) {
  for (;;) {
    co_await ok(wait_for_room());
    auto peer = co_await l.accept();
    if (peer) {
      co_await ok(admit(std::move(*peer)));
    } else if (is_of_resources(peer.error())) {
      if (options_.watch != nullptr && options_.watch->accept_paused)
        options_.watch->accept_paused(peer.error());
      co_await ok(wait_for_descriptors());
    } else if (!is_of_one_connection(peer.error())) {
      co_return fail(std::move(peer.error()));
    }
  }
}

// Clients that leave make room; but not each of them is worth an accept that may fail again.
task<result<void>> server::wait_for_descriptors() {
  const std::size_t now = clients_.size();
  const std::size_t enough = now - std::min(now, std::max<std::size_t>(1, now / 8));
  const time_point end = here_.now() + accept_pause;
  while ((clients_.size() > enough || now == 0) && here_.now() < end) {
    auto changed = co_await within(end - here_.now(), client_left_.wait());
    if (!changed && co_await detail::is_cancelled()) co_return fail(std::move(changed.error()));
  }
  co_return {};
}

task<result<void>> server::wait_for_room() {
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

server::claim server::claim_place(const address& from) {
  if (options_.max_connections == 0 && options_.max_per_address == 0)
    return ++share_.connections, claim::granted;
  std::lock_guard lock(share_.mutex);
  if (options_.max_connections != 0 && share_.connections >= options_.max_connections) return claim::full;
  if (options_.max_per_address != 0) {
    std::size_t& count = share_.of_address[from];
    if (count >= options_.max_per_address) return claim::too_many_of_address;
    ++count;
  }
  ++share_.connections;
  return claim::granted;
}

void server::forget(const address& from) {
  --share_.connections;
  if (options_.max_per_address != 0 || options_.max_connections != 0) {
    std::lock_guard lock(share_.mutex);
    if (const auto found = share_.of_address.find(from);
        found != share_.of_address.end() && --found->second == 0)
      share_.of_address.erase(found);
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

task<result<void>> server::admit(stream peer) {
  const endpoint from = peer.peer();
  claim got = claim_place(who_is(from));
  // Another loop has taken the last place since we looked.
  for (; got == claim::full; got = claim_place(who_is(from))) co_await ok(wait_for_room());
  if (got == claim::too_many_of_address) {
    peer.abort();
    co_return {};
  }
  if (options_.watch != nullptr && options_.watch->admit && !options_.watch->admit(peer)) {
    forget(who_is(from));
    peer.abort();
    co_return {};
  }
  clients_.adopt(*new client(*this, from, handler_(std::move(peer))));
  co_return {};
}

void server::client_ended(const client& c, result<void> how) {
  if (how || options_.watch == nullptr || !options_.watch->client_failed) return;
  options_.watch->client_failed(endpoint(c.peer, c.port), how.error());
}

task<void> server::drain(bool in_peace) {
  struct cut : timer {
    scope& clients;
    explicit cut(scope& s) : clients(s) {
      fire = [](timer* t) noexcept { static_cast<cut*>(t)->clients.cancel(); };
    }
  } at_the_end(clients_);
  if (!in_peace || options_.drain <= 0ns) {
    clients_.cancel();
  } else if (clients_.size() != 0) {
    if (options_.watch != nullptr && options_.watch->draining) options_.watch->draining(clients_.size());
    here_.timers().arm(at_the_end, detail::moment_after(here_.now(), options_.drain));
  }
  co_await scope::join(clients_);
  here_.timers().disarm(at_the_end);
}

task<result<void>> serve_parsed(where on, std::string text, client_handler handler, serve_options options) {
  loop& here = co_await this_loop();
  auto& share = here.group().share<serve_share>(here, text);
  server one(here, share, options, handler);
  co_return co_await one.run(std::move(on));
}

task<result<void>> serve_failing(error why) { co_return fail(std::move(why)); }

}  // namespace

task<result<void>> serve(std::string_view on, client_handler handler, serve_options options) {
  auto parsed = parse_where(on);
  if (!parsed) return serve_failing(std::move(parsed.error()));
  return serve_parsed(std::move(*parsed), std::string(on), std::move(handler), options);
}

}  // namespace soquete::tcp
