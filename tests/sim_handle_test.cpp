// Simulated descriptors: handed from one to another, owned, counted, never leaked.  docs/simulation.md
#include <gtest/gtest.h>

#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <vector>

#include "echo.hpp"
#include "on_each_driver.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// Runs it on a host by itself and tells what the world says of it.
std::string told_of(sim::program what, const sim::host_options& options = {}) {
  sim::world w(1);
  w.host("only", options).spawn(std::move(what));
  w.run_for(1h);
  return w.failure();
}

std::size_t open_sockets(loop& here) { return here.net().counts().sockets; }

// Sends one descriptor along.
task<result<void>> pass(local::seqpacket& to, owned_descriptor what) {
  const std::vector<owned_descriptor> all = [&] {
    std::vector<owned_descriptor> one;
    one.push_back(std::move(what));
    return one;
  }();
  co_return co_await to.send("take it", all);
}

TEST(sim_handles, a_tcp_connection_goes_on_with_the_one_who_got_it) {
  sim::world w(1);
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
  // One program accepts and gives away, the other talks: as processes of one host do.
  server.spawn([]() -> task<result<void>> {
    auto door = co_await ok(tcp::listen(":7"));
    auto line = co_await ok(local::listen_seqpacket("unix:/workers"));
    auto worker = co_await ok(line.accept());
    for (int i = 0; i != 3; ++i) {
      auto peer = co_await ok(door.accept());
      co_await ok(pass(worker, peer.release()));
    }
    co_return {};
  });
  server.spawn([]() -> task<result<void>> {
    loop& here = co_await this_loop();
    co_await ok(sleep(1ms));
    auto line = co_await ok(local::connect_seqpacket("unix:/workers"));
    for (int i = 0; i != 3; ++i) {
      local::message m = co_await ok(line.receive());
      auto peer = co_await ok(tcp::stream::adopt(here, std::move(m.handles.at(0))));
      EXPECT_FALSE(peer.peer().is_empty());
      lease asked = co_await ok(peer.receive());
      co_await ok(peer.send("worker: " + std::string(asked.text())));
    }
    co_return {};
  });
  client.spawn([]() -> task<result<void>> {
    co_await ok(sleep(2ms));
    for (int i = 0; i != 3; ++i) {
      auto peer = co_await ok(tcp::connect("server:7"));
      co_await ok(peer.send("hello"));
      lease got = co_await ok(peer.receive());
      EXPECT_EQ(got.text(), "worker: hello");
    }
    co_return {};
  });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_handles, a_host_takes_as_many_as_it_may_have_open_and_closes_the_others) {
  EXPECT_EQ(told_of(
                []() -> task<result<void>> {
                  loop& here = co_await this_loop();
                  auto line = co_await ok(local::seqpacket_pair());
                  auto ends = co_await ok(open_pipe(here));
                  std::vector<owned_descriptor> many;
                  many.push_back(ends.writing.release());
                  // 4 are open; 12 more go along.
                  while (many.size() != 12) many.push_back(co_await ok(many[0].duplicate()));
                  auto refused = many[0].duplicate();
                  EXPECT_FALSE(refused);
                  if (!refused) EXPECT_EQ(refused.error(), std::errc::too_many_files_open);
                  co_await ok(line.first.send("x", many));
                  while (many.size() != 3) many.pop_back();  // 9 come free.
                  {
                    local::message m = co_await ok(line.second.receive());
                    EXPECT_EQ(m.handles.size(), 9U);
                    EXPECT_TRUE(m.handles_lost);
                    EXPECT_FALSE(here.net().copy_of(ends.reading.number()));
                  }
                  EXPECT_TRUE(here.net().copy_of(ends.reading.number()));
                  many.clear();
                  lease end = co_await ok(ends.reading.receive());
                  EXPECT_TRUE(end.empty());
                  co_return {};
                },
                {.descriptor_limit = 15}),
            "");
}

TEST(sim_handles, what_travels_stays_open_until_it_is_received_or_can_be_no_more) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              loop& here = co_await this_loop();
              auto ends = co_await ok(open_pipe(here));
              {
                auto line = co_await ok(local::seqpacket_pair());
                co_await ok(pass(line.first, ends.writing.release()));
                EXPECT_TRUE(fails_with(co_await within(1ms, ends.reading.receive()), std::errc::timed_out));
                line.first.close();
                EXPECT_TRUE(fails_with(co_await within(1ms, ends.reading.receive()), std::errc::timed_out));
              }
              lease end = co_await ok(ends.reading.receive());
              EXPECT_TRUE(end.empty());
              EXPECT_EQ(open_sockets(here), 1U);
              co_return {};
            }),
            "");
}

// Each of two sockets travels in the other's line, or in its own, and nobody can receive from either.
TEST(sim_handles, sockets_that_only_each_other_has_are_closed) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              loop& here = co_await this_loop();
              auto ends = co_await ok(open_pipe(here));
              {
                auto one = co_await ok(local::seqpacket_pair());
                auto other = co_await ok(local::seqpacket_pair());
                co_await ok(pass(one.first, ends.writing.release()));
                co_await ok(pass(one.first, co_await ok(here.net().copy_of(other.second.descriptor()))));
                co_await ok(pass(other.first, co_await ok(here.net().copy_of(one.second.descriptor()))));
                co_await ok(pass(other.first, co_await ok(here.net().copy_of(other.second.descriptor()))));
                EXPECT_EQ(open_sockets(here), 6U);
              }
              EXPECT_EQ(open_sockets(here), 1U);
              lease end = co_await ok(ends.reading.receive());
              EXPECT_TRUE(end.empty());
              co_return {};
            }),
            "");
}

TEST(sim_handles, those_of_a_connection_that_nobody_accepted_are_closed) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              loop& here = co_await this_loop();
              auto door = co_await ok(local::listen_seqpacket("unix:@door"));
              auto client = co_await ok(local::connect_seqpacket("unix:@door"));
              auto ends = co_await ok(open_pipe(here));
              co_await ok(pass(client, ends.writing.release()));
              EXPECT_EQ(open_sockets(here), 4U);
              door.close();
              EXPECT_EQ(open_sockets(here), 2U);
              lease end = co_await ok(ends.reading.receive());
              EXPECT_TRUE(end.empty());
              co_return {};
            }),
            "");
}

TEST(sim_handles, two_may_hold_one_listener_and_it_listens_until_both_have_closed) {
  EXPECT_EQ(told_of([]() -> task<result<void>> {
              loop& here = co_await this_loop();
              auto first = co_await ok(tcp::listen("127.0.0.1:7"));
              auto second = co_await ok(
                  tcp::listener::adopt(here, co_await ok(here.net().copy_of(first.descriptor()))));
              EXPECT_NE(first.descriptor(), second.descriptor());
              auto accept = [](tcp::listener& door) -> task<result<void>> {
                auto peer = co_await ok(door.accept());
                co_return co_await peer.send("in");
              };
              auto body = [&](scope& s) -> task<result<void>> {
                s.spawn(accept(first));
                s.spawn(accept(second));
                for (int i = 0; i != 2; ++i) {
                  auto client = co_await ok(tcp::connect("127.0.0.1:7"));
                  lease got = co_await ok(client.receive());
                  EXPECT_EQ(got.text(), "in");
                }
                co_return {};
              };
              co_await ok(with_scope(body));
              first.close();
              auto client = co_await ok(tcp::connect("127.0.0.1:7"));
              auto server = co_await ok(second.accept());
              second.close();
              EXPECT_TRUE(fails_with(co_await tcp::connect("127.0.0.1:7"), std::errc::connection_refused));
              co_return {};
            }),
            "");
}

TEST(sim_handles, one_that_is_kept_is_told_and_means_nothing_after_a_crash) {
  owned_descriptor kept;
  const auto keep = [&]() -> task<result<void>> {
    auto s = co_await ok(local::open_datagram());
    kept = s.release();
    co_return {};
  };
  {
    sim::world w(1);
    w.host("host").spawn(keep);
    w.run_for(1h);
    EXPECT_NE(w.failure().find("left host host: 1 sockets open"), std::string::npos) << w.failure();
    kept = owned_descriptor();
  }
  sim::world w(1);
  sim::host& host = w.host("host");
  host.spawn([&]() -> task<result<void>> {
    loop& here = co_await this_loop();
    if (kept.is_open()) {
      // The same number is another socket's now.
      auto s = co_await ok(local::open_datagram());
      EXPECT_EQ(s.descriptor(), kept.descriptor());
      EXPECT_FALSE(kept.duplicate());
      EXPECT_TRUE(fails_with(local::datagram::adopt(here, std::move(kept)), std::errc::bad_file_descriptor));
      EXPECT_TRUE(s.local());
      co_return {};
    }
    co_return co_await keep();
  });
  w.at(1s, [&] { host.crash(); });
  w.at(2s, [&] { host.restart(); });
  w.run_for(1h);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_handles, a_crash_takes_those_that_travel_along) {
  sim::world w(1);
  sim::host& host = w.host("host");
  host.spawn([]() -> task<result<void>> {
    auto line = co_await ok(local::seqpacket_pair());
    auto inner = co_await ok(local::seqpacket_pair());
    auto held = co_await ok(local::open_datagram());
    co_await ok(pass(inner.first, held.release()));
    co_await ok(pass(line.first, inner.second.release()));
    for (;;) co_await ok(sleep(1h));
  });
  w.at(1s, [&] { host.crash(); });
  w.run_for(1min);
  EXPECT_EQ(w.failure(), "");
}

TEST(sim_handles, bytes_that_a_descriptor_brings_along_are_read_first) {
  EXPECT_EQ(
      told_of([]() -> task<result<void>> {
        loop& here = co_await this_loop();
        auto both = co_await ok(local::pair());
        co_await ok(both.first.send("late"));
        for (const bool is_message : {false, true}) {
          owned_descriptor whole = both.second.release();
          whole.set_unread({std::byte{'e'}, std::byte{'a'}, std::byte{'r'}, std::byte{'l'}, std::byte{'y'}});
          both.second = co_await ok(local::stream::adopt(here, std::move(whole)));
          std::array<std::byte, 2> few;
          EXPECT_EQ(co_await ok(both.second.receive(few)), 2U);
          co_await ok(both.second.readable());
          if (is_message) {
            local::message rest = co_await ok(both.second.receive_message());
            EXPECT_EQ(rest.payload.text(), "rly");
          } else {
            // Let go of once more, the rest goes along.
            both.second = co_await ok(local::stream::adopt(here, both.second.release()));
            lease rest = co_await ok(both.second.receive());
            EXPECT_EQ(rest.text(), "rly");
          }
        }
        lease late = co_await ok(both.second.receive());
        EXPECT_EQ(late.text(), "late");
        co_return {};
      }),
      "");
}

TEST(sim_handles, more_than_a_host_may_have_open_are_not_on_their_way_at_a_time) {
  EXPECT_EQ(told_of(
                []() -> task<result<void>> {
                  auto line = co_await ok(local::seqpacket_pair());
                  std::vector<owned_descriptor> some;
                  for (int i = 0; i != 4; ++i)
                    some.push_back((co_await ok(local::open_datagram())).release());
                  for (int i = 0; i != 3; ++i) co_await ok(line.first.send("x", some));
                  const auto refused = co_await line.first.send("x", some);
                  EXPECT_TRUE(fails_with(refused, static_cast<std::errc>(ETOOMANYREFS)));
                  const local::message m = co_await ok(line.second.receive());
                  EXPECT_EQ(m.handles.size(), 2U);
                  co_return {};
                },
                {.descriptor_limit = 8}),
            "");
}

// A server handed over while the host has faults: whatever happens, the port is served again.
TEST(sim_handles, a_server_is_handed_over_under_faults_and_no_client_is_refused) {
  sim::check({.seeds = 100}, [](sim::world& w) {
    sim::host& server = w.host("server");
    sim::host& client = w.host("client");
    w.faults(sim::swarm()
                 .without(sim::fault::crash)
                 .without(sim::fault::refuse)
                 .without(sim::fault::reset)
                 .without(sim::fault::exhaust)
                 .without(sim::fault::name));
    for (int generation = 0; generation != 3; ++generation)
      server.spawn([&w, generation]() -> task<result<void>> {
        co_await ok(sleep(generation * 5s));
        auto how = co_await tcp::serve(":7", echo<tcp::stream>, {.drain = 1min, .handover = "unix:/door"});
        w.always(how.has_value() || how.error() == std::errc::timed_out, "it serves");
        co_return {};
      });
    client.spawn([&w]() -> task<result<void>> {
      co_await ok(sleep(1s));
      for (int i = 0; i != 15; ++i) {
        auto peer = co_await within(30s, tcp::connect("server:7"));
        w.always(peer || peer.error() == std::errc::timed_out, "nobody is refused");
        if (!peer) continue;
        const auto sent = co_await within(30s, peer->send("x"));
        if (sent) static_cast<void>(co_await within(30s, peer->receive()));
        co_await ok(sleep(1s));
      }
      co_return {};
    });
    w.run_for(1h);
  });
}

}  // namespace
}  // namespace soquete::test
