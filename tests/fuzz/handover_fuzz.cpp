// Any records with any number of descriptors as what give() might have sent, and as what a server answers to
// its successor; and what give() does send comes out whole.  unix(7)
#include <fcntl.h>
#include <unistd.h>
#include <cstdint>
#include <cstdlib>
#include <soquete/handover.hpp>
#include <soquete/run.hpp>
#include <soquete/scope.hpp>
#include <string>
#include <vector>

#include "serve_handover.hpp"

namespace {

using namespace soquete;

void must(bool law) {
  if (!law) std::abort();
}

owned_descriptor one_more() { return owned_descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

struct record {
  std::string text;
  std::size_t handles;
};

std::vector<record> records_of(std::string_view rest) {
  std::vector<record> all;
  while (rest.size() > 1 && all.size() < 8) {
    const std::size_t handles = static_cast<unsigned char>(rest[0]) % 4U;
    rest.remove_prefix(1);
    const std::size_t end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    if (!text.empty()) all.push_back({std::string(text), handles});
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  return all;
}

task<result<void>> send_all(local::seqpacket& to, const std::vector<record>& all) {
  for (const record& one : all) {
    std::vector<owned_descriptor> handles;
    for (std::size_t i = 0; i != one.handles; ++i) handles.push_back(one_more());
    co_await ok(to.send(one.text, handles));
  }
  co_return to.finish();
}

// All fits into the socket's buffer, so one after the other does.
task<result<void>> take_anything(const std::vector<record>& all) {
  auto line = co_await ok(local::seqpacket_pair());
  co_await ok(send_all(line.first, all));
  auto got = co_await take(line.second);
  const std::string_view head = all.empty() ? "" : std::string_view(all[0].text);
  if (!got) {
    must(got.error() == std::errc::protocol_error || got.error() == fault::end_of_stream);
    co_return {};
  }
  must(got->is_open() && got->accepted().size() + 1 == all[0].handles);
  must(head.starts_with("soquete ") && std::stoull(std::string(head.substr(8))) == got->unread().size());
  co_return {};
}

task<result<void>> give_and_take(std::string_view unread, std::size_t accepted) {
  auto line = co_await ok(local::seqpacket_pair());
  owned_descriptor whole = one_more();
  whole.set_unread({as_bytes(unread).begin(), as_bytes(unread).end()});
  std::vector<owned_descriptor> more;
  for (std::size_t i = 0; i != accepted; ++i) more.push_back(one_more());
  whole.set_accepted(std::move(more));
  co_await ok(give(line.first, std::move(whole)));
  auto got = co_await take(line.second);
  must(got && got->accepted().size() == accepted && as_text(bytes(got->unread())) == unread);
  co_return {};
}

// One asks at the door of a server that hands over; what it says is any bytes.
task<result<void>> offer_to_anybody(const std::vector<record>& all) {
  auto line = co_await ok(local::seqpacket_pair());
  co_await ok(send_all(line.first, all));
  const owned_descriptor listener = one_more(), door = one_more();
  std::vector<detail::lent_listener> lent{{listener.descriptor(), true}};
  auto handed = co_await detail::offer(std::move(line.second), std::move(lent), door.descriptor());
  const bool is_right = all.size() >= 2 && all[0].text == "listeners?" && all[1].text == "serving";
  must((handed && *handed) == is_right);
  must(::fcntl(listener.descriptor(), F_GETFD) >= 0 && ::fcntl(door.descriptor(), F_GETFD) >= 0);
  co_return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static context here(driver_choice::poll);
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const owned_descriptor before = one_more();
  const int lowest = before.descriptor();
  switch (data[0] % 3) {
    case 0: must(here.wait(take_anything(records_of(rest))).has_value()); break;
    case 1: must(here.wait(give_and_take(rest, data[0] / 3U % 5U)).has_value()); break;
    default: must(here.wait(offer_to_anybody(records_of(rest))).has_value()); break;
  }
  // None is left over: the next one gets the number after it.
  const owned_descriptor after = one_more();
  must(after.descriptor() == lowest + 1);
  return 0;
}
