// Hand-over: listeners to a successor, connections to another process.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <fstream>
#include <soquete/deadline.hpp>
#include <soquete/event.hpp>
#include <soquete/handover.hpp>
#include <soquete/local_serve.hpp>
#include <soquete/scope.hpp>
#include <soquete/serve.hpp>

#include "child.hpp"
#include "echo.hpp"
#include "local_name.hpp"
#include "network.hpp"
#include "on_each_driver.hpp"
#include "process.hpp"
#include "tcp_pair.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class handing_over : public on_each_driver {};
ON_EVERY_DRIVER(handing_over);
// Its test makes the loop in a child.
class restarting : public with_driver {};
ON_EACH_DRIVER(restarting);

TEST_P(handing_over, a_connection_goes_on_elsewhere_with_the_bytes_that_were_not_read) {
  play([this]() -> task<result<void>> {
    auto line = co_await ok(local::seqpacket_pair());
    auto both = co_await ok(connect_pair());
    const std::string early = pattern(200'000);
    auto body = [&](scope& s) -> task<result<void>> {
      auto sending = [&]() -> task<result<void>> { co_return co_await both.client.send(early); };
      s.spawn(sending());
      // One byte is read, so that a driver that receives in advance has something.
      std::array<std::byte, 1> one;
      co_await ok(both.server.receive(one));
      owned_descriptor whole = both.server.release();
      auto giving = [&]() -> task<result<void>> { return give(line.first, std::move(whole)); };
      s.spawn(giving());
      owned_descriptor there = co_await ok(take(line.second));
      auto again = co_await ok(tcp::stream::adopt(here(), std::move(there)));
      const std::string rest = co_await ok(receive_some(again, early.size() - 1));
      EXPECT_EQ(rest, early.substr(1));
      co_await ok(again.send("answer"));
      const std::string got = co_await ok(receive_some(both.client, 6));
      EXPECT_EQ(got, "answer");
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(handing_over, what_was_not_given_is_not_taken) {
  play([]() -> task<result<void>> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const std::array<owned_descriptor, 2> both{owned_descriptor(ends[0]), owned_descriptor(ends[1])};
    const std::span<const owned_descriptor> one = std::span(both).first(1), none;
    struct head {
      const char* text;
      std::span<const owned_descriptor> handles;
    };
    for (const head& wrong :
         {head{"something else", one}, head{"soquete", one}, head{"soquete ", one}, head{"soquete x", one},
          head{"soquete -1", one}, head{"soquete +1", one}, head{"soquete  1", one}, head{"soquete 1 ", one},
          head{"soquete 1x", one}, head{"Soquete 1", one}, head{" soquete 1", one}, head{"soquete 0", none},
          head{"soquete 99999999999999999999", one}, head{"soquete 16777217", one}}) {
      auto line = co_await ok(local::seqpacket_pair());
      co_await ok(line.first.send(wrong.text, wrong.handles));
      EXPECT_TRUE(fails_with(co_await take(line.second), std::errc::protocol_error)) << wrong.text;
    }
    // More bytes than were announced, fewer, and none at all.
    auto line = co_await ok(local::seqpacket_pair());
    co_await ok(line.first.send("soquete 3", both));
    co_await ok(line.first.send("four"));
    EXPECT_TRUE(fails_with(co_await take(line.second), std::errc::protocol_error));
    co_await ok(line.first.send("soquete 3", both));
    co_await ok(line.first.send("tw"));
    line.first.close();
    EXPECT_TRUE(fails_with(co_await take(line.second), fault::end_of_stream));
    EXPECT_TRUE(fails_with(co_await take(line.second), fault::end_of_stream));
    co_return {};
  });
}

TEST_P(handing_over, nothing_and_what_is_too_much_are_not_given) {
  play([]() -> task<result<void>> {
    auto line = co_await ok(local::seqpacket_pair());
    const auto null = [] { return owned_descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); };
    owned_descriptor none;
    EXPECT_TRUE(fails_with(co_await give(line.first, std::move(none)), std::errc::invalid_argument));
    owned_descriptor with_bytes = null();
    with_bytes.set_unread(std::vector<std::byte>(given_bytes_max + 1));
    EXPECT_TRUE(fails_with(co_await give(line.first, std::move(with_bytes)), std::errc::invalid_argument));
    for (const std::size_t count : {message_handles_max - 1, message_handles_max}) {
      owned_descriptor with_connections = null();
      std::vector<owned_descriptor> all;
      for (std::size_t i = 0; i != count; ++i) all.push_back(null());
      with_connections.set_accepted(std::move(all));
      auto given = co_await give(line.first, std::move(with_connections));
      EXPECT_EQ(given.has_value(), count < message_handles_max);
      if (!given) EXPECT_TRUE(fails_with(given, std::errc::invalid_argument));
    }
    const owned_descriptor got = co_await ok(take(line.second));
    EXPECT_EQ(got.accepted().size(), message_handles_max - 1);
    co_return {};
  });
}

// Where servers listen, and who has ended.
struct generation {
  tcp::serve_watch watch;
  event changed;
  std::vector<endpoint> at;
  int ended = 0;
  generation() {
    watch.listening = [this](const endpoint& where) {
      at.push_back(where);
      changed.notify_all();
    };
  }
};

task<result<void>> serve_generation(generation& g, const std::string& door) {
  auto how = co_await tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.handover = door, .watch = &g.watch});
  ++g.ended;
  g.changed.notify_all();
  co_return how;
}

TEST_P(handing_over, a_successor_takes_the_port_and_the_old_one_ends_with_its_clients) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string door = folder.at("door");
    generation g;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(serve_generation(g, door));
      while (g.at.empty()) co_await ok(g.changed.wait());
      for (std::size_t i = 2; i != 5; ++i) {
        tcp::stream old_client = co_await ok(tcp::connect(g.at[0]));
        co_await ok(expect_echo(old_client, "old"));
        s.spawn(serve_generation(g, door));
        while (g.at.size() != i) co_await ok(g.changed.wait());
        EXPECT_EQ(g.at.back(), g.at.front());
        co_await ok(expect_echo(old_client, "still"));
        old_client.close();
        while (g.ended != static_cast<int>(i) - 1) co_await ok(g.changed.wait());
        tcp::stream client = co_await ok(tcp::connect(g.at[0]));
        co_await ok(expect_echo(client, "new"));
      }
      EXPECT_TRUE(co_await ok(is_there(door)));
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_FALSE(co_await ok(is_there(door)));
    co_return {};
  });
}

TEST_P(handing_over, a_successor_that_dies_before_it_serves_changes_nothing) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string door = folder.at("door");
    generation g;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(serve_generation(g, door));
      while (g.at.empty()) co_await ok(g.changed.wait());
      for (const char* word : {"listeners?", "nonsense"}) {
        auto line = co_await ok(local::connect_seqpacket(door));
        co_await ok(line.send(word));
        local::message m = co_await ok(line.receive());
        EXPECT_EQ(m.handles.size(), m.is_end ? 0U : 2U);
      }
      tcp::stream client = co_await ok(tcp::connect(g.at[0]));
      co_await ok(expect_echo(client, "on"));
      EXPECT_EQ(g.ended, 0);
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(handing_over, a_local_server_keeps_its_path_through_the_generations) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string door = folder.at("door"), name = folder.at("s");
    local::serve_watch watch;
    event changed;
    int opened = 0, ended = 0;
    watch.listening = [&](const endpoint&) {
      ++opened;
      changed.notify_all();
    };
    auto serving = [&]() -> task<result<void>> {
      auto how = co_await local::serve(name, echo<local::stream>, {.handover = door, .watch = &watch});
      ++ended;
      changed.notify_all();
      co_return how;
    };
    auto body = [&](scope& s) -> task<result<void>> {
      for (int i = 0; i != 3; ++i) {
        s.spawn(serving());
        while (opened != i + 1 || ended != i) co_await ok(changed.wait());
        local::stream client = co_await ok(local::connect(name));
        co_await ok(expect_echo(client, "x"));
      }
      EXPECT_TRUE(co_await ok(is_there(name)));
      s.cancel();
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_FALSE(co_await ok(is_there(name)));
    co_return {};
  });
}

// Nobody else may ask for the listeners, whatever the umask, and also after it has changed hands.
TEST_P(handing_over, the_path_of_the_door_is_for_its_user_alone) {
  NEEDS_THE_KERNEL("a simulated host has one user");
  play([]() -> task<result<void>> {
    const own_folder folder;
    const std::string door = folder.at("door");
    generation g;
    const auto expect_tight = [&] {
      struct stat about{};
      EXPECT_EQ(::lstat(folder.path("door").c_str(), &about), 0);
      EXPECT_TRUE(S_ISSOCK(about.st_mode));
      EXPECT_EQ(about.st_mode & 07777, 0600U);
      EXPECT_EQ(about.st_uid, ::geteuid());
    };
    auto body = [&](scope& s) -> task<result<void>> {
      for (std::size_t i = 1; i != 4; ++i) {
        s.spawn(serve_generation(g, door));
        while (g.at.size() != i || g.ended != static_cast<int>(i) - 1) co_await ok(g.changed.wait());
        expect_tight();
      }
      s.cancel();
      co_return {};
    };
    const ::mode_t before = ::umask(0);
    auto how = co_await with_scope(body);
    ::umask(before);
    co_return how;
  });
}

void leave_file(const std::string& path) { std::ofstream(path).flush(); }

std::string abstract_door(std::string_view name) {
  return "unix:@soquete-test-" + std::string(name) + "-" + std::to_string(::getpid());
}

// Goal: no other user gets a listener, at a path or at an abstract name, which has no permissions; and our
// server does not mind. Method: a child that is nobody asks as a program of ours does, and by hand.
TEST_P(restarting, another_user_is_refused_at_the_door) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const own_folder folder;
  ::chmod(folder.path("").c_str(), 0755);
  const std::string path = folder.at("door"), abstract = abstract_door("door");
  const auto ask_for_it = [&] {
    become_another_user();
    auto program = [&]() -> task<result<void>> {
      co_await ok(wait_until([&] { return folder.has("ready"); }));
      for (const std::string& door : {path, abstract}) {
        auto refused = co_await tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.handover = door});
        EXPECT_TRUE(fails_with(refused, std::errc::permission_denied));
        if (!refused) EXPECT_EQ(refused.error().subject(), door);
      }
      auto by_hand = co_await ok(local::connect_seqpacket(abstract));
      static_cast<void>(co_await by_hand.send("listeners?"));
      auto end = co_await by_hand.receive();
      EXPECT_TRUE(fails_with(end, std::errc::connection_reset) || (end && end->is_end));
      if (end) EXPECT_TRUE(end->handles.empty());
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  };
  const auto serve_meanwhile = [&](int child) {
    auto program = [&]() -> task<result<void>> {
      generation at_path, at_name;
      auto body = [&](scope& s) -> task<result<void>> {
        s.spawn(serve_generation(at_path, path));
        s.spawn(serve_generation(at_name, abstract));
        while (at_path.at.empty()) co_await ok(at_path.changed.wait());
        while (at_name.at.empty()) co_await ok(at_name.changed.wait());
        leave_file(folder.path("ready"));
        co_await ok(wait_until([&] {
          siginfo_t ended{};
          return ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                 ended.si_pid == child;
        }));
        for (generation* g : {&at_path, &at_name}) {
          EXPECT_EQ(g->ended, 0);
          tcp::stream client = co_await ok(tcp::connect(g->at[0]));
          co_await ok(expect_echo(client, "still"));
        }
        // And our own successor is let in by the same door.
        s.spawn(serve_generation(at_name, abstract));
        while (at_name.ended != 1) co_await ok(at_name.changed.wait());
        s.cancel();
        co_return {};
      };
      co_return co_await with_scope(body);
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
  };
  const child_ending how = in_a_child(ask_for_it, serve_meanwhile);
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// Whoever was first at an abstract name could give us a listener of his.
TEST_P(restarting, a_door_that_another_user_has_taken_is_not_trusted) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const own_folder folder;
  ::chmod(folder.path("").c_str(), 0777);
  const std::string door = abstract_door("taken");
  const auto lie_in_wait = [&] {
    become_another_user();
    auto program = [&]() -> task<result<void>> {
      auto trap = co_await ok(local::listen_seqpacket(door));
      leave_file(folder.path("ready"));
      auto victim = co_await ok(trap.accept());
      auto said = co_await victim.receive();
      EXPECT_TRUE(said && said->is_end) << "it asks nothing of a stranger";
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  };
  const auto start_server = [&](int) {
    auto program = [&]() -> task<result<void>> {
      co_await ok(wait_until([&] { return folder.has("ready"); }));
      auto refused = co_await tcp::serve("127.0.0.1:0", echo<tcp::stream>, {.handover = door});
      EXPECT_TRUE(fails_with(refused, std::errc::permission_denied));
      if (!refused) EXPECT_NE(to_string(refused.error()).find("another user's"), std::string::npos);
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
  };
  const child_ending how = in_a_child(lie_in_wait, start_server);
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

constexpr int requests = 20'000, workers = 8, requests_each = 5, restarts = 5;

struct load {
  int done = 0;
  bool is_served = false;
};

task<result<void>> ask(load& l) {
  while (l.done < requests) {
    tcp::stream s = co_await ok(tcp::connect("127.0.0.1:8080"));
    for (int i = 0; i != requests_each && l.done < requests; ++i, ++l.done)
      co_await ok(expect_echo(s, "request"));
  }
  co_return {};
}

// Goal: a server that is restarted under load refuses, resets and loses nothing.
// Method: examples/restart, five more times, each once a sixth of the requests has been answered.
TEST_P(restarting, no_client_of_20000_requests_notices_five_restarts) {
  const child_ending how = in_a_child([] {
    if (!enter_own_network()) return lacks_permission;
    const std::string driver = "SOQUETE_DRIVER=" + driver_name({GetParam(), 0});
    const auto start = [&] {
      return std::make_unique<process>(std::vector<std::string>{SOQUETE_EXAMPLES_DIR "/restart"},
                                       start_options{.variables = {driver, "SOQUETE_THREADS=2"}});
    };
    auto program = [&]() -> task<result<void>> {
      auto server = start();
      load l;
      while (!co_await tcp::connect("127.0.0.1:8080")) co_await ok(sleep(1ms));
      auto body = [&](scope& s) -> task<result<void>> {
        for (int i = 0; i != workers; ++i) s.spawn(ask(l));
        for (int i = 1; i <= restarts; ++i) {
          co_await ok(wait_until([&] { return l.done >= requests * i / (restarts + 1); }));
          auto next = start();
          co_await ok(wait_until([&] { return !server->is_running(); }));
          EXPECT_EQ(server->wait(), 0) << server->errors;
          server = std::move(next);
        }
        co_return {};
      };
      co_await ok(with_scope(body));
      EXPECT_GE(l.done, requests);
      server->send_signal(SIGTERM);
      EXPECT_EQ(server->wait(), 0) << server->errors;
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << "no permission for a network of one's own";
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

}  // namespace
}  // namespace soquete::test
