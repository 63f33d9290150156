// The command with local sockets: paths and who may use them, ends, records, sessions of datagrams.
#include <sys/stat.h>

#include "local_name.hpp"
#include "local_wire.hpp"
#include "on_each_command.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;

namespace {

class command_local : public on_each_command {
 protected:
  std::string path(const std::string& name = "s") const { return folder_.path(name); }
  std::string at(const std::string& options = {}, const std::string& name = "s") const {
    return "unix://" + path(name) + options;
  }
  bool has(const std::string& name = "s") const { return folder_.has(name); }
  static std::unique_ptr<process> ready(std::unique_ptr<process> one) {
    EXPECT_NE(one->ready(), "") << one->errors;
    return one;
  }

 private:
  own_folder folder_;
};
ON_EACH_COMMAND(command_local);

unsigned mode_of(const std::string& path) {
  struct stat about{};
  return ::lstat(path.c_str(), &about) == 0 ? about.st_mode & 0777 : 0;
}

// Paths ----------------------------------------------------------------------------------------------------

TEST_P(command_local, a_path_is_for_its_user_and_goes_with_the_server) {
  auto server = ready(listen({at(), "echo:"}));
  EXPECT_EQ(server->ready(), at() + "\n");
  EXPECT_EQ(mode_of(path()), 0600U);
  const local_wire client = local_wire::connected(path());
  ASSERT_TRUE(client.send("hello"));
  client.finish();
  EXPECT_EQ(client.receive_all(), "hello");
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT) << server->errors;
  EXPECT_FALSE(has());
}

TEST_P(command_local, permissions_are_those_asked_for_whatever_the_umask) {
  const mode_t before = ::umask(077);
  auto server = ready(listen({at(",mode=0666"), "echo:"}));
  ::umask(before);
  EXPECT_EQ(mode_of(path()), 0666U);
}

TEST_P(command_local, a_path_is_removed_after_one_client_and_when_that_client_fails) {
  auto one = ready(listen({"--once", at(), "echo:"}));
  const local_wire client = local_wire::connected(path());
  client.finish();
  EXPECT_EQ(one->wait(), 0) << one->errors;
  EXPECT_FALSE(has());
  auto failing = ready(listen({"--once", at(), "sh:exit 3"}));
  const local_wire other = local_wire::connected(path());
  EXPECT_EQ(failing->wait(), 3) << failing->errors;
  EXPECT_FALSE(has());
}

TEST_P(command_local, a_stale_path_is_taken_over_and_one_that_is_answered_is_not) {
  { const local_wire killed = local_wire::listening(path()); }
  ASSERT_TRUE(has());
  auto refused = start({"connect", at()});
  EXPECT_EQ(refused->wait(), 4);
  EXPECT_NE(refused->errors.find("no program listens there"), std::string::npos) << refused->errors;
  auto server = ready(listen({at(), "echo:"}));
  for (const char* const type : {"", ",dgram", ",seqpacket"}) {
    auto second = start({"listen", at(type), "echo:"});
    EXPECT_EQ(second->wait(), 5);
    EXPECT_NE(second->errors.find("another program answers at " + path()), std::string::npos)
        << second->errors;
  }
  EXPECT_TRUE(local_wire::connected(path()).is_open()) << "the first has lost its path";
}

TEST_P(command_local, an_abstract_name_ends_with_its_server) {
  const std::string name = "unix://@" + path().substr(1);
  {
    auto server = ready(listen({name, "echo:"}));
    EXPECT_EQ(server->ready(), name + "\n");
    auto client = start({"connect", name}, "hello");
    EXPECT_EQ(client->wait(), 0) << client->errors;
    EXPECT_EQ(client->output, "hello");
    // Killed, it would leave its sockets to io_uring for a moment, which ends after the process.
    server->send_signal(SIGINT);
    EXPECT_EQ(server->wait(), 130);
  }
  auto late = start({"connect", name});
  EXPECT_EQ(late->wait(), 4);
  EXPECT_NE(late->errors.find("no program of this machine has the abstract name"), std::string::npos)
      << late->errors;
}

TEST_P(command_local, names_of_any_bytes_are_written_and_read_back) {
  for (const std::string& name : {std::string("a,b"), std::string("a b'c"), std::string("100%2C"),
                                  std::string("tab\there"), std::string("ação"), std::string("a|b")}) {
    std::string written = at({}, name);
    for (const auto& [raw, escaped] : {std::pair{"%", "\\x25"}, {",", "%2C"}})
      for (std::size_t i = written.find(raw); i != written.npos; i = written.find(raw, i + 4))
        written.replace(i, 1, escaped);
    auto server = ready(listen({written, "echo:"}));
    EXPECT_TRUE(has(name)) << written;
    const std::string told = server->ready().substr(0, server->ready().size() - 1);
    auto client = start({"connect", told}, "hello");
    EXPECT_EQ(client->wait(), 0) << told << client->errors;
    EXPECT_EQ(client->output, "hello");
  }
}

TEST_P(command_local, a_path_may_have_all_the_bytes_that_the_kernel_takes_and_no_more) {
  const std::string longest(108 - path("").size(), 'x');
  auto server = ready(listen({at({}, longest), "echo:"}));
  auto client = start({"connect", at({}, longest)}, "hello");
  EXPECT_EQ(client->wait(), 0) << client->errors;
  auto longer = start({"listen", at({}, longest + "x"), "echo:"});
  EXPECT_EQ(longer->wait(), 2);
  EXPECT_NE(longer->errors.find("the path of a socket has at most 108 bytes, not 109"), std::string::npos)
      << longer->errors;
}

TEST_P(command_local, a_server_that_accepts_nobody_is_given_up_and_said_to_be_full) {
  const local_wire full = local_wire::bound(path(), SOCK_STREAM);
  ASSERT_EQ(::listen(full.number(), 0), 0);
  const local_wire first = local_wire::connected(path());
  auto client = start({"connect", at(",connect-timeout=50ms")});
  EXPECT_EQ(client->wait(), 4);
  EXPECT_NE(client->errors.find("as many clients wait as its backlog lets (EAGAIN)"), std::string::npos)
      << client->errors;
}

TEST_P(command_local, the_backlog_is_the_one_asked_for) {
  auto server = ready(listen({at(",backlog=7"), "--trace", "echo:"}));
  EXPECT_TRUE(server->until_errors(", 7) → 0")) << server->errors;
  for (const char* const step : {"(AF_UNIX), not yet anywhere", "this path is ours now, with mode 0600"})
    EXPECT_NE(server->errors.find(step), std::string::npos) << step << server->errors;
}

// Streams --------------------------------------------------------------------------------------------------

TEST_P(command_local, each_end_is_passed_on_and_a_late_answer_arrives_in_full) {
  const local_wire server = local_wire::listening(path());
  auto client = start({"connect", at()}, "question");
  const local_wire connection = server.accept();
  EXPECT_EQ(connection.receive_all(), "question");
  EXPECT_FALSE(client->until([&] { return !client->is_running(); }, a_while)) << "it did not wait";
  const std::string answer = noise(100'000);
  ASSERT_TRUE(connection.send(answer));
  connection.finish();
  EXPECT_EQ(client->wait(), 0);
  EXPECT_TRUE(client->output == answer) << client->output.size();
}

TEST_P(command_local, a_reset_becomes_an_end_here_and_an_end_before_all_is_read_a_reset_there) {
  const wire server = wire::listening();
  auto relay = ready(listen({at(), at_port(server.port())}));
  {
    const local_wire client = local_wire::connected(path());
    ASSERT_TRUE(client.send("question"));
    wire connection = server.accept();
    EXPECT_EQ(connection.receive(8), "question");
    ASSERT_TRUE(connection.send("part"));
    EXPECT_EQ(client.receive(), "part");
    connection.reset();
    EXPECT_EQ(client.receive(), "") << "a local socket has no reset";
  }
  local_wire client = local_wire::connected(path());
  ASSERT_TRUE(client.send("question"));
  const wire connection = server.accept();
  EXPECT_EQ(connection.receive(8), "question");
  ASSERT_TRUE(connection.send("answer"));
  ASSERT_FALSE(client.is_silent(patience));
  client.close();
  EXPECT_EQ(connection.receive(), "");
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_P(command_local, many_clients_are_served_on_all_loops) {
  auto server = ready(listen({at(), "echo:"}));
  std::vector<local_wire> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(local_wire::connected(path()));
  for (std::size_t i = 0; i < clients.size(); ++i)
    ASSERT_TRUE(clients[i].send("client " + std::to_string(i)));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i].finish();
    EXPECT_EQ(clients[i].receive_all(), "client " + std::to_string(i));
  }
}

TEST_P(command_local, clients_above_the_limit_wait_and_all_are_let_finish) {
  auto server = ready(listen({"-v", "-c1", "--drain=1m", at(), "echo:"}));
  const local_wire first = local_wire::connected(path());
  ASSERT_TRUE(first.send("x"));
  EXPECT_EQ(first.receive(), "x");
  const local_wire second = local_wire::connected(path());
  ASSERT_TRUE(second.send("y"));
  EXPECT_TRUE(second.is_silent(50ms));
  first.finish();
  EXPECT_EQ(first.receive_all(), "");
  EXPECT_EQ(second.receive(), "y");
  server->send_signal(SIGINT);
  ASSERT_TRUE(server->until_errors("no more clients are accepted"));
  second.finish();
  EXPECT_EQ(second.receive_all(), "");
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("served 2 connections in"), std::string::npos) << server->errors;
}

TEST_P(command_local, a_program_knows_who_its_client_is) {
  auto server =
      ready(listen({at(), "sh:echo $PROTO $UNIXLOCALPATH $UNIXREMOTEEUID $UNIXREMOTEPID $UNIXCONNNUM"}));
  const local_wire client = local_wire::connected(path());
  EXPECT_EQ(client.receive_all(),
            "UNIX " + path() + " " + std::to_string(::geteuid()) + " " + std::to_string(::getpid()) + " 1\n");
}

// Records --------------------------------------------------------------------------------------------------

TEST_P(command_local, records_are_echoed_each_by_itself) {
  auto server = ready(listen({at(",seqpacket"), "echo:"}));
  const local_wire client = local_wire::connected(path(), SOCK_SEQPACKET);
  for (const std::string& text : {std::string("a"), noise(100'000), std::string("b")}) {
    ASSERT_TRUE(client.send(text));
    EXPECT_TRUE(client.receive() == text);
  }
  client.finish();
  EXPECT_EQ(client.receive(), "");
}

TEST_P(command_local, records_become_frames_and_lines_records) {
  const local_wire server = local_wire::listening(path(), SOCK_SEQPACKET);
  auto client = start({"connect", at(",seqpacket"), "-,frame=line"}, "one\n\ntwo\nrest");
  const local_wire connection = server.accept();
  for (const char* const expected : {"one", "two", "rest", ""}) EXPECT_EQ(connection.receive(), expected);
  ASSERT_TRUE(connection.send("first"));
  ASSERT_TRUE(connection.send("second"));
  connection.finish();
  EXPECT_EQ(client->wait(), 0) << client->errors;
  EXPECT_EQ(client->output, "first\nsecond\n");
}

// The kernel tells of the reset before it gives the records that had come before it; to the one who sends, if
// it waits for room, else to the one who receives.
TEST_P(command_local, records_that_came_before_a_reset_are_passed_on) {
  std::string more;
  for (int i = 0; i < 1000; ++i) more += std::string(1000, 'x') + "\n";
  for (const std::string& input : {std::string("never read\n"), more}) {
    const std::string name = "s" + std::to_string(input.size());
    const local_wire server = local_wire::listening(path(name), SOCK_SEQPACKET);
    auto client = start({"connect", at(",seqpacket", name), "-,frame=line"}, input, true);
    local_wire connection = server.accept();
    ASSERT_FALSE(connection.is_silent(patience));
    ASSERT_TRUE(connection.send("last words"));
    connection.close();
    EXPECT_EQ(client->wait(), 1);
    EXPECT_EQ(client->output, "last words\n");
    EXPECT_NE(client->errors.find("the other side has closed"), std::string::npos) << client->errors;
  }
}

// Datagrams ------------------------------------------------------------------------------------------------

TEST_P(command_local, each_sender_with_a_name_has_a_session_of_its_own) {
  auto server =
      ready(listen({"-v", at(",dgram,idle=100ms"), "sh:read -r line; echo $PROTO $UNIXREMOTEPATH $line"}));
  EXPECT_EQ(server->ready(), at(",dgram") + "\n");
  for (const char* const name : {"a", "b", "c"}) {
    const local_wire client = local_wire::bound(path(name));
    ASSERT_TRUE(client.send_to(path(), "line\n"));
    EXPECT_EQ(client.receive(), "UNIX " + path(name) + " line\n");
  }
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("served 3 sessions in"), std::string::npos) << server->errors;
  EXPECT_FALSE(has());
}

TEST_P(command_local, sessions_end_with_the_server_and_that_is_no_failure) {
  auto server = ready(listen({"-v", at(",dgram"), "echo:"}));
  const local_wire client = local_wire::bound(path("c"));
  ASSERT_TRUE(client.send_to(path(), "x"));
  EXPECT_EQ(client.receive(), "x");
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("ended with the server"), std::string::npos) << server->errors;
  EXPECT_NE(server->errors.find("1 B/1 received, 1 B/1 sent, 0 failed"), std::string::npos) << server->errors;
}

TEST_P(command_local, empty_and_large_datagrams_are_echoed_whole) {
  auto server = ready(listen({at(",dgram"), "echo:"}));
  const local_wire client = local_wire::bound(path("c"));
  for (const std::string& text : {std::string("a"), std::string(), noise(200'000), std::string("b")}) {
    ASSERT_TRUE(client.send_to(path(), text));
    EXPECT_TRUE(client.receive() == text);
  }
}

TEST_P(command_local, a_peer_that_cannot_be_had_is_asked_for_once_for_each_datagram) {
  auto server = ready(listen({"-v", at(",dgram"), at({}, "nobody")}));
  const local_wire client = local_wire::bound(path("c"));
  ASSERT_TRUE(client.send_to(path(), "x"));
  ASSERT_TRUE(server->until_errors("cannot connect to")) << server->errors;
  ASSERT_TRUE(client.send_to(path(), "y"));
  EXPECT_FALSE(server->until([] { return false; }, 100ms));  // Time for many more.
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("served 2 sessions in"), std::string::npos) << server->errors;
}

TEST_P(command_local, a_sender_without_a_name_is_heard_and_told_to_be_unanswerable) {
  auto server = ready(listen({at(",dgram"), "echo:"}));
  const local_wire nameless = local_wire::of_type(SOCK_DGRAM);
  ASSERT_TRUE(nameless.send_to(path(), "x"));
  EXPECT_TRUE(server->until_errors("cannot answer a sender that has no name (EDESTADDRREQ)"))
      << server->errors;
  EXPECT_TRUE(server->is_running());
  const local_wire named = local_wire::bound(path("c"));
  ASSERT_TRUE(named.send_to(path(), "y"));
  EXPECT_EQ(named.receive(), "y") << "others are served all the same";
}

TEST_P(command_local, a_sender_without_a_name_is_enough_for_one_way) {
  auto server = ready(listen({"-u", at(",dgram,count=2"), "-,frame=line"}, "never sent"));
  const local_wire nameless = local_wire::of_type(SOCK_DGRAM);
  ASSERT_TRUE(nameless.send_to(path(), "one"));
  ASSERT_TRUE(nameless.send_to(path(), "two"));
  EXPECT_EQ(server->wait(), 0) << server->errors;
  EXPECT_EQ(server->output, "one\ntwo\n");
}

TEST_P(command_local, an_answer_to_nobody_is_no_success) {
  auto server = ready(listen({at(",dgram")}, "an answer"));
  const local_wire nameless = local_wire::of_type(SOCK_DGRAM);
  ASSERT_TRUE(nameless.send_to(path(), "x"));
  EXPECT_EQ(server->wait(), 1);
  EXPECT_NE(server->errors.find("cannot answer a sender that has no name"), std::string::npos)
      << server->errors;
}

TEST_P(command_local, a_client_has_a_name_to_be_answered_at) {
  const local_wire server = local_wire::bound(path());
  for (const std::string& own : {std::string(), ",bind=" + path("c"), ",bind=@" + path("c").substr(1)}) {
    auto client = start({"connect", at(",dgram,count=1,wait=1m" + own)}, "question");
    std::string from;
    EXPECT_EQ(server.receive(&from), "question");
    EXPECT_NE(from, "");
    if (own.starts_with(",bind=/")) EXPECT_EQ(mode_of(from), 0600U);
    ASSERT_TRUE(server.send_to(from, "answer"));
    EXPECT_EQ(client->wait(), 0) << client->errors;
    EXPECT_EQ(client->output, "answer");
    EXPECT_FALSE(has("c"));
  }
}

// Whoever answers need not be where it is.
TEST_P(command_local, a_name_of_our_own_is_told_in_full_and_a_relative_one_leads_nowhere) {
  const local_wire server = local_wire::bound(path());
  process client({"/bin/sh", "-c", "cd \"$1\" && exec \"$2\" connect unix:s,dgram,count=1,wait=1m,bind=c",
                  "sh", path(""), SOQUETE_COMMAND},
                 {.variables = variables(), .input = "question"});
  std::string from;
  EXPECT_EQ(server.receive(&from), "question");
  EXPECT_EQ(from, path("c"));
  ASSERT_TRUE(server.send_to(from, "answer"));
  EXPECT_EQ(client.wait(), 0) << client.errors;

  auto answering = ready(listen({at(",dgram", "t"), "echo:"}));
  process lost(
      {"/bin/sh", "-c", "cd \"$1\" && echo | socat -u - UNIX-SENDTO:t,bind=relative", "sh", path("")});
  EXPECT_TRUE(answering->until_errors("unix:relative is the path of the sender from its own folder"))
      << answering->errors << lost.errors;
}

TEST_P(command_local, silence_ends_a_session_and_senders_beyond_the_limit_are_dropped) {
  auto server = ready(listen({"-v", at(",dgram,max=1,idle=100ms"), "echo:"}));
  const local_wire first = local_wire::bound(path("a"));
  const local_wire second = local_wire::bound(path("b"));
  ASSERT_TRUE(first.send_to(path(), "x"));
  ASSERT_TRUE(second.send_to(path(), "y"));
  EXPECT_TRUE(server->until_errors("as many as there may be")) << server->errors;
  EXPECT_TRUE(server->until_errors("nothing moved for 100 ms")) << server->errors;
  // Its place is free a moment after that was told.
  const auto is_served = [&] { return second.send_to(path(), "z") && !second.is_silent(10ms); };
  EXPECT_TRUE(server->until(is_served)) << server->errors;
  EXPECT_EQ(second.receive(), "z");
}

// Far more than any queue holds: the kernel lets the sender wait for us, and we let it.
TEST_P(command_local, a_fast_sender_waits_and_loses_nothing) {
  auto server = ready(listen({"--once", at(",dgram,count=3000"), "exec:wc -l"}));
  const local_wire client = local_wire::bound(path("c"));
  const std::string line = std::string(1000, 'x') + "\n";
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(client.send_to(path(), line)) << i;
  EXPECT_EQ(client.receive(), "3000\n") << server->errors;
}

TEST_P(command_local, a_session_that_is_stuck_loses_datagrams_and_others_are_served) {
  auto server = ready(
      listen({"-v", at(",dgram"), "sh:read -r first; [ $first = stuck ] && exec sleep 1000; exec cat"}));
  const local_wire stuck = local_wire::bound(path("a"));
  ASSERT_TRUE(stuck.send_to(path(), "stuck\n"));
  const std::string much(1000, 'x');
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(stuck.send_to(path(), much)) << i;
  const local_wire other = local_wire::bound(path("b"));
  ASSERT_TRUE(other.send_to(path(), "well\n"));
  ASSERT_TRUE(other.send_to(path(), "hello\n"));
  EXPECT_EQ(other.receive(), "hello\n");
  server->send_signal(SIGINT);
  EXPECT_EQ(server->wait(), 128 + SIGINT);
  EXPECT_NE(server->errors.find("of sessions that were too slow"), std::string::npos) << server->errors;
}

// The kernel holds a dozen for it.
TEST_P(command_local, a_client_that_is_slow_to_receive_is_waited_for) {
  auto server = ready(listen({at(",dgram"), "sh,frame=line:read -r line; seq 100"}));
  const local_wire client = local_wire::bound(path("c"));
  ASSERT_TRUE(client.send_to(path(), "go\n"));
  for (int i = 1; i <= 100; ++i) ASSERT_EQ(client.receive(), std::to_string(i)) << server->errors;
}

}  // namespace
