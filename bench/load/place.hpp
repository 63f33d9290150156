// Where a server is: a port of 127.0.0.1, or the path of a local socket.  ip(7), unix(7)
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fail.hpp"

namespace load {

class place {
 public:
  // "8080" or "/run/x".
  explicit place(const char* text) {
    if (text[0] == '/') {
      if (std::strlen(text) >= sizeof local_.sun_path) fail("the path is too long");
      local_.sun_family = AF_UNIX;
      std::strcpy(local_.sun_path, text);
    } else {
      ip_.sin_family = AF_INET;
      ip_.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text)));
      ip_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
  }

  bool is_local() const { return any_.sa_family == AF_UNIX; }
  const sockaddr* name() const { return &any_; }
  socklen_t size() const { return is_local() ? sizeof local_ : sizeof ip_; }

 private:
  union {
    sockaddr any_;
    sockaddr_in ip_{};
    sockaddr_un local_;
  };
};

}  // namespace load
