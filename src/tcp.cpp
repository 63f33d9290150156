// TCP: the small verbs of streams and listeners.
#include <cerrno>
#include <soquete/deadline.hpp>
#include <soquete/descriptor.hpp>
#include <soquete/loop.hpp>
#include <soquete/tcp.hpp>

namespace soquete {
namespace {

result<socket> adopt_as(loop& here, owned_descriptor taken, descriptor_kind wanted) {
  auto block = here.net().adopt(std::move(taken));
  if (!block) return fail(std::move(block.error()));
  if ((*block)->kind == wanted) return socket(**block);
  socket other(**block);
  return fail(std::errc::invalid_argument, step::adopt);
}

}  // namespace

namespace tcp {

result<stream> stream::adopt(loop& here, owned_descriptor taken) {
  auto s = adopt_as(here, std::move(taken), descriptor_kind::stream);
  if (!s) return fail(std::move(s.error()));
  return stream(std::move(*s));
}

result<void> stream::finish() { return detail::finish_sending(socket_.block()); }

void stream::abort() noexcept {
  if (!socket_.is_open()) return;
  socket_.block().reset_on_close = true;
  socket_.close();
}

task<result<stream>> stream::adopt(owned_descriptor taken) {
  loop& here = co_await this_loop();
  co_return adopt(here, std::move(taken));
}

result<listener> listener::adopt(loop& here, owned_descriptor taken) {
  auto s = adopt_as(here, std::move(taken), descriptor_kind::listener);
  if (!s) return fail(std::move(s.error()));
  return listener(std::move(*s));
}

result<stream> listener::accepting::take() const {
  if (!failed()) return stream(socket(*static_cast<socket_block*>(const_cast<void*>(slot_.data))));
  return fail(detail::error_of(slot_, step::accept));
}

}  // namespace tcp

result<descriptor> descriptor::adopt(loop& here, owned_descriptor taken) {
  auto block = here.net().adopt(std::move(taken));
  if (!block) return fail(std::move(block.error()));
  return descriptor(socket(**block));
}

result<void> descriptor::finish() {
  if (is_socket(socket_.block().kind)) return detail::finish_sending(socket_.block());
  socket_.close();
  return {};
}

}  // namespace soquete
