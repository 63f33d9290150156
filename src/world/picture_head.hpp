// What stands above a picture: whose it is, what went wrong, what is left out, and what its signs mean.
#pragma once

#include <string>
#include <vector>

#include "world/route.hpp"
#include "world/scene.hpp"
#include "world/svg.hpp"

namespace soquete::sim {

/// Pixels that one letter of a label takes, a bit more than it does.
inline constexpr int letter_width = 7;
/// From both edges of the paper.
inline constexpr int paper_margin = 24;

/// Letters as a person counts them.  UTF-8, RFC 3629
std::size_t characters(std::string_view text) noexcept;

class picture_head {
 public:
  picture_head(const caption& about, const scene& all, const std::vector<route>& routes)
      : about_(about), scene_(all), routes_(routes) {}

  int height() const;
  void paint(svg& into) const;

  std::string title() const;
  /// The first line of what went wrong, in at most so many letters.
  std::string failure(std::size_t length_max) const;

 private:
  struct sign {
    std::string drawn;  // From (0, 0) to (30, 0).
    std::string_view words;
  };
  std::vector<sign> signs() const;
  template <class Each>
  int lay_out(Each each) const;
  std::vector<std::string> notes() const;
  std::vector<std::string> lines() const;

  const caption& about_;
  const scene& scene_;
  const std::vector<route>& routes_;
};

}  // namespace soquete::sim
