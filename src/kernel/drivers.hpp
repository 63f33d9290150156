// Which drivers a system has: linux/drivers.cpp, darwin/drivers.cpp.
#pragma once

#include <memory>
#include <soquete/driver.hpp>
#include <span>

#include "kernel/poller.hpp"

namespace soquete::kernel {

/// Those that are tried here, the best first.
std::span<const driver_choice> usual_drivers() noexcept;

/// Opens that one. Errors: refused, or of another system: fault::unsupported.
result<owned<driver>> open_driver(run_queue&, driver_choice);

/// A readiness driver over a poller that may have failed to open.
result<owned<driver>> over(result<std::unique_ptr<poller>> made, run_queue&);
/// A driver of another system.
std::unexpected<error> elsewhere(std::string_view name, std::string_view where);

}  // namespace soquete::kernel
