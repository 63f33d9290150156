// http_get against nginx, and against servers that misbehave.  RFC 9112.
#include "answering.hpp"

using namespace soquete::test;

namespace {

const std::string http_get = SOQUETE_EXAMPLES_DIR "/http_get";

class nginx : public testing::Test {
 protected:
  nginx() : page_(noise(50'000'000)), server_([this](std::uint16_t port) { return configure(port); }) {}

  std::vector<std::string> configure(std::uint16_t port) {
    write_file(files_ / "page", page_);
    write_file(files_ / "empty", "");
    std::string temporary;
    for (const std::string kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      temporary += kind + "_temp_path " + files_ / kind + ";\n";
    // What includes are looked for in has no length known beforehand, so it comes in chunks.
    write_file(files_ / "nginx.conf", "daemon off; master_process off; pid " + files_ / "pid" +
                                          "; error_log stderr;\nevents {}\n" + "http { access_log off;\n" +
                                          temporary + "server { listen " + local(port) + "; root " +
                                          files_ / "" + ";\nlocation /chunked/ { alias " + files_ / "" +
                                          "; ssi on; ssi_types *; } } }\n");
    return {"nginx", "-p", files_ / "", "-c", files_ / "nginx.conf"};
  }
  outcome get(const std::string& path) const { return run({http_get, local(server_.port()), path}); }

  folder files_;
  std::string page_;
  foreign_server server_;
};

TEST_F(nginx, gives_a_page_of_known_length) {
  const outcome got = get("/page");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == page_) << got.output.size();
  const outcome empty = get("/empty");
  EXPECT_EQ(empty.status, 0) << empty.errors;
  EXPECT_EQ(empty.output, "");
}

TEST_F(nginx, gives_a_page_in_chunks) {
  const outcome head =
      run({"curl", "-sS", "-D", "-", "-o", "/dev/null", "http://" + local(server_.port()) + "/chunked/page"});
  EXPECT_TRUE(has(head.output, "Transfer-Encoding: chunked")) << head.output << head.errors;
  const outcome got = get("/chunked/page");
  EXPECT_EQ(got.status, 0) << got.errors;
  EXPECT_TRUE(got.output == page_) << got.output.size();
}

TEST_F(nginx, says_what_it_does_not_have) {
  const outcome got = get("/nothing");
  EXPECT_EQ(got.status, 1);
  EXPECT_EQ(got.output, "");
  EXPECT_EQ(got.errors, "http_get: receive: the peer refused (HTTP/1.1 404 Not Found)\n");
}

const std::string all_well = "HTTP/1.1 200 OK\r\n";
const std::string chunked = all_well + "Transfer-Encoding: chunked\r\n\r\n";

const std::vector<answer> http_answers{
    {"until_closed", all_well + "\r\nall of it", "all of it", ""},
    {"length", all_well + "content-length:3 \r\n\r\none two", "one", ""},
    {"length_zero", all_well + "Content-Length: 0\r\n\r\n", "", ""},
    {"chunks_with_extensions_and_trailers",
     chunked + "3;a=\"b\"\r\none\r\n0A ; c\r\n0123456789\r\n000\r\nTrailer: x\r\n\r\n", "one0123456789", ""},
    {"chunks_before_length",
     all_well + "Content-Length: 1\r\nTRANSFER-encoding: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "ab", ""},
    {"an_interim_answer_first", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + all_well + "\r\nyes",
     "yes", ""},
    {"length_cut", all_well + "Content-Length: 10\r\n\r\nall", "all", is_cut},
    {"chunk_cut", chunked + "a\r\nall", "all", is_cut},
    {"last_chunk_missing", chunked + "3\r\nall\r\n", "all", is_cut},
    {"trailer_cut", chunked + "0\r\n", "", is_cut},
    {"header_cut", all_well + "Content-Le", "", is_cut},
    {"nothing", "", "", is_cut},
    {"not_http", "SSH-2.0-OpenSSH_9.2\r\n", "", is_garbage},
    {"field_without_colon", all_well + "nonsense\r\n\r\n", "", is_garbage},
    {"chunk_without_size", chunked + "\r\nall", "", is_garbage},
    {"chunk_of_negative_size", chunked + "-1\r\nall", "", is_garbage},
    {"chunk_beyond_64_bits", chunked + "10000000000000000\r\nall", "", is_garbage},
    {"chunk_longer_than_its_size", chunked + "3\r\nall of\r\n0\r\n\r\n", "all", is_too_long},
    {"two_lengths", all_well + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nall!", "", is_garbage},
    {"length_with_a_sign", all_well + "Content-Length: +3\r\n\r\nall", "", is_garbage},
    {"encoding_that_we_cannot", all_well + "Transfer-Encoding: gzip, chunked\r\n\r\n", "", "not supported"},
    {"line_without_end", all_well + "X: " + std::string(40'000, 'x'), "", is_too_long},
    {"redirect", "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", "", "the peer refused (HTTP/1.1 301 Moved)"},
};

class http : public testing::TestWithParam<answer> {};

INSTANTIATE_TEST_SUITE_P(answer, http, testing::ValuesIn(http_answers),
                         [](const auto& one) { return one.param.name; });

TEST_P(http, is_printed_or_refused) {
  const answer& one = GetParam();
  const outcome got = answered_with(one.bytes, http_get, {"/"});
  EXPECT_EQ(got.status, one.error.empty() ? 0 : 1);
  EXPECT_EQ(got.output, one.output);
  EXPECT_TRUE(one.error.empty() ? got.errors.empty() : has(got.errors, one.error)) << got.errors;
}

TEST(http_get, keeps_no_more_of_a_header_than_its_limit) {
  std::string header = all_well;
  for (int i = 0; i < 5'000; ++i) header += "X-" + std::to_string(i) + ": y\r\n";
  const outcome got = answered_with(header + "\r\nnever", http_get, {"/"});
  EXPECT_EQ(got.status, 1);
  EXPECT_EQ(got.output, "");
  EXPECT_TRUE(has(got.errors, is_too_long)) << got.errors;
}

TEST(http_get, asks_as_the_rfc_says) {
  const wire server = wire::listening();
  process client({http_get, local(server.port()), "/a?b"});
  const wire peer = server.accept();
  const std::string wanted =
      "GET /a?b HTTP/1.1\r\nHost: " + local(server.port()) + "\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(peer.receive(wanted.size()), wanted);
}

TEST(http_get, waits_for_five_seconds_only) {
  const outcome got = met_with_silence(http_get, {"/"});
  EXPECT_EQ(got.status, 1);
  EXPECT_TRUE(has(got.errors, "timed out")) << got.errors;
}

TEST(http_get, lets_no_path_add_to_the_request) {
  EXPECT_EQ(run({http_get, "127.0.0.1:1", "/ HTTP/1.1\r\nX: y"}).status, 2);
  EXPECT_EQ(run({http_get, "127.0.0.1:1", "page"}).status, 2);
  EXPECT_EQ(run({http_get}).status, 2);
}

TEST(http_get, tells_when_its_output_has_no_room) {
  const wire server = wire::listening();
  process client({"sh", "-c", "exec \"$0\" \"$@\" > /dev/full", http_get, local(server.port())});
  const wire peer = server.accept();
  EXPECT_TRUE(peer.send(all_well + "\r\nall"));
  peer.finish();
  peer.receive();
  EXPECT_EQ(client.wait(), 1) << client.errors;
}

}  // namespace
