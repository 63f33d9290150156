// What a simulated host is told of the names of others.  RFC 1034
#include <algorithm>
#include <cerrno>

#include "sim/driver.hpp"

namespace soquete::sim {
namespace {

// What may be the matter with an answer.
enum class defect : unsigned { failed, late, partial, reordered };
constexpr std::uint64_t defect_count = 4;

constexpr std::string_view words_of(defect what) noexcept {
  switch (what) {
    case defect::failed: return "cannot look up";
    case defect::late: return "hears late of";
    case defect::partial: return "hears of a part of";
    case defect::reordered: return "hears in another order of";
  }
  return {};
}

// EAI_AGAIN, the one that passes.  getaddrinfo(3)
std::error_code nobody_can_say() noexcept {
  return std::make_error_code(std::errc::resource_unavailable_try_again);
}

std::string_view without_dot(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

}  // namespace

std::vector<address> host_driver::addresses_of(std::string_view wanted) const {
  const std::span<const address> all = net_.addresses_of(without_dot(wanted));
  return {all.begin(), all.end()};
}

// Its own name a host has from a file of its own.  hosts(5)
name_answer host_driver::look_up(std::string_view wanted) {
  name_answer told{addresses_of(wanted), {}, {}};
  std::vector<address>& all = told.addresses;
  if (all.empty() || net_.find(without_dot(wanted)) == &at_) return told;
  if (meddled(request::look_up) != 0) {
    all.clear();
    told.cause = nobody_can_say();
    return told;
  }
  if (!net_.strikes(fault::name)) return told;
  auto what = static_cast<defect>(net_.faults.below(defect_count));
  if (all.size() == 1 && what != defect::failed) what = defect::late;
  switch (what) {
    case defect::failed:
      all.clear();
      told.cause = nobody_can_say();
      [[fallthrough]];
    case defect::late: told.after = std::chrono::milliseconds(net_.faults.log_between(1, 10'000)); break;
    case defect::partial:
      for (std::uint64_t lost = net_.faults.between(1, all.size() - 1); lost != 0; --lost)
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(net_.faults.below(all.size())));
      break;
    case defect::reordered:
      std::rotate(all.begin(),
                  all.begin() + static_cast<std::ptrdiff_t>(net_.faults.between(1, all.size() - 1)),
                  all.end());
      break;
  }
  net_.note(at_, noted::misnamed, static_cast<std::uint64_t>(what),
            static_cast<std::uint64_t>(moment(told.after).count()));
  if (net_.tape) [[unlikely]]
    net_.tape->add({mark::kind::remark, net_.now(), at_.number, message::nobody, 0,
                    std::string(words_of(what)).append(" ").append(wanted), told.after});
  return told;
}

}  // namespace soquete::sim
