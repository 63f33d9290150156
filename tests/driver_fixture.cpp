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
#include "sim/driver.hpp"
#if defined(SOQUETE_HAVE_URING)
#include "kernel/uring.hpp"
#endif
#include "test_loop.hpp"

namespace soquete::test {

using namespace std::chrono_literals;

std::map<const op*, int> driver_contract::woken;

namespace {

class kernel_end final : public far_end {
 public:
  explicit kernel_end(int descriptor) noexcept : descriptor_(descriptor) {}
  ~kernel_end() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool try_write(std::string_view text) override {
    return ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  std::string read(std::size_t max) override {
    std::string text(max, '\0');
    const ssize_t got = ::recv(descriptor_, text.data(), max, MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  int failure_of_read() override {
    char byte;
    return ::recv(descriptor_, &byte, 1, 0) < 0 ? errno : 0;
  }
  void finish() override { ::shutdown(descriptor_, SHUT_WR); }
  void reset() override {
    const linger at_once{1, 0};
    EXPECT_EQ(::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

class kernel_side final : public far_side {
 public:
  std::unique_ptr<far_end> connect(const endpoint& where) override {
    const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const kernel::socket_address to(where);
    EXPECT_EQ(::connect(peer, to.get(), to.size), 0);
    EXPECT_EQ(::fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    return std::make_unique<kernel_end>(peer);
  }
};

// Another host of the same simulated network, by hand.
class simulated_side final : public far_side {
 public:
  explicit simulated_side(sim::network& net, const address& ours)
      : net_(queue_, net.add_machine("far", {})), door_(ours) {}
  ~simulated_side() override {
    while (!queue_.empty()) queue_.run_round();
  }
  std::unique_ptr<far_end> connect(const endpoint& to) override;
  address door() const override { return door_; }

  /// Starts it; false and cancelled, if it does not end at once.
  bool run(op& o, opcode code, const void* data, std::size_t size) {
    o.code = code;
    o.data = data;
    o.size = size;
    o.moved = 0;
    o.wake = [](waiter* w) noexcept { static_cast<op*>(w)->now = op::state::done; };
    o.now = op::state::in_flight;
    if (net_.start(o)) return o.now = op::state::done, true;
    while (!queue_.empty()) queue_.run_round();
    if (o.now == op::state::done) return true;
    if (code == opcode::connect) return false;
    net_.cancel(o);
    while (!queue_.empty()) queue_.run_round();
    return false;
  }
  void settle(op& o) {
    while (!queue_.empty()) queue_.run_round();
    ASSERT_FALSE(o.is_pending());
  }
  driver& net() noexcept { return net_; }

 private:
  struct far_queue : run_queue {
  } queue_;
  sim::host_driver net_;
  address door_;
  std::vector<std::unique_ptr<endpoint>> destination_;
};

class simulated_end final : public far_end {
 public:
  simulated_end(simulated_side& side, socket_block& block) noexcept : side_(side), block_(&block) {}
  ~simulated_end() override { close(); }
  bool try_write(std::string_view text) override {
    side_.settle(block_->writer);  // The connect.
    return side_.run(block_->writer, opcode::send, text.data(), text.size()) &&
           block_->writer.outcome == static_cast<std::int64_t>(text.size());
  }
  std::string read(std::size_t max) override {
    std::string text(max, '\0');
    const std::int64_t got = receive(text);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  int failure_of_read() override {
    std::string byte(1, '\0');
    const std::int64_t got = receive(byte);
    return got < 0 ? static_cast<int>(-got) : 0;
  }
  void finish() override { EXPECT_TRUE(side_.net().shutdown(*block_, direction::sending)); }
  void reset() override {
    block_->reset_on_close = true;
    close();
  }

 private:
  std::int64_t receive(std::string& into) {
    return side_.run(block_->reader, opcode::receive, into.data(), into.size()) ? block_->reader.outcome
                                                                                : -EAGAIN;
  }
  void close() {
    if (block_ == nullptr) return;
    side_.settle(block_->writer);
    side_.net().close(*std::exchange(block_, nullptr));
  }

  simulated_side& side_;
  socket_block* block_;
};

std::unique_ptr<far_end> simulated_side::connect(const endpoint& to) {
  socket_block& b = *net_.open(family::v4, transport::stream).value();
  destination_.push_back(std::make_unique<endpoint>(to));
  EXPECT_FALSE(run(b.writer, opcode::connect, destination_.back().get(), 0)) << "the packets take their time";
  return std::make_unique<simulated_end>(*this, b);
}

}  // namespace

void driver_contract::SetUp() {
  woken.clear();
  descriptors_before_ = open_descriptors();
  const std::string name = GetParam();
  if (name == "simulated") return open_simulated();
  far_side_ = std::make_unique<kernel_side>();
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
  peers_.clear();
  far_side_ = {};
  net = {};
  for (const int peer : peers) ::close(peer);
  EXPECT_EQ(open_descriptors(), descriptors_before_);
}

void driver_contract::open_simulated() {
  auto inside = std::make_unique<sim::network>(1);
  const auto quick = std::chrono::microseconds(10);
  inside->usual = {.delay = {quick, quick}, .window = {256 * 1024, 256 * 1024}};
  sim::machine& ours = inside->add_machine("ours", {});
  far_side_ = std::make_unique<simulated_side>(*inside, ours.addresses.back());
  net = owned<driver>(new sim::host_driver(queue, std::move(inside), ours));
  queue.set_now(net->now());
}

driver_contract::pair driver_contract::local_pair() {
  if (net->name() == "simulated") return tcp_pair();
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
  far_end& peer = *peers_.emplace_back(std::make_unique<kernel_end>(ends[1]));
  return {net->adopt(owned_descriptor(ends[0])).value(), peer};
}

socket_block& driver_contract::listen_on(endpoint& where) {
  socket_block& b = *net->open(family::v4, transport::stream).value();
  EXPECT_TRUE(net->bind(b, endpoint(far_side_->door(), 0)));
  EXPECT_TRUE(net->listen(b, 64));
  where = net->local(b).value();
  return b;
}

far_end& driver_contract::connect_to(const endpoint& where) {
  return *peers_.emplace_back(far_side_->connect(where));
}

driver_contract::pair driver_contract::tcp_pair() {
  endpoint where;
  socket_block& listening = listen_on(where);
  far_end& peer = connect_to(where);
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

std::string driver_contract::read_while_sending(op& sending, far_end& peer, std::size_t size) {
  std::string got;
  for (int silent = 0; got.size() < size && silent != 5;) {
    const std::string more = read_some(peer, 50'000);
    got += more;
    // Once it has ended and nothing more comes, this is all.
    silent = more.empty() && !sending.is_pending() ? silent + 1 : 0;
    turn(more.empty() ? 20ms : 0ms);
  }
  finish(sending);
  return got;
}

std::string driver_contract::read_the_rest(far_end& peer) {
  std::string got;
  for (int silent = 0; silent != 5;) {
    const std::string more = read_some(peer, 100'000);
    got += more;
    silent = more.empty() ? silent + 1 : 0;
    if (more.empty()) turn(1ms);
  }
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

void write_all(far_end& to, std::string_view text) {
  ASSERT_TRUE(to.try_write(text)) << std::strerror(errno);
}

void write_all(int descriptor, std::string_view text) {
  ASSERT_EQ(::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()))
      << std::strerror(errno);
}

std::string read_some(far_end& from, std::size_t max) { return from.read(max); }

}  // namespace soquete::test
