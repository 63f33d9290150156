// The command with datagrams: sessions, answers, ends without an end, frames between them and streams.
#include <filesystem>
#include <set>

#include "on_each_command.hpp"
#include "udp_wire.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;

namespace {

const std::string any_port = "udp://127.0.0.1:0";
const std::string any_tcp_port = "tcp://127.0.0.1:0";

class command_udp : public on_each_command {};
ON_EACH_COMMAND(command_udp);

std::size_t open_descriptors(const process& of) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(of.pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// A port at which nobody is.
std::uint16_t closed_port() { return udp_wire().port(); }

// Questions and answers ------------------------------------------------------------------------------------

// M7: ncat prints nothing, nc hangs.
TEST_P(command_udp, an_answer_that_comes_after_the_end_of_input_is_printed) {
  const udp_wire server;
  auto client = start({"connect", server.address()}, "question");
  sockaddr_in whom{};
  EXPECT_EQ(server.receive(&whom), "question");
  EXPECT_FALSE(client->until([&] { return !client->is_running(); }, a_while)) << "it did not wait";
  ASSERT_TRUE(server.send_to(whom, "answer"));
  EXPECT_EQ(client->wait(), 0);
  EXPECT_EQ(client->output, "answer");
  EXPECT_EQ(client->errors, "");
}

TEST_P(command_udp, no_answer_is_no_success) {
  const udp_wire server;
  auto client = start({"connect", server.address() + ",wait=50ms"}, "question");
  EXPECT_EQ(client->wait(), 1);
  EXPECT_EQ(client->output, "");
  EXPECT_NE(client->errors.find("no answer within 50 ms"), std::string::npos) << client->errors;
  EXPECT_NE(client->errors.find("connect -U"), std::string::npos) << client->errors;
}

TEST_P(command_udp, who_only_sends_waits_for_nothing) {
  const udp_wire server;
  auto client = start({"connect", "-U", server.address() + ",wait=1h"}, "a log line\n");
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(server.receive(), "a log line\n");
}

TEST_P(command_udp, a_refusal_has_the_status_of_a_refused_connection) {
  const std::string where = "udp://127.0.0.1:" + std::to_string(closed_port());
  for (const char* const way : {"--on-eof=wait", "-U"}) {
    auto client = start({"connect", way, where}, "question");
    EXPECT_EQ(client->wait(), 4);
    EXPECT_TRUE(
        client->errors.starts_with("soquete: cannot connect to " + where +
                                   ": connection refused (ECONNREFUSED)\n  the host answered with ICMP"))
        << client->errors;
  }
}

TEST_P(command_udp, so_many_answers_are_enough_when_asked) {
  const udp_wire server;
  auto client = start({"connect", server.address() + ",count=2,wait=1h"}, "question", true);
  sockaddr_in whom{};
  EXPECT_EQ(server.receive(&whom), "question");
  ASSERT_TRUE(server.send_to(whom, "one"));
  ASSERT_TRUE(client->until_output("one"));
  EXPECT_TRUE(client->is_running());
  ASSERT_TRUE(server.send_to(whom, "two"));
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(client->output, "onetwo");
}

// Sessions -------------------------------------------------------------------------------------------------

// M6: socat loses some of the first datagrams, and leaves a process for each.
TEST_P(command_udp, a_relay_gives_each_sender_a_socket_of_its_own_and_loses_nothing) {
  const udp_wire server;
  auto relay = listen({any_port, server.address()});
  std::vector<udp_wire> clients;
  for (int i = 0; i < 50; ++i) clients.emplace_back(relay->port());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(clients[i].send("first of " + std::to_string(i)));
    ASSERT_TRUE(clients[i].send("second"));
  }
  std::set<std::uint16_t> ports;
  for (std::size_t i = 0; i < 2 * clients.size(); ++i) {
    sockaddr_in whom{};
    const auto question = server.receive(&whom);
    ASSERT_TRUE(question) << i;
    ports.insert(whom.sin_port);
    ASSERT_TRUE(server.send_to(whom, "answer to " + *question));
  }
  EXPECT_EQ(ports.size(), clients.size());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i].receive(), "answer to first of " + std::to_string(i));
    EXPECT_EQ(clients[i].receive(), "answer to second");
  }
  relay->send_signal(SIGINT);
  EXPECT_EQ(relay->wait(), 128 + SIGINT) << relay->errors;
}

TEST_P(command_udp, sessions_are_gone_after_their_idle_time) {
  const udp_wire server;
  auto relay = listen({"-v", any_port + ",idle=50ms", server.address()});
  const std::uint16_t port = relay->port();
  std::vector<udp_wire> clients;  // All are kept, so that no two have the same port.
  const auto serve_ten = [&] {
    for (int i = 0; i < 10; ++i) {
      clients.emplace_back(port);
      if (!clients.back().send("x") || !server.receive()) return false;
    }
    return true;
  };
  ASSERT_TRUE(serve_ten());
  // All threads have begun by now, which open descriptors of their own.
  ASSERT_TRUE(relay->until_errors("#10 ")) << relay->errors;
  const std::size_t before = open_descriptors(*relay);
  ASSERT_TRUE(serve_ten());
  EXPECT_TRUE(relay->until([&] { return open_descriptors(*relay) <= before; })) << open_descriptors(*relay);
  relay->send_signal(SIGTERM);
  EXPECT_EQ(relay->wait(), 128 + SIGTERM);
  EXPECT_NE(relay->errors.find("nothing moved for 50 ms"), std::string::npos) << relay->errors;
  EXPECT_NE(relay->errors.find("served 20 sessions in "), std::string::npos) << relay->errors;
  EXPECT_NE(relay->errors.find("20 B/20 received, 0 B sent, 0 failed"), std::string::npos) << relay->errors;
}

TEST_P(command_udp, senders_beyond_the_limit_are_dropped_and_counted) {
  auto server = listen({"-v", any_port + ",max=1", "echo:"});
  const udp_wire first(server->port());
  ASSERT_TRUE(first.send("x"));
  EXPECT_EQ(first.receive(), "x");
  const udp_wire second(server->port());
  ASSERT_TRUE(second.send("y"));
  ASSERT_TRUE(server->until_errors("there are 1 sessions, as many as there may be")) << server->errors;
  EXPECT_TRUE(second.is_silent(50ms));
  ASSERT_TRUE(first.send("z"));
  EXPECT_EQ(first.receive(), "z");
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("1 of senders beyond max="), std::string::npos) << server->errors;
}

TEST_P(command_udp, a_refusal_ends_one_session_and_no_more) {
  const std::uint16_t closed = closed_port();
  auto relay = listen({any_port, "udp://127.0.0.1:" + std::to_string(closed)});
  const udp_wire client(relay->port());
  ASSERT_TRUE(client.send("x"));
  EXPECT_TRUE(relay->until_errors("connection refused (ECONNREFUSED)")) << relay->errors;
  EXPECT_TRUE(relay->is_running());
}

TEST_P(command_udp, services_answer_each_datagram_by_itself) {
  auto echo = listen({any_port, "echo:"});
  const udp_wire one(echo->port());
  for (const std::string& text : {std::string("a"), std::string(), noise(60'000), std::string("b")}) {
    ASSERT_TRUE(one.send(text));
    EXPECT_EQ(one.receive(), text);
  }
  auto zero = listen({any_port, "zero:"});
  const udp_wire two(zero->port());
  ASSERT_TRUE(two.send("abc"));
  EXPECT_EQ(two.receive(), std::string(3, '\0'));
  auto discard = listen({"-v", any_port + ",idle=20ms", "discard:"});
  const udp_wire three(discard->port());
  ASSERT_TRUE(three.send("abc"));
  EXPECT_TRUE(discard->until_errors("↑3 B/1 ↓0 B")) << discard->errors;
}

TEST_P(command_udp, a_program_serves_each_sender_and_knows_it) {
  auto server = listen({any_port, "sh:read -r line; echo $PROTO $UDPREMOTEIP $UDPREMOTEPORT $line"});
  for (int i = 0; i < 3; ++i) {
    const udp_wire client(server->port());
    ASSERT_TRUE(client.send("line\n"));
    EXPECT_EQ(client.receive(), "UDP 127.0.0.1 " + std::to_string(client.port()) + " line\n");
  }
}

TEST_P(command_udp, silence_is_the_end_of_input_for_a_program) {
  auto server = listen({any_port + ",idle=50ms", "exec:wc -c"});
  const udp_wire client(server->port());
  ASSERT_TRUE(client.send("12345"));
  EXPECT_EQ(client.receive(), "5\n");
}

TEST_P(command_udp, one_sender_is_joined_with_the_standard_streams) {
  auto server = listen({any_port + ",wait=50ms"}, "from the server");
  const udp_wire client(server->port());
  ASSERT_TRUE(client.send("from the client"));
  EXPECT_EQ(client.receive(), "from the server");
  EXPECT_EQ(server->wait(), 0) << server->errors;
  EXPECT_EQ(server->output, "from the client");
}

TEST_P(command_udp, an_idle_session_with_the_standard_streams_ends_in_order) {
  auto server = listen({any_port + ",idle=50ms"}, "", true);
  const udp_wire client(server->port());
  ASSERT_TRUE(client.send("all"));
  EXPECT_EQ(server->wait(), 0) << server->errors;
  EXPECT_EQ(server->output, "all");
}

TEST_P(command_udp, an_interrupt_does_not_wait_for_sessions_that_have_no_end) {
  auto server = listen({"-v", "--drain=1h", any_port, "echo:"});
  const udp_wire client(server->port());
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(), "x");
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("0 failed"), std::string::npos) << server->errors;
}

// Frames ---------------------------------------------------------------------------------------------------

TEST_P(command_udp, lines_become_datagrams_and_datagrams_lines) {
  const udp_wire server;
  auto client = start({"connect", server.address() + ",count=2", "-,frame=line"}, "one\n\ntwo\r\nrest");
  sockaddr_in whom{};
  for (const char* const expected : {"one", "", "two", "rest"}) EXPECT_EQ(server.receive(&whom), expected);
  ASSERT_TRUE(server.send_to(whom, "first"));
  ASSERT_TRUE(server.send_to(whom, "second"));
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(client->output, "first\nsecond\n");
}

TEST_P(command_udp, line_ends_are_made_for_the_network) {
  const udp_wire server;
  auto client = start({"connect", "-U", server.address() + ",crlf"}, "one\ntwo\n");
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(server.receive(), "one\r\ntwo\r\n");
}

// As DNS over TCP, in both directions.
TEST_P(command_udp, sizes_hold_datagrams_in_a_connection) {
  const wire server = wire::listening();
  auto to_tcp = listen({any_port, at_port(server.port()) + ",frame=len16"});
  const udp_wire client(to_tcp->port());
  ASSERT_TRUE(client.send("abc"));
  ASSERT_TRUE(client.send(""));
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(7), std::string("\0\3abc\0\0", 7));
  ASSERT_TRUE(connection.send(std::string_view("\0\2de\0", 5)));
  EXPECT_EQ(client.receive(), "de");
  ASSERT_TRUE(connection.send("\1f"));
  EXPECT_EQ(client.receive(), "f");

  const udp_wire answering;
  auto to_udp = listen({any_tcp_port + ",frame=len32", answering.address() + ",wait=50ms"});
  const wire asking = wire::connected(to_udp->port());
  ASSERT_TRUE(asking.send(std::string_view("\0\0\0\3abc", 7)));
  asking.finish();
  sockaddr_in whom{};
  EXPECT_EQ(answering.receive(&whom), "abc");
  ASSERT_TRUE(answering.send_to(whom, "answer"));
  EXPECT_EQ(asking.receive(), std::string("\0\0\0\6answer", 10));
  EXPECT_EQ(errno, 0);
}

TEST_P(command_udp, a_stream_that_ends_within_a_frame_is_an_error) {
  const udp_wire server;
  auto client = start({"connect", "-U", server.address(), "-,frame=len16"}, std::string("\0\1a\0\5bc", 7));
  EXPECT_EQ(client->wait(), 1);
  EXPECT_EQ(server.receive(), "a");
  EXPECT_NE(client->errors.find("its last frame is not whole"), std::string::npos) << client->errors;
}

TEST_P(command_udp, a_frame_that_no_datagram_holds_is_an_error) {
  const udp_wire server;
  auto client = start({"connect", "-U", server.address(), "-,frame=line"}, std::string(70'000, 'x') + "\n");
  EXPECT_EQ(client->wait(), 1);
  EXPECT_NE(client->errors.find("longer than a message may be"), std::string::npos) << client->errors;
}

TEST_P(command_udp, frames_of_one_kind_become_frames_of_another) {
  const wire server = wire::listening();
  auto client = start({"connect", "-U", at_port(server.port()) + ",frame=len16", "-,frame=nul"},
                      std::string("a\0bc\0", 5));
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(), std::string("\0\1a\0\2bc", 7));
  connection.finish();
  EXPECT_EQ(client->wait(), 0) << client->errors;
}

// Without an end, as a server that never closes gives one to nobody.
TEST_P(command_udp, the_end_of_a_connection_does_not_wait_for_datagrams_for_ever) {
  const udp_wire server;
  auto relay = listen({any_tcp_port, server.address() + ",wait=50ms"});
  const wire client = wire::connected(relay->port());
  ASSERT_TRUE(client.send("question"));
  sockaddr_in whom{};
  EXPECT_EQ(server.receive(&whom), "question");
  ASSERT_TRUE(server.send_to(whom, "answer"));
  EXPECT_EQ(client.receive(6), "answer");
  client.finish();
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(errno, 0);
}

}  // namespace
