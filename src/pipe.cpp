// Pipes, and the standard streams that we were started with.
#include <soquete/loop.hpp>
#include <soquete/pipe.hpp>

#include "descriptors.hpp"

namespace soquete {
namespace {

result<descriptor> standard(loop& here, int number, std::string_view name) {
  error missing(std::errc::bad_file_descriptor, step::adopt);
  missing.set_subject(name);
  if (!was_inherited(number))
    return fail(std::move(missing.set_detail("it was closed when this program was started")));
  auto copy = here.net().copy_of(number);
  if (!copy) return fail(std::move(copy.error().set_subject(name)));
  return descriptor::adopt(here, std::move(*copy));
}

}  // namespace

result<pipe_ends> open_pipe(loop& here) {
  auto both = here.net().pipe();
  if (!both) return fail(std::move(both.error()));
  return pipe_ends(descriptor(socket(*both->first)), descriptor(socket(*both->second)));
}

result<descriptor> standard_input(loop& here) { return standard(here, 0, "standard input"); }
result<descriptor> standard_output(loop& here) { return standard(here, 1, "standard output"); }
result<descriptor> standard_error(loop& here) { return standard(here, 2, "standard error"); }

}  // namespace soquete
