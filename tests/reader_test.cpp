// Reading by lines, counts and delimiters: at every split of the bytes.
#include "tcp_pair.hpp"
#include "test_loop.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <soquete/memory.hpp>
#include <soquete/reader.hpp>
#include <soquete/scope.hpp>
#include <string>
#include <vector>

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

using reading = std::function<task<result<void>>(reader<memory::stream>&)>;

// Sends the pieces one after the other, each once the one before has been received, and finishes.
task<result<void>> send_pieces(memory::stream& to, const std::vector<std::string>& pieces) {
  for (const std::string& piece : pieces) {
    co_await ok(to.send(piece));
    co_await ok(yield());
    co_await ok(yield());
  }
  co_return to.finish();
}

task<result<void>> read_pieces(std::vector<std::string> pieces, reading read) {
  auto ends = memory::pair();
  reader in(ends.first);
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(send_pieces(ends.second, pieces));
    co_await ok(read(in));
    co_return {};
  };
  co_return co_await with_scope(body);
}

void read_in(const std::vector<std::string>& pieces, const reading& read) {
  const baseline before = baseline::now();
  {
    test_loop loop(driver_choice::poll);
    const auto ended = loop.run(read_pieces(pieces, read));
    EXPECT_TRUE(ended) << to_string(ended.error());
    EXPECT_EQ(loop.here().timers().size(), 0U);
  }
  EXPECT_EQ(baseline::now(), before);
}

// As one piece, byte by byte, and split in two at every place.
void read_however_split(const std::string& text, const reading& read) {
  read_in({text}, read);
  std::vector<std::string> single;
  for (char c : text) single.emplace_back(1, c);
  read_in(single, read);
  for (std::size_t at = 1; at < text.size(); ++at) read_in({text.substr(0, at), text.substr(at)}, read);
}

template <class T>
bool failed_for(const result<T>& got, fault why) {
  return !got && got.error() == why;
}

TEST(reader, lines_come_without_their_ends) {
  read_however_split("one\ntwo\r\n\n\r\nfive\rsix\nlast", [](auto& in) -> task<result<void>> {
    for (const char* wanted : {"one", "two", "", "", "five\rsix", "last"}) {
      const std::string line = co_await ok(in.line(100));
      EXPECT_EQ(line, wanted);
    }
    auto none = co_await in.line(100);
    EXPECT_TRUE(failed_for(none, fault::end_of_stream));
    co_return {};
  });
}

TEST(reader, a_line_of_just_the_limit_passes_and_one_byte_more_does_not) {
  read_however_split("12345678\n12345678\r\n123456789\n", [](auto& in) -> task<result<void>> {
    for (int i = 0; i != 2; ++i) {
      const std::string line = co_await ok(in.line(8));
      EXPECT_EQ(line, "12345678");
    }
    auto longer = co_await in.line(8);
    EXPECT_TRUE(failed_for(longer, fault::line_too_long));
    const std::string line = co_await ok(in.line(9));
    EXPECT_EQ(line, "123456789");
    co_return {};
  });
}

TEST(reader, a_line_without_an_end_is_given_up_at_the_limit) {
  read_in({std::string(10'000, 'x')}, [](auto& in) -> task<result<void>> {
    auto line = co_await in.line(1000);
    EXPECT_TRUE(failed_for(line, fault::line_too_long));
    co_return {};
  });
}

TEST(reader, a_delimiter_of_several_bytes_is_found_at_every_split) {
  read_however_split("a--b-\r\n-c\r\n--\r\nd\r\n--", [](auto& in) -> task<result<void>> {
    for (const char* wanted : {"a--b-\r\n-c", "\r\nd"}) {
      const std::string piece = co_await ok(in.until("\r\n--", 100));
      EXPECT_EQ(piece, wanted);
    }
    auto none = co_await in.until("\r\n--", 100);
    EXPECT_TRUE(failed_for(none, fault::end_of_stream));
    co_return {};
  });
}

TEST(reader, a_delimiter_that_overlaps_itself_is_found) {
  read_however_split("aaab|aab", [](auto& in) -> task<result<void>> {
    const std::string first = co_await ok(in.until("aab", 10));
    EXPECT_EQ(first, "a");
    const std::string second = co_await ok(in.until("aab", 10));
    EXPECT_EQ(second, "|");
    co_return {};
  });
}

TEST(reader, a_piece_of_just_the_limit_passes_and_one_byte_more_does_not) {
  read_however_split("12345;;123456;;", [](auto& in) -> task<result<void>> {
    const std::string piece = co_await ok(in.until(";;", 5));
    EXPECT_EQ(piece, "12345");
    auto longer = co_await in.until(";;", 5);
    EXPECT_TRUE(failed_for(longer, fault::line_too_long));
    const std::string all = co_await ok(in.until(";;", 6));
    EXPECT_EQ(all, "123456");
    co_return {};
  });
}

TEST(reader, an_empty_delimiter_is_a_mistake) {
  read_in({"x"}, [](auto& in) -> task<result<void>> {
    auto got = co_await in.until("", 10);
    EXPECT_TRUE(!got && got.error() == std::errc::invalid_argument);
    co_return {};
  });
}

TEST(reader, an_exact_count_is_filled_at_every_split) {
  read_however_split("abcdefghij", [](auto& in) -> task<result<void>> {
    std::array<std::byte, 4> room;
    for (const char* wanted : {"abcd", "efgh"}) {
      co_await ok(in.exactly(room));
      EXPECT_EQ(as_text(room), wanted);
    }
    auto more = co_await in.exactly(room);
    EXPECT_TRUE(failed_for(more, fault::end_of_stream));
    // What came before the end is still there.
    EXPECT_EQ(as_text(in.buffered()), "ij");
    co_await ok(in.exactly({}));
    co_return {};
  });
}

TEST(reader, what_there_is_comes_and_the_end_is_empty) {
  read_in({"abc", "def"}, [](auto& in) -> task<result<void>> {
    std::string all;
    for (;;) {
      const std::string some = co_await ok(in.some(2));
      EXPECT_LE(some.size(), 2U);
      if (some.empty()) break;
      all += some;
    }
    EXPECT_EQ(all, "abcdef");
    const std::string still = co_await ok(in.some(2));
    EXPECT_EQ(still, "");
    co_return {};
  });
}

TEST(reader, the_ways_of_reading_may_alternate) {
  read_however_split("4\r\nabcd\r\nrest;tail", [](auto& in) -> task<result<void>> {
    const std::string count = co_await ok(in.line(10));
    EXPECT_EQ(count, "4");
    std::array<std::byte, 4> room;
    co_await ok(in.exactly(room));
    EXPECT_EQ(as_text(room), "abcd");
    const std::string empty = co_await ok(in.line(10));
    EXPECT_EQ(empty, "");
    const std::string rest = co_await ok(in.until(";", 10));
    EXPECT_EQ(rest, "rest");
    std::string tail;
    while (tail != "tail") tail += co_await ok(in.some(10));
    co_return {};
  });
}

TEST(reader, cancelled_it_keeps_what_came) {
  auto read = []() -> task<result<void>> {
    auto ends = memory::pair();
    reader in(ends.first);
    for (const char* piece : {"par", "ti", "al"}) {
      co_await ok(ends.second.send(piece));
      auto early = co_await within(1ms, in.line(100));
      EXPECT_TRUE(!early && early.error() == std::errc::timed_out);
    }
    EXPECT_EQ(as_text(in.buffered()), "partial");
    co_await ok(ends.second.send(" line\n"));
    const std::string line = co_await ok(in.line(100));
    EXPECT_EQ(line, "partial line");
    co_return {};
  };
  test_loop loop(driver_choice::poll);
  EXPECT_TRUE(loop.run(read()));
}

TEST(reader, a_reset_is_an_error_and_not_the_end) {
  auto read = []() -> task<result<void>> {
    auto ends = memory::pair();
    reader in(ends.first);
    {
      memory::stream other = std::move(ends.second);
      co_await ok(other.send("no end"));
    }
    auto line = co_await in.line(100);
    EXPECT_TRUE(!line && line.error() == std::errc::connection_reset);
    co_return {};
  };
  test_loop loop(driver_choice::poll);
  EXPECT_TRUE(loop.run(read()));
}

}  // namespace
}  // namespace soquete::test
