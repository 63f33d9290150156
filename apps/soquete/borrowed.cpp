// Sentences of others. tests/messages_test.cpp compares those of the library with the library.
#include "borrowed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <soquete/error.hpp>
#include <utility>
#include <vector>

#include "locale.hpp"

namespace command {
namespace {

struct known_errno {
  int number;
  const char* words;
};

constexpr known_errno known_errnos[] = {
    {EPERM, N_("operation not permitted")},
    {ENOENT, N_("no such file or directory")},
    {EINTR, N_("interrupted system call")},
    {EIO, N_("input/output error")},
    {E2BIG, N_("argument list too long")},
    {ENOEXEC, N_("exec format error")},
    {EBADF, N_("bad file descriptor")},
    {ECHILD, N_("no child processes")},
    {EAGAIN, N_("resource temporarily unavailable")},
    {ENOMEM, N_("cannot allocate memory")},
    {EACCES, N_("permission denied")},
    {EBUSY, N_("device or resource busy")},
    {EEXIST, N_("file exists")},
    {ENODEV, N_("no such device")},
    {ENOTDIR, N_("not a directory")},
    {EISDIR, N_("is a directory")},
    {EINVAL, N_("invalid argument")},
    {ENFILE, N_("too many open files in system")},
    {EMFILE, N_("too many open files")},
    {ETXTBSY, N_("text file busy")},
    {EFBIG, N_("file too large")},
    {ENOSPC, N_("no space left on device")},
    {EROFS, N_("read-only file system")},
    {EPIPE, N_("broken pipe")},
    {ENAMETOOLONG, N_("file name too long")},
    {ENOSYS, N_("function not implemented")},
    {ELOOP, N_("too many levels of symbolic links")},
    {ENOTSOCK, N_("socket operation on non-socket")},
    {EDESTADDRREQ, N_("destination address required")},
    {EMSGSIZE, N_("message too long")},
    {EPROTOTYPE, N_("protocol wrong type for socket")},
    {ENOPROTOOPT, N_("protocol not available")},
    {EPROTONOSUPPORT, N_("protocol not supported")},
    {EOPNOTSUPP, N_("operation not supported")},
    {EAFNOSUPPORT, N_("address family not supported by protocol")},
    {EADDRINUSE, N_("address already in use")},
    {EADDRNOTAVAIL, N_("cannot assign requested address")},
    {ENETDOWN, N_("network is down")},
    {ENETUNREACH, N_("network is unreachable")},
    {ECONNABORTED, N_("software caused connection abort")},
    {ECONNRESET, N_("connection reset by peer")},
    {ENOBUFS, N_("no buffer space available")},
    {EISCONN, N_("transport endpoint is already connected")},
    {ENOTCONN, N_("transport endpoint is not connected")},
    {ETIMEDOUT, N_("timed out")},
    {ECONNREFUSED, N_("connection refused")},
    {EHOSTDOWN, N_("host is down")},
    {EHOSTUNREACH, N_("no route to host")},
    {EALREADY, N_("operation already in progress")},
    {EINPROGRESS, N_("operation now in progress")},
    {ECANCELED, N_("cancelled")},
};

// Sentences as they are; {} stands for anything, which is translated on its own.
constexpr const char* sentences[] = {
    // Faults.  error.cpp
    N_("the peer ended the stream too early"),
    N_("no end of line within the limit"),
    N_("not an address"),
    N_("name not found"),
    N_("an earlier send ended part-way, so the stream cannot go on"),
    N_("no such socket was passed to this process"),
    N_("not supported here"),
    N_("the peer refused"),
    // Drivers.
    N_("asked for by the program"),
    N_("asked for by SOQUETE_DRIVER"),
    N_("the best that works here"),
    N_("io_uring does not work here: {} ({})"),
    N_("io_uring does not work here: {}"),
    N_("kqueue does not work here: {} ({})"),
    N_("kqueue does not work here: {}"),
    N_("{}: Linux only"),
    N_("Linux only"),
    N_("macOS only"),
    N_("this build has no liburing"),
    N_("set-up"),
    N_("features"),
    N_("buffer ring"),
    N_("multishot receive"),
    N_("cancel"),
    N_("SOQUETE_DRIVER takes io_uring, epoll, kqueue, poll or auto"),
    N_("SOQUETE_THREADS takes a number from 0 to 1024"),
    N_("SOQUETE_PIN takes 0 or 1"),
    N_("SOQUETE_SPIN takes microseconds from 0 to 10000"),
    // Where a program waits.
    N_("a blocking call"),
    // Programs.
    N_("SIGCHLD is ignored, so nobody can wait for programs"),
    N_("it was closed when this program was started"),
    // What is wrong with an address. Part of it, in quotes, may come first.
    N_("a port is missing after the last ':'"),
    N_("a port is missing: write [address]:port"),
    N_("a port is missing: write host:port"),
    N_("has '[' without ']'"),
    N_("does not belong after ']': write [address]:port"),
    N_("does not belong here: write host:port"),
    N_("write an IPv6 address in brackets: [address]:port"),
    N_("more than one ':'; an IPv6 address is written in brackets: [address]:port"),
    N_("in brackets: an IPv6 address is expected there"),
    N_("a place is missing beside '|'"),
    N_("more than {} alternatives"),
    N_("is no escape: write \\xNN for a byte, \\\\ for a backslash"),
    N_("a prefix has no zone"),
    N_("is no length: it is a number from 0 to 32"),
    N_("is no length: it is a number from 0 to 128"),
    N_("the length is at most 32 for IPv4, 128 for IPv6"),
    N_("the length of a v4-mapped prefix is at least 96; write the IPv4 prefix instead"),
    N_("there are bits after the length: write {} for the block, or no length for the one address"),
    N_("is not a port: a decimal number is expected; names of services are not looked up"),
    N_("is not a port: it begins with a zero"),
    N_("is not a port: the highest is 65535"),
    N_("the text is empty"),
    N_("a part of the name beside a '.' is empty"),
    N_("cannot be in a name: write names beyond ASCII in their xn-- form"),
    N_("cannot be in a name: it has letters, digits, '-', '_' and '.'"),
    N_("is too long: each part of a name has at most 63 bytes"),
    N_("begins or ends with '-', as no part of a name does"),
    N_("the name is too long: it has at most 253 bytes"),
    N_("is no descriptor: a decimal number is expected after 'fd:', as in fd:3"),
    N_("cannot be in the name of an inherited socket"),
    N_("the name of an inherited socket has at most 255 bytes"),
    N_("TCP connects to host:port or fd:N"),
    N_("TCP listens on host:port"),
    N_("only literal addresses and localhost are resolved in this version; other names come with DNS"),
    N_("a number is missing beside a '.'"),
    N_("is not a decimal number, as each of the four parts of an IPv4 address is"),
    N_("begins with a zero, which some programs read as octal"),
    N_("is too large: each part of an IPv4 address is 0 to 255"),
    N_("is too long: a group of an IPv6 address has at most four digits"),
    N_("is one group too many: an IPv6 address has eight"),
    N_("leaves too many groups before it"),
    N_("an IPv6 address has eight groups, or '::' for those that are zero"),
    N_("stands for no group here: the address has eight without it"),
    N_("is too much: an IPv4 address has four numbers"),
    N_("is too short: an IPv4 address has four numbers, as in 127.0.0.1"),
    N_("does not belong there: hexadecimal digits are expected"),
    N_("does not belong there: ':' is expected after a group"),
    N_("at the end is one too few or too many"),
    N_("may stand only once"),
    N_("at the end: a zone is expected after it"),
    N_("does not belong there: an IPv4 address has no zone"),
    N_("is no zone: it has a number from 1 to 4294967295"),
    N_("is no zone: a number is expected, as names are not looked up here"),
    N_("is no zone: there is no such interface"),
    // Inherited sockets.
    N_("LISTEN_PID is not set"),
    N_("LISTEN_PID names another process"),
    N_("LISTEN_FDS holds no number above 0"),
    N_("LISTEN_FDNAMES has no such name"),
    // Unix-domain addresses.
    N_("after 'unix://' an absolute path or '@' and a name is expected"),
    N_("a name is expected after 'unix:@'"),
    N_("a path or '@' and a name is expected after 'unix:'"),
    N_("a path is expected"),
    N_("a path cannot have a zero byte"),
    N_("an abstract name is expected"),
    N_("more than answer_factor allows"),
    N_("the path of a socket"),
    N_("an abstract name"),
    N_("{} has at most {} bytes, not {}"),
    N_("an address is missing before ':'"),
    // Local sockets, hand-over, programs.
    N_("a local socket has a name: unix:/run/x"),
    N_("another process keeps its directory locked"),
    N_("what is there is no socket"),
    N_("its permissions cannot be set without /proc"),
    N_("more than 253 descriptors"),
    N_("a descriptor with unread bytes: see handover.hpp"),
    N_("an empty owned_descriptor"),
    N_("more unread bytes than may go along"),
    N_("no bytes: the peer would take it for the end"),
    N_("it is another user's"),
    N_("the server there does not hand over"),
    N_("no server there hands over"),
    N_("exited with {}"),
    N_("killed by {}"),
    // CLI11.
    N_("{}: 1 required TEXT missing"),
    N_("{}: At Most 1 required but received {}"),
    N_("{}: too many inputs for a flag"),
    N_("{}: Should be true/false or a number"),
    N_("{} was given a disallowed flag override"),
    N_("Could not convert: {} = {}"),
    N_("The value {} is not an allowed value for {}"),
};

constexpr std::string_view hole = "{}";

// What stands in the holes of a sentence, if the text is one of those that it describes.
std::optional<std::vector<std::string_view>> holes_of(std::string_view sentence, std::string_view text) {
  std::vector<std::string_view> all;
  std::size_t at = sentence.find(hole);
  if (at == sentence.npos || !text.starts_with(sentence.substr(0, at))) return {};
  text.remove_prefix(at);
  while (at != sentence.npos) {
    sentence.remove_prefix(at + hole.size());
    at = sentence.find(hole);
    const std::string_view until = sentence.substr(0, at);
    const bool is_last = at == sentence.npos;
    if (is_last && !text.ends_with(until)) return {};
    const std::size_t end = is_last ? text.size() - until.size() : text.find(until);
    if (end == text.npos) return {};
    all.push_back(text.substr(0, end));
    text.remove_prefix(end + until.size());
  }
  return all;
}

std::string fill(std::string_view sentence, const std::vector<std::string_view>& values) {
  std::string text;
  for (const std::string_view value : values) {
    const std::size_t at = sentence.find(hole);
    text.append(sentence.substr(0, at)).append(borrowed(value));
    sentence.remove_prefix(at == sentence.npos ? sentence.size() : at + hole.size());
  }
  return text.append(sentence);
}

// std::error_code::message() begins with a capital, to_string(error) does not.
std::string without_capital(std::string_view text) {
  std::string small(text);
  if (!small.empty() && small[0] >= 'A' && small[0] <= 'Z')
    small[0] = static_cast<char>(small[0] - 'A' + 'a');
  return small;
}

}  // namespace

std::string borrowed(std::string_view english) {
  if (speaks_english()) return std::string(english);
  for (const std::string& text : {std::string(english), without_capital(english)})
    if (const std::string_view found = translated(text); found.data() != text.data())
      return std::string(found);
  // The part may hold a quote as well.
  if (english.starts_with('\''))
    for (std::size_t end = english.find("' "); end != english.npos; end = english.find("' ", end + 1))
      if (const std::string_view rest = english.substr(end + 2); translated(rest).data() != rest.data())
        return std::string(english.substr(0, end + 2)).append(translated(rest));
  for (const char* const sentence : sentences)
    if (const auto values = holes_of(sentence, english)) return fill(translated(sentence), *values);
  return std::string(english);
}

std::string borrowed(const std::error_code& why) {
  const bool has_number =
      why.category() == std::generic_category() || why.category() == std::system_category();
  const auto* const known = std::find_if(std::begin(known_errnos), std::end(known_errnos),
                                         [&](const known_errno& one) { return one.number == why.value(); });
  if (!speaks_english() && has_number && known != std::end(known_errnos)) return _(known->words);
  return borrowed(to_string(soquete::error(why)));
}

}  // namespace command
