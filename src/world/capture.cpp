// A history as packets for Wireshark.  draft-ietf-opsawg-pcapng
#include "world/capture.hpp"

#include <algorithm>

#include "world/packet.hpp"
#include "world/words.hpp"

namespace soquete::sim {
namespace {

constexpr std::uint32_t section_block = 0x0a0d0d0a, interface_block = 1, names_block = 4, packet_block = 6;
constexpr std::uint16_t end_of_options = 0, comment = 1, interface_name = 2, program = 4;
constexpr std::uint16_t time_resolution = 9, time_offset = 14;
constexpr std::uint16_t raw_ip = 101;  // LINKTYPE_RAW
// The beginning of a world is that of the year 2000.
constexpr std::uint64_t begins_at = 946'684'800;

// One block: its length stands at both of its ends, and each part of it fills words of four bytes.
class block_writer {
 public:
  block_writer& two(std::uint64_t value) { return number(value, 2); }
  block_writer& four(std::uint64_t value) { return number(value, 4); }
  block_writer& eight(std::uint64_t value) { return number(value, 8); }
  block_writer& all(std::string_view part) { return made_.append(part), *this; }
  block_writer& fill() {
    while (made_.size() % 4 != 0) made_ += '\0';
    return *this;
  }
  block_writer& option(std::uint16_t which, std::string_view value) {
    // Longer ones do not fit; nobody reads them either.
    constexpr std::size_t value_max = 4096;
    value = value.substr(0, value_max);
    return two(which).two(value.size()).all(value).fill();
  }

  std::string finish(std::uint32_t sort) const {
    const std::size_t size = made_.size() + 12;
    return block_writer().four(sort).four(size).all(made_).four(size).made_;
  }

 private:
  block_writer& number(std::uint64_t value, unsigned size) {
    for (; size != 0; --size, value >>= 8) made_ += static_cast<char>(value & 0xff);
    return *this;
  }

  std::string made_;
};

std::string section(const caption& about) {
  std::string words = (about.name.empty() ? std::string("a simulated history") : about.name) + ", seed " +
                      std::to_string(about.seed);
  if (!about.failure.empty()) words += "\n" + about.failure;
  block_writer b;
  b.four(0x1a2b3c4d).two(1).two(0).eight(~std::uint64_t{0});
  b.option(comment, words).option(program, "soquete").two(end_of_options).two(0);
  return b.finish(section_block);
}

std::string interface(const recording::host_name& of) {
  block_writer b;
  b.two(raw_ip).two(0).four(0).option(interface_name, of.name);
  b.option(time_resolution, "\x09");  // Nanoseconds.
  b.two(time_offset).two(8).eight(begins_at).two(end_of_options).two(0);
  return b.finish(interface_block);
}

std::string names(const recording& of) {
  block_writer b;
  for (const auto& host : of.hosts()) {
    for (const address& each : host.addresses) {
      const std::size_t size = each.octets().size() + host.name.size() + 1;
      b.two(each.is_v4() ? 1 : 2).two(size);
      for (const std::uint8_t one : each.octets())
        b.all(std::string_view(reinterpret_cast<const char*>(&one), 1));
      b.all(host.name).all(std::string_view("\0", 1)).fill();
    }
  }
  return b.four(0).finish(names_block);
}

// What stands beside it in Wireshark; nothing: all went well.
std::string comment_for(const message& one) {
  std::string words = remark_of(one);
  if (one.became == fate::lost) return "lost: " + words + ", at " + in_seconds(one.over) + " s";
  if (one.became == fate::under_way) return words.append(words.empty() ? "never came" : "; never came");
  if (!words.empty() && one.over != one.left)
    words += "; came " + duration_words(one.over - one.left) + " after it left";
  return words;
}

std::string packet(const message& one, const octets& whole, const std::string& words) {
  block_writer b;
  const auto when = static_cast<std::uint64_t>(one.left.count());
  b.four(one.from).four(when >> 32).four(when).four(whole.size()).four(whole.size());
  b.all({reinterpret_cast<const char*>(whole.data()), whole.size()}).fill();
  if (!words.empty()) b.option(comment, words).two(end_of_options).two(0);
  return b.finish(packet_block);
}

// The comments on what has left together.
class comments {
 public:
  void add(const recording& in, const message& one) {
    const std::string words = comment_for(one);
    if (words.empty()) return;
    if (!all_.empty()) all_ += "; ";
    if (one.is_for_many && one.to != message::nobody) all_ += "to " + in.hosts()[one.to].name + ": ";
    all_ += words;
  }
  const std::string& text() const noexcept { return all_; }

 private:
  std::string all_;
};

}  // namespace

std::string capture_of(const recording& of, const caption& about) {
  std::string made = section(about);
  for (const auto& host : of.hosts()) made += interface(host);
  made += names(of);
  std::uint64_t number = of.forgotten();
  const auto& all = of.messages();
  for (std::size_t i = 0; i != all.size(); ++i) {
    ++number;
    if (all[i].is_again) continue;
    comments words;
    words.add(of, all[i]);
    for (std::size_t k = i + 1; k != all.size() && all[k].is_again; ++k) words.add(of, all[k]);
    for (const octets& each : packets_of(all[i], number)) made += packet(all[i], each, words.text());
  }
  return made;
}

}  // namespace soquete::sim
