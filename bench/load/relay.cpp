// Mode relay: CPU of a server that copies one stream to another, for each KiB; its own, and with ours, for
// what it has queued the kernel sends from whoever reads and makes room. Both ends are here, and every byte
// is compared.
#include <poll.h>

#include <random>
#include <vector>

#include "clock.hpp"
#include "sockets.hpp"

namespace load {

namespace {

constexpr std::size_t piece = 256 * 1024, period = 1021 * 1024;

// An endless stream of bytes; any piece of it lies in one.
class pattern {
 public:
  pattern() : bytes_(period + piece) {
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < period; ++i) bytes_[i] = static_cast<char>(random());
    std::memcpy(bytes_.data() + period, bytes_.data(), piece);
  }
  const char* at(std::uint64_t where) const { return bytes_.data() + where % period; }

 private:
  std::vector<char> bytes_;
};

int listen_at(const place& here) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  if (fd < 0) fail_errno("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, here.name(), here.size()) < 0 || listen(fd, 16) < 0) fail_errno("listen");
  return fd;
}

void wait_for(pollfd* which, nfds_t count) {
  int ready = poll(which, count, 5000);
  if (ready < 0) fail_errno("poll");
  if (ready == 0) fail("nothing went on for 5 s");
}

}  // namespace

void relay(const options& o) {
  int listener = listen_at(o.target);
  int source = connect_patiently(o.at);  // The very one that is measured: a relay may serve one only.
  pollfd coming{.fd = listener, .events = POLLIN, .revents = 0};
  wait_for(&coming, 1);
  int sink = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (sink < 0) fail_errno("accept");
  pattern words;
  std::vector<char> got(piece);
  std::uint64_t sent = 0, seen = 0, before = 0;
  // False at the end of the stream.
  auto receive = [&] {
    ssize_t n = recv(sink, got.data(), piece, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return true;
    if (n < 0) fail_errno("recv");
    if (std::memcmp(got.data(), words.at(seen), static_cast<std::size_t>(n)) != 0) fail("wrong bytes came");
    seen += static_cast<std::uint64_t>(n);
    return n != 0;
  };
  auto send_piece = [&] {
    ssize_t n = send(source, words.at(sent), piece, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) fail_errno("send");
    if (n > 0) sent += static_cast<std::uint64_t>(n);
  };
  pollfd both[] = {{.fd = sink, .events = POLLIN, .revents = 0},
                   {.fd = source, .events = POLLOUT, .revents = 0}};
  stopwatch watch(o);
  bool was_running = false;
  while (watch.tick(now_ns())) {
    if (watch.running() && !was_running) before = seen;
    was_running = watch.running();
    wait_for(both, 2);
    if (both[0].revents && !receive()) fail("the stream ended early");
    if (both[1].revents) send_piece();
  }
  double kibibytes = static_cast<double>(seen - before) / 1024;
  shutdown(source, SHUT_WR);
  do wait_for(both, 1);
  while (receive());
  if (seen != sent) fail("another number of bytes came than was sent");
  std::printf("{\"count\": %.0f, \"cpu_ns\": %.2f, \"both_ns\": %.2f, \"per_second\": %.1f}\n", kibibytes,
              watch.cpu_ns() / kibibytes, (watch.cpu_ns() + watch.own_cpu_ns()) / kibibytes,
              kibibytes / watch.seconds());
}

}  // namespace load
