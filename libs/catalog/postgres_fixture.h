// A real PostgreSQL for tests: no test of the catalog runs on anything else.
#ifndef RIVERMEET_CATALOG_POSTGRES_FIXTURE_H_
#define RIVERMEET_CATALOG_POSTGRES_FIXTURE_H_

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "catalog/database.h"
#include "catalog/private_postgres.h"

namespace rivermeet::catalog {

// A folder of a test's own that the server's account can go through; gone when the test ends.
class ServerTempDir {
 public:
  ServerTempDir();
  ~ServerTempDir();
  ServerTempDir(const ServerTempDir&) = delete;
  ServerTempDir& operator=(const ServerTempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A server with a fresh, migrated database for each CatalogFixture of the process; it starts with the first
// (about 2 s) and ends with the last or with the process.
//
//   TEST_CASE("...") {
//     CatalogFixture catalog;
//     StreamStore streams(catalog.database());
class CatalogFixture {
 public:
  // `migrated` false: the database is empty.
  explicit CatalogFixture(bool migrated = true);
  ~CatalogFixture();
  CatalogFixture(const CatalogFixture&) = delete;
  CatalogFixture& operator=(const CatalogFixture&) = delete;

  Database& database() { return *database_; }
  // For further Database objects on the same database.
  const std::string& connection() const { return connection_; }
  // The server itself, which the fixtures of the process share.
  PrivatePostgres& server() { return *server_; }

  // A deadline for one step of a test, generous: a machine may run much else besides.
  static absl::Time Soon() { return absl::Now() + absl::Minutes(2); }

 private:
  std::shared_ptr<PrivatePostgres> server_;
  std::string name_;
  std::string connection_;
  std::unique_ptr<Database> database_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_POSTGRES_FIXTURE_H_
