// What went wrong: the step that failed, to whom, and why.  errno(3), std::error_code.
#pragma once

#if __cplusplus <= 202002L
#error "soquete needs C++23: -std=c++23"
#endif

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace soquete {

/// What was being done when an error arose.
enum class step : std::uint8_t {
  none,
  parse,
  resolve,
  start_driver,
  open,
  adopt,
  set_option,
  get_option,
  bind,
  listen,
  accept,
  connect,
  receive,
  send,
  shutdown,
  wait,
  post,
  run,
};

/// The verb as a person reads it: "connect", "set option".
std::string_view to_string(step) noexcept;

/// Causes that no errno names. They live in a std::error_category of their own.
enum class fault {
  end_of_stream = 1,  ///< The peer finished in the middle of what was asked for.
  line_too_long,      ///< A line or delimited piece exceeded the given bound.
  bad_address,        ///< The text is no address.
  name_not_found,     ///< The name has no address that we can find.
  stream_broken,      ///< A send ended part-way; what would follow has no meaning.
  not_inherited,      ///< No such socket was passed by the service manager.
  unsupported,        ///< This driver or system cannot do it.
  peer_refused,       ///< The peer has understood and said no; the detail has its words.
};

/// The category of faults, called "soquete".
const std::error_category& fault_category() noexcept;
/// So that `std::error_code cause = fault::end_of_stream;` works.
std::error_code make_error_code(fault) noexcept;

/// One address that a connect tried, what it met there and after how long.
struct attempt {
  std::string peer;                 ///< As an endpoint prints.
  std::error_code cause;            ///< What it met.
  std::chrono::nanoseconds took{};  ///< Until it was met.
};

/// A cause with its circumstances. Copies are deep; the success path never makes one.
class error {
 public:
  /// What the system, or any category, calls it.
  error(std::error_code cause, step during = step::none) noexcept : cause_(cause), during_(during) {}
  /// What POSIX calls it.
  error(std::errc cause, step during = step::none) noexcept : error(std::make_error_code(cause), during) {}
  /// What only soquete knows.
  error(fault cause, step during = step::none) noexcept : error(make_error_code(cause), during) {}

  // None of these is inline: GCC 12, seeing through them, warns of uninitialised members in a program that
  // makes a result without an error.
  error(const error&);
  error(error&&) noexcept;
  error& operator=(const error&);
  error& operator=(error&&) noexcept;
  ~error();

  const std::error_code& code() const noexcept { return cause_; }  ///< The cause alone.
  step during() const noexcept { return during_; }                 ///< What was being done.

  /// Whom it was about, as the user wrote it or as an endpoint prints; empty when unknown.
  std::string_view subject() const noexcept;
  /// Our own end, as an endpoint prints; empty when unknown.
  std::string_view local() const noexcept;
  /// More words on the cause, for example which part of a text is wrong; may be empty.
  std::string_view detail() const noexcept;
  /// What each address said, for a connect that tried several; else empty.
  std::span<const attempt> attempts() const noexcept;

  error& set_step(step during) noexcept;      ///< Says what was being done.
  error& set_subject(std::string_view whom);  ///< Says whom it was about.
  error& set_local(std::string_view ours);    ///< Says which end of ours it was.
  error& set_detail(std::string_view words);  ///< Says more on the cause.
  error& add_attempt(attempt one);            ///< Adds what one address said.

  /// Is this the cause?
  friend bool operator==(const error& e, std::errc cause) noexcept { return e.cause_ == cause; }
  /// Is this the cause?
  friend bool operator==(const error& e, fault cause) noexcept { return e.cause_ == make_error_code(cause); }

 private:
  struct circumstances;
  circumstances& more();

  [[no_unique_address]] std::error_code cause_;  // Its last bytes are padding, where `during_` finds room.
  step during_;
  circumstances* more_ = nullptr;  // Owned.
};

/// The value, or why there is none.
template <class T>
using result = std::expected<T, error>;

/// `return fail(std::errc::permission_denied);` in any function that returns a result.
template <class Cause>
[[nodiscard]] std::unexpected<error> fail(Cause cause, step during = step::none) {
  return std::unexpected<error>(error(cause, during));
}
[[nodiscard]] inline std::unexpected<error> fail(error why) { return std::unexpected<error>(std::move(why)); }

/// One line: "connect localhost:8080: connection refused"; one more for each attempt. Control characters of
/// the detail, which a peer may have written, become '?'.
std::string to_string(const error&);

}  // namespace soquete

template <>
struct std::is_error_code_enum<soquete::fault> : std::true_type {};
