// Load for one server on this machine: load MODE PORT|PATH SERVER_PID [--name value]...
#include <sys/resource.h>
#include <unistd.h>

#include <string_view>

#include "fail.hpp"
#include "options.hpp"
#include "sockets.hpp"

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0)
    load::fail(
        "usage: load echo|connect|bulk|idle|check PORT|PATH PID [--connections N] [--size BYTES] [--warm-up S] "
        "[--measure S]");
  alarm(60);  // Whatever happens, it ends.
  std::string_view mode = argv[1];
  load::options o{.at = load::place(argv[2]), .server = std::atoi(argv[3])};
  for (int i = 4; i + 1 < argc; i += 2) {
    std::string_view name = argv[i];
    double value = std::atof(argv[i + 1]);
    if (name == "--connections")
      o.connections = static_cast<std::size_t>(value);
    else if (name == "--size")
      o.size = static_cast<std::size_t>(value);
    else if (name == "--warm-up")
      o.warm_up = value;
    else if (name == "--measure")
      o.measure = value;
    else
      load::fail("unknown option");
  }
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  load::wait_for_server(o.at);
  if (mode == "echo")
    load::echo(o);
  else if (mode == "connect")
    load::connect_rate(o);
  else if (mode == "bulk")
    load::bulk(o);
  else if (mode == "idle")
    load::idle_memory(o);
  else if (mode == "check")
    load::check_manners(o);
  else
    load::fail("unknown mode");
}
