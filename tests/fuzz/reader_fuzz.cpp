// Any bytes as a stream, cut anywhere: lines and pieces come out as a simple search of the whole would say.
#include <cstdint>
#include <cstdlib>
#include <soquete/memory.hpp>
#include <soquete/reader.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <string>
#include <vector>

namespace {

using namespace soquete;

constexpr std::size_t most = 50;

void must(bool law) {
  if (!law) std::abort();
}

// What is asked of a reader, one after the other, by a byte each.
struct question {
  enum class kind : std::uint8_t { line, until, exactly, some } what;
  std::size_t size;
};
question of_byte(std::uint8_t b) noexcept {
  return {static_cast<question::kind>(b % 4), std::size_t{b} / 4 % 16};
}
const std::string delimiter = "aab";

// The answer, and whether there is one; `rest` is what is left of the stream.
std::string answer(const question& q, std::string_view& rest) {
  const auto take = [&](std::size_t size, std::size_t drop) {
    const std::string text(rest.substr(0, size));
    rest.remove_prefix(drop);
    return "+" + text;
  };
  const std::string end = "-end", too_long = "-long";
  switch (q.what) {
    case question::kind::line: {
      const std::size_t feed = rest.find('\n');
      std::size_t size = std::min(feed, rest.size());
      const std::size_t whole = size;
      if (size != 0 && rest[size - 1] == '\r') --size;
      if (size > most) return too_long;
      if (feed != rest.npos) return take(size, whole + 1);
      return rest.empty() ? end : take(size, whole);
    }
    case question::kind::until: {
      const std::size_t at = rest.find(delimiter);
      if (at != rest.npos && at <= most) return take(at, at + delimiter.size());
      // Without one: too long as soon as that is certain, which the end of the stream may forestall.
      const std::size_t undecided = std::min(rest.size(), delimiter.size() - 1);
      return at != rest.npos || rest.size() - undecided > most ? too_long : end;
    }
    case question::kind::exactly: return rest.size() < q.size ? end : take(q.size, q.size);
    case question::kind::some: return {};  // As it was cut.
  }
  return {};
}

std::string told(const result<std::string>& got) {
  if (got) return "+" + *got;
  must(got.error() == fault::line_too_long || got.error() == fault::end_of_stream);
  return got.error() == fault::line_too_long ? "-long" : "-end";
}

task<result<void>> send_cut(memory::stream& to, std::string_view text, std::size_t step) {
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size())))
    co_await ok(to.send(text.substr(0, step)));
  co_return to.finish();
}

task<result<void>> ask_all(memory::stream& from, std::string_view questions, std::string_view rest) {
  reader in(from);
  for (const char b : questions) {
    const question q = of_byte(static_cast<std::uint8_t>(b));
    if (q.what == question::kind::some) {
      const std::string got = co_await ok(in.some(q.size));
      must(rest.starts_with(got) && got.size() <= q.size);
      rest.remove_prefix(got.size());
      continue;
    }
    const std::string expected = answer(q, rest);
    std::string got;
    if (q.what == question::kind::exactly) {
      std::vector<std::byte> room(q.size);
      auto filled = co_await in.exactly(room);
      got = filled ? "+" + std::string(as_text(bytes(room))) : "-end";
    } else if (q.what == question::kind::line) {
      got = told(co_await in.line(most));
    } else {
      got = told(co_await in.until(delimiter, most));
    }
    must(got == expected);
    must(in.buffered().size() <= rest.size());
  }
  co_return {};
}

task<result<void>> play(std::string_view questions, std::string_view text, std::size_t step,
                        std::size_t room) {
  auto ends = memory::pair(room);
  auto both = [&](scope& s) -> task<result<void>> {
    s.spawn(send_cut(ends.second, text, step));
    auto asked = co_await ask_all(ends.first, questions, text);
    must(asked.has_value());
    s.cancel();
    co_return {};
  };
  co_return co_await with_scope(both);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static context here(driver_choice::poll);
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t asked = std::min<std::size_t>(data[0] % 16U, size - 2);
  const std::string_view questions = all.substr(2, asked), text = all.substr(2 + asked);
  static_cast<void>(here.wait(play(questions, text, 1 + data[1] % 32U, 1 + data[1] / 8U)));
  static_cast<void>(here.wait(play(questions, text, std::max<std::size_t>(text.size(), 1), 64 * 1024)));
  return 0;
}
