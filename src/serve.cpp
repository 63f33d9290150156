// A server of TCP connections: what it does in its own way.
#include <soquete/serve.hpp>

#include "serve_core.hpp"
#include "tcp_open.hpp"

namespace soquete::tcp {
namespace {

// For serve_core.hpp.
struct serving {
  using stream = tcp::stream;
  using listener = tcp::listener;
  using options = serve_options;
  using handler = client_handler;
  using client_key = address;
  using key_hash = std::hash<address>;
  // Who it is, in fewer bytes than an endpoint: each connection keeps it.
  struct client {
    address from;
    std::uint16_t port;
  };

  static result<detail::opened_for_serving<listener>> open_first(loop& here, const where& on,
                                                                 const options& o,
                                                                 std::vector<endpoint>& bound,
                                                                 bool shared = false) {
    const bool is_alone = shared || here.group().size() == 1;
    auto opened = open_listeners(here, on, o.listen, is_alone ? sharing::as_asked : sharing::among_loops);
    if (!opened) return fail(std::move(opened.error()));
    if (!opened->are_inherited) {
      for (const listener& l : opened->all) {
        auto at = l.local();
        if (!at) return fail(std::move(at.error()));
        bound.push_back(*at);
      }
    }
    return detail::opened_for_serving<listener>{std::move(opened->all), shared || opened->are_inherited};
  }
  static result<listener> open_again(loop& here, const endpoint& at, const options& o) {
    listen_options how = o.listen;
    how.reuse_port = true;
    return open_listener(here, at, how);
  }
  static bool owns_path(const listener&) { return false; }
  static client client_of(const stream& peer) {
    const endpoint from = peer.peer();
    return {from.is_ip() ? from.addr().unmapped() : address(), from.port()};
  }
  static client_key key_of(const client& who) { return who.from; }
  static endpoint name_of(const client& who) { return {who.from, who.port}; }
  static std::size_t max_per_client(const options& o) { return o.max_per_address; }
  static bool admits(const serve_watch& watch, const stream& peer) {
    return !watch.admit || watch.admit(peer);
  }
  static void turn_away(stream& peer) { peer.abort(); }
};

task<result<void>> serve_parsed(where on, std::string text, client_handler handler, serve_options options) {
  loop& here = co_await this_loop();
  auto& share = here.group().share<detail::serve_share<serving>>(here, text);
  detail::server<serving> one(here, share, options, handler);
  co_return co_await one.run(std::move(on));
}

task<result<void>> serve_failing(error why) { co_return fail(std::move(why)); }

}  // namespace

task<result<void>> serve(std::string_view on, client_handler handler, serve_options options) {
  auto parsed = parse_where(on);
  if (!parsed) return serve_failing(std::move(parsed.error()));
  return serve_parsed(std::move(*parsed), std::string(on), std::move(handler), options);
}

}  // namespace soquete::tcp
