// Messages in a stream and back, cut at every byte.
#include "framing.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace command;
using soquete::as_bytes;
using soquete::as_text;
using soquete::fault;
using soquete::result;

namespace {

using messages = std::vector<std::string>;
constexpr std::size_t most = 70'000;

std::string text(std::string_view literal) { return std::string(literal); }

// Takes what there is out; an error ends it.
result<void> drain(unframer& from, bool is_last, messages& into) {
  for (;;) {
    const auto got = is_last ? from.last() : from.next();
    if (!got) return soquete::fail(got.error());
    if (!*got) return {};
    into.emplace_back(as_text(**got));
  }
}

// The stream comes in pieces, each of `step` bytes.
result<messages> taken_apart(framing how, std::string_view stream, std::size_t step, std::size_t max = most) {
  unframer one(how, max);
  messages all;
  for (; !stream.empty(); stream.remove_prefix(std::min(step, stream.size()))) {
    one.add(as_bytes(stream.substr(0, step)));
    if (auto done = drain(one, false, all); !done) return soquete::fail(done.error());
  }
  if (auto done = drain(one, true, all); !done) return soquete::fail(done.error());
  return all;
}

std::string put_together(framing how, const messages& all) {
  std::vector<std::byte> stream;
  for (const std::string& one : all) EXPECT_TRUE(append_framed(stream, how, as_bytes(one)));
  return std::string(as_text(stream));
}

struct sample {
  framing how;
  std::string stream;
  messages expected;
};

TEST(framing, streams_come_apart_wherever_they_are_cut) {
  const sample table[] = {
      {framing::line, "", {}},
      {framing::line, "a\n", {"a"}},
      {framing::line, "a\nbc\n", {"a", "bc"}},
      {framing::line, "a\r\nb\n", {"a", "b"}},
      {framing::line, "a\rb\n", {"a\rb"}},
      {framing::line, "\n\n", {"", ""}},
      {framing::line, "\r\n", {""}},
      {framing::line, "a\nb", {"a", "b"}},
      {framing::line, "a\r", {"a\r"}},
      {framing::line, text({"a\0b\n", 4}), {text({"a\0b", 3})}},
      {framing::nul, text({"a\0", 2}), {"a"}},
      {framing::nul, text({"a\0\0b\n\0", 6}), {"a", "", "b\n"}},
      {framing::nul, text({"a\0b", 3}), {"a", "b"}},
      {framing::nul, text({"a\r\0", 3}), {"a\r"}},
      {framing::len16, text({"\0\1a", 3}), {"a"}},
      {framing::len16, text({"\0\0\0\2bc", 6}), {"", "bc"}},
      {framing::len32, text({"\0\0\0\1a\0\0\0\0", 9}), {"a", ""}},
      {framing::len16, std::string("\xff\xff", 2) + std::string(65'535, 'x'), {std::string(65'535, 'x')}},
      {framing::len32, text({"\0\1\0\0", 4}) + std::string(65'536, 'x'), {std::string(65'536, 'x')}},
  };
  for (const sample& one : table) {
    const std::size_t steps = one.stream.size() > 100 ? 1 : one.stream.size();
    for (std::size_t step = 1; step <= std::max<std::size_t>(steps, 1); ++step) {
      const auto got = taken_apart(one.how, one.stream, one.stream.size() > 100 ? 4096 : step);
      ASSERT_TRUE(got) << to_string(got.error());
      EXPECT_EQ(*got, one.expected) << testing::PrintToString(one.stream.substr(0, 100)) << " by " << step;
    }
  }
}

TEST(framing, without_frames_a_message_is_what_comes_at_once) {
  EXPECT_EQ(*taken_apart(framing::none, "abcde", 2), (messages{"ab", "cd", "e"}));
  EXPECT_EQ(*taken_apart(framing::none, "abcde", 5, 3), (messages{"abc", "de"}));
  EXPECT_EQ(*taken_apart(framing::none, "", 1), messages{});
}

TEST(framing, what_is_not_whole_is_no_message) {
  const std::pair<framing, std::string> table[] = {
      {framing::len16, text({"\0", 1})},     {framing::len16, text({"\0\2a", 3})},
      {framing::len32, text({"\0\0\0", 3})}, {framing::len32, text({"\0\0\0\2a", 5})},
      {framing::len16, text({"\0\1ab", 4})}, {framing::len32, text({"\0\0\0\0\0", 5})},
  };
  for (const auto& [how, stream] : table) {
    for (std::size_t step = 1; step <= stream.size(); ++step) {
      const auto got = taken_apart(how, stream, step);
      ASSERT_FALSE(got) << testing::PrintToString(stream);
      EXPECT_EQ(got.error(), fault::end_of_stream);
    }
  }
}

TEST(framing, a_message_beyond_the_limit_is_refused_before_it_is_stored) {
  const std::pair<framing, std::string> table[] = {
      {framing::line, "abcd"},
      {framing::line, "abcd\n"},
      {framing::nul, text({"abcd\0", 5})},
      {framing::len16, text({"\0\4", 2})},
      {framing::len32, "\xff\xff\xff\xff"},
  };
  for (const auto& [how, stream] : table) {
    for (std::size_t step = 1; step <= stream.size(); ++step) {
      const auto got = taken_apart(how, stream, step, 3);
      ASSERT_FALSE(got) << testing::PrintToString(stream);
      EXPECT_EQ(got.error(), std::errc::message_size);
    }
  }
  EXPECT_EQ(*taken_apart(framing::line, "abc\r\n", 1, 3), messages{"abc"});
}

TEST(framing, messages_go_into_a_stream_and_come_out_again) {
  const messages plain{"", "a", std::string(300, 'b'), "", "last"};
  const messages any{text({"\0\r\n\xff", 4}), std::string(65'535, '\n'), ""};
  for (const framing how : {framing::line, framing::nul, framing::len16, framing::len32}) {
    EXPECT_EQ(*taken_apart(how, put_together(how, plain), 1), plain);
    EXPECT_EQ(*taken_apart(how, put_together(how, plain), 7), plain);
  }
  for (const framing how : {framing::len16, framing::len32})
    EXPECT_EQ(*taken_apart(how, put_together(how, any), 1000), any);
  EXPECT_EQ(put_together(framing::none, {"a", "", "b"}), "ab");
  EXPECT_EQ(put_together(framing::len16, {"abc"}), text({"\0\3abc", 5}));
  EXPECT_EQ(put_together(framing::len32, {"abc"}), text({"\0\0\0\3abc", 7}));
}

TEST(framing, a_message_that_its_frame_cannot_tell_is_refused) {
  std::vector<std::byte> stream;
  const std::string longer(65'536, 'x');
  const auto put = append_framed(stream, framing::len16, as_bytes(longer));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error(), std::errc::message_size);
  EXPECT_TRUE(stream.empty());
  EXPECT_TRUE(append_framed(stream, framing::len32, as_bytes(longer)));
}

}  // namespace
