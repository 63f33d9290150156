// What goes wrong under a driver of the kernel, and when.
#include "torture/mischief.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace soquete::test {
namespace {

thread_local mischief* current = nullptr;

using enum harm::kind;

constexpr harm hidden(harm::kind what, int why = 0) { return {what, why, true}; }
constexpr harm told(int why) { return {fails, why, false}; }

constexpr harm interrupted = hidden(fails, EINTR);

// errnos: those of the manual page and of faults seen in the field that have to do with the moment, not with
// a mistake of ours.
constexpr harm opening[] = {told(EMFILE), told(ENFILE), told(ENOBUFS), told(ENOMEM), told(EACCES)};
constexpr harm pairing[] = {told(EMFILE), told(ENFILE), told(ENOMEM)};
constexpr harm accepting[] = {told(EMFILE), told(ENFILE), told(ENOBUFS), told(ENOMEM),   told(ECONNABORTED),
                              told(EPROTO), told(EPERM),  interrupted,   hidden(not_yet)};
constexpr harm connecting[] = {told(ECONNREFUSED), told(ETIMEDOUT),           told(ENETUNREACH),
                               told(EHOSTUNREACH), told(EADDRNOTAVAIL),       told(ENOBUFS),
                               told(EACCES),       hidden(fails_later, EINTR)};
constexpr harm binding[] = {told(EADDRINUSE), told(EADDRNOTAVAIL), told(EACCES), told(ENOMEM)};
constexpr harm listening[] = {told(EADDRINUSE), told(ENOBUFS)};
constexpr harm naming[] = {told(ENOBUFS), told(ENOTCONN)};
constexpr harm choosing[] = {told(ENOMEM), told(ENOPROTOOPT), told(EPERM)};
constexpr harm receiving[] = {told(ECONNRESET),   told(ETIMEDOUT), told(ENOMEM),    told(ENOBUFS),
                              told(EHOSTUNREACH), interrupted,     hidden(not_yet), hidden(shortened)};
constexpr harm receiving_messages[] = {told(ENOMEM), told(ENOBUFS), interrupted, hidden(not_yet)};
constexpr harm sending[] = {told(EPIPE),        told(ECONNRESET), told(ENOBUFS),   told(ENOMEM),
                            told(EHOSTUNREACH), interrupted,      hidden(not_yet), hidden(shortened)};
constexpr harm sending_messages[] = {told(EPERM),        told(ENOBUFS), told(ENOMEM),
                                     told(EHOSTUNREACH), interrupted,   hidden(not_yet)};
constexpr harm writing_at_once[] = {told(EPIPE), told(EIO), interrupted, hidden(not_yet)};
constexpr harm splicing_in[] = {told(ECONNRESET), told(ETIMEDOUT),   interrupted,
                                hidden(not_yet),  hidden(shortened), hidden(fails, EINVAL)};
constexpr harm splicing_out[] = {told(EPIPE), told(ECONNRESET), told(ENOBUFS),
                                 interrupted, hidden(not_yet),  hidden(shortened)};
constexpr harm closing[] = {hidden(fails_later, EINTR), hidden(fails_later, EIO)};
constexpr harm shutting[] = {told(ENOTCONN), told(ENOBUFS)};
constexpr harm watching[] = {told(ENOMEM), told(ENOSPC)};
constexpr harm waiting[] = {interrupted, hidden(shortened)};
constexpr harm polling[] = {interrupted};
constexpr harm mapping[] = {told(ENOMEM)};

// The ring.
constexpr harm ring_setup[] = {told(EPERM), told(ENOSYS), told(ENOMEM), told(EMFILE)};
constexpr harm ring_enter[] = {interrupted, hidden(fails, EAGAIN), hidden(fails, EBUSY), hidden(partly),
                               hidden(out_of_order)};
constexpr harm ring_receive[] = {told(ECONNRESET), told(ETIMEDOUT),   told(ENOMEM), hidden(late),
                                 hidden(not_yet),  hidden(shortened), hidden(ends), hidden(no_buffers)};
constexpr harm ring_plain_receive[] = {told(ECONNRESET), told(ETIMEDOUT), told(ENOMEM),
                                       hidden(late),     hidden(not_yet), hidden(shortened)};
constexpr harm ring_send[] = {told(EPIPE),  told(ECONNRESET), told(ENOBUFS),    told(ENOMEM),
                              hidden(late), hidden(not_yet),  hidden(shortened)};
constexpr harm ring_poll[] = {told(ENOMEM), hidden(late), hidden(not_yet), hidden(spurious), hidden(ends)};
constexpr harm ring_accept[] = {told(EMFILE), told(ENFILE),    told(ENOMEM), told(ECONNABORTED),
                                hidden(late), hidden(not_yet), hidden(ends)};
constexpr harm ring_cancel[] = {hidden(already), hidden(won), hidden(late)};

struct site_harms {
  harm_site site;
  std::span<const harm> all;
};
constexpr site_harms table[] = {
    {"accept4", accepting},
    {"bind", binding},
    {"close", closing},
    {"connect", connecting},
    {"epoll_create1", pairing},
    {"epoll_ctl", watching},
    {"epoll_wait", waiting},
    {"eventfd", pairing},
    {"getpeername", naming},
    {"getsockname", naming},
    {"getsockopt", choosing},
    {"listen", listening},
    {"mmap", mapping},
    {"pipe2", pairing},
    {"poll", polling},
    {"ppoll", polling},
    {"pwritev2", writing_at_once},
    {"read", receiving},
    {"recv", receiving},
    {"recvfrom", receiving_messages},
    {"recvmmsg", receiving_messages},
    {"recvmsg", receiving_messages},
    {"ring accept", ring_accept},
    {"ring cancel", ring_cancel},
    {"ring enter", ring_enter},
    {"ring poll", ring_poll},
    {"ring receive", ring_receive},
    {"ring receive into", ring_plain_receive},
    {"ring send", ring_send},
    {"ring set-up", ring_setup},
    {"send", sending},
    {"sendmmsg", sending_messages},
    {"sendmsg", sending},
    {"sendto", sending_messages},
    {"setsockopt", choosing},
    {"shutdown", shutting},
    {"socket", opening},
    {"socketpair", pairing},
    {"splice in", splicing_in},
    {"splice out", splicing_out},
    {"write", sending},
};

const char* name_of(harm::kind what) {
  switch (what) {
    case fails: return "fails";
    case fails_later: return "is done and fails";
    case shortened: return "is shortened";
    case not_yet: return "is not yet ready";
    case late: return "is told late";
    case out_of_order: return "is told out of order";
    case ends: return "ends";
    case no_buffers: return "finds no buffer";
    case already: return "comes too late";
    case won: return "comes as the request succeeds";
    case spurious: return "is ready without a reason";
    case partly: return "takes one entry only";
  }
  return "?";
}

}  // namespace

std::vector<harm_site> harm_sites() {
  std::vector<harm_site> all;
  for (const site_harms& one : table) all.push_back(one.site);
  return all;
}

std::span<const harm> harms_at(harm_site site) {
  for (const site_harms& one : table)
    if (std::string_view(one.site) == site) return one.all;
  return {};
}

std::string to_string(harm_site site, const harm& h) {
  std::string text = std::string(site) + " " + name_of(h.what);
  if (h.why != 0) text.append(" with ").append(strerrorname_np(h.why));
  return text;
}

mischief::mischief() { current = this; }

mischief::mischief(std::size_t number, harm_site site, const harm& planned)
    : number_(number), site_(site), planned_(planned) {
  current = this;
}

mischief::mischief(std::uint64_t seed, unsigned one_in) : chance_(seed), one_in_(one_in) { current = this; }

mischief::~mischief() { current = nullptr; }

const harm* mischief::at(harm_site site) noexcept {
  return current == nullptr ? nullptr : current->decide(site);
}

bool mischief::is_going_on() noexcept { return current != nullptr; }

void mischief::begin() noexcept {
  if (current != nullptr) current->has_begun_ = true;
}

unsigned mischief::completions() noexcept { return current != nullptr && current->chance_ ? 4 : 0; }

const harm* mischief::decide(harm_site site) noexcept {
  passed_.push_back(site);
  if (!chance_) {
    if (passed_.size() - 1 != number_ || site != site_) return nullptr;
  } else {
    if (!has_begun_ || (*chance_)() % one_in_ != 0) return nullptr;
    const std::span<const harm> all = harms_at(site);
    // The hidden ones come last.
    const auto first = std::ranges::find_if(all, &harm::is_hidden);
    if (first == all.end()) return nullptr;
    planned_ =
        *(first + static_cast<std::ptrdiff_t>((*chance_)() % static_cast<std::size_t>(all.end() - first)));
  }
  ++done_;
  return &planned_;
}

}  // namespace soquete::test
