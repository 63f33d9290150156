// Two peers while they are joined: the state behind join().
#pragma once

#include <soquete/scope.hpp>

#include "framing.hpp"
#include "relay.hpp"

namespace command {

/// One direction.
struct way {
  peer& from;
  peer& to;
  std::uint64_t& moved;
  std::uint64_t& messages;
  conversation::side source;
  conversation::side target;
  bool crlf;
  const side_options& how_from;
  const side_options& how_to;
  bool is_over = false;
  bool is_quiet = false;                  ///< Its source has no end, and has been silent for long enough.
  bool is_reset = false;                  ///< Its source has told so; what it had sent before may still come.
  bool after_return = false;              ///< For line ends: the last byte was a carriage return.
  soquete::scope* until_quiet = nullptr;  ///< Where it receives, if its source has no end.

  /// Do messages go this way, or bytes?
  bool has_messages() const noexcept {
    return from.keeps_bounds() || to.keeps_bounds() || how_from.frame != framing::none ||
           how_to.frame != framing::none;
  }
  /// A stream without frames of its own takes those that its other side was given.
  framing frame_from() const noexcept {
    return how_from.frame == framing::none && to.keeps_bounds() ? how_to.frame : how_from.frame;
  }
  framing frame_to() const noexcept {
    return how_to.frame == framing::none && from.keeps_bounds() ? how_from.frame : how_to.frame;
  }
};

/// Two peers and what becomes of them.
class joint {
 public:
  joint(peer& address, peer& other, const join_options& how, const half_closed& watch, conversation& told)
      : how_(how),
        watch_(watch),
        told_(told),
        up_{address,
            other,
            told.up,
            told.up_messages,
            conversation::side::address,
            conversation::side::peer,
            how.crlf_up,
            how.address,
            how.peer},
        down_{other,
              address,
              told.down,
              told.down_messages,
              conversation::side::peer,
              conversation::side::address,
              how.crlf_down,
              how.peer,
              how.address} {}

  soquete::task<void> run();

 private:
  // pump.cpp
  soquete::task<soquete::result<void>> pump(way& w);
  soquete::task<soquete::result<void>> pump_bytes(way& w);
  soquete::task<soquete::result<void>> pump_messages(way& w);
  soquete::task<soquete::result<void>> pump_frames(way& w);
  soquete::task<soquete::result<void>> send(way& w, soquete::bytes data);
  soquete::task<soquete::result<void>> send_message(way& w, soquete::bytes message);
  soquete::task<soquete::result<void>> send_frames(way& w, unframer& from, bool is_last, bool& is_done);

  // relay.cpp
  soquete::task<soquete::result<void>> watch_program(soquete::child& program);
  soquete::task<soquete::result<void>> watch_idle();
  soquete::task<soquete::result<void>> watch_silence(way& w);
  soquete::task<soquete::result<void>> silence(std::chrono::nanoseconds span);
  soquete::task<void> tidy_up();
  soquete::task<void> linger(way& w);
  soquete::result<void> end_of(way& w);
  soquete::result<void> end_by_count(way& w);
  soquete::result<void> end_by_idleness(way& w);
  soquete::result<void> reading_failed(way& w, soquete::error why);
  soquete::result<void> writing_failed(way& w, soquete::error why);
  void end_quietly(way& w);
  void end_all();
  void settle();
  void settle(peer& one, const way& output, peer& other);
  bool has_program() noexcept { return up_.from.program() != nullptr || up_.to.program() != nullptr; }
  way& back(const way& w) noexcept { return &w == &up_ ? down_ : up_; }
  void tell(conversation::side whose, const soquete::error& why) {
    if (told_.why || is_settled_) return;
    told_.why = why;
    told_.failed = whose;
  }

  const join_options& how_;
  const half_closed& watch_;
  conversation& told_;
  way up_;
  way down_;
  soquete::loop* here_ = nullptr;
  soquete::scope* scope_ = nullptr;
  soquete::time_point last_{};
  bool is_settled_ = false;  // All that mattered has ended: what is cancelled now is no failure.
};

}  // namespace command
