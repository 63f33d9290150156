// soquete connect ADDR [PEER]
#include "borrowed.hpp"
#include "end_name.hpp"
#include "locale.hpp"
#include "session.hpp"

namespace command {

using namespace soquete;

namespace {

// Whom we have met; empty for what has no other end.
std::string meeting(const peer& other, const place& written) {
  const endpoint at = other.remote();
  const std::string name = at.local_name().empty() ? written.text : shown(at);
  if (other.is_connection()) {
    if (at.is_ip()) return _("connected to {}", shown(at));
    const auto process = other.process();
    return process ? _("connected to {}, {}", name, shown(*process)) : _("connected to {}", name);
  }
  if (!other.keeps_bounds()) return {};
  if (at.is_ip()) return _("sending to {}; whether anybody is there, only an answer will tell", shown(at));
  const endpoint ours = other.local();
  return ours.local_name().empty() ? _("sending to {}", name)
                                   : _("sending to {}; answers come to {}", name, shown(ours));
}

}  // namespace

task<result<void>> connect(session& all) {
  loop& here = co_await this_loop();
  all.out.detail(_("driver {}: {}", here.net().name(), borrowed(here.driver_reason())));
  ++all.connections;
  peer address;
  if (!all.how.address.is_service()) {
    auto got = co_await open_peer(all.how.address, nullptr, 1);
    if (!got) {
      all.fail(std::move(got.error()));
      co_return {};
    }
    address = std::move(*got);
    if (const std::string told = meeting(address, all.how.address); !told.empty()) all.out.say(told);
  }
  co_await converse(all, std::move(address), 1);
  co_return {};
}

}  // namespace command
