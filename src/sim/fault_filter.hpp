// Which of the faults that would strike may do so: for finding the few that a failure needs.
#pragma once

#include <array>
#include <optional>
#include <soquete/sim_options.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace soquete::sim {

/// One occasion: the first, second, ... on which that kind would strike in a history.
struct numbered_fault {
  fault kind;
  std::uint64_t number;
};

/// Lets nothing through until told to.
class fault_filter {
 public:
  /// "reset:3,pieces:5-9,cut": the third reset, five pieces, all cuts; "none". Nothing if it cannot be read.
  static std::optional<fault_filter> parse(std::string_view text);
  /// These and no others; in order of kind, then of number.
  static fault_filter of(const std::vector<numbered_fault>& all);

  void let(fault kind) { at(kind) = {{1, UINT64_MAX}}; }
  void stop(fault kind) { at(kind).clear(); }
  bool lets(fault kind, std::uint64_t number) const noexcept;
  /// As parse() reads it.
  std::string text() const;

 private:
  struct range {
    std::uint64_t first;
    std::uint64_t last;
  };
  std::vector<range>& at(fault kind) { return ranges_[static_cast<std::size_t>(kind)]; }

  std::array<std::vector<range>, fault_count> ranges_;
};

}  // namespace soquete::sim
