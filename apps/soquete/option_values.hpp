// Values of options of an address: each function reads one into the place.
#pragma once

#include <string_view>

#include "address.hpp"

namespace command {

/// What stands behind an option: its value as text, and where it goes.
struct setting {
  place& into;
  std::string_view value;
  bool has_value;
  role as;
};

/// Null: well. Else what is expected as a value.
using option_reader = const char* (*)(const setting&);

const char* read_no_delay(const setting& s);
const char* read_keep_alive(const setting& s);
const char* read_bind(const setting& s);
const char* read_own_name(const setting& s);
const char* read_mode(const setting& s);
const char* read_type(const setting& s);
const char* read_device(const setting& s);
const char* read_receive_buffer(const setting& s);
const char* read_send_buffer(const setting& s);
const char* read_tos(const setting& s);
const char* read_dscp(const setting& s);
const char* read_hops(const setting& s);
const char* read_broadcast(const setting& s);
const char* read_idle(const setting& s);
const char* read_max(const setting& s);
const char* read_patience(const setting& s);
const char* read_count(const setting& s);
const char* read_frame(const setting& s);
const char* read_mark(const setting& s);
const char* read_congestion(const setting& s);
const char* read_multipath(const setting& s);
const char* read_fast_open(const setting& s);
const char* read_backlog(const setting& s);
const char* read_v4(const setting& s);
const char* read_v6(const setting& s);
const char* read_connect_timeout(const setting& s);
const char* read_crlf(const setting& s);
const char* read_errors(const setting& s);

}  // namespace command
