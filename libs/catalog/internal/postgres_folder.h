// The files of a private PostgreSQL and the processes that work on them.
#ifndef RIVERMEET_CATALOG_INTERNAL_POSTGRES_FOLDER_H_
#define RIVERMEET_CATALOG_INTERNAL_POSTGRES_FOLDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/internal/child_process.h"

namespace rivermeet::catalog {

struct PostgresFolder {
  std::string data;
  // The cluster itself; only the server's account can look into it.
  std::string cluster;
  // Written by us on every start, outside the cluster, so that root never writes where the account can put links.
  std::string hba;
  std::string ident;
  std::string log;
  std::string lock;
};

// `data`, made absolute, exists afterwards.
absl::StatusOr<PostgresFolder> PreparePostgresFolder(const std::string& data);

// Makes sure that `account` can go through all folders down to `folder`.
//
// Errors:
//   FAILED_PRECONDITION  It can't; the message names the folder that is closed to it.
absl::Status CheckReachable(const std::string& folder, const Account& account);

// Who may connect: the account and root, each over the socket, as `rivermeet`.
absl::Status WriteAccessFiles(const PostgresFolder& folder, const Account& account);

// A folder for the socket: the cluster's own, or, when its path is too long for a socket's name (107 bytes), a short
// one that nobody else can enter.
absl::StatusOr<std::string> SocketFolder(const PostgresFolder& folder, const Account& account);

// The major version that made the cluster; empty when there is none.
std::string ClusterVersion(const PostgresFolder& folder);

// Whether the server with this process id takes connections, by its postmaster.pid.
bool ServerIsReady(const PostgresFolder& folder, pid_t pid);

// Ends what is left of a server whose parent was killed, then removes its pid files, here and in `sockets`: the process
// that they name may be another one by now, or a zombie that nobody waits for. Waits until the server is gone.
//
// Errors:
//   DEADLINE_EXCEEDED  It does not end.
absl::Status StopLeftovers(const PostgresFolder& folder, const std::string& sockets, absl::Time deadline);

// The last `lines` lines of the log, on one line.
std::string LogTail(const PostgresFolder& folder, int lines);

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_INTERNAL_POSTGRES_FOLDER_H_
