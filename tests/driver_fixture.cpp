// A driver without a loop.
#include "driver_fixture.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>

#include "kernel/sockaddr.hpp"
#if defined(SOQUETE_HAVE_URING)
#include "kernel/uring.hpp"
#endif
#include "test_loop.hpp"

namespace soquete::test {

using namespace std::chrono_literals;

std::map<const op*, int> driver_contract::woken;

void driver_contract::SetUp() {
  woken.clear();
  descriptors_before_ = open_descriptors();
  const std::string name = GetParam();
  const bool refused = std::getenv("SOQUETE_TEST_REFUSED") != nullptr;
  if (refused && name.starts_with("io_uring")) GTEST_SKIP() << "io_uring is refused on purpose";
#if defined(SOQUETE_HAVE_URING)
  if (name == "io_uring_whole_buffers") {
    auto* uring = new kernel::uring_driver(queue);
    net = owned<driver>(uring);
    auto set_up = uring->set_up(kernel::uring_driver::buffers::whole);
    ASSERT_TRUE(set_up) << to_string(set_up.error());
  } else
#endif
  {
    const auto choice = name == "epoll"  ? driver_choice::epoll
                        : name == "poll" ? driver_choice::poll
                                         : driver_choice::io_uring;
    auto opened = open_kernel_driver(queue, choice);
    ASSERT_TRUE(opened) << to_string(opened.error());
    net = std::move(opened->it);
  }
  queue.set_now(net->now());
}

void driver_contract::TearDown() {
  if (!net) return;
  net->drain();
  while (!queue.empty()) queue.run_round();
  EXPECT_EQ(net->counts().sockets, 0U);
  EXPECT_EQ(net->counts().leases, 0U);
  net = {};
  for (const int peer : peers) ::close(peer);
  EXPECT_EQ(open_descriptors(), descriptors_before_);
}

driver_contract::pair driver_contract::local_pair() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  peers.push_back(ends[1]);
  return {net->adopt(owned_descriptor(ends[0])).value(), ends[1]};
}

socket_block& driver_contract::listen_on(endpoint& where) {
  socket_block& b = *net->open(family::v4, transport::stream).value();
  EXPECT_TRUE(net->bind(b, endpoint(address::loopback_v4(), 0)));
  EXPECT_TRUE(net->listen(b, 64));
  where = net->local(b).value();
  return b;
}

driver_contract::pair driver_contract::tcp_pair() {
  endpoint where;
  socket_block& listening = listen_on(where);
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  peers.push_back(peer);
  const kernel::socket_address to(where);
  EXPECT_EQ(::connect(peer, to.get(), to.size), 0);
  EXPECT_EQ(::fcntl(peer, F_SETFL, O_NONBLOCK), 0);
  if (!start(listening.reader, opcode::accept)) finish(listening.reader);
  EXPECT_EQ(listening.reader.outcome, 0);
  auto* ours = static_cast<socket_block*>(const_cast<void*>(listening.reader.data));
  close(listening);
  return {ours, peer};
}

bool driver_contract::start(op& o, opcode code, const void* data, std::size_t size) {
  o.code = code;
  o.data = data;
  o.size = size;
  o.moved = 0;
  o.wake = &count_wake;
  o.now = op::state::in_flight;
  const int before = woken[&o];
  const bool done = net->start(o);
  EXPECT_EQ(woken[&o], before) << "start() woke somebody";
  if (done) o.now = op::state::done;
  return done;
}

void driver_contract::cancel(op& o) {
  const int before = woken[&o];
  net->cancel(o);
  EXPECT_EQ(woken[&o], before) << "cancel() woke somebody";
}

void driver_contract::close(socket_block& b) {
  const auto before = woken;
  net->close(b);
  EXPECT_EQ(woken, before) << "close() woke somebody";
}

void driver_contract::turn(clock::duration wait) {
  const auto before = woken;
  net->turn(queue.empty() ? net->now() + wait : net->now());
  EXPECT_EQ(woken, before) << "turn() woke somebody";
  queue.set_now(net->now());
  queue.run_round();
}

void driver_contract::finish(op& o) {
  const auto limit = net->now() + 60s;
  while (o.is_pending() && net->now() < limit) turn();
  ASSERT_FALSE(o.is_pending()) << "it does not complete";
}

std::string driver_contract::read_while_sending(op& sending, int peer, std::size_t size) {
  std::string got;
  while (got.size() < size) {
    const std::string more = read_some(peer, 50'000);
    got += more;
    if (sending.is_pending())
      turn(more.empty() ? 20ms : 0ms);
    else if (more.empty())
      break;  // It has ended, and this is all.
  }
  finish(sending);
  return got;
}

void driver_contract::settle() {
  for (int i = 0; i < 5; ++i) turn(1ms);
}

void driver_contract::count_wake(waiter* w) noexcept {
  op* o = static_cast<op*>(w);
  o->now = op::state::done;
  ++woken[o];
}

void write_all(int descriptor, std::string_view text) {
  ASSERT_EQ(::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()))
      << std::strerror(errno);
}

std::string read_some(int descriptor, std::size_t max) {
  std::string text(max, '\0');
  const ssize_t got = ::recv(descriptor, text.data(), max, MSG_DONTWAIT);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace soquete::test
