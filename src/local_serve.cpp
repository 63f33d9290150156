// A server of local connections: what it does in its own way.
#include <soquete/local_serve.hpp>

#include "local_open.hpp"
#include "serve_core.hpp"

namespace soquete::local {
namespace {

// For serve_core.hpp.
struct serving {
  using stream = local::stream;
  using listener = local::listener;
  using options = serve_options;
  using handler = client_handler;
  using client_key = std::uint32_t;  // The user.
  using key_hash = std::hash<std::uint32_t>;
  using client_name = credentials;

  // There is one socket to a name, so one loop accepts for all.
  static result<detail::opened_for_serving<listener>> open_first(loop& here, const where& on,
                                                                 const options& o, std::vector<endpoint>&,
                                                                 bool = true) {
    auto opened =
        open_named(here, on, transport::stream, {o.listen.mode, o.listen.replace_stale, o.listen.backlog});
    if (!opened) return fail(std::move(opened.error()));
    detail::opened_for_serving<listener> out;
    out.all.emplace_back(std::move(opened->it));
    out.is_shared = true;
    return out;
  }
  static result<listener> open_again(loop&, const endpoint&, const options&) { return listener(); }
  static bool owns_path(const listener& l) { return l.owns_path(); }
  static client_key key_of(const stream& peer) { return peer.peer_credentials().uid; }
  static client_name name_of(const stream& peer) { return peer.peer_credentials(); }
  static std::size_t max_per_client(const options& o) { return o.max_per_user; }
  static void turn_away(stream& peer) { peer.close(); }
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

}  // namespace soquete::local
