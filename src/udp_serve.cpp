// A server of datagrams: how it is begun.
#include <soquete/udp_serve.hpp>

#include "udp_server.hpp"

namespace soquete::udp {
namespace {

task<result<void>> serve_parsed(where on, std::string text, session_handler handler, serve_options options) {
  loop& here = co_await this_loop();
  auto& share = here.group().share<detail::serve_share>(here, "udp " + text);
  detail::server one(here, share, options, handler);
  co_return co_await one.run(std::move(on));
}

task<result<void>> serve_failing(error why) { co_return fail(std::move(why)); }

}  // namespace

task<result<void>> serve(std::string_view on, session_handler handler, serve_options options) {
  auto parsed = where::parse(on, &zone_number);
  if (!parsed) return serve_failing(std::move(parsed.error()));
  return serve_parsed(std::move(*parsed), std::string(on), std::move(handler), options);
}

}  // namespace soquete::udp
