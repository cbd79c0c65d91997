// Who owns which partition, and since which change of hands.
//
// All clocks are the database's now(): nobody's own clock decides who owns what. An owner counts its time from before
// it asked, by its monotonic clock, so that it always stops before the database gives the partition away.
#ifndef RIVERMEET_CATALOG_LEASE_STORE_H_
#define RIVERMEET_CATALOG_LEASE_STORE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/database.h"

namespace rivermeet::catalog {

inline constexpr absl::Duration kLeaseTime = absl::Seconds(9);
inline constexpr absl::Duration kLeaseRenewal = absl::Seconds(3);

struct Lease {
  int32_t partition = 0;
  // Empty: nobody's.
  std::string owner;
  // Where the owner answers, "host:port".
  std::string address;
  // Grows by one at every change of hands; 0: never owned.
  int64_t epoch = 0;
  // What is left of it by the database's clock when it answered; not positive: expired.
  absl::Duration remaining;
};

// The leases of one log ("events", "rooms", ...).
//
// Thread-safe. Every call is one transaction and blocks until its deadline at most; errors besides the named ones
// are those of Database::Run().
class LeaseStore {
 public:
  // `database` outlives this.
  explicit LeaseStore(Database& database, std::string log = "events", absl::Duration lease_time = kLeaseTime)
      : database_(database), log_(std::move(log)), lease_time_(lease_time) {}

  // Makes sure that partitions 0 to `count` - 1 are known. Repeating it is harmless.
  absl::Status EnsurePartitions(int32_t count, absl::Time deadline);

  // Takes the partition when it is nobody's, expired, or `owner`'s own from before a restart; always a new epoch.
  //
  // Errors:
  //   FAILED_PRECONDITION  Somebody else owns it; the message says who and for how long still.
  //   NOT_FOUND            No such partition.
  absl::StatusOr<Lease> Acquire(int32_t partition, std::string_view owner, std::string_view address,
                                absl::Time deadline);

  // Takes at most `limit` partitions that are nobody's or expired, and, when `restarted`, first of all those that are
  // still `owner`'s own. May be none.
  absl::StatusOr<std::vector<Lease>> AcquireFree(std::string_view owner, std::string_view address, int limit,
                                                 bool restarted, absl::Time deadline);

  // Prolongs leases that this owner has, by partition and epoch. Those missing in the answer are lost: stop at once.
  // A lease past its time is prolonged as long as nobody has taken it.
  absl::StatusOr<std::vector<Lease>> Renew(std::string_view owner, const std::vector<Lease>& leases,
                                           absl::Time deadline);

  // Gives a lease back, so that another can take it at once. Not an error when it is lost already.
  absl::Status Release(const Lease& lease, absl::Time deadline);

  // All partitions, by number.
  absl::StatusOr<std::vector<Lease>> List(absl::Time deadline);

  // Grows with every change of hands (not with renewals): poll it to route calls.
  absl::StatusOr<int64_t> Version(absl::Time deadline);

  const std::string& log() const { return log_; }

 private:
  Database& database_;
  const std::string log_;
  const absl::Duration lease_time_;
};

}  // namespace rivermeet::catalog

#endif  // RIVERMEET_CATALOG_LEASE_STORE_H_
