// What stands above a picture.
#include "world/picture_head.hpp"

#include <algorithm>
#include <array>

#include "world/words.hpp"

namespace soquete::sim {
namespace {

constexpr int line_step = 17, sign_step = 20;
constexpr int first_line = 34, second_line = 55;
constexpr int small_letter = 6;  // Of words beside signs.

std::string arrow(std::string_view sort, std::string_view line) {
  return svg()
      .raw("<g class=\"")
      .raw(sort)
      .raw(" arrow\"><line class=\"")
      .raw(line)
      .raw("\" x2=\"26\"/><path class=\"tip\" d=\"M30 0l-8-4v8z\"/></g>")
      .take();
}

}  // namespace

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string picture_head::title() const {
  return (about_.name.empty() ? std::string("A simulated history") : about_.name) + ", seed " +
         std::to_string(about_.seed);
}

std::string picture_head::failure(std::size_t length_max) const {
  std::string line = about_.failure.substr(0, about_.failure.find('\n'));
  // The time stands beside it already.
  if (scene_.failed != 0 && line.starts_with("at "))
    if (const std::size_t colon = line.find(": "); colon != line.npos) line.erase(0, colon + 2);
  if (line.size() > length_max) line = line.substr(0, length_max - 1) + "…";
  return line;
}

std::vector<picture_head::sign> picture_head::signs() const {
  const auto any = [this](auto what) { return std::ranges::any_of(scene_.arrows, what); };
  const auto any_route = [this](bool route::* what) {
    return std::ranges::any_of(routes_, [what](const route& one) { return one.*what; });
  };
  const auto any_span = [this](mark::kind what) {
    return std::ranges::any_of(scene_.spans, [what](const auto& one) { return one.what == what; });
  };
  struct sort {
    std::string_view name;
    std::string_view words;
  };
  constexpr std::array<sort, 5> sorts{{{"stream", "bytes of a stream"},
                                       {"datagram", "datagram"},
                                       {"copy", "copy made by the network"},
                                       {"control", "begin and end of a stream"},
                                       {"reset", "reset, refusal"}}};
  std::vector<sign> all;
  for (const sort& one : sorts)
    if (any([&](const scene::arrow& each) { return sort_of(*each.of) == one.name; }))
      all.push_back({arrow(one.name, "on"), one.words});
  if (any([](const scene::arrow& one) { return is_late(*one.of); }))
    all.push_back({arrow("control", "on late"), "late"});
  if (any_route(&route::is_lost)) all.push_back({R"(<path class="cross" d="M8-4l8 8m0-8l-8 8"/>)", "lost"});
  if (any_route(&route::is_held))
    all.push_back({R"(<g class="control arrow"><path class="on held" d="M12-8v12"/>)"
                   R"(<path class="tip" d="M8 2h8l-4 7z"/></g>)",
                   "held up"});
  if (any_span(mark::kind::cut))
    all.push_back({R"(<rect class="hatched" x="8" y="-7" width="7" height="14"/>)", "link cut"});
  if (any_span(mark::kind::paused))
    all.push_back({R"(<rect class="pause" x="8" y="-7" width="7" height="14" rx="3"/>)", "paused"});
  if (any_span(mark::kind::crashed))
    all.push_back({R"(<line class="down" x1="12" x2="12" y1="-7" y2="8"/>)", "down"});
  if (!scene_.gaps.empty())
    all.push_back({R"(<line class="gapdots" x1="12" x2="12" y1="-7" y2="8"/>)", "time cut short"});
  return all;
}

// What is left out is told.
std::vector<std::string> picture_head::notes() const {
  std::vector<std::string> all;
  if (scene_.before != 0) all.push_back(count_of(scene_.before, "earlier message") + " left out");
  if (scene_.after != 0) all.push_back(count_of(scene_.after, "later message") + " left out");
  if (scene_.hosts_out != 0)
    all.push_back(count_of(scene_.hosts_out, "more host") + " left out, with " +
                  count_of(scene_.between_hosts_out, "message"));
  if (scene_.marks_out) all.emplace_back("some crashes, pauses and cuts left out");
  all.emplace_back("times in seconds, distances not to scale");
  all.emplace_back("acknowledgements not drawn");
  return all;
}

// Lines that fit the width.
std::vector<std::string> picture_head::lines() const {
  const auto fits = static_cast<std::size_t>((scene_.width - 2 * paper_margin) / small_letter);
  std::vector<std::string> all;
  std::string line;
  for (const std::string& one : notes()) {
    const std::string more = (line.empty() ? "" : "  ·  ") + one;
    if (!line.empty() && characters(line) + characters(more) > fits) {
      all.push_back(line);
      line = one;
    } else {
      line += more;
    }
  }
  all.push_back(line);
  return all;
}

// Calls with each sign and its place. Gives the height of all.
template <class Each>
int picture_head::lay_out(Each each) const {
  int x = paper_margin, y = 0;
  for (const sign& one : signs()) {
    const int width = 58 + static_cast<int>(one.words.size()) * small_letter;
    if (x + width > scene_.width && x != paper_margin) {
      x = paper_margin;
      y += sign_step;
    }
    each(one, x, y);
    x += width;
  }
  return y + sign_step;
}

int picture_head::height() const {
  return second_line + static_cast<int>(lines().size()) * line_step + 24 + lay_out([](auto&, int, int) {});
}

void picture_head::paint(svg& into) const {
  into.add("<text class=\"head\" x=\"#\" y=\"#\">", paper_margin, first_line).words(title()).raw("</text>\n");
  int y = second_line;
  const auto fits = static_cast<std::size_t>((scene_.width - 2 * paper_margin) / letter_width);
  into.add(about_.failure.empty() ? "<text x=\"#\" y=\"#\">" : "<text class=\"bad\" x=\"#\" y=\"#\">",
           paper_margin, y);
  into.words(about_.failure.empty() ? count_of(scene_.arrows.size(), "message") + " between " +
                                          count_of(scene_.columns.size(), "host")
                                    : "fails: " + failure(fits - 7));
  into.raw("</text>\n");
  for (const std::string& line : lines()) {
    y += line_step;
    into.add("<text class=\"small\" x=\"#\" y=\"#\">", paper_margin, y).words(line).raw("</text>\n");
  }
  y += 24;
  lay_out([&](const sign& one, int x, int down) {
    into.add("<g transform=\"translate(# #)\">", x, y + down).raw(one.drawn);
    into.raw("<text class=\"small\" x=\"38\" y=\"4\">").words(one.words).raw("</text></g>\n");
  });
}

}  // namespace soquete::sim
