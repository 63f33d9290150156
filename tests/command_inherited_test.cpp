// The command with descriptors that it was started with: systemd: and fd:.  sd_listen_fds(3)
#include "local_name.hpp"
#include "local_wire.hpp"
#include "on_each_command.hpp"
#include "udp_wire.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;

namespace {

class command_inherited : public on_each_command {
 protected:
  std::string path(const std::string& name = "s") const { return folder_.path(name); }

  // As a service manager starts it: the variable names the process that the shell becomes.
  static std::unique_ptr<process> activated(const std::vector<int>& sockets, const std::string& names,
                                            const std::vector<std::string>& arguments,
                                            std::string input = {}) {
    std::vector<std::string> words{"/bin/sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"};
    for (const std::string& word : soquete_with(arguments)) words.push_back(word);
    std::vector<std::string> told = variables();
    told.push_back("LISTEN_FDS=" + std::to_string(sockets.size()));
    told.push_back("LISTEN_FDNAMES=" + names);
    return std::make_unique<process>(
        words, start_options{.variables = told, .input = std::move(input), .passed = sockets});
  }
  static std::unique_ptr<process> with(const std::vector<int>& descriptors,
                                       const std::vector<std::string>& arguments, std::string input = {},
                                       bool keeps_input_open = false) {
    return std::make_unique<process>(soquete_with(arguments),
                                     start_options{.variables = variables(),
                                                   .input = std::move(input),
                                                   .keeps_input_open = keeps_input_open,
                                                   .passed = descriptors});
  }

 private:
  own_folder folder_;
};
ON_EACH_COMMAND(command_inherited);

// From the service manager ---------------------------------------------------------------------------------

TEST_P(command_inherited, a_tcp_listener_is_served_by_its_name) {
  const wire door = wire::listening();
  auto server = activated({door.number()}, "web", {"listen", "systemd:web", "echo:"});
  const wire client = wire::connected(door.port());
  ASSERT_TRUE(client.send("hello"));
  client.finish();
  EXPECT_EQ(client.receive(), "hello") << server->errors;
}

TEST_P(command_inherited, a_local_listener_is_served_and_keeps_its_path) {
  const local_wire door = local_wire::listening(path());
  auto server = activated({door.number()}, "web", {"listen", "-v", "systemd:", "echo:"});
  const local_wire client = local_wire::connected(path());
  ASSERT_TRUE(client.send("hello"));
  client.finish();
  EXPECT_EQ(client.receive_all(), "hello") << server->errors;
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("told to listen by whoever started this program"), std::string::npos)
      << server->errors;
  EXPECT_TRUE(local_wire::connected(path()).is_open()) << "it is the service manager's";
}

TEST_P(command_inherited, a_seqpacket_listener_is_served_record_by_record) {
  const local_wire door = local_wire::listening(path(), SOCK_SEQPACKET);
  auto server = activated({door.number()}, "q", {"listen", "systemd:q", "echo:"});
  const local_wire client = local_wire::connected(path(), SOCK_SEQPACKET);
  for (const char* const text : {"one", "two"}) {
    ASSERT_TRUE(client.send(text));
    EXPECT_EQ(client.receive(), text) << server->errors;
  }
}

TEST_P(command_inherited, a_udp_socket_gives_each_sender_a_session) {
  const udp_wire door;
  auto server = activated({door.number()}, "dns", {"listen", "systemd:dns,idle=1h", "exec:cat"});
  for (int i = 0; i < 3; ++i) {
    const udp_wire client(door.port());
    ASSERT_TRUE(client.send("hello"));
    EXPECT_EQ(client.receive(), "hello") << server->errors;
  }
}

TEST_P(command_inherited, a_local_datagram_socket_gives_each_sender_a_session) {
  const local_wire door = local_wire::bound(path());
  auto server = activated({door.number()}, "log", {"listen", "systemd:log,max=9", "echo:"});
  for (const char* const name : {"a", "b"}) {
    const local_wire client = local_wire::bound(path(name));
    ASSERT_TRUE(client.send_to(path(), "hello"));
    EXPECT_EQ(client.receive(), "hello") << server->errors;
  }
}

TEST_P(command_inherited, all_sockets_of_one_name_are_served) {
  const wire first = wire::listening();
  const wire other = wire::listening();
  const wire second = wire::listening();
  auto server = activated({first.number(), other.number(), second.number()}, "web:admin:web",
                          {"listen", "systemd:web", "echo:"});
  for (const std::uint16_t port : {first.port(), second.port()}) {
    const wire client = wire::connected(port);
    ASSERT_TRUE(client.send("x"));
    EXPECT_EQ(client.receive(1), "x") << server->errors;
  }
  const wire unserved = wire::connected(other.port());
  ASSERT_TRUE(unserved.send("x"));
  EXPECT_TRUE(unserved.is_silent(50ms));
}

TEST_P(command_inherited, several_sockets_are_announced_together_and_not_limited_together) {
  const wire first = wire::listening();
  const wire second = wire::listening();
  auto server =
      activated({first.number(), second.number()}, "web:web", {"listen", "-v", "systemd:", "echo:"});
  EXPECT_TRUE(server->until_errors("listening on 127.0.0.1:" + std::to_string(first.port()) +
                                   " and 127.0.0.1:" + std::to_string(second.port())))
      << server->errors;
  auto limited =
      activated({first.number(), second.number()}, "web:web", {"listen", "-c1", "systemd:", "echo:"});
  EXPECT_EQ(limited->wait(), 2);
  EXPECT_NE(limited->errors.find("count for one"), std::string::npos) << limited->errors;
}

TEST_P(command_inherited, one_client_of_several_sockets_is_joined_with_the_standard_streams) {
  const wire first = wire::listening();
  const wire second = wire::listening();
  auto server =
      activated({first.number(), second.number()}, "web:web", {"listen", "systemd:"}, "from the server");
  const wire client = wire::connected(second.port());
  ASSERT_TRUE(client.send("from the client"));
  client.finish();
  EXPECT_EQ(client.receive(), "from the server");
  EXPECT_EQ(server->wait(), 0) << server->errors;
  EXPECT_EQ(server->output, "from the client");
}

TEST_P(command_inherited, sockets_of_different_kinds_are_told_apart_by_name_only) {
  const wire tcp = wire::listening();
  const udp_wire udp;
  auto both = activated({tcp.number(), udp.number()}, "dns:dns", {"listen", "systemd:", "echo:"});
  EXPECT_EQ(both->wait(), 2);
  EXPECT_NE(both->errors.find("stands for 2 sockets of different kinds"), std::string::npos) << both->errors;
  auto named = activated({tcp.number(), udp.number()}, "a:b", {"listen", "systemd:b", "echo:"});
  const udp_wire client(udp.port());
  ASSERT_TRUE(client.send("x"));
  EXPECT_EQ(client.receive(), "x") << named->errors;
}

TEST_P(command_inherited, what_is_missing_is_said) {
  const wire door = wire::listening();
  const auto expect = [](std::unique_ptr<process> one, std::string_view why) {
    EXPECT_EQ(one->wait(), 5);
    EXPECT_NE(one->errors.find(why), std::string::npos) << one->errors;
  };
  expect(activated({door.number()}, "web:admin", {"listen", "systemd:wbe", "echo:"}),
         "no socket that was passed is called wbe; they are called web, admin.\n  try: systemd:web");
  expect(activated({door.number()}, "", {"listen", "systemd:web", "echo:"}), "have no names");
  expect(with({door.number()}, {"listen", "systemd:", "echo:"}), "LISTEN_PID is not set");
  auto others = std::make_unique<process>(
      soquete_with({"listen", "systemd:", "echo:"}),
      start_options{.variables = {"LISTEN_PID=1", "LISTEN_FDS=1"}, .passed = {door.number()}});
  expect(std::move(others), "for process 1, says LISTEN_PID, and this is process");
}

TEST_P(command_inherited, options_of_another_kind_are_refused) {
  const wire door = wire::listening();
  auto server = activated({door.number()}, "web", {"listen", "systemd:web,idle=1s", "echo:"});
  EXPECT_EQ(server->wait(), 2);
  EXPECT_NE(server->errors.find("idle is for udp://, unix://…,dgram"), std::string::npos) << server->errors;
}

// By number ------------------------------------------------------------------------------------------------

TEST_P(command_inherited, a_connection_of_any_kind_is_joined_with_its_bounds) {
  const wire tcp_door = wire::listening();
  const wire tcp = wire::connected(tcp_door.port());
  const wire tcp_end = tcp_door.accept();
  auto stream = with({tcp_end.number()}, {"connect", "fd:3", "echo:"});
  ASSERT_TRUE(tcp.send("x"));
  tcp.finish();
  EXPECT_EQ(tcp.receive(1), "x") << stream->errors;

  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    const auto ends = local_wire::pair(type);
    auto one = with({ends[1].number()}, {"connect", "fd:3", "echo:"});
    for (const char* const text : {"one", "two"}) {
      ASSERT_TRUE(ends[0].send(text));
      EXPECT_EQ(ends[0].receive(), text) << one->errors;
    }
    if (type == SOCK_DGRAM) continue;
    ends[0].finish();
    EXPECT_EQ(ends[0].receive(), "");
    EXPECT_EQ(one->wait(), 0) << one->errors;
  }

  const udp_wire ours;
  const udp_wire theirs(ours.port());
  sockaddr_in to{};
  socklen_t size = sizeof to;
  ::getsockname(theirs.number(), reinterpret_cast<sockaddr*>(&to), &size);
  auto udp = with({theirs.number()}, {"connect", "fd:3", "echo:"});
  ASSERT_TRUE(ours.send_to(to, "x"));
  EXPECT_EQ(ours.receive(), "x") << udp->errors;
}

TEST_P(command_inherited, pipes_are_joined_one_way_each) {
  const auto in = make_pipe();
  const auto out = make_pipe();
  ASSERT_EQ(::write(in[1].number(), "words", 5), 5);
  auto one = with({in[0].number(), out[1].number()}, {"connect", "fd:3", "sh:tr a-z A-Z >&4", "-v"});
  EXPECT_TRUE(one->is_running());
}

TEST_P(command_inherited, roles_that_a_descriptor_cannot_play_are_refused) {
  const wire door = wire::listening();
  const wire client = wire::connected(door.port());
  const udp_wire unconnected;
  const auto pipe = make_pipe();
  const auto expect = [](std::unique_ptr<process> one, int status, std::string_view why) {
    EXPECT_EQ(one->wait(), status);
    EXPECT_NE(one->errors.find(why), std::string::npos) << one->errors;
  };
  expect(with({door.number()}, {"connect", "fd:3"}), 2, "nobody is connected to it\n  soquete listen fd:3");
  expect(with({client.number()}, {"listen", "fd:3", "echo:"}), 2, "nobody else can connect to it");
  expect(with({unconnected.number()}, {"connect", "fd:3"}), 2, "connected to nobody");
  expect(with({pipe[0].number()}, {"listen", "fd:3", "echo:"}), 2, "nothing to listen on");
  expect(with({client.number()}, {"connect", "fd:3", "fd:3"}), 2, "the same descriptor");
  expect(with({client.number()}, {"connect", "-", "fd:1"}), 2, "the same descriptor");
  // Not one that is ours by then.
  expect(with({client.number()}, {"connect", "fd:9"}), 4,
         "(EBADF)\n  no descriptor of that number was passed");
  expect(with({client.number()}, {"listen", "fd:9", "echo:"}), 5, "(EBADF)");
  expect(with({door.number()}, {"listen", "fd:3", "echo:", "--ready-fd", "3"}), 2, "is that descriptor");
  expect(with({door.number()}, {"listen", "tcp://:0", "echo:", "--ready-fd", "9"}), 2,
         "was passed to soquete");
}

}  // namespace
