// Connecting a socket, and saying whom an error is about.  connect(2)
#pragma once

#include <soquete/socket.hpp>

namespace soquete {

/// Waits until the socket is connected.
class connecting {
 public:
  using awaiter = connecting;
  connecting(socket_block& on, const endpoint& to) noexcept : slot_(on.writer), to_(to) {}
  bool begin(environment env, waiter* then) noexcept {
    slot_.code = opcode::connect;
    slot_.data = &to_;
    return slot_.begin(env, then);
  }
  bool failed() const noexcept { return slot_.failed(); }
  result<void> take() const {
    if (failed()) return fail(error(slot_.cause(), step::connect));
    return {};
  }
  void describe(suspension_report& report) const { slot_.describe(report); }

 private:
  slot& slot_;
  endpoint to_;
};

/// The same error, with its step and subject.
inline error about(error why, step during, std::string_view whom) {
  return std::move(why.set_step(during).set_subject(whom));
}

}  // namespace soquete
