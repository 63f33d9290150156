// The picture of a simulated history: all that happens is in it, no words lie on others, and what is left out
// is told.  docs/simulation.md
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <regex>
#include <soquete/sim.hpp>
#include <soquete/soquete.hpp>

#include "echo.hpp"
#include "world/labels.hpp"
#include "world/words.hpp"

namespace soquete::test {
namespace {

using namespace std::chrono_literals;

task<result<void>> say(std::string_view where, std::string words, int count, std::chrono::milliseconds rest) {
  tcp::stream peer = co_await ok(tcp::connect(where));
  for (int i = 0; i != count; ++i) {
    co_await ok(peer.send(words + std::to_string(i)));
    lease got = co_await ok(peer.receive());
    if (rest != 0ms) co_await ok(sleep(rest));
  }
  co_return {};
}

// It does not matter how it ends.
task<result<void>> whatever(task<result<void>> what) {
  static_cast<void>(co_await std::move(what));
  co_return {};
}

task<result<void>> hear_datagrams() {
  auto s = co_await ok(udp::bind(":9"));
  for (;;) static_cast<void>(co_await ok(s.receive()));
}

task<result<void>> send_datagrams(std::string_view where, int count) {
  auto s = co_await ok(udp::connect(where));
  for (int i = 0; i != count; ++i) {
    static_cast<void>(co_await s.send("news " + std::to_string(i)));
    co_await ok(sleep(1ms));
  }
  co_return {};
}

// One of everything that can happen, by script.
void everything(sim::world& w) {
  sim::host& server = w.host("server");
  sim::host& one = w.host("one");
  sim::host& two = w.host("two");
  w.link(server, one, {.delay = {500us, 500us}});
  w.link(server, two, {.delay = {500us, 700us}, .loss = 0.3, .duplicates = 0.3});
  server.spawn([] { return whatever(tcp::serve(":7", echo<tcp::stream>)); });
  server.spawn([] { return whatever(hear_datagrams()); });
  one.spawn([] { return whatever(say("server:7", "<bytes> & \"more\" ", 8, 1ms)); });
  one.spawn([] { return whatever(say("server:8", "", 1, 0ms)); });
  two.spawn([] { return whatever(send_datagrams("server:9", 12)); });
  two.spawn([] { return whatever(send_datagrams("server:10", 2)); });
  two.spawn([] { return whatever(send_datagrams("localhost:10", 1)); });
  w.at(3200us, [&] { w.partition(server, one); });
  w.at(6ms, [&] { w.heal(); });
  w.at(7ms, [&] { two.pause(2ms); });
  w.at(12ms, [&] { server.crash(); });
  w.at(2s, [&] { server.restart(); });
  w.at(3s, [&w] { w.always(false, "the world is good"); });
  w.run_for(1h);
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string fresh_folder() {
  std::string made = testing::TempDir() + "sim_picture-XXXXXX";
  EXPECT_NE(::mkdtemp(made.data()), nullptr);
  return made;
}

std::string drawn(const sim::scenario& what, std::uint64_t seed = 1) {
  const std::string folder = fresh_folder();
  sim::world w(seed);
  w.keep_history();
  what(w);
  EXPECT_TRUE(w.draw(folder + "/it.svg"));
  std::string text = text_of(folder + "/it.svg");
  std::filesystem::remove_all(folder);
  return text;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::size_t count_in(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(sim_picture, everything_that_happens_is_drawn) {
  const std::string svg = drawn(everything);
  // Signs are explained only where they are used.
  for (const char* sign :
       {"bytes of a stream", "datagram", "copy made by the network", "begin and end of a stream",
        "reset, refusal", "lost", "held up", "link cut", "paused", "down", "time cut short"})
    EXPECT_TRUE(has(svg, std::string("\">") + sign + "</text></g>")) << sign;
  for (const char* words :
       {"connect :7", "accept", "refused", "reset", "no such port", "cut to one 2.8 ms", "pauses 2 ms",
        "crashes", "starts again", "fails: not so: the world is good (sim_picture_test"})
    EXPECT_TRUE(has(svg, words)) << words;
  EXPECT_TRUE(has(svg, "&lt;bytes&gt; &amp; &quot;more&quot; 0</text>"));
  EXPECT_TRUE(has(svg, "one [fd00::2]:"));
  EXPECT_TRUE(has(svg, "<title>server is down\nfrom 0.012000 s to 2.000000 s, 1.98 s</title>"));
  EXPECT_TRUE(has(svg, "\nheld up where the link is cut\n"));
}

TEST(sim_picture, a_host_that_is_cut_off_from_all_is_told_once) {
  const auto cut_off = [](bool from_all) {
    return [from_all](sim::world& w) {
      std::vector<sim::host*> all;
      for (const char* name : {"one", "two", "three", "four"}) all.push_back(&w.host(name));
      all[0]->spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
      all[1]->spawn([] { return whatever(say("one:7", "word ", 3, 1ms)); });
      w.at(2ms, [&w, all, from_all] {
        for (std::size_t i = 1; i != (from_all ? 4U : 3U); ++i) w.partition(*all[0], *all[i]);
      });
      w.at(3ms, [&w] { w.heal(); });
      w.run_for(1h);
    };
  };
  const std::string from_all = drawn(cut_off(true));
  EXPECT_TRUE(has(from_all, "<title>one is cut off from all others\n"));
  EXPECT_EQ(count_in(from_all, "<rect class=\"hatched\" x=\"8\""), 1U);  // What the sign means,
  EXPECT_EQ(count_in(from_all, "<rect class=\"hatched\""), 3U);          // and both sides of the line.
  EXPECT_TRUE(has(from_all, ">cut off 1 ms<"));
  const std::string from_some = drawn(cut_off(false));
  EXPECT_FALSE(has(from_some, "cut off"));
  EXPECT_TRUE(has(from_some, ">cut to two 1 ms<"));
  EXPECT_EQ(count_in(from_some, "<rect class=\"hatched\""), 5U);
}

TEST(sim_picture, what_does_not_happen_is_not_explained) {
  const std::string svg = drawn([](sim::world& w) {
    w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
    w.host("client").spawn([] { return say("server:7", "word ", 1, 0ms); });
    w.run_for(1h);
  });
  EXPECT_TRUE(has(svg, "bytes of a stream"));
  for (const char* sign :
       {"copy made", "reset, refusal", "lost", "held up", "link cut", "paused", "down<", "fails"})
    EXPECT_FALSE(has(svg, sign)) << sign;
  // Two ends, both ways of two words, and two packets before.
  EXPECT_EQ(count_in(svg, "<g class=\"arrow "), 6U);
  EXPECT_EQ(count_in(svg, "<g class=\"arrow stream\""), 2U);
}

// A reader of XML as far as the picture uses it: what is wrong with it.
std::string fault_of_xml(const std::string& text) {
  std::vector<std::string> open;
  const std::regex tag(R"re(<(/?)([a-zA-Z]+)((?: [a-zA-Z0-9:-]+="[^"<]*")*)(/?)>)re");
  const std::regex entity("&(amp|lt|gt|quot);");
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '&') {
      std::smatch found;
      if (!std::regex_search(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), found, entity,
                             std::regex_constants::match_continuous))
        return "a bare & at " + text.substr(at, 40);
    }
    if (text[at] != '<') {
      ++at;
      continue;
    }
    std::smatch found;
    if (!std::regex_search(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), found, tag,
                           std::regex_constants::match_continuous))
      return "no tag: " + text.substr(at, 60);
    at += static_cast<std::size_t>(found.length());
    if (found[4].length() != 0) continue;
    if (found[1].length() == 0) {
      open.push_back(found[2]);
    } else {
      if (open.empty() || open.back() != found[2]) return "closes what is not open: " + found[0].str();
      open.pop_back();
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

TEST(sim_picture, it_is_well_formed) {
  EXPECT_EQ(fault_of_xml(drawn(everything)), "");
  EXPECT_NE(fault_of_xml("<g><text>a & b</text></g>"), "");
  EXPECT_NE(fault_of_xml("<g><text>a</g>"), "");
}

// Where the words of a picture are.
std::vector<std::pair<sim::plate, std::string>> plates_of(const std::string& svg) {
  std::vector<std::pair<sim::plate, std::string>> all;
  const std::regex turned(R"re(<text class="label mid [a-z]+" transform="translate\((-?\d+) (-?\d+)\) )re"
                          R"re(rotate\((-?\d+)\)" y="4">([^<]*)<)re");
  const std::regex straight(R"re(<text class="label [a-z]+( end)?" x="(-?\d+)" y="(-?\d+)">([^<]*)<)re");
  const auto width_of = [](const std::string& words) {
    const std::string plain = std::regex_replace(words, std::regex("&[a-z]+;|[\x80-\xbf]+"), "x");
    return 6.0 * static_cast<double>(plain.size());
  };
  constexpr double height = 9;
  for (std::sregex_iterator at(svg.begin(), svg.end(), turned), end; at != end; ++at)
    all.push_back({{{std::stod((*at)[1]), std::stod((*at)[2])},
                    width_of((*at)[4]),
                    height,
                    std::stod((*at)[3]) * std::numbers::pi / 180},
                   (*at)[4]});
  for (std::sregex_iterator at(svg.begin(), svg.end(), straight), end; at != end; ++at) {
    const double width = width_of((*at)[4]);
    const double side = (*at)[1].length() != 0 ? -1 : 1;
    all.push_back(
        {{{std::stod((*at)[2]) + side * width / 2, std::stod((*at)[3]) - 4}, width, height, 0}, (*at)[4]});
  }
  return all;
}

void expect_no_words_on_others(const std::string& svg) {
  const auto all = plates_of(svg);
  EXPECT_GT(all.size(), 5U);
  for (std::size_t i = 0; i != all.size(); ++i)
    for (std::size_t k = i + 1; k != all.size(); ++k)
      EXPECT_FALSE(sim::overlap(all[i].first, all[k].first))
          << all[i].second << " and " << all[k].second << " at " << all[i].first.middle.y;
}

TEST(sim_picture, plates_that_are_turned_overlap_or_not) {
  const sim::plate flat{{0, 0}, 40, 10, 0};
  EXPECT_TRUE(sim::overlap(flat, {{19, 9}, 40, 10, 0}));
  EXPECT_FALSE(sim::overlap(flat, {{0, 11}, 40, 10, 0}));
  EXPECT_FALSE(sim::overlap(flat, {{40, 5}, 60, 10, std::numbers::pi / 4}));
  EXPECT_TRUE(sim::overlap(flat, {{35, 5}, 60, 10, std::numbers::pi / 4}));
}

TEST(sim_picture, what_is_the_matter_with_a_name_stands_beside_the_host_that_asked) {
  std::string all;
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    all += drawn(
        [](sim::world& w) {
          w.host("server").spawn([] { return whatever(tcp::serve(":7", echo<tcp::stream>)); });
          w.faults(sim::swarm().only(sim::fault::name));
          w.host("client").spawn([] { return whatever(say("server:7", "word ", 1, 0ms)); });
          w.run_for(1h);
        },
        seed);
  for (const char* words : {"cannot look up server, ", "hears late of server, ", "hears of a part of server<",
                            "hears in another order of server<"})
    EXPECT_TRUE(has(all, words)) << words;
}

// Three that talk at once, on a network with every fault.
void busy(sim::world& w) {
  sim::host& server = w.host("server");
  w.usual_link({.delay = {100us, 5ms}, .loss = 0.1, .duplicates = 0.1});
  w.faults(sim::swarm());
  server.spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
  for (const char* name : {"one", "two", "three"}) {
    sim::host& client = w.host(name);
    client.spawn([] { return whatever(say("server:7", "something to say ", 10, 0ms)); });
    client.spawn([] { return whatever(send_datagrams("server:9", 10)); });
  }
  w.run_for(1h);
}

TEST(sim_picture, no_words_lie_on_others) {
  expect_no_words_on_others(drawn(everything));
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) expect_no_words_on_others(drawn(busy, seed));
}

TEST(sim_picture, a_long_history_is_cut_and_says_so) {
  const auto long_talk = [](bool fails) {
    return [fails](sim::world& w) {
      w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
      w.host("client").spawn([] { return whatever(say("server:7", "word ", 1000, 1ms)); });
      if (fails) w.at(500500us, [&w] { w.always(false, "half"); });
      w.run_for(1h);
    };
  };
  // SYN, SYN-ACK, a thousand words there and back, an end each.
  const std::string svg = drawn(long_talk(false));
  EXPECT_EQ(count_in(svg, "<g class=\"arrow "), 160U);
  EXPECT_TRUE(has(svg, "1,844 earlier messages left out"));
  // What went wrong is in the middle, and both sides of it are seen.
  const std::string half = drawn(long_talk(true));
  EXPECT_TRUE(has(half, ">not so: half"));
  std::smatch found;
  ASSERT_TRUE(std::regex_search(half, found, std::regex(">([0-9,]+) earlier messages left out")));
  EXPECT_EQ(fault_of_xml(half), "");
}

TEST(sim_picture, of_many_hosts_the_busiest_are_drawn_and_the_others_told) {
  const std::string svg = drawn([](sim::world& w) {
    w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
    for (int i = 0; i != 50; ++i)
      w.host("client" + std::to_string(i)).spawn([i] { return say("server:7", "word ", i / 10 + 1, 1ms); });
    w.run_for(1h);
  });
  EXPECT_EQ(count_in(svg, "<text class=\"name mid\""), 20U);  // Ten, at both ends of their lines.
  EXPECT_TRUE(has(svg, "41 more hosts left out, with "));
  EXPECT_TRUE(has(svg, ">server</text>"));
  EXPECT_TRUE(has(svg, ">client40</text>"));
  EXPECT_FALSE(has(svg, ">client5</text>"));
}

TEST(sim_picture, time_in_which_nothing_happens_takes_no_room_and_is_told) {
  const std::string svg = drawn([](sim::world& w) {
    w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
    w.host("client").spawn([] { return whatever(say("server:7", "word ", 3, 1h)); });
    w.run_for(24h);
  });
  EXPECT_GE(count_in(svg, ">⋮ 3600 s<"), 2U);
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, std::regex("height=\"(\\d+)\"")));
  EXPECT_LT(std::stoi(found[1]), 1200);
}

TEST(sim_picture, a_recording_changes_nothing) {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    sim::world plain(seed), kept(seed);
    kept.keep_history();
    busy(plain);
    busy(kept);
    EXPECT_EQ(plain.trace_hash(), kept.trace_hash());
    EXPECT_EQ(plain.events(), kept.events());
  }
  EXPECT_EQ(drawn(busy, 3), drawn(busy, 3));
}

// Of what is on its way when a recording begins nothing is drawn, and nothing else is taken for it.
TEST(sim_picture, a_recording_may_begin_at_any_time) {
  const std::string folder = fresh_folder();
  sim::world w(1);
  sim::host& server = w.host("server");
  sim::host& client = w.host("client");
  w.link(server, client, {.delay = {10ms, 10ms}});
  server.spawn([] { return whatever(tcp::serve(":7", echo<tcp::stream>)); });
  client.spawn([]() -> task<result<void>> {
    tcp::stream peer = co_await ok(tcp::connect("server:7"));
    for (int i = 0; i != 8; ++i) {
      co_await ok(peer.send("word " + std::to_string(i)));
      co_await ok(sleep(4ms));
    }
    co_return {};
  });
  w.advance(27ms);  // Two words are on their way.
  w.keep_history();
  w.run_for(1h);
  ASSERT_TRUE(w.draw(folder + "/it.svg"));
  const std::string svg = text_of(folder + "/it.svg");
  std::filesystem::remove_all(folder);
  EXPECT_FALSE(has(svg, "left at 0.024000 s"));
  EXPECT_TRUE(has(svg, "left at 0.028000 s, came at 0.038000 s\n6 bytes: word 2<")) << svg;
}

TEST(sim_picture, what_cannot_be_written_is_told) {
  sim::world w(1);
  const auto nothing = w.draw(testing::TempDir() + "nothing.svg");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error(), std::errc::invalid_argument);
  w.keep_history();
  const auto nowhere = w.draw("/nonexistent/picture.svg");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error(), std::errc::io_error);
}

TEST(sim_picture, a_check_that_fails_draws_it_where_it_is_asked_to) {
  const std::string folder = fresh_folder();
  const auto failure = [] {
    try {
      sim::check({.seeds = 9}, [](sim::world& w) {
        w.host("server").spawn([] { return tcp::serve(":7", echo<tcp::stream>); });
        w.host("client").spawn([] { return say("server:7", "word ", 3, 1ms); });
        w.at(3ms, [&w] { w.always(w.seed() != 4, "not four"); });
        w.run_for(1h);
      });
    } catch (const sim::failed& why) {
      return std::string(why.what());
    }
    return std::string();
  };
  const std::string without = failure();
  EXPECT_TRUE(has(without, "SOQUETE_SIM_SEED=4 SOQUETE_SIM_DRAW=. ")) << without;
  EXPECT_FALSE(has(without, "drawn: ")) << without;
  ::setenv("SOQUETE_SIM_DRAW", (folder + "/new").c_str(), 1);
  const std::string with = failure();
  ::unsetenv("SOQUETE_SIM_DRAW");
  const std::string file = folder + "/new/sim_picture.a_check_that_fails_draws_it_where_it_is_asked_to-4";
  EXPECT_TRUE(has(with, "drawn: " + file + ".svg\n")) << with;
  EXPECT_TRUE(has(with, "drawn: " + file + ".pcapng\n")) << with;
  EXPECT_TRUE(has(text_of(file + ".svg"), "not so: not four"));
  EXPECT_FALSE(text_of(file + ".pcapng").empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder + "/new"), {}), 2);
  std::filesystem::remove_all(folder);
  ::setenv("SOQUETE_SIM_DRAW", "/dev/null/nowhere", 1);
  const std::string nowhere = failure();
  ::unsetenv("SOQUETE_SIM_DRAW");
  EXPECT_EQ(count_in(nowhere, "not drawn: "), 2U) << nowhere;
}

TEST(sim_words, durations_are_short) {
  EXPECT_EQ(sim::duration_words(0ns), "0 s");
  EXPECT_EQ(sim::duration_words(999ns), "999 ns");
  EXPECT_EQ(sim::duration_words(500us), "500 µs");
  EXPECT_EQ(sim::duration_words(1500us), "1.5 ms");
  EXPECT_EQ(sim::duration_words(9987ms), "9.98 s");
  EXPECT_EQ(sim::duration_words(1h), "3600 s");
  EXPECT_EQ(sim::in_seconds(12041373999ns), "12.041374");
  EXPECT_EQ(sim::with_commas(1234567), "1,234,567");
  EXPECT_EQ(sim::with_commas(123), "123");
}

}  // namespace
}  // namespace soquete::test
