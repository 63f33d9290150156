// The command in two languages, scene by scene.
#include <gtest/gtest.h>

#include "process.hpp"

using namespace soquete::test;

namespace {

using variables = std::vector<std::string>;

// In a container there is no such locale, and yet a user may ask for it.
const variables english{"LC_ALL=C", "LANG=pt_BR.UTF-8", "LANGUAGE=pt_BR"};
const variables portuguese{"LC_ALL=", "LC_MESSAGES=", "LANG=pt_BR.UTF-8", "LANGUAGE="};

struct outcome {
  int status = -1;
  std::string output;
  std::string errors;
};

outcome run(const std::vector<std::string>& arguments, const variables& in) {
  process one(soquete_with(arguments), {.variables = in});
  const int status = one.wait();
  return {status, one.output, one.errors};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// The same arguments end with the same status, and say the one or the other.
void expect_both(const std::vector<std::string>& arguments, int status, std::string_view in_english,
                 std::string_view in_portuguese) {
  const outcome one = run(arguments, english);
  const outcome other = run(arguments, portuguese);
  EXPECT_EQ(one.status, status);
  EXPECT_EQ(other.status, status);
  EXPECT_TRUE(has(one.output + one.errors, in_english)) << one.output << one.errors;
  EXPECT_TRUE(has(other.output + other.errors, in_portuguese)) << other.output << other.errors;
  EXPECT_FALSE(has(other.output + other.errors, in_english)) << other.output << other.errors;
}

TEST(language, the_trace_of_an_echo_session_is_told_in_both) {
  const auto traced = [](const variables& in) {
    process server(soquete_with({"listen", "tcp://127.0.0.1:0", "echo:", "--ready-fd", "3"}));
    process client(soquete_with({"connect", "--trace", "-v", at_port(server.port())}),
                   {.variables = in, .input = "ping"});
    EXPECT_EQ(client.wait(), 0);
    EXPECT_EQ(client.output, "ping");
    return client.errors;
  };
  const std::string one = traced(english);
  for (const char* const part : {"an endpoint for TCP over IPv4", "SYN, SYN-ACK, ACK: both ends agree",
                                 "bytes have come from 127.0.0.1", "we have finished sending (FIN)",
                                 "the other side has finished sending", "soquete: connected to 127"})
    EXPECT_TRUE(has(one, part)) << part << "\n" << one;
  const std::string other = traced(portuguese);
  for (const char* const part :
       {"uma ponta para TCP sobre IPv4", "SYN, SYN-ACK, ACK: as duas pontas concordam",
        "chegaram bytes de 127.0.0.1", "terminamos de enviar (FIN)", "o outro lado terminou de enviar",
        "soquete: conectado a 127",
        // The calls are those of the manual pages in each language.
        "socket() → ", "connect(", "recv(", "shutdown("})
    EXPECT_TRUE(has(other, part)) << part << "\n" << other;
}

TEST(language, errors_teach_in_both) {
  const std::string where = at_port(wire::listening().port());
  expect_both({"connect", where}, 4, "connection refused (ECONNREFUSED)\n  the host answered, so it is up;",
              "conexão recusada (ECONNREFUSED)\n  o host respondeu, portanto está no ar;");
  const wire holder = wire::listening();
  expect_both({"listen", at_port(holder.port()), "echo:"}, 5, "address already in use (EADDRINUSE)",
              "endereço já em uso (EADDRINUSE)");
  expect_both({"connect", "exec:no-such-program"}, 127, "no such file or directory (ENOENT)",
              "arquivo ou diretório inexistente (ENOENT)");
  expect_both({"connect", "-t", "50ms", "exec:sleep 30"}, 124, "not finished after 50 ms",
              "não terminou em 50 ms");
}

TEST(language, local_names_teach_in_both) {
  expect_both({"connect", "unix:///nowhere/x"}, 4, "there is no folder /nowhere.",
              "não existe a pasta /nowhere.");
  expect_both({"connect", "unix:///x"}, 4, "nothing stands at /x: its server has not made it yet",
              "não há nada em /x: o servidor ainda não o criou");
  expect_both({"connect", "unix://@soquete nobody"}, 4, "each container has names of its own",
              "cada contêiner tem os seus próprios nomes");
  expect_both({"listen", "unix:///etc/passwd", "echo:"}, 5, "what stands at /etc/passwd is no socket",
              "o que há em /etc/passwd não é um socket");
  expect_both({"listen", "systemd:web", "echo:"}, 5, "LISTEN_PID is not set", "LISTEN_PID não está definida");
  expect_both({"connect", "unix://run/x"}, 2, "a path begins with '/'", "um caminho começa com '/'");
  expect_both({"listen", "--explain", "unix:///run/x,seqpacket", "echo:"}, 0, "the path has mode 0600",
              "o caminho tem o modo 0600");
}

TEST(language, a_plan_is_told_in_both) {
  expect_both({"listen", "--explain", "tcp://:80", "echo:"}, 0, "accept connections until Ctrl-C",
              "aceitar conexões até Ctrl-C");
}

TEST(language, mistakes_are_told_in_both) {
  expect_both({"conect", "-"}, 2, "did you mean: soquete connect?", "você quis dizer: soquete connect?");
  expect_both({"connect", "tcp://localhost:99999"}, 2, "is not a port: the highest is 65535",
              "não é uma porta: a maior é 65535");
  expect_both({"connect", "tcp://localhost:80,rcvbuf=much"}, 2, "rcvbuf takes a size",
              "rcvbuf aceita um tamanho");
  // These two are found by CLI11.
  expect_both({"connect", "--timeout"}, 2, "--timeout: 1 required TEXT missing", "--timeout: falta o valor");
  expect_both({"connect", "-t", "1", "-t", "2", "echo:"}, 2, "required but received", "só cabe um valor");
}

TEST(language, help_is_in_both_and_names_the_same_options) {
  expect_both({"--help"}, 0, "Exit status\n", "Status de saída\n");
  expect_both({"help", "connect"}, 0, "talk to a server", "conversar com um servidor");
  const auto options_in = [](const std::string& text) {
    std::vector<std::string> all;
    for (std::size_t at = text.find("--"); at != text.npos; at = text.find("--", at + 2))
      all.push_back(text.substr(at, text.find_first_not_of("-abcdefghijklmnopqrstuvwxyz", at) - at));
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  const auto names = options_in(run({"--help"}, english).output);
  EXPECT_GT(names.size(), 15U);
  EXPECT_EQ(options_in(run({"--help"}, portuguese).output), names);
}

TEST(language, a_server_tells_in_portuguese_what_it_does) {
  process server(soquete_with({"listen", "-v", "--threads=1", "tcp://:0", "echo:", "--ready-fd", "3"}),
                 {.variables = portuguese});
  const std::string port = std::to_string(server.port());
  {
    const wire client = wire::connected(server.port());
    ASSERT_TRUE(client.send("12345"));
    client.finish();
    EXPECT_EQ(client.receive(), "12345");
  }
  EXPECT_TRUE(server.until_errors("↑5 B ↓5 B  o cliente fechou primeiro (FIN)")) << server.errors;
  EXPECT_TRUE(has(server.errors, "todos os endereços desta máquina, IPv4 e IPv6")) << server.errors;
  EXPECT_EQ(server.ready(), "tcp://[::]:" + port + "\n");
  server.send_signal(SIGINT);
  EXPECT_EQ(server.wait(), 130);
  EXPECT_TRUE(has(server.errors, "1 conexão atendida em ")) << server.errors;
}

TEST(language, variables_choose_it_as_with_gettext) {
  const auto is_portuguese = [](const variables& in) {
    return has(run({"-h"}, in).output, "um servidor de eco");
  };
  EXPECT_TRUE(is_portuguese({"LC_ALL=pt_PT.UTF-8", "LANG=C", "LANGUAGE="}));
  EXPECT_TRUE(is_portuguese({"LC_ALL=", "LC_MESSAGES=pt", "LANG=C", "LANGUAGE="}));
  EXPECT_TRUE(is_portuguese({"LC_ALL=C.UTF-8", "LANGUAGE=pt_BR:en"}));
  EXPECT_FALSE(is_portuguese({"LC_ALL=C", "LANGUAGE=pt_BR"}));
  EXPECT_FALSE(is_portuguese({"LC_ALL=en_US.UTF-8", "LANG=pt_BR.UTF-8", "LANGUAGE="}));
  EXPECT_FALSE(is_portuguese({"LC_ALL=pt_BR.UTF-8", "LANGUAGE=en"}));
  EXPECT_FALSE(is_portuguese({"LC_ALL=", "LC_MESSAGES=", "LANG=", "LANGUAGE=pt_BR"}));
}

}  // namespace
