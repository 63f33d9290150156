// A server of local connections: what it does in its own way.
#include <soquete/local_serve.hpp>

#include "local_open.hpp"
#include "serve_core.hpp"

namespace soquete::local {
namespace {

// For serve_core.hpp.
template <class Connection, transport carries>
struct serving {
  using stream = Connection;
  using listener = listener_of<Connection>;
  using options = serve_options;
  using handler = std::function<task<result<void>>(Connection)>;
  using client_key = std::uint32_t;  // The user.
  using key_hash = std::hash<std::uint32_t>;
  using client = credentials;

  // There is one socket to a name, so one loop accepts for all.
  static result<detail::opened_for_serving<listener>> open_first(loop& here, const where& on,
                                                                 const options& o, std::vector<endpoint>&,
                                                                 bool = true) {
    auto opened = open_named(here, on, carries, {o.listen.mode, o.listen.replace_stale, o.listen.backlog});
    if (!opened) return fail(std::move(opened.error()));
    detail::opened_for_serving<listener> out;
    out.all.emplace_back(std::move(opened->it));
    out.is_shared = true;
    return out;
  }
  static result<listener> open_again(loop&, const endpoint&, const options&) { return listener(); }
  static bool owns_path(const listener& l) { return l.owns_path(); }
  static client client_of(const stream& peer) { return peer.peer_credentials(); }
  static client_key key_of(const client& who) { return who.uid; }
  static const credentials& name_of(const client& who) { return who; }
  static std::size_t max_per_client(const options& o) { return o.max_per_user; }
  static bool admits(const serve_watch& watch, const stream& peer) {
    return !watch.admit || watch.admit(client_of(peer));
  }
  static void turn_away(stream& peer) { peer.close(); }
};

using of_streams = serving<stream, transport::stream>;
using of_records = serving<seqpacket, transport::sequenced>;

template <class Kind>
task<result<void>> serve_parsed(where on, std::string text, typename Kind::handler handler,
                                serve_options options) {
  loop& here = co_await this_loop();
  auto& share = here.group().share<detail::serve_share<Kind>>(here, text);
  detail::server<Kind> one(here, share, options, handler);
  co_return co_await one.run(std::move(on));
}

task<result<void>> serve_failing(error why) { co_return fail(std::move(why)); }

template <class Kind>
task<result<void>> serve_as(std::string_view on, std::string_view prefix, typename Kind::handler handler,
                            const serve_options& options) {
  auto parsed = parse_where(on);
  if (!parsed) return serve_failing(std::move(parsed.error()));
  return serve_parsed<Kind>(std::move(*parsed), std::string(prefix).append(on), std::move(handler), options);
}

}  // namespace

task<result<void>> serve(std::string_view on, client_handler handler, serve_options options) {
  return serve_as<of_streams>(on, "local ", std::move(handler), options);
}

task<result<void>> serve_seqpacket(std::string_view on, seqpacket_handler handler, serve_options options) {
  return serve_as<of_records>(on, "seqpacket ", std::move(handler), options);
}

}  // namespace soquete::local
