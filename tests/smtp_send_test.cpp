// smtp_send against aiosmtpd, and against servers that misbehave.  RFC 5321.
#include "answering.hpp"

using namespace soquete::test;

namespace {

const std::string smtp_send = SOQUETE_EXAMPLES_DIR "/smtp_send";

class aiosmtpd : public testing::TestWithParam<std::string> {
 protected:
  aiosmtpd() : server_(python("smtp.py", {files_ / "", GetParam()})), port_(port_of(server_)) {}

  outcome send(const std::string& mail, std::vector<std::string> to) {
    const std::string host = GetParam() == "::1" ? "[::1]" : GetParam();
    to.insert(to.begin(), {smtp_send, host + ":" + std::to_string(port_), "ana@example.org"});
    return run(to, mail);
  }

  folder files_;
  process server_;
  std::uint16_t port_;
};

INSTANTIATE_TEST_SUITE_P(over, aiosmtpd, testing::Values("127.0.0.1", "::1"),
                         [](const auto& one) { return one.param == "::1" ? "IPv6" : "IPv4"; });

TEST_P(aiosmtpd, receives_each_byte_of_a_mail) {
  std::string kept = "Subject: dots\r\n\r\n.\r\n..\r\n.one\r\nol\xc3\xa1\r\n\r\n. \r\n";
  for (int i = 0; i < 20'000; ++i) kept += "." + std::to_string(i) + std::string(i % 70, 'x') + "\r\n";
  std::string mail = kept;
  std::erase(mail, '\r');
  const outcome got = send(mail, {"bob@example.org", "eva@example.org"});
  EXPECT_EQ(got.status, 0) << got.errors << server_.errors;
  EXPECT_TRUE(read_file(files_ / "mail") == kept);
  EXPECT_EQ(read_file(files_ / "envelope"), (GetParam() == "::1" ? "[IPv6:::1]" : "[127.0.0.1]") +
                                                std::string("\nana@example.org\nBODY=8BITMIME\n"
                                                            "bob@example.org\neva@example.org"));
}

TEST_P(aiosmtpd, receives_lines_of_each_kind_as_mail_has_them) {
  const outcome got = send("Subject: x\r\n\r\none\ntwo\r\nth\rree", {"bob@example.org"});
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_EQ(read_file(files_ / "mail"), "Subject: x\r\n\r\none\r\ntwo\r\nth ree\r\n");
}

TEST_P(aiosmtpd, refuses_a_recipient_in_its_words_and_gets_nothing) {
  const outcome got = send("Subject: x\n\ny\n", {"bob@example.org", "nobody@example.org"});
  EXPECT_EQ(got.status, 1);
  EXPECT_EQ(got.errors, "smtp_send: receive: the peer refused (550 5.1.1 nobody lives here)\n");
  EXPECT_FALSE(std::filesystem::exists(files_ / "mail"));
}

const std::string to_data =
    "220 hi\r\n250-a\r\n250-b\r\n250 c\r\n250 sender\r\n250 recipient\r\n354 go on\r\n";

const std::vector<answer> smtp_answers{
    {"well", to_data + "250 kept\r\n221 bye\r\n", "", ""},
    {"no_goodbye", to_data + "250 kept\r\n", "", ""},
    {"mail_refused", to_data + "554-No.\r\n554 Too many dots\r\n", "",
     "the peer refused (554-No. 554 Too many dots)"},
    {"cut_before_it_took_the_mail", to_data, "", is_cut},
    {"cut_within_the_answer", to_data + "250 ke", "", is_cut},
    {"busy", "421 come back later\r\n", "", "421 come back later"},
    {"no_data", "220 hi\r\n250 a\r\n250 sender\r\n250 recipient\r\n451 no\r\n", "", "(451 no)"},
    {"not_smtp", "HTTP/1.1 400 Bad Request\r\n", "", is_garbage},
    {"no_code", "22\r\n", "", is_garbage},
    {"line_without_end", "220 " + std::string(2'000, 'x'), "", is_too_long},
    {"nothing", "", "", is_cut},
};

class smtp : public testing::TestWithParam<answer> {};

INSTANTIATE_TEST_SUITE_P(answer, smtp, testing::ValuesIn(smtp_answers),
                         [](const auto& one) { return one.param.name; });

TEST_P(smtp, is_a_success_or_an_error) {
  const answer& one = GetParam();
  const outcome got = answered_with(one.bytes, smtp_send, {"ana@here", "bob@there"}, "Subject: x\n\ny\n");
  EXPECT_EQ(got.status, one.error.empty() ? 0 : 1);
  EXPECT_TRUE(one.error.empty() ? got.errors.empty() : has(got.errors, one.error)) << got.errors;
}

TEST(smtp_send, reads_no_reply_without_end) {
  std::string greeting;
  for (int i = 0; i < 101; ++i) greeting += "220-more\r\n";
  const outcome got = answered_with(greeting, smtp_send, {"ana@here", "bob@there"});
  EXPECT_EQ(got.status, 1);
  EXPECT_TRUE(has(got.errors, is_garbage)) << got.errors;
}

TEST(smtp_send, waits_for_five_seconds_only) {
  const outcome got = met_with_silence(smtp_send, {"ana@here", "bob@there"});
  EXPECT_EQ(got.status, 1);
  EXPECT_TRUE(has(got.errors, "timed out")) << got.errors;
}

TEST(smtp_send, lets_no_address_add_a_command) {
  EXPECT_EQ(run({smtp_send, "127.0.0.1:1", "ana@here", "bob@there>\r\nDATA"}).status, 2);
  EXPECT_EQ(run({smtp_send, "127.0.0.1:1", "ana@here"}).status, 2);
}

}  // namespace
