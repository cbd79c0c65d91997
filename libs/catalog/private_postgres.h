// A PostgreSQL of our own in the data folder, for running on one machine without setting up a database.
#ifndef RIVERMEET_CATALOG_PRIVATE_POSTGRES_H_
#define RIVERMEET_CATALOG_PRIVATE_POSTGRES_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace rivermeet::catalog {

struct PrivatePostgresOptions {
  // The data folder. The database lives in its subfolder "postgres", the server's log in "postgres.log".
  std::string data;
  // The account that the server runs as when this process is root; PostgreSQL refuses to run as root.
  std::string user = "postgres";
  // Called, from a thread of its own, when the server ended without being asked to and was started again, or could
  // not be. May be empty.
  std::function<void(std::string_view message)> on_trouble;
};

// Runs the server of the newest PostgreSQL package of the system (or, for a folder that exists, of the version that
// made it): reachable over a Unix socket only, by this user and root only (peer authentication), durable (fsync on),
// small (32 MB of shared buffers, 40 connections).
//
// The server ends with this process, even when that is killed. After a kill the next Start() finds what is left by
// its postmaster.pid, stops it, and lets PostgreSQL recover. Two processes never run a server on the same folder.
// Thread-safe.
class PrivatePostgres {
 public:
  static absl::StatusOr<std::unique_ptr<PrivatePostgres>> Open(PrivatePostgresOptions options);

  // Stops the server.
  ~PrivatePostgres();

  // Makes the database when there is none (2 to 5 s), starts the server and returns once it takes connections
  // (0.2 to 1 s). It is restarted when it ends by itself.
  //
  // Errors:
  //   FAILED_PRECONDITION  PostgreSQL, or the version that made the folder, is not installed; the server's account
  //                        can't reach the folder; the folder is in use by another process. The message says what to
  //                        do.
  //   DEADLINE_EXCEEDED    It was not ready in time; the message ends with the last lines of its log.
  //   INTERNAL             It ended at once, with the last lines of its log.
  absl::Status Start(absl::Time deadline);

  // A fast shutdown: open transactions are rolled back. Call after all users of connection() have stopped; a server
  // that does not end by the deadline is killed, and recovers at the next start.
  absl::Status Stop(absl::Time deadline);

  // A libpq connection string, good from Start() to Stop().
  const std::string& connection() const;

  // The server's process id, or 0.
  int pid() const;

 private:
  class Server;
  explicit PrivatePostgres(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_PRIVATE_POSTGRES_H_
