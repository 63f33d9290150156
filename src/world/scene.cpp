// What of a history is drawn, and where.
#include "world/scene.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "world/words.hpp"

namespace soquete::sim {
namespace {

// More than these, and a picture is no longer read at a glance.
constexpr std::size_t hosts_max = 10;
constexpr std::size_t before_max = 160;  // Messages that leave before what went wrong,
constexpr std::size_t after_max = 40;    // and after it.
constexpr std::size_t marks_max = 200;

constexpr int margin_left = 118;
constexpr int margin_right = 150;
constexpr int apart_least = 210, apart_most = 320, apart_sum = 860;
constexpr int head = 30;          // From the top of the lines to the first row.
constexpr int row_least = 7;      // Between two moments,
constexpr int row_most = 62;      // beyond which a gap is told,
constexpr int row_of_gap = 48;    // and how high that is.
constexpr int label_height = 18;  // Between two departures from one host.
constexpr int usual_flight = 30;  // How far the usual message falls.

// What is drawn of messages: acknowledgements only where something is the matter with them.
bool is_worth_an_arrow(const message& one) noexcept {
  return one.what != parcel::acknowledge || !one.remark.empty() || one.became == fate::lost;
}

bool is_held_up(const message& one) noexcept {
  return one.due != one.left &&
         (one.became == fate::under_way
              ? !one.remark.empty() && one.remark != remark::slow && one.remark != remark::sent_again
              : one.over > one.due);
}

// One thing that has a height.
struct event {
  moment at;
  std::uint64_t order;  // At one moment: 0 for what arrives, then as messages leave, and marks between them.
  std::size_t part;
  enum class kind { left, due, over, mark } what;
  std::size_t of;

  auto key() const noexcept { return std::tuple(at, order, part); }
};

class arranger {
 public:
  explicit arranger(const recording& of) : of_(of) { made_.top = 46; }

  scene arrange() {
    find_failure();
    choose_hosts();
    choose_messages();
    choose_marks();
    list_events();
    set_heights();
    set_spans();
    merge_isolations();
    return std::move(made_);
  }

 private:
  void find_failure() {
    for (const mark& one : of_.marks())
      if (one.what == mark::kind::failed) {
        failure_ = one.at;
        break;
      }
  }

  // All hosts, or those that talk most around what went wrong.
  void choose_hosts() {
    const std::size_t count = of_.hosts().size();
    std::vector<std::uint32_t> chosen(count);
    for (std::uint32_t i = 0; i != count; ++i) chosen[i] = i;
    if (count > hosts_max) {
      std::vector<std::size_t> said(count, 0);
      std::size_t seen = 0;
      for (auto one = of_.messages().rbegin(); one != of_.messages().rend() && seen < before_max; ++one) {
        if (one->left > failure_ || !is_worth_an_arrow(*one)) continue;
        ++seen;
        ++said[one->from];
        if (one->to != message::nobody) ++said[one->to];
      }
      std::ranges::sort(chosen, [&](std::uint32_t a, std::uint32_t b) {
        return std::pair(said[b], a) < std::pair(said[a], b);
      });
      chosen.resize(hosts_max);
      std::ranges::sort(chosen);
      made_.hosts_out = count - hosts_max;
    }
    bring_together(chosen);
    const int gaps = std::max(1, static_cast<int>(chosen.size()) - 1);
    const int apart = std::clamp(apart_sum / gaps, apart_least, apart_most);
    int x = margin_left;
    for (const std::uint32_t host : chosen) {
      made_.columns.push_back({host, x});
      x += apart;
    }
    made_.width = std::max(x - apart + margin_right, 720);
  }

  // Those that talk to each other stand close: no exchange of two places would make arrows shorter.
  void bring_together(std::vector<std::uint32_t>& chosen) const {
    const std::size_t count = chosen.size();
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> talk;
    for (const message& one : of_.messages())
      if (one.to != message::nobody && is_worth_an_arrow(one)) ++talk[{one.from, one.to}];
    const auto length = [&] {
      std::uint64_t sum = 0;
      for (std::size_t a = 0; a != count; ++a)
        for (std::size_t b = 0; b != count; ++b)
          if (const auto found = talk.find({chosen[a], chosen[b]}); found != talk.end())
            sum += found->second * (a < b ? b - a : a - b);
      return sum;
    };
    std::uint64_t best = length();
    for (bool has_improved = true; has_improved;) {
      has_improved = false;
      for (std::size_t a = 0; a != count; ++a)
        for (std::size_t b = a + 1; b != count; ++b) {
          std::swap(chosen[a], chosen[b]);
          const std::uint64_t now = length();
          if (now < best) {
            best = now;
            has_improved = true;
          } else {
            std::swap(chosen[a], chosen[b]);
          }
        }
    }
  }

  bool is_between_chosen(const message& one) const noexcept {
    return made_.find(one.from) != nullptr && (one.to == message::nobody || made_.find(one.to) != nullptr);
  }

  void choose_messages() {
    std::vector<scene::arrow> all;
    std::uint64_t number = of_.forgotten();
    for (const message& one : of_.messages()) {
      ++number;
      if (!is_worth_an_arrow(one)) continue;
      if (is_between_chosen(one))
        all.push_back({&one, number, 0});
      else
        ++made_.between_hosts_out;
    }
    const auto later = std::ranges::find_if(all, [this](const auto& one) { return one.of->left > failure_; });
    const auto split = static_cast<std::size_t>(later - all.begin());
    const std::size_t first = split > before_max ? split - before_max : 0;
    const std::size_t last = std::min(all.size(), split + after_max);
    made_.before = first + of_.forgotten();
    made_.after = all.size() - last;
    made_.arrows.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                        all.begin() + static_cast<std::ptrdiff_t>(last));
    made_.begins_late = made_.before != 0;
    begin_ = made_.begins_late && first != last ? all[first].of->left : moment(0);
    end_ = moment(0);
    for (const auto& one : made_.arrows) end_ = std::max({end_, one.of->left, one.of->over});
    if (failure_ != moment::max()) end_ = std::max(end_, failure_);
    if (made_.after == 0) end_ = moment::max();
  }

  // Of a link both ends are drawn; of the world all is.
  bool is_shown(const mark& one) const noexcept {
    if (one.on == message::nobody) return true;
    return made_.find(one.on) != nullptr &&
           (one.other == message::nobody || made_.find(one.other) != nullptr);
  }

  void choose_marks() {
    std::size_t inside = 0;
    for (const mark& one : of_.marks()) {
      if (!is_shown(one)) continue;
      const bool is_inside = one.at >= begin_ && one.at <= end_;
      if (is_inside && one.what != mark::kind::failed && ++inside > marks_max) {
        made_.marks_out = true;
        continue;
      }
      marks_.push_back(one);
    }
    made_.marks_out |= of_.has_forgotten_marks();
  }

  void list_events() {
    using kind = event::kind;
    for (std::size_t i = 0; i != made_.arrows.size(); ++i) {
      const message& one = *made_.arrows[i].of;
      const std::uint64_t order = 2 * made_.arrows[i].number;
      events_.push_back({one.left, order, 0, kind::left, i});
      if (is_held_up(one))
        events_.push_back({one.due, one.due == one.left ? order : 0, 2 * i + 1, kind::due, i});
      if (one.became != fate::under_way && (one.became == fate::came || one.over != one.left))
        events_.push_back({one.over, one.over == one.left ? order : 0, 2 * i + 2, kind::over, i});
    }
    bool has_failed = false;
    for (std::size_t i = 0; i != marks_.size(); ++i) {
      const mark& one = marks_[i];
      if (one.at < begin_ || one.at > end_ || one.what == mark::kind::started) {
        const bool is_restart = one.what == mark::kind::started && one.at >= begin_ && is_down_before(i);
        if (!is_restart || one.at > end_) continue;
      }
      if (one.what == mark::kind::failed && std::exchange(has_failed, true)) continue;
      events_.push_back({one.at, 2 * one.after + 1, i, kind::mark, i});
    }
    std::ranges::sort(events_, {}, &event::key);
  }

  bool is_down_before(std::size_t index) const noexcept {
    for (std::size_t i = index; i-- != 0;)
      if (marks_[i].on == marks_[index].on &&
          (marks_[i].what == mark::kind::crashed || marks_[i].what == mark::kind::started))
        return marks_[i].what == mark::kind::crashed;
    return false;
  }

  // Pixels for a nanosecond, so that the usual message falls by the usual height.
  double scale() const {
    std::vector<moment::rep> flights;
    for (const auto& one : made_.arrows)
      if (one.of->due > one.of->left) flights.push_back((one.of->due - one.of->left).count());
    if (flights.empty()) return 0;
    const auto middle = flights.begin() + static_cast<std::ptrdiff_t>(flights.size() / 2);
    std::ranges::nth_element(flights, middle);
    return static_cast<double>(usual_flight) / static_cast<double>(*middle);
  }

  void set_heights() {
    const double each = scale();
    std::map<std::uint32_t, int> departures;  // The lowest so far, by host.
    std::map<std::uint32_t, int> lowest_marks;
    bool was_mark = false;
    int y = made_.top + head;
    moment at = events_.empty() ? moment(0) : events_.front().at;
    for (const event& one : events_) {
      const moment passed = one.at - at;
      const double height = static_cast<double>(passed.count()) * each;
      const int above = y;
      int step = one.order == 0 ? 3 : row_least;
      if (passed.count() != 0) step = std::max(row_least, static_cast<int>(std::min(height, 1e6)));
      const bool is_gap = step > row_most;
      if (is_gap) step = row_of_gap;
      y += step;
      if (one.what == event::kind::left) {
        const auto [found, is_first] = departures.try_emplace(made_.arrows[one.of].of->from, y);
        if (!is_first) y = std::max(y, found->second + label_height);
        found->second = y;
      }
      if (one.what == event::kind::mark) {
        const std::uint32_t on = marks_[one.of].on;
        // What happens to several hosts at once is as high.
        const bool is_same = passed.count() == 0 && was_mark && on != message::nobody;
        y = is_same ? above : y + (on == message::nobody ? 14 : 4);
        const auto [found, is_first] = lowest_marks.try_emplace(on, y);
        if (!is_first && one.at != at) y = std::max(y, found->second + label_height);
        found->second = y;
      }
      was_mark = one.what == event::kind::mark;
      if (is_gap) made_.gaps.push_back({above, y, passed});
      at = one.at;
      const bool begins = one.what == event::kind::left || one.what == event::kind::mark;
      made_.rows.push_back({one.at, y, begins});
      place(one, y);
      if (one.what == event::kind::mark && marks_[one.of].on == message::nobody) y += 12;
    }
    made_.bottom = y + 40;
  }

  void place(const event& one, int y) {
    switch (one.what) {
      case event::kind::left: made_.arrows[one.of].left = y; return;
      case event::kind::due: made_.arrows[one.of].due = y; return;
      case event::kind::over: made_.arrows[one.of].over = y; return;
      case event::kind::mark: break;
    }
    heights_[one.of] = y;
    const mark& of = marks_[one.of];
    if (of.what == mark::kind::remark)
      made_.remarks.push_back(
          {of.on, y, of.how_long.count() == 0 ? of.words : of.words + ", " + duration_words(of.how_long)});
    if (of.what == mark::kind::failed) {
      made_.failed = y;
      made_.failed_at = one.at;
    }
    if (of.what == mark::kind::ending) made_.ending = y;
  }

  void set_spans() {
    using kind = mark::kind;
    const auto ends = [](kind what) {
      return what == kind::crashed ? kind::started : what == kind::paused ? kind::resumed : kind::healed;
    };
    for (std::size_t i = 0; i != marks_.size(); ++i) {
      const mark& one = marks_[i];
      if (one.what != kind::crashed && one.what != kind::paused && one.what != kind::cut) continue;
      if (one.at > end_) continue;
      scene::span made{one.what,     one.on, one.other,     made_.top,
                       made_.bottom, one.at, moment::max(), heights_.contains(i),
                       false};
      if (made.has_begin) made.from = heights_[i];
      std::size_t k = i + 1;
      while (k != marks_.size() &&
             !(marks_[k].what == ends(one.what) && marks_[k].on == one.on && marks_[k].other == one.other))
        ++k;
      if (k != marks_.size()) {
        made.ends = marks_[k].at;
        if (made.ends < begin_) continue;
        made.has_end = heights_.contains(k);
        if (made.has_end) made.to = heights_[k];
      }
      made_.spans.push_back(made);
    }
  }

  // A host that is cut off from all others at once, both ways, is told once.
  void merge_isolations() {
    const std::size_t others = made_.columns.size() - 1;
    if (made_.columns.size() < 3) return;
    std::vector<scene::span>& all = made_.spans;
    for (const scene::column& column : made_.columns) {
      for (std::size_t i = 0; i < all.size(); ++i) {
        scene::span one = all[i];
        if (one.what != mark::kind::cut || one.on != column.host || one.other == message::nobody) continue;
        const auto is_of_it = [&](const scene::span& each) {
          return each.what == mark::kind::cut && each.begins == one.begins && each.ends == one.ends &&
                 each.other != message::nobody && (each.on == column.host || each.other == column.host);
        };
        if (static_cast<std::size_t>(std::ranges::count_if(all, is_of_it)) != 2 * others) continue;
        std::erase_if(all, is_of_it);
        one.other = message::nobody;
        all.push_back(one);
        i = 0;
      }
    }
  }

  const recording& of_;
  scene made_;
  moment failure_ = moment::max();
  moment begin_{};  // Of what is shown.
  moment end_{};
  std::vector<mark> marks_;
  std::vector<event> events_;
  std::map<std::size_t, int> heights_;  // Of marks.
};

}  // namespace

scene arrange(const recording& of) { return arranger(of).arrange(); }

}  // namespace soquete::sim
