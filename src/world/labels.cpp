// Finds places for words in a picture, so that none lies on another.
#include "world/labels.hpp"

#include <algorithm>
#include <cmath>

namespace soquete::sim {
namespace {

point operator+(point a, point b) noexcept { return {a.x + b.x, a.y + b.y}; }
point operator-(point a, point b) noexcept { return {a.x - b.x, a.y - b.y}; }
point operator*(point a, double factor) noexcept { return {a.x * factor, a.y * factor}; }
double dot(point a, point b) noexcept { return a.x * b.x + a.y * b.y; }

// Is there a line between the two that is square to this direction?  The separating axis theorem.
bool is_apart(const std::array<point, 4>& one, const std::array<point, 4>& other, point direction) noexcept {
  const auto range = [&](const std::array<point, 4>& of) {
    std::array<double, 4> all{};
    for (std::size_t i = 0; i != all.size(); ++i) all[i] = dot(of[i], direction);
    const auto [least, most] = std::ranges::minmax(all);
    return std::array{least, most};
  };
  const auto a = range(one);
  const auto b = range(other);
  return a[1] <= b[0] || b[1] <= a[0];
}

}  // namespace

std::array<point, 4> plate::corners() const noexcept {
  const point along = point{std::cos(angle), std::sin(angle)} * (width / 2);
  const point across = point{-std::sin(angle), std::cos(angle)} * (height / 2);
  return {middle - along - across, middle + along - across, middle + along + across, middle - along + across};
}

bool overlap(const plate& one, const plate& other) noexcept {
  const double reach = (one.width + one.height + other.width + other.height) / 2;
  if (std::abs(one.middle.y - other.middle.y) > reach) return false;
  const auto a = one.corners();
  const auto b = other.corners();
  for (const double angle : {one.angle, other.angle}) {
    const point along{std::cos(angle), std::sin(angle)};
    const point across{-along.y, along.x};
    if (is_apart(a, b, along) || is_apart(a, b, across)) return false;
  }
  return true;
}

bool label_places::is_free(const plate& one) const noexcept {
  return std::ranges::none_of(taken_, [&](const plate& other) { return overlap(one, other); });
}

int label_places::crossings(const plate& one, point from, point to) const noexcept {
  int count = 0;
  for (const line& each : lines_) {
    const bool is_own =
        each.from.x == from.x && each.from.y == from.y && each.to.x == to.x && each.to.y == to.y;
    if (is_own) continue;
    const point way = each.to - each.from;
    const plate thin{each.from + way * 0.5, std::hypot(way.x, way.y), 1, std::atan2(way.y, way.x)};
    if (overlap(one, thin)) ++count;
  }
  return count;
}

bool label_places::place(point from, point to, double width, double height, plate& found) {
  const point way = to - from;
  const double length = std::hypot(way.x, way.y);
  const double margin = 12 + width / 2;
  if (length < 2 * margin) return false;
  double angle = std::atan2(way.y, way.x);
  // Words are read from the left to the right, and stand above their line.
  const bool is_backwards = way.x < 0;
  if (is_backwards) angle = std::atan2(-way.y, -way.x);
  const point up = point{std::sin(angle), -std::cos(angle)} * (height / 2 + 1);
  double best = 0;
  bool has_found = false;
  constexpr int tries = 9;
  for (int i = 0; i != tries; ++i) {
    const double place = margin + (length - 2 * margin) * i / (tries - 1);
    const plate one{from + way * (place / length) + up, width, height, angle};
    if (!is_free(one)) continue;
    const double cost = crossings(one, from, to) * 3 + i;
    if (has_found && cost >= best) continue;
    found = one;
    best = cost;
    has_found = true;
  }
  if (has_found) take(found);
  return has_found;
}

}  // namespace soquete::sim
