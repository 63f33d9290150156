// Several tasks at once: the first answer, or all of them.
#pragma once

#include <soquete/scope.hpp>
#include <tuple>
#include <variant>

namespace soquete {
namespace detail {

template <class T>
task<result<void>> keep_first(task<result<T>> work, std::optional<result<T>>& kept, scope& s) {
  result<T> got = co_await std::move(work);
  const bool have_answer = kept && kept->has_value();
  if (got && !have_answer) {
    kept.emplace(std::move(got));
    s.cancel();
  } else if (!kept) {
    kept.emplace(std::move(got));
  }
  co_return {};
}

template <class T>
using kept_value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
task<result<void>> keep(task<result<T>> work, std::optional<kept_value<T>>& kept) {
  result<T> got = co_await std::move(work);
  if (!got) co_return fail(std::move(got.error()));
  if constexpr (std::is_void_v<T>)
    kept.emplace();
  else
    kept.emplace(std::move(*got));
  co_return {};
}

}  // namespace detail

/// Runs all and gives the first success; cancels the others and waits for their end. When all fail, gives
/// the error that came first. A second success that arrives in the same turn is dropped.
template <class T, class... Rest>
task<result<T>> first_of(task<result<T>> first, Rest... rest) {
  std::optional<result<T>> kept;
  auto body = [&](scope& s) -> task<result<void>> {
    s.spawn(detail::keep_first(std::move(first), kept, s));
    (s.spawn(detail::keep_first(std::move(rest), kept, s)), ...);
    co_return {};
  };
  static_cast<void>(co_await with_scope(body));
  co_return std::move(*kept);
}

/// Runs all and gives all their values, std::monostate for void. The first error cancels the others and
/// is the result.
template <class... T>
task<result<std::tuple<detail::kept_value<T>...>>> all_of(task<result<T>>... work) {
  std::tuple<std::optional<detail::kept_value<T>>...> kept;
  auto body = [&](scope& s) -> task<result<void>> {
    std::apply([&](auto&... place) { (s.spawn(detail::keep(std::move(work), place)), ...); }, kept);
    co_return {};
  };
  result<void> ended = co_await with_scope(body);
  if (!ended) co_return fail(std::move(ended.error()));
  co_return std::apply(
      [](auto&... place) { return std::tuple<detail::kept_value<T>...>(std::move(*place)...); }, kept);
}

}  // namespace soquete
