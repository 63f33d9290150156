// What the kernel shows, the simulation can show: cases whose outcome may differ from run to run.
//
// Goal: no program is surprised by the real network where the simulated one was kind. Method: each case is
// run many times on each driver of the kernel, on one loop and on two that race; for each outcome seen, a
// seed of the simulation is looked for that shows it.  docs/simulation.md
#include <unistd.h>
#include <cstdlib>
#include <soquete/soquete.hpp>

#include "encounter_step.hpp"
#include "on_each_driver.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds_max = 2'000;

std::string new_name() {
  static std::atomic<std::uint64_t> count = 0;
  return "unix:@soquete-outcome-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// Connected streams ---------------------------------------------------------------------------------------

task<result<tcp::listener>> listen(tcp::stream*) { return tcp::listen("127.0.0.1:0"); }
task<result<local::listener>> listen(local::stream*) { return local::listen(new_name()); }
task<result<local::seqpacket_listener>> listen(local::seqpacket*) {
  return local::listen_seqpacket(new_name());
}
task<result<tcp::stream>> connect(const endpoint& to, tcp::stream*) { return tcp::connect(to); }
task<result<local::stream>> connect(const endpoint& to, local::stream*) { return local::connect(to); }
task<result<local::seqpacket>> connect(const endpoint& to, local::seqpacket*) {
  return local::connect_seqpacket(to);
}
template <class Stream>
using listener_for = typename decltype(listen(static_cast<Stream*>(nullptr)))::value_type::value_type;

template <class Stream>
using with_stream = task<result<std::string>> (*)(stage&, Stream);

// The first is accepted, the second connects; then both begin.
template <class Stream>
class of_streams final : public encounter {
 public:
  of_streams(with_stream<Stream> one, with_stream<Stream> other) : first_(one), second_(other) {}
  task<result<void>> open() override {
    door_ = co_await ok(listen(static_cast<Stream*>(nullptr)));
    at_ = co_await ok(door_.local());
    co_return {};
  }
  task<result<std::string>> first(stage& on) override {
    Stream s = co_await ok(within(patience, door_.accept()));
    co_await ok(on.meet());
    co_return co_await first_(on, std::move(s));
  }
  task<result<std::string>> second(stage& on) override {
    Stream s = co_await ok(within(patience, connect(at_, static_cast<Stream*>(nullptr))));
    co_await ok(on.meet());
    co_return co_await second_(on, std::move(s));
  }
  void close_first() noexcept override { door_.close(); }

 private:
  with_stream<Stream> first_;
  with_stream<Stream> second_;
  listener_for<Stream> door_;
  endpoint at_;
};

template <class Stream>
encounter_kind streams(std::string_view name, with_stream<Stream> first, with_stream<Stream> second) {
  return {name, [=] { return std::make_unique<of_streams<Stream>>(first, second); }};
}

template <class Stream>
task<result<std::string>> just_close(stage& on, Stream s) {
  co_await ok(on.hold());
  s.close();
  co_return "close";
}
task<result<std::string>> send_and_abort(stage& on, tcp::stream s) {
  std::string told = co_await ok(send(on, s, 3));
  co_await ok(on.hold());
  s.abort();
  co_return told + ", abort";
}
task<result<std::string>> just_abort(stage& on, tcp::stream s) {
  co_await ok(on.hold());
  s.abort();
  co_return "abort";
}
template <class Stream>
task<result<std::string>> just_receive(stage& on, Stream s) {
  co_return co_await receive_all(on, s);
}
template <class Stream>
task<result<std::string>> send_thrice(stage& on, Stream s) {
  co_return co_await in_turn(send(on, s, 3), send(on, s, 3), send(on, s, 3), receive_all(on, s));
}
template <class Stream>
task<result<std::string>> receive_and_send_twice(stage& on, Stream s) {
  co_return co_await in_turn(receive_all(on, s), send(on, s, 3), send(on, s, 3));
}
template <class Stream>
task<result<std::string>> finish_and_receive(stage& on, Stream s) {
  co_return co_await in_turn(finish(on, s), receive_all(on, s));
}
template <class Stream>
task<result<std::string>> send_finish_receive(stage& on, Stream s) {
  co_return co_await in_turn(send(on, s, 5), finish(on, s), receive_all(on, s));
}
template <class Stream>
task<result<std::string>> receive_part_and_close(stage& on, Stream s) {
  std::string told = co_await ok(receive_once(on, s));
  co_await ok(on.hold());
  s.close();
  co_return told + ", close";
}
template <class Stream>
task<result<std::string>> send_much(stage& on, Stream s) {
  co_return co_await in_turn(send(on, s, much), receive_all(on, s));
}
// Patience ends as the answer comes: it is there, or it is there for the next one.
template <class Stream>
task<result<std::string>> receive_impatiently(stage& on, Stream s) {
  co_await ok(on.hold());
  const auto early = co_await within(20us, s.receive());
  const std::string told = early ? "early, " : said(early) + ", ";
  co_return told + co_await ok(receive_all(on, s));
}
template <class Stream>
task<result<std::string>> wait_and_receive(stage& on, Stream s) {
  const auto there = co_await within(patience, s.readable());
  co_return "readable " + said(there) + ", " + co_await ok(receive_all(on, s));
}
// One task sends while another receives: which ends first?
template <class Stream>
task<result<std::string>> both_at_once(stage& on, Stream s) {
  std::string told;
  const auto note = [](std::string& to, task<result<std::string>> what) -> task<result<void>> {
    const std::string done = co_await ok(std::move(what));
    to += done + "; ";
    co_return {};
  };
  const auto both = [&](scope& in) -> task<result<void>> {
    in.spawn(note(told, send(on, s, 3)));
    in.spawn(note(told, receive_once(on, s)));
    co_return {};
  };
  co_await ok(with_scope(both));
  co_return told;
}

// Records have no receive that gives a lease.
task<result<std::string>> send_records(stage& on, local::seqpacket s) {
  co_return co_await in_turn(send(on, s, 3), send(on, s, 3), send(on, s, 3));
}
task<result<std::string>> receive_records(stage& on, local::seqpacket s) {
  for (int count = 0;; ++count) {
    co_await ok(on.hold());
    const auto got = co_await within(patience, s.receive());
    const bool goes_on = got && !got->is_end;
    if (!goes_on) co_return "records " + std::to_string(count) + (got ? " end" : " " + said(got));
  }
}
task<result<std::string>> receive_one_record(stage& on, local::seqpacket s) {
  co_await ok(on.hold());
  const auto got = co_await within(patience, s.receive());
  co_return "record " + said(got);
}

// A listener, and who comes to it -------------------------------------------------------------------------

template <class Stream>
using with_listener = task<result<std::string>> (*)(stage&, listener_for<Stream>&);
using with_endpoint = task<result<std::string>> (*)(stage&, const endpoint&);

template <class Stream>
class of_a_listener final : public encounter {
 public:
  of_a_listener(with_listener<Stream> one, with_endpoint other) : first_(one), second_(other) {}
  task<result<void>> open() override {
    door_ = co_await ok(listen(static_cast<Stream*>(nullptr)));
    at_ = co_await ok(door_.local());
    co_return {};
  }
  task<result<std::string>> first(stage& on) override { return first_(on, door_); }
  task<result<std::string>> second(stage& on) override { return second_(on, at_); }
  void close_first() noexcept override { door_.close(); }

 private:
  with_listener<Stream> first_;
  with_endpoint second_;
  listener_for<Stream> door_;
  endpoint at_;
};

template <class Stream>
encounter_kind listening(std::string_view name, with_listener<Stream> first, with_endpoint second) {
  return {name, [=] { return std::make_unique<of_a_listener<Stream>>(first, second); }};
}

template <class Listener>
task<result<std::string>> close_door(stage& on, Listener& door) {
  co_await ok(on.hold());
  door.close();
  co_return "close";
}
template <class Listener>
task<result<std::string>> accept_one_and_close(stage& on, Listener& door) {
  co_await ok(on.hold());
  auto one = co_await within(patience, door.accept());
  std::string told = "accept " + said(one);
  co_await ok(on.hold());
  door.close();
  if (!one) co_return told;
  co_return told + ", " + co_await ok(receive_all(on, *one));
}
template <class Listener>
task<result<std::string>> accept_one_and_close_both(stage& on, Listener& door) {
  co_await ok(on.hold());
  const auto one = co_await within(patience, door.accept());
  co_await ok(on.hold());
  door.close();
  co_await ok(on.hold());
  co_return "accept " + said(one);
}
template <class Listener>
task<result<std::string>> accept_impatiently(stage& on, Listener& door) {
  co_await ok(on.hold());
  auto one = co_await within(20us, door.accept());
  std::string told = one ? "early, " : said(one) + ", ";
  if (!one) one = co_await within(patience, door.accept());
  if (!one) co_return told + said(one);
  co_return told + co_await ok(receive_all(on, *one));
}
// Two listeners on one open socket: who gets it?
task<result<std::string>> accept_twice_at_once(stage&, tcp::listener& door) {
  owned_descriptor one = door.release();
  owned_descriptor copy = co_await ok(one.duplicate());
  loop& here = co_await this_loop();
  door = co_await ok(tcp::listener::adopt(here, std::move(one)));
  tcp::listener other = co_await ok(tcp::listener::adopt(here, std::move(copy)));
  const auto accept = [](tcp::listener& from, const char* name) -> task<result<std::string>> {
    const auto got = co_await within(patience, from.accept());
    co_return got ? std::string(name) : said(got);
  };
  co_return co_await first_of(accept(door, "one"), accept(other, "other"));
}

template <class Stream>
task<result<std::string>> connect_and_receive(stage& on, const endpoint& to) {
  co_await ok(on.hold());
  auto s = co_await within(patience, connect(to, static_cast<Stream*>(nullptr)));
  if (!s) co_return "connect " + said(s);
  co_return "connect ok, " + co_await ok(receive_all(on, *s));
}
template <class Stream>
task<result<std::string>> connect_twice(stage& on, const endpoint& to) {
  co_await ok(on.hold());
  auto one = co_await within(patience, connect(to, static_cast<Stream*>(nullptr)));
  co_await ok(on.hold());
  auto other = co_await within(patience, connect(to, static_cast<Stream*>(nullptr)));
  std::string told = "connect " + said(one) + ", connect " + said(other);
  const std::array both{&one, &other};
  for (auto* const each : both) {
    if (!*each) continue;
    told += ", ";
    told += co_await ok(receive_all(on, **each));
  }
  co_return told;
}
template <class Stream>
task<result<std::string>> connect_send_close(stage& on, const endpoint& to) {
  co_await ok(on.hold());
  auto s = co_await within(patience, connect(to, static_cast<Stream*>(nullptr)));
  if (!s) co_return "connect " + said(s);
  std::string told = co_await ok(send(on, *s, 5));
  co_await ok(on.hold());
  co_return "connect ok, " + told;
}
task<result<std::string>> connect_and_abort(stage& on, const endpoint& to) {
  co_await ok(on.hold());
  auto s = co_await within(patience, tcp::connect(to));
  if (!s) co_return "connect " + said(s);
  std::string told = co_await ok(send(on, *s, 5));
  co_await ok(on.hold());
  s->abort();
  co_return "connect ok, " + told + ", abort";
}
task<result<std::string>> just_connect(stage& on, const endpoint& to) {
  co_await ok(on.hold());
  co_return "connect " + said(co_await within(patience, tcp::connect(to)));
}

// Datagrams -----------------------------------------------------------------------------------------------

task<result<udp::socket>> bind(udp::socket*) { return udp::bind("127.0.0.1:0"); }
task<result<local::datagram>> bind(local::datagram*) { return local::bind(new_name()); }
task<result<udp::socket>> connect(const endpoint& to, udp::socket*) { return udp::connect(to); }
task<result<local::datagram>> connect(const endpoint& to, local::datagram*) {
  return local::connect_datagram(to);
}

template <class Socket>
using with_socket = task<result<std::string>> (*)(stage&, Socket&);

// The first has a name, the second is connected to it.
template <class Socket>
class of_datagrams final : public encounter {
 public:
  of_datagrams(with_socket<Socket> one, with_socket<Socket> other) : first_(one), second_(other) {}
  task<result<void>> open() override {
    named_ = co_await ok(bind(static_cast<Socket*>(nullptr)));
    at_ = co_await ok(named_.local());
    co_return {};
  }
  task<result<std::string>> first(stage& on) override {
    co_await ok(on.meet());
    co_return co_await first_(on, named_);
  }
  task<result<std::string>> second(stage& on) override {
    Socket s = co_await ok(connect(at_, static_cast<Socket*>(nullptr)));
    co_await ok(on.meet());
    co_return co_await second_(on, s);
  }
  void close_first() noexcept override { named_.close(); }

 private:
  with_socket<Socket> first_;
  with_socket<Socket> second_;
  Socket named_;
  endpoint at_;
};

template <class Socket>
encounter_kind datagrams(std::string_view name, with_socket<Socket> first, with_socket<Socket> second) {
  return {name, [=] { return std::make_unique<of_datagrams<Socket>>(first, second); }};
}

template <class Socket>
task<result<std::string>> close_socket(stage& on, Socket& s) {
  co_await ok(on.hold());
  s.close();
  co_return "close";
}
template <class Socket>
task<result<std::string>> send_thrice_to_peer(stage& on, Socket& s) {
  co_return co_await in_turn(send(on, s, 3), send(on, s, 3), send(on, s, 3));
}
task<result<std::string>> send_twice_and_hear(stage& on, udp::socket& s) {
  std::string told = co_await ok(in_turn(send(on, s, 3), send(on, s, 3)));
  const auto got = co_await within(on.glance(), s.receive());
  co_return told + ", receive " + said(got);
}
template <class Socket>
task<result<std::string>> receive_datagram_impatiently(stage& on, Socket& s) {
  co_await ok(on.hold());
  const auto early = co_await within(20us, s.receive());
  if (early) co_return "early";
  const auto late = co_await within(patience, s.receive());
  co_return said(early) + ", " + said(late);
}
template <class Socket>
task<result<std::string>> send_once(stage& on, Socket& s) {
  co_return co_await send(on, s, 3);
}
// As many as there is room for, if nobody takes them.
task<result<std::string>> flood(stage& on, local::datagram& s) {
  const endpoint to = s.peer();
  for (int i = 0; i != 12; ++i) {
    const auto done = co_await s.send_to(to, "x");
    if (!done) co_return said(done);
  }
  co_await ok(on.hold());
  co_return "all";
}
task<result<std::string>> take_one(stage& on, local::datagram& s) {
  co_await ok(on.hold());
  co_return said(co_await within(patience, s.receive()));
}

// The cases -----------------------------------------------------------------------------------------------

std::vector<encounter_kind> all_cases() {
  using tcp_stream = tcp::stream;
  using local_stream = local::stream;
  using record = local::seqpacket;
  return {
      streams<tcp_stream>("a reset against a receive", send_and_abort, just_receive),
      streams<tcp_stream>("a reset against sends", just_abort, send_thrice),
      streams<tcp_stream>("a reset against an end", just_abort, finish_and_receive),
      streams<tcp_stream>("a reset against a wait", send_and_abort, wait_and_receive),
      streams<tcp_stream>("a reset against a reset", send_and_abort, send_and_abort),
      streams<tcp_stream>("a close against sends", just_close, send_thrice),
      streams<tcp_stream>("sends after a close", just_close, receive_and_send_twice),
      streams<tcp_stream>("both finish at once", send_finish_receive, send_finish_receive),
      streams<tcp_stream>("both finish at once, without a word", finish_and_receive, finish_and_receive),
      streams<tcp_stream>("a close in the middle of much", receive_part_and_close, send_much),
      streams<tcp_stream>("a receive that is given up as bytes come", receive_impatiently,
                          send_finish_receive),
      streams<tcp_stream>("a send and a receive at once", both_at_once, both_at_once),
      streams<local_stream>("a local close against sends", just_close, send_thrice),
      streams<local_stream>("local sends after a close", just_close, receive_and_send_twice),
      streams<local_stream>("both local ends finish at once", send_finish_receive, send_finish_receive),
      streams<local_stream>("a local close in the middle of much", receive_part_and_close, send_much),
      streams<local_stream>("a local receive that is given up as bytes come", receive_impatiently,
                            send_finish_receive),
      streams<local_stream>("a local send and a receive at once", both_at_once, both_at_once),
      streams<record>("records against an end", receive_records, send_records),
      streams<record>("records against a close", receive_one_record, send_records),
      listening<tcp_stream>("a connection to a listener that closes", close_door,
                            connect_and_receive<tcp_stream>),
      listening<tcp_stream>("two connections, and one is accepted", accept_one_and_close_both,
                            connect_twice<tcp_stream>),
      listening<tcp_stream>("a client that is gone at once", accept_one_and_close,
                            connect_send_close<tcp_stream>),
      listening<tcp_stream>("a client that resets at once", accept_one_and_close, connect_and_abort),
      listening<tcp_stream>("an accept that is given up as a client comes", accept_impatiently,
                            connect_send_close<tcp_stream>),
      listening<tcp_stream>("one client and two accepts", accept_twice_at_once, just_connect),
      listening<local_stream>("a connection to a local listener that closes", close_door,
                              connect_and_receive<local_stream>),
      listening<local_stream>("a local client that is gone at once", accept_one_and_close,
                              connect_send_close<local_stream>),
      datagrams<udp::socket>("datagrams to a socket that closes", close_socket, send_twice_and_hear),
      datagrams<udp::socket>("a receive that is given up as a datagram comes", receive_datagram_impatiently,
                             send_once),
      datagrams<local::datagram>("local datagrams to a socket that closes", close_socket,
                                 send_thrice_to_peer),
      datagrams<local::datagram>("a flood of local datagrams", take_one, flood),
  };
}

class reachable : public with_driver {};
ON_EACH_DRIVER(reachable);

// How often each case runs, on one loop and on two.
unsigned runs() {
  const char* const more = std::getenv("SOQUETE_OUTCOME_RUNS");
  return more == nullptr ? 20 : static_cast<unsigned>(std::strtoul(more, nullptr, 10));
}

TEST_P(reachable, what_the_kernel_shows_the_simulation_can_show) {
  const auto cases = all_cases();
  std::size_t several = 0;
  const char* const wanted = std::getenv("SOQUETE_OUTCOMES");
  for (const encounter_kind& one : cases) {
    if (wanted != nullptr && one.name.find(wanted) == std::string_view::npos) continue;
    SCOPED_TRACE(one.name);
    const outcomes seen = seen_on(GetParam(), one, runs());
    several += seen.size() > 1 ? 1 : 0;
    simulated_outcomes simulated(one);
    for (const auto& [outcome, count] : seen)
      EXPECT_TRUE(simulated.has(outcome, seeds_max))
          << count << " times " << outcome << "\nsimulated: " << [&] {
               std::string all;
               for (const auto& [other, seed] : simulated.first_seeds())
                 all.append("\n  ").append(other).append("  from seed ").append(std::to_string(seed));
               return all;
             }();
  }
  // Or the races are none.
  if (wanted == nullptr) EXPECT_GE(several, cases.size() / 4);
  std::printf("%zu cases, %zu with several outcomes\n", cases.size(), several);
}

}  // namespace
}  // namespace soquete::test
