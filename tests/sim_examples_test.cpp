// The examples on a simulated network: each await of theirs is struck in each way, each call fails with each
// cause.
//
// Goal: the five invariants hold at each of these points: what is awaited ends, once; nothing is lost,
// doubled or out of order in a stream; deadlines are kept; nothing is left open, armed or lent; nobody runs
// in circles. Method: an example, as it is, on one host, and a peer on another, or another example; seeds
// differ in what arrives together and in which order things are told. The examples are part of this file,
// which GCC cannot see.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <soquete/sim.hpp>
#include <sstream>

#include "played_examples.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1min;

// What examples print is not looked at here: tests/examples_test.cpp does.
class silence {
 public:
  silence() : kept_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::close(nowhere);
  }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;
  ~silence() {
    std::fflush(stdout);
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

// Somebody stops it in the end: without deadlines it would wait for ever for a peer that has lost power.
task<result<void>> for_ten_minutes(task<result<void>> work) {
  auto ended = co_await within(10min, std::move(work));
  if (!ended && ended.error() == std::errc::timed_out) co_return {};
  co_return ended;
}

// A server of the library's: once it is open, no client and no want of anything ends it.
task<result<void>> stay(sim::world& w, task<result<void>> work) {
  auto ended = co_await for_ten_minutes(std::move(work));
  const step during = ended ? step::none : ended.error().during();
  const bool is_of_opening = during == step::open || during == step::bind || during == step::listen ||
                             during == step::set_option || during == step::get_option;
  w.always(ended || is_of_opening || ended.error() == std::errc::operation_canceled,
           ended ? "" : "a server stays: " + to_string(ended.error()));
  co_return ended;
}
sim::program server(sim::world& w, int (*program)(), std::vector<std::string> words = {}) {
  return [&w, program, words] { return stay(w, played::play(program, words)); };
}
sim::program server(sim::world& w, std::string_view where, task<result<void>> (*handler)(tcp::stream)) {
  return [&w, where, handler] { return stay(w, tcp::serve(where, handler)); };
}
sim::program waiting(int (*program)(), std::vector<std::string> words = {}) {
  return [program, words] { return for_ten_minutes(played::play(program, words)); };
}
sim::program client(int (*program)(), std::vector<std::string> words = {}) {
  return [program, words] { return played::play(program, words); };
}

task<result<void>> send_and_finish(tcp::stream& to, const std::string& words) {
  co_await ok(within(patience, to.send(words)));
  co_return to.finish();
}

// What comes back is the beginning of what it hopes for.
task<result<void>> talk(sim::world& w, std::string where, std::string sent, std::string hoped) {
  auto peer = co_await ok(within(patience, tcp::connect(where)));
  std::string got;
  const auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(send_and_finish(peer, sent));
    for (;;) {
      const lease piece = co_await ok(within(patience, peer.receive()));
      if (piece.empty()) co_return {};
      got += piece.text();
    }
  };
  auto ended = co_await with_scope(both);
  w.always(hoped.starts_with(got), "the beginning of the answer");
  w.sometimes(ended && got == hoped, "all of the answer");
  co_return ended;
}

task<result<void>> ask_by_datagrams(std::string where) {
  auto s = co_await ok(udp::connect(where));
  for (int i = 0; i != 3; ++i) {
    static_cast<void>(co_await s.send("question " + std::to_string(i)));
    static_cast<void>(co_await within(1s, s.receive()));
  }
  co_return {};
}

// Servers that the clients among the examples talk to.

task<result<void>> send_page(tcp::stream peer) {
  reader in(peer);
  for (;;) {
    const std::string line = co_await ok(within(patience, in.until("\r\n", 1024)));
    if (line.empty()) break;
  }
  co_return co_await within(patience, peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                                "6\r\nHello,\r\n7;a=b\r\n world\n\r\n0\r\n\r\n"));
}

task<result<void>> take_mail(tcp::stream peer) {
  reader in(peer);
  bool is_mail = false;
  co_await ok(within(patience, peer.send("220 here\r\n")));
  for (;;) {
    const std::string line = co_await ok(within(patience, in.until("\r\n", 1024)));
    if (is_mail && line != ".") continue;
    is_mail = line == "DATA";
    const std::string_view answer = is_mail                     ? "354 go on\r\n"
                                    : line.starts_with("EHLO ") ? "250-here\r\n250 8BITMIME\r\n"
                                                                : "250 yes\r\n";
    co_await ok(within(patience, peer.send(answer)));
    if (line == "QUIT") co_return {};
  }
}

task<result<void>> send_file(tcp::listener& door) {
  auto data = co_await ok(within(patience, door.accept()));
  co_return co_await within(patience, data.send("what stands in the file\n"));
}

task<result<void>> give_files(tcp::stream peer) {
  reader in(peer);
  tcp::listener door;
  co_await ok(within(patience, peer.send("220-Welcome,\r\n stranger\r\n220 here\r\n")));
  for (;;) {
    auto line = co_await within(patience, in.until("\r\n", 1024));
    if (!line && line.error() == fault::end_of_stream) co_return {};
    if (!line) co_return fail(line.error());
    std::string answer = "200 yes\r\n";
    if (line->starts_with("USER ")) answer = "331 and the word?\r\n";
    if (*line == "EPSV") {
      door = co_await ok(tcp::listen(":0"));
      const endpoint where = co_await ok(door.local());
      answer = "229 Entering Extended Passive Mode (|||" + std::to_string(where.port()) + "|)\r\n";
    }
    if (line->starts_with("RETR ")) {
      co_await ok(within(patience, peer.send("150 here it comes\r\n")));
      co_await ok(send_file(door));
      answer = "226 that was all\r\n";
    }
    co_await ok(within(patience, peer.send(answer)));
  }
}

// Slow links with little room: so there is much to wait for.
void lay_links(sim::world& w) {
  using sim::fault;
  w.usual_link({.delay = {1ms, 20ms}, .window = {8, 256}});
  sim::swarm few;
  for (const fault kind : {fault::delay, fault::loss, fault::duplicate, fault::reset, fault::refuse,
                           fault::exhaust, fault::cut, fault::isolate, fault::pause, fault::crash})
    few = few.without(kind);
  w.faults(few);
}

// In so many histories; and so many points at least, lest it be forgotten that there is nothing to strike at.
struct amount {
  unsigned seeds;
  std::size_t points_min;
};

struct example {
  const char* name;
  amount awaits;
  amount calls;
  void (*play)(sim::world& w);
};

std::string lines(unsigned count) {
  std::string text;
  for (unsigned i = 0; i != count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

// Hears the client out and never answers.
task<result<void>> be_silent(tcp::stream peer) {
  for (;;) {
    const lease piece = co_await ok(within(patience, peer.receive()));
    if (piece.empty()) co_return {};
  }
}

task<result<void>> say_hello(std::string_view where) {
  auto peer = co_await ok(within(patience, tcp::connect(where)));
  co_await ok(within(patience, peer.send("hello")));
  static_cast<void>(co_await ok(within(patience, peer.receive())));
  co_return {};
}

// It always ends with one: the server resets, or is silent.
task<result<void>> expect_an_error(task<result<void>> work) {
  static_cast<void>(co_await std::move(work));
  co_return {};
}

constexpr example all[] = {
    {"echo",
     {4, 1520},
     {1, 130},
     [](sim::world& w) {
       w.host("server").spawn(server(w, played::echo_server::begin));
       w.host("client").spawn(client(played::echo_client::begin, {"server:8080"}));
       w.host("other").spawn([&w] {
         const std::string sent = w.bytes(300);
         return talk(w, "server:8080", sent, sent);
       });
     }},
    {"graceful",
     {10, 920},
     {4, 900},
     [](sim::world& w) {
       w.host("server").spawn(server(w, played::graceful::begin));
       w.host("client").spawn([&w] { return talk(w, "server:8080", lines(10) + "quit\n", lines(10)); });
     }},
    {"race",
     {10, 880},
     {4, 680},
     [](sim::world& w) {
       w.host("one").spawn(server(w, played::echo_server::begin));
       w.host("two").spawn(server(w, played::echo_server::begin));
       w.host("client").spawn(waiting(played::race::begin, {"one:8080", "two:8080"}));
     }},
    {"relay",
     {3, 2860},
     {1, 730},
     [](sim::world& w) {
       w.host("server").spawn(server(w, played::echo_server::begin));
       w.host("relay").spawn(server(w, played::relay::begin, {":80", "server:8080"}));
       w.host("client").spawn([&w] {
         const std::string sent = w.bytes(200);
         return talk(w, "relay:80", sent, sent);
       });
     }},
    {"udp_echo",
     {10, 820},
     {4, 620},
     [](sim::world& w) {
       w.host("server").spawn(waiting(played::udp_echo::begin));
       w.host("one").spawn([] { return ask_by_datagrams("server:8080"); });
       w.host("two").spawn([] { return ask_by_datagrams("server:8080"); });
     }},
    {"http_get",
     {10, 780},
     {4, 510},
     [](sim::world& w) {
       w.host("web").spawn(server(w, ":80", send_page));
       w.host("client").spawn(client(played::http_get::begin, {"web:80", "/path"}));
     }},
    {"smtp_send",
     {5, 1170},
     {2, 560},
     [](sim::world& w) {
       std::istringstream mail("Subject: rain\n\nIt rains.\n");
       std::cin.rdbuf(mail.rdbuf());
       w.host("office").spawn(server(w, ":25", take_mail));
       w.host("client").spawn(
           client(played::smtp_send::begin, {"office:25", "me@here", "you@there", "they@there"}));
       w.run_for(24h);
     }},
    {"ftp_fetch",
     {5, 1210},
     {2, 640},
     [](sim::world& w) {
       w.host("store").spawn(server(w, ":21", give_files));
       w.host("client").spawn(client(played::ftp_fetch::begin, {"store:21", "file"}));
     }},
    // Its calls are a thousand sends, all alike.
    {"datagrams",
     {2, 370},
     {0, 0},
     [](sim::world& w) { w.host("only").spawn(client(played::datagrams::begin)); }},
    {"errors",
     {10, 580},
     {4, 410},
     [](sim::world& w) {
       w.host("server").spawn(server(w, played::echo_server::begin));
       // It has no deadline where it receives.
       w.host("client").spawn(waiting(played::errors::begin, {"server:8080"}));
       w.host("other").spawn(client(played::errors::begin, {"client:8080"}));
     }},
    {"guests",
     {10, 980},
     {2, 340},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(server(w, played::guests::begin));
       only.spawn([] { return ask_by_datagrams("localhost:8080"); });
       only.spawn([] { return ask_by_datagrams("127.0.0.1:8080"); });
     }},
    {"hello_web",
     {10, 360},
     {2, 210},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(server(w, played::hello_web::begin));
       only.spawn([&w] {
         return talk(w, "localhost:8080", "GET / HTTP/1.0\r\nHost: only\r\n\r\n",
                     "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello, world!\n");
       });
     }},
    {"lines",
     {10, 200},
     {2, 200},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(waiting(played::lines::begin));
       only.spawn([&w] {
         return talk(w, "localhost:8080", "one\ntwo\n", "you said: one\nyou said: two\ngoodbye\n");
       });
     }},
    {"mailbox, ports",
     {1, 0},
     {2, 150},
     [](sim::world& w) {
       w.host("one").spawn(client(played::mailbox::begin));
       w.host("two").spawn(client(played::ports::begin));
     }},
    {"patient",
     {10, 340},
     {2, 210},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(server(w, "[::1]:8080", played::patient::serve_lines));
       only.spawn([&w] { return talk(w, "[::1]:8080", lines(5), lines(5)); });
     }},
    {"pieces",
     {10, 210},
     {2, 170},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(waiting(played::pieces::begin));
       only.spawn([&w] { return talk(w, "localhost:8080", "a text in pieces", ""); });
     }},
    {"slam",
     {10, 190},
     {2, 130},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(waiting(played::slam::begin));
       only.spawn([] { return expect_an_error(say_hello("localhost:8080")); });
     }},
    {"stuck",
     {10, 400},
     {2, 110},
     [](sim::world& w) {
       sim::host& only = w.host("only");
       only.spawn(server(w, "127.0.0.1:8080", be_silent));
       only.spawn([] { return expect_an_error(played::play(played::stuck::begin, {})); });
     }},
};

// Fewer would show little.
consteval bool are_enough() {
  std::size_t awaits = 0;
  std::size_t calls = 0;
  for (const example& one : all) {
    awaits += one.awaits.points_min;
    calls += one.calls.points_min;
  }
  return awaits >= 5'000 && calls >= 5'000;
}
static_assert(are_enough());

sim::scenario scenario_of(const example& one) {
  return [&one](sim::world& w) {
    lay_links(w);
    one.play(w);
    w.run_for(24h);
  };
}

class sim_examples : public testing::TestWithParam<example> {
 protected:
  // A line of the table in docs/simulation.md.
  static void tell(const char* what, const sim::each_report& told, std::size_t points_min) {
    std::fprintf(stderr, "| %s | %s | %llu | %llu | %.1f h |\n", GetParam().name, what,
                 static_cast<unsigned long long>(told.places), static_cast<unsigned long long>(told.points),
                 std::chrono::duration<double, std::ratio<3600>>(told.virtual_time).count());
    EXPECT_GE(told.points, points_min);
  }
};

TEST_P(sim_examples, survive_each_strike_at_each_await) {
  const auto [seeds, points_min] = GetParam().awaits;
  const silence until_the_end;
  tell("awaits", sim::each_await({.seeds = seeds}, scenario_of(GetParam())), points_min);
}

TEST_P(sim_examples, survive_each_cause_of_each_call) {
  const auto [seeds, points_min] = GetParam().calls;
  const silence until_the_end;
  tell("calls", sim::each_call({.seeds = seeds}, scenario_of(GetParam())), points_min);
}

INSTANTIATE_TEST_SUITE_P(all, sim_examples, testing::ValuesIn(all), [](const auto& one) {
  std::string name = one.param.name;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
});

}  // namespace
}  // namespace soquete::test
