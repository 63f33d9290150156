// Opening local sockets: the steps that all their types share.
#include "local_open.hpp"

#include <soquete/deadline.hpp>

#include "connecting.hpp"
#include "inherited.hpp"

namespace soquete::local {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 1ms, longest_pause = 50ms;

std::string_view name_of(transport carries) noexcept {
  return carries == transport::datagram    ? "local datagram"
         : carries == transport::sequenced ? "local seqpacket"
                                           : "local stream";
}

descriptor_kind kind_of(transport carries) noexcept {
  return carries == transport::stream ? descriptor_kind::stream : descriptor_kind::datagram;
}

result<socket> claim(loop& here, const endpoint& at, transport carries, const path_claim& how) {
  auto s = open_socket(here, carries);
  if (!s) return s;
  auto claimed = here.net().claim(s->block(), at, how);
  const bool listens = how.backlog >= 0;
  const error* const why = claimed ? nullptr : &claimed.error();
  if (why == nullptr || why->during() == step::bind) detail::tell(s->block(), step::bind, 0, &at, {}, why);
  if (listens && (why == nullptr || why->during() == step::listen))
    detail::tell(s->block(), step::listen, how.backlog, &at, {}, why);
  if (!claimed) return fail(std::move(claimed.error().set_subject(to_string(at))));
  return s;
}

error not_local(const where::alternative& one, step during) {
  error why(fault::unsupported, during);
  return std::move(why.set_subject(to_string(one)).set_detail("a local socket has a name: unix:/run/x"));
}

// What is open already.
result<socket> adopt_open(loop& here, const where::alternative& one, transport carries,
                          descriptor_kind kind) {
  result<int> number = one.descriptor;
  if (one.what == where::kind::inherited) number = inherited_descriptor(one.name);
  if (!number) return fail(std::move(number.error()));
  auto s = adopt_as(here, owned_descriptor(*number), carries, kind);
  if (!s) return fail(about(std::move(s.error()), step::adopt, to_string(one)));
  return s;
}

result<opened_name> open_alternative(loop& here, const where::alternative& one, transport carries,
                                     const path_claim& how) {
  const step during = how.backlog < 0 ? step::bind : step::listen;
  if (one.what == where::kind::local) {
    auto s = claim(here, one.at, carries, how);
    if (!s) return fail(std::move(s.error()));
    return opened_name{std::move(*s), false};
  }
  if (one.what != where::kind::descriptor && one.what != where::kind::inherited)
    return fail(not_local(one, during));
  auto s = adopt_open(here, one, carries, how.backlog < 0 ? kind_of(carries) : descriptor_kind::listener);
  if (!s) return fail(std::move(s.error()));
  return opened_name{std::move(*s), true};
}

task<result<socket>> connect_one(endpoint to, transport carries, connect_options options) {
  loop& here = co_await this_loop();
  socket s = co_await ok(open_socket(here, carries));
  socket_options all(s.block());
  if (options.receive_buffer > 0) co_await ok(all.set_receive_buffer(options.receive_buffer));
  if (options.send_buffer > 0) co_await ok(all.set_send_buffer(options.send_buffer));
  for (clock::duration pause = first_pause;; pause = std::min<clock::duration>(2 * pause, longest_pause)) {
    result<void> connected = co_await connecting(s.block(), to);
    if (connected) break;
    // Its backlog is full: the kernel has no means to tell when there is room again.
    const bool is_full = connected.error() == std::errc::resource_unavailable_try_again;
    if (is_full) connected = co_await sleep(pause);
    if (!connected) co_return fail(about(std::move(connected.error()), step::connect, to_string(to)));
  }
  co_return s;
}

}  // namespace

result<socket> open_socket(loop& here, transport carries) {
  auto block = here.net().open(family::local, carries);
  if (!block) return fail(std::move(block.error()));
  detail::tell(**block, step::open, static_cast<std::int64_t>(carries), nullptr, name_of(carries), nullptr);
  return socket(**block);
}

result<socket> adopt_as(loop& here, owned_descriptor taken, transport carries, descriptor_kind kind) {
  auto block = here.net().adopt(std::move(taken));
  if (!block) return fail(std::move(block.error()));
  socket s(**block);
  const bool fits =
      (*block)->kind == kind && (*block)->domain == family::local && (*block)->carries == carries;
  if (fits) return s;
  // Not what was asked for, and the caller's all the same: it is closed, as every descriptor taken over.
  return fail(std::errc::invalid_argument, step::adopt);
}

result<opened_name> open_named(loop& here, const where& on, transport carries, const path_claim& how) {
  result<opened_name> got = fail(fault::bad_address, how.backlog < 0 ? step::bind : step::listen);
  for (const where::alternative& one : on.alternatives()) {
    got = open_alternative(here, one, carries, how);
    if (got) break;
  }
  return got;
}

result<where> parse_where(std::string_view text) { return where::parse(text, &zone_number); }

result<where> where_of(const endpoint& at) {
  if (at.is_local() && !at.local_name().empty()) return where::parse(to_string(at));
  error why(fault::unsupported, step::connect);
  return fail(std::move(why.set_subject(to_string(at)).set_detail("a local socket has a name: unix:/run/x")));
}

task<result<socket>> connect_any(where to, transport carries, connect_options options) {
  loop& here = co_await this_loop();
  std::optional<error> why;
  std::vector<attempt> attempts;
  for (const where::alternative& one : to.alternatives()) {
    const time_point begun = here.net().now();
    result<socket> got = fail(not_local(one, step::connect));
    if (one.what == where::kind::descriptor || one.what == where::kind::inherited)
      got = adopt_open(here, one, carries, kind_of(carries));
    else if (one.what == where::kind::local)
      got = co_await connect_one(one.at, carries, options);
    if (got) co_return got;
    attempts.push_back({to_string(one), got.error().code(), here.net().now() - begun});
    if (!why) why = std::move(got.error());
    if (co_await detail::is_cancelled()) break;
  }
  if (to.alternatives().size() > 1)
    for (attempt& one : attempts) why->add_attempt(std::move(one));
  co_return fail(std::move(*why));
}

}  // namespace soquete::local
