// What a program is told of the client that it serves.
#include "environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace command {
namespace {

using namespace soquete;

class variables {
 public:
  explicit variables(std::string_view protocol) : protocol_(protocol) {
    all_.push_back(fmt::format("PROTO={}", protocol_));
  }
  template <class Value>
  void add(std::string_view name, const Value& value) {
    all_.push_back(fmt::format("{}{}={}", protocol_, name, value));
  }
  std::vector<std::string> taken() { return std::move(all_); }

 private:
  std::string_view protocol_;
  std::vector<std::string> all_;
};

void add_address(variables& into, std::string_view side, const endpoint& end) {
  if (!end.is_ip()) return;
  into.add(fmt::format("{}IP", side), to_string(end.addr().unmapped()));
  into.add(fmt::format("{}PORT", side), end.port());
}

// As it is, and not as we print it: programs open it. A variable ends at a zero byte.
void add_path(variables& into, std::string_view side, const endpoint& name) {
  const std::string_view path = name.local_name();
  if (!path.empty() && path.find('\0') == path.npos)
    into.add(fmt::format("{}PATH", side), fmt::format("{}{}", name.is_abstract() ? "@" : "", path));
}

// The names are those of ucspi-unix, and the path of a client that has one.
void add_process(variables& into, peer& client) {
  add_path(into, "LOCAL", client.local());
  into.add("LOCALUID", ::getuid());
  into.add("LOCALGID", ::getgid());
  into.add("LOCALPID", ::getpid());
  add_path(into, "REMOTE", client.remote());
  const auto who = client.process();
  if (!who) return;
  into.add("REMOTEEUID", who->uid);
  into.add("REMOTEEGID", who->gid);
  if (who->pid != 0) into.add("REMOTEPID", who->pid);
}

}  // namespace

std::vector<std::string> variables_of(peer& client, std::uint64_t number) {
  const bool is_local = client.local().is_local();
  variables all(is_local ? "UNIX" : client.keeps_bounds() ? "UDP" : "TCP");
  all.add("CONNNUM", number);
  if (is_local) {
    add_process(all, client);
  } else {
    add_address(all, "REMOTE", client.remote());
    add_address(all, "LOCAL", client.local());
  }
  return all.taken();
}

}  // namespace command
