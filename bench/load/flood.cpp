// Mode flood: CPU of the server for each datagram that it receives and counts.
#include <poll.h>

#include <algorithm>
#include <vector>

#include "clock.hpp"
#include "datagram_server.hpp"
#include "losses.hpp"

namespace load {

namespace {

class flooder {
 public:
  explicit flooder(const options& o)
      : socket_(o.at), size_(o.size), run_(o.run), runs_(o.window / o.run), datagrams_(o.run * o.size) {
    runs_ = std::min(runs_, socket_.room_for(size_) / run_);
    if (runs_ == 0) fail("the receive buffers are too small");
  }

  void send_window() {
    for (std::size_t i = 0; i < runs_; ++i) {
      for (std::size_t k = 0; k < run_; ++k, ++number_) {
        std::memcpy(datagrams_.data() + k * size_, &number_, sizeof number_);
        numbers_ += number_;
      }
      socket_.send({datagrams_.data(), datagrams_.size()}, size_);
    }
    sent_ += runs_ * run_;
  }

  // What the server has seen so far. Every datagram sent before has been received by then, or is lost.
  std::uint64_t ask() {
    for (int i = 0; i < 50; ++i) {
      char token = static_cast<char>(++token_);
      socket_.send({&token, 1});
      pollfd readable{.fd = socket_.descriptor(), .events = POLLIN, .revents = 0};
      while (poll(&readable, 1, 100) > 0) {
        datagram_socket::run got = socket_.receive();
        tally seen;
        if (got.bytes.size() != sizeof seen) fail("no tally came back");
        std::memcpy(&seen, got.bytes.data(), sizeof seen);
        if (seen.token == token_) return check(seen);
      }
    }
    fail("no answer for 5 s");
  }

  double lost() { return losses(sent_, ask()); }

 private:
  std::uint64_t check(const tally& seen) const {
    if (seen.count > sent_) fail("the server saw more datagrams than were sent");
    if (seen.bytes != seen.count * size_) fail("the server saw another number of bytes than were sent");
    if (seen.count == sent_ && seen.numbers != numbers_)
      fail("the server saw other datagrams than were sent");
    return seen.count;
  }

  datagram_socket socket_;
  std::size_t size_, run_, runs_;  // Bytes of a datagram, datagrams of a run, runs of a window.
  std::vector<char> datagrams_;    // One run.
  std::uint32_t number_ = 0;
  std::uint64_t sent_ = 0, numbers_ = 0;
  unsigned char token_ = 0;
};

}  // namespace

void flood(const options& o) {
  if (o.size < 4 || o.run * o.size > run_max) fail("a datagram holds at least 4 bytes, a run at most 65000");
  wait_for_answer(o.at, "?");
  flooder all(o);
  stopwatch watch(o);
  std::uint64_t before = 0, seen = 0;
  bool was_running = false;
  while (watch.tick(now_ns())) {
    if (watch.running() && !was_running) before = seen;
    was_running = watch.running();
    // The answer, for which we wait, leaves the core to the server until it has received all of them.
    all.send_window();
    seen = all.ask();
  }
  double count = static_cast<double>(seen - before);
  std::printf("{\"count\": %.0f, \"cpu_ns\": %.2f, \"per_second\": %.1f, \"lost\": %.0f}\n", count,
              watch.cpu_ns() / count, count / watch.seconds(), all.lost());
}

}  // namespace load
