// The drivers of the kernel while the kernel misbehaves as it may: each call of a play fails in each
// plausible way, one at a time; then harms that must not be noticed come in crowds. io_uring is a fake one
// here (ring.cpp). faults.md, 1.5 and 2
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "test_loop.hpp"
#include "torture/mischief.hpp"
#include "torture/plays.hpp"

namespace soquete::test {
namespace {

const char* name_of(driver_choice which) {
  return which == driver_choice::io_uring ? "io_uring" : which == driver_choice::epoll ? "epoll" : "poll";
}

struct torture_case {
  driver_choice on;
  torture_play play;
};
void PrintTo(const torture_case& c, std::ostream* out) { *out << c.play.name << " on " << name_of(c.on); }

std::vector<torture_case> cases() {
  std::vector<torture_case> all;
  std::vector<driver_choice> drivers{driver_choice::epoll, driver_choice::poll};
#if defined(SOQUETE_HAVE_URING)
  drivers.push_back(driver_choice::io_uring);
#endif
  for (const driver_choice on : drivers)
    for (const torture_play& play : torture_plays()) all.push_back({on, play});
  return all;
}

// Plays it and expects that nothing is left. Gives how it ended.
result<void> run(const torture_case& c) {
  test_loop loop(c.on);
  if (!loop.opened()) return loop.opened();
  mischief::begin();
  result<void> ended = loop.run(c.play.run());
  loop.settle();
  EXPECT_EQ(loop.counts().sockets, 0U);
  EXPECT_EQ(loop.counts().leases, 0U);
  EXPECT_EQ(loop.here().timers().size(), 0U);
  return ended;
}

std::vector<harm_site> sites_of(const torture_case& c) {
  mischief nothing;
  const result<void> ended = run(c);
  EXPECT_TRUE(ended.has_value()) << to_string(ended.error());
  return nothing.passed();
}

class torture : public testing::TestWithParam<torture_case> {
 protected:
  // A ring that misbehaves while it is tried is not taken: then another driver would be.
  static bool is_refused_trial(const result<void>& how) {
    return GetParam().on == driver_choice::io_uring && how.error().during() == step::start_driver;
  }

  // A loop that turns without getting anywhere passes many more.
  static void expect_few(std::size_t passed, std::size_t usual) { EXPECT_LT(passed, 20 * usual + 2'000); }
};

INSTANTIATE_TEST_SUITE_P(each, torture, testing::ValuesIn(cases()), [](const auto& one) {
  return std::string(one.param.play.name) + "_on_" + name_of(one.param.on);
});

TEST_P(torture, each_call_fails_in_each_way) {
  const std::vector<harm_site> all = sites_of(GetParam());
  std::size_t done = 0;
  for (std::size_t number = 0; number != all.size() && !HasFailure(); ++number) {
    for (const harm& h : harms_at(all[number])) {
      SCOPED_TRACE("number " + std::to_string(number) + " of " + std::to_string(all.size()) + ": " +
                   to_string(all[number], h));
      const baseline before = baseline::now();
      {
        mischief once(number, all[number], h);
        const result<void> ended = run(GetParam());
        done += once.done();
        expect_few(once.passed().size(), all.size());
        if (h.is_hidden && !ended && !is_refused_trial(ended)) ADD_FAILURE() << to_string(ended.error());
        // Nobody here waits that long but the guard of the test.
        if (!ended && h.why != ETIMEDOUT) EXPECT_NE(ended.error(), std::errc::timed_out);
      }
      EXPECT_EQ(baseline::now(), before);
      if (HasFailure()) break;
    }
  }
  EXPECT_GT(done, all.size());
  RecordProperty("injections", static_cast<int>(done));
}

TEST_P(torture, what_must_not_be_noticed_is_not_noticed_in_crowds) {
  const std::size_t usual = sites_of(GetParam()).size();
  const char* const more = std::getenv("SOQUETE_TORTURE_SEEDS");
  const std::uint64_t seeds = more == nullptr ? 150 : std::strtoull(more, nullptr, 10);
  std::size_t done = 0;
  for (std::uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const baseline before = baseline::now();
    {
      mischief often(seed, seed % 2 == 0 ? 3 : 15);
      const result<void> ended = run(GetParam());
      done += often.done();
      expect_few(often.passed().size(), usual);
      EXPECT_TRUE(ended.has_value()) << to_string(ended.error());
    }
    EXPECT_EQ(baseline::now(), before);
  }
  RecordProperty("injections", static_cast<int>(done));
}

TEST(torture_table, each_site_is_passed_by_a_play) {
  std::set<std::string_view> passed;
  for (const torture_case& c : cases())
    for (const harm_site site : sites_of(c)) passed.insert(site);
  for (const harm_site site : harm_sites()) {
#if !defined(SOQUETE_HAVE_URING)
    if (std::string_view(site).starts_with("ring") || std::string_view(site) == "mmap") continue;
#endif
    EXPECT_TRUE(passed.contains(site)) << site;
  }
}

}  // namespace
}  // namespace soquete::test
