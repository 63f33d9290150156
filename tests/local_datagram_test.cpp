// Local datagrams and seqpackets: bounds, sizes, names.  unix(7)
#include "local_name.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>
#include <soquete/scope.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class local_datagram : public on_each_driver {};
ON_EVERY_DRIVER(local_datagram);
class local_seqpacket : public on_each_driver {};
ON_EVERY_DRIVER(local_seqpacket);

TEST_P(local_datagram, datagrams_keep_their_bounds_and_tell_their_sender) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto server = co_await ok(local::bind(folder.at("s")));
    auto client = co_await ok(local::bind(folder.at("c")));
    const endpoint door = co_await ok(server.local());
    co_await ok(client.send_to(door, "one"));
    co_await ok(client.send_to(door, ""));
    co_await ok(client.send_to(door, "three"));
    for (const char* expected : {"one", "", "three"}) {
      local::message m = co_await ok(server.receive());
      EXPECT_EQ(m.payload.text(), expected);
      EXPECT_EQ(m.length, std::string_view(expected).size());
      EXPECT_FALSE(m.is_end);
      EXPECT_EQ(to_string(m.from), folder.at("c"));
    }
    co_return {};
  });
}

// D4
TEST_P(local_datagram, a_socket_without_a_name_sends_and_an_autobound_one_is_answered) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto server = co_await ok(local::bind(folder.at("s")));
    const endpoint door = co_await ok(server.local());
    auto unnamed = co_await ok(local::open_datagram());
    co_await ok(unnamed.send_to(door, "x"));
    local::message m = co_await ok(server.receive());
    EXPECT_EQ(to_string(m.from), "unix:");
    auto named = co_await ok(local::bind(endpoint::local_unnamed()));
    const endpoint name = co_await ok(named.local());
    EXPECT_TRUE(name.is_abstract());
    EXPECT_EQ(name.local_name().size(), 5U);
    co_await ok(named.send_to(door, "y"));
    local::message asked = co_await ok(server.receive());
    EXPECT_EQ(asked.from, name);
    co_await ok(server.send_to(asked.from, "answer"));
    local::message answer = co_await ok(named.receive());
    EXPECT_EQ(answer.payload.text(), "answer");
    co_return {};
  });
}

// D8
TEST_P(local_datagram, a_full_receiver_is_told_at_once_or_waited_for_when_connected) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto server = co_await ok(local::bind(folder.at("s")));
    const endpoint door = co_await ok(server.local());
    auto unnamed = co_await ok(local::open_datagram());
    int taken = 0;
    for (;; ++taken) {
      auto sent = co_await unnamed.send_to(door, "x");
      if (sent) continue;
      EXPECT_TRUE(fails_with(sent, std::errc::resource_unavailable_try_again));
      EXPECT_EQ(sent.error().subject(), to_string(door));
      break;
    }
    EXPECT_GT(taken, 0);
    auto connected = co_await ok(local::connect_datagram(door));
    auto waiting = co_await within(5ms, connected.send("waits"));
    EXPECT_TRUE(fails_with(waiting, std::errc::timed_out));
    auto body = [&](scope& s) -> task<result<void>> {
      auto sending = [&]() -> task<result<void>> { co_return co_await connected.send("waited"); };
      s.spawn(sending());
      for (int i = 0; i != taken; ++i) co_await ok(server.receive());
      local::message last = co_await ok(server.receive());
      EXPECT_EQ(last.payload.text(), "waited");
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(local_datagram, a_datagram_longer_than_the_room_is_cut_and_its_length_told) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::datagram_pair());
    co_await ok(both.first.options().set_send_buffer(4'000'000));
    const std::string whole(200'000, 'x');
    auto large = co_await both.first.send(whole);
    if (large) {
      local::message m = co_await ok(both.second.receive());
      EXPECT_EQ(m.payload.size(), whole.size());
      EXPECT_EQ(m.length, whole.size());
    } else {
      EXPECT_TRUE(fails_with(large, std::errc::message_size));
    }
    const std::string longer(300'000, 'y');
    auto sent = co_await both.first.send(longer);
    if (sent) {
      local::message m = co_await ok(both.second.receive());
      EXPECT_EQ(m.payload.size(), 256U * 1024);
      EXPECT_EQ(m.length, longer.size());
    } else {
      EXPECT_TRUE(fails_with(sent, std::errc::message_size));
    }
    const std::string absurd(20'000'000, 'z');
    auto never = co_await both.first.send(absurd);
    EXPECT_TRUE(fails_with(never, std::errc::message_size));
    co_return {};
  });
}

TEST_P(local_datagram, descriptors_and_credentials_travel_and_leave_no_trace) {
  play([this]() -> task<result<void>> {
    auto both = co_await ok(local::datagram_pair());
    co_await ok(both.second.tell_sender(true));
    std::array<int, 2> pipe{-1, -1};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const std::array<owned_descriptor, 2> ends{owned_descriptor(pipe[0]), owned_descriptor(pipe[1])};
    for (int i = 0; i != 5; ++i) co_await ok(both.first.send("x", ends));
    co_await ok(both.first.send("", ends));
    for (int i = 0; i != 3; ++i) {
      local::message m = co_await ok(both.second.receive());
      EXPECT_EQ(m.handles.size(), 2U);
      EXPECT_TRUE(m.sender && m.sender->uid == here().net().us().uid);
    }
    co_return {};  // The others are closed with the socket.
  });
}

TEST_P(local_datagram, a_name_without_a_receiver_refuses_and_says_which) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto client = co_await ok(local::open_datagram());
    const endpoint nobody = co_await ok(endpoint::parse(folder.at("nobody")));
    auto none = co_await client.send_to(nobody, "x");
    EXPECT_TRUE(fails_with(none, std::errc::no_such_file_or_directory));
    EXPECT_EQ(none.error().subject(), folder.at("nobody"));
    auto server = co_await ok(local::bind(folder.at("s")));
    auto connected = co_await ok(local::connect_datagram(folder.at("s")));
    server.close();
    if (GetParam() != simulated) co_await ok(wait_until([&] { return !folder.has("s"); }));
    auto gone = co_await connected.send("x");
    EXPECT_FALSE(gone);
    co_return {};
  });
}

TEST_P(local_datagram, a_socket_with_a_name_connects_and_hears_its_peer_only) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto server = co_await ok(local::bind(folder.at("s")));
    auto client = co_await ok(local::bind(folder.at("c")));
    const endpoint name = co_await ok(client.local());
    co_await ok(client.connect(co_await ok(server.local())));
    EXPECT_EQ(to_string(client.peer()), folder.at("s"));
    co_await ok(client.send("question"));
    local::message asked = co_await ok(server.receive());
    EXPECT_EQ(asked.from, name);
    co_await ok(server.send_to(asked.from, "answer"));
    local::message answer = co_await ok(client.receive());
    EXPECT_EQ(answer.payload.text(), "answer");
    auto stranger = co_await ok(local::open_datagram());
    auto refused = co_await stranger.send_to(name, "x");
    EXPECT_TRUE(fails_with(refused, std::errc::operation_not_permitted));
    const endpoint nobody = co_await ok(endpoint::parse(folder.at("nobody")));
    auto none = client.connect(nobody);
    EXPECT_TRUE(fails_with(none, std::errc::no_such_file_or_directory));
    EXPECT_EQ(none.error().subject(), folder.at("nobody"));
    co_return {};
  });
}

TEST_P(local_datagram, many_messages_may_be_kept_and_all_come_home) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::datagram_pair());
    std::array<int, 2> pipe{-1, -1};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    const std::array<owned_descriptor, 2> ends{owned_descriptor(pipe[0]), owned_descriptor(pipe[1])};
    std::vector<local::message> kept;
    for (int i = 0; i != 150; ++i) {
      co_await ok(both.first.send(std::to_string(i), ends));
      kept.push_back(co_await ok(both.second.receive()));
    }
    for (std::size_t i = 0; i != kept.size(); ++i) {
      EXPECT_EQ(kept[i].payload.text(), std::to_string(i));
      EXPECT_EQ(kept[i].handles.size(), 2U);
    }
    co_return {};
  });
}

TEST_P(local_seqpacket, records_keep_their_bounds_and_the_end_is_told_each_time) {
  play([this]() -> task<result<void>> {
    const own_folder folder;
    auto door = co_await ok(local::listen_seqpacket(folder.at("s")));
    auto client = co_await ok(local::connect_seqpacket(folder.at("s")));
    auto server = co_await ok(door.accept());
    co_await ok(client.send("one"));
    co_await ok(client.send("three"));
    auto empty = co_await client.send("");
    EXPECT_TRUE(fails_with(empty, std::errc::invalid_argument));
    co_await ok(client.finish());
    for (const char* expected : {"one", "three"}) {
      local::message m = co_await ok(server.receive());
      EXPECT_EQ(m.payload.text(), expected);
    }
    for (int i = 0; i != 2; ++i) {
      local::message m = co_await ok(server.receive());
      EXPECT_TRUE(m.is_end);
    }
    EXPECT_EQ(server.peer_credentials(), here().net().us());
    co_return {};
  });
}

TEST_P(local_seqpacket, a_slow_peer_is_waited_for_and_a_cut_send_breaks_nothing) {
  play([]() -> task<result<void>> {
    auto both = co_await ok(local::seqpacket_pair());
    const std::string record(50'000, 'r');
    int sent = 0;
    for (;; ++sent) {
      auto more = co_await within(5ms, both.first.send(record));
      if (more) continue;
      EXPECT_TRUE(fails_with(more, std::errc::timed_out));
      break;
    }
    EXPECT_GT(sent, 0);
    for (int i = 0; i != sent; ++i) {
      local::message m = co_await ok(both.second.receive());
      EXPECT_EQ(m.payload.size(), record.size());
    }
    co_await ok(both.first.send("on"));
    local::message m = co_await ok(both.second.receive());
    EXPECT_EQ(m.payload.text(), "on");
    co_return {};
  });
}

TEST_P(local_seqpacket, types_do_not_mix) {
  play([]() -> task<result<void>> {
    const own_folder folder;
    auto door = co_await ok(local::listen_seqpacket(folder.at("s")));
    auto wrong = co_await local::connect(folder.at("s"));
    EXPECT_TRUE(fails_with(wrong, std::errc::wrong_protocol_type));
    EXPECT_EQ(wrong.error().subject(), folder.at("s"));
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
