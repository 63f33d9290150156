// Handing the listeners of a server to its successor.
//
//     successor                       server
//       connects, "listeners?"  --->
//                               <---  "+-+", one sign and one descriptor each, and its door's
//       accepts, "serving"      --->
//                               <---  "yours", has stopped accepting; clients have until the drain time
//
// Until "serving" has come, the server goes on, whatever becomes of the successor.
#include "serve_handover.hpp"

#include <soquete/deadline.hpp>
#include <soquete/loop.hpp>

namespace soquete::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_time = 10s;
constexpr auto pause = 10ms;
constexpr int tries_max = 500;

bool is_ours(const local::seqpacket& line, loop& here) {
  return line.peer_credentials().uid == here.net().us().uid;
}

error refused(std::errc cause, std::string_view door, std::string_view why) {
  error e(cause, step::listen);
  return std::move(e.set_subject(door).set_detail(why));
}

}  // namespace

task<result<predecessor>> find_predecessor(std::string door) {
  loop& here = co_await this_loop();
  predecessor found;
  // Between two generations the door may be closed in our face: then the next one stands behind it.
  for (int i = 0; i != tries_max; ++i) {
    auto line = co_await within(answer_time, local::connect_seqpacket(door));
    if (!line) {
      const bool is_nobody = line.error() == std::errc::no_such_file_or_directory ||
                             line.error() == std::errc::connection_refused;
      if (is_nobody) co_return found;
      co_return fail(std::move(line.error()));
    }
    if (!is_ours(*line, here))
      co_return fail(refused(std::errc::permission_denied, door, "it is another user's"));
    auto asked = co_await line->send("listeners?");
    result<local::message> got = fail(std::errc::broken_pipe);
    if (asked) got = co_await within(answer_time, line->receive());
    if (got && !got->handles.empty() && got->handles.size() == got->payload.size() + 1) {
      found.line = std::move(*line);
      found.door = std::move(got->handles.back());
      for (std::size_t n = 0; n != got->payload.size(); ++n)
        found.listeners.push_back({std::move(got->handles[n]), got->payload.text()[n] == '+'});
      co_return found;
    }
    if (!got && got.error() == std::errc::timed_out)
      co_return fail(refused(std::errc::timed_out, door, "the server there does not hand over"));
    co_await ok(sleep(pause));
  }
  co_return fail(refused(std::errc::timed_out, door, "no server there hands over"));
}

task<result<void>> confirm(predecessor& p) {
  // If it has died meanwhile, we have its listeners all the same.
  auto told = co_await p.line.send("serving");
  if (told) static_cast<void>(co_await within(answer_time, p.line.receive()));
  p.line.close();
  co_return {};
}

task<result<bool>> offer(local::seqpacket line, std::vector<lent_listener> all, int door) {
  loop& here = co_await this_loop();
  if (!is_ours(line, here)) co_return false;
  const local::message asked = co_await ok(within(answer_time, line.receive()));
  if (asked.payload.text() != "listeners?") co_return false;
  std::string signs;
  std::vector<owned_descriptor> copies;
  for (const lent_listener& one : all) {
    signs += one.owns_path ? '+' : '-';
    copies.push_back(co_await ok(here.net().copy_of(one.descriptor)));
  }
  copies.push_back(co_await ok(here.net().copy_of(door)));
  co_await ok(line.send(signs, copies));
  copies.clear();
  const local::message answer = co_await ok(within(answer_time, line.receive()));
  if (answer.payload.text() != "serving") co_return false;
  static_cast<void>(co_await line.send("yours"));
  co_return true;
}

}  // namespace soquete::detail
