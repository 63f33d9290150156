// What can fail, and how.  accept(2), bind(2), connect(2), fcntl(2), getaddrinfo(3), listen(2), pipe(2),
// recv(2), send(2), signalfd(2), socket(2), socketpair(2), tcp(7), udp(7)
#include "sim/meddler.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace soquete::sim {
namespace {

struct name_of_cause {
  int cause;
  std::string_view name;
};

constexpr std::array names{
    name_of_cause{EACCES, "EACCES"},
    name_of_cause{EADDRINUSE, "EADDRINUSE"},
    name_of_cause{EADDRNOTAVAIL, "EADDRNOTAVAIL"},
    name_of_cause{EAFNOSUPPORT, "EAFNOSUPPORT"},
    name_of_cause{EAGAIN, "EAGAIN"},
    name_of_cause{ECONNABORTED, "ECONNABORTED"},
    name_of_cause{ECONNREFUSED, "ECONNREFUSED"},
    name_of_cause{ECONNRESET, "ECONNRESET"},
    name_of_cause{EHOSTDOWN, "EHOSTDOWN"},
    name_of_cause{EHOSTUNREACH, "EHOSTUNREACH"},
    name_of_cause{EINVAL, "EINVAL"},
    name_of_cause{ELOOP, "ELOOP"},
    name_of_cause{EMFILE, "EMFILE"},
    name_of_cause{EMSGSIZE, "EMSGSIZE"},
    name_of_cause{ENETDOWN, "ENETDOWN"},
    name_of_cause{ENETUNREACH, "ENETUNREACH"},
    name_of_cause{ENFILE, "ENFILE"},
    name_of_cause{ENOBUFS, "ENOBUFS"},
    name_of_cause{ENODEV, "ENODEV"},
    name_of_cause{ENOENT, "ENOENT"},
    name_of_cause{ENOMEM, "ENOMEM"},
#ifdef ENONET
    name_of_cause{ENONET, "ENONET"},
#endif
    name_of_cause{ENOPROTOOPT, "ENOPROTOOPT"},
    name_of_cause{ENOTCONN, "ENOTCONN"},
    name_of_cause{ENOTDIR, "ENOTDIR"},
    name_of_cause{EOPNOTSUPP, "EOPNOTSUPP"},
    name_of_cause{EPERM, "EPERM"},
    name_of_cause{EPIPE, "EPIPE"},
    name_of_cause{EPROTO, "EPROTO"},
    name_of_cause{EROFS, "EROFS"},
    name_of_cause{ETIMEDOUT, "ETIMEDOUT"},
};

constexpr std::array of_open{EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT};
constexpr std::array of_bind{EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOMEM};
constexpr std::array of_listen{EADDRINUSE};
constexpr std::array of_local{ENOBUFS};
constexpr std::array of_peer{ENOTCONN, ENOBUFS};
constexpr std::array of_set_option{ENOPROTOOPT, EPERM, EINVAL, ENOMEM};
constexpr std::array of_get_option{ENOPROTOOPT};
constexpr std::array of_shutdown{ENOTCONN};
constexpr std::array of_connect{ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH,  ENETUNREACH,
                                EACCES,       EPERM,     EADDRNOTAVAIL, ENOBUFS};
constexpr std::array of_associate{EHOSTUNREACH, ENETUNREACH, EACCES, EADDRNOTAVAIL, ENOBUFS};
constexpr std::array of_accept{ECONNABORTED,
                               EMFILE,
                               ENFILE,
                               ENOBUFS,
                               ENOMEM,
                               EPERM,
                               EHOSTUNREACH,
                               ENETDOWN,
                               EPROTO,
                               ENETUNREACH,
                               ENOPROTOOPT,
                               EOPNOTSUPP,
                               EHOSTDOWN
#ifdef ENONET  // Linux only.
                               ,
                               ENONET
#endif
};
constexpr std::array of_receive{ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOBUFS, ENOMEM};
constexpr std::array of_send{EPIPE, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOBUFS, ENOMEM};
constexpr std::array of_receive_messages{ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENOBUFS, ENOMEM};
constexpr std::array of_send_messages{EPERM,       ENOBUFS,  ECONNREFUSED, EHOSTUNREACH,
                                      ENETUNREACH, EMSGSIZE, ENOMEM};
constexpr std::array of_wait{ENOMEM};
constexpr std::array of_pair{EMFILE, ENFILE, ENOMEM, EAFNOSUPPORT};
constexpr std::array of_pipe{EMFILE, ENFILE};
constexpr std::array of_watch{EMFILE, ENFILE, ENODEV, ENOMEM};
constexpr std::array of_claim{EACCES, EADDRINUSE, ELOOP, ENOENT, ENOMEM, ENOTDIR, EROFS};
constexpr std::array of_copy{EMFILE};
constexpr std::array of_dissociate{EAFNOSUPPORT};
constexpr std::array of_look_up{EAGAIN};  // EAI_AGAIN

}  // namespace

std::string_view to_string(request what) noexcept {
  constexpr std::array<std::string_view, request_count> words{
      "open",          "bind",    "listen",    "local",  "peer",          "set option", "get option",
      "shutdown",      "connect", "associate", "accept", "receive",       "send",       "receive messages",
      "send messages", "wait",    "pair",      "pipe",   "watch signals", "claim",      "copy descriptor",
      "dissociate",    "look up"};
  return words[static_cast<std::size_t>(what)];
}

std::span<const int> plausible(request what) noexcept {
  switch (what) {
    case request::open: return of_open;
    case request::bind: return of_bind;
    case request::listen: return of_listen;
    case request::local: return of_local;
    case request::peer: return of_peer;
    case request::set_option: return of_set_option;
    case request::get_option: return of_get_option;
    case request::shutdown: return of_shutdown;
    case request::connect: return of_connect;
    case request::associate: return of_associate;
    case request::accept: return of_accept;
    case request::receive: return of_receive;
    case request::send: return of_send;
    case request::receive_messages: return of_receive_messages;
    case request::send_messages: return of_send_messages;
    case request::wait: return of_wait;
    case request::pair: return of_pair;
    case request::pipe: return of_pipe;
    case request::watch: return of_watch;
    case request::claim: return of_claim;
    case request::copy: return of_copy;
    case request::dissociate: return of_dissociate;
    case request::look_up: return of_look_up;
  }
  return {};
}

int late_cause(request what) noexcept {
  switch (what) {
    case request::connect:
    case request::receive: return ETIMEDOUT;
    case request::send: return EHOSTUNREACH;
    case request::accept: return ECONNABORTED;
    case request::receive_messages: return EHOSTUNREACH;
    case request::send_messages: return ENOBUFS;
    case request::wait: return ENOMEM;
    default: return 0;
  }
}

std::string_view errno_name(int cause) noexcept {
  const auto found = std::ranges::find(names, cause, &name_of_cause::cause);
  return found == names.end() ? std::string_view("an unknown error") : found->name;
}

int errno_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name, &name_of_cause::name);
  return found == names.end() ? 0 : found->cause;
}

}  // namespace soquete::sim
