// A simulated host by itself, for any loop.
#include <soquete/sim.hpp>

#include "sim/driver.hpp"

namespace soquete::sim {

chosen_driver open_driver(run_queue& queue, std::uint64_t seed) {
  auto net = std::make_unique<network>(seed);
  machine& only = net->add_machine("localhost", {});
  return {owned<driver>(new host_driver(queue, std::move(net), only)), "simulated: a host by itself"};
}

}  // namespace soquete::sim
