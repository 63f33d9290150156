// Prints what a web server has at a path.  HTTP/1.1, RFC 9112; no TLS, no redirects.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <soquete/soquete.hpp>

using namespace soquete;
using namespace std::chrono_literals;

using input = reader<tcp::stream>;
using fields = std::map<std::string, std::string>;  // by name, in lower case
constexpr auto patience = 5s;
constexpr std::size_t header_max =
    32'768;  // bytes: the server says how much it sends, we say how much we keep
constexpr std::uint64_t until_closed = UINT64_MAX;

// In the server's words: its answer, or what we cannot make sense of.
std::unexpected<error> give_up(auto cause, std::string_view words) {
  return fail(error(cause, step::receive).set_detail(words));
}

result<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem == std::errc() && end == text.data() + text.size()) return value;
  return give_up(std::errc::protocol_error, text);
}

// Section 5. Neither names nor the values that we look at have a case. A field may come in several lines.
task<result<fields>> read_fields(input& in) {
  fields all;
  for (std::size_t left = header_max;;) {
    std::string line = co_await ok(in.until("\r\n", left));
    if (line.empty()) co_return all;
    left -= line.size();
    for (char& c : line) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const std::size_t colon = line.find(':');
    if (colon == line.npos) co_return give_up(std::errc::protocol_error, line);
    const std::size_t begin = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    std::string& value = all[line.substr(0, colon)];
    value += (value.empty() ? "" : ", ") + line.substr(begin, line.find_last_not_of(" \t") + 1 - begin);
  }
}

task<result<fields>> read_header(input& in) {
  for (;;) {
    const std::string status = co_await ok(in.until("\r\n", header_max));  // "HTTP/1.1 404 Not Found"
    if (!status.starts_with("HTTP/1.") || status.size() < 12)
      co_return give_up(std::errc::protocol_error, status);
    fields all = co_await ok(read_fields(in));
    if (status[9] == '2') co_return all;
    if (status[9] != '1') co_return give_up(fault::peer_refused, status);  // 1xx: the answer comes later
  }
}

task<result<void>> print(input& in, std::uint64_t size) {
  for (const bool has_end = size != until_closed; size > 0;) {
    const std::string piece = co_await ok(within(patience, in.some(std::min<std::uint64_t>(size, 65'536))));
    if (piece.empty() && has_end) co_return fail(fault::end_of_stream, step::receive);
    if (piece.empty()) co_return {};
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size())
      co_return fail(std::errc::io_error);
    size -= piece.size();
  }
  co_return {};
}

// Section 7.1: the size in hexadecimal, perhaps extensions, the bytes; the last chunk is empty.
task<result<void>> print_chunks(input& in) {
  for (;;) {
    const std::string line = co_await ok(within(patience, in.until("\r\n", header_max)));
    const std::uint64_t size = co_await ok(number(line.substr(0, line.find_first_of("; \t")), 16));
    if (size == 0) break;
    co_await ok(print(in, size));
    co_await ok(within(patience, in.until("\r\n", 0)));
  }
  co_await ok(within(patience, read_fields(in)));
  co_return {};
}

// Section 6.3: there are three ways to tell where a body ends.
task<result<void>> get(std::string host, std::string path) {
  auto peer = co_await ok(within(patience, tcp::connect(host)));
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  co_await ok(within(patience, peer.send(request)));
  input in(peer);
  fields header = co_await ok(within(patience, read_header(in)));
  if (header.contains("transfer-encoding")) {
    if (header["transfer-encoding"] != "chunked") co_return fail(std::errc::not_supported, step::receive);
    co_await ok(print_chunks(in));
  } else if (header.contains("content-length")) {
    const std::uint64_t size = co_await ok(number(header["content-length"], 10));
    co_await ok(print(in, size));
  } else {
    co_await ok(print(in, until_closed));
  }
  if (std::fflush(stdout) != 0) co_return fail(std::errc::io_error);
  co_return {};
}

int main(int argc, char** argv) {
  const std::string path = argc == 3 ? argv[2] : "/";
  // A space or a line's end would become part of the request.
  if (argc < 2 || argc > 3 || path[0] != '/' || path.find_first_of(" \r\n") != path.npos)
    return std::fputs("usage: http_get HOST:PORT [/PATH]\n", stderr), 2;
  return run_main([&] { return get(argv[1], path); });
}
