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

// Bound to an end of ours, if there is one to choose, and connected to the first address.
task<result<udp::socket>> connect_datagrams(const place& to) {
  const udp::bind_options how{.device = to.device,
                              .mark = to.mark,
                              .receive_buffer = to.receive_buffer,
                              .send_buffer = to.send_buffer,
                              .broadcast = to.broadcast};
  if (to.from.empty()) co_return co_await udp::connect(to.where, how);
  const where parsed = co_await ok(where::parse(to.where, &zone_number));
  const auto them = co_await ok(literal_endpoints(parsed.alternatives().front(), purpose::connect));
  udp::socket bound = co_await ok(udp::bind(to.from, how));
  result<void> connected = fail(std::errc::address_not_available, step::connect);
  for (const endpoint& one : them) {
    connected = bound.connect(one);
    if (connected) co_return bound;
  }
  co_return fail(std::move(connected.error()));
}

task<opened> open_datagrams(const place& to) {
  auto socket = co_await connect_datagrams(to);
  if (!socket) co_return std::unexpected(cannot_connect(to, socket.error()));
  result<void> ready;
  if (to.dscp) ready = socket->options().set_dscp(*to.dscp);
  if (ready && to.hops) ready = socket->options().set_hop_limit(static_cast<int>(*to.hops));
  if (!ready) co_return std::unexpected(cannot_connect(to, ready.error()));
  co_return peer(records(std::move(*socket)));
}

// What a server tells a program about its client.  UCSPI: cr.yp.to/proto/ucspi.txt
std::vector<std::string> variables_of(peer& client, std::uint64_t number) {
  const std::string_view proto = client.keeps_bounds() ? "UDP" : "TCP";
  std::vector<std::string> all{fmt::format("PROTO={}", proto), fmt::format("{}CONNNUM={}", proto, number)};
  const auto add = [&](std::string_view side, const endpoint& end) {
    if (!end.is_ip()) return;
    all.push_back(fmt::format("{}{}IP={}", proto, side, to_string(end.addr().unmapped())));
    all.push_back(fmt::format("{}{}PORT={}", proto, side, end.port()));
  };
  add("REMOTE", client.remote());
  add("LOCAL", client.local());
  return all;
}

opened open_program(loop& here, const place& what, peer* client, std::uint64_t number) {
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

task<opened> open_peer(const place& what, peer* client, std::uint64_t number) {
  loop& here = co_await this_loop();
  if (what.what == scheme::tcp) co_return co_await open_connection(what);
  if (what.what == scheme::udp) co_return co_await open_datagrams(what);
  if (what.what == scheme::exec) co_return open_program(here, what, client, number);
  auto got = what.what == scheme::stdio ? standard_streams(here) : inherited(here, what.descriptor);
  if (!got) co_return std::unexpected(cannot_connect(what, got.error()));
  co_return std::move(*got);
}

}  // namespace command
