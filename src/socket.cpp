// The owner of one open socket, and its options.
#include <array>
#include <soquete/socket.hpp>

namespace soquete {
namespace {

std::string_view name_of(option which) noexcept {
  constexpr std::array<std::string_view, 38> names{
      "SO_REUSEADDR",      "SO_REUSEPORT",    "IPV6_V6ONLY",      "SO_RCVBUF",       "SO_SNDBUF",
      "SO_KEEPALIVE",      "SO_LINGER",       "SO_MARK",          "SO_PRIORITY",     "IP_TOS",
      "TCP_NODELAY",       "TCP_KEEPIDLE",    "TCP_KEEPINTVL",    "TCP_KEEPCNT",     "TCP_USER_TIMEOUT",
      "TCP_NOTSENT_LOWAT", "TCP_MAXSEG",      "TCP_DEFER_ACCEPT", "TCP_FASTOPEN",    "TCP_FASTOPEN_CONNECT",
      "SO_ERROR",          "SO_BROADCAST",    "IP_FREEBIND",      "IP_TTL",          "IP_MULTICAST_TTL",
      "IP_MULTICAST_LOOP", "IP_MULTICAST_IF", "IP_MULTICAST_ALL", "IP_MTU_DISCOVER", "IP_MTU",
      "IP_PKTINFO",        "IP_RECVTOS",      "IP_RECVTTL",       "SO_TIMESTAMPNS",  "SO_RXQ_OVFL",
      "SO_PASSCRED",       "UDP_GRO",         "SO_INCOMING_CPU"};
  return names[static_cast<std::size_t>(which)];
}

std::string_view name_of(text_option which) noexcept {
  return which == text_option::bound_device ? "SO_BINDTODEVICE" : "TCP_CONGESTION";
}

std::string name_of(option_number which) {
  return "option " + std::to_string(which.name) + " of level " + std::to_string(which.level);
}

constexpr unsigned dscp_max = 63;
constexpr unsigned ecn_bits = 2;
constexpr unsigned ecn_mask = 3;

}  // namespace

namespace detail {

void tell(const socket_block& block, step what, std::int64_t amount, const endpoint* subject,
          std::string_view note, const error* why) noexcept {
  trace_sink* const sink = block.home.trace;
  if (sink == nullptr) return;
  sink->told(sink, {.what = what,
                    .descriptor = block.descriptor,
                    .amount = amount,
                    .cause = why != nullptr ? why->code() : std::error_code(),
                    .subject = subject,
                    .note = note});
}

result<void> finish_sending(socket_block& block) {
  auto done = block.home.shutdown(block, direction::sending);
  tell(block, step::shutdown, 0, nullptr, "sending", done ? nullptr : &done.error());
  if (!done && block.has_peer)
    done.error().set_subject(to_string(endpoint(block.peer_address, block.peer_port)));
  return done;
}

namespace {

bool is_named(const endpoint& at) noexcept { return at.is_local() && !at.local_name().empty(); }

}  // namespace

error error_of(const slot& failed, step during) {
  error why(failed.cause(), during);
  const socket_block& block = *failed.on;
  if (block.has_peer) why.set_subject(to_string(endpoint(block.peer_address, block.peer_port)));
  if (!is_socket(block.kind)) return why;
  // One end of a local connection has no name, as a rule: the other's is what people know.
  if (block.domain == family::local)
    if (auto theirs = block.home.peer(block); theirs && is_named(*theirs))
      why.set_subject(to_string(*theirs));
  if (auto ours = block.home.local(block); ours && (ours->is_ip() || is_named(*ours)))
    why.set_local(to_string(*ours));
  return why;
}

}  // namespace detail

void socket::close() noexcept {
  if (block_ == nullptr) return;
  detail::tell(*block_, step::none, 0, nullptr, block_->reset_on_close ? "reset" : "close", nullptr);
  socket_block& closed = *std::exchange(block_, nullptr);
  closed.home.close(closed);
}

owned_descriptor socket::release() {
  if (block_ == nullptr) return {};
  detail::tell(*block_, step::none, 0, nullptr, "release", nullptr);
  socket_block& released = *std::exchange(block_, nullptr);
  return released.home.release(released);
}

endpoint socket::peer() const noexcept {
  if (block_->domain == family::local) return block_->home.peer(*block_).value_or(endpoint());
  return block_->has_peer ? endpoint(block_->peer_address, block_->peer_port) : endpoint();
}

result<void> socket_options::set(option which, std::int64_t value) {
  auto done = block_.home.set(block_, which, value);
  if (!done) done.error().set_detail(name_of(which));
  detail::tell(block_, step::set_option, value, nullptr, name_of(which), done ? nullptr : &done.error());
  return done;
}

result<void> socket_options::set(text_option which, std::string_view value) {
  auto done = block_.home.set(block_, which, value);
  if (!done) done.error().set_subject(value).set_detail(name_of(which));
  detail::tell(block_, step::set_option, 0, nullptr, name_of(which), done ? nullptr : &done.error());
  return done;
}

result<bool> socket_options::flag(option which) const {
  auto got = get(which);
  if (!got) return fail(std::move(got.error()));
  return *got != 0;
}

result<void> socket_options::set_keep_alive(keep_alive_times times) {
  const std::array<std::pair<option, std::int64_t>, 4> all{
      {{option::keep_alive, 1},
       {option::keep_alive_idle, times.idle.count()},
       {option::keep_alive_interval, times.interval.count()},
       {option::keep_alive_count, times.count}}};
  for (const auto& [which, value] : all)
    if (auto done = set(which, value); !done) return done;
  return {};
}

result<keep_alive_times> socket_options::keep_alive_schedule() const {
  const auto idle = get(option::keep_alive_idle);
  if (!idle) return fail(idle.error());
  const auto interval = get(option::keep_alive_interval);
  if (!interval) return fail(interval.error());
  const auto count = get(option::keep_alive_count);
  if (!count) return fail(count.error());
  return keep_alive_times{std::chrono::seconds(*idle), std::chrono::seconds(*interval),
                          static_cast<unsigned>(*count)};
}

result<std::chrono::milliseconds> socket_options::user_timeout() const {
  const auto got = get(option::user_timeout);
  if (!got) return fail(got.error());
  return std::chrono::milliseconds(*got);
}

result<void> socket_options::set_linger(std::optional<std::chrono::seconds> limit) {
  constexpr std::int64_t off = -1, refused = -2;
  return set(option::linger, !limit ? off : limit->count() < 0 ? refused : limit->count());
}

result<std::optional<std::chrono::seconds>> socket_options::linger() const {
  const auto got = get(option::linger);
  if (!got) return fail(got.error());
  if (*got < 0) return std::nullopt;
  return std::chrono::seconds(*got);
}

result<void> socket_options::set_dscp(unsigned code_point) {
  if (code_point <= dscp_max) {
    const auto now = get(option::traffic_class);
    if (!now) return fail(now.error());
    return set(option::traffic_class, (code_point << ecn_bits) | (*now & ecn_mask));
  }
  error why(std::errc::invalid_argument, step::set_option);
  return fail(std::move(why.set_detail(name_of(option::traffic_class))));
}

result<unsigned> socket_options::dscp() const {
  const auto got = get(option::traffic_class);
  if (!got) return fail(got.error());
  return static_cast<unsigned>(*got) >> ecn_bits;
}

result<std::uint32_t> socket_options::mark() const {
  const auto got = get(option::mark);
  if (!got) return fail(got.error());
  return static_cast<std::uint32_t>(*got);
}

result<int> socket_options::priority() const {
  const auto got = get(option::priority);
  if (!got) return fail(got.error());
  return static_cast<int>(*got);
}

result<int> socket_options::incoming_cpu() const {
  const auto got = get(option::incoming_cpu);
  if (!got) return fail(got.error());
  return static_cast<int>(*got);
}

result<std::error_code> socket_options::take_pending_error() {
  const auto got = get(option::pending_error);
  if (!got) return fail(got.error());
  return std::error_code(static_cast<int>(*got), std::generic_category());
}

result<void> socket_options::set_raw_bytes(option_number which, bytes value) {
  auto done = block_.home.set_raw(block_, which, value);
  if (!done) done.error().set_detail(name_of(which));
  if (block_.home.trace != nullptr)
    detail::tell(block_, step::set_option, 0, nullptr, name_of(which), done ? nullptr : &done.error());
  return done;
}

result<std::size_t> socket_options::get_raw_bytes(option_number which, mutable_bytes into) const {
  auto got = block_.home.get_raw(block_, which, into);
  if (!got) got.error().set_detail(name_of(which));
  return got;
}

result<void> socket_options::get_raw_whole(option_number which, mutable_bytes room) const {
  const std::size_t wanted = room.size() - 1;
  auto got = get_raw_bytes(which, room);
  // Some take no size but their own.
  if (!got && got.error() == std::errc::invalid_argument) got = get_raw_bytes(which, room.first(wanted));
  if (!got) return fail(std::move(got.error()));
  if (*got == wanted) return {};
  error why(std::errc::value_too_large, step::get_option);
  return fail(std::move(why.set_detail(name_of(which) + " is not of " + std::to_string(wanted) + " bytes")));
}

}  // namespace soquete
