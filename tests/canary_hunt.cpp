// Looks for a deliberate bug of the library in one of the ways that the simulator has: tests/canaries/run.
//
// A line for each start: in the how manieth run it was found and after how many seconds of processor time,
// and what was said. 0: it was not.
#include <sys/resource.h>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "town/town.hpp"

namespace {

using namespace soquete;

double processor_time() {
  double sum = 0;
  for (const int whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(whose, &used);
    for (const timeval& one : {used.ru_utime, used.ru_stime})
      sum += static_cast<double>(one.tv_sec) + static_cast<double>(one.tv_usec) / 1e6;
  }
  return sum;
}

// The number behind such words; 0 where they are not there.
std::uint64_t number_after(std::string_view text, std::string_view words) {
  const std::size_t at = text.find(words);
  std::uint64_t number = 0;
  if (at != text.npos) std::from_chars(text.data() + at + words.size(), text.data() + text.size(), number);
  return number;
}

template <class F>
std::string failure_of(F run) {
  try {
    run();
  } catch (const sim::failed& why) {
    return why.what();
  }
  return {};
}

void report(std::uint64_t found_at, double begun, const std::string& told) {
  const std::string line = told.substr(0, told.find('\n'));
  std::printf("%llu\t%.3f\t%s\n", static_cast<unsigned long long>(found_at), processor_time() - begun,
              line.c_str());
  std::fflush(stdout);
}

void check(const sim::swarm& faults, std::uint64_t seeds, std::uint64_t starts) {
  for (std::uint64_t start = 0; start != starts; ++start) {
    const double begun = processor_time();
    const std::string told = failure_of([&] {
      sim::check({.seeds = seeds, .first_seed = 1 + start * seeds, .name = "town"}, [&](sim::world& w) {
        w.faults(faults);
        town::whole(w, town::busy);
      });
    });
    const std::uint64_t number = number_after(told, ", number ");
    report(told.empty() || number != 0 ? number : seeds, begun, told);
  }
}

template <class Each>
void each(std::string_view place, Each run) {
  const double begun = processor_time();
  std::string told;
  std::uint64_t found_at = 0;
  for (const town::quarter& one : town::quarters) {
    told = failure_of([&] { run([&](sim::world& w) { town::alone(w, one); }); });
    if (told.empty()) continue;
    told.insert(0, std::string(one.name) + ": ");
    found_at = std::max<std::uint64_t>(1, number_after(told, place));
    break;
  }
  report(found_at, begun, told);
}

}  // namespace

// canary_hunt swarm|all|each_await|each_call [seeds [starts]]
int main(int count, char** words) {
  const std::string way = count > 1 ? words[1] : "";
  const std::uint64_t seeds = count > 2 ? std::strtoull(words[2], nullptr, 10) : 100;
  const std::uint64_t starts = count > 3 ? std::strtoull(words[3], nullptr, 10) : 1;
  // A history that fails shall not be made smaller: that would take more time than to find it.
  ::setenv("SOQUETE_SIM_FAULTS",
           "delay,loss,duplicate,pieces,reset,refuse,exhaust,order,cut,isolate,pause,crash", 1);
  if (way == "swarm")
    check(sim::swarm(), seeds, starts);
  else if (way == "all")
    check(sim::swarm().all_at_once(), seeds, starts);
  else if (way == "each_await")
    each(", await ", [](const sim::scenario& s) { sim::each_await({}, s); });
  else if (way == "each_call")
    each(", call ", [](const sim::scenario& s) { sim::each_call({}, s); });
  else
    return std::fputs("canary_hunt swarm|all|each_await|each_call [seeds [starts]]\n", stderr), 2;
}
