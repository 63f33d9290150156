// TCP in the town.
#include <charconv>

#include "town/folk.hpp"

namespace soquete::town {

task<result<void>> talk(sim::world& w, std::string where, std::string sent) {
  auto peer = co_await ok(within(10s, tcp::connect(where)));
  co_return co_await converse(w, peer, sent);
}

task<result<void>> keep_talking(sim::world& w, const plan& p, std::string where, std::string sent) {
  bool is_answered = false;
  for (unsigned i = 0; i != p.times; ++i) {
    is_answered |= (co_await talk(w, where, sent)).has_value();
    co_await ok(sleep(20s));
  }
  w.sometimes(is_answered, "an answer from " + where);
  if (!p.gets_better) co_return {};
  co_await ok(wait_until(w, better_days));
  const auto at_last = co_await talk(w, where, sent);
  w.always(at_last.has_value(), "an answer from " + where + " in better days");
  co_return {};
}

task<result<void>> echo(tcp::stream peer) {
  for (;;) {
    lease data = co_await ok(within(5min, peer.receive()));
    if (data.empty()) co_return {};
    co_await ok(within(5min, peer.send(data)));
  }
}

namespace {

task<result<void>> answer_lines(tcp::stream peer) {
  reader in(peer);
  for (;;) {
    const std::string line = co_await ok(within(1min, in.line(64)));
    co_await ok(within(1min, peer.send(line + "\n")));
  }
}

task<result<void>> both_ways(tcp::stream& one, tcp::stream& other) {
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(copy(one, other));
    s.spawn(copy(other, one));
    co_return {};
  });
}

task<result<void>> relay(tcp::stream client) {
  auto server = co_await ok(within(10s, tcp::connect("server:7")));
  co_return co_await within(10min, both_ways(client, server));
}

// A file whose end is that of the connection, as in HTTP/1.0: who cannot send all of it resets.
class whole_or_reset {
 public:
  explicit whole_or_reset(tcp::stream& on) noexcept : on_(on) {}
  whole_or_reset(const whole_or_reset&) = delete;
  whole_or_reset& operator=(const whole_or_reset&) = delete;
  ~whole_or_reset() {
    if (!is_whole_) on_.abort();
  }
  void is_whole() noexcept { is_whole_ = true; }

 private:
  tcp::stream& on_;
  bool is_whole_ = false;
};

task<result<void>> give_file(tcp::stream peer) {
  whole_or_reset end(peer);
  reader in(peer);
  const std::string wanted = co_await ok(within(1min, in.until("\n", 16)));
  std::size_t size = 0;
  std::from_chars(wanted.data(), wanted.data() + wanted.size(), size);
  const std::string file(size, 'f');
  co_await ok(within(1min, peer.send(file)));
  auto finished = peer.finish();
  if (finished) end.is_whole();
  co_return finished;
}

task<result<void>> fetch_file(sim::world& w, std::size_t size) {
  auto peer = co_await ok(within(10s, tcp::connect("server:11")));
  const std::string wanted = std::to_string(size) + "\n";
  co_await ok(within(1min, peer.send(wanted)));
  std::string got;
  co_await ok(receive_all(peer, got));
  w.always(got.size() == size, "a file that ends is whole");
  co_return {};
}

task<result<void>> fetch_files(sim::world& w, const plan& p) {
  for (unsigned i = 0; i != p.times; ++i) {
    static_cast<void>(co_await fetch_file(w, p.bytes));
    co_await ok(sleep(20s));
  }
  co_return {};
}

// "000007 rrr…": what a ledger has of each event.
std::string record_of(unsigned number) {
  std::string digits = std::to_string(number);
  digits.insert(0, 6 - digits.size(), '0');
  return digits + std::string(300, 'r');
}

// Reads slowly, and each record as it was written.
task<result<void>> keep_ledger(sim::world& w, tcp::stream peer) {
  reader in(peer);
  for (;;) {
    const std::string record = co_await ok(within(1min, in.until("\n", 1'000)));
    unsigned number = 0;
    std::from_chars(record.data(), record.data() + record.size(), number);
    w.always(record == record_of(number), "a record is whole");
    co_await ok(sleep(500ms));
  }
}

// Has little time for each record. One that does not get through is left out.
task<result<void>> write_ledger(sim::world& w, const plan& p) {
  auto peer = co_await ok(within(10s, tcp::connect("server:12", {.send_buffer = 2'048})));
  bool is_kept = true;
  for (unsigned i = 1; i <= 10 * p.times; ++i) {
    const std::string record = record_of(i) + "\n";
    is_kept &= (co_await within(200ms, peer.send(record))).has_value();
    if (co_await detail::is_cancelled()) break;
  }
  if (p.times > 1) w.sometimes(!is_kept, "a record that does not get through");
  co_return {};
}

// Does not know when to stop: what it begins after it was asked to end has to end at once.
task<result<void>> insist(sim::world& w) {
  auto peer = co_await ok(within(10s, tcp::connect("server:7")));
  for (int i = 0; i != 3; ++i) {
    static_cast<void>(co_await within(5min, peer.receive()));
    if (co_await detail::is_cancelled()) break;
  }
  static_cast<void>(co_await within(5min, peer.receive()));
  w.sometimes(true, "an end");
  co_return {};
}

}  // namespace

void build_streams(sim::world& w, const plan& p) {
  sim::host& server = w.host("server");
  sim::host& middle = w.host("middle");
  sim::host& client = w.host("client");
  server.spawn(staying(w, [] { return tcp::serve("[::]:7", echo, {.max_connections = 3}); }));
  server.spawn(staying(w, [] { return tcp::serve("[::]:8", answer_lines, {.max_per_address = 1}); }));
  // The name of the server has an address of IPv6 as well.
  server.spawn(staying(w, [] { return tcp::serve("0.0.0.0:10", echo); }));
  server.spawn(staying(w, [] { return tcp::serve("[::]:11", give_file); }));
  server.spawn(staying(w, [&w] {
    return tcp::serve("[::]:12", [&w](tcp::stream peer) { return keep_ledger(w, std::move(peer)); });
  }));
  middle.spawn(staying(w, [] { return tcp::serve("[::]:7", relay); }));
  client.spawn(unless_it_fails([&w, p] { return keep_talking(w, p, "server:7", w.bytes(p.bytes)); }));
  client.spawn(unless_it_fails([&w, p] { return keep_talking(w, p, "middle:7", w.bytes(p.bytes / 10)); }));
  client.spawn(
      unless_it_fails([&w, p] { return keep_talking(w, p, "server:8", "one\ntwo\nthree\nfour\n"); }));
  client.spawn(unless_it_fails([&w, p] { return keep_talking(w, p, "server:10", "hello"); }));
  client.spawn(unless_it_fails([&w, p] { return fetch_files(w, p); }));
  client.spawn(unless_it_fails([&w, p] { return write_ledger(w, p); }));
  client.spawn(unless_it_fails([&w] { return insist(w); }));
}

}  // namespace soquete::town
