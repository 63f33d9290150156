// What a simulated connection tells of itself to a recording.
#include <algorithm>
#include <utility>

#include "sim/connection.hpp"
#include "sim/machine.hpp"

namespace soquete::sim {

// The packet that this side sends now, but for what it carries.
message connection::packet(unsigned side, parcel what) const {
  const end& me = ends_[side];
  const end& other = ends_[1 - side];
  const way& out = ways_[side];
  const way& in = ways_[1 - side];
  message one;
  one.what = what;
  one.side = side;
  one.connection = number_;
  if (me.at != nullptr) one.from = me.at->number;
  if (other.at != nullptr) one.to = other.at->number;
  one.source = {me.name.addr(), me.name.port()};
  one.target = {other.name.addr(), other.name.port()};
  one.left = one.due = net_.now();
  one.position = out.sent + (out.end_sent && what != parcel::end ? 1 : 0);
  one.acknowledged = in.arrived + (me.finished ? 1 : 0);
  one.window = static_cast<std::size_t>(in.advertised - std::min(in.arrived, in.advertised));
  one.window_max = in.window;
  return one;
}

void connection::record_piece(unsigned side, std::size_t size, flag what, moment due) {
  const parcel sort = what == flag::fin     ? parcel::end
                      : what == flag::reset ? parcel::reset
                      : what == flag::none  ? parcel::bytes
                      : side == 1           ? parcel::agree
                                            : parcel::acknowledge;
  message one = packet(side, sort);
  one.due = due;
  one.remark = std::exchange(net_.unusual, "");
  one.size = size;
  if (size != 0) {
    const way& w = ways_[side];
    one.position = w.sent - size;
    const bytes all = w.held.all();
    const bytes part = all.subspan(static_cast<std::size_t>(one.position - w.read), size);
    one.payload.assign(part.begin(), part.end());
  }
  net_.tape->fly(std::move(one));
}

void connection::record_flights() const {
  for (const unsigned side : {0U, 1U}) net_.tape->fly_unknown(number_, side, ways_[side].flying.size());
}

void connection::record_acknowledgement(unsigned side, moment due) {
  message one = packet(side, parcel::acknowledge);
  one.became = fate::came;
  one.due = one.over = due;
  net_.tape->add(std::move(one));
}

void connection::record_request(moment due) {
  message one = packet(0, parcel::ask);
  one.due = due;
  one.window = ways_[1].window;
  net_.tape->fly(std::move(one));
}

void connection::record_refusal(moment due) {
  message one = packet(1, parcel::refusal);
  one.due = due;
  net_.tape->fly(std::move(one));
}

// To this end, as if from the other.
void connection::record_reset_from_the_way(unsigned to) {
  message one = packet(1 - to, parcel::reset);
  one.is_from_the_way = true;
  one.became = fate::came;
  one.over = one.due;
  one.remark = "sent by something on the way";
  net_.tape->add(std::move(one));
}

}  // namespace soquete::sim
