// Real peers on local sockets, which nobody here wrote, against `listen` and `connect`, in both roles.
#include <gtest/gtest.h>

#include "foreign.hpp"
#include "local_wire.hpp"

using namespace soquete::test;
using namespace std::chrono_literals;

namespace {

class peers_local : public testing::Test {
 protected:
  std::string path(const std::string& name = "s") const { return files_ / name; }
  std::string at(const std::string& options = {}, const std::string& name = "s") const {
    return "unix://" + path(name) + options;
  }
  // Abstract, and nobody else's.
  std::string name() const { return path("@").substr(1); }
  void write(const std::string& file, const std::string& text) const { write_file(files_ / file, text); }

  static std::unique_ptr<process> ready(const std::vector<std::string>& words, std::string input = {}) {
    std::vector<std::string> all{"listen"};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--ready-fd", "3"});
    auto made = std::make_unique<process>(soquete_with(all), start_options{.input = std::move(input)});
    EXPECT_NE(made->ready(), "") << made->errors;
    return made;
  }
  // Of another make, which makes that path, and says no more.
  std::unique_ptr<process> serving(const std::vector<std::string>& words, std::string input = {}) const {
    auto made = std::make_unique<process>(words, start_options{.input = std::move(input)});
    EXPECT_TRUE(made->until([&] { return std::filesystem::exists(path()); })) << made->errors;
    return made;
  }
  // It may stand there and not listen yet; a client that is refused has changed nothing.
  static outcome once_it_listens(const std::vector<std::string>& arguments, const std::string& input) {
    const auto end = std::chrono::steady_clock::now() + patience;
    outcome got;
    do got = run(soquete_with(arguments), input);
    while (got.status == 4 && std::chrono::steady_clock::now() < end);
    return got;
  }

 private:
  folder files_;
};

// curl and nginx -------------------------------------------------------------------------------------------

class web_here : public peers_local {
 protected:
  web_here() : page_(noise(20'000'000)) {
    write("page", page_);
    write("nginx.conf", "daemon off; master_process off; pid " + path("pid") +
                            "; error_log stderr;\nevents {}\n" +
                            "http { access_log off; client_body_temp_path " + path("body") +
                            "; proxy_temp_path " + path("proxy") + "; fastcgi_temp_path " + path("fastcgi") +
                            "; uwsgi_temp_path " + path("uwsgi") + "; scgi_temp_path " + path("scgi") +
                            ";\nserver { listen unix:" + path() + "; root " + path("") + "; } }\n");
    server_ = serving({"nginx", "-p", path(""), "-c", path("nginx.conf")});
    EXPECT_TRUE(server_->until([&] { return local_wire::connected(path()).is_open(); })) << server_->errors;
  }
  std::string page_;
  std::unique_ptr<process> server_;
};

TEST_F(web_here, curl_gets_a_page_from_nginx_through_relays_of_each_kind) {
  auto over_tcp = ready({"tcp://127.0.0.1:0", at()});
  const outcome tcp = run({"curl", "-sS", "http://127.0.0.1:" + std::to_string(over_tcp->port()) + "/page"});
  EXPECT_EQ(tcp.status, 0) << tcp.errors;
  EXPECT_TRUE(tcp.output == page_) << tcp.output.size();
  auto here = ready({at({}, "relay"), at()});
  const outcome local = run({"curl", "-sS", "--unix-socket", path("relay"), "http://localhost/page"});
  EXPECT_EQ(local.status, 0) << local.errors;
  EXPECT_TRUE(local.output == page_) << local.output.size();
  auto to_tcp = ready({"unix://@" + name(), at_port(over_tcp->port())});
  const outcome abstract = run({"curl", "-sS", "--abstract-unix-socket", name(), "http://localhost/page"});
  EXPECT_EQ(abstract.status, 0) << abstract.errors;
  EXPECT_TRUE(abstract.output == page_) << abstract.output.size();
}

TEST_F(web_here, curl_keeps_a_connection_through_a_relay) {
  write("hello", "hello\n");
  auto relay = ready({at({}, "relay"), at()});
  const std::string one = "http://localhost/hello";
  const outcome got =
      run({"curl", "-sS", "-w", "%{num_connects} ", "--unix-socket", path("relay"), one, one, one});
  EXPECT_EQ(got.output, "hello\n1 hello\n0 hello\n0 ") << got.errors;
}

TEST_F(peers_local, curl_is_served_by_a_program) {
  auto server = ready({at(), "sh:read -r line; printf 'HTTP/1.0 200 OK\\r\\n\\r\\n%s\\n' \"$line\""});
  const outcome got = run({"curl", "-sS", "--unix-socket", path(), "http://localhost/there"});
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output.starts_with("GET /there HTTP/1.1")) << got.output;
}

// socat and nc ---------------------------------------------------------------------------------------------

TEST_F(peers_local, clients_of_each_make_are_echoed_in_full) {
  const std::string data = noise(5'000'000);
  auto server = ready({at(), "echo:"});
  auto programs = ready({at({}, "cat"), "exec:cat"});
  auto abstract = ready({"unix://@" + name(), "echo:"});
  for (const std::vector<std::string>& client :
       {std::vector<std::string>{"socat", "-t60", "-", "UNIX-CONNECT:" + path()},
        {"socat", "-t60", "-", "UNIX-CONNECT:" + path("cat")},
        {"socat", "-t60", "-", "ABSTRACT-CONNECT:" + name()},
        {"nc.openbsd", "-N", "-U", path()},
        {"ncat", "-U", path()}}) {
    const outcome got = run(client, data);
    EXPECT_EQ(got.status, 0) << client.back() << got.errors;
    EXPECT_TRUE(got.output == data) << client.front() << " " << client.back() << ": " << got.output.size();
  }
}

TEST_F(peers_local, servers_of_each_make_echo_what_connect_sends) {
  const std::string data = noise(5'000'000);
  {
    auto server = serving({"socat", "UNIX-LISTEN:" + path() + ",fork", "EXEC:cat"});
    const outcome got = once_it_listens({"connect", at()}, data);
    EXPECT_EQ(got.status, 0) << got.errors;
    EXPECT_TRUE(got.output == data) << got.output.size();
  }
  process abstract({"socat", "ABSTRACT-LISTEN:" + name() + ",fork", "EXEC:cat"});
  const outcome got = once_it_listens({"connect", "unix://@" + name()}, data);
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == data) << got.output.size();
}

TEST_F(peers_local, nc_serves_one_client_and_is_served_as_one) {
  auto server = serving({"nc.openbsd", "-l", "-N", "-U", path()}, "from there");
  const outcome got = once_it_listens({"connect", at()}, "from here");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_EQ(got.output, "from there");
  EXPECT_EQ(server->wait(), 0);
  EXPECT_EQ(server->output, "from here");
  auto ours = ready({at({}, "ours")}, "from here");
  const outcome theirs = run({"nc.openbsd", "-N", "-U", path("ours")}, "from there");
  EXPECT_EQ(theirs.output, "from here");
  EXPECT_EQ(ours->wait(), 0) << ours->errors;
  EXPECT_EQ(ours->output, "from there");
}

TEST_F(peers_local, socat_speaks_seqpacket_in_both_roles) {
  auto server = ready({at({}, "ours") + ",seqpacket", "echo:"});
  const outcome client = run({"socat", "-t60", "-", "UNIX-CONNECT:" + path("ours") + ",type=5"}, "ping");
  EXPECT_EQ(client.output, "ping") << client.errors;
  auto theirs = serving({"socat", "UNIX-LISTEN:" + path() + ",type=5,fork", "EXEC:cat,socktype=5"});
  const outcome got = once_it_listens({"connect", at(",seqpacket")}, "ping");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_EQ(got.output, "ping");
}

TEST_F(peers_local, socat_and_nc_ask_by_datagrams_and_are_answered) {
  auto server = ready({at(",dgram"), "echo:"});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"socat", "-t60", "-", "UNIX-SENDTO:" + path() + ",bind=" + path("c")},
        {"socat", "-t60", "-", "UNIX-CLIENT:" + path() + ",type=2,bind=" + path("d")},
        {"nc.openbsd", "-uU", path()}}) {
    process client(words, {.input = "ping\n", .keeps_input_open = true});
    EXPECT_TRUE(client.until_output("ping\n")) << words.back() << client.errors;
  }
  auto abstract = ready({"unix://@" + name() + ",dgram", "exec:cat"});
  process client({"socat", "-t60", "-", "ABSTRACT-SENDTO:" + name() + ",bind=" + name() + ".c"},
                 {.input = "ping\n", .keeps_input_open = true});
  EXPECT_TRUE(client.until_output("ping\n")) << client.errors << abstract->errors;
}

TEST_F(peers_local, socat_answers_datagrams_and_receives_them) {
  {
    auto server = serving({"socat", "UNIX-RECVFROM:" + path() + ",fork", "EXEC:cat"});
    const outcome got = once_it_listens({"connect", at(",dgram,count=1,wait=1m")}, "ping");
    EXPECT_EQ(got.status, 0) << got.errors;
    EXPECT_EQ(got.output, "ping");
    std::filesystem::remove(path());
  }
  auto sink = serving({"socat", "-u", "UNIX-RECV:" + path(), "-"});
  const outcome got = once_it_listens({"connect", "-U", at(",dgram"), "-,frame=line"}, "one\ntwo\n");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(sink->until_output("onetwo")) << sink->output << sink->errors;
}

// It has no name, and wants no answer.
TEST_F(peers_local, logger_is_heard) {
  auto server = ready({"-u", at(",dgram,count=2"), "-,frame=line"});
  for (const char* const text : {"first", "second"})
    EXPECT_EQ(run({"logger", "--socket", path(), "--socket-errors=on", "-t", "here", text}).status, 0);
  EXPECT_EQ(server->wait(), 0) << server->errors;
  EXPECT_NE(server->output.find("here: first\n"), std::string::npos) << server->output;
  EXPECT_NE(server->output.find("here: second\n"), std::string::npos) << server->output;
}

}  // namespace
