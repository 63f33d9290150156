// Errors: causes, circumstances and words.
#include <soquete/error.hpp>

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace soquete {
namespace {

using namespace std::chrono_literals;

error refused_connect() {
  error why(std::errc::connection_refused, step::connect);
  why.set_subject("localhost:80").set_local("127.0.0.1:4000").set_detail("nobody listens");
  why.add_attempt({"[::1]:80", std::make_error_code(std::errc::timed_out), 250ms});
  why.add_attempt({"127.0.0.1:80", std::make_error_code(std::errc::connection_refused), 100us});
  return why;
}

TEST(error, it_compares_with_causes_of_either_kind) {
  const error ours(fault::bad_address), theirs(std::errc::connection_refused);
  EXPECT_EQ(ours, fault::bad_address);
  EXPECT_NE(ours, fault::end_of_stream);
  EXPECT_NE(ours, std::errc::connection_refused);
  EXPECT_EQ(theirs, std::errc::connection_refused);
  EXPECT_NE(theirs, fault::bad_address);
  EXPECT_EQ(theirs, std::errc(ECONNREFUSED));
  EXPECT_EQ(error(std::error_code(ECONNREFUSED, std::system_category())), std::errc::connection_refused);
}

TEST(error, a_fault_is_an_error_code_with_a_category_of_its_own) {
  const std::error_code code = fault::line_too_long;
  EXPECT_STREQ(code.category().name(), "soquete");
  EXPECT_EQ(code.category(), fault_category());
  EXPECT_NE(code, std::error_code(static_cast<int>(fault::line_too_long), std::system_category()));
  EXPECT_EQ(fault_category().message(12345), "unknown fault");
}

TEST(error, every_fault_and_every_step_has_words_of_its_own) {
  std::set<std::string> words;
  for (int i = 1; i <= static_cast<int>(fault::peer_refused); ++i)
    EXPECT_TRUE(words.insert(fault_category().message(i)).second) << i;
  EXPECT_FALSE(words.contains("unknown fault"));
  std::set<std::string_view> verbs;
  for (int i = 0; i <= static_cast<int>(step::run); ++i)
    EXPECT_TRUE(verbs.insert(to_string(static_cast<step>(i))).second) << i;
  EXPECT_EQ(to_string(step::none), "");
  EXPECT_EQ(to_string(step::set_option), "set option");
}

TEST(error, without_circumstances_they_are_empty) {
  const error bare(std::errc::timed_out);
  EXPECT_EQ(bare.during(), step::none);
  EXPECT_EQ(bare.subject(), "");
  EXPECT_EQ(bare.local(), "");
  EXPECT_EQ(bare.detail(), "");
  EXPECT_TRUE(bare.attempts().empty());
  EXPECT_EQ(to_string(bare), "timed out");
}

TEST(error, it_tells_step_ends_cause_detail_and_attempts) {
  EXPECT_EQ(to_string(refused_connect()),
            "connect localhost:80 (from 127.0.0.1:4000): connection refused (nobody listens)\n"
            "    [::1]:80 timed out (250.0 ms)\n"
            "    127.0.0.1:80 connection refused (0.1 ms)");
  EXPECT_EQ(to_string(error(std::errc::operation_canceled, step::receive)), "receive: cancelled");
  EXPECT_EQ(to_string(error(std::errc::bad_file_descriptor).set_subject("fd:3")),
            "fd:3: bad file descriptor");
}

TEST(error, a_peers_words_steer_no_terminal) {
  EXPECT_EQ(
      to_string(error(fault::peer_refused).set_subject("[::1]:25").set_detail("550 \x1b[2Jno\r\n\x7f é")),
      "[::1]:25: the peer refused (550 ?[2Jno??? é)");
}

TEST(error, a_copy_is_deep) {
  const error first = refused_connect();
  error second = first;
  EXPECT_EQ(to_string(second), to_string(first));
  second.set_subject("elsewhere").set_step(step::accept);
  EXPECT_EQ(first.subject(), "localhost:80");
  EXPECT_EQ(first.during(), step::connect);
  error third(fault::unsupported);
  third = first;
  EXPECT_EQ(to_string(third), to_string(first));
  const error& same = third;
  third = same;
  EXPECT_EQ(to_string(third), to_string(first));
  third = error(fault::unsupported);
  EXPECT_EQ(to_string(third), "not supported here");
}

TEST(error, it_moves_with_its_circumstances) {
  error first = refused_connect();
  const error second = std::move(first);
  EXPECT_EQ(second.attempts().size(), 2U);
  EXPECT_EQ(second.detail(), "nobody listens");
}

TEST(error, a_function_fails_with_a_cause_or_with_an_error) {
  const auto by_cause = []() -> result<int> { return fail(fault::end_of_stream, step::receive); };
  const auto by_error = []() -> result<void> { return fail(refused_connect()); };
  EXPECT_EQ(by_cause().error(), fault::end_of_stream);
  EXPECT_EQ(by_cause().error().during(), step::receive);
  EXPECT_EQ(by_error().error().subject(), "localhost:80");
}

}  // namespace
}  // namespace soquete
