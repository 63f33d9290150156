// The driver contract for messages, on UDP: docs/driver.md, whose numbers stand in the test names.
#include "driver_fixture.hpp"

#include <cerrno>
#include <string>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class driver_datagrams : public driver_contract {
 protected:
  struct ends {
    socket_block* server;
    socket_block* client;  ///< Connected to it.
    endpoint door;
  };
  ends datagram_ends() {
    ends e{net->open(family::v4, transport::datagram).value(),
           net->open(family::v4, transport::datagram).value(), endpoint()};
    EXPECT_TRUE(net->bind(*e.server, endpoint(address::loopback_v4(), 0)));
    e.door = net->local(*e.server).value();
    connect(*e.client, e.door);
    return e;
  }
  void connect(socket_block& b, const endpoint& to) {
    EXPECT_TRUE(start(b.writer, opcode::connect, &to));
    EXPECT_EQ(b.writer.outcome, 0);
    b.peer_address = to.addr();
    b.peer_port = to.port();
    b.has_peer = true;
  }
  void send(socket_block& b, std::span<outgoing_message> all) {
    if (!start(b.writer, opcode::send_messages, all.data(), all.size())) finish(b.writer);
    EXPECT_EQ(b.writer.outcome, static_cast<std::int64_t>(all.size()));
  }
  void send(socket_block& b, std::string_view text) {
    std::array<outgoing_message, 1> one{outgoing_message{.payload = as_bytes(text)}};
    send(b, one);
    EXPECT_EQ(one[0].outcome, 0);
  }
  bool start_receiving(socket_block& b, std::size_t most = 32) {
    return start(b.reader, opcode::receive_messages, nullptr, most);
  }
  static std::span<const received_message> messages(const op& o) {
    return {static_cast<const received_message*>(o.data), static_cast<std::size_t>(o.outcome)};
  }
  static std::string text_of(const received_message& m) {
    return std::string(as_text(bytes(m.data, m.size)));
  }
  static void give_back(const op& o) { o.home->recycle(o.home, nullptr, o.id); }
};

TEST_P(driver_datagrams, clause_21_as_many_as_there_are_and_no_more_than_asked) {
  auto [server, client, door] = datagram_ends();
  EXPECT_FALSE(start_receiving(*server)) << "there is nothing to receive";
  turn(0ms);
  EXPECT_EQ(net->counts().leases, 0U) << "one that waits holds no room";
  for (const char* text : {"one", "", "three"}) send(*client, text);
  finish(server->reader);
  std::vector<std::string> got;
  for (const received_message& m : messages(server->reader)) got.push_back(text_of(m));
  EXPECT_EQ(got, (std::vector<std::string>{"one", "", "three"}));
  give_back(server->reader);
  for (const char* text : {"four", "five", "six"}) send(*client, text);
  for (const std::size_t wanted : {2, 1}) {
    if (!start_receiving(*server, 2)) finish(server->reader);
    EXPECT_EQ(server->reader.outcome, static_cast<std::int64_t>(wanted));
    give_back(server->reader);
  }
  close(*server);
  close(*client);
}

TEST_P(driver_datagrams, clause_21_with_64_batches_lent_it_gives_one_message_at_a_time) {
  auto [server, client, door] = datagram_ends();
  struct lent {
    const received_message* first;
    std::uint32_t id;
  };
  std::vector<lent> held;
  lease_home* home = nullptr;
  const auto receive = [&](std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) send(*client, "number " + std::to_string(held.size() + i));
    while (count != 0) {
      if (!start_receiving(*server)) finish(server->reader);
      ASSERT_GT(server->reader.outcome, 0);
      home = server->reader.home;
      held.push_back({messages(server->reader).data(), server->reader.id});
      count -= static_cast<std::size_t>(server->reader.outcome);
    }
  };
  for (int i = 0; i != 64; ++i) receive(1);
  receive(10);
  EXPECT_EQ(held.size(), 74U);
  EXPECT_EQ(net->counts().leases, 74U);
  // Clause 10: all stay as they are.
  for (std::size_t i = 0; i != held.size(); ++i)
    EXPECT_EQ(text_of(*held[i].first), "number " + std::to_string(i));
  const auto give_one_back = [&] {
    home->recycle(home, nullptr, held.back().id);
    held.pop_back();
  };
  while (held.size() != 63) give_one_back();
  receive(10);
  EXPECT_EQ(held.size(), 64U);
  while (!held.empty()) give_one_back();
  close(*server);
  close(*client);
}

TEST_P(driver_datagrams, clause_22_a_cancelled_receive_leaves_the_messages_to_the_next) {
  auto [server, client, door] = datagram_ends();
  for (int i = 0; i < 20; ++i) {
    if (!start_receiving(*server)) {
      if (i % 2 == 0) turn(0ms);
      if (i % 3 != 0) send(*client, std::to_string(i));
      if (i % 4 == 0) turn(0ms);
      if (server->reader.now == op::state::in_flight) cancel(server->reader);
      finish(server->reader);
    }
    if (i % 3 == 0) send(*client, std::to_string(i));
    if (server->reader.outcome == -ECANCELED) {
      if (!start_receiving(*server)) finish(server->reader);
    } else if (i % 3 == 0) {
      give_back(server->reader);
      FAIL() << "there was nothing to receive";
    }
    ASSERT_EQ(server->reader.outcome, 1);
    EXPECT_EQ(text_of(messages(server->reader)[0]), std::to_string(i));
    give_back(server->reader);
  }
  close(*server);
  close(*client);
}

TEST_P(driver_datagrams, clause_23_each_tells_its_own_outcome_and_keeps_no_other) {
  auto [server, client, door] = datagram_ends();
  socket_block& sender = *net->open(family::v4, transport::datagram).value();
  const endpoint portless(address::loopback_v4(), 0);
  const std::string too_long(70'000, 'l');
  std::array<outgoing_message, 5> all{};
  for (outgoing_message& m : all) m = {.to = &door, .payload = as_bytes("fine")};
  all[1].to = &portless;
  all[3].payload = as_bytes(too_long);
  send(sender, all);
  EXPECT_EQ(sender.writer.moved, all.size());
  const std::array<std::int32_t, 5> wanted{0, -EINVAL, 0, -EMSGSIZE, 0};
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].outcome, wanted[i]) << i;
  if (!start_receiving(*server)) finish(server->reader);
  EXPECT_EQ(server->reader.outcome, 3);
  give_back(server->reader);
  for (socket_block* b : {server, client, &sender}) close(*b);
}

TEST_P(driver_datagrams, clause_24_a_refusal_goes_once_to_the_receive_that_waits_else_to_the_next_call) {
  auto [server, client, door] = datagram_ends();
  close(*server);
  settle();
  EXPECT_FALSE(start_receiving(*client));
  turn(0ms);
  for (int i = 0; i < 3; ++i) send(*client, "anybody?");
  finish(client->reader);
  EXPECT_EQ(client->reader.outcome, -ECONNREFUSED);
  settle();
  EXPECT_EQ(woken[&client->reader], 1);
  // Refusals that come together are one, so it may take another datagram to bring the next.
  std::array<outgoing_message, 1> one{outgoing_message{.payload = as_bytes("x")}};
  for (int i = 0; i < 2 && one[0].outcome == 0; ++i) {
    send(*client, one);
    settle();
  }
  EXPECT_EQ(one[0].outcome, -ECONNREFUSED);
  EXPECT_FALSE(start_receiving(*client)) << "it was told";
  turn(0ms);
  cancel(client->reader);
  finish(client->reader);
  EXPECT_EQ(client->reader.outcome, -ECANCELED);
  close(*client);
}

INSTANTIATE_TEST_SUITE_P(on, driver_datagrams, testing::ValuesIn(contract_drivers),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace soquete::test
