// A side that keeps the bounds of messages.
#include "records.hpp"

namespace command {

using namespace soquete;

namespace {

template <class... Cases>
struct cases : Cases... {
  using Cases::operator()...;
};

// What the kernel keeps of a send buffer for itself.  unix_dgram_sendmsg()
constexpr std::int64_t send_buffer_kept = 32;

std::size_t local_size_max(socket_options of) {
  const auto size = of.send_buffer();
  return size && *size > send_buffer_kept ? static_cast<std::size_t>(*size - send_buffer_kept) : 1;
}

endpoint given(const result<endpoint>& at) { return at ? *at : endpoint(); }

}  // namespace

bytes record::payload() const noexcept {
  return std::visit(cases{[](const udp::received& one) { return one.payload(); },
                          [](const local::message& one) { return one.payload.bytes(); },
                          [](const local_datagram& one) { return bytes(one.payload); }},
                    one_);
}

bool record::is_end() const noexcept {
  const auto* const one = std::get_if<local::message>(&one_);
  return one != nullptr && one->is_end;
}

bool record::is_truncated() const noexcept {
  return std::visit(cases{[](const udp::received& one) { return one.truncated(); },
                          [](const local::message& one) { return one.length > one.payload.size(); },
                          [](const local_datagram& one) { return one.is_truncated; }},
                    one_);
}

task<result<record>> records::receive() {
  if (auto* const connected = std::get_if<udp::socket>(&carrier_)) {
    udp::received one = co_await ok(connected->receive());
    co_return record(std::move(one));
  }
  if (auto* const connected = std::get_if<local::datagram>(&carrier_)) {
    local::message one = co_await ok(connected->receive());
    co_return record(std::move(one));
  }
  if (auto* const connection = std::get_if<local::seqpacket>(&carrier_)) {
    local::message one = co_await ok(connection->receive());
    co_return record(std::move(one));
  }
  if (auto* const client = std::get_if<local_session*>(&carrier_)) {
    local_datagram one = co_await ok((*client)->receive());
    co_return record(std::move(one));
  }
  udp::received one = co_await ok(std::get<udp::session*>(carrier_)->receive());
  co_return record(std::move(one));
}

task<result<void>> records::send(bytes message) {
  if (auto* const connected = std::get_if<udp::socket>(&carrier_)) {
    co_await ok(connected->send(message));
    co_return {};
  }
  if (auto* const connected = std::get_if<local::datagram>(&carrier_))
    co_return co_await connected->send(message);
  if (auto* const connection = std::get_if<local::seqpacket>(&carrier_))
    co_return co_await connection->send(message);
  if (auto* const client = std::get_if<local_session*>(&carrier_))
    co_return co_await (*client)->send(message);
  co_return co_await std::get<udp::session*>(carrier_)->send(message);
}

result<void> records::finish() {
  auto* const connection = std::get_if<local::seqpacket>(&carrier_);
  return connection != nullptr ? connection->finish() : result<void>();
}

void records::close() noexcept {
  std::visit(cases{[](auto& ours) { ours.close(); }, [](udp::session*) {}, [](local_session*) {}}, carrier_);
}

bool records::is_connection() const noexcept { return std::holds_alternative<local::seqpacket>(carrier_); }

std::size_t records::size_max() {
  return std::visit(cases{[](udp::socket&) { return udp::socket::payload_max; },
                          [](udp::session*) { return udp::socket::payload_max; },
                          [](local_session* one) { return local_size_max(one->options()); },
                          [](auto& ours) { return local_size_max(ours.options()); }},
                    carrier_);
}

endpoint records::remote() const {
  return std::visit(
      cases{[](const auto& ours) { return ours.peer(); }, [](udp::session* one) { return one->peer(); },
            [](local_session* one) { return one->peer(); }},
      carrier_);
}

endpoint records::local() const {
  return std::visit(cases{[](const auto& ours) { return given(ours.local()); },
                          [](udp::session* one) { return given(one->local()); },
                          [](local_session* one) { return given(one->local()); }},
                    carrier_);
}

std::optional<credentials> records::process() const {
  if (const auto* const connection = std::get_if<local::seqpacket>(&carrier_))
    return connection->peer_credentials();
  if (const auto* const client = std::get_if<local_session*>(&carrier_)) return (*client)->sender();
  return std::nullopt;
}

std::error_code records::take_error() {
  auto* const connected = std::get_if<udp::socket>(&carrier_);
  if (connected == nullptr || !connected->is_open()) return {};
  const auto cause = connected->options().take_pending_error();
  return cause ? *cause : std::error_code();
}

}  // namespace command
