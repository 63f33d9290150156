// Pipes, and the standard streams that a program was started with: terminals, files, pipes, nothing.
#include <soquete/pipe.hpp>
#include "child.hpp"
#include "on_each_driver.hpp"
#include "tcp_pair.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstdlib>
#include <soquete/reader.hpp>

namespace soquete::test {
namespace {

class pipes : public on_each_driver {};
ON_EVERY_DRIVER(pipes);

TEST_P(pipes, what_is_written_is_read_and_no_program_inherits_it) {
  play([this]() -> task<result<void>> {
    pipe_ends both = co_await ok(open_pipe(here()));
    for (const int number : {both.reading.number(), both.writing.number()}) {
      if (GetParam() == simulated) break;
      EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
      EXPECT_EQ(::fcntl(number, F_GETFL) & O_NONBLOCK, 0);
    }
    co_await ok(both.writing.send("through"));
    both.writing.close();
    lease got = co_await ok(both.reading.receive());
    EXPECT_EQ(got.text(), "through");
    lease end = co_await ok(both.reading.receive());
    EXPECT_TRUE(end.empty());
    co_return {};
  });
}

// In a process of its own, where 0 and 1 lead elsewhere. What fails is told on 2.
class standard_streams : public with_driver {
 protected:
  void runs_well(const std::function<void()>& redirect, const std::function<task<result<void>>()>& body) {
    const child_ending how = in_a_child([&] {
      redirect();
      test_loop own(GetParam());
      const auto done = own.run(body());
      EXPECT_TRUE(succeeds(done));
      return 0;
    });
    EXPECT_EQ(how.exit_code, 0) << how.output;
  }
};
ON_EACH_DRIVER(standard_streams);

int temporary_file(std::string_view text) {
  char name[] = "/tmp/soquete-test-XXXXXX";
  const int number = ::mkostemp(name, O_CLOEXEC);
  ::unlink(name);
  EXPECT_EQ(::write(number, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::lseek(number, 0, SEEK_SET);
  return number;
}

// A line comes in, a line goes out; the numbers stay open and their mode as it was.
task<result<void>> answer(std::string_view asked) {
  loop& here = co_await this_loop();
  {
    descriptor in = co_await ok(standard_input(here));
    descriptor out = co_await ok(standard_output(here));
    EXPECT_GT(in.number(), 2);
    reader<descriptor> lines(in);
    const std::string line = co_await ok(lines.line(100));
    EXPECT_EQ(line, asked);
    co_await ok(out.send("answer\n"));
  }
  for (const int number : {0, 1}) {
    EXPECT_EQ(::fcntl(number, F_GETFD), 0);
    EXPECT_EQ(::fcntl(number, F_GETFL) & O_NONBLOCK, 0);
  }
  co_return {};
}

TEST_P(standard_streams, are_a_terminal) {
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  ASSERT_EQ(::write(master, "typed\n", 6), 6);
  runs_well(
      [&] {
        ::dup2(slave, 0);
        ::dup2(slave, 1);
      },
      [] { return answer("typed"); });
  // What was typed is echoed; lines end as terminals end them. The kernel delivers it when it has time.
  const std::string_view expected = "typed\r\nanswer\r\n";
  std::string seen;
  while (seen.size() < expected.size()) {
    std::array<char, 64> piece{};
    pollfd one{master, POLLIN, 0};
    if (::poll(&one, 1, 10'000) <= 0) break;
    const ssize_t size = ::read(master, piece.data(), piece.size());
    if (size <= 0) break;
    seen.append(piece.data(), static_cast<std::size_t>(size));
  }
  EXPECT_EQ(seen, expected);
  ::close(master);
  ::close(slave);
}

TEST_P(standard_streams, are_files) {
  const int in = temporary_file("stored\nmore\n");
  const int out = temporary_file("");
  runs_well(
      [&] {
        ::dup2(in, 0);
        ::dup2(out, 1);
      },
      [] { return answer("stored"); });
  std::array<char, 64> got{};
  const ssize_t size = ::pread(out, got.data(), got.size(), 0);
  EXPECT_EQ(std::string_view(got.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))), "answer\n");
  ::close(in);
  ::close(out);
}

TEST_P(standard_streams, are_pipes_and_sockets) {
  for (const bool is_socket : {false, true}) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    for (auto* ends : {&in, &out}) {
      const int made = is_socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->data())
                                 : ::pipe2(ends->data(), O_CLOEXEC);
      ASSERT_EQ(made, 0);
    }
    ASSERT_EQ(::write(in[1], "sent\n", 5), 5);
    runs_well(
        [&] {
          ::dup2(in[0], 0);
          ::dup2(out[1], 1);
        },
        [] { return answer("sent"); });
    std::array<char, 64> got{};
    EXPECT_EQ(::read(out[0], got.data(), got.size()), 7);
    for (const int number : {in[0], in[1], out[0], out[1]}) ::close(number);
  }
}

TEST_P(standard_streams, that_are_closed_are_an_error_that_names_them) {
  const child_ending how = in_a_child([which = GetParam()] {
    ::close(0);
    test_loop own(which);  // What it opens may take number 0, but is no standard input.
    auto in = standard_input(own.here());
    EXPECT_TRUE(fails_with(in, std::errc::bad_file_descriptor));
    if (!in)
      EXPECT_EQ(to_string(in.error()),
                "adopt descriptor standard input: bad file descriptor (it was closed when this program was "
                "started)");
    EXPECT_TRUE(succeeds(standard_output(own.here())));
    EXPECT_TRUE(succeeds(standard_error(own.here())));
    return 0;
  });
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

}  // namespace
}  // namespace soquete::test
