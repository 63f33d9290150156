// All of soquete but the simulator, which has a header of its own.
#pragma once

#include <soquete/blocking.hpp>
#include <soquete/child.hpp>
#include <soquete/descriptor.hpp>
#include <soquete/event.hpp>
#include <soquete/handover.hpp>
#include <soquete/local.hpp>
#include <soquete/local_datagram.hpp>
#include <soquete/local_seqpacket.hpp>
#include <soquete/local_serve.hpp>
#include <soquete/memory.hpp>
#include <soquete/pipe.hpp>
#include <soquete/prefix.hpp>
#include <soquete/race.hpp>
#include <soquete/reader.hpp>
#include <soquete/run.hpp>
#include <soquete/serve.hpp>
#include <soquete/signals.hpp>
#include <soquete/stream.hpp>
#include <soquete/tcp.hpp>
#include <soquete/udp.hpp>
#include <soquete/udp_serve.hpp>
