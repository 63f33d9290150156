// How moments, messages and what happens to hosts are told.
#include "world/words.hpp"

#include <algorithm>
#include <array>
#include <soquete/bytes.hpp>
#include <soquete/endpoint.hpp>

namespace soquete::sim {
namespace {

// The number in decimal with at least so many digits.
std::string padded(std::int64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

// What a person can read of it; nothing if that is not all.
std::string readable(bytes payload) {
  std::string text;
  for (const std::byte one : payload) {
    const char c = static_cast<char>(one);
    const bool is_plain = c >= ' ' && c <= '~';
    if (!is_plain && c != '\n' && c != '\r') return {};
    text += is_plain ? c : ' ';
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string_view name_of(parcel what) noexcept {
  constexpr std::array<std::string_view, 9> names{
      "SYN: asks for connection",   "SYN-ACK: agrees to connection",
      "ACK of connection",          "bytes of connection",
      "FIN: the end of connection", "RST: resets connection",
      "RST: refuses connection",    "datagram",
      "ICMP: port unreachable"};
  return names[static_cast<std::size_t>(what)];
}

std::string payload_words(const message& one, std::size_t length_max) {
  const std::string size = with_commas(one.size) + (one.size == 1 ? " byte" : " bytes");
  const std::string text = readable(one.payload);
  if (text.empty()) return size;
  if (text.size() <= length_max) return text;
  const std::string shorter = "… " + size;
  constexpr std::size_t shown_least = 8;
  if (length_max < shorter.size() - 2 + shown_least) return size;
  return text.substr(0, length_max - (shorter.size() - 2)) + shorter;
}

}  // namespace

std::string in_seconds(moment at) {
  constexpr std::int64_t each = 1'000'000;
  const std::int64_t micro = (at.count() + 500) / 1'000;
  return std::to_string(micro / each) + "." + padded(micro % each, 6);
}

std::string duration_words(moment how_long) {
  struct unit {
    std::int64_t size;
    std::string_view name;
  };
  constexpr std::array<unit, 4> units{
      {{1'000'000'000, " s"}, {1'000'000, " ms"}, {1'000, " µs"}, {1, " ns"}}};
  const std::int64_t count = how_long.count();
  for (const unit& one : units) {
    if (count < one.size) continue;
    const std::int64_t whole = count / one.size;
    std::string text = std::to_string(whole);
    // Three digits in all; zeros at the end say nothing.
    std::string rest = padded(count % one.size * 1'000 / one.size, 3);
    rest.resize(text.size() >= 3 ? 0 : 3 - text.size());
    while (rest.ends_with('0')) rest.pop_back();
    if (!rest.empty()) text += "." + rest;
    return text.append(one.name);
  }
  return "0 s";
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string count_of(std::uint64_t number, std::string_view thing) {
  return with_commas(number).append(" ").append(thing).append(number == 1 ? "" : "s");
}

std::string short_words(const message& one, std::size_t length_max) {
  switch (one.what) {
    case parcel::ask: return "connect :" + std::to_string(one.target.port);
    case parcel::agree: return "accept";
    case parcel::acknowledge: return "ack";
    case parcel::end: return "end";
    case parcel::reset: return "reset";
    case parcel::refusal: return "refused";
    case parcel::unreachable: return "no such port";
    case parcel::bytes:
    case parcel::datagram: break;
  }
  return payload_words(one, length_max);
}

std::string remark_of(const message& one) {
  std::string words(one.is_copy ? "a copy that the network has made" : "");
  if (one.remark.empty()) return words;
  return words.append(words.empty() ? "" : ", ").append(one.remark);
}

std::string long_words(const message& one, const recording& in) {
  const auto end = [&](std::uint32_t host, const end_name& at) {
    std::string text = host == message::nobody ? std::string() : in.hosts()[host].name + " ";
    return text + to_string(endpoint(at.at, at.port));
  };
  std::string text(name_of(one.what));
  if (one.connection != 0) text += " " + std::to_string(one.connection);
  text += "\n" + end(one.from, one.source) + " → " + end(one.to, one.target);
  text += "\nleft at " + in_seconds(one.left) + " s";
  if (one.became == fate::came) text += ", came at " + in_seconds(one.over) + " s";
  if (one.became == fate::lost) text += ", lost at " + in_seconds(one.over) + " s";
  if (one.became == fate::under_way) text += ", still under way at the end";
  if (const std::string remark = remark_of(one); !remark.empty()) text += "\n" + remark;
  if (one.what != parcel::bytes && one.what != parcel::datagram) return text;
  constexpr std::size_t shown_max = 400;
  text += "\n" + count_of(one.size, "byte");
  std::string shown = readable(one.payload);
  if (shown.size() > shown_max) shown = shown.substr(0, shown_max) + " …";
  if (!shown.empty()) text += ": " + shown;
  return text;
}

}  // namespace soquete::sim
