// Small values that all processes share: secrets made on first start, the log's partition count.
#ifndef RIVERMEET_CATALOG_SETTINGS_STORE_H_
#define RIVERMEET_CATALOG_SETTINGS_STORE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/database.h"

namespace rivermeet::catalog {

// Thread-safe. Every call is one transaction and blocks until its deadline at most; errors besides the named ones
// are those of Database::Run().
class SettingsStore {
 public:
  // `database` outlives this.
  explicit SettingsStore(Database& database) : database_(database) {}

  // Errors:
  //   NOT_FOUND  It was never set.
  absl::StatusOr<std::string> Get(std::string_view name, absl::Time deadline);

  absl::Status Set(std::string_view name, std::string_view bytes, absl::Time deadline);

  // Sets it to `bytes` unless it is set; returns what it is then. The first of several processes wins.
  absl::StatusOr<std::string> GetOrSet(std::string_view name, std::string_view bytes, absl::Time deadline);

 private:
  Database& database_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_SETTINGS_STORE_H_
