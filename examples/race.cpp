// Asks two mirrors, takes the first answer, cancels the other and waits for its end.
#include <soquete/soquete.hpp>

using namespace soquete;

task<result<std::string>> ask(std::string_view mirror);

task<result<std::string>> fastest() { co_return co_await first_of(ask("a.example:80"), ask("b.example:80")); }

// Any shape of concurrency is a scope. It ends when all its children have ended: on success, on error, on
// cancellation. Nothing outlives it, so nothing that a child points to can vanish under it.
task<result<void>> both(tcp::stream& a, tcp::stream& b) {
  co_return co_await with_scope([&](scope& s) -> task<result<void>> {
    s.spawn(copy(a, b));
    s.spawn(copy(b, a));
    co_return {};
  });
}
