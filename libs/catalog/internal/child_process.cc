#include "catalog/internal/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strings.h"

namespace rivermeet::catalog {
namespace {

// In the child, between fork and exec: only async-signal-safe calls. Returns errno when it could not exec.
int Become(const ChildOptions& options, pid_t parent, char* const* argv, char* const* envp, int error_fd) {
  struct sigaction normal = {};
  normal.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &normal, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();
  if (geteuid() == 0 && options.account.uid != 0) {
    if (setgroups(options.account.groups.size(), options.account.groups.data()) != 0) return errno;
    if (setresgid(options.account.gid, options.account.gid, options.account.gid) != 0) return errno;
    if (setresuid(options.account.uid, options.account.uid, options.account.uid) != 0) return errno;
  }
  // After the change of account, which clears it. The parent may have ended before.
  if (options.death_signal != 0 && prctl(PR_SET_PDEATHSIG, options.death_signal) != 0) return errno;
  if (getppid() != parent) return ESRCH;
  if (chdir(options.folder.c_str()) != 0) return errno;
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(options.log_fd, 1) < 0 || dup2(options.log_fd, 2) < 0) return errno;
  // Everything above, the error pipe included (it survives until exec), is not the child's.
  syscall(SYS_close_range, 3U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */);
  fcntl(error_fd, F_SETFD, FD_CLOEXEC);
  execve(argv[0], argv, envp);
  return errno;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<Account> ServerAccount(const std::string& name) {
  Account account;
  struct passwd entry = {};
  struct passwd* found = nullptr;
  std::vector<char> buffer(16384);
  const int error = geteuid() == 0 ? getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found)
                                   : getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0 || found == nullptr) {
    return absl::FailedPreconditionError(ToAbsl(
        geteuid() == 0
            ? fmt::format("there is no account {} to run PostgreSQL as: run `sudo apt-get install postgresql`", name)
            : fmt::format("user id {} has no name in the system: PostgreSQL needs one", geteuid())));
  }
  account.name = entry.pw_name;
  account.uid = entry.pw_uid;
  account.gid = entry.pw_gid;
  int count = 64;
  account.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count) < 0) count = 64;
  account.groups.resize(static_cast<size_t>(count));
  return account;
}

absl::StatusOr<pid_t> StartChild(const ChildOptions& options) {
  const auto failed = [&](const char* what, int error) {
    return absl::InternalError(ToAbsl(fmt::format("{} {}: {}", what, options.arguments[0], strerror(error))));
  };
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0) return failed("no pipe for", errno);
  const std::vector<char*> argv = Pointers(options.arguments);
  const std::vector<char*> envp = Pointers(options.environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    const int error = Become(options, parent, argv.data(), envp.data(), error_pipe[1]);
    [[maybe_unused]] const ssize_t written = write(error_pipe[1], &error, sizeof error);
    _exit(127);
  }
  const int fork_error = errno;
  close(error_pipe[1]);
  int error = 0;
  const ssize_t got = child < 0 ? 0 : read(error_pipe[0], &error, sizeof error);
  close(error_pipe[0]);
  if (child < 0) return failed("can't fork for", fork_error);
  if (got == sizeof error) {
    waitpid(child, nullptr, 0);
    return failed("can't start", error);
  }
  return child;
}

}  // namespace rivermeet::catalog
