// Opening what an address says.
#include <fmt/format.h>
#include <algorithm>
#include <soquete/deadline.hpp>

#include "session.hpp"

namespace command {
namespace {

using namespace soquete;

task<opened> open_connection(const place& to) {
  const tcp::connect_options how{.from = to.from,
                                 .device = to.device,
                                 .mark = to.mark,
                                 .receive_buffer = to.receive_buffer,
                                 .send_buffer = to.send_buffer,
                                 .no_delay = to.no_delay.value_or(true),
                                 .fast_open = to.fast_open,
                                 .multipath = to.multipath};
  const auto patience = to.connect_timeout.value_or(std::chrono::nanoseconds::max());
  auto connected = co_await within(patience, tcp::connect(to.where, how));
  if (!connected) co_return std::unexpected(cannot_connect(to, connected.error()));
  if (auto ready = prepare(*connected, to); !ready)
    co_return std::unexpected(cannot_connect(to, ready.error()));
  co_return peer(std::move(*connected));
}

// What a server tells a program about its client.  UCSPI: cr.yp.to/proto/ucspi.txt
std::vector<std::string> variables_of(tcp::stream& client, std::uint64_t number) {
  std::vector<std::string> all{"PROTO=TCP", fmt::format("TCPCONNNUM={}", number)};
  const auto add = [&all](std::string_view side, const endpoint& end) {
    if (!end.is_ip()) return;
    all.push_back(fmt::format("TCP{}IP={}", side, to_string(end.addr().unmapped())));
    all.push_back(fmt::format("TCP{}PORT={}", side, end.port()));
  };
  add("REMOTE", client.peer());
  if (const auto ours = client.local()) add("LOCAL", *ours);
  return all;
}

opened open_program(loop& here, const place& what, tcp::stream* client, std::uint64_t number) {
  child_options how{.input = child_stream::pipe(), .output = child_stream::pipe()};
  if (what.takes_errors) how.errors = child_stream::same_as_output();
  std::vector<std::string> variables;
  if (client != nullptr) {
    variables = variables_of(*client, number);
    how.variables = variables;
    // Ctrl-C is for us: clients get the drain time.
    how.group = child_group::own;
  }
  auto started = child::start(here, what.program, how);
  if (!started) return std::unexpected(cannot_run(what, started.error()));
  return peer(std::move(*started));
}

}  // namespace

result<void> prepare(tcp::stream& connection, const place& what) {
  socket_options options = connection.options();
  if (what.no_delay)
    if (auto done = options.set_no_delay(*what.no_delay); !done) return done;
  if (what.keep_alive) {
    const std::chrono::seconds idle = *what.keep_alive;
    const std::chrono::seconds between = std::max(idle / 3, std::chrono::seconds(1));
    if (auto done = options.set_keep_alive({.idle = idle, .interval = between, .count = 3}); !done)
      return done;
  }
  if (what.dscp)
    if (auto done = options.set_dscp(*what.dscp); !done) return done;
  if (!what.congestion.empty())
    if (auto done = options.set_congestion_control(what.congestion); !done) return done;
  return {};
}

task<opened> open_peer(const place& what, tcp::stream* client, std::uint64_t number) {
  loop& here = co_await this_loop();
  if (what.what == scheme::tcp) co_return co_await open_connection(what);
  if (what.what == scheme::exec) co_return open_program(here, what, client, number);
  auto got = what.what == scheme::stdio ? standard_streams(here) : inherited(here, what.descriptor);
  if (!got) co_return std::unexpected(cannot_connect(what, got.error()));
  co_return std::move(*got);
}

}  // namespace command
