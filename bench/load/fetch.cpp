// Mode fetch: CPU of the server for each datagram that it sends on order.
#include <algorithm>
#include <deque>
#include <vector>

#include "clock.hpp"
#include "datagram_server.hpp"
#include "losses.hpp"
#include "poller.hpp"

namespace load {

namespace {

// Orders a window of datagrams and compares every byte of what comes.
class fetcher {
 public:
  fetcher(const options& o, const char* pattern)
      : socket_(o.at), pattern_(pattern), size_(o.size), window_(o.window) {
    socket_.receive_runs();
  }

  int descriptor() const { return socket_.descriptor(); }
  bool is_complete() const { return next_ == end_; }
  std::uint64_t ordered() const { return end_; }
  std::uint64_t seen() const { return seen_; }

  // What is still missing of the last one is lost.
  void order_window() {
    order wish{end_, static_cast<std::uint32_t>(window_), static_cast<std::uint32_t>(size_)};
    next_ = end_;
    end_ += wish.count;
    socket_.send({reinterpret_cast<const char*>(&wish), sizeof wish});
  }

  void receive_all() {
    for (datagram_socket::run got = socket_.receive(); got.is_there; got = socket_.receive())
      for (std::size_t at = 0; at < got.bytes.size(); at += got.segment)
        check(got.bytes.substr(at, got.segment));
  }

 private:
  void check(std::string_view datagram) {
    if (datagram.size() != size_) fail("a datagram of another length came");
    std::uint32_t number;
    std::memcpy(&number, datagram.data(), sizeof number);
    if (number >= end_) fail("a datagram came that nobody ordered");
    std::size_t place = number % window_ * size_;  // Windows are ordered one after the other.
    if (std::memcmp(datagram.data() + sizeof number, pattern_ + place + sizeof number,
                    size_ - sizeof number) != 0)
      fail("wrong bytes came");
    if (number < next_) fail("a datagram came twice, out of order, or after 200 ms");
    next_ = number + 1;
    ++seen_;
  }

  datagram_socket socket_;
  const char* pattern_;
  std::size_t size_, window_;
  std::uint32_t next_ = 0, end_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace

void fetch(const options& o) {
  constexpr std::uint32_t clients_count = 4;  // So that the server has several orders when it wakes up.
  if (o.size < 4 || o.window * o.size > order_max)
    fail("at least 4 bytes a datagram, at most 256 KiB an order");
  order first{0, 1, static_cast<std::uint32_t>(o.size)};
  wait_for_answer(o.at, {reinterpret_cast<const char*>(&first), sizeof first});
  std::vector<char> pattern(order_max);
  write_pattern(pattern.data());
  poller events;
  std::deque<fetcher> clients;
  for (std::uint32_t i = 0; i < clients_count; ++i) {
    clients.emplace_back(o, pattern.data());
    events.watch(clients.back().descriptor(), i);
  }
  auto total = [&](auto what) {
    std::uint64_t sum = 0;
    for (const fetcher& c : clients) sum += (c.*what)();
    return sum;
  };
  stopwatch watch(o);
  std::uint64_t before = 0;
  bool was_running = false;
  while (watch.tick(now_ns())) {
    if (watch.running() && !was_running) before = total(&fetcher::seen);
    was_running = watch.running();
    for (fetcher& c : clients) c.order_window();
    auto is_complete = [](const fetcher& c) { return c.is_complete(); };
    while (!std::all_of(clients.begin(), clients.end(), is_complete) &&
           events.wait(200, [&](std::uint32_t which) { clients[which].receive_all(); })) {}
  }
  double count = static_cast<double>(total(&fetcher::seen) - before);
  std::printf("{\"count\": %.0f, \"cpu_ns\": %.2f, \"per_second\": %.1f, \"lost\": %.0f}\n", count,
              watch.cpu_ns() / count, count / watch.seconds(),
              losses(total(&fetcher::ordered), total(&fetcher::seen)));
}

}  // namespace load
