// Transactions on PostgreSQL: a bounded pool of connections, deadlines, retries and errors as values.
#ifndef RIVERMEET_CATALOG_DATABASE_H_
#define RIVERMEET_CATALOG_DATABASE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/statement.h"

namespace rivermeet::catalog {

// One transaction, read committed, on one connection; lives inside Database::Run(). Not thread-safe.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // Runs one statement with its parameters; without parameters `sql` may be several statements.
  //
  // Errors (after any of them every further statement fails too: return it from the body of Run()):
  //   ALREADY_EXISTS       A unique key is taken.
  //   FAILED_PRECONDITION  A foreign key or a check is violated.
  //   INVALID_ARGUMENT     A value that the column's type can't hold, or a text with a zero byte.
  //   ABORTED              A conflict with another transaction; Run() retries it by itself.
  //   DEADLINE_EXCEEDED    The deadline passed.
  //   RESOURCE_EXHAUSTED   The disk or the memory of the database is full.
  //   UNAVAILABLE          The connection is lost.
  //   INTERNAL             Anything else: a fault of ours.
  virtual absl::StatusOr<Result> Execute(std::string_view sql, const std::vector<Param>& params = {}) = 0;
};

struct DatabaseOptions {
  // A libpq connection string, for example "host=/data/postgres user=rivermeet dbname=rivermeet".
  std::string connection;
  // Connections open at a time, from 1.
  int max_connections = 4;
  // The longest that opening one may take. Nobody waits for one beyond their own deadline.
  absl::Duration connect_timeout = absl::Seconds(5);
  // A transaction that does nothing for so long, because its process stands still, is rolled back by the server:
  // nobody waits for its locks any longer.
  absl::Duration idle_transaction_timeout = absl::Seconds(5);
};

// Thread-safe.
class Database {
 public:
  // Does not connect: the first Run() does.
  explicit Database(DatabaseOptions options);
  // All Run() calls have returned.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  using Body = std::function<absl::Status(Transaction&)>;

  // Runs `body` in a transaction: commits it when `body` returns OK, else rolls it back and returns that error.
  // `body` runs again after a serialization failure, a deadlock, or a connection found broken before the commit,
  // so it must not have effects outside the transaction. Waits for a free connection, blocks until `deadline` and
  // at most a second longer, even when the server stands still.
  //
  // Errors, besides those of `body` and of Execute():
  //   UNAVAILABLE        No connection; or it was lost during the commit, whose outcome is then unknown: the message
  //                      says so. Retry with a pause, when the transaction is made to be repeated.
  //   DEADLINE_EXCEEDED  No connection became free, or the transaction took too long. Nothing was changed, unless
  //                      the commit itself was cut off: the message says so.
  absl::Status Run(absl::Time deadline, const Body& body);

  // One statement in a transaction of its own.
  absl::StatusOr<Result> Execute(absl::Time deadline, std::string_view sql, const std::vector<Param>& params = {});

  // One statement outside any transaction, for those that PostgreSQL refuses in one (CREATE DATABASE). Never run again.
  absl::Status RunAlone(absl::Time deadline, std::string_view sql);

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_DATABASE_H_
