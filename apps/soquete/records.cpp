// A side that keeps the bounds of messages.
#include "records.hpp"

namespace command {

using namespace soquete;

task<result<record>> records::receive() {
  if (auto* const connected = std::get_if<udp::socket>(&carrier_)) {
    udp::received one = co_await ok(connected->receive());
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
  co_return co_await std::get<udp::session*>(carrier_)->send(message);
}

void records::close() noexcept {
  if (auto* const connected = std::get_if<udp::socket>(&carrier_)) connected->close();
}

std::size_t records::size_max() const noexcept { return udp::socket::payload_max; }

endpoint records::remote() const {
  if (const auto* const connected = std::get_if<udp::socket>(&carrier_)) return connected->peer();
  return std::get<udp::session*>(carrier_)->peer();
}

endpoint records::local() const {
  const auto* const connected = std::get_if<udp::socket>(&carrier_);
  const auto at = connected != nullptr ? connected->local() : std::get<udp::session*>(carrier_)->local();
  return at ? *at : endpoint();
}

std::error_code records::take_error() {
  auto* const connected = std::get_if<udp::socket>(&carrier_);
  if (connected == nullptr || !connected->is_open()) return {};
  const auto cause = connected->options().take_pending_error();
  return cause ? *cause : std::error_code();
}

}  // namespace command
