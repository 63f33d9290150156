// Real peers, which nobody here wrote, against `listen` and `connect`, in both roles.
#include <gtest/gtest.h>

#include <filesystem>

#include "foreign.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string any_port = "tcp://127.0.0.1:0";

process listening(const std::string& peer) {
  return process(soquete_with({"listen", any_port, peer, "--ready-fd", "3"}));
}

// nginx and curl ------------------------------------------------------------------------------------------

class web : public testing::Test {
 protected:
  web() : page_(noise(20'000'000)), server_([this](std::uint16_t port) { return configure(port); }) {}

  std::vector<std::string> configure(std::uint16_t port) {
    write_file(files_ / "page", page_);
    write_file(
        files_ / "nginx.conf",
        "daemon off; master_process off; pid " + files_ / "pid" + "; error_log stderr;\n" +
            "events {}\nhttp { access_log off; reset_timedout_connection on;\n" + "client_body_temp_path " +
            files_ / "body" + "; proxy_temp_path " + files_ / "proxy" + "; fastcgi_temp_path " +
            files_ / "fastcgi" + "; uwsgi_temp_path " + files_ / "uwsgi" + "; scgi_temp_path " +
            files_ / "scgi" + ";\n" + "server { listen 127.0.0.1:" + std::to_string(port) + "; root " +
            files_ / "" +
            ";\n location /reset { return 444; } location = /hello { return 200 \"hello\\n\"; } } }\n");
    return {"nginx", "-p", files_ / "", "-c", files_ / "nginx.conf"};
  }
  static std::string url(std::uint16_t port, const std::string& path) {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }

  folder files_;
  std::string page_;
  foreign_server server_;
};

TEST_F(web, curl_gets_a_page_from_nginx_through_a_relay) {
  process relay = listening(server_.address());
  const outcome got = run({"curl", "-sS", url(relay.port(), "/page")});
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == page_) << got.output.size();
}

TEST_F(web, curl_keeps_a_connection_through_a_relay) {
  process relay = listening(server_.address());
  const std::string one = url(relay.port(), "/hello");
  const outcome got = run({"curl", "-sS", "-w", "%{num_connects} ", one, one, one});
  EXPECT_EQ(got.output, "hello\n1 hello\n0 hello\n0 ") << got.errors;
}

// M5: other relays turn it into an orderly end, curl's 52.
TEST_F(web, curl_learns_of_a_reset_through_a_relay) {
  EXPECT_EQ(run({"curl", "-sS", url(server_.port(), "/reset")}).status, 56) << "not even directly";
  process relay = listening(server_.address());
  EXPECT_EQ(run({"curl", "-sS", url(relay.port(), "/reset")}).status, 56);
}

// M4
TEST_F(web, a_reset_by_nginx_is_an_error_of_connect) {
  const outcome got = run(soquete_with({"connect", server_.address()}), "GET /reset HTTP/1.0\r\n\r\n", true);
  EXPECT_EQ(got.status, 1);
  EXPECT_NE(got.errors.find("ECONNRESET"), std::string::npos) << got.errors;
}

// nginx takes a half close for the end of the client, so the end of input stays here.
TEST_F(web, connect_gets_a_page_from_nginx) {
  const outcome got =
      run(soquete_with({"connect", "--on-eof=ignore", server_.address()}), "GET /page HTTP/1.0\r\n\r\n");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output.starts_with("HTTP/1.1 200 OK"));
  EXPECT_TRUE(got.output.ends_with(page_)) << got.output.size();
}

TEST_F(web, curl_uploads_to_a_program) {
  process server = listening("sh:read -r line; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n%s\\n' \"$line\"");
  const outcome got = run({"curl", "-sS", "-d", "x=1", url(server.port(), "/upload")});
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output.starts_with("POST /upload HTTP/1.1")) << got.output;
}

// socat, ncat, nc -----------------------------------------------------------------------------------------

struct cat {
  std::string name;
  std::vector<std::string> client;  // PORT stands for the port.
  std::vector<std::string> server;  // Of one client, with standard input and output.

  friend std::ostream& operator<<(std::ostream& to, const cat& one) { return to << one.name; }
};

std::vector<std::string> with_port(std::vector<std::string> words, std::uint16_t port) {
  for (std::string& word : words)
    if (const auto at = word.find("PORT"); at != word.npos) word.replace(at, 4, std::to_string(port));
  return words;
}

class netcat : public testing::TestWithParam<cat> {};

INSTANTIATE_TEST_SUITE_P(
    peer, netcat,
    testing::Values(cat{"socat",
                        {"socat", "-t60", "-", "TCP:127.0.0.1:PORT"},
                        {"socat", "-t60", "TCP-LISTEN:PORT,bind=127.0.0.1", "-"}},
                    cat{"ncat", {"ncat", "127.0.0.1", "PORT"}, {"ncat", "-l", "127.0.0.1", "PORT"}},
                    cat{"nc",
                        {"nc.openbsd", "-N", "127.0.0.1", "PORT"},
                        {"nc.openbsd", "-l", "-N", "127.0.0.1", "PORT"}}),
    [](const auto& one) { return one.param.name; });

TEST_P(netcat, is_served_by_echo) {
  process server = listening("echo:");
  const std::string data = noise(5'000'000);
  const outcome got = run(with_port(GetParam().client, server.port()), data);
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == data) << got.output.size();
}

TEST_P(netcat, is_served_by_a_program) {
  process server = listening("exec:cat");
  const std::string data = noise(5'000'000);
  const outcome got = run(with_port(GetParam().client, server.port()), data);
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == data) << got.output.size();
}

TEST_P(netcat, sends_a_file_to_listen) {
  process server(soquete_with({"listen", any_port, "--ready-fd", "3"}));
  const std::string data = noise(1'000'000);
  const outcome got = run(with_port(GetParam().client, server.port()), data);
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_EQ(server.wait(), 0) << server.errors;
  EXPECT_TRUE(server.output == data) << server.output.size();
}

// It serves one client: no connection may be spent on finding out whether it listens already.
TEST_P(netcat, serves_connect) {
  const auto end = std::chrono::steady_clock::now() + patience;
  const auto is_early = [end] { return std::chrono::steady_clock::now() < end; };
  for (;;) {
    const std::uint16_t port = wire::listening().port();
    process server(with_port(GetParam().server, port), {.input = "from there"});
    outcome got;
    do got = run(soquete_with({"connect", at_port(port)}), "from here");
    while (got.status == 4 && server.is_running() && is_early());
    // The port was free; meanwhile somebody else may have been given it.
    if (got.status == 4 && is_early()) continue;
    EXPECT_EQ(got.status, 0) << got.errors;
    EXPECT_EQ(got.output, "from there");
    EXPECT_EQ(server.wait(), 0);
    EXPECT_EQ(server.output, "from here");
    return;
  }
}

TEST(socat, echoes_what_connect_sends) {
  foreign_server server([](std::uint16_t port) -> std::vector<std::string> {
    return {"socat", "TCP-LISTEN:" + std::to_string(port) + ",bind=127.0.0.1,fork", "EXEC:cat"};
  });
  const std::string data = noise(5'000'000);
  const outcome got = run(soquete_with({"connect", server.address()}), data);
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == data) << got.output.size();
}

// ssh -----------------------------------------------------------------------------------------------------

class ssh : public testing::Test {
 protected:
  ssh() : server_([this](std::uint16_t port) { return configure(port); }) {}

  std::vector<std::string> configure(std::uint16_t port) {
    for (const char* const key : {"host", "user"})
      if (!fs::exists(files_ / key))
        EXPECT_EQ(run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", files_ / key}).status, 0);
    fs::copy_file(files_ / "user.pub", files_ / "authorized", fs::copy_options::overwrite_existing);
    std::error_code ignored;
    fs::create_directory("/run/sshd", ignored);
    write_file(files_ / "sshd.conf",
               "Port " + std::to_string(port) + "\nListenAddress 127.0.0.1\nHostKey " + files_ / "host" +
                   "\nPidFile none\nAuthorizedKeysFile " + files_ / "authorized" +
                   "\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                   "PermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp\n");
    return {"/usr/sbin/sshd", "-D", "-e", "-f", files_ / "sshd.conf"};
  }
  std::vector<std::string> client(const std::string& program, const std::string& proxy) const {
    std::vector<std::string> words{program,     "-F",
                                   "/dev/null", "-q",
                                   "-i",        files_ / "user",
                                   "-o",        "BatchMode=yes",
                                   "-o",        "StrictHostKeyChecking=no",
                                   "-o",        "UserKnownHostsFile=/dev/null",
                                   "-o",        "ProxyCommand=" + proxy};
    return words;
  }
  std::string proxy() const {
    return std::string(SOQUETE_COMMAND) + " connect tcp://%h:" + std::to_string(server_.port());
  }

  folder files_;
  foreign_server server_;
};

TEST_F(ssh, runs_a_command_through_connect) {
  std::vector<std::string> words = client("ssh", proxy());
  words.insert(words.end(), {"127.0.0.1", "echo there; exit 3"});
  const outcome got = run(words);
  EXPECT_EQ(got.status, 3) << got.errors << server_.program().errors;
  EXPECT_EQ(got.output, "there\n");
}

TEST_F(ssh, copies_a_hundred_megabytes_both_ways_through_connect) {
  const std::string data = noise(100'000'000);
  write_file(files_ / "original", data);
  std::vector<std::string> there = client("scp", proxy());
  there.insert(there.end(), {files_ / "original", "127.0.0.1:" + files_ / "copy"});
  const outcome sent = run(there);
  EXPECT_EQ(sent.status, 0) << sent.errors;
  EXPECT_TRUE(read_file(files_ / "copy") == data);
  std::vector<std::string> back = client("scp", proxy());
  back.insert(back.end(), {"127.0.0.1:" + files_ / "copy", files_ / "back"});
  EXPECT_EQ(run(back).status, 0);
  EXPECT_TRUE(read_file(files_ / "back") == data);
}

TEST_F(ssh, is_forwarded_by_a_relay) {
  process relay = listening(server_.address());
  std::vector<std::string> words = client("ssh", "nc.openbsd -N 127.0.0.1 " + std::to_string(relay.port()));
  words.insert(words.end(), {"127.0.0.1", "cat"});
  const std::string data = noise(10'000'000);
  const outcome got = run(words, data);
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == data) << got.output.size();
}

}  // namespace
