// Services that need no second peer: echo, discard, zero.  RFC 862, RFC 863
#include <algorithm>
#include <array>
#include <soquete/deadline.hpp>
#include <soquete/scope.hpp>

#include "relay.hpp"

namespace command {
namespace {

using namespace soquete;
using namespace std::chrono_literals;

constexpr std::array<std::byte, 64 * 1024> zeros{};

class service {
 public:
  service(peer& client, const join_options& how, conversation& told)
      : client_(client), most_(how.address.count), told_(told) {}

  task<result<void>> run(scheme which) {
    if (client_.keeps_bounds() && (which != scheme::zero || !client_.is_connection())) return answer(which);
    if (which == scheme::echo) return echo();
    if (which == scheme::discard) return discard();
    return zero();
  }

 private:
  // Each message by itself. Of zeros as many as have come: more would turn anybody's forged questions into a
  // flood against somebody else.  RFC 862, RFC 863
  task<result<void>> answer(scheme which) {
    do {
      const record one = co_await ok(client_.messages().receive());
      if (one.is_end()) break;
      const bytes payload = one.payload();
      told_.up += payload.size();
      ++told_.up_messages;
      if (which == scheme::discard) continue;
      // Not chosen within the await: GCC 12 would evaluate both.
      const std::vector<std::byte> as_many(which == scheme::zero ? payload.size() : 0);
      const bytes answer = which == scheme::zero ? bytes(as_many) : payload;
      co_await ok(client_.messages().send(answer));
      told_.down += payload.size();
      ++told_.down_messages;
    } while (told_.up_messages != most_);
    co_return client_.finish();
  }

  task<result<void>> echo() {
    for (;;) {
      lease data = co_await ok(client_.receive());
      if (data.empty()) co_return client_.finish();
      told_.up += data.size();
      co_await ok(client_.send(data.bytes()));
      told_.down += data.size();
    }
  }

  task<result<void>> discard() {
    for (;;) {
      const lease data = co_await ok(client_.receive());
      if (data.empty()) co_return client_.finish();
      told_.up += data.size();
    }
  }

  // To the end of the connection, which is how a client says that it has had enough.
  task<result<void>> zero() {
    auto both = [this](scope& s) -> task<result<void>> {
      if (client_.is_connection()) s.spawn(discard_beside());
      s.spawn(send_zeros());
      co_return {};
    };
    auto ended = co_await with_scope(both);
    const bool had_enough =
        !ended && !client_.is_standard() &&
        (ended.error() == std::errc::broken_pipe || ended.error() == std::errc::connection_reset);
    if (had_enough) co_return {};
    co_return ended;
  }

  task<result<void>> discard_beside() {
    while (client_.keeps_bounds()) {
      const record one = co_await ok(client_.messages().receive());
      if (one.is_end()) co_return {};
      told_.up += one.payload().size();
      ++told_.up_messages;
    }
    for (;;) {
      const lease data = co_await ok(client_.receive());
      if (data.empty()) co_return {};
      told_.up += data.size();
    }
  }
  task<result<void>> send_zeros() {
    while (client_.keeps_bounds()) {
      const std::size_t size = std::min(zeros.size(), client_.messages().size_max());
      co_await ok(client_.messages().send(bytes(zeros).first(size)));
      told_.down += size;
      ++told_.down_messages;
    }
    for (;;) {
      co_await ok(client_.send(bytes(zeros)));
      told_.down += zeros.size();
    }
  }

  peer& client_;
  std::uint64_t most_;
  conversation& told_;
};

// Ends when nothing has moved for so long, which is in order where nothing else can.
task<result<void>> watch_idle(std::chrono::nanoseconds idle, bool is_in_order, conversation& told, scope& s) {
  for (std::uint64_t before = told.up + told.down;;) {
    co_await ok(sleep(idle));
    const std::uint64_t now = told.up + told.down;
    if (now == before) break;
    before = now;
  }
  told.was_idle = true;
  if (is_in_order) {
    s.cancel();
    co_return {};
  }
  co_return fail(std::errc::timed_out, step::wait);
}

task<result<void>> run_and_cancel(scheme which, service& one, scope& s) {
  co_await ok(one.run(which));
  s.cancel();
  co_return {};
}

}  // namespace

task<void> serve_here(scheme which, peer& client, const join_options& how, conversation& told) {
  service one(client, how, told);
  result<void> ended;
  if (how.idle > 0ns) {
    auto watched = [&](scope& s) -> task<result<void>> {
      s.spawn(watch_idle(how.idle, !client.has_end(), told, s));
      s.spawn(run_and_cancel(which, one, s));
      co_return {};
    };
    ended = co_await with_scope(watched);
  } else {
    ended = co_await one.run(which);
  }
  if (child* const program = client.program()) {
    auto over = co_await program->wait();
    if (!over) co_await client.stop_program();
    told.status = program->status();
  }
  if (!ended) {
    told.why = std::move(ended.error());
    told.failed = conversation::side::address;
    client.abort();
  } else {
    told.ended_first = conversation::side::address;
    client.close();
  }
}

}  // namespace command
