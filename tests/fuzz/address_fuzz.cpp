// Any bytes as an address, a prefix, an endpoint and a place; what is read prints and reads back the same.
#include <soquete/endpoint.hpp>
#include <soquete/prefix.hpp>
#include <soquete/where.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace soquete;

std::uint32_t find_zone(std::string_view name) noexcept { return name == "lo" ? 1 : 0; }

void must(bool law) {
  if (!law) std::abort();
}

// An error is one line of printable text, whatever it is about.
void check(const error& why) {
  must(!why.detail().empty());
  for (const char c : to_string(why)) must(c >= ' ' && c <= '~');
}

template <class Value>
void check(std::string_view text, result<Value> got, result<Value> (*parse)(std::string_view)) {
  if (!got) return check(got.error());
  must(text.find('\0') == text.npos || to_string(*got).find("unix:@") != std::string::npos);
  const std::string canonical = to_string(*got);
  const auto again = parse(canonical);
  must(again && *again == *got && to_string(*again) == canonical);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check<address>(text, address::parse(text, find_zone), [](std::string_view t) { return address::parse(t); });
  check<prefix>(text, prefix::parse(text), prefix::parse);
  check<endpoint>(text, endpoint::parse(text, find_zone),
                  [](std::string_view t) { return endpoint::parse(t); });

  const auto places = where::parse(text, find_zone);
  check<where>(text, places, [](std::string_view t) { return where::parse(t); });
  if (!places) return 0;
  must(!places->alternatives().empty() && places->alternatives().size() <= where::alternatives_max);
  for (const auto& one : places->alternatives())
    if (const auto ends = literal_endpoints(one, purpose::connect); ends) must(ends->size() <= 2);
  return 0;
}
