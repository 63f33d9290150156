// The one place that puts errors into words.
#include <soquete/error.hpp>

#include <array>
#include <cassert>
#include <cstdio>
#include <utility>

namespace soquete {

struct error::circumstances {
  std::string subject;
  std::string local;
  std::string detail;
  std::vector<attempt> attempts;
};

namespace {

class fault_words final : public std::error_category {
  const char* name() const noexcept override { return "soquete"; }

  std::string message(int value) const override {
    switch (static_cast<fault>(value)) {
      case fault::end_of_stream: return "the peer ended the stream too early";
      case fault::line_too_long: return "no end of line within the limit";
      case fault::bad_address: return "not an address";
      case fault::name_not_found: return "name not found";
      case fault::stream_broken: return "an earlier send ended part-way, so the stream cannot go on";
      case fault::not_inherited: return "no such socket was passed to this process";
      case fault::unsupported: return "not supported here";
      case fault::peer_refused: return "the peer refused";
    }
    return "unknown fault";
  }
};

// strerror speaks to programmers of 1980; only the words that would mislead are replaced.
std::string words(const std::error_code& cause) {
  std::string text = cause == std::errc::operation_canceled ? "cancelled"
                     : cause == std::errc::timed_out        ? "timed out"
                                                            : cause.message();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z'))
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

// A peer's words go to a terminal: none of them may steer it.
std::string printable(std::string_view text) {
  std::string plain(text);
  for (char& c : plain)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  return plain;
}

std::string milliseconds(std::chrono::nanoseconds took) {
  std::array<char, 32> text{};
  const double ms = std::chrono::duration<double, std::milli>(took).count();
  std::snprintf(text.data(), text.size(), "%.1f ms", ms);
  return text.data();
}

}  // namespace

const std::error_category& fault_category() noexcept {
  static const fault_words only;
  return only;
}

std::error_code make_error_code(fault cause) noexcept { return {static_cast<int>(cause), fault_category()}; }

std::string_view to_string(step during) noexcept {
  switch (during) {
    case step::none: return "";
    case step::parse: return "read address";
    case step::resolve: return "resolve";
    case step::start_driver: return "start driver";
    case step::open: return "open socket";
    case step::adopt: return "adopt descriptor";
    case step::set_option: return "set option";
    case step::get_option: return "get option";
    case step::bind: return "bind";
    case step::listen: return "listen";
    case step::accept: return "accept";
    case step::connect: return "connect";
    case step::receive: return "receive";
    case step::send: return "send";
    case step::shutdown: return "shutdown";
    case step::wait: return "wait";
    case step::post: return "post";
    case step::run: return "run";
  }
  return "";
}

error::error(const error& other) : cause_(other.cause_), during_(other.during_) {
  if (other.more_ != nullptr) more_ = new circumstances(*other.more_);
}

error& error::operator=(const error& other) {
  if (this != &other) *this = error(other);
  return *this;
}

error::error(error&& other) noexcept
    : cause_(other.cause_), during_(other.during_), more_(std::exchange(other.more_, nullptr)) {}

error& error::operator=(error&& other) noexcept {
  cause_ = other.cause_;
  during_ = other.during_;
  std::swap(more_, other.more_);
  return *this;
}

error::~error() { delete more_; }

error::circumstances& error::more() {
  if (more_ == nullptr) more_ = new circumstances;
  return *more_;
}

std::string_view error::subject() const noexcept { return more_ ? more_->subject : std::string_view(); }
std::string_view error::local() const noexcept { return more_ ? more_->local : std::string_view(); }
std::string_view error::detail() const noexcept { return more_ ? more_->detail : std::string_view(); }
std::span<const attempt> error::attempts() const noexcept {
  return more_ ? std::span<const attempt>(more_->attempts) : std::span<const attempt>();
}

error& error::set_step(step during) noexcept { return during_ = during, *this; }
error& error::set_subject(std::string_view whom) { return more().subject = whom, *this; }
error& error::set_local(std::string_view ours) { return more().local = ours, *this; }
error& error::set_detail(std::string_view text) { return more().detail = text, *this; }
error& error::add_attempt(attempt one) { return more().attempts.push_back(std::move(one)), *this; }

std::string to_string(const error& why) {
  std::string text(to_string(why.during()));
  if (!why.subject().empty()) text.append(text.empty() ? "" : " ").append(why.subject());
  if (!why.local().empty()) text.append(" (from ").append(why.local()).append(")");
  if (!text.empty()) text += ": ";
  text += words(why.code());
  if (!why.detail().empty()) text.append(" (").append(printable(why.detail())).append(")");
  for (const attempt& one : why.attempts())
    text.append("\n    ")
        .append(one.peer)
        .append(" ")
        .append(words(one.cause))
        .append(" (")
        .append(milliseconds(one.took))
        .append(")");
  return text;
}

}  // namespace soquete
