// System calls that fail, as on older kernels and in sandboxes.  seccomp(2)
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <vector>

namespace soquete::test {

/// From here on, in this process and those it starts, these calls fail with that errno. False, and said on
/// standard error, where that is not permitted.
inline bool refuse_calls(std::initializer_list<long> calls, int number) {
  std::vector<sock_filter> filter{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)}};
  auto over = static_cast<unsigned char>(calls.size());
  for (const long call : calls)
    filter.push_back({BPF_JMP | BPF_JEQ | BPF_K, over--, 0, static_cast<unsigned>(call)});
  filter.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
  filter.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | static_cast<unsigned>(number)});
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
    return true;
  std::perror("seccomp");
  return false;
}

}  // namespace soquete::test
