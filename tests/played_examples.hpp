// The programs of examples/, as they are, for hosts of a simulated network.
//
// Method: each file is included in a namespace of its own, its main() under another name and without
// parameters. What it gives to run_main() is not run but handed to whoever plays it.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <soquete/soquete.hpp>
#include <string>
#include <vector>

namespace played {

using soquete::result;
using soquete::run_options;
using soquete::task;

// For the main() that is called next.
inline int argc = 0;
inline char** argv = nullptr;

struct handed_over {
  std::shared_ptr<void> body;  // A coroutine lambda does not outlive it.
  std::optional<task<result<void>>> work;
};
inline handed_over last;

template <class F>
int run_main(run_options, F body) {
  auto kept = std::make_shared<F>(std::move(body));
  last.work.emplace((*kept)());
  last.body = kept;
  return 0;
}
template <class F>
int run_main(F body) {
  return run_main(run_options(), std::move(body));
}

/// Runs one on this host, with these words after its name.
inline task<result<void>> play(int (*program)(), std::vector<std::string> words) {
  words.insert(words.begin(), "example");
  std::vector<char*> pointers;
  for (std::string& one : words) pointers.push_back(one.data());
  pointers.push_back(nullptr);
  argc = static_cast<int>(words.size());
  argv = pointers.data();
  static_cast<void>(program());
  const handed_over mine = std::exchange(last, {});
  if (!mine.work) co_return soquete::fail(std::errc::invalid_argument);
  co_return co_await std::move(*const_cast<handed_over&>(mine).work);
}

#define main(...) begin()
namespace echo_client {
#include "../examples/echo_client.cpp"
}
namespace echo_server {
#include "../examples/echo_server.cpp"
}
namespace ftp_fetch {
#include "../examples/ftp_fetch.cpp"
}
namespace graceful {
#include "../examples/graceful.cpp"
}
namespace http_get {
#include "../examples/http_get.cpp"
}
namespace race {
#include "../examples/race.cpp"
}
namespace relay {
#include "../examples/relay.cpp"
}
namespace smtp_send {
#include "../examples/smtp_send.cpp"
}
namespace udp_echo {
#include "../examples/udp_echo.cpp"
}
namespace datagrams {
#include "../examples/guide/datagrams.cpp"
}
namespace errors {
#include "../examples/guide/errors.cpp"
}
namespace guests {
#include "../examples/guide/guests.cpp"
}
namespace hello_web {
#include "../examples/guide/hello_web.cpp"
}
namespace lines {
#include "../examples/guide/lines.cpp"
}
namespace mailbox {
#include "../examples/guide/mailbox.cpp"
}
namespace patient {
#include "../examples/guide/patient.cpp"
}
namespace pieces {
#include "../examples/guide/pieces.cpp"
}
namespace ports {
#include "../examples/guide/ports.cpp"
}
namespace slam {
#include "../examples/guide/slam.cpp"
}
namespace stuck {
#include "../examples/guide/stuck.cpp"
}
#undef main

}  // namespace played
