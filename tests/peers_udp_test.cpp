// Real peers that speak datagrams, which nobody here wrote, against `listen` and `connect`, in both roles.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "network.hpp"
#include "udp_wire.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> with_port(std::vector<std::string> words, std::uint16_t port) {
  for (std::string& word : words)
    if (const auto at = word.find("PORT"); at != word.npos) word.replace(at, 4, std::to_string(port));
  return words;
}

std::size_t open_descriptors(const process& of) {
  const fs::directory_iterator all("/proc/" + std::to_string(of.pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// socat, ncat, nc ------------------------------------------------------------------------------------------

struct cat {
  std::string name;
  std::vector<std::string> client;  // PORT stands for the port.
  std::vector<std::string> server;  // Sends back, or says "from there".

  friend std::ostream& operator<<(std::ostream& to, const cat& one) { return to << one.name; }
};

class netcat_udp : public testing::TestWithParam<cat> {};

INSTANTIATE_TEST_SUITE_P(peer, netcat_udp,
                         testing::Values(cat{"socat",
                                             {"socat", "-t60", "-", "UDP4:127.0.0.1:PORT"},
                                             {"socat", "UDP4-LISTEN:PORT,bind=127.0.0.1",
                                              "SYSTEM:cat >/dev/null & echo from there"}},
                                         cat{"ncat",
                                             {"ncat", "-u", "127.0.0.1", "PORT"},
                                             {"ncat", "-u", "-l", "127.0.0.1", "PORT"}},
                                         cat{"nc",
                                             {"nc.openbsd", "-u", "127.0.0.1", "PORT"},
                                             {"nc.openbsd", "-u", "-l", "127.0.0.1", "PORT"}}),
                         [](const auto& one) { return one.param.name; });

TEST_P(netcat_udp, is_served_by_echo) {
  process server(soquete_with({"listen", "udp://127.0.0.1:0", "echo:", "--ready-fd", "3"}));
  process client(with_port(GetParam().client, server.port()), {.input = "ping\n", .keeps_input_open = true});
  EXPECT_TRUE(client.until_output("ping\n")) << client.errors;
}

TEST_P(netcat_udp, is_served_by_a_relay_and_a_program) {
  process server(soquete_with({"listen", "udp://127.0.0.1:0", "exec:cat", "--ready-fd", "3"}));
  process relay(soquete_with({"listen", "udp://127.0.0.1:0",
                              "udp://127.0.0.1:" + std::to_string(server.port()), "--ready-fd", "3"}));
  process client(with_port(GetParam().client, relay.port()), {.input = "ping\n", .keeps_input_open = true});
  EXPECT_TRUE(client.until_output("ping\n")) << client.errors;
}

TEST_P(netcat_udp, serves_connect) {
  const std::uint16_t port = udp_wire().port();
  process server(with_port(GetParam().server, port), {.input = "from there\n", .keeps_input_open = true});
  const std::string address = "udp://127.0.0.1:" + std::to_string(port) + ",count=1,wait=1m";
  const auto end = std::chrono::steady_clock::now() + patience;
  int status = 4;
  std::string output;
  while (status == 4 && server.is_running() && std::chrono::steady_clock::now() < end) {
    process client(soquete_with({"connect", address}), {.input = "from here\n"});
    status = client.wait();
    output = client.output;
  }
  EXPECT_EQ(status, 0);
  EXPECT_EQ(output, "from there\n");
}

// dnsmasq and dig ------------------------------------------------------------------------------------------

class dns : public testing::Test {
 protected:
  static void SetUpTestSuite() { enter_own_network(); }

  // A port that is free may be taken before dnsmasq has it; not in a network of our own.
  dns() : port_(udp_wire().port()) {
    server_ = std::make_unique<process>(std::vector<std::string>{
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root",
        "--pid-file=", "--port=" + std::to_string(port_), "--listen-address=127.0.0.1", "--bind-interfaces",
        "--no-resolv", "--no-hosts", "--address=/example.test/192.0.2.1", "--log-facility=-"});
    EXPECT_TRUE(server_->until_errors("started")) << server_->errors;
  }
  static std::vector<std::string> dig(std::uint16_t port, std::vector<std::string> more) {
    std::vector<std::string> words{"dig", "@127.0.0.1", "-p", std::to_string(port), "+tries=1", "+time=10"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static std::size_t answers(std::string_view output) {
    std::size_t count = 0;
    for (std::size_t at = output.find("192.0.2.1\n"); at != output.npos;
         at = output.find("192.0.2.1\n", at + 1))
      ++count;
    return count;
  }

  std::uint16_t port_;
  std::unique_ptr<process> server_;
};

// M6: socat answers 36 to 40 of 50, and leaves as many processes.
// Goal: each of 1,000 queries is answered, 50 at a time, ten times over; then all sockets are gone.
// Method: 50 processes at once, each with 20 queries, one after the other, none repeated. Each has a port of
// its own: digs that may choose share ports (SO_REUSEPORT), and miss an answer or two in a thousand also when
// they ask dnsmasq itself.
TEST_F(dns, a_thousand_queries_through_a_relay_get_a_thousand_answers_ten_times_over) {
  constexpr std::size_t at_a_time = 50;
  constexpr std::size_t queries = 20;
  constexpr std::size_t first_port = 20'000;  // Below those that others are given, in a network of our own.
  process relay(soquete_with({"listen", "--threads=1", "udp://127.0.0.1:0,idle=2s,max=20000",
                              "udp://127.0.0.1:" + std::to_string(port_), "--ready-fd", "3"}));
  const std::uint16_t port = relay.port();
  const std::size_t before = open_descriptors(relay);
  std::string names;
  for (std::size_t i = 0; i < queries; ++i) names += "n" + std::to_string(i) + ".example.test\n";
  for (std::size_t round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<process>> all;
    for (std::size_t i = 0; i < at_a_time; ++i) {
      const std::string ours = "127.0.0.1#" + std::to_string(first_port + round * at_a_time + i);
      all.push_back(std::make_unique<process>(dig(port, {"-b", ours, "+short", "-f", "-"}),
                                              start_options{.input = names}));
    }
    std::size_t answered = 0;
    for (auto& one : all) {
      EXPECT_EQ(one->wait(), 0) << one->output << one->errors;
      answered += answers(one->output);
    }
    ASSERT_EQ(answered, at_a_time * queries) << "in round " << round << "\n" << relay.errors;
  }
  EXPECT_TRUE(relay.until([&] { return open_descriptors(relay) == before; })) << open_descriptors(relay);
  EXPECT_LE(std::ranges::count(relay.errors, '\n'), 1) << "more than where it listens: " << relay.errors;
  const fs::path children = "/proc/" + std::to_string(relay.pid()) + "/task/" + std::to_string(relay.pid());
  std::ifstream in(children / "children");
  std::string child;
  EXPECT_FALSE(in >> child) << "a process for each session?";
}

TEST_F(dns, udp_is_answered_by_a_server_that_is_asked_over_tcp_and_the_other_way_round) {
  process over_tcp(
      soquete_with({"listen", "udp://127.0.0.1:0",
                    "tcp://127.0.0.1:" + std::to_string(port_) + ",frame=len16", "--ready-fd", "3"}));
  process asked(dig(over_tcp.port(), {"+short", "a.example.test"}));
  EXPECT_EQ(asked.wait(), 0) << asked.output;
  EXPECT_EQ(asked.output, "192.0.2.1\n");
  process over_udp(soquete_with({"listen", "tcp://127.0.0.1:0,frame=len16",
                                 "udp://127.0.0.1:" + std::to_string(port_), "--ready-fd", "3"}));
  process asking(dig(over_udp.port(), {"+short", "+tcp", "b.example.test"}));
  EXPECT_EQ(asking.wait(), 0) << asking.output;
  EXPECT_EQ(asking.output, "192.0.2.1\n");
}

}  // namespace
