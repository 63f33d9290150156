// How the arrow of a message runs through a picture.
#include "world/route.hpp"

#include <algorithm>

namespace soquete::sim {
namespace {

// To a host that is not there.
constexpr double to_nobody = 80;
// How far a message falls that is lost where it leaves.
constexpr int lost_at_once = 14;

// How much of the way a message comes that does not arrive.
double part_of_way(const message& of, bool ends) noexcept {
  if (!ends) return 0.5;
  const bool is_cut_short = of.became == fate::lost && of.over < of.due && of.due != of.left;
  if (!is_cut_short) return 0.92;
  const auto all = static_cast<double>((of.due - of.left).count());
  return std::max(0.2, static_cast<double>((of.over - of.left).count()) / all);
}

route route_of(const scene& all, const scene::arrow& one) {
  const message& of = *one.of;
  const double from = all.find(of.from)->x;
  const double to = of.to == message::nobody ? from + to_nobody : all.find(of.to)->x;
  const double side = to < from ? -1 : 1;
  const double end = one.over != 0 ? one.over : one.left + lost_at_once;
  route r;
  r.is_loop = of.from == of.to;
  r.is_lost = of.became == fate::lost;
  r.is_open = of.became == fate::under_way;
  r.is_held = one.due != 0;
  r.from = {from, static_cast<double>(one.left)};
  r.to = r.bend = {to - side, end};
  if (of.is_from_the_way) {
    r.from.x = (from + to) / 2;
    r.to.y = r.bend.y = one.left + 10;
  }
  if (r.is_held) {
    r.bend = {to - side * 18, static_cast<double>(one.due)};
    r.to = {to - side, one.over != 0 ? end : static_cast<double>(all.bottom)};
  } else if (r.is_lost || r.is_open) {
    r.to.x = r.bend.x = from + (to - from) * part_of_way(of, one.over != 0);
  }
  return r;
}

}  // namespace

std::vector<route> routes_of(const scene& all) {
  std::vector<route> made;
  for (const scene::arrow& one : all.arrows) made.push_back(route_of(all, one));
  return made;
}

std::string_view sort_of(const message& one) noexcept {
  if (one.is_copy) return "copy";
  switch (one.what) {
    case parcel::bytes: return "stream";
    case parcel::datagram: return "datagram";
    case parcel::reset:
    case parcel::refusal:
    case parcel::unreachable: return "reset";
    default: return "control";
  }
}

bool is_late(const message& one) noexcept {
  return one.remark == remark::slow || one.remark == remark::sent_again;
}

}  // namespace soquete::sim
