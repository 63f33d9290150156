// Load for one server on this machine: load MODE PORT|PATH SERVER_PID [--name value]...
#include <sys/resource.h>
#include <unistd.h>

#include <string_view>

#include "fail.hpp"
#include "options.hpp"
#include "sockets.hpp"

namespace {

struct mode {
  std::string_view name;
  void (*run)(const load::options&);
  bool waits_for_server;  // By a connection that is given up at once.
};

constexpr mode modes[] = {
    {"echo", load::echo, true},
    {"exchange", load::exchange, true},
    {"connect", load::connect_rate, true},
    {"echo-by-two", load::echo_by_two, true},
    {"connect-by-two", load::connect_by_two, true},
    {"open-loop", load::open_loop, true},
    {"relay", load::relay, false},
    {"bulk", load::bulk, true},
    {"idle", load::idle_memory, true},
    {"check", load::check_manners, true},
    {"datagrams", load::datagrams, false},
    {"flood", load::flood, false},
    {"fetch", load::fetch, false},
    {"check-datagrams", load::check_datagrams, false},
};

const mode& mode_named(std::string_view name) {
  for (const mode& m : modes)
    if (m.name == name) return m;
  load::fail("unknown mode");
}

void set(load::options& o, std::string_view name, const char* text) {
  double value = std::atof(text);
  if (name == "--target")
    o.target = load::place(text);
  else if (name == "--rate")
    o.rate = value;
  else if (name == "--spin")
    o.spins = value != 0;
  else if (name == "--connections")
    o.connections = static_cast<std::size_t>(value);
  else if (name == "--size")
    o.size = static_cast<std::size_t>(value);
  else if (name == "--window")
    o.window = static_cast<std::size_t>(value);
  else if (name == "--run")
    o.run = static_cast<std::size_t>(value);
  else if (name == "--messages")
    o.messages = static_cast<std::size_t>(value);
  else if (name == "--warm-up")
    o.warm_up = value;
  else if (name == "--measure")
    o.measure = value;
  else
    load::fail("unknown option");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0)
    load::fail(
        "usage: load MODE PORT|PATH PID [--connections N] [--size BYTES] [--window N] [--run N] [--messages "
        "N] "
        "[--rate N] [--spin 0|1] [--target PORT] [--warm-up S] [--measure S]");
  alarm(60);  // Whatever happens, it ends.
  const mode& chosen = mode_named(argv[1]);
  load::options o{.at = load::place(argv[2]), .server = std::atoi(argv[3])};
  for (int i = 4; i + 1 < argc; i += 2) set(o, argv[i], argv[i + 1]);
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (chosen.waits_for_server) load::wait_for_server(o.at);
  chosen.run(o);
}
