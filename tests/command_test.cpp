// The command with its ends: what is delivered, how it ends, and with which status.
#include "on_each_command.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;

namespace {

const std::string any_port = "tcp://127.0.0.1:0";

class command : public on_each_command {};
ON_EACH_COMMAND(command);

// Nothing is lost: the trials that others fail ------------------------------------------------------------

// M1: socat and nc print nothing, or never end.
TEST_P(command, an_answer_that_comes_long_after_the_end_of_input_is_printed_in_full) {
  const wire server = wire::listening();
  auto client = start({"connect", at_port(server.port())}, "question");
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(), "question");
  EXPECT_FALSE(client->until([&] { return !client->is_running(); }, a_while)) << "it did not wait";
  const std::string answer = noise(100'000);
  ASSERT_TRUE(connection.send(answer));
  connection.finish();
  EXPECT_EQ(client->wait(), 0);
  EXPECT_EQ(client->output, answer);
  EXPECT_EQ(client->errors, "");
}

// M2: relays that drop both directions at the first end.
TEST_P(command, a_relay_passes_on_each_end_and_loses_nothing) {
  const wire server = wire::listening();
  auto relay = listen({any_port, at_port(server.port())});
  const wire client = wire::connected(relay->port());
  ASSERT_TRUE(client.send("question"));
  client.finish();
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(), "question");
  EXPECT_TRUE(client.is_silent(a_while)) << "the relay did not wait for the answer";
  const std::string answer = noise(100'000);
  ASSERT_TRUE(connection.send(answer));
  connection.finish();
  EXPECT_EQ(client.receive(), answer);
  EXPECT_EQ(errno, 0);
}

TEST_P(command, a_server_that_finishes_first_still_gets_all_that_the_client_sends) {
  const wire server = wire::listening();
  auto relay = listen({any_port, at_port(server.port())});
  const wire client = wire::connected(relay->port());
  const wire connection = server.accept();
  ASSERT_TRUE(connection.send("greeting"));
  connection.finish();
  EXPECT_EQ(client.receive(), "greeting");
  ASSERT_TRUE(client.send("and yet"));
  EXPECT_EQ(connection.receive(7), "and yet");
  client.finish();
  EXPECT_EQ(connection.receive(), "");
  EXPECT_EQ(errno, 0);
}

// M3: ncat delivers 57 KB of these.
TEST_P(command, five_megabytes_come_back_from_a_program_in_full) {
  auto server = listen({any_port, "exec:cat"});
  const std::string data = noise(5'000'000);
  auto client = start({"connect", at_port(server->port())}, data);
  EXPECT_EQ(client->wait(), 0);
  EXPECT_EQ(client->output, data);
}

TEST_P(command, the_output_of_a_program_that_ends_at_once_reaches_a_client_that_stays) {
  auto server = listen({any_port, "exec:seq 1 20000"});
  const wire client = wire::connected(server->port());
  ASSERT_TRUE(client.send("nobody reads this"));
  const std::string got = client.receive();
  EXPECT_EQ(errno, 0);
  EXPECT_TRUE(got.ends_with("\n19999\n20000\n")) << got.size();
}

// M4: socat and nc end with 0.
TEST_P(command, a_reset_is_an_error_of_the_client) {
  const wire server = wire::listening();
  auto client = start({"connect", at_port(server.port())}, "question", true);
  wire connection = server.accept();
  EXPECT_EQ(connection.receive(8), "question");
  ASSERT_TRUE(connection.send("part"));
  ASSERT_TRUE(client->until_output("part"));
  connection.reset();
  EXPECT_EQ(client->wait(), 1);
  EXPECT_EQ(client->output, "part");
  EXPECT_NE(client->errors.find("connection reset by peer (ECONNRESET)"), std::string::npos)
      << client->errors;
}

// M5: all the others turn it into a clean end.
TEST_P(command, a_reset_crosses_a_relay_as_a_reset) {
  const wire server = wire::listening();
  auto relay = listen({any_port, at_port(server.port())});
  const wire client = wire::connected(relay->port());
  ASSERT_TRUE(client.send("question"));
  wire connection = server.accept();
  EXPECT_EQ(connection.receive(8), "question");
  connection.reset();
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(command, a_reset_of_the_client_reaches_the_server) {
  const wire server = wire::listening();
  auto relay = listen({any_port, at_port(server.port())});
  wire client = wire::connected(relay->port());
  ASSERT_TRUE(client.send("question"));
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(8), "question");
  client.reset();
  EXPECT_EQ(connection.receive(), "");
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(command, a_client_of_a_server_that_refuses_the_relay_is_reset) {
  std::uint16_t closed = 0;
  {
    const wire gone = wire::listening();
    closed = gone.port();
  }
  auto relay = listen({any_port, at_port(closed)});
  const wire client = wire::connected(relay->port());
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_TRUE(relay->until_errors("connection refused (ECONNREFUSED)")) << relay->errors;
}

// M10: others end with 0.
TEST_P(command, the_status_of_a_program_is_passed_on) {
  EXPECT_EQ(start({"connect", "sh:exit 7"})->wait(), 7);
  EXPECT_EQ(start({"connect", "sh:kill -9 $$"})->wait(), 137);
  EXPECT_EQ(start({"connect", "exec:true"})->wait(), 0);
}

TEST_P(command, the_status_of_a_program_that_served_one_client_is_passed_on) {
  auto server = listen({"--once", any_port, "sh:cat; exit 5"});
  const wire client = wire::connected(server->port());
  ASSERT_TRUE(client.send("hello"));
  client.finish();
  EXPECT_EQ(client.receive(), "hello");
  EXPECT_EQ(server->wait(), 5);
}

// Ends ----------------------------------------------------------------------------------------------------

TEST_P(command, a_program_learns_of_the_end_of_input_and_may_answer_after_it) {
  auto client = start({"connect", "exec:wc -c"}, noise(100'000));
  EXPECT_EQ(client->wait(), 0);
  EXPECT_EQ(client->output, "100000\n");
}

TEST_P(command, the_end_of_input_ends_all_when_asked) {
  const wire server = wire::listening();
  auto client = start({"connect", "--on-eof=close", at_port(server.port())}, "last words");
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(), "last words");
  EXPECT_EQ(client->wait(), 0) << client->errors;
}

TEST_P(command, the_end_of_input_is_kept_to_itself_when_asked) {
  const wire server = wire::listening();
  auto client = start({"connect", "--on-eof=ignore", at_port(server.port())}, "first words");
  wire connection = server.accept();
  EXPECT_EQ(connection.receive(11), "first words");
  EXPECT_TRUE(connection.is_silent(a_while));
  ASSERT_TRUE(connection.send("answer"));
  connection.close();
  EXPECT_EQ(client->wait(), 0);
  EXPECT_EQ(client->output, "answer");
}

TEST_P(command, one_way_receives_without_touching_standard_input) {
  const wire server = wire::listening();
  auto client = start({"connect", "-u", at_port(server.port())}, "not read", true);
  wire connection = server.accept();
  ASSERT_TRUE(connection.send("news"));
  connection.close();
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(client->output, "news");
}

TEST_P(command, the_other_way_sends_and_throws_away_what_comes) {
  const wire server = wire::listening();
  auto client = start({"connect", "-U", at_port(server.port())}, "upload");
  wire connection = server.accept();
  ASSERT_TRUE(connection.send("banner"));
  EXPECT_EQ(connection.receive(), "upload");
  EXPECT_EQ(errno, 0);
  connection.close();
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(client->output, "");
}

TEST_P(command, the_whole_run_has_a_deadline) {
  const wire server = wire::listening();
  auto client = start({"connect", "--timeout=50ms", at_port(server.port())}, "", true);
  const wire connection = server.accept();
  EXPECT_EQ(client->wait(), 124);
  EXPECT_NE(client->errors.find("(--timeout)"), std::string::npos) << client->errors;
  auto listener = listen({"-t", "50ms", any_port, "echo:"});
  const wire one = wire::connected(listener->port());
  EXPECT_EQ(listener->wait(), 124) << listener->errors;
}

TEST_P(command, a_silent_connection_is_given_up_after_its_idle_time) {
  const wire server = wire::listening();
  auto client = start({"connect", "--idle=50ms", at_port(server.port())}, "", true);
  const wire connection = server.accept();
  EXPECT_EQ(client->wait(), 1);
  EXPECT_NE(client->errors.find("(--idle)"), std::string::npos) << client->errors;
}

TEST_P(command, a_closed_output_ends_it_as_quietly_as_cat) {
  auto endless = start({"connect", "zero:"});
  ASSERT_TRUE(endless->until([&] { return !endless->output.empty(); }));
  endless->close_output();
  EXPECT_EQ(endless->wait(), 128 + SIGPIPE);
  EXPECT_EQ(endless->errors, "");
}

// Serving -------------------------------------------------------------------------------------------------

TEST_P(command, one_client_is_joined_with_the_standard_streams) {
  auto server = listen({any_port}, "from the server", false);
  const wire client = wire::connected(server->port());
  ASSERT_TRUE(client.send("from the client"));
  client.finish();
  EXPECT_EQ(client.receive(), "from the server");
  EXPECT_EQ(server->wait(), 0) << server->errors;
  EXPECT_EQ(server->output, "from the client");
  EXPECT_FALSE(wire::connected(server->port()).is_open()) << "it listens to a second client";
}

TEST_P(command, many_clients_are_served_at_a_time) {
  auto server = listen({any_port, "echo:"});
  std::vector<wire> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(wire::connected(server->port()));
  for (std::size_t i = 0; i < clients.size(); ++i)
    ASSERT_TRUE(clients[i].send("client " + std::to_string(i)));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i].finish();
    EXPECT_EQ(clients[i].receive(), "client " + std::to_string(i));
  }
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
}

TEST_P(command, an_interrupt_lets_clients_finish_and_then_tells_what_was_served) {
  auto server = listen({"-v", "--drain=1m", any_port, "echo:"});
  const wire client = wire::connected(server->port());
  ASSERT_TRUE(client.send("before"));
  EXPECT_EQ(client.receive(6), "before");
  server->send_signal(SIGINT);
  ASSERT_TRUE(server->until_errors("no more clients are accepted"));
  // The loops, and the kernel, are told one after the other.
  EXPECT_TRUE(server->until([&] { return !wire::connected(server->port()).is_open(); }))
      << "it still accepts";
  ASSERT_TRUE(client.send("after"));
  client.finish();
  EXPECT_EQ(client.receive(), "after");
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("served "), std::string::npos) << server->errors;
  EXPECT_NE(server->errors.find("11 B received, 11 B sent, 0 failed"), std::string::npos) << server->errors;
}

TEST_P(command, clients_that_do_not_finish_are_cut_off_after_the_drain_time) {
  auto server = listen({"--drain=50ms", any_port, "echo:"});
  const wire client = wire::connected(server->port());
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(1), "x");
  server->send_signal(SIGTERM);
  EXPECT_EQ(server->wait(), 128 + SIGTERM);
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(command, a_second_interrupt_ends_it_at_once) {
  auto server = listen({"-v", "--drain=1h", any_port, "echo:"});
  const wire client = wire::connected(server->port());
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(1), "x");
  server->send_signal(SIGINT);
  ASSERT_TRUE(server->until_errors("no more clients are accepted"));
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
}

TEST_P(command, a_program_is_stopped_with_its_connection) {
  auto server = listen({"--drain=0s", any_port, "sh:echo $$; exec sleep 1000"});
  const wire client = wire::connected(server->port());
  std::string number;
  while (!number.ends_with('\n')) {
    const std::string more = client.receive(1);
    ASSERT_FALSE(more.empty());
    number += more;
  }
  const int program = std::atoi(number.c_str());
  ASSERT_EQ(::kill(program, 0), 0);
  server->send_signal(SIGTERM);
  EXPECT_EQ(server->wait(), 128 + SIGTERM);
  EXPECT_NE(::kill(program, 0), 0) << "it still runs";
}

TEST_P(command, programs_leave_no_zombies_and_know_their_client) {
  auto server = listen({any_port, "sh:echo $PROTO $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPCONNNUM"});
  for (int i = 1; i <= 20; ++i) {
    const wire client = wire::connected(server->port());
    sockaddr_in ours{};
    socklen_t size = sizeof ours;
    ::getsockname(client.number(), reinterpret_cast<sockaddr*>(&ours), &size);
    client.finish();
    EXPECT_EQ(client.receive(), "TCP 127.0.0.1 " + std::to_string(ntohs(ours.sin_port)) + " 127.0.0.1 " +
                                    std::to_string(i) + "\n");
  }
  process children({"ps", "--ppid", std::to_string(server->pid()), "-o", "stat="});
  children.wait();
  EXPECT_LE(std::ranges::count(children.output, 'Z'), 1) << children.output;  // The last may just have ended.
}

TEST_P(command, clients_above_the_limit_of_their_address_are_reset) {
  auto server = listen({"--per-ip=1", any_port, "echo:"});
  const wire first = wire::connected(server->port());
  ASSERT_TRUE(first.send("x"));
  EXPECT_EQ(first.receive(1), "x");
  const wire second = wire::connected(server->port());
  EXPECT_EQ(second.receive(), "");
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(command, clients_above_the_limit_wait_for_their_turn) {
  auto server = listen({"-c1", any_port, "echo:"});
  const wire first = wire::connected(server->port());
  ASSERT_TRUE(first.send("x"));
  EXPECT_EQ(first.receive(1), "x");
  const wire second = wire::connected(server->port());
  ASSERT_TRUE(second.send("y"));
  EXPECT_TRUE(second.is_silent(50ms));
  first.finish();
  EXPECT_EQ(first.receive(), "");
  EXPECT_EQ(second.receive(1), "y");
}

}  // namespace
