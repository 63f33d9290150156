// A simulated history as packets: what Wireshark would read is read here, by the rules of the RFCs.
//
// Goal: the file is right to the last bit, without a Wireshark to ask. Method: a reader of pcapng, IP, TCP,
// UDP and ICMP of its own, which shares nothing with the writer; where there is a tshark, it is asked as
// well.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

#include "echo.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

using octets = std::vector<std::uint8_t>;

// A capture -----------------------------------------------------------------------------------------------

struct packet {
  std::string on;  // The interface.
  std::uint64_t nanoseconds = 0;
  octets whole;
  std::string comment;
};

struct capture {
  std::string about;
  std::vector<std::string> interfaces;
  std::map<std::string, std::string> names;  // Bytes of addresses, and hosts.
  std::vector<packet> packets;
};

class reader {
 public:
  explicit reader(std::string_view from) : left_(from) {}
  bool is_empty() const { return left_.empty(); }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const std::string_view part = take(size);
    for (std::size_t i = part.size(); i-- != 0;) value = value << 8 | static_cast<std::uint8_t>(part[i]);
    return value;
  }
  std::string_view take(std::size_t size) {
    if (size > left_.size()) ADD_FAILURE() << "cut short", size = left_.size();
    const std::string_view part = left_.substr(0, size);
    left_.remove_prefix(size);
    return part;
  }
  std::string_view padded(std::size_t size) {
    const std::string_view part = take(size);
    take((4 - size % 4) % 4);
    return part;
  }
  std::map<std::uint64_t, std::string> options() {
    std::map<std::uint64_t, std::string> all;
    while (!is_empty()) {
      const auto which = number(2);
      const auto size = number(2);
      if (which == 0) break;
      all[which] = padded(size);
    }
    EXPECT_TRUE(is_empty());
    return all;
  }

 private:
  std::string_view left_;
};

capture read(const std::string& text) {
  capture made;
  reader all(text);
  while (!all.is_empty()) {
    const auto sort = all.number(4);
    const auto size = all.number(4);
    EXPECT_EQ(size % 4, 0U);
    reader block(all.take(size - 12));
    EXPECT_EQ(all.number(4), size);
    if (sort == 0x0a0d0d0a) {
      EXPECT_EQ(block.number(4), 0x1a2b3c4dU);
      EXPECT_EQ(block.number(4), 1U);
      EXPECT_EQ(block.number(8), ~std::uint64_t{0});
      made.about = block.options()[1];
    } else if (sort == 1) {
      EXPECT_EQ(block.number(2), 101U);  // LINKTYPE_RAW
      block.take(6);
      auto options = block.options();
      EXPECT_EQ(options[9], "\x09");
      made.interfaces.push_back(options[2]);
    } else if (sort == 4) {
      for (;;) {
        const auto kind = block.number(2);
        const auto length = block.number(2);
        if (kind == 0) break;
        const std::string_view record = block.padded(length);
        const std::size_t address = kind == 1 ? 4 : 16;
        EXPECT_EQ(record.back(), '\0');
        made.names[std::string(record.substr(0, address))] = record.substr(address, length - address - 1);
      }
    } else {
      EXPECT_EQ(sort, 6U);
      packet one;
      one.on = made.interfaces.at(block.number(4));
      one.nanoseconds = block.number(4) << 32;
      one.nanoseconds |= block.number(4);
      const auto caught = block.number(4);
      EXPECT_EQ(block.number(4), caught);
      const std::string_view whole = block.padded(caught);
      one.whole.assign(whole.begin(), whole.end());
      one.comment = block.options()[1];
      if (!made.packets.empty()) EXPECT_GE(one.nanoseconds, made.packets.back().nanoseconds);
      made.packets.push_back(std::move(one));
    }
  }
  return made;
}

// Packets -------------------------------------------------------------------------------------------------

std::uint32_t big(const octets& of, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i != size; ++i) value = value << 8 | of.at(at + i);
  return value;
}

// Zero where it is right.  RFC 1071
std::uint32_t sum_of(const octets& of) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < of.size(); ++i) {
    sum += i % 2 == 0 ? of[i] << 8 : of[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

octets part(const octets& of, std::size_t from, std::size_t size = ~std::size_t{0}) {
  size = std::min(size, of.size() - from);
  return {of.begin() + static_cast<std::ptrdiff_t>(from),
          of.begin() + static_cast<std::ptrdiff_t>(from + size)};
}

struct ip {
  octets source, target, content;
  unsigned protocol = 0;
  std::uint32_t id = 0;
  std::size_t offset = 0;
  bool has_more = false;
  bool is_fragment() const { return has_more || offset != 0; }
};

ip read_ip(const octets& whole) {
  ip made;
  if (whole.at(0) >> 4 == 4) {
    EXPECT_EQ(whole[0], 0x45);
    EXPECT_EQ(big(whole, 2, 2), whole.size());
    EXPECT_EQ(sum_of(part(whole, 0, 20)), 0U);
    EXPECT_GT(whole[8], 0);
    made = {part(whole, 12, 4), part(whole, 16, 4), part(whole, 20), whole[9], big(whole, 4, 2)};
    made.offset = (big(whole, 6, 2) & 0x1fff) * 8;
    made.has_more = (big(whole, 6, 2) & 0x2000) != 0;
    return made;
  }
  EXPECT_EQ(whole[0] >> 4, 6);
  EXPECT_EQ(big(whole, 4, 2), whole.size() - 40);
  EXPECT_GT(whole[7], 0);
  made = {part(whole, 8, 16), part(whole, 24, 16), part(whole, 40), whole[6]};
  if (made.protocol == 44) {
    made.protocol = made.content[0];
    made.offset = big(made.content, 2, 2) & 0xfff8;
    made.has_more = (big(made.content, 2, 2) & 1) != 0;
    made.id = big(made.content, 4, 4);
    made.content = part(made.content, 8);
  }
  return made;
}

void expect_checksum(const ip& of) {
  octets all = of.source;
  all.insert(all.end(), of.target.begin(), of.target.end());
  const auto size = static_cast<std::uint32_t>(of.content.size());
  for (const std::uint32_t each : {size >> 24, size >> 16 & 0xff, size >> 8 & 0xff, size & 0xff, 0U, 0U, 0U})
    all.push_back(static_cast<std::uint8_t>(each));
  all.push_back(static_cast<std::uint8_t>(of.protocol));
  if (of.protocol == 1) all.clear();  // ICMP for IPv4 covers nothing of IP.
  all.insert(all.end(), of.content.begin(), of.content.end());
  EXPECT_EQ(sum_of(all), 0U) << "protocol " << of.protocol;
}

struct segment {
  std::uint32_t from, to, sequence, answer, flags, window;
  octets payload;
};

segment read_tcp(const ip& of) {
  const octets& c = of.content;
  const std::size_t header = (c.at(12) >> 4) * 4U;
  return {big(c, 0, 2), big(c, 2, 2), big(c, 4, 4), big(c, 8, 4), c.at(13), big(c, 14, 2), part(c, header)};
}

constexpr std::uint32_t fin = 1, syn = 2, rst = 4, ack = 16;

// Scenarios -----------------------------------------------------------------------------------------------

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string fresh_folder() {
  std::string made = testing::TempDir() + "sim_capture-XXXXXX";
  EXPECT_NE(::mkdtemp(made.data()), nullptr);
  return made;
}

std::string captured(const sim::scenario& what, std::uint64_t seed = 1) {
  const std::string folder = fresh_folder();
  sim::world w(seed);
  w.keep_history();
  what(w);
  EXPECT_TRUE(w.capture(folder + "/it.pcapng"));
  std::string text = text_of(folder + "/it.pcapng");
  std::filesystem::remove_all(folder);
  return text;
}

task<result<void>> send_all(tcp::stream& to, const std::string& message) {
  co_await ok(to.send(message));
  co_return to.finish();
}

task<result<void>> exchange(std::string where, std::string message) {
  tcp::stream peer = co_await ok(tcp::connect(where));
  auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(send_all(peer, message));
    for (;;) {
      lease data = co_await ok(peer.receive());
      if (data.empty()) co_return {};
    }
  };
  co_return co_await with_scope(both);
}

task<result<void>> send_one(std::string where, std::string message) {
  auto s = co_await ok(udp::connect(where));
  static_cast<void>(co_await s.send(message));
  static_cast<void>(co_await within(1s, s.receive()));
  co_return {};
}

task<result<void>> hear() {
  auto s = co_await ok(udp::bind(":9"));
  for (;;) static_cast<void>(co_await ok(s.receive()));
}

task<result<void>> until_asked(task<result<void>> what) {
  static_cast<void>(co_await std::move(what));
  co_return {};
}

// Bytes there and back, over the family of the addresses.
sim::scenario transfer(const std::vector<address>& servers, const std::vector<address>& clients,
                       const std::string& where, const std::string& message) {
  return [=](sim::world& w) {
    sim::host& server = w.host("server", {.addresses = servers});
    sim::host& client = w.host("client", {.addresses = clients});
    w.link(server, client, {.delay = {1ms, 2ms}});
    server.spawn([] { return until_asked(tcp::serve(":7", echo<tcp::stream>)); });
    server.spawn([] { return until_asked(hear()); });
    client.spawn([=] { return exchange(where + ":7", message); });
    client.spawn([=] { return send_one(where + ":9", message.substr(0, 20'000)); });
    client.spawn([=] { return send_one(where + ":10", "is anybody there?"); });
    client.spawn([=] { return send_one(where + ":11", message.substr(0, 3'000)); });
    w.run_for(1h);
  };
}

const std::vector<address> v4_server = {address::v4({10, 0, 0, 1})}, v4_client = {address::v4({10, 0, 0, 2})};

std::string numbered_lines(std::size_t size) {
  std::string made;
  for (int i = 0; made.size() < size; ++i) made += "line " + std::to_string(i) + "\n";
  made.resize(size);
  return made;
}

// What TCP carries, by direction, put together as a receiver would.
std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> streams_of(const capture& all) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> made;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> next;
  for (const packet& one : all.packets) {
    const ip in = read_ip(one.whole);
    if (in.protocol != 6) continue;
    expect_checksum(in);
    const segment s = read_tcp(in);
    const std::pair way(s.from, s.to);
    const std::pair back(s.to, s.from);
    if ((s.flags & syn) != 0) {
      EXPECT_FALSE(next.contains(way));
      next[way] = s.sequence + 1;
    } else {
      EXPECT_EQ(s.sequence, next[way]);
    }
    if ((s.flags & ack) != 0) {
      EXPECT_TRUE(next.contains(back)) << "answers what never came";
      EXPECT_LE(static_cast<std::int32_t>(s.answer - next[back]), 0) << "answers what has not been sent";
    } else {
      EXPECT_EQ(s.flags, syn);
    }
    made[way].append(s.payload.begin(), s.payload.end());
    next[way] += static_cast<std::uint32_t>(s.payload.size()) + ((s.flags & fin) != 0 ? 1 : 0);
  }
  return made;
}

TEST(sim_capture, a_stream_is_whole_in_segments_that_fit) {
  const std::string message = numbered_lines(100'000);
  for (const bool is_v4 : {false, true}) {
    const capture all = read(captured(is_v4 ? transfer(v4_server, v4_client, "server", message)
                                            : transfer({}, {}, "server", message)));
    EXPECT_EQ(all.interfaces, (std::vector<std::string>{"server", "client"}));
    EXPECT_EQ(all.names.size(), is_v4 ? 2U : 4U);
    EXPECT_EQ(all.about, "a simulated history, seed 1");
    const auto streams = streams_of(all);
    ASSERT_EQ(streams.size(), 2U);
    for (const auto& [ports, bytes] : streams) EXPECT_EQ(bytes, message);
    std::size_t longest = 0;
    for (const packet& one : all.packets) {
      longest = std::max(longest, one.whole.size());
      const octets source = read_ip(one.whole).source;
      EXPECT_EQ(all.names.at(std::string(source.begin(), source.end())), one.on);
    }
    EXPECT_EQ(longest, 1500U);
  }
}

TEST(sim_capture, a_connection_begins_and_ends_as_tcp_says) {
  const capture all = read(captured(transfer({}, {}, "server", "hello")));
  std::vector<std::string> told;
  for (const packet& one : all.packets) {
    const ip in = read_ip(one.whole);
    if (in.protocol != 6) continue;
    const segment s = read_tcp(in);
    std::string words = one.on + ":";
    if ((s.flags & syn) != 0) words += " SYN";
    if ((s.flags & fin) != 0) words += " FIN";
    if ((s.flags & rst) != 0) words += " RST";
    if ((s.flags & ack) != 0) words += " ACK";
    words += std::string(s.payload.empty() ? "" : " ") + std::string(s.payload.begin(), s.payload.end());
    told.push_back(words);
  }
  const std::vector<std::string> first(told.begin(), told.begin() + 5);
  EXPECT_EQ(first, (std::vector<std::string>{"client: SYN", "server: SYN ACK", "client: ACK",
                                             "client: ACK hello", "client: FIN ACK"}));
  EXPECT_EQ(std::ranges::count(told, "server: ACK hello"), 1);
  EXPECT_EQ(std::ranges::count(told, "server: FIN ACK"), 1);
  EXPECT_EQ(std::ranges::count_if(told, [](const std::string& one) { return one.find("RST") != one.npos; }),
            0);
}

TEST(sim_capture, long_datagrams_are_in_fragments_and_refused_ones_are_answered) {
  const std::string message = numbered_lines(100'000);
  for (const bool is_v4 : {false, true}) {
    const capture all = read(captured(is_v4 ? transfer(v4_server, v4_client, "server", message)
                                            : transfer({}, {}, "server", message)));
    std::map<std::uint32_t, ip> open;
    std::map<std::uint32_t, std::string> heard;  // By port.
    std::size_t refusals = 0, fragments = 0;
    for (const packet& one : all.packets) {
      ip in = read_ip(one.whole);
      if (in.protocol == 6) continue;
      if (in.is_fragment()) {
        ++fragments;
        ip& whole = open.try_emplace(in.id, ip{in.source, in.target, {}, in.protocol}).first->second;
        ASSERT_EQ(whole.content.size(), in.offset);
        whole.content.insert(whole.content.end(), in.content.begin(), in.content.end());
        if (in.has_more) {
          EXPECT_EQ(in.content.size() % 8, 0U);
          continue;
        }
        in = whole;
      }
      if (in.protocol == 17) {
        expect_checksum(in);
        EXPECT_EQ(big(in.content, 4, 2), in.content.size());
        heard[big(in.content, 2, 2)].assign(in.content.begin() + 8, in.content.end());
        continue;
      }
      EXPECT_EQ(in.protocol, is_v4 ? 1U : 58U);
      expect_checksum(in);
      EXPECT_EQ(big(in.content, 0, 2), is_v4 ? 0x0303U : 0x0104U);
      const octets quoted = part(in.content, 8);
      EXPECT_EQ(part(quoted, is_v4 ? 12 : 8, in.target.size()), in.target);
      const std::size_t udp = is_v4 ? 20 : 40;
      const std::uint32_t port = big(quoted, udp + 2, 2);
      const std::string said(quoted.begin() + static_cast<std::ptrdiff_t>(udp) + 8, quoted.end());
      EXPECT_EQ(said, heard[port].substr(0, 512)) << port;
      EXPECT_EQ(big(quoted, udp + 4, 2), heard[port].size() + 8) << port;
      ++refusals;
    }
    EXPECT_EQ(heard[9], message.substr(0, 20'000));
    EXPECT_EQ(heard[10], "is anybody there?");
    EXPECT_EQ(heard[11], message.substr(0, 3'000));
    EXPECT_EQ(fragments, 14U + 3U);
    EXPECT_EQ(refusals, 2U);
  }
}

TEST(sim_capture, what_is_lost_or_late_has_a_comment) {
  const std::string text = captured([](sim::world& w) {
    sim::host& server = w.host("server");
    sim::host& client = w.host("client");
    w.link(server, client, {.loss = 0.5, .duplicates = 0.5});
    server.spawn([] { return until_asked(hear()); });
    server.spawn([] { return until_asked(tcp::serve(":7", echo<tcp::stream>)); });
    for (int i = 0; i != 20; ++i) client.spawn([] { return send_one("server:9", "news"); });
    client.spawn([] { return exchange("server:7", "hello"); });
    w.at(700us, [&] { w.partition(server, client); });
    w.at(10min, [&] { w.heal(); });
    w.run_for(1h);
  });
  std::map<std::string, int> comments;
  for (const packet& one : read(text).packets) ++comments[one.comment];
  EXPECT_GT(comments[""], 0);
  EXPECT_GT(comments["lost: lost on the way, at 0.000000 s"], 0);
  EXPECT_GT(comments["a copy that the network has made; came 500 µs after it left"], 0);
  const auto has = [&](std::string_view words) {
    return std::ranges::any_of(comments,
                               [&](const auto& one) { return one.first.find(words) != one.first.npos; });
  };
  EXPECT_TRUE(has("held up where the link is cut; came ") || has("lost where the link is cut"));
}

// Wireshark's own opinion.
TEST(sim_capture, tshark_has_nothing_to_object) {
  if (std::system("tshark --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no tshark here";
  const std::string folder = fresh_folder();
  const std::string message = numbered_lines(100'000);
  for (const bool is_v4 : {false, true}) {
    std::ofstream(folder + "/it.pcapng", std::ios::binary) << captured(
        is_v4 ? transfer(v4_server, v4_client, "server", message) : transfer({}, {}, "server", message));
    // Flags of analysis are also news of windows, which are true.
    const std::string command =
        "tshark -r " + folder +
        "/it.pcapng -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE"
        " -o ip.check_checksum:TRUE -Y '_ws.malformed or (tcp.analysis.flags and not "
        "tcp.analysis.window_update "
        "and not tcp.analysis.window_full and not tcp.analysis.zero_window) or ip.checksum.status == 0 or "
        "tcp.checksum.status == 0 or "
        "udp.checksum.status == 0 or icmp.checksum.status == 0 or icmpv6.checksum.status == 0' >" +
        folder + "/said 2>" + folder + "/complaints";
    ASSERT_EQ(std::system(command.c_str()), 0) << text_of(folder + "/complaints");
    EXPECT_EQ(text_of(folder + "/said"), "");
  }
  std::filesystem::remove_all(folder);
}

TEST(sim_capture, what_is_for_many_has_left_once) {
  const address group = address::v4({239, 1, 2, 3});
  const capture all = read(captured([&](sim::world& w) {
    w.usual_link({.loss = 1});
    for (const char* name : {"two", "three"})
      w.host(name).spawn([&]() -> task<result<void>> {
        auto s = co_await ok(udp::bind("0.0.0.0:9"));
        co_await ok(s.join({.group = group}));
        static_cast<void>(co_await within(1s, s.receive()));
        co_return {};
      });
    w.host("one").spawn([&]() -> task<result<void>> {
      auto s = co_await ok(udp::bind("0.0.0.0:0"));
      for (int i = 0; i != 3; ++i) co_await ok(s.send_to({group, 9}, "news"));
      co_return {};
    });
    w.run_for(1h);
  }));
  EXPECT_EQ(all.packets.size(), 3U);
  for (const packet& each : all.packets) {
    EXPECT_EQ(read_ip(each.whole).target, (octets{239, 1, 2, 3}));
    const std::string lost = ": lost: lost on the way, at 0.000000 s";
    EXPECT_EQ(each.comment, "to two" + lost + "; to three" + lost);
  }
}

}  // namespace
}  // namespace soquete::test
