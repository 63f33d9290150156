// Descriptors of any kind as streams: pipes, files, devices, terminals.  pipe(7), pty(7).
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <soquete/local.hpp>
#include <soquete/pipe.hpp>
#include <soquete/scope.hpp>
#include <soquete/stream.hpp>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

class descriptors : public on_each_driver {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    on_each_driver::SetUp();
  }

  result<pipe_ends> open_pipe() { return soquete::open_pipe(here()); }
};
ON_EVERY_DRIVER(descriptors);

static_assert(byte_stream<descriptor>);

task<result<std::string>> receive_all(descriptor& from) {
  std::string all;
  for (;;) {
    lease piece = co_await ok(from.receive());
    if (piece.empty()) co_return all;
    all += piece.text();
  }
}

task<result<void>> send_and_finish(descriptor& to, std::string_view text) {
  co_await ok(to.send(text));
  co_return to.finish();
}

// A file without a name, at its start.
int file_with(std::string_view text) {
  char name[] = "/tmp/soquete-test-XXXXXX";
  const int number = ::mkostemp(name, O_CLOEXEC);
  ::unlink(name);
  EXPECT_EQ(::write(number, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(number, 0, SEEK_SET);
  return number;
}

TEST_P(descriptors, a_pipe_carries_more_than_it_holds) {
  play([this]() -> task<result<void>> {
    auto pipe = co_await ok(open_pipe());
    const std::string sent = pattern(1'000'000);
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(send_and_finish(pipe.writing, sent));
      got = co_await ok(receive_all(pipe.reading));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == sent);
    EXPECT_FALSE(pipe.writing.is_open());
    co_return {};
  });
}

TEST_P(descriptors, a_pipe_stays_in_blocking_mode) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    auto pipe = co_await ok(open_pipe());
    co_await ok(pipe.writing.send("x"));
    lease got = co_await ok(pipe.reading.receive());
    EXPECT_EQ(got.text(), "x");
    for (int number : {pipe.reading.number(), pipe.writing.number()})
      EXPECT_EQ(::fcntl(number, F_GETFL) & O_NONBLOCK, 0);
    co_return {};
  });
}

TEST_P(descriptors, an_empty_pipe_waits_and_a_deadline_ends_it) {
  play([this]() -> task<result<void>> {
    auto pipe = co_await ok(open_pipe());
    for (int i = 0; i != 5; ++i) {
      auto none = co_await within(1ms, pipe.reading.receive());
      EXPECT_TRUE(fails_with(none, std::errc::timed_out));
      co_await ok(pipe.writing.send("x"));
      co_await ok(pipe.reading.readable());
      std::array<std::byte, 4> room;
      const std::size_t size = co_await ok(pipe.reading.receive(room));
      EXPECT_EQ(as_text(bytes(room).first(size)), "x");
    }
    co_return {};
  });
}

TEST_P(descriptors, a_full_pipe_waits_and_a_deadline_ends_it) {
  play([this]() -> task<result<void>> {
    auto pipe = co_await ok(open_pipe());
    const std::string much(1'000'000, 'x');
    auto sent = co_await within(5ms, pipe.writing.send(much));
    EXPECT_TRUE(fails_with(sent, std::errc::timed_out));
    auto more = co_await pipe.writing.send("x");
    EXPECT_TRUE(fails_with(more, fault::stream_broken));
    co_return {};
  });
}

TEST_P(descriptors, a_pipe_that_nobody_reads_is_broken) {
  play([this]() -> task<result<void>> {
    auto pipe = co_await ok(open_pipe());
    pipe.reading.close();
    co_await ok(sleep(1ms));
    auto sent = co_await pipe.writing.send("x");
    EXPECT_TRUE(fails_with(sent, std::errc::broken_pipe));
    co_return {};
  });
}

TEST_P(descriptors, a_file_is_read_to_its_end) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    const std::string stored = pattern(300'000);
    auto file = co_await ok(descriptor::adopt(here(), file_with(stored)));
    const std::string got = co_await ok(receive_all(file));
    EXPECT_TRUE(got == stored);
    lease end = co_await ok(file.receive());
    EXPECT_TRUE(end.empty());
    co_return {};
  });
}

TEST_P(descriptors, a_file_is_written) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    const std::string stored = pattern(300'000);
    auto file = co_await ok(descriptor::adopt(here(), file_with("")));
    co_await ok(file.send(stored));
    ::lseek(file.number(), 0, SEEK_SET);
    const std::string got = co_await ok(receive_all(file));
    EXPECT_TRUE(got == stored);
    co_return {};
  });
}

TEST_P(descriptors, an_empty_file_is_at_its_end) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    auto file = co_await ok(descriptor::adopt(here(), file_with("")));
    std::byte room{};
    const std::size_t size = co_await ok(file.receive({&room, 1}));
    EXPECT_EQ(size, 0U);
    co_return {};
  });
}

TEST_P(descriptors, the_null_device_takes_all_and_gives_nothing) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    auto null = co_await ok(descriptor::adopt(here(), ::open("/dev/null", O_RDWR | O_CLOEXEC)));
    co_await ok(null.send(pattern(100'000)));
    lease end = co_await ok(null.receive());
    EXPECT_TRUE(end.empty());
    co_return {};
  });
}

TEST_P(descriptors, the_zero_device_never_ends_and_starves_nobody) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    auto zero = co_await ok(descriptor::adopt(here(), ::open("/dev/zero", O_RDONLY | O_CLOEXEC)));
    auto drink = [](descriptor& from) -> task<result<void>> {
      for (;;) static_cast<void>(co_await ok(from.receive()));
    };
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(drink(zero));
      co_await ok(sleep(5ms));
      s.cancel();
      co_return {};
    };
    co_return co_await with_scope(body);
  });
}

TEST_P(descriptors, a_socket_pair_is_half_closed) {
  play([this]() -> task<result<void>> {
    auto both = co_await ok(local::pair());
    auto one = co_await ok(descriptor::adopt(here(), both.first.release()));
    auto other = co_await ok(descriptor::adopt(here(), both.second.release()));
    co_await ok(send_and_finish(one, "there"));
    const std::string there = co_await ok(receive_all(other));
    EXPECT_EQ(there, "there");
    EXPECT_TRUE(one.is_open());
    co_await ok(send_and_finish(other, "back"));
    const std::string back = co_await ok(receive_all(one));
    EXPECT_EQ(back, "back");
    co_return {};
  });
}

// Each read(2) gives one line, however many wait: a short read does not mean that nothing is left.
TEST_P(descriptors, a_terminal_gives_every_line_that_was_typed) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    int master = -1, slave = -1;
    EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    auto screen = co_await ok(descriptor::adopt(here(), master));
    auto program = co_await ok(descriptor::adopt(here(), slave));
    auto none = co_await within(1ms, program.receive());
    EXPECT_TRUE(fails_with(none, std::errc::timed_out));
    co_await ok(screen.send("one\ntwo\nthree\n"));
    for (const char* line : {"one\n", "two\n", "three\n"}) {
      lease got = co_await ok(program.receive());
      EXPECT_EQ(got.text(), line);
    }
    std::array<std::byte, 64> room;
    co_await ok(screen.send("four\nfive\n"));
    for (const char* line : {"four\n", "five\n"}) {
      const std::size_t size = co_await ok(program.receive(room));
      EXPECT_EQ(as_text(bytes(room).first(size)), line);
    }
    co_return {};
  });
}

// A pipe in packet mode likewise: one read(2) a packet.
TEST_P(descriptors, a_pipe_of_packets_gives_each) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    int numbers[2];
    EXPECT_EQ(::pipe2(numbers, O_CLOEXEC | O_DIRECT), 0);
    auto reading = co_await ok(descriptor::adopt(here(), numbers[0]));
    auto writing = co_await ok(descriptor::adopt(here(), numbers[1]));
    for (const char* packet : {"one", "two", "three"}) co_await ok(writing.send(packet));
    for (const char* packet : {"one", "two", "three"}) {
      lease got = co_await ok(reading.receive());
      EXPECT_EQ(got.text(), packet);
    }
    co_return {};
  });
}

TEST_P(descriptors, what_is_not_open_cannot_be_adopted) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  auto none = descriptor::adopt(here(), 1'000'000);
  EXPECT_TRUE(fails_with(none, std::errc::bad_file_descriptor));
  auto negative = descriptor::adopt(here(), -1);
  EXPECT_TRUE(fails_with(negative, std::errc::bad_file_descriptor));
}

TEST_P(descriptors, the_wrong_end_of_a_pipe_is_an_error) {
  play([this]() -> task<result<void>> {
    auto pipe = co_await ok(open_pipe());
    co_await ok(pipe.writing.send("x"));
    auto sent = co_await within(10s, pipe.reading.send("x"));
    EXPECT_TRUE(fails_with(sent, std::errc::bad_file_descriptor));
    auto got = co_await within(10s, pipe.writing.receive());
    EXPECT_TRUE(fails_with(got, std::errc::bad_file_descriptor));
    co_return {};
  });
}

TEST_P(descriptors, a_file_is_copied_to_a_pipe) {
  NEEDS_THE_KERNEL("descriptors of the real system are not simulated");
  play([this]() -> task<result<void>> {
    const std::string stored = pattern(200'000);
    auto file = co_await ok(descriptor::adopt(here(), file_with(stored)));
    auto pipe = co_await ok(open_pipe());
    auto carry = [](descriptor& from, descriptor& to) -> task<result<void>> {
      const std::uint64_t copied = co_await ok(copy(from, to));
      EXPECT_EQ(copied, 200'000U);
      co_return {};
    };
    std::string got;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(carry(file, pipe.writing));
      got = co_await ok(receive_all(pipe.reading));
      co_return {};
    };
    co_await ok(with_scope(body));
    EXPECT_TRUE(got == stored);
    co_return {};
  });
}

}  // namespace
}  // namespace soquete::test
