// ftp_fetch against pyftpdlib, and against servers that misbehave.  RFC 959, RFC 2428.
#include "answering.hpp"

using namespace soquete::test;

namespace {

const std::string ftp_fetch = SOQUETE_EXAMPLES_DIR "/ftp_fetch";

// On IPv4 with and without EPSV, on IPv6 with it: it has no other.
struct place {
  std::string name;
  std::vector<std::string> words;
};

class pyftpdlib : public testing::TestWithParam<place> {
 protected:
  pyftpdlib() : server_(python("ftp.py", words())), port_(port_of(server_)) {
    write_file(files_ / "file", file_);
    write_file(files_ / "empty", "");
  }
  std::vector<std::string> words() const {
    std::vector<std::string> all = GetParam().words;
    all.insert(all.begin(), files_ / "");
    return all;
  }
  outcome fetch(const std::vector<std::string>& arguments, const std::string& password = {}) const {
    const std::string host = GetParam().words[0] == "::1" ? "[::1]" : "127.0.0.1";
    std::vector<std::string> all{ftp_fetch, host + ":" + std::to_string(port_)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    if (!password.empty()) all.insert(all.begin(), {"env", "FTP_PASSWORD=" + password});
    return run(all);
  }

  const std::string file_ = noise(5'000'000);
  folder files_;
  process server_;
  std::uint16_t port_;
};

INSTANTIATE_TEST_SUITE_P(over, pyftpdlib,
                         testing::Values(place{"IPv4", {"127.0.0.1"}}, place{"IPv6", {"::1", "PASV"}},
                                         place{"IPv4_with_PASV_only", {"127.0.0.1", "EPSV"}}),
                         [](const auto& one) { return one.param.name; });

TEST_P(pyftpdlib, gives_each_byte_of_a_file) {
  const outcome got = fetch({"file"});
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == file_) << got.output.size();
  const outcome empty = fetch({"empty"});
  EXPECT_EQ(empty.status, 0) << empty.errors;
  EXPECT_EQ(empty.output, "");
}

TEST_P(pyftpdlib, lets_in_who_knows_the_password) {
  EXPECT_TRUE(fetch({"file", "ana"}, "a secret").output == file_);
  const outcome got = fetch({"file", "ana"}, "a guess");
  EXPECT_EQ(got.status, 1);
  EXPECT_EQ(got.output, "");
  EXPECT_EQ(got.errors, "ftp_fetch: receive: the peer refused (530 Authentication failed.)\n");
}

TEST_P(pyftpdlib, says_what_it_does_not_have) {
  const outcome got = fetch({"nothing"});
  EXPECT_EQ(got.status, 1);
  EXPECT_EQ(got.output, "");
  EXPECT_EQ(got.errors, "ftp_fetch: receive: the peer refused (550 No such file or directory.)\n");
}

// The control connection as given, with PORT for where `data` is had. How does it end?
outcome fetched(std::string control, const std::string& data) {
  const wire files = wire::listening();
  const wire server = wire::listening();
  const std::string low = std::to_string(files.port() % 256);
  for (const auto& [word, number] :
       {std::pair<std::string, std::string>{"PORT", std::to_string(files.port())},
        {"HIGH", std::to_string(files.port() / 256)},
        {"LOW", low}})
    if (const auto at = control.find(word); at != control.npos) control.replace(at, word.size(), number);
  process client({ftp_fetch, local(server.port()), "file"});
  const wire commands = server.accept();
  EXPECT_TRUE(commands.send(control));
  {
    const wire peer = files.accept();
    EXPECT_TRUE(peer.send(data));
  }
  commands.finish();
  commands.receive();
  const int status = client.wait();
  return {status, client.output, client.errors};
}

const std::string logged_in = "220-hi\r\n226 no end yet?\r\n220 hi\r\n331 who?\r\n230 you\r\n200 binary\r\n";
const std::string extended = logged_in + "229 (|||PORT|)\r\n";

TEST(ftp_fetch, believes_a_file_only_when_all_has_been_sent) {
  const std::string begun = extended + "150 here it comes\r\n";
  const outcome whole = fetched(begun + "226 done\r\n", "all of it");
  EXPECT_EQ(whole.status, 0) << whole.errors;
  EXPECT_EQ(whole.output, "all of it");
  const outcome aborted = fetched(begun + "426 disk trouble\r\n", "all");
  EXPECT_EQ(aborted.status, 1);
  EXPECT_TRUE(has(aborted.errors, "the peer refused (426 disk trouble)")) << aborted.errors;
  const outcome cut = fetched(begun, "all");
  EXPECT_EQ(cut.status, 1);
  EXPECT_TRUE(has(cut.errors, is_cut)) << cut.errors;
}

TEST(ftp_fetch, goes_to_no_other_host_than_its_server) {
  const outcome got =
      fetched(logged_in + "500 EPSV?\r\n227 (198,51,100,7,HIGH,LOW)\r\n150 here\r\n226 done\r\n", "all");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_EQ(got.output, "all");
}

const std::vector<answer> ftp_answers{
    {"nothing", "", "", is_cut},
    {"not_ftp", "SSH-2.0-OpenSSH_9.2\r\n", "", is_garbage},
    {"busy", "421 come back later\r\n", "", "(421 come back later)"},
    {"greeting_cut", "220-hi\r\n", "", is_cut},
    {"no_anonymous", "220 hi\r\n530 nobody\r\n", "", "(530 nobody)"},
    {"no_passive", logged_in + "500 what?\r\n500 what?\r\n", "", "(500 what?)"},
    {"cut_at_epsv", logged_in, "", is_cut},
    {"port_zero", logged_in + "229 (|||0|)\r\n", "", is_garbage},
    {"port_too_high", logged_in + "229 (|||65536|)\r\n", "", is_garbage},
    {"port_missing", logged_in + "229 somewhere\r\n", "", is_garbage},
    {"pasv_too_high", logged_in + "500 what?\r\n227 (127,0,0,1,256,1)\r\n", "", is_garbage},
    {"line_without_end", std::string(5'000, '2'), "", is_too_long},
};

class ftp : public testing::TestWithParam<answer> {};

INSTANTIATE_TEST_SUITE_P(answer, ftp, testing::ValuesIn(ftp_answers),
                         [](const auto& one) { return one.param.name; });

TEST_P(ftp, is_an_error) {
  const outcome got = answered_with(GetParam().bytes, ftp_fetch, {"file"});
  EXPECT_EQ(got.status, 1);
  EXPECT_EQ(got.output, "");
  EXPECT_TRUE(has(got.errors, GetParam().error)) << got.errors;
}

TEST(ftp_fetch, waits_for_five_seconds_only) {
  const outcome got = met_with_silence(ftp_fetch, {"file"});
  EXPECT_EQ(got.status, 1);
  EXPECT_TRUE(has(got.errors, "timed out")) << got.errors;
}

TEST(ftp_fetch, lets_no_name_add_a_command) {
  EXPECT_EQ(run({ftp_fetch, "127.0.0.1:1", "file\r\nDELE file"}).status, 2);
  EXPECT_EQ(run({"env", "FTP_PASSWORD=a\nb", ftp_fetch, "127.0.0.1:1", "file"}).status, 2);
}

}  // namespace
