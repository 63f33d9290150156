// The command in words: usage, help, errors that teach, reports, the trace.
#include <gtest/gtest.h>

#include "process.hpp"

using namespace soquete::test;

namespace {

const std::string any_port = "tcp://127.0.0.1:0";

struct outcome {
  int status = -1;
  std::string output;
  std::string errors;
  bool says(std::string_view part) const { return errors.find(part) != errors.npos; }
};

outcome run(const std::vector<std::string>& arguments, std::string input = {}) {
  process one(soquete_with(arguments), {.input = std::move(input)});
  const int status = one.wait();
  return {status, one.output, one.errors};
}

// A mistake ends with 2, says what is wrong, and what to write instead.
void expect_mistake(const std::vector<std::string>& arguments, std::string_view what,
                    std::string_view advice = {}) {
  const outcome got = run(arguments);
  EXPECT_EQ(got.status, 2) << got.errors;
  EXPECT_EQ(got.output, "");
  EXPECT_TRUE(got.errors.starts_with("soquete: ")) << got.errors;
  EXPECT_TRUE(got.says(what)) << got.errors;
  EXPECT_TRUE(got.says(advice)) << got.errors;
}

std::uint16_t closed_port() { return wire::listening().port(); }

TEST(command_words, mistakes_get_a_suggestion) {
  expect_mistake({}, "what is to be done?", "usage: ");
  expect_mistake({"tcp://localhost:80"}, "is an address",
                 "did you mean: soquete connect tcp://localhost:80?");
  expect_mistake({"localhost:80"}, "is an address", "did you mean: soquete connect tcp://localhost:80?");
  expect_mistake({"conect", "-"}, "no verb 'conect'", "did you mean: soquete connect?");
  expect_mistake({"-v", "connect"}, "a verb comes before options");
  expect_mistake({"connect"}, "an address is missing", "for example");
  expect_mistake({"connect", "tpc://localhost:80"}, "no scheme 'tpc'", "did you mean tcp://localhost:80?");
  expect_mistake({"connect", "localhost:80"}, "its scheme is missing", "did you mean tcp://localhost:80?");
  expect_mistake({"connect", "80"}, "its scheme is missing", "did you mean tcp://localhost:80?");
  expect_mistake({"connect", "tcp:localhost:80"}, "two slashes", "tcp://localhost:80");
  expect_mistake({"connect", "tcp:80"}, "two slashes", "write tcp://localhost:80");
  expect_mistake({"listen", "tcp:/8080", "echo:"}, "two slashes", "write tcp://:8080");
  expect_mistake({"connect", "tcp://8080"}, "a host or a ':' is missing", "tcp://localhost:8080");
  expect_mistake({"connect", "tcp://::1:80"}, "brackets");
  expect_mistake({"connect", "tcp://localhost:80/index"}, "a path means nothing to TCP");
  expect_mistake({"connect", "tcp://localhost:99999"}, "65535");
  expect_mistake({"connect", "tcp://localhost:80,nodely"}, "no option 'nodely'", "did you mean nodelay?");
  expect_mistake({"connect", "tcp://localhost:80,rcvbuf=much"}, "rcvbuf takes a size");
  expect_mistake({"connect", "tcp://localhost:80,backlog=9"}, "backlog is for listening");
  expect_mistake({"listen", "tcp://:0,bind=127.0.0.1"}, "bind is for connecting");
  expect_mistake({"connect", "fd:x"}, "the number of a descriptor");
  expect_mistake({"connect", "exec:"}, "no program is named");
  expect_mistake({"connect", "exec:cat 'x"}, "a closing ' is missing");
  expect_mistake({"connect", "echo:", "zero:"}, "both services");
  expect_mistake({"connect", "-", "-"}, "both sides are '-'");
  expect_mistake({"listen", "exec:cat"}, "nothing to listen on", "soquete listen tcp://:8080 exec:cat");
  expect_mistake({"listen", "tcp://:0", "-", "cat"}, "one address too many");
  expect_mistake({"connect", "--tiemout=1s", "-"}, "no option --tiemout", "did you mean --timeout?");
  expect_mistake({"connect", "--timeout=soon", "echo:"}, "a time is expected", "250ms");
  expect_mistake({"connect", "--on-eof=stop", "echo:"}, "--on-eof takes wait, close, ignore");
  expect_mistake({"connect", "--driver=devpoll", "echo:"},
                 "--driver takes auto, io_uring, epoll, kqueue, poll");
  expect_mistake({"connect", "-u", "-U", "echo:"}, "exclude each other");
  expect_mistake({"help", "me"}, "no help on 'me'");
}

TEST(command_words, mistakes_with_local_names_get_a_suggestion) {
  expect_mistake({"/run/x"}, "is an address", "did you mean: soquete connect unix:///run/x?");
  expect_mistake({"connect", "@x"}, "its scheme is missing", "did you mean unix://@x?");
  expect_mistake({"connect", "unx:///run/x"}, "no scheme 'unx'", "did you mean unix:///run/x?");
  expect_mistake({"connect", "unix://run/x"}, "begins with '/'", "write unix:run/x");
  expect_mistake({"connect", "unix:"}, "is expected after 'unix:'", "unix:///run/NAME");
  expect_mistake({"listen", "unix:x,mode=0999", "echo:"}, "mode takes an octal number");
  expect_mistake({"listen", "unix:x,mode=1777", "echo:"}, "mode takes an octal number");
  expect_mistake({"listen", "unix://@x,mode=0600", "echo:"}, "has no permissions",
                 "unix:///run/NAME,mode=0600");
  expect_mistake({"connect", "unix:x,mode=0600"}, "mode is for listening");
  expect_mistake({"connect", "unix:x,dgram,mode=0600"}, "bind= gives none");
  expect_mistake({"listen", "unix:x,dgram,seqpacket", "echo:"}, "one type, dgram or seqpacket");
  expect_mistake({"listen", "unix:x,idle=1s", "echo:"}, "idle is not for this address",
                 "idle is for udp://, unix://…,dgram");
  expect_mistake({"connect", "unix:x,nodelay"}, "nodelay is not for this address", "nodelay is for tcp://");
  expect_mistake({"connect", "unix:x,dgrm"}, "no option 'dgrm'", "did you mean dgram?");
  expect_mistake({"listen", "--per-ip=1", "unix:x", "echo:"}, "have no IP address", "--max-conns");
  expect_mistake({"connect", "unix:x,dgram", "echo:"}, "nobody can send the first datagram", "bind=");
  expect_mistake({"listen", "unix:x,dgram,frame=line", "udp://:1"}, "both sides keep messages apart");
}

TEST(command_words, a_plan_for_a_path_tells_its_permissions_and_its_end) {
  const outcome got = run({"listen", "--explain", "unix:///run/x,dgram,mode=0660", "exec:cat"});
  for (const char* const part : {"(AF_UNIX) for datagrams and bind it to unix:///run/x: nobody connects",
                                 "remove unix:///run/x at the end", "the path has mode 0660"})
    EXPECT_NE(got.output.find(part), std::string::npos) << part << "\n" << got.output;
}

TEST(command_words, what_comes_later_is_said_to_come_later) {
  for (const char* const verb : {"probe", "bench", "ctl"}) expect_mistake({verb}, "comes in a later version");
  for (const char* const address : {"tls://:443", "vsock://2:1", "socks5://:1080"})
    expect_mistake({"connect", address}, "comes in a later version");
  for (const char* const flag :
       {"--fault=loss=1%", "--record=x.pcapng", "--via=socks5://x:1", "--stats", "--json"})
    expect_mistake({"connect", flag, "echo:"}, "comes in a later version");
  expect_mistake({"connect", "exec,pty:cat"}, "comes in a later version");
}

TEST(command_words, help_begins_with_examples_and_goes_to_standard_output) {
  for (const std::vector<std::string>& ask : {std::vector<std::string>{"--help"},
                                              {"-h"},
                                              {"help"},
                                              {"listen", "--help"},
                                              {"connect", "-h"},
                                              {"help", "listen"}}) {
    const outcome got = run(ask);
    EXPECT_EQ(got.status, 0);
    EXPECT_EQ(got.errors, "");
    const auto example = got.output.find("\n  soquete ");
    EXPECT_LT(example, 300U) << got.output;
    EXPECT_LT(run({"-h"}).output.size(), run({"--help"}).output.size());
  }
  EXPECT_EQ(run({"--version"}).output.substr(0, 8), "soquete ");
}

TEST(command_words, the_plan_is_told_and_nothing_is_done) {
  const outcome got = run({"listen", "--explain", "tcp://:80", "echo:"});
  EXPECT_EQ(got.status, 0);
  EXPECT_NE(got.output.find("bind it to tcp://:80"), std::string::npos) << got.output;
}

// Each kind of failure has its status, and its first line is stable.

TEST(command_words, a_refused_connection_says_what_it_means) {
  const std::string where = at_port(closed_port());
  const outcome got = run({"connect", where});
  EXPECT_EQ(got.status, 4);
  EXPECT_TRUE(
      got.errors.starts_with("soquete: cannot connect to " + where +
                             ": connection refused (ECONNREFUSED)\n  the host answered, so it is up;"))
      << got.errors;
  EXPECT_TRUE(got.says("try: ")) << got.errors;
}

// Another program may listen on that port of another address.
TEST(command_words, a_refusal_is_one_of_that_address) {
  const std::string port = std::to_string(closed_port());
  EXPECT_TRUE(run({"connect", "tcp://127.0.0.1:" + port}).says("on TCP port " + port + " of 127.0.0.1."));
  EXPECT_TRUE(run({"connect", "tcp://localhost:" + port}).says("on TCP port " + port + " of localhost."));
}

TEST(command_words, an_ipv4_client_of_an_ipv6_socket_is_shown_as_such) {
  process server(soquete_with({"listen", "--trace", "-v", "tcp://:0", "--ready-fd", "3"}),
                 {.keeps_input_open = true});
  const wire client = wire::connected(server.port());
  ASSERT_TRUE(server.until_errors("connected: 127.0.0.1:")) << server.errors;
  ASSERT_TRUE(client.send("hello"));
  ASSERT_TRUE(server.until_errors("bytes have come from 127.0.0.1:")) << server.errors;
  const std::size_t explained = server.errors.find("(IPv4, which the kernel writes as [::ffff:127.0.0.1]:");
  ASSERT_NE(explained, std::string::npos) << server.errors;
  EXPECT_EQ(server.errors.find("::ffff:", explained + 50), std::string::npos) << server.errors;
}

TEST(command_words, a_name_that_is_not_found_has_its_own_status) {
  EXPECT_EQ(run({"connect", "tcp://nowhere.invalid:80"}).status, 3);
  EXPECT_EQ(run({"listen", "tcp://nowhere.invalid:80", "echo:"}).status, 3);
}

TEST(command_words, a_connection_that_nobody_answers_times_out) {
  // A listener whose queue is full answers no SYN.
  const wire full = wire::listening();
  ASSERT_EQ(::listen(full.number(), 0), 0);
  // The kernel has room for one more than it was told.
  const wire first = wire::connected(full.port());
  const outcome got = run({"connect", at_port(full.port()) + ",connect-timeout=50ms"});
  EXPECT_EQ(got.status, 4);
  EXPECT_TRUE(got.says("timed out (ETIMEDOUT)")) << got.errors;
}

TEST(command_words, an_address_in_use_names_the_address_and_how_to_find_its_holder) {
  const wire holder = wire::listening();
  for (const char* const peer : {"echo:", "-"}) {
    const outcome got = run({"listen", at_port(holder.port()), peer});
    EXPECT_EQ(got.status, 5);
    EXPECT_TRUE(
        got.says("cannot listen on " + at_port(holder.port()) + ": address already in use (EADDRINUSE)"))
        << got.errors;
    EXPECT_TRUE(got.says("ss -ltnp 'sport = :" + std::to_string(holder.port()) + "'")) << got.errors;
  }
}

TEST(command_words, an_address_of_another_machine_cannot_be_listened_on) {
  const outcome got = run({"listen", "tcp://192.0.2.1:0", "echo:"});
  EXPECT_EQ(got.status, 5);
  EXPECT_TRUE(got.says("(EADDRNOTAVAIL)\n  no interface of this machine has the address 192.0.2.1"))
      << got.errors;
}

TEST(command_words, programs_that_cannot_run_have_the_statuses_of_a_shell) {
  EXPECT_EQ(run({"connect", "exec:no-such-program"}).status, 127);
  EXPECT_EQ(run({"connect", "exec:/etc/passwd"}).status, 126);
  EXPECT_EQ(run({"listen", any_port, "exec:no-such-program"}).status, 127);
}

TEST(command_words, a_full_disk_is_an_error) {
  process shell({"/bin/sh", "-c", "exec " SOQUETE_COMMAND " connect exec:date > /dev/full"});
  EXPECT_EQ(shell.wait(), 1);
  EXPECT_NE(shell.errors.find("cannot write to standard output: no space left on device (ENOSPC)"),
            std::string::npos)
      << shell.errors;
}

TEST(command_words, a_driver_that_is_none_is_a_mistake) {
  process one(soquete_with({"connect", "echo:"}), {.variables = {"SOQUETE_DRIVER=magic"}});
  EXPECT_EQ(one.wait(), 2);
  EXPECT_NE(one.errors.find("SOQUETE_DRIVER takes"), std::string::npos) << one.errors;
}

// What is told --------------------------------------------------------------------------------------------

TEST(command_words, success_in_a_pipe_is_silent) {
  const outcome got = run({"connect", "exec:cat"}, "data");
  EXPECT_EQ(got.status, 0);
  EXPECT_EQ(got.output, "data");
  EXPECT_EQ(got.errors, "");
}

TEST(command_words, a_port_that_the_system_chose_is_always_told) {
  process server(soquete_with({"listen", any_port, "echo:", "--ready-fd", "3"}));
  const std::uint16_t port = server.port();
  EXPECT_EQ(server.ready(), at_port(port) + "\n");
  EXPECT_TRUE(server.until_errors("listening on 127.0.0.1:" + std::to_string(port))) << server.errors;
}

TEST(command_words, a_verbose_server_says_what_it_did_and_how_to_talk_to_it) {
  process server(soquete_with({"listen", "-v", "--threads=2", "tcp://:0", "echo:", "--ready-fd", "3"}));
  const std::string port = std::to_string(server.port());
  EXPECT_TRUE(server.until_errors("nc localhost " + port)) << server.errors;
  for (const std::string& part : {std::string("every address of this machine"), std::string("told to listen"),
                                  std::string("2 event loops"), "soquete connect tcp://localhost:" + port})
    EXPECT_NE(server.errors.find(part), std::string::npos) << part << "\n" << server.errors;
  {
    const wire client = wire::connected(server.port());
    ASSERT_TRUE(client.send("12345"));
    client.finish();
    EXPECT_EQ(client.receive(), "12345");
  }
  EXPECT_TRUE(server.until_errors("↑5 B ↓5 B  client closed first (FIN)")) << server.errors;
}

TEST(command_words, localhost_is_served_on_both_of_its_addresses_with_one_port) {
  for (const char* const peer : {"echo:", "-"}) {
    process server(soquete_with({"listen", "tcp://localhost:0", peer, "--ready-fd", "3"}),
                   {.keeps_input_open = true});
    EXPECT_TRUE(wire::connected(server.port()).is_open());
    const std::string told = server.ready();
    EXPECT_EQ(std::ranges::count(told, '\n'), 2) << told;
  }
}

TEST(command_words, a_program_for_everybody_comes_with_a_warning) {
  process server(soquete_with({"listen", "tcp://:0", "exec:cat", "--ready-fd", "3"}));
  EXPECT_TRUE(server.until_errors("warning: ")) << server.errors;
}

TEST(command_words, the_trace_names_the_calls_in_order_with_a_meaning) {
  const wire listener = wire::listening();
  process client(soquete_with({"connect", "--trace", at_port(listener.port())}), {.input = "ping"});
  const wire connection = listener.accept();
  EXPECT_EQ(connection.receive(), "ping");
  ASSERT_TRUE(connection.send("pong"));
  connection.finish();
  EXPECT_EQ(client.wait(), 0);
  EXPECT_EQ(client.output, "pong");
  std::size_t at = 0;
  for (const char* const call : {"socket() → ", "connect(", "send(", "shutdown(", "recv(", "close("}) {
    const std::size_t found = client.errors.find(call, at);
    ASSERT_NE(found, std::string::npos) << call << "\n" << client.errors;
    at = found;
  }
  EXPECT_NE(client.errors.find("we have finished sending (FIN)"), std::string::npos) << client.errors;
}

TEST(command_words, color_is_used_only_when_asked_for_in_a_pipe) {
  EXPECT_EQ(run({"connect", "exec:no-such-program"}).errors.find('\033'), std::string::npos);
  EXPECT_NE(run({"connect", "--color=always", "exec:no-such-program"}).errors.find('\033'),
            std::string::npos);
}

TEST(command_words, lines_end_as_the_network_wants_them) {
  const wire listener = wire::listening();
  process client(soquete_with({"connect", at_port(listener.port()) + ",crlf"}), {.input = "one\ntwo\r\n"});
  const wire connection = listener.accept();
  EXPECT_EQ(connection.receive(), "one\r\ntwo\r\n");
}

TEST(command_words, options_of_an_address_reach_the_socket) {
  const wire listener = wire::listening();
  process client(soquete_with(
      {"connect", "--trace",
       at_port(listener.port()) + ",keepalive=30s,rcvbuf=64KiB,dscp=ef,nodelay=off,bind=127.0.0.2"}));
  const wire connection = listener.accept();
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  ::getpeername(connection.number(), reinterpret_cast<sockaddr*>(&peer), &size);
  EXPECT_EQ(ntohl(peer.sin_addr.s_addr), 0x7f000002U);
  connection.finish();
  EXPECT_EQ(client.wait(), 0) << client.errors;
  for (const char* const call : {"SO_RCVBUF, 65536", "TCP_KEEPIDLE, 30", "IP_TOS, 184", "TCP_NODELAY, 0"})
    EXPECT_NE(client.errors.find(call), std::string::npos) << call << "\n" << client.errors;
}

TEST(command_words, a_descriptor_that_it_was_started_with_can_be_an_end) {
  process client(soquete_with({"connect", "fd:0", "exec:tr a-z A-Z"}), {.input = "words"});
  EXPECT_EQ(client.wait(), 0) << client.errors;
}

}  // namespace
