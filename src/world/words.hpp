// How moments, messages and what happens to hosts are told in a picture or a capture.
#pragma once

#include <string>

#include "sim/recording.hpp"

namespace soquete::sim {

/// "12.041373": seconds, to the nearest microsecond.
std::string in_seconds(moment at);
/// As short as it can be said: "9.98 s", "500 µs".
std::string duration_words(moment how_long);
/// "1,234".
std::string with_commas(std::uint64_t number);
/// One count of a thing: "1 message", "2 messages".
std::string count_of(std::uint64_t number, std::string_view thing);

/// What stands at an arrow; at most `length_max` characters, if that is not too few to say anything.
std::string short_words(const message& one, std::size_t length_max);
/// What is unusual about it; empty: nothing is.
std::string remark_of(const message& one);
/// All that is known of it, in lines.
std::string long_words(const message& one, const recording& in);

}  // namespace soquete::sim
