// Pipes, and the standard streams that we were started with.
#include <soquete/loop.hpp>
#include <soquete/pipe.hpp>

#include "descriptors.hpp"

namespace soquete {
namespace {

constexpr int first_free = 3;

result<descriptor> standard(loop& here, int number, std::string_view name) {
  error missing(std::errc::bad_file_descriptor, step::adopt);
  missing.set_subject(name);
  if (!was_inherited(number))
    return fail(std::move(missing.set_detail("it was closed when this program was started")));
  auto copy = copy_of(number, first_free);
  if (!copy) return fail(std::move(copy.error().set_subject(name)));
  return descriptor::adopt(here, std::move(*copy));
}

}  // namespace

result<pipe_ends> open_pipe(loop& here) {
  auto both = make_pipe();
  if (!both) return fail(std::move(both.error()));
  auto reading = descriptor::adopt(here, std::move(both->reading));
  if (!reading) return fail(std::move(reading.error()));
  auto writing = descriptor::adopt(here, std::move(both->writing));
  if (!writing) return fail(std::move(writing.error()));
  return pipe_ends(std::move(*reading), std::move(*writing));
}

result<descriptor> standard_input(loop& here) { return standard(here, 0, "standard input"); }
result<descriptor> standard_output(loop& here) { return standard(here, 1, "standard output"); }
result<descriptor> standard_error(loop& here) { return standard(here, 2, "standard error"); }

}  // namespace soquete
