// A poller over kqueue(2): filters, flags and interest.
#include "kernel/kqueue.hpp"

#include <algorithm>
#include <cerrno>

namespace soquete::kernel {
namespace {

constexpr poll_token wake_token{~std::uint32_t{0}, ~std::uint32_t{0}};
// No system promises to take any number of seconds. Returning now and then without a reason is allowed.
constexpr std::chrono::hours longest_wait{24};

std::uint64_t pack(poll_token token) noexcept { return std::uint64_t{token.generation} << 32 | token.place; }

poll_token unpack(std::uint64_t data) noexcept {
  return {static_cast<std::uint32_t>(data), static_cast<std::uint32_t>(data >> 32)};
}

kqueue_event change(int descriptor, std::int16_t filter, std::uint16_t flags, poll_token token) noexcept {
  return {static_cast<std::uint64_t>(descriptor), filter, flags, 0, 0, pack(token)};
}

constexpr std::uint16_t to_add = kqueue_flag::add | kqueue_flag::clear;

}  // namespace

result<void> kqueue_poller::open() {
  std::array changes{change(0, kqueue_filter::user, to_add, wake_token)};
  if (const int done = change_now(changes); done < 0)
    return fail(std::error_code(-done, std::generic_category()), step::start_driver);
  return {};
}

kqueue_event kqueue_poller::adding(const interest& at, std::int16_t filter, poll_token token) noexcept {
  kqueue_event made = change(at.descriptor, filter, to_add, token);
  // A read stops before urgent bytes, though more is there and no edge will tell of it.
  if (filter == kqueue_filter::read) made.filter_flags = kqueue_note::urgent;
  if (at.is_device) {
    made.filter_flags = kqueue_note::enough;
    made.data = 1;
  }
  return made;
}

// Made at once, each answered for itself. Gives the first failure as -errno, or 0.
int kqueue_poller::change_now(std::span<kqueue_event> changes) noexcept {
  for (kqueue_event& one : changes) one.flags |= kqueue_flag::receipt;
  std::array<kqueue_event, 2> answers{};
  const timespec at_once{};
  const int got = calls_->exchange(changes, std::span(answers).first(changes.size()), &at_once);
  // All changes have been made, only the answers are lost.
  if (got == -EINTR) return 0;
  if (got < 0) return got;
  for (const kqueue_event& answer : std::span(answers).first(static_cast<std::size_t>(got)))
    if ((answer.flags & kqueue_flag::error) != 0 && answer.data != 0) return -static_cast<int>(answer.data);
  return 0;
}

int kqueue_poller::add(int descriptor, poll_token token) noexcept {
  if (token.place >= places_.size()) places_.resize(token.place + 1);
  interest made;
  made.descriptor = descriptor;
  made.generation = token.generation;
  made.is_changed = places_[token.place].is_changed;
  std::array changes{adding(made, kqueue_filter::read, token)};
  int done = change_now(changes);
  if (done == -EINVAL) {  // /dev/tty and the like.
    made.is_device = true;
    changes[0] = adding(made, kqueue_filter::read, token);
    done = change_now(changes);
  }
  // Some versions refuse a pipe whose other end has gone; events come all the same (tokio-rs/mio#582).
  if (done < 0 && done != -EPIPE) return done;
  places_[token.place] = made;
  return 0;
}

void kqueue_poller::want(int descriptor, poll_token token, bool reading, bool writing) noexcept {
  interest& at = places_[token.place];
  if (at.descriptor != descriptor || at.generation != token.generation) return;
  at.wants_write = writing;
  at.asks_again = reading || writing;
  if (at.is_changed) return;
  at.is_changed = true;
  changed_.push_back(token.place);
}

// close(2) would forget the filters itself, but the descriptor may also live on in other hands.
void kqueue_poller::remove(int descriptor, poll_token token) noexcept {
  interest& at = places_[token.place];
  if (at.descriptor != descriptor || at.generation != token.generation) return;
  std::array changes{change(descriptor, kqueue_filter::read, kqueue_flag::remove, token),
                     change(descriptor, kqueue_filter::write, kqueue_flag::remove, token)};
  // What is not there need not be removed: ENOENT is as good.
  change_now(std::span(changes).first(at.writes ? 2 : 1));
  // Changes that are still to be made would strike the next socket of this number.
  const bool is_changed = at.is_changed;
  at = {};
  at.is_changed = is_changed;
}

// The changes of interest since the last wait, as many as fit.
std::size_t kqueue_poller::collect_changes() noexcept {
  std::size_t count = 0;
  while (!changed_.empty() && count + 2 <= changes_.size()) {
    interest& at = places_[changed_.back()];
    const poll_token token{changed_.back(), at.generation};
    changed_.pop_back();
    at.is_changed = false;
    if (at.descriptor < 0) continue;
    // Adding what is there already asks the filter again: the kernel looks, and tells what is the case.
    if (at.asks_again) changes_[count++] = adding(at, kqueue_filter::read, token);
    if (at.wants_write)
      changes_[count++] = adding(at, kqueue_filter::write, token);
    else if (at.writes)
      changes_[count++] = change(at.descriptor, kqueue_filter::write, kqueue_flag::remove, token);
    at.writes = at.wants_write;
    at.asks_again = false;
  }
  return count;
}

std::span<const ready_event> kqueue_poller::wait(time_point now, time_point until) noexcept {
  using namespace std::chrono;
  ready_.clear();
  const auto left = std::clamp<clock::duration>(until - now, clock::duration::zero(), longest_wait);
  const std::size_t count = collect_changes();
  timespec span{duration_cast<seconds>(left).count(), static_cast<long>((left % seconds(1)).count())};
  if (!changed_.empty()) span = {};  // The rest goes with the next wait, so this one is short.
  const bool for_ever = until == time_point::max() && changed_.empty();
  const int got = calls_->exchange(std::span(changes_).first(count), events_, for_ever ? nullptr : &span);
  for (int i = 0; i < got; ++i) translate(events_[static_cast<std::size_t>(i)]);
  return ready_;
}

void kqueue_poller::translate(const kqueue_event& e) noexcept {
  const poll_token token = unpack(e.user_data);
  if (token.place == wake_token.place) return;
  if ((e.flags & kqueue_flag::error) != 0) {
    // A change that failed. What was to be removed has gone. What cannot be watched is tried instead: the
    // call finds the reason, as EPIPE for a pipe without a reader.
    if (e.data == 0 || e.data == ENOENT) return;
    ready_.push_back({token, true, true, true});
    return;
  }
  const bool is_end = (e.flags & kqueue_flag::end_of_file) != 0;
  if (e.filter == kqueue_filter::read) {
    const bool is_urgent = !is_end && (e.filter_flags & kqueue_note::urgent) != 0;
    const bool has_failed = is_end && e.filter_flags != 0;
    ready_.push_back({token, true, has_failed, is_end || is_urgent});
  } else if (e.filter == kqueue_filter::write) {
    ready_.push_back({token, false, true, false});
  }
}

void kqueue_poller::wake() noexcept {
  // From any thread, so it touches nothing of ours.
  const kqueue_event trigger{0, kqueue_filter::user, 0, kqueue_note::trigger, 0, pack(wake_token)};
  const timespec at_once{};
  while (calls_->exchange({&trigger, 1}, {}, &at_once) == -EINTR) {}
}

}  // namespace soquete::kernel
