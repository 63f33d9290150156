// The examples do what their first lines say. They use fixed ports, so each test has a network of its own.
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

#include "child.hpp"
#include "network.hpp"
#include "process.hpp"

namespace soquete::test {
namespace {

const std::string folder = SOQUETE_EXAMPLES_DIR "/";
constexpr std::uint16_t echo_port = 8080;

// Runs it in a network of its own.
void apart(const std::function<void()>& body) {
  const child_ending how = in_a_child([&] {
    if (!enter_own_network()) return lacks_permission;
    body();
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << "no permission for a network of one's own";
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

// Connects once the server listens: it tells nobody when.
wire connect_to(process& server, std::uint16_t port) {
  for (;;) {
    wire client = wire::connected(port);
    if (client.is_open() || !server.is_running()) return client;
  }
}

TEST(examples, echo_server_answers_with_the_same_bytes_and_ends_in_order) {
  apart([] {
    process server({folder + "echo_server"});
    wire client = connect_to(server, echo_port);
    ASSERT_TRUE(client.send("to and fro"));
    EXPECT_EQ(client.receive(10), "to and fro");
    client = wire();
    server.send_signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0) << server.errors;
  });
}

TEST(examples, echo_client_prints_the_answer) {
  apart([] {
    process server({folder + "echo_server"});
    connect_to(server, echo_port);
    process client({folder + "echo_client"});
    EXPECT_EQ(client.wait(), 0) << client.errors;
    EXPECT_EQ(client.output, "hello\n");
  });
}

TEST(examples, echo_client_says_what_each_address_said) {
  apart([] {
    process client({folder + "echo_client"});
    EXPECT_EQ(client.wait(), 1);
    EXPECT_TRUE(client.errors.starts_with("echo_client: connect localhost:8080: connection refused\n"))
        << client.errors;
    EXPECT_NE(client.errors.find("127.0.0.1:8080 connection refused"), std::string::npos) << client.errors;
  });
}

TEST(examples, handover_gives_an_open_connection_away) {
  apart([] {
    process program({folder + "handover"});
    EXPECT_EQ(program.wait(), ::geteuid() == 0 ? 0 : 1) << program.errors;
  });
}

TEST(examples, plain_needs_no_coroutines) {
  apart([] {
    process server({folder + "echo_server"});
    connect_to(server, echo_port);
    process client({folder + "plain"});
    EXPECT_EQ(client.wait(), 0) << client.errors;
    EXPECT_EQ(client.output, "hello\n");
  });
}

TEST(examples, graceful_answers_lines_and_lets_a_client_finish) {
  apart([] {
    process server({folder + "graceful"});
    wire client = connect_to(server, echo_port);
    ASSERT_TRUE(client.send("one\n"));
    EXPECT_EQ(client.receive(4), "one\n");
    server.send_signal(SIGTERM);
    // No new clients, but this one is still served.
    while (wire::connected(echo_port).is_open()) {}
    ASSERT_TRUE(client.send("two\nquit\n"));
    EXPECT_EQ(client.receive(4), "two\n");
    EXPECT_EQ(server.wait(), 0) << server.errors;
  });
}

TEST(examples, race_prints_the_answer_that_comes) {
  apart([] {
    process server({folder + "echo_server"});
    connect_to(server, echo_port);
    const wire silent = wire::listening();
    process client({folder + "race", "127.0.0.1:" + std::to_string(silent.port()), "127.0.0.1:8080"});
    EXPECT_EQ(client.wait(), 0) << client.errors;
    EXPECT_EQ(client.output, "which?\n");
  });
}

// What `to` answers to a datagram; asked again while nobody listens there.
std::string ask(std::uint16_t port, std::string_view question, process& server) {
  const int number = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::connect(number, reinterpret_cast<sockaddr*>(&to), sizeof to);
  std::array<char, 2048> answer;
  ssize_t got = -1;
  while (got < 0 && server.is_running()) {
    if (::send(number, question.data(), question.size(), 0) < 0) continue;
    got = ::recv(number, answer.data(), answer.size(), 0);
  }
  ::close(number);
  return got < 0 ? "none" : std::string(answer.data(), static_cast<std::size_t>(got));
}

TEST(examples, udp_echo_answers_each_datagram_with_itself) {
  apart([] {
    process server({folder + "udp_echo"});
    EXPECT_EQ(ask(echo_port, "to and fro", server), "to and fro");
    EXPECT_EQ(ask(echo_port, "", server), "");
    EXPECT_EQ(ask(echo_port, std::string(1400, 'x'), server), std::string(1400, 'x'));
    server.send_signal(SIGTERM);
    EXPECT_EQ(server.wait(), 128 + SIGTERM) << server.errors;
  });
}

TEST(examples, relay_joins_both_ways_to_the_end) {
  apart([] {
    process server({folder + "echo_server"});
    connect_to(server, echo_port);
    process relay({folder + "relay", "127.0.0.1:8081", "127.0.0.1:8080"});
    wire client = connect_to(relay, 8081);
    ASSERT_TRUE(client.send("through"));
    ::shutdown(client.number(), SHUT_WR);
    EXPECT_EQ(client.receive(), "through");
  });
}

// Asks a question on a connection of its own.
bool is_served(std::uint16_t port, std::string_view word) {
  const wire client = wire::connected(port);
  return client.is_open() && client.send(word) && client.receive(word.size()) == word;
}

// Goal: a restart refuses nobody, cuts nobody, and ends the old server. Method: clients come one after the
// other all the while, and one stays from before the first restart. tests/handover_test.cpp does it with
// more.
TEST(examples, restart_gives_a_busy_server_a_successor_and_no_client_notices) {
  apart([] {
    const std::vector<std::string> words{folder + "restart"};
    auto server = std::make_unique<process>(words);
    wire faithful = connect_to(*server, echo_port);
    const auto ask_faithful = [&] { return faithful.send("faithful") && faithful.receive(8) == "faithful"; };
    ASSERT_TRUE(ask_faithful());
    int served = 0;
    for (int generation = 0; generation != 3; ++generation) {
      auto next = std::make_unique<process>(words);
      // It is asked by name; whoever answers on the port meanwhile, somebody does.
      while (next->is_running() && server->is_running()) {
        ASSERT_TRUE(is_served(echo_port, "passing")) << "client " << served;
        ++served;
        // Once a new one accepts, the old one serves those that it has, until they leave.
        if (served % 10 != 0) continue;
        ASSERT_TRUE(ask_faithful());
        faithful = wire::connected(echo_port);
        ASSERT_TRUE(ask_faithful());
      }
      EXPECT_TRUE(next->is_running()) << next->errors;
      EXPECT_EQ(server->wait(), 0) << server->errors;
      server = std::move(next);
    }
    EXPECT_TRUE(ask_faithful());
    EXPECT_GE(served, 3);
    faithful = wire();
    server->send_signal(SIGTERM);
    EXPECT_EQ(server->wait(), 0) << server->errors;
    EXPECT_FALSE(wire::connected(echo_port).is_open());
  });
}

TEST(examples, child_runs_sort_with_both_ends_connected) {
  process sorting({folder + "child"});
  EXPECT_EQ(sorting.wait(), 0) << sorting.errors;
  EXPECT_EQ(sorting.output, "pear\napple\nsort exited with 0\n");
}

// The page that these were drawn on before there was a library, and the lines that it took. What a program
// needs beyond it in order to run and to be tested is not counted.
struct drawn {
  const char* example;
  std::size_t lines;
  // Functions that the page has not, or only declares, and lines for their sake.
  std::vector<std::string> only_here;
};
const drawn page[] = {
    {"echo_client", 22, {}},
    {"echo_server", 16, {}},
    {"graceful", 22, {}},
    {"handover", 15, {"show", "main"}},
    {"plain", 15, {}},
    {"race", 10, {"ask", "main"}},
    // Drawn on the same page as the race: the head of a file, and one function with its comment.
    {"relay", 14, {"join", "main", "#include <cstdio>"}},
    {"udp_echo", 20, {}},
};

// All lines but these, and those of these functions with the empty line before them.
std::vector<std::string> without(const std::vector<std::string>& only_here, std::istream& text) {
  std::vector<std::string> kept;
  bool is_inside = false;
  for (std::string line; std::getline(text, line);) {
    const auto begins = [&](const std::string& name) {
      return !line.empty() && line[0] != ' ' && line.find(" " + name + "(") != line.npos;
    };
    if (std::ranges::find(only_here, line) != only_here.end()) continue;
    if (!is_inside && std::ranges::any_of(only_here, begins)) {
      if (!kept.empty() && kept.back().empty()) kept.pop_back();
      is_inside = true;
    }
    if (!is_inside) kept.push_back(line);
    if (line == "}" || (is_inside && line.ends_with(" }"))) is_inside = false;
  }
  return kept;
}

TEST(examples, what_was_drawn_before_is_there_and_no_longer_than_drawn) {
  for (const drawn& one : page) {
    std::ifstream text(std::string(SOQUETE_SOURCE_DIR "/examples/") + one.example + ".cpp");
    ASSERT_TRUE(text.is_open()) << one.example;
    const auto counted = without(one.only_here, text);
    std::string shown;
    for (const std::string& line : counted) shown += line + "\n";
    EXPECT_LE(counted.size(), one.lines) << one.example << ":\n" << shown;
    EXPECT_GE(counted.size(), 9U) << "this cannot be all of " << one.example << ":\n" << shown;
  }
}

}  // namespace
}  // namespace soquete::test
