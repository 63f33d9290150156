// Any bytes as a stream of messages: cut anywhere it comes apart alike, and goes together again.
#include "framing.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace command;
using soquete::as_text;
using soquete::bytes;

constexpr std::size_t most = 300;

void must(bool law) {
  if (!law) std::abort();
}

struct outcome {
  std::vector<std::string> messages;
  bool is_whole = true;
  friend bool operator==(const outcome&, const outcome&) = default;
};

bool drain(unframer& from, bool is_last, outcome& told) {
  for (;;) {
    const auto got = is_last ? from.last() : from.next();
    if (!got) return told.is_whole = false;
    if (!*got) return true;
    must((*got)->size() <= most);
    told.messages.emplace_back(as_text(**got));
  }
}

outcome taken_apart(framing how, bytes stream, std::size_t step) {
  unframer one(how, most);
  outcome told;
  for (; !stream.empty(); stream = stream.subspan(std::min(step, stream.size()))) {
    one.add(stream.first(std::min(step, stream.size())));
    if (!drain(one, false, told)) return told;
  }
  drain(one, true, told);
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto how = static_cast<framing>(1 + data[0] % 4);
  const bytes stream(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  const outcome whole = taken_apart(how, stream, std::max<std::size_t>(stream.size(), 1));
  must(taken_apart(how, stream, 1 + data[1] % 16U) == whole);
  must(taken_apart(how, stream, 1) == whole);
  if (!whole.is_whole) return 0;
  std::vector<std::byte> again;
  for (const std::string& one : whole.messages)
    must(append_framed(again, how, soquete::as_bytes(one)).has_value());
  // But for carriage returns and a missing last delimiter it is the same stream.
  if (how == framing::len16 || how == framing::len32)
    must(std::equal(again.begin(), again.end(), stream.begin(), stream.end()));
  if (how == framing::nul) must(taken_apart(how, again, 3) == whole);
  return 0;
}
