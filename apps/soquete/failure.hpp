// Errors that teach: what happened, what it means, what to try; and the exit status.
#pragma once

#include <soquete/error.hpp>
#include <string>

#include "options.hpp"
#include "relay.hpp"

namespace command {

/// Exit statuses.  soquete(1)
enum exit_status : int {
  exit_in_order = 0,
  exit_broken = 1,
  exit_usage = 2,
  exit_no_name = 3,
  exit_no_connection = 4,
  exit_no_listener = 5,
  exit_timeout = 124,
  exit_not_runnable = 126,
  exit_not_found = 127,
};

/// Why a run, or one conversation, has failed. The first line is stable; the others explain.
struct failure {
  int status = exit_broken;
  std::string text;
};

failure usage_failure(const mistake& bad);
failure cannot_connect(const place& to, const soquete::error& why);
failure cannot_listen(const place& on, const soquete::error& why);
/// fd:, systemd: without such a descriptor.
failure not_passed(const place& which, bool listens);
failure cannot_run(const place& program, const soquete::error& why);
failure cannot_start(const soquete::error& why);
/// Of a conversation that did not end in order.
failure broken(const options& of, const conversation& what);
failure timed_out(const options& of);

/// "connection refused (ECONNREFUSED)"
std::string cause_of(const std::error_code& why);

}  // namespace command
