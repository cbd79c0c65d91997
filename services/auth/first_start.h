// What the first start makes: keys in files, the first admin, the key of the local machine.
#ifndef RIVERMEET_AUTH_FIRST_START_H_
#define RIVERMEET_AUTH_FIRST_START_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "catalog/database.h"

namespace rivermeet::auth {

// Files below `folder` (<data>/keys); each can be read by its owner alone.
struct KeyFiles {
  explicit KeyFiles(const std::string& folder)
      : folder(folder),
        master(folder + "/master.key"),
        local(folder + "/local.key"),
        password(folder + "/admin.password") {}
  std::string folder;
  // Seals the signing keys in the catalog; 32 bytes as base64url.
  std::string master;
  // An API key with role admin, for the CLI and the agent on this machine.
  std::string local;
  // The first admin's one-time password; gone once it has been changed.
  std::string password;
};

// The key in files.master, made when there is none.
//
// Errors:
//   FAILED_PRECONDITION  The file can be read by others, or is not a key. The message says how to mend that.
absl::StatusOr<std::string> MasterKey(const KeyFiles& files);

// When the tenant `default` has no users, adds the user "admin" with a one-time password, which is written to
// files.password and returned; else returns an empty text. Of several processes one does it.
absl::StatusOr<std::string> EnsureFirstAdmin(catalog::Database& database, const KeyFiles& files, const Clock& clock,
                                             absl::Time deadline);

// Makes sure that files.local holds a good API key of the tenant `default`; one whose file is lost is revoked.
absl::Status EnsureLocalKey(catalog::Database& database, const KeyFiles& files, const Clock& clock,
                            absl::Time deadline);

// Removes files.password once no user has that one-time password any more.
absl::Status RemoveSpentPassword(catalog::Database& database, const KeyFiles& files, absl::Time deadline);

}  // namespace rivermeet::auth

#endif  // RIVERMEET_AUTH_FIRST_START_H_
