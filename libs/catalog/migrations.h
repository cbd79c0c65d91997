// The catalog's schema, as forward-only steps that are part of the program.
#ifndef RIVERMEET_CATALOG_MIGRATIONS_H_
#define RIVERMEET_CATALOG_MIGRATIONS_H_

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "catalog/database.h"

namespace rivermeet::catalog {

// One file of migrations/: NNNN_name.sql.
struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

// All of them, by version, from 1 without gaps.
std::span<const Migration> BuiltinMigrations();

// Brings the database to the last of `migrations`, in one transaction under a lock, so that several processes can
// start at the same time. Does nothing when it is there already.
//
// Errors:
//   FAILED_PRECONDITION  The database was made by a newer version of the program, or a migration that it had was
//                        changed since; the message says which. Use the program that made it.
//   As Database::Run().
absl::Status Migrate(Database& database, absl::Time deadline,
                     std::span<const Migration> migrations = BuiltinMigrations());

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_MIGRATIONS_H_
