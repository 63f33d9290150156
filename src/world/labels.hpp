// Finds places for words in a picture, so that none lies on another.
#pragma once

#include <array>
#include <vector>

namespace soquete::sim {

struct point {
  double x;
  double y;
};

/// A rectangle that may be turned.
struct plate {
  point middle;
  double width;
  double height;
  double angle;  ///< Radians, as the screen turns: y runs down.

  std::array<point, 4> corners() const noexcept;
};

bool overlap(const plate& one, const plate& other) noexcept;

class label_places {
 public:
  /// A line that words had better not lie on.
  void add_line(point from, point to) { lines_.push_back({from, to}); }
  /// This place is taken.
  void take(const plate& one) { taken_.push_back(one); }
  bool is_free(const plate& one) const noexcept;

  /// A place above the line from one point to the other, near where it begins if possible. Takes it.
  /// False: there is none.
  bool place(point from, point to, double width, double height, plate& found);

 private:
  struct line {
    point from;
    point to;
  };
  int crossings(const plate& one, point from, point to) const noexcept;

  std::vector<line> lines_;
  std::vector<plate> taken_;
};

}  // namespace soquete::sim
