// Processes as the system has them.
#include "process.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "descriptors.hpp"
#include "kernel/kernel_driver.hpp"
#include "kernel/process_calls.hpp"
#include "processors.hpp"

namespace soquete {
namespace {

using kernel::system_error;

error cause(int number) { return {std::error_code(number, std::generic_category()), step::run}; }

// What happens in the new process between its start and that of the program.
class preparation {
 public:
  preparation() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  preparation(const preparation&) = delete;
  preparation& operator=(const preparation&) = delete;
  ~preparation() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  int go_to(const std::string& directory) {
    return directory.empty() ? 0 : posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  result<void> pass(std::span<const process_plan::passed> descriptors);
  void set_signals_and_group(const process_plan& plan);

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::vector<owned_descriptor> copies_;
};

constexpr int first_above_standard = 3;

result<void> preparation::pass(std::span<const process_plan::passed> descriptors) {
  int end = first_above_standard;
  for (const auto& one : descriptors) {
    if (one.theirs < 0) return fail(cause(EBADF));
    end = std::max(end, one.theirs + 1);
  }
  // Copies above all targets, so that no target is a source that is still needed.
  std::vector<bool> is_taken(static_cast<std::size_t>(end));
  for (const auto& one : descriptors) {
    auto copy = copy_of(one.ours, end);
    if (!copy) return fail(std::move(copy.error().set_step(step::run)));
    if (const int failed = posix_spawn_file_actions_adddup2(&actions_, copy->descriptor(), one.theirs);
        failed != 0)
      return fail(cause(failed));
    is_taken[static_cast<std::size_t>(one.theirs)] = true;
    copies_.push_back(std::move(*copy));
  }
  // What others have left open without O_CLOEXEC is none of the program's business.
  if (const int failed = kernel::keep_only(actions_, is_taken); failed != 0) return fail(cause(failed));
  return {};
}

// What we block and ignore is our affair. But those that nohup(1) and shells have made us ignore are meant
// for programs that we run, too.
void preparation::set_signals_and_group(const process_plan& plan) {
  sigset_t none;
  sigset_t usual;
  sigemptyset(&none);
  sigfillset(&usual);
  for (const int kept : {SIGHUP, SIGINT, SIGQUIT}) {
    struct sigaction now{};
    if (::sigaction(kept, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) sigdelset(&usual, kept);
  }
  posix_spawnattr_setsigmask(&attributes_, &none);
  posix_spawnattr_setsigdefault(&attributes_, &usual);
  posix_spawnattr_setpgroup(&attributes_, 0);
  int flags = kernel::spawn_flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (plan.has_own_session)
    flags |= POSIX_SPAWN_SETSID;
  else if (plan.has_own_group)
    flags |= POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
}

std::vector<char*> pointers_to(std::span<const std::string> words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view name_in(std::string_view variable) { return variable.substr(0, variable.find('=')); }

std::vector<char*> environment_of(const process_plan& plan) {
  std::vector<char*> all;
  for (const std::string& ours : plan.variables)
    if (ours.find('=') != ours.npos) all.push_back(const_cast<char*>(ours.c_str()));
  for (char** one = plan.is_environment_ours ? kernel::environment() : nullptr;
       one != nullptr && *one != nullptr; ++one) {
    const auto is_same = [one](const std::string& ours) { return name_in(ours) == name_in(*one); };
    if (std::ranges::none_of(plan.variables, is_same)) all.push_back(*one);
  }
  all.push_back(nullptr);
  return all;
}

// posix_spawn tells a number, not at which step it arose.
error why_not(const process_plan& plan, int number) {
  error why = cause(number);
  struct stat about{};
  const bool is_there =
      plan.directory.empty() || (::stat(plan.directory.c_str(), &about) == 0 && S_ISDIR(about.st_mode) &&
                                 ::access(plan.directory.c_str(), X_OK) == 0);
  why.set_subject(plan.words.front());
  if (!is_there) why.set_detail("in " + plan.directory);
  return why;
}

// Where SIGCHLD is ignored, the system forgets how children ended and gives their numbers to others.
bool are_ends_kept() {
  struct sigaction now{};
  return ::sigaction(SIGCHLD, nullptr, &now) != 0 ||
         (now.sa_handler != SIG_IGN && (now.sa_flags & SA_NOCLDWAIT) == 0);
}

int wait_for(const process_handle& which, siginfo_t& how, int flags) {
  int got = 0;
  do {
    how = {};
    got = kernel::wait_for_process(which.pid, which.watched, how, flags);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

result<process_handle> start_process(const process_plan& plan, owned_descriptor& watched) {
  if (plan.words.empty()) return fail(cause(EINVAL));
  if (!are_ends_kept()) {
    error why = cause(ECHILD);
    why.set_subject(plan.words.front()).set_detail("SIGCHLD is ignored, so nobody can wait for programs");
    return fail(std::move(why));
  }
  preparation ready;
  if (const int failed = ready.go_to(plan.directory); failed != 0) return fail(cause(failed));
  if (auto done = ready.pass(plan.descriptors); !done)
    return fail(std::move(done.error().set_subject(plan.words.front())));
  ready.set_signals_and_group(plan);
  const std::vector<char*> words = pointers_to(plan.words);
  const std::vector<char*> variables = environment_of(plan);
  process_handle made;
  made.has_own_group = plan.has_own_group || plan.has_own_session;
  const unpinned_thread so_is_the_child;
  if (const int failed = ::posix_spawnp(&made.pid, words[0], ready.actions(), ready.attributes(),
                                        words.data(), variables.data());
      failed != 0)
    return fail(why_not(plan, failed));
  watched = owned_descriptor(kernel::open_process_watch(made.pid));
  made.watched = watched.descriptor();
  return made;
}

result<void> signal_process(const process_handle& which, int signal) {
  if (kernel::signal_child(which.pid, which.watched, which.has_own_group, signal) != 0)
    return fail(system_error(step::run));
  return {};
}

result<std::optional<exit_status>> reap_process(const process_handle& which) {
  siginfo_t how{};
  if (wait_for(which, how, WEXITED | WNOHANG) != 0) return fail(system_error(step::wait));
  if (how.si_pid == 0) return std::nullopt;
  if (how.si_code == CLD_EXITED) return exit_status{.code = how.si_status};
  return exit_status{.signal = how.si_status, .dumped_core = how.si_code == CLD_DUMPED};
}

void await_process(int pid) noexcept {
  siginfo_t how{};
  wait_for({.pid = pid}, how, WEXITED | WNOWAIT);
}

void end_process(const process_handle& which, std::chrono::milliseconds limit) noexcept {
  static_cast<void>(signal_process(which, SIGKILL));
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    siginfo_t how{};
    if (wait_for(which, how, WEXITED | WNOHANG) != 0 || how.si_pid != 0) return;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return;
    pollfd one{which.watched, POLLIN, 0};  // Without a watch: look again each millisecond.
    ::poll(&one, 1, which.watched >= 0 ? static_cast<int>(left) : 1);
  }
}

}  // namespace soquete
