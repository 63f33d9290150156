// Servers of local connections: limits, names, orderly ends.  unix(7)
#include "child.hpp"
#include "echo.hpp"
#include "local_name.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <soquete/event.hpp>
#include <soquete/local_serve.hpp>
#include <soquete/scope.hpp>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class local_serving : public on_each_driver {};
ON_EVERY_DRIVER(local_serving);
// Its tests make the loop in a child.
class local_serving_alone : public with_driver {};
ON_EACH_DRIVER(local_serving_alone);

// Whether a server listens, for those who wait until it does.
struct door {
  local::serve_watch watch;
  event opened;
  std::vector<endpoint> at;
  door() {
    watch.listening = [this](const endpoint& where) {
      at.push_back(where);
      opened.notify_all();
    };
  }
};

task<result<void>> serve_and_expect_success(std::string where, local::client_handler handler,
                                            local::serve_options options) {
  auto how = co_await local::serve(where, std::move(handler), options);
  EXPECT_TRUE(succeeds(how));
  co_return how;
}

// Serves while `body()` runs, then asks the server to end and expects it to succeed.
template <class Body>
task<result<void>> while_serving(door& d, const std::string& where, local::client_handler handler,
                                 local::serve_options options, Body body) {
  options.watch = &d.watch;
  auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(serve_and_expect_success(where, std::move(handler), options));
    while (d.at.empty()) co_await ok(d.opened.wait());
    co_await ok(body());
    s.cancel();
    co_return {};
  };
  co_return co_await with_scope(both);
}

// Clients whose handler has ended.
struct departures {
  event told;
  int count = 0;
};
task<result<void>> echo_and_tell(local::stream peer, departures& left) {
  auto how = co_await echo(std::move(peer));
  ++left.count;
  left.told.notify_all();
  co_return how;
}

unsigned mode_of(const std::string& path) {
  struct stat about{};
  return ::lstat(path.c_str(), &about) == 0 ? about.st_mode & 0777 : 0;
}

TEST_P(local_serving, clients_are_served_until_it_is_asked_to_end_and_the_path_goes_with_it) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    door d;
    auto body = [&]() -> task<result<void>> {
      EXPECT_EQ(d.at.size(), 1U);
      EXPECT_EQ(to_string(d.at.front()), folder.at("s"));
      std::vector<local::stream> clients;
      for (int i = 0; i != 20; ++i) clients.push_back(co_await ok(local::connect(folder.at("s"))));
      for (local::stream& c : clients) co_await ok(expect_echo(c, "hello"));
      EXPECT_TRUE(co_await ok(is_there(folder.at("s"))));
      co_return {};
    };
    co_await ok(while_serving(d, folder.at("s"), echo<local::stream>, {}, body));
    EXPECT_FALSE(co_await ok(is_there(folder.at("s"))));
    co_return {};
  });
}

TEST_P(local_serving, the_path_has_the_permissions_asked_for_and_660_by_itself) {
  NEEDS_THE_KERNEL("a simulated process has no umask");
  play([]() -> task<result<void>> {
    const own_folder folder;
    for (const unsigned mode : {0600U, 0666U, 0660U}) {
      door d;
      local::serve_options options;
      if (mode != 0660) options.listen.mode = mode;
      auto body = [&]() -> task<result<void>> {
        EXPECT_EQ(mode_of(folder.path("s")), mode);
        co_return {};
      };
      const ::mode_t before = ::umask(0077);
      auto how = co_await while_serving(d, folder.at("s"), echo<local::stream>, options, body);
      ::umask(before);
      EXPECT_TRUE(succeeds(how));
    }
    co_return {};
  });
}

TEST_P(local_serving, a_stale_path_is_taken_over_and_a_live_one_is_an_error) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    {
      // Released and closed, it leaves its path behind, as a server does that was killed.
      auto killed = co_await ok(local::listen(folder.at("s")));
      const owned_descriptor left = killed.release();
    }
    EXPECT_TRUE(co_await ok(is_there(folder.at("s"))));
    auto kept =
        co_await local::serve(folder.at("s"), echo<local::stream>, {.listen = {.replace_stale = false}});
    EXPECT_TRUE(fails_with(kept, std::errc::address_in_use));
    door d;
    auto body = [&]() -> task<result<void>> {
      auto second = co_await local::serve(folder.at("s"), echo<local::stream>);
      EXPECT_TRUE(fails_with(second, std::errc::address_in_use));
      EXPECT_TRUE(co_await ok(is_there(folder.at("s"))));
      local::stream client = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(client, "still"));
      co_return {};
    };
    co_return co_await while_serving(d, folder.at("s"), echo<local::stream>, {}, body);
  });
}

TEST_P(local_serving, what_is_no_local_name_is_an_error) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    EXPECT_TRUE(fails_with(co_await local::serve("nonsense", echo<local::stream>), fault::bad_address));
    EXPECT_TRUE(fails_with(co_await local::serve("127.0.0.1:0", echo<local::stream>), fault::unsupported));
    if (GetParam() != simulated)  // There every folder exists.
      EXPECT_TRUE(fails_with(co_await local::serve(folder.at("no/such/s"), echo<local::stream>),
                             std::errc::no_such_file_or_directory));
    // Above what a process may have open; of a simulated host, among its own.
    const std::string none = GetParam() == simulated ? "fd:1000000999" : "fd:1000000";
    EXPECT_TRUE(fails_with(co_await local::serve(none, echo<local::stream>), std::errc::bad_file_descriptor));
    co_return {};
  });
}

TEST_P(local_serving, an_abstract_name_and_an_inherited_listener_are_served_too) {
  play([this]() -> task<result<void>> {
    const own_folder folder;
    const std::string name = "unix:@soquete-test-serve-" + std::to_string(::getpid());
    auto talk = [](std::string to) -> task<result<void>> {
      local::stream client = co_await ok(local::connect(to));
      co_return co_await expect_echo(client, "x");
    };
    door d;
    auto ask_name = [&]() -> task<result<void>> { return talk(name); };
    co_await ok(while_serving(d, name, echo<local::stream>, {}, ask_name));
    auto inherited = co_await ok(local::listen(folder.at("s")));
    const int number = (co_await ok(here().net().copy_of(inherited.descriptor()))).release();
    door again;
    auto ask_path = [&]() -> task<result<void>> { return talk(folder.at("s")); };
    co_await ok(while_serving(again, "fd:" + std::to_string(number), echo<local::stream>, {}, ask_path));
    EXPECT_TRUE(co_await ok(is_there(folder.at("s"))))
        << "it came with the descriptor, and is not the server's to remove";
    co_return {};
  });
}

TEST_P(local_serving, no_more_than_the_cap_are_served_at_once_and_the_others_wait) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    door d;
    int now = 0, most = 0;
    auto counted = [&](local::stream peer) -> task<result<void>> {
      most = std::max(most, ++now);
      auto how = co_await echo(std::move(peer));
      --now;
      co_return how;
    };
    auto body = [&]() -> task<result<void>> {
      std::vector<local::stream> clients;
      for (int i = 0; i != 12; ++i) {
        clients.push_back(co_await ok(local::connect(folder.at("s"))));
        co_await ok(clients.back().send("x"));
      }
      for (local::stream& c : clients) {
        lease got = co_await ok(c.receive());
        EXPECT_EQ(got.text(), "x");
        EXPECT_LE(now, 3);
        c.close();
      }
      co_return {};
    };
    co_await ok(while_serving(d, folder.at("s"), counted, {.max_connections = 3}, body));
    EXPECT_EQ(most, 3);
    co_return {};
  });
}

TEST_P(local_serving, a_user_with_too_many_connections_is_turned_away_until_one_ends) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    door d;
    departures left;
    auto told = [&](local::stream peer) { return echo_and_tell(std::move(peer), left); };
    auto body = [&]() -> task<result<void>> {
      local::stream one = co_await ok(local::connect(folder.at("s")));
      local::stream two = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(one, "1"));
      co_await ok(expect_echo(two, "2"));
      local::stream three = co_await ok(local::connect(folder.at("s")));
      auto refused = co_await three.receive();
      EXPECT_TRUE(refused && refused->empty());
      one.close();
      while (left.count == 0) co_await ok(left.told.wait());
      co_await ok(yield());  // The handler has ended; now its place is given up.
      local::stream four = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(four, "4"));
      co_return {};
    };
    co_return co_await while_serving(d, folder.at("s"), told, {.max_per_user = 2}, body);
  });
}

TEST_P(local_serving, whom_the_watch_does_not_admit_is_closed_and_it_sees_who_it_is) {
  play([this]() -> task<result<void>> {
    const own_folder folder;
    door d;
    bool may_come = false;
    std::vector<credentials> seen;
    d.watch.admit = [&](const credentials& client) {
      seen.push_back(client);
      return may_come;
    };
    auto body = [&]() -> task<result<void>> {
      local::stream bad = co_await ok(local::connect(folder.at("s")));
      auto end = co_await bad.receive();
      EXPECT_TRUE(end && end->empty());
      may_come = true;
      local::stream good = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(good, "x"));
      co_return {};
    };
    co_await ok(while_serving(d, folder.at("s"), echo<local::stream>, {}, body));
    const credentials us = here().net().us();
    EXPECT_EQ(seen, (std::vector<credentials>{us, us}));
    co_return {};
  });
}

TEST_P(local_serving, an_error_of_one_client_is_told_with_its_credentials_and_ends_only_that_one) {
  play([this]() -> task<result<void>> {
    const own_folder folder;
    door d;
    std::vector<std::string> failed;
    credentials who;
    event told;
    d.watch.client_failed = [&](const credentials& client, const error& why) {
      who = client;
      failed.push_back(why.code().message());
      told.notify_all();
    };
    auto picky = [](local::stream peer) -> task<result<void>> {
      lease first = co_await ok(peer.receive());
      if (first.text() == "bad") co_return fail(std::errc::protocol_error, step::receive);
      co_await ok(peer.send(first.bytes()));
      co_return co_await echo(std::move(peer));
    };
    auto body = [&]() -> task<result<void>> {
      local::stream good = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(good, "x"));
      local::stream bad = co_await ok(local::connect(folder.at("s")));
      co_await ok(bad.send("bad"));
      while (failed.empty()) co_await ok(told.wait());
      auto end = co_await bad.receive();
      EXPECT_TRUE(end && end->empty());
      co_await ok(expect_echo(good, "still"));
      co_return {};
    };
    co_await ok(while_serving(d, folder.at("s"), picky, {}, body));
    EXPECT_EQ(failed, std::vector<std::string>{std::make_error_code(std::errc::protocol_error).message()});
    EXPECT_EQ(who, here().net().us());
    co_return {};
  });
}

TEST_P(local_serving, clients_get_the_drain_time_to_end_and_newcomers_find_no_path) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    door d;
    std::size_t to_drain = 0;
    event draining;
    d.watch.draining = [&](std::size_t clients) {
      to_drain = clients;
      draining.notify_all();
    };
    auto inner = [&](scope& servers) -> task<result<void>> {
      servers.spawn(
          serve_and_expect_success(folder.at("s"), echo<local::stream>, {.drain = 1h, .watch = &d.watch}));
      while (d.at.empty()) co_await ok(d.opened.wait());
      local::stream client = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(client, "before"));
      servers.cancel();
      co_await ok(shield(1h, draining.wait()));
      EXPECT_EQ(to_drain, 1U);
      auto work = [&](local::stream& c) -> task<result<void>> {
        while (co_await ok(is_there(folder.at("s")))) co_await ok(sleep(1ms));
        auto late = co_await local::connect(folder.at("s"));
        EXPECT_TRUE(fails_with(late, std::errc::no_such_file_or_directory));
        co_await ok(expect_echo(c, "during"));
        c.close();
        co_return {};
      };
      co_return co_await shield(1h, work(client));
    };
    co_return co_await with_scope(inner);
  });
}

TEST_P(local_serving, clients_that_outstay_the_drain_time_are_cancelled) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    door d;
    bool was_cancelled = false, is_there = false;
    event arrived;
    auto stay = [&](local::stream peer) -> task<result<void>> {
      is_there = true;
      arrived.notify_all();
      auto got = co_await peer.receive();
      was_cancelled = fails_with(got, std::errc::operation_canceled);
      co_return {};
    };
    local::stream client;
    auto body = [&]() -> task<result<void>> {
      client = co_await ok(local::connect(folder.at("s")));
      while (!is_there) co_await ok(arrived.wait());
      co_return {};
    };
    co_await ok(while_serving(d, folder.at("s"), stay, {.drain = 5ms}, body));
    EXPECT_TRUE(was_cancelled);
    auto end = co_await client.receive();
    EXPECT_TRUE(end && end->empty());
    co_return {};
  });
}

// Those who wait in the backlog when it ends are closed, with what they have sent and their descriptors.
TEST_P(local_serving, whom_it_never_accepted_is_closed_at_the_end) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    door d;
    local::stream waiting;
    std::array<int, 2> pipe{-1, -1};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK), 0);
    const owned_descriptor reading(pipe[0]);
    std::array<owned_descriptor, 1> writing{owned_descriptor(pipe[1])};
    auto body = [&]() -> task<result<void>> {
      local::stream served = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(served, "x"));
      waiting = co_await ok(local::connect(folder.at("s")));
      co_await ok(waiting.send("never read", writing));
      writing[0] = owned_descriptor();
      co_return {};
    };
    co_await ok(while_serving(d, folder.at("s"), echo<local::stream>, {.max_connections = 1}, body));
    auto end = co_await waiting.receive();
    EXPECT_TRUE(fails_with(end, std::errc::connection_reset) || (end && end->empty()));
    char byte;
    co_return co_await wait_until([&] { return ::read(reading.descriptor(), &byte, 1) == 0; });
  });
}

// Another user's connections count apart, and are known by whom they belong to.
TEST_P(local_serving_alone, another_user_is_counted_apart_and_told_from_us) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const own_folder folder;
  ::chmod(folder.path("").c_str(), 0755);
  const auto be_another = [&] {
    become_another_user();
    auto program = [&]() -> task<result<void>> {
      local::stream first, second;
      co_await ok(wait_until([&] { return folder.has("ready"); }));
      first = co_await ok(local::connect(folder.at("s")));
      co_await ok(expect_echo(first, "another"));
      second = co_await ok(local::connect(folder.at("s")));
      auto end = co_await second.receive();
      EXPECT_TRUE(end && end->empty());
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  };
  const auto serve_it = [&](int) {
    auto program = [&]() -> task<result<void>> {
      door d;
      std::vector<std::uint32_t> users;
      d.watch.admit = [&](const credentials& client) {
        users.push_back(client.uid);
        return true;
      };
      departures left;
      auto told = [&](local::stream peer) { return echo_and_tell(std::move(peer), left); };
      auto body = [&]() -> task<result<void>> {
        local::stream ours = co_await ok(local::connect(folder.at("s")));
        co_await ok(expect_echo(ours, "ours"));
        ::close(::open(folder.path("ready").c_str(), O_CREAT | O_CLOEXEC, 0644));
        while (left.count == 0) co_await ok(left.told.wait());
        co_await ok(expect_echo(ours, "still"));
        co_return {};
      };
      const local::serve_options options{.max_per_user = 1, .listen = {.mode = 0666}};
      co_await ok(while_serving(d, folder.at("s"), told, options, body));
      EXPECT_EQ(users, (std::vector<std::uint32_t>{0, 65'534}));
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
  };
  const child_ending how = in_a_child(be_another, serve_it);
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

}  // namespace
}  // namespace soquete::test
