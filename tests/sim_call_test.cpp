// Which calls each_call fails, and with which causes.  docs/simulation.md
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <set>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

// What was asked for, and the errnos that it was told in all runs.
class told_causes {
 public:
  // Only what was told during that step counts: much is done in several.
  template <class T>
  bool note(const std::string& what, step during, const result<T>& got) {
    std::set<int>& all = all_[what];
    if (!got && got.error().during() == during) all.insert(got.error().code().value());
    return got.has_value();
  }
  const std::map<std::string, std::set<int>>& all() const noexcept { return all_; }

 private:
  std::map<std::string, std::set<int>> all_;
};

task<result<void>> ask_for_sockets(told_causes& to) {
  loop& here = co_await this_loop();
  to.note("pipe", step::open, open_pipe(here));
  to.note("signals", step::open, signals::open(here, std::array{SIGHUP}));
  to.note("claim", step::bind, co_await local::listen("unix:/served"));
  to.note("record pair", step::open, co_await local::seqpacket_pair());
  auto both = co_await local::pair();
  if (!to.note("pair", step::open, both)) co_return {};
  const owned_descriptor kept = both->first.release();
  to.note("copy", step::adopt, kept.duplicate());
  co_return {};
}

task<result<void>> ask_of_sockets(sim::world& w, told_causes& to) {
  const auto peer = co_await tcp::connect("server:7");
  if (to.note("look up", step::resolve, peer)) to.note("information", step::get_option, peer->info());
  if (auto one = co_await udp::connect("server:7"); to.note("look up for datagrams", step::resolve, one))
    to.note("dissociate", step::connect, one->disconnect());
  if (const auto both = co_await local::pair())
    w.sometimes(both->first.peer_credentials().uid == std::uint32_t{0xffff'ffff},
                "nobody says who the peer is");
  co_return {};
}

void ask_for_all(sim::world& w, told_causes& to) {
  w.host("server").spawn([] {
    return tcp::serve(":7", [](tcp::stream peer) -> task<result<void>> {
      static_cast<void>(co_await within(1min, peer.receive()));
      co_return {};
    });
  });
  sim::host& client = w.host("client");
  client.spawn([&to] { return ask_for_sockets(to); });
  client.spawn([&w, &to] { return ask_of_sockets(w, to); });
  w.run_for(1h);
}

TEST(sim_call, what_makes_sockets_and_what_is_asked_of_them_fails_with_each_cause) {
  told_causes told;
  sim::each_call({.processes = 1}, [&told](sim::world& w) { ask_for_all(w, told); });
  const std::set<int> of_pair{EMFILE, ENFILE, ENOMEM, EAFNOSUPPORT};
  const std::map<std::string, std::set<int>> expected{
      {"pipe", {EMFILE, ENFILE}},
      {"signals", {EMFILE, ENFILE, ENODEV, ENOMEM}},
      {"claim", {EACCES, EADDRINUSE, ELOOP, ENOENT, ENOMEM, ENOTDIR, EROFS}},
      {"pair", of_pair},
      {"record pair", of_pair},
      {"copy", {EMFILE}},
      {"look up", {EAGAIN}},
      {"look up for datagrams", {EAGAIN}},
      {"information", {ENOPROTOOPT}},
      {"dissociate", {EAFNOSUPPORT}},
  };
  EXPECT_EQ(told.all(), expected);
}

// Both ends are asked for in one call: socketpair(2).
TEST(sim_call, a_pair_is_one_call) {
  const auto report = sim::each_call({.processes = 1}, [](sim::world& w) {
    w.host("only").spawn([]() -> task<result<void>> {
      static_cast<void>(co_await local::pair());
      co_return {};
    });
    w.run_for(1h);
  });
  EXPECT_EQ(report.places, 1U);
  EXPECT_EQ(report.points, 4U);
}

}  // namespace
}  // namespace soquete::test
