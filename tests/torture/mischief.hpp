// What goes wrong under a driver of the kernel, and when: decided here, done by calls.cpp and ring.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace soquete::test {

/// One thing that the kernel may do at one of its calls, or in its ring.
struct harm {
  enum class kind : std::uint8_t {
    fails,         ///< With the errno `why`, and nothing done.
    fails_later,   ///< With the errno `why`, after it was done: close(2), an interrupted connect(2).
    shortened,     ///< One byte or one event, though there is more.
    not_yet,       ///< EAGAIN; it is told again when it is ready.
    late,          ///< A completion of the ring waits for the turn after the next.
    out_of_order,  ///< Requests of the ring are looked at the other way round.
    ends,          ///< A multishot ends though it could go on.
    no_buffers,    ///< ENOBUFS of a receive that would have chosen one.
    already,       ///< A cancel comes to a request that runs: -EALREADY, and the request ends by itself.
    won,           ///< A cancel comes to a request that has just found something.
    spurious,      ///< Ready without a reason.
    partly,        ///< Of the entries submitted only the first is taken.
  };
  kind what{};
  int why = 0;
  /// Programs must not notice: they end as without it.
  bool is_hidden = false;
};

/// A place where something can go wrong: the name of a call, "ring receive", "ring cancel".
using harm_site = const char*;

/// All there are.
std::vector<harm_site> harm_sites();
/// All that can happen there.
std::span<const harm> harms_at(harm_site);

std::string to_string(harm_site, const harm&);

/// Counts the sites that a thread passes, and does harm at some. One at a time, made and ended on the thread
/// that is harmed; without one nothing happens.
class mischief {
 public:
  /// Only counts.
  mischief();
  /// One harm, at the site with this number (from 0); none if it is another site this time, for what happens
  /// when depends on time.
  mischief(std::size_t number, harm_site, const harm&);
  /// Hidden harms at one site in `one_in`, drawn from the seed, from begin() on; the ring has room for few
  /// completions.
  mischief(std::uint64_t seed, unsigned one_in);
  mischief(const mischief&) = delete;
  mischief& operator=(const mischief&) = delete;
  ~mischief();

  /// What happens at this site, now passed: null, nothing.
  static const harm* at(harm_site) noexcept;
  static bool is_going_on() noexcept;
  /// The driver is open: what it was tried for is over.
  static void begin() noexcept;
  /// The room of a ring's completion queue; 0: as much as was asked for.
  static unsigned completions() noexcept;

  const std::vector<harm_site>& passed() const noexcept { return passed_; }
  std::size_t done() const noexcept { return done_; }

 private:
  const harm* decide(harm_site) noexcept;

  std::vector<harm_site> passed_;
  std::size_t number_ = ~std::size_t{0};
  std::string_view site_;
  harm planned_{};
  std::optional<std::mt19937_64> chance_;
  unsigned one_in_ = 0;
  bool has_begun_ = false;
  std::size_t done_ = 0;
};

}  // namespace soquete::test
