// Sends the mail on standard input, header and text, to people.  SMTP, RFC 5321; no TLS, no login.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

constexpr auto patience = 5s;
constexpr int reply_lines_max = 100;
constexpr std::size_t line_max = 1000;  // bytes: section 4.5.3.1 promises 512

// Lines of a mail end in CR LF, whatever those of a file do (section 2.3.8). A dot alone ends the mail, so a
// line that begins with one is given another (section 4.5.2).
std::string as_mail(std::istream& from) {
  std::string mail;
  for (std::string line; std::getline(from, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::ranges::replace(line, '\r', ' ');
    mail += (line.starts_with('.') ? "." : "") + line + "\r\n";
  }
  return mail + ".";
}

struct session {
  tcp::stream server;
  reader<tcp::stream> in{server};

  // "250-one\r\n250 the last line\r\n". It begins with the digit that we hope for, or it is an error.
  task<result<std::string>> reply(char hoped) {
    std::string all;
    for (int lines = 0; lines < reply_lines_max; ++lines) {
      const std::string line = co_await ok(in.until("\r\n", line_max));
      const bool has_code = line.size() >= 3 && line.find_first_not_of("0123456789") >= 3;
      if (!has_code) co_return fail(error(std::errc::protocol_error, step::receive).set_detail(line));
      all += (all.empty() ? "" : " ") + line;
      if (line.size() > 3 && line[3] == '-') continue;
      if (line[0] != hoped) co_return fail(error(fault::peer_refused, step::receive).set_detail(all));
      co_return all;
    }
    co_return fail(std::errc::protocol_error, step::receive);
  }

  task<result<std::string>> ask(std::string line, char hoped, std::chrono::seconds limit = patience) {
    line += "\r\n";
    co_await ok(within(limit, server.send(line)));
    co_return co_await within(limit, reply(hoped));
  }
};

task<result<void>> deliver(std::string host, std::string from, std::vector<std::string> to,
                           std::string mail) {
  session smtp;
  smtp.server = co_await ok(within(patience, tcp::connect(host)));
  co_await ok(within(patience, smtp.reply('2')));  // the server speaks first
  // We have no name to tell, but an address (section 4.1.3).
  const endpoint we = co_await ok(smtp.server.local());
  const std::string tag = we.addr().is_v6() ? "IPv6:" : "";
  const std::string offers = co_await ok(smtp.ask("EHLO [" + tag + to_string(we.addr()) + "]", '2'));
  const bool takes_bytes = offers.find("8BITMIME") != offers.npos;  // RFC 6152
  co_await ok(smtp.ask("MAIL FROM:<" + from + ">" + (takes_bytes ? " BODY=8BITMIME" : ""), '2'));
  // All of them or nobody: after one refusal we leave, and nothing is sent.
  for (const std::string& one : to) co_await ok(smtp.ask("RCPT TO:<" + one + ">", '2'));
  co_await ok(smtp.ask("DATA", '3'));
  // Who gives up here may send it twice, so this takes its time (section 4.5.3.2.6).
  co_await ok(smtp.ask(std::move(mail), '2', 10min));
  // The mail is theirs now; whatever they say to a goodbye changes nothing.
  static_cast<void>(co_await smtp.ask("QUIT", '2'));
  co_return {};
}

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  // These would end a command early.
  const auto is_bad = [](const std::string& word) { return word.find_first_of("<>\r\n") != word.npos; };
  if (words.size() < 3 || std::ranges::any_of(words, is_bad))
    return std::fputs("usage: smtp_send HOST:PORT FROM TO... < MAIL\n", stderr), 2;
  return run_main(
      [&] { return deliver(words[0], words[1], {words.begin() + 2, words.end()}, as_mail(std::cin)); });
}
