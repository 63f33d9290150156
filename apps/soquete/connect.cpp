// soquete connect ADDR [PEER]
#include "borrowed.hpp"
#include "locale.hpp"
#include "session.hpp"

namespace command {

using namespace soquete;

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
    if (address.is_connection() && address.stream().peer().is_ip())
      all.out.say(_("connected to {}", to_string(address.stream().peer())));
    else if (address.keeps_bounds() && !address.has_end())
      all.out.say(_("sending to {}; whether anybody is there, only an answer will tell",
                    to_string(address.remote())));
  }
  co_await converse(all, std::move(address), 1);
  co_return {};
}

}  // namespace command
