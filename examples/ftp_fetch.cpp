// Prints a file of an FTP server.  RFC 959, and RFC 2428 for IPv6; no TLS.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

constexpr auto patience = 5s;
constexpr int reply_lines_max = 1000;
constexpr std::size_t line_max = 4096;  // bytes

error in_words(auto cause, std::string_view words) { return error(cause, step::receive).set_detail(words); }

struct session {
  tcp::stream server;
  reader<tcp::stream> in{server};

  // "230-Welcome,\r\n anything\r\n230 the last line\r\n": that one. It begins with a digit that we hope for,
  // or it is an error (section 4.2).
  task<result<std::string>> reply(std::string_view hoped) {
    std::string end;  // "230 "
    for (int lines = 0; lines < reply_lines_max; ++lines) {
      std::string line = co_await ok(in.until("\r\n", line_max));
      const bool has_code = line.size() > 3 && line.find_first_not_of("0123456789") == 3;
      if (end.empty() && !has_code) co_return fail(in_words(std::errc::protocol_error, line));
      if (end.empty()) end = line.substr(0, 3) + " ";
      if (!line.starts_with(end)) continue;
      if (hoped.find(line[0]) == hoped.npos) co_return fail(in_words(fault::peer_refused, line));
      co_return line;
    }
    co_return fail(std::errc::protocol_error, step::receive);
  }

  task<result<std::string>> ask(std::string line, std::string_view hoped) {
    line += "\r\n";
    co_await ok(within(patience, server.send(line)));
    co_return co_await within(patience, reply(hoped));
  }
};

// "229 Entering Extended Passive Mode (|||6446|)", or "227 Entering Passive Mode (127,0,0,1,25,46)", where
// the port is 25 * 256 + 46. The address in that one is not believed: it could send us anywhere.
result<std::uint16_t> port_in(const std::string& reply) {
  unsigned high = 0;
  unsigned low = 0;
  const char* const numbers = reply.c_str() + std::min(reply.find('('), reply.size());
  const bool is_read = reply.starts_with("229")
                           ? std::sscanf(numbers, "(|||%5u|)", &low) == 1
                           : std::sscanf(numbers, "(%*3u,%*3u,%*3u,%*3u,%3u,%3u)", &high, &low) == 2;
  const unsigned port = high * 256 + low;
  if (!is_read || port == 0 || port > UINT16_MAX) return fail(in_words(std::errc::protocol_error, reply));
  return static_cast<std::uint16_t>(port);
}

task<result<void>> fetch(std::string host, std::string file, std::string user, std::string password) {
  session ftp;
  ftp.server = co_await ok(within(patience, tcp::connect(host)));
  co_await ok(within(patience, ftp.reply("2")));  // the server speaks first
  const std::string login = co_await ok(ftp.ask("USER " + user, "23"));
  if (login[0] == '3') co_await ok(ftp.ask("PASS " + password, "2"));
  co_await ok(ftp.ask("TYPE I", "2"));  // the bytes as they are

  // The file comes over a connection of its own, to a port that the server tells. It may not know EPSV yet.
  auto passive = co_await ftp.ask("EPSV", "2");
  if (!passive && passive.error() == fault::peer_refused) passive = co_await ftp.ask("PASV", "2");
  const std::string told = co_await ok(std::move(passive));
  const std::uint16_t port = co_await ok(port_in(told));
  auto data = co_await ok(within(patience, tcp::connect(endpoint(ftp.server.peer().addr(), port))));
  co_await ok(ftp.ask("RETR " + file, "1"));
  for (;;) {
    const lease piece = co_await ok(within(patience, data.receive()));
    if (piece.empty()) break;
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size())
      co_return fail(std::errc::io_error);
  }
  // A file cut short ends just so; only this tells that it was all.
  co_await ok(within(patience, ftp.reply("2")));
  if (std::fflush(stdout) != 0) co_return fail(std::errc::io_error);
  co_return {};
}

int main(int argc, char** argv) {
  const std::string file = argc > 2 ? argv[2] : "";
  const std::string user = argc > 3 ? argv[3] : "anonymous";
  const char* const secret = std::getenv("FTP_PASSWORD");  // not an argument, for all users see those
  const std::string password = secret == nullptr ? "guest" : secret;
  // A line's end would begin a command of its own.
  if (argc < 3 || argc > 4 || (file + user + password).find_first_of("\r\n") != file.npos)
    return std::fputs("usage: [FTP_PASSWORD=...] ftp_fetch HOST:PORT FILE [USER]\n", stderr), 2;
  return run_main([&] { return fetch(argv[1], file, user, password); });
}
