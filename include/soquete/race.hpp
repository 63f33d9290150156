// Several tasks at once: the first answer, or all of them.
#pragma once

#include <optional>
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

struct first_of_function {
  template <class T, class... Rest>
  task<result<T>> operator()(task<result<T>> first, Rest... rest) const {
    std::optional<result<T>> kept;
    auto body = [&](scope& s) -> task<result<void>> {
      s.spawn(keep_first(std::move(first), kept, s));
      (s.spawn(keep_first(std::move(rest), kept, s)), ...);
      co_return {};
    };
    static_cast<void>(co_await with_scope(body));
    co_return std::move(*kept);
  }
};

struct all_of_function {
  template <class... T>
  task<result<std::tuple<kept_value<T>...>>> operator()(task<result<T>>... work) const {
    std::tuple<std::optional<kept_value<T>>...> kept;
    auto body = [&](scope& s) -> task<result<void>> {
      std::apply([&](auto&... place) { (s.spawn(keep(std::move(work), place)), ...); }, kept);
      co_return {};
    };
    result<void> ended = co_await with_scope(body);
    if (!ended) co_return fail(std::move(ended.error()));
    co_return std::apply([](auto&... place) { return std::tuple<kept_value<T>...>(std::move(*place)...); },
                         kept);
  }
};

}  // namespace detail

// Objects and not functions, because the arguments would find std::all_of as well.

/// `first_of(one, other, ...)` runs all tasks and gives the first success; cancels the others and waits for
/// their end. When all fail, gives the error that came first. A second success that arrives in the same turn
/// is dropped.
inline constexpr detail::first_of_function first_of;

/// `all_of(one, other, ...)` runs all tasks and gives all their values, std::monostate for void. The first
/// error cancels the others and is the result.
inline constexpr detail::all_of_function all_of;

}  // namespace soquete
