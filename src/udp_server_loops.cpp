// A server of datagrams on several loops: who has which socket, and who has which session.
#include <algorithm>
#include <memory>

#include "serve_scope.hpp"
#include "udp_server.hpp"

namespace soquete::udp::detail {
namespace {

using namespace std::chrono_literals;

// How long what comes for a loop that does not serve yet may wait in the kernel.
constexpr auto patience_time = 100ms;
// What a socket's usual buffer holds of small datagrams, several times over.
constexpr std::size_t coming_max = 1024;

}  // namespace

void serve_share::post_to(server& whom, std::function<void(server&)> what) {
  whom.here_.group().post(whom.here_, [this, to = &whom, what = std::move(what)] {
    std::unique_lock lock(mutex);
    if (std::find(all.begin(), all.end(), to) == all.end()) {
      if (!all.empty()) post_to(*all.front(), what);
      return;
    }
    lock.unlock();
    what(*to);
  });
}

void serve_share::forget(places::iterator one) {
  --one->second.on->load_;
  if (const auto counted = of_address.find(one->first.peer.addr().unmapped()); counted != of_address.end())
    if (--counted->second == 0) of_address.erase(counted);
  sessions.erase(one);
}

// Sockets ------------------------------------------------------------------------------------------------

// The loop that comes first opens all sockets, so that no datagram is received before the kernel knows all of
// those among which it spreads the peers.
result<void> server::open(const where& on) {
  std::lock_guard lock(share_.mutex);
  if (share_.failure) return fail(*share_.failure);
  const bool is_first = share_.all.empty();
  auto opened = is_first ? open_first(on) : claim_sockets();
  if (opened && is_first) opened = soquete::detail::announce(options_.watch, sockets_);
  if (!opened) {
    if (is_first) share_.failure = opened.error();
    return opened;
  }
  share_.all.push_back(this);
  is_serving_ = true;
  if (!has_own_sockets_) ++share_.without_sockets;
  for (std::uint32_t door = 0; has_own_sockets_ && door != sockets_.size(); ++door)
    receivers_.spawn(receive_from(door, sockets_[door]));
  return {};
}

result<void> server::open_first(const where& on) {
  auto opened = open_sockets(here_, on, options_.bind, here_.group().size());
  if (!opened) return fail(std::move(opened.error()));
  sockets_ = std::move(opened->all);
  has_own_sockets_ = true;
  share_.unclaimed = std::move(opened->of_others);
  // A program need not serve on all of its loops.
  patience_.fire = [](timer* t) noexcept {
    server& s = *static_cast<patience*>(t)->of;
    std::unique_lock lock(s.share_.mutex);
    std::vector<bequest> taken = s.take_unclaimed();
    lock.unlock();
    s.receive_for_others(std::move(taken));
  };
  if (!share_.unclaimed.empty()) here_.timers().arm(patience_, here_.now() + patience_time);
  return {};
}

// Those meant for this loop; or, where there are none, copies for sending.
result<void> server::claim_sockets() {
  std::vector<owned_descriptor> mine;
  has_own_sockets_ = !share_.unclaimed.empty();
  if (has_own_sockets_) {
    mine = std::move(share_.unclaimed.back());
    share_.unclaimed.pop_back();
  } else {
    for (const socket& one : share_.all.front()->sockets_) {
      auto copy = here_.net().copy_of(one.descriptor());
      if (!copy) return fail(std::move(copy.error()));
      mine.push_back(std::move(*copy));
    }
  }
  for (owned_descriptor& one : mine) {
    auto adopted = socket::adopt(here_, std::move(one));
    if (!adopted) return fail(std::move(adopted.error()));
    sockets_.push_back(std::move(*adopted));
  }
  return {};
}

std::vector<server::bequest> server::take_unclaimed() {
  std::vector<bequest> taken;
  for (auto& of_loop : share_.unclaimed)
    for (std::uint32_t door = 0; door != of_loop.size(); ++door)
      taken.push_back({door, std::move(of_loop[door])});
  share_.unclaimed.clear();
  return taken;
}

void server::receive_for_others(std::vector<bequest> all) {
  for (bequest& one : all) {
    auto adopted = socket::adopt(here_, std::move(one.it));
    if (!adopted) return end_with(std::move(adopted.error()));
    foster& kept = fosters_.emplace_back(one.door, std::move(*adopted));
    receivers_.spawn(receive_from(one.door, kept.it));
  }
}

// From here on new sessions, those on their way here among them, begin elsewhere.
void server::stop_serving() {
  std::lock_guard lock(share_.mutex);
  is_serving_ = false;
  if (!has_own_sockets_) --share_.without_sockets;
  for (auto one = share_.sessions.begin(); one != share_.sessions.end();) {
    const auto here = one++;
    if (here->second.on == this && !open_.contains(here->first)) share_.forget(here);
  }
}

// A socket that were closed would take what waits in it along, and the kernel would spread all peers anew: as
// long as another loop serves, it goes there.
void server::leave() {
  here_.timers().disarm(patience_);
  std::lock_guard lock(share_.mutex);
  assert(load_ == 0);
  std::erase(share_.all, this);
  const auto heir =
      std::find_if(share_.all.begin(), share_.all.end(), [](const server* one) { return one->is_serving_; });
  std::vector<bequest> left = take_unclaimed();
  if (heir != share_.all.end()) {
    for (std::uint32_t door = 0; has_own_sockets_ && door != sockets_.size(); ++door)
      left.push_back({door, sockets_[door].release()});
    for (foster& one : fosters_) left.push_back({one.door, one.it.release()});
    auto moved = std::make_shared<std::vector<bequest>>(std::move(left));
    share_.post_to(**heir, [moved](server& to) { to.receive_for_others(std::move(*moved)); });
  }
  sockets_.clear();
  fosters_.clear();
}

// Sessions -----------------------------------------------------------------------------------------------

// Where the session of a peer is that has none here; or is to begin: then it has its place from now on. Null:
// nowhere, and the datagram is dropped.
server* server::place_of(const session_key& key) {
  std::unique_lock lock(share_.mutex);
  const auto found = share_.sessions.find(key);
  const bool is_new = found == share_.sessions.end();
  server* const at = is_new ? least_busy() : found->second.on;
  if (at == nullptr) return nullptr;
  if (at != this && at->coming_ >= coming_max) {
    if (!is_new) ++found->second.dropped;
    return nullptr;
  }
  if (is_new && !has_room(key.peer.addr().unmapped())) {
    lock.unlock();
    if (options_.watch != nullptr && options_.watch->refused) options_.watch->refused(key.peer);
    return nullptr;
  }
  if (is_new) {
    share_.sessions.emplace(key, serve_share::place{at});
    ++at->load_;
  }
  if (at != this) ++at->coming_;
  return at;
}

// Is there room for one more session of this peer? Then it is counted.
bool server::has_room(const address& peer) {
  if (share_.sessions.size() >= std::max<std::size_t>(options_.max_sessions, 1)) return false;
  if (options_.max_per_address == 0) return true;
  std::size_t& count = share_.of_address[peer];
  if (count >= options_.max_per_address) return false;
  ++count;
  return true;
}

// The kernel has chosen this loop; unless there is one that it cannot choose.
server* server::least_busy() {
  if (is_serving_ && share_.without_sockets == 0) return this;
  server* least = is_serving_ ? this : nullptr;
  for (server* one : share_.all)
    if (one->is_serving_ && (least == nullptr || one->load_ < least->load_)) least = one;
  return least;
}

// A peer that has more to say keeps its place for the next session.
void server::give_place_back(entry& e, bool has_more) {
  std::lock_guard lock(share_.mutex);
  const auto found = share_.sessions.find(e.key);
  const std::uint64_t dropped = std::exchange(found->second.dropped, 0);
  e.counts_.received += dropped;
  e.counts_.dropped += dropped;
  if (!has_more || !is_serving_) share_.forget(found);
}

void server::give_place_back(const session_key& key) {
  std::lock_guard lock(share_.mutex);
  share_.forget(share_.sessions.find(key));
}

// Sends what was put aside to the loops that have the sessions.
void server::pass_on() {
  while (!away_.empty()) {
    auto next = away_.extract(away_.begin());
    server* const to = next.key();
    auto part = std::make_shared<std::vector<passed>>(std::move(next.mapped()));
    std::unique_lock lock(share_.mutex);
    if (std::find(share_.all.begin(), share_.all.end(), to) != share_.all.end()) {
      share_.post_to(*to, [part, to](server& at) {
        if (&at == to) {
          std::lock_guard arrived(at.share_.mutex);
          at.coming_ -= part->size();
        }
        for (passed& one : *part) at.deliver(one.door, one.what.about(), &one.what);
        at.pass_on();
      });
      continue;
    }
    // It has left in between, and its sessions with it.
    lock.unlock();
    for (passed& one : *part) deliver(one.door, one.what.about(), &one.what);
  }
}

}  // namespace soquete::udp::detail
