// Starting another program as a child that can't outlive the thread that started it.
#ifndef RIVERMEET_CATALOG_INTERNAL_CHILD_PROCESS_H_
#define RIVERMEET_CATALOG_INTERNAL_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::catalog {

// An account of the system.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// The account `name`; when this process is not root, its own account, whatever the name.
//
// Errors:
//   FAILED_PRECONDITION  There is no such account.
absl::StatusOr<Account> ServerAccount(const std::string& name);

struct ChildOptions {
  // The program's path, then its arguments.
  std::vector<std::string> arguments;
  // NAME=VALUE.
  std::vector<std::string> environment;
  Account account;
  // Where its standard output and error go.
  int log_fd = -1;
  std::string folder = "/";
  // Sent to it when the calling thread ends.
  int death_signal = 0;
};

// Returns the child's pid. It runs in a session of its own, with default signal handling and only the standard file
// descriptors. The caller waits for it.
//
// Errors:
//   INTERNAL  fork or exec failed.
absl::StatusOr<pid_t> StartChild(const ChildOptions& options);

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_INTERNAL_CHILD_PROCESS_H_
