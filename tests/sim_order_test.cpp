// What may come between two steps of a program: sim::fault::order.  docs/simulation.md
#include <gtest/gtest.h>

#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Accepts, and resets at once.
task<result<void>> accept_and_abort() {
  auto l = co_await ok(tcp::listen(":7"));
  for (;;) {
    tcp::stream peer = co_await ok(l.accept());
    peer.abort();
  }
}

TEST(sim_order, who_is_held_up_may_hear_of_the_reset_before_the_connection) {
  const auto told = sim::check({.seeds = 500}, [](sim::world& w) {
    w.usual_link({.delay = {100us, 1ms}});
    w.faults(sim::swarm().only(sim::fault::order));
    sim::host& server = w.host("server");
    server.spawn(accept_and_abort);
    w.host("client").spawn([&]() -> task<result<void>> {
      const endpoint to(server.addresses()[0], 7);  // A name has a second one to try.
      for (int i = 0; i != 5; ++i) {
        auto peer = co_await tcp::connect(to);
        w.sometimes(peer.has_value(), "the connection is heard of");
        w.sometimes(!peer, "only the reset is heard of");
        if (!peer) {
          w.always(peer.error() == std::errc::connection_reset, "a reset is a reset");
          continue;
        }
        const auto got = co_await peer->receive();
        w.always(!got && got.error() == std::errc::connection_reset, "the reset is told once");
      }
      co_return {};
    });
    w.run_for(1h);
  });
  EXPECT_GT(told.struck[static_cast<std::size_t>(sim::fault::order)], 0U);
}

// Listens, and closes within a few microseconds of the connection.
task<result<void>> listen_for_a_moment(sim::world& w) {
  auto l = co_await ok(tcp::listen(":7"));
  co_return co_await sleep(std::chrono::microseconds(w.number(40)));
}

TEST(sim_order, a_listener_that_closes_may_forget_a_connection_which_then_hears_only_when_it_sends) {
  sim::check({.seeds = 500}, [](sim::world& w) {
    w.faults(sim::swarm().only(sim::fault::order));
    sim::host& only = w.host("only");
    only.spawn([&w] { return listen_for_a_moment(w); });
    only.spawn([&w]() -> task<result<void>> {
      auto peer = co_await tcp::connect(endpoint(address::loopback_v4(), 7));
      if (!peer) co_return {};
      auto got = co_await within(1min, peer->receive());
      const bool is_forgotten = !got && got.error() == std::errc::timed_out;
      w.sometimes(is_forgotten, "it hears nothing");
      w.sometimes(!got && got.error() == std::errc::connection_reset, "it hears of a reset");
      if (!is_forgotten) co_return {};
      co_await ok(peer->send("anybody?"));
      got = co_await within(1min, peer->receive());
      w.always(!got && got.error() == std::errc::connection_reset, "who sends is answered by a reset");
      co_return {};
    });
    w.run_for(1h);
  });
}

}  // namespace
}  // namespace soquete::test
