// Finding the programs of the PostgreSQL package.
#ifndef RIVERMEET_CATALOG_INTERNAL_POSTGRES_INSTALL_H_
#define RIVERMEET_CATALOG_INTERNAL_POSTGRES_INSTALL_H_

#include <string>

#include "absl/status/statusor.h"

namespace rivermeet::catalog {

struct PostgresInstall {
  std::string initdb;
  std::string postgres;
};

// The newest version below `root` (/usr/lib/postgresql/<version>/bin), else the one on the PATH; `version` (of a
// folder that exists) picks that version and no other, empty for any.
//
// Errors:
//   FAILED_PRECONDITION  There is none; the message names the command that installs it.
absl::StatusOr<PostgresInstall> FindPostgres(const std::string& version,
                                             const std::string& root = "/usr/lib/postgresql");

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_INTERNAL_POSTGRES_INSTALL_H_
