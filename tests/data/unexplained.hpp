// A public header with a name that nobody explains: the reference has to refuse it.
#pragma once

namespace soquete {

/// Explained, but for its member.
struct half {
  int a;
};

}  // namespace soquete
