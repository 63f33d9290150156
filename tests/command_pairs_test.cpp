// Every kind of address with every other, in both verbs: joined as one expects, or refused with a reason.
//
// Goal: the table "What is joined with what" of soquete(1) is true.
// Method: the test plays the outer ends. What the one sends the other receives; messages stay apart where
// both sides keep them apart; an end crosses where both sides have one, and what still comes the other way
// arrives; then the command ends with 0, or where nobody can end it, goes on until it is interrupted.
#include <functional>

#include "ends.hpp"
#include "on_each_command.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;

namespace {

class command_pairs : public on_each_command {
 protected:
  /// With the descriptors of these ends, from `first` on.
  static std::unique_ptr<process> start_with(const std::vector<std::string>& arguments,
                                             const std::vector<const outer_end*>& ends, int first = 3) {
    std::vector<int> passed;
    for (const outer_end* const one : ends)
      if (one->passed() >= 0) passed.push_back(one->passed());
    return std::make_unique<process>(
        soquete_with(arguments),
        start_options{
            .variables = variables(), .keeps_input_open = true, .passed = passed, .first_passed = first});
  }
};
ON_EACH_COMMAND(command_pairs);

using maker = std::unique_ptr<outer_end> (*)(int number);

template <class End>
std::unique_ptr<outer_end> make(int) {
  return std::make_unique<End>();
}
std::unique_ptr<outer_end> make_descriptor(int number) { return std::make_unique<descriptor_end>(number); }

struct kind {
  const char* name;
  maker as_server;  // Or that is there already.
  maker as_client;  // Null: nobody can listen for it.
};

constexpr kind kinds[] = {
    {"tcp", &make<tcp_server>, &make<tcp_client>},
    {"udp", &make<udp_server>, &make<udp_client>},
    {"unix", &make<local_server>, &make<local_client>},
    {"unix dgram", &make<dgram_server>, &make<dgram_client>},
    {"unix seqpacket", &make<seqpacket_server>, &make<seqpacket_client>},
    {"fd", &make_descriptor, nullptr},
    {"-", &make<standard_end>, nullptr},
};

// What passes from one to the other and back. The first may speak first.
void expect_exchange(outer_end& first, outer_end& second, const std::function<void()>& meet_second) {
  ASSERT_TRUE(first.send("one"));
  meet_second();
  ASSERT_EQ(second.receive(3), "one");
  ASSERT_TRUE(second.send("two"));
  ASSERT_EQ(first.receive(3), "two");
  if (!first.keeps_bounds() || !second.keeps_bounds()) return;
  ASSERT_TRUE(first.send("a"));
  const bool are_empty_sent = first.takes_empty();
  if (are_empty_sent) ASSERT_TRUE(first.send(""));
  ASSERT_TRUE(first.send("bc"));
  ASSERT_EQ(second.receive(1), "a");
  if (are_empty_sent && second.takes_empty()) ASSERT_EQ(second.receive(0), "");
  ASSERT_EQ(second.receive(2), "bc");
}

// How it all ends; of who has no end, silence is one.
void expect_end(outer_end& first, outer_end& second, process& command) {
  if (!first.has_end() && !second.has_end()) {
    command.send_signal(SIGINT);
    EXPECT_EQ(command.wait(), 128 + SIGINT) << command.errors;
    return;
  }
  outer_end& one = first.has_end() ? first : second;
  outer_end& other = first.has_end() ? second : first;
  one.finish();
  if (other.has_end()) {
    EXPECT_TRUE(other.sees_end());
    ASSERT_TRUE(other.send("late"));
    EXPECT_EQ(one.receive(4), "late");
    other.finish();
  }
  EXPECT_TRUE(one.sees_end());
  EXPECT_EQ(command.wait(), 0) << command.errors;
  EXPECT_EQ(command.errors, "");
}

TEST_P(command_pairs, who_is_connected_to_is_joined_with_who_is_connected_to) {
  for (const kind& one : kinds) {
    for (const kind& other : kinds) {
      SCOPED_TRACE(std::string("connect ") + one.name + " " + other.name);
      const auto a = one.as_server(3);
      const auto b = other.as_server(a->passed() < 0 ? 3 : 4);
      auto command = start_with({"connect", a->address(), b->address()}, {a.get(), b.get()});
      if (a->address() == "-" && b->address() == "-") {
        EXPECT_EQ(command->wait(), 2);
        continue;
      }
      if (!a->speaks_first() && !b->speaks_first()) {
        EXPECT_EQ(command->wait(), 2);
        EXPECT_NE(command->errors.find("nobody can send the first datagram"), std::string::npos)
            << command->errors;
        continue;
      }
      outer_end& first = a->speaks_first() ? *a : *b;
      outer_end& second = a->speaks_first() ? *b : *a;
      // It opens them in this order, and waits for none of them.
      a->meet(*command);
      b->meet(*command);
      ASSERT_NO_FATAL_FAILURE(expect_exchange(first, second, [] {})) << command->errors;
      ASSERT_NO_FATAL_FAILURE(expect_end(first, second, *command));
    }
  }
}

TEST_P(command_pairs, who_connects_is_joined_with_who_is_connected_to) {
  for (const kind& one : kinds) {
    for (const kind& other : kinds) {
      SCOPED_TRACE(std::string("listen ") + one.name + " " + other.name);
      if (one.as_client == nullptr) {
        const auto none = one.as_server(3);
        auto command = start_with({"listen", none->address(), "echo:"}, {none.get()});
        EXPECT_EQ(command->wait(), 2);
        continue;
      }
      const auto client = one.as_client(3);
      const auto server = other.as_server(4);
      const auto command =
          start_with({"listen", "-q", "--once", client->address(), server->address(), "--ready-fd", "3"},
                     {server.get()}, 4);
      client->meet(*command);
      ASSERT_NO_FATAL_FAILURE(expect_exchange(*client, *server, [&] { server->meet(*command); }))
          << command->errors;
      ASSERT_NO_FATAL_FAILURE(expect_end(*client, *server, *command));
    }
  }
}

TEST_P(command_pairs, a_reset_crosses_to_who_can_be_reset_and_is_an_end_elsewhere) {
  for (const kind& other : kinds) {
    SCOPED_TRACE(std::string("listen tcp ") + other.name);
    tcp_client client;
    const auto server = other.as_server(4);
    auto command =
        start_with({"listen", "-q", "--once", client.address(), server->address(), "--ready-fd", "3"},
                   {server.get()}, 4);
    client.meet(*command);
    ASSERT_TRUE(client.send("one"));
    server->meet(*command);
    ASSERT_EQ(server->receive(3), "one");
    client.reset();
    if (std::string_view(other.name) == "tcp")
      EXPECT_FALSE(server->receive(1));
    else if (server->has_end())
      EXPECT_TRUE(server->sees_end());
    EXPECT_EQ(command->wait(), 1);
    EXPECT_NE(command->errors.find("(ECONNRESET)"), std::string::npos) << command->errors;
  }
}

std::string framed(std::string_view frame, std::string_view message) {
  const std::string text(message);
  const char size = static_cast<char>(message.size());
  if (frame == "line") return text + '\n';
  if (frame == "nul") return text + '\0';
  return std::string(frame == "len16" ? 1 : 3, '\0') + size + text;
}

TEST_P(command_pairs, frames_keep_messages_apart_in_a_stream) {
  for (const kind& other : kinds) {
    for (const char* const frame : {"line", "nul", "len16", "len32"}) {
      const auto server = other.as_server(4);
      if (!server->keeps_bounds()) continue;
      SCOPED_TRACE(std::string("listen unix,frame=") + frame + " " + other.name);
      local_client client;
      auto command = listen({"-q", "--once", client.address() + ",frame=" + frame, server->address()});
      client.meet(*command);
      ASSERT_TRUE(client.send(framed(frame, "one") + framed(frame, "three")));
      server->meet(*command);
      ASSERT_EQ(server->receive(3), "one") << command->errors;
      ASSERT_EQ(server->receive(5), "three");
      for (const char* const text : {"four", "five"}) ASSERT_TRUE(server->send(text));
      const std::string answer = framed(frame, "four") + framed(frame, "five");
      EXPECT_EQ(client.receive(answer.size()), answer);
      client.finish();
      if (server->has_end()) EXPECT_TRUE(server->sees_end());
      server->finish();
      EXPECT_TRUE(client.sees_end());
      EXPECT_EQ(command->wait(), 0) << command->errors;
    }
  }
}

// Those that have no outer end of their own
// ------------------------------------------------------------------

// Sends one message, or a line, and gets it back.
void expect_echo(outer_end& from, process& command) {
  ASSERT_TRUE(from.send("one"));
  ASSERT_EQ(from.receive(3), "one");
  if (!from.has_end()) {
    command.send_signal(SIGINT);
    EXPECT_EQ(command.wait(), 128 + SIGINT) << command.errors;
    return;
  }
  from.finish();
  EXPECT_TRUE(from.sees_end());
  EXPECT_EQ(command.wait(), 0) << command.errors;
}

TEST_P(command_pairs, programs_and_services_answer_all_who_connect) {
  for (const kind& one : kinds) {
    for (const char* const peer : {"exec:cat", "echo:"}) {
      if (one.as_client == nullptr) continue;
      SCOPED_TRACE(std::string("listen ") + one.name + " " + peer);
      const auto client = one.as_client(3);
      auto command = listen({"--once", client->address(), peer});
      client->meet(*command);
      ASSERT_NO_FATAL_FAILURE(expect_echo(*client, *command)) << command->errors;
    }
  }
}

TEST_P(command_pairs, programs_and_services_answer_all_who_are_connected_to) {
  for (const kind& one : kinds) {
    for (const char* const peer : {"sh:printf first; exec cat", "echo:"}) {
      SCOPED_TRACE(std::string("connect ") + one.name + " " + peer);
      const auto server = one.as_server(3);
      auto command = start_with({"connect", server->address(), peer}, {server.get()});
      if (!server->speaks_first() && std::string_view(peer) == "echo:") {
        EXPECT_EQ(command->wait(), 2);
        EXPECT_NE(command->errors.find("nobody can send the first datagram"), std::string::npos)
            << command->errors;
        continue;
      }
      server->meet(*command);
      if (std::string_view(peer) != "echo:") ASSERT_EQ(server->receive(5), "first") << command->errors;
      ASSERT_NO_FATAL_FAILURE(expect_echo(*server, *command)) << command->errors;
    }
  }
}

TEST_P(command_pairs, what_is_thrown_away_and_zeros_go_with_all_who_connect) {
  for (const kind& one : kinds) {
    if (one.as_client == nullptr) continue;
    SCOPED_TRACE(std::string("listen ") + one.name);
    const auto silent = one.as_client(3);
    auto discard = listen({"-v", "--once", silent->address(), "discard:"});
    silent->meet(*discard);
    ASSERT_TRUE(silent->send("one"));
    silent->finish();
    if (!silent->has_end()) discard->send_signal(SIGINT);
    EXPECT_EQ(discard->wait(), silent->has_end() ? 0 : 128 + SIGINT) << discard->errors;

    const auto greedy = one.as_client(3);
    auto zero = listen({"--once", greedy->address(), "zero:"});
    greedy->meet(*zero);
    // Datagrams get as many zeros as they have bytes; a connection gets them for ever.
    if (!greedy->has_end()) ASSERT_TRUE(greedy->send("one"));
    const auto got = greedy->receive(3);
    ASSERT_TRUE(got) << zero->errors;
    EXPECT_EQ(got->substr(0, 3), std::string(3, '\0'));
    greedy->leave();
    if (!greedy->has_end()) zero->send_signal(SIGINT);
    EXPECT_EQ(zero->wait(), greedy->has_end() ? 0 : 128 + SIGINT) << zero->errors;
  }
}

TEST_P(command_pairs, programs_are_joined_with_each_other_and_with_services) {
  for (const char* const peer : {"exec:cat", "echo:", "discard:", "-", "zero:"}) {
    SCOPED_TRACE(peer);
    auto one = start({"connect", "exec:true", peer});
    EXPECT_EQ(one->wait(), 0) << one->errors;
  }
  // The first has ended long before the other has done with its output.
  auto two = start({"connect", "exec:echo hello", "sh:cat >&2; seq 100000 | wc -l >&2"});
  EXPECT_EQ(two->wait(), 0);
  EXPECT_EQ(two->errors, "hello\n100000\n");
}

TEST_P(command_pairs, services_have_no_end_of_their_own) {
  for (const char* const one : {"echo:", "discard:", "zero:"}) {
    for (const char* const other : {"echo:", "discard:", "zero:"}) {
      auto both = start({"connect", one, other});
      EXPECT_EQ(both->wait(), 2);
      EXPECT_NE(both->errors.find("both services of this program"), std::string::npos) << both->errors;
    }
    auto none = start({"listen", one, "-"});
    EXPECT_EQ(none->wait(), 2);
    EXPECT_NE(none->errors.find("nothing to listen on"), std::string::npos) << none->errors;
  }
}

// Where it is known, the other can begin.
TEST_P(command_pairs, two_datagram_servers_are_joined_where_one_of_them_knows_our_address) {
  const own_folder folder;
  const local_wire knows = local_wire::bound(folder.path("knows"));
  const udp_wire learns;
  auto relay = start(
      {"connect", "unix://" + folder.path("knows") + ",dgram,bind=" + folder.path("we"), learns.address()});
  ASSERT_TRUE(relay->until([&] { return folder.has("we"); })) << relay->errors;
  ASSERT_TRUE(relay->until([&] { return knows.send_to(folder.path("we"), "one"); }));
  sockaddr_in us{};
  ASSERT_EQ(learns.receive(&us), "one");
  ASSERT_TRUE(learns.send_to(us, "two"));
  EXPECT_EQ(knows.receive(), "two");
}

}  // namespace
