// A network of a process's own.  network_namespaces(7), rtnetlink(7)
#include "network.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <soquete/sim.hpp>
#include <stdexcept>
#include <thread>

#include "child.hpp"
#include "test_loop.hpp"

namespace soquete::test {

bool enter_own_network() {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ::ioctl(s, SIOCSIFFLAGS, &request) == 0;
  ::close(s);
  return up;
}

void ip(const std::string& words) {
  if (std::system(("PATH=$PATH:/usr/sbin ip " + words).c_str()) != 0)
    throw std::runtime_error("it fails: ip " + words);
}

// The kernel gives it once the link is ready, a moment after it is up.
static bool has_link_local(std::string_view card) {
  std::ifstream all("/proc/net/if_inet6");
  constexpr unsigned tentative = 0x40;  // IFA_F_TENTATIVE
  std::string address, number, length, scope, flags, name;
  while (all >> address >> number >> length >> scope >> flags >> name)
    if (name == card && (std::stoul(flags, nullptr, 16) & tentative) == 0) return true;
  return false;
}

std::uint32_t plug_in_cards(driver_choice which) {
  if (which == simulated) return 2;
  for (const char* cards : {"default", "all"})
    std::ofstream(std::string("/proc/sys/net/ipv6/conf/") + cards + "/accept_dad") << 0;
  ip("link add v0 type veth peer name v1");
  ip("link set v0 up");
  ip("link set v1 up");
  ip("addr add 10.9.0.1/24 broadcast + dev v0");
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!has_link_local("v0") || !has_link_local("v1")) {
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("the cards do not become ready");
    std::this_thread::yield();
  }
  return zone_number("v0");
}

void add_address(driver_choice which, const std::string& words) {
  if (which != simulated) ip("addr add dev v0 " + words);
}

far_network::far_network() : here_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
  ip("link add v0 type veth peer name v1");
  ip("link set v1 address 02:00:00:00:00:02");
  const std::string back = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(here_);
  if (::unshare(CLONE_NEWNET) != 0) throw std::runtime_error("a second network cannot be made");
  there_ = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  const std::string move = "nsenter --net=" + back + " ip link set v1 netns " + std::to_string(::getpid());
  if (std::system(("PATH=$PATH:/usr/sbin " + move).c_str()) != 0)
    throw std::runtime_error("it fails: " + move);
  ip("link set v1 arp off up");
  ip("addr add 10.9.0.2/24 dev v1");
  leave();
  ip("link set v0 up");
  ip("addr add 10.9.0.1/24 dev v0");
}

far_network::~far_network() {
  ::close(here_);
  ::close(there_);
}

void far_network::enter() const {
  if (::setns(there_, CLONE_NEWNET) != 0) throw std::runtime_error("setns");
}
void far_network::leave() const {
  if (::setns(here_, CLONE_NEWNET) != 0) throw std::runtime_error("setns");
}
void far_network::introduce() const { ip("neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev v0"); }

static void in_own_world(const std::function<task<result<void>>()>& play) {
  const std::array<address, 4> all{address::v4({10, 9, 0, 1}), address::v4({10, 9, 0, 5}),
                                   address::parse("2001:db8::1").value(),
                                   address::parse("2001:db8::5").value()};
  sim::world w(1);
  w.host("here", {.addresses = all}).spawn(play);
  w.run_for(std::chrono::hours(1));
  EXPECT_EQ(w.failure(), "");
}

void in_own_network(driver_choice which, const std::function<task<result<void>>()>& play) {
  if (which == simulated) return in_own_world(play);
  const child_ending how = in_a_child([&] {
    if (!enter_own_network()) return lacks_permission;
    test_loop loop(which);
    const auto ended = loop.run(play());
    EXPECT_TRUE(ended) << to_string(ended.error());
    loop.settle();
    EXPECT_EQ(loop.counts().sockets, 0U);
    EXPECT_EQ(loop.counts().leases, 0U);
    return 0;
  });
  if (how.exit_code == lacks_permission) GTEST_SKIP() << "no permission for a network of one's own";
  EXPECT_EQ(how.exit_code, 0) << how.output;
}

address add_route(route kind) {
  const address behind = address::v4({198, 51, 100, 7});
  if (kind == route::none) return behind;
  struct {
    nlmsghdr header;
    rtmsg route;
    rtattr attribute;
    std::uint8_t octets[4];
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_NEWROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
  request.route.rtm_family = AF_INET;
  request.route.rtm_dst_len = 32;
  request.route.rtm_table = RT_TABLE_MAIN;
  request.route.rtm_protocol = RTPROT_STATIC;
  request.route.rtm_type = kind == route::unreachable ? RTN_UNREACHABLE
                           : kind == route::prohibit  ? RTN_PROHIBIT
                                                      : RTN_BLACKHOLE;
  request.attribute.rta_type = RTA_DST;
  request.attribute.rta_len = RTA_LENGTH(4);
  std::memcpy(request.octets, behind.octets().data(), 4);
  const int s = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct {
    nlmsghdr header;
    nlmsgerr outcome;
    char more[256];
  } answer{};
  const bool done = ::send(s, &request, sizeof request, 0) > 0 && ::recv(s, &answer, sizeof answer, 0) > 0 &&
                    answer.header.nlmsg_type == NLMSG_ERROR && answer.outcome.error == 0;
  ::close(s);
  if (!done) throw std::runtime_error("the route cannot be added");
  return behind;
}

void limit_ports(std::uint16_t first, std::uint16_t last) {
  std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << first << ' ' << last;
}

}  // namespace soquete::test
