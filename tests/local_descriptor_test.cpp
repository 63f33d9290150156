// Descriptors and credentials beside messages, for each type of local socket.  faults.md, D5 and D7; unix(7),
// cmsg(3)
#include "child.hpp"
#include "local_name.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <array>
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class local_descriptors : public on_each_driver {};
ON_EVERY_DRIVER(local_descriptors);
// Its tests make the loop in a child.
class local_descriptors_alone : public with_driver {};
ON_EACH_DRIVER(local_descriptors_alone);

// A pipe whose writing end travels: it is at its end once nobody owns a copy any more.
struct traveller {
  owned_descriptor reading;
  std::array<owned_descriptor, 1> writing;
  traveller() {
    std::array<int, 2> both{-1, -1};
    EXPECT_EQ(::pipe2(both.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reading = owned_descriptor(both[0]);
    writing[0] = owned_descriptor(both[1]);
  }
  bool is_home() const {
    char byte;
    return ::read(reading.descriptor(), &byte, 1) == 0;
  }
  // Copies of the end, to be sent together.
  std::vector<owned_descriptor> copies(std::size_t count) const {
    std::vector<owned_descriptor> all;
    for (std::size_t i = 0; i != count; ++i) {
      auto one = writing[0].duplicate();
      EXPECT_TRUE(succeeds(one));
      all.push_back(std::move(*one));
    }
    return all;
  }
};

template <class Socket>
using two = std::pair<Socket, Socket>;
task<result<two<local::stream>>> open_pair(local::stream*) { return local::pair(); }
task<result<two<local::datagram>>> open_pair(local::datagram*) { return local::datagram_pair(); }
task<result<two<local::seqpacket>>> open_pair(local::seqpacket*) { return local::seqpacket_pair(); }
auto receive_from(local::stream& from) { return from.receive_message(); }
auto receive_from(local::datagram& from) { return from.receive(); }
auto receive_from(local::seqpacket& from) { return from.receive(); }

// The same for each type of socket.
#define FOR_EACH_TYPE(scenario)                                           \
  play([]() -> task<result<void>> {                                       \
    co_await ok(scenario(static_cast<local::stream*>(nullptr)));          \
    co_await ok(scenario(static_cast<local::datagram*>(nullptr)));        \
    co_return co_await scenario(static_cast<local::seqpacket*>(nullptr)); \
  })

template <class Socket>
task<result<void>> pass_as_many_as_go(Socket* type) {
  auto both = co_await ok(open_pair(type));
  traveller pipe;
  const auto most = pipe.copies(message_handles_max);
  co_await ok(both.first.send("x", most));
  {
    local::message m = co_await ok(receive_from(both.second));
    EXPECT_EQ(m.payload.text(), "x");
    EXPECT_EQ(m.handles.size(), 253U);
    EXPECT_FALSE(m.handles_lost);
    for (const owned_descriptor& one : m.handles) EXPECT_EQ(::fcntl(one.descriptor(), F_GETFD), FD_CLOEXEC);
  }
  const auto too_many = pipe.copies(message_handles_max + 1);
  auto refused = co_await both.first.send("x", too_many);
  EXPECT_TRUE(fails_with(refused, std::errc::invalid_argument));
  // Nothing of it has gone, and the socket goes on.
  co_await ok(both.first.send("y"));
  local::message m = co_await ok(receive_from(both.second));
  EXPECT_EQ(m.payload.text(), "y");
  EXPECT_TRUE(m.handles.empty());
  co_return {};
}

TEST_P(local_descriptors, of_every_type_253_go_with_a_message_and_254_do_not) {
  FOR_EACH_TYPE(pass_as_many_as_go);
}

template <class Socket>
task<result<void>> leave_unread(Socket* type) {
  traveller pipe;
  {
    auto both = co_await ok(open_pair(type));
    for (int i = 0; i != 3; ++i) co_await ok(both.first.send("x", pipe.writing));
    pipe.writing[0] = owned_descriptor();
    EXPECT_FALSE(pipe.is_home());
  }
  // The kernel collects what is in flight a moment later.
  co_return co_await wait_until([&] { return pipe.is_home(); });
}

TEST_P(local_descriptors, of_every_type_those_that_nobody_received_are_closed) {
  FOR_EACH_TYPE(leave_unread);
}

TEST_P(local_descriptors, those_of_a_connection_that_nobody_accepted_are_closed) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    traveller pipe;
    auto door = co_await ok(local::listen(folder.at("s")));
    // The first makes a driver that accepts in advance do so.
    auto first = co_await ok(local::connect(folder.at("s")));
    auto accepted = co_await ok(door.accept());
    auto client = co_await ok(local::connect(folder.at("s")));
    co_await ok(client.send("x", pipe.writing));
    pipe.writing[0] = owned_descriptor();
    for (int i = 0; i != 3; ++i) co_await ok(sleep(1ms));
    EXPECT_FALSE(pipe.is_home());
    door.close();
    co_return co_await wait_until([&] { return pipe.is_home(); });
  });
}

// simulation.md 4.9: room for two. The kernel installs exactly as many as fit, and we own those.
template <class Socket>
task<result<void>> receive_with_room_for_two(Socket* type) {
  auto both = co_await ok(open_pair(type));
  traveller pipe;
  auto many = pipe.copies(20);
  co_await ok(both.first.send("x", many));
  co_await ok(both.first.send("y"));
  many.clear();
  pipe.writing[0] = owned_descriptor();
  rlimit before{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  {
    traveller next;  // Takes the two lowest numbers that are free.
    const auto top =
        static_cast<rlim_t>(std::max(next.reading.descriptor(), next.writing[0].descriptor()) + 1);
    const rlimit few{top, before.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  {
    local::message m = co_await ok(receive_from(both.second));
    EXPECT_EQ(m.payload.text(), "x");
    EXPECT_TRUE(m.handles_lost);
    EXPECT_EQ(m.handles.size(), 2U);
  }
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(pipe.is_home());
  local::message next = co_await ok(receive_from(both.second));
  EXPECT_EQ(next.payload.text(), "y");
  EXPECT_FALSE(next.handles_lost);
  co_return {};
}

TEST_P(local_descriptors, of_every_type_with_room_for_two_two_are_owned_and_the_others_closed) {
  NEEDS_THE_KERNEL("a simulated host has a limit of its own: sim_handle_test.cpp");
  FOR_EACH_TYPE(receive_with_room_for_two);
}

// D7: who connected, and who sent, is asked from another process of another user.
TEST_P(local_descriptors_alone, another_process_of_another_user_is_told_from_us) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const own_folder folder;
  ::chmod(folder.path("").c_str(), 0755);
  int child = 0;
  const auto speak = [&] {
    become_another_user();
    auto program = [&]() -> task<result<void>> {
      result<local::seqpacket> line = fail(std::errc::not_connected);
      co_await ok(wait_until([&] { return folder.has("s"); }));
      // The path is there a moment before it listens.
      while (!line) {
        line = co_await local::connect_seqpacket(folder.at("s"));
        if (!line) co_await ok(sleep(1ms));
      }
      EXPECT_EQ(line->peer_credentials().uid, 0U);
      EXPECT_EQ(line->peer_credentials().pid, ::getppid());
      // It is asked for before anything is sent.
      const local::message go = co_await ok(line->receive());
      EXPECT_EQ(go.payload.text(), "go");
      co_await ok(line->send("I am"));
      const local::message end = co_await ok(line->receive());
      EXPECT_TRUE(end.is_end);
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
    return 0;
  };
  const auto listen = [&](int pid) {
    child = pid;
    auto program = [&]() -> task<result<void>> {
      auto door = co_await ok(local::listen_seqpacket(folder.at("s"), {.mode = 0666}));
      auto line = co_await ok(door.accept());
      const credentials who = line.peer_credentials();
      EXPECT_EQ(who.pid, child);
      EXPECT_EQ(who.uid, 65'534U);
      EXPECT_EQ(who.gid, 65'534U);
      co_await ok(line.tell_sender(true));
      co_await ok(line.send("go"));
      const local::message m = co_await ok(line.receive());
      EXPECT_EQ(m.payload.text(), "I am");
      EXPECT_TRUE(m.sender == who);
      co_return {};
    };
    EXPECT_TRUE(succeeds(test_loop(GetParam()).run(program())));
  };
  const child_ending how = in_a_child(speak, listen);
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

}  // namespace
}  // namespace soquete::test
