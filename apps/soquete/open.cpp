// Opening what an address says.
#include <algorithm>
#include <soquete/deadline.hpp>

#include "environment.hpp"
#include "session.hpp"

namespace command {
namespace {

using namespace soquete;

// A server that does not come to accept: TCP would give up by itself.
constexpr auto local_patience = std::chrono::seconds(10);

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

// A connection to a local name, of bytes or of records. One that nobody accepts for so long is no connection.
template <class Connection>
task<opened> open_local(const place& to, task<result<Connection>> connecting) {
  const auto patience = to.connect_timeout.value_or(local_patience);
  auto connected = co_await within(patience, std::move(connecting));
  if (!connected) co_return std::unexpected(cannot_connect(to, connected.error()));
  co_return peer(std::move(*connected));
}

// With a name, so that it can be answered; connected, so that it hears nobody else.
task<result<local::datagram>> connect_local_datagrams(const place& to) {
  const bool is_chosen = to.from_name.is_local();
  const endpoint from = is_chosen ? to.from_name : endpoint::local_unnamed();
  local::datagram bound = co_await ok(local::bind(from, {.mode = to.mode.value_or(private_mode)}));
  co_await ok(set_buffers(bound.options(), to));
  co_await ok(bound.connect(to.name));
  co_return bound;
}

task<opened> open_local_datagrams(const place& to) {
  auto socket = co_await connect_local_datagrams(to);
  if (!socket) co_return std::unexpected(cannot_connect(to, socket.error()));
  co_return peer(records(std::move(*socket)));
}

task<opened> open_at_name(const place& to) {
  const local::connect_options how{.receive_buffer = to.receive_buffer, .send_buffer = to.send_buffer};
  switch (to.kind.what) {
    case carrier::bytes: return open_local<local::stream>(to, local::connect(to.name, how));
    case carrier::records: return open_local<local::seqpacket>(to, local::connect_seqpacket(to.name, how));
    default: return open_local_datagrams(to);
  }
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

// One that the service manager has passed, or whoever has started us.
opened open_inherited(loop& here, const place& what) {
  if (what.missing) return std::unexpected(not_passed(what, false));
  auto got = inherited(here, what.descriptors.front());
  if (!got) return std::unexpected(cannot_connect(what, got.error()));
  return std::move(*got);
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

result<void> set_buffers(socket_options of, const place& what) {
  if (what.receive_buffer > 0)
    if (auto done = of.set_receive_buffer(what.receive_buffer); !done) return done;
  if (what.send_buffer > 0)
    if (auto done = of.set_send_buffer(what.send_buffer); !done) return done;
  return {};
}

result<void> prepare(local::stream& connection, const place& what) {
  return set_buffers(connection.options(), what);
}

result<void> prepare(local::seqpacket& connection, const place& what) {
  return set_buffers(connection.options(), what);
}

task<opened> open_peer(const place& what, peer* client, std::uint64_t number) {
  loop& here = co_await this_loop();
  switch (what.what) {
    case scheme::tcp: co_return co_await open_connection(what);
    case scheme::udp: co_return co_await open_datagrams(what);
    case scheme::local: co_return co_await open_at_name(what);
    case scheme::exec: co_return open_program(here, what, client, number);
    case scheme::stdio: break;
    default: co_return open_inherited(here, what);
  }
  auto got = standard_streams(here);
  if (!got) co_return std::unexpected(cannot_connect(what, got.error()));
  co_return std::move(*got);
}

}  // namespace command
