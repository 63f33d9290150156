// A history as a space-time diagram.  SVG 1.1
#include "world/picture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "world/labels.hpp"
#include "world/picture_head.hpp"
#include "world/picture_style.hpp"
#include "world/route.hpp"
#include "world/svg.hpp"
#include "world/words.hpp"

namespace soquete::sim {
namespace {

constexpr int line_height = 14;
constexpr int foot_height = 64;
constexpr std::size_t words_max = 26;  // Of a label.

int round(double x) { return static_cast<int>(std::lround(x)); }

class painter {
 public:
  painter(const recording& of, const caption& about)
      : of_(of), scene_(arrange(of)), routes_(routes_of(scene_)), head_(about, scene_, routes_) {}

  std::string paint() {
    for (const route& one : routes_) {
      places_.add_line(one.from, one.bend);
      if (one.is_held) places_.add_line(one.bend, one.to);
    }
    const int top = head_.height();
    const int height = top + scene_.bottom + foot_height;
    out_.add(R"(<svg xmlns="http://www.w3.org/2000/svg" width="#" height="#" viewBox="0 0 # #">)",
             scene_.width, height, scene_.width, height);
    out_.raw("\n").title(head_.title()).raw("\n").raw(picture_style);
    out_.add("<rect class=\"paper\" width=\"#\" height=\"#\"/>\n", scene_.width, height);
    head_.paint(out_);
    out_.add("<g transform=\"translate(0 #)\">\n", top);
    paint_times();
    paint_lives();
    paint_gaps();
    paint_rules();
    for (std::size_t i = 0; i != routes_.size(); ++i) paint_arrow(i);
    place_words_of_hosts();
    for (std::size_t i = 0; i != routes_.size(); ++i) place_label(i);
    place_names_beside();
    out_.raw(labels_.take());
    paint_names();
    paint_foot();
    out_.add("</g>\n</svg>\n");
    return out_.take();
  }

 private:
  int x_of(std::uint32_t host) const {
    const scene::column* const found = scene_.find(host);
    return found == nullptr ? 0 : found->x;
  }
  std::string name_of(std::uint32_t host) const {
    return host == message::nobody ? std::string("nobody") : of_.hosts()[host].name;
  }

  // Lines ------------------------------------------------------------------------------------------------

  void paint_times() {
    std::vector<int> told;
    std::set<moment> moments;
    const auto paint = [&](bool begins) {
      for (const scene::row& one : scene_.rows) {
        if (one.begins != begins || moments.contains(one.at)) continue;
        constexpr int apart = 13;
        if (std::ranges::any_of(told, [&](int y) { return std::abs(y - one.y) < apart; })) continue;
        told.push_back(one.y);
        moments.insert(one.at);
        out_.add("<text class=\"mono small end\" x=\"84\" y=\"#\">", one.y + 4)
            .words(in_seconds(one.at))
            .add("</text><line class=\"faint\" x1=\"89\" x2=\"#\" y1=\"#\" y2=\"#\"/>\n",
                 scene_.columns.front().x - 6, one.y, one.y);
      }
    };
    if (scene_.columns.empty()) return;
    paint(true);
    paint(false);
  }

  void paint_lives() {
    for (const scene::column& one : scene_.columns) {
      int y = scene_.top;
      for (const scene::span& down : scene_.spans) {
        if (down.what != mark::kind::crashed || down.on != one.host) continue;
        line("life", one.x, y, one.x, down.from);
        out_.raw("<g>").title(span_words(down));
        line("down", one.x, down.from, one.x, down.to);
        out_.raw("</g>\n");
        y = down.to;
      }
      line("life", one.x, y, one.x, scene_.bottom);
    }
    for (const scene::span& one : scene_.spans) paint_span(one);
  }

  void line(std::string_view sort, int x1, int y1, int x2, int y2) {
    if (x1 == x2 && y1 == y2) return;
    out_.add("<line class=\"").raw(sort).add("\" x1=\"#\" y1=\"#\" x2=\"#\" y2=\"#\"/>\n", x1, y1, x2, y2);
  }

  std::string span_words(const scene::span& one) const {
    std::string text = name_of(one.on);
    if (one.what == mark::kind::crashed) text += " is down";
    if (one.what == mark::kind::paused) text += " stands still";
    if (one.what == mark::kind::cut)
      text += is_isolation(one) ? " is cut off from all others"
                                : ": nothing passes from here to " + name_of(one.other);
    text += "\nfrom " + in_seconds(one.begins) + " s";
    if (one.ends == moment::max()) return text + " to the end";
    return text + " to " + in_seconds(one.ends) + " s, " + duration_words(one.ends - one.begins);
  }

  static bool is_isolation(const scene::span& one) {
    return one.what == mark::kind::cut && one.other == message::nobody;
  }

  // At which side of a host's line its link to the other is told.
  int side_of(const scene::span& one) const { return x_of(one.other) < x_of(one.on) ? -1 : 1; }

  void paint_span(const scene::span& one) {
    const int x = x_of(one.on);
    const int height = std::max(one.to - one.from, 4);
    out_.raw("<g>").title(span_words(one));
    if (one.what == mark::kind::paused)
      out_.add("<rect class=\"pause\" x=\"#\" y=\"#\" width=\"7\" height=\"#\" rx=\"3\"/>", x - 4, one.from,
               height);
    for (const int side : {-1, 1})
      if (one.what == mark::kind::cut && (is_isolation(one) || side == side_of(one)))
        out_.add("<rect class=\"hatched\" x=\"#\" y=\"#\" width=\"7\" height=\"#\"/>",
                 side < 0 ? x - 14 : x + 7, one.from, height);
    if (one.what == mark::kind::crashed && one.has_begin)
      out_.add("<path class=\"cross\" d=\"M# #l10 10m0-10l-10 10\"/>", x - 5, one.from - 5);
    if (one.what == mark::kind::crashed && one.has_end)
      out_.add("<circle class=\"up\" cx=\"#\" cy=\"#\" r=\"4\"/>", x, one.to);
    out_.raw("</g>\n");
  }

  void paint_gaps() {
    for (const scene::gap& one : scene_.gaps) {
      for (const scene::column& each : scene_.columns) {
        line("gap", each.x, one.from + 8, each.x, one.to - 8);
        line("gapdots", each.x, one.from + 8, each.x, one.to - 8);
      }
      out_.add("<text class=\"small end\" x=\"84\" y=\"#\">", (one.from + one.to) / 2 + 4)
          .words("⋮ " + duration_words(one.how_long))
          .add("</text>\n");
    }
  }

  void paint_rules() {
    const int right = scene_.width - paper_margin;
    if (scene_.failed != 0) {
      line("badline", 92, scene_.failed, right, scene_.failed);
      rule_words("bad", scene_.failed, head_.failure(static_cast<std::size_t>(right - 100) / letter_width));
    }
    if (scene_.ending != 0 && std::abs(scene_.ending - scene_.failed) > line_height) {
      line("endline", 92, scene_.ending, right, scene_.ending);
      rule_words("control", scene_.ending, "the run is over: programs are asked to end");
    }
  }

  void rule_words(std::string_view sort, int y, std::string_view words) {
    labels_.add("<text class=\"label ")
        .raw(sort)
        .add("\" x=\"98\" y=\"#\">", y + 15)
        .words(words)
        .add("</text>\n");
    const double width = static_cast<double>(characters(words)) * letter_width;
    places_.take({{98 + width / 2, y + 10.0}, width, line_height, 0});
  }

  // Arrows -----------------------------------------------------------------------------------------------

  static std::string path_of(const route& r) {
    svg d;
    if (r.is_loop) {
      const double y = std::max(r.to.y, r.from.y + 10);
      return d
          .add("M# #C# #,# #,# #", round(r.from.x), round(r.from.y), round(r.from.x) + 44, round(r.from.y),
               round(r.from.x) + 44, round(y), round(r.from.x) + 2, round(y))
          .take();
    }
    return d.add("M# #L# #", round(r.from.x), round(r.from.y), round(r.bend.x), round(r.bend.y)).take();
  }

  void paint_arrow(std::size_t i) {
    const message& of = *scene_.arrows[i].of;
    const route& r = routes_[i];
    out_.add("<g class=\"arrow ").raw(sort_of(of)).add("\">").title(long_words(of, of_));
    const std::string path = path_of(r);
    out_.add("<path class=\"hit\" d=\"").raw(path).add("\"/><path class=\"");
    out_.raw(is_late(of) ? "on late" : "on").add("\" d=\"").raw(path).add("\"/>");
    if (r.is_held)
      out_.add("<path class=\"hit\" d=\"M# #L# #\"/><path class=\"on held\" d=\"M# #L# #\"/>",
               round(r.bend.x), round(r.bend.y), round(r.to.x), round(r.to.y), round(r.bend.x),
               round(r.bend.y), round(r.to.x), round(r.to.y));
    if (r.is_lost)
      out_.add("<path class=\"cross\" d=\"M# #l8 8m0-8l-8 8\"/>", round(r.to.x) - 4, round(r.to.y) - 4);
    else if (r.is_open)
      out_.add("<circle class=\"tip\" cx=\"#\" cy=\"#\" r=\"2\"/>", round(r.to.x), round(r.to.y));
    else
      paint_tip(r);
    if (of.is_from_the_way)
      out_.add("<path class=\"tip\" d=\"M# #l3-7l3 7l7 3l-7 3l-3 7l-3-7l-7-3z\"/>", round(r.from.x) - 3,
               round(r.from.y) - 3);
    out_.add("</g>\n");
  }

  void paint_tip(const route& r) {
    const point back = r.is_held ? r.bend : r.from;
    double x = r.to.x - back.x, y = r.to.y - back.y;
    point tip = r.to;
    if (r.is_loop) {
      x = -1;
      y = 0;
      tip = {r.from.x + 1, std::max(r.to.y, r.from.y + 10)};
    }
    const int degrees = round(std::atan2(y, x) * 180 / std::numbers::pi);
    out_.add("<path class=\"tip\" transform=\"translate(# #) rotate(#)\" d=\"M0 0l-9-4v8z\"/>", round(tip.x),
             round(tip.y), degrees);
  }

  // Words ------------------------------------------------------------------------------------------------

  // What happens to hosts is told beside their lines.
  void place_words_of_hosts() {
    for (const scene::remark& one : scene_.remarks) beside("cut", x_of(one.on), one.y, one.words, 1);
    for (const scene::span& one : scene_.spans) {
      if (!one.has_begin && one.what != mark::kind::cut) continue;
      const int x = x_of(one.on);
      const std::string how_long =
          one.ends == moment::max() ? "" : " " + duration_words(one.ends - one.begins);
      if (one.what == mark::kind::crashed) {
        beside("bad", x, one.from, "crashes", 1);
        if (one.has_end) beside("control", x, one.to, "starts again", 1);
      }
      if (one.what == mark::kind::paused) beside("pause", x, one.from + 5, "pauses" + how_long, 1);
      if (is_isolation(one))
        beside("cut", x + 10, one.from + 7, "cut off" + how_long, 1);
      else if (one.what == mark::kind::cut)
        beside("cut", x + side_of(one) * 10, one.from + 7, "cut to " + name_of(one.other) + how_long,
               side_of(one));
    }
  }

  // The first free place at or below this height.
  void beside(std::string_view sort, int x, int y, const std::string& words, int side) {
    const double width = static_cast<double>(characters(words)) * letter_width;
    constexpr int tries = 4;
    for (int i = 0; i != tries; ++i) {
      const int lower = y + i * line_height;
      const plate at{{x + side * (10 + width / 2), lower + 0.0}, width, line_height, 0};
      if (!places_.is_free(at)) continue;
      places_.take(at);
      labels_.add("<text class=\"label ").raw(sort).add(side < 0 ? " end" : "");
      labels_.add("\" x=\"#\" y=\"#\">", x + side * 10, lower + 4).words(words).add("</text>\n");
      return;
    }
  }

  void place_label(std::size_t i) {
    const message& of = *scene_.arrows[i].of;
    const route& r = routes_[i];
    if (r.is_loop) {
      beside(sort_of(of), round(r.from.x) + 28, round((r.from.y + std::max(r.to.y, r.from.y + 10)) / 2),
             short_words(of, words_max), 1);
      return;
    }
    const double length = std::hypot(r.bend.x - r.from.x, r.bend.y - r.from.y);
    const auto fits = static_cast<std::size_t>(std::max(0.0, length - 30) / letter_width);
    for (const std::size_t length_max : {std::min(words_max, fits), std::min<std::size_t>(12, fits)}) {
      const std::string words = short_words(of, length_max);
      const double width = static_cast<double>(characters(words)) * letter_width;
      plate at{};
      if (!places_.place(r.from, r.bend, width, line_height - 2, at)) continue;
      labels_.add("<text class=\"label mid ").raw(sort_of(of)).add("\" transform=\"");
      labels_.add("translate(# #) rotate(#)\" y=\"4\">", round(at.middle.x), round(at.middle.y),
                  round(at.angle * 180 / std::numbers::pi));
      labels_.words(words).add("</text>\n");
      return;
    }
    ++labels_out_;
  }

  // Where neither end of a line is seen, its name stands beside it.
  void place_names_beside() {
    constexpr int apart = 900;
    for (int y = scene_.top + apart; y + apart / 2 < scene_.bottom; y += apart)
      for (const scene::column& one : scene_.columns)
        beside("control", one.x, y, of_.hosts()[one.host].name, 1);
  }

  void paint_names() {
    for (const scene::column& one : scene_.columns) {
      const std::string& name = of_.hosts()[one.host].name;
      std::string addresses;
      for (const address& each : of_.hosts()[one.host].addresses)
        addresses += (addresses.empty() ? "" : "  ") + to_string(each);
      const int width = std::max(static_cast<int>(characters(name)) * 9, 60) + 20;
      for (const int y : {scene_.top - 40, scene_.bottom}) {
        out_.raw("<g>").title(name + "\n" + addresses);
        out_.add("<rect class=\"box\" x=\"#\" y=\"#\" width=\"#\" height=\"24\" rx=\"6\"/>",
                 one.x - width / 2, y, width);
        out_.add("<text class=\"name mid\" x=\"#\" y=\"#\">", one.x, y + 17).words(name).raw("</text></g>\n");
      }
      out_.add("<text class=\"small mid\" x=\"#\" y=\"#\">", one.x, scene_.top - 2)
          .words(addresses)
          .add("</text>\n");
    }
  }

  void paint_foot() {
    if (labels_out_ == 0) return;
    out_.add("<text class=\"small\" x=\"#\" y=\"#\">", paper_margin, scene_.bottom + 48)
        .words(count_of(labels_out_, "arrow") +
               " without words, for want of room: rest the mouse on one to read them")
        .add("</text>\n");
  }

  const recording& of_;
  const scene scene_;
  const std::vector<route> routes_;
  const picture_head head_;
  label_places places_;
  std::size_t labels_out_ = 0;
  svg out_;
  svg labels_;  // On top of everything.
};

}  // namespace

std::string picture_of(const recording& of, const caption& about) { return painter(of, about).paint(); }

}  // namespace soquete::sim
