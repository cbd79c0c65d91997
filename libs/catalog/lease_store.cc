#include "catalog/lease_store.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::catalog {
namespace {

constexpr std::string_view kColumns =
    "partition, owner, address, epoch,"
    " CASE WHEN isfinite(expires_at) THEN (extract(epoch FROM expires_at - clock_timestamp()) * 1000000)::bigint"
    " ELSE 0 END";

std::vector<Lease> LeasesOf(const Result& rows) {
  std::vector<Lease> leases;
  for (const Row row : rows) {
    leases.push_back(Lease{.partition = static_cast<int32_t>(row.Int(0)),
                           .owner = std::string(row.Text(1)),
                           .address = std::string(row.Text(2)),
                           .epoch = row.Int(3),
                           .remaining = absl::Microseconds(row.Int(4))});
  }
  return leases;
}

absl::Status Bump(Transaction& transaction, const std::string& log) {
  return transaction
      .Execute(
          "INSERT INTO versions (name, version) VALUES ($1, 1)"
          " ON CONFLICT (name) DO UPDATE SET version = versions.version + 1",
          {"leases:" + log})
      .status();
}

// $1 log, $2 owner, $3 address, $4 microseconds; `which` picks the partitions.
std::string TakeSql(std::string_view which) {
  return fmt::format(
      "UPDATE leases SET owner = $2, address = $3, epoch = epoch + 1,"
      " expires_at = clock_timestamp() + $4::bigint * interval '1 microsecond'"
      " WHERE log = $1 AND partition IN (SELECT partition FROM leases WHERE log = $1 AND {}) RETURNING {}",
      which, kColumns);
}

absl::Status NotTaken(Transaction& transaction, const std::string& log, int32_t partition) {
  RM_ASSIGN_OR_RETURN(
      const Result row,
      transaction.Execute(fmt::format("SELECT {} FROM leases WHERE log = $1 AND partition = $2", kColumns),
                          {log, partition}));
  if (row.empty()) return absl::NotFoundError(ToAbsl(fmt::format("{} has no partition {}", log, partition)));
  const Lease lease = LeasesOf(row).front();
  return absl::FailedPreconditionError(ToAbsl(fmt::format("partition {} of {} is owned by {} for {} still", partition,
                                                          log, lease.owner, absl::FormatDuration(lease.remaining))));
}

}  // namespace

absl::Status LeaseStore::EnsurePartitions(int32_t count, absl::Time deadline) {
  return database_
      .Execute(deadline,
               "INSERT INTO leases (log, partition) SELECT $1, generate_series(0, $2::integer - 1)"
               " ON CONFLICT DO NOTHING",
               {log_, count})
      .status();
}

absl::StatusOr<Lease> LeaseStore::Acquire(int32_t partition, std::string_view owner, std::string_view address,
                                          absl::Time deadline) {
  Lease lease;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(
        const Result taken,
        transaction.Execute(
            TakeSql("partition = $5 AND (owner IN ('', $2) OR expires_at <= clock_timestamp()) FOR UPDATE"),
            {log_, owner, address, absl::ToInt64Microseconds(lease_time_), partition}));
    if (taken.empty()) return NotTaken(transaction, log_, partition);
    lease = LeasesOf(taken).front();
    return Bump(transaction, log_);
  }));
  return lease;
}

absl::StatusOr<std::vector<Lease>> LeaseStore::AcquireFree(std::string_view owner, std::string_view address, int limit,
                                                           bool restarted, absl::Time deadline) {
  std::vector<Lease> leases;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(
        const Result taken,
        transaction.Execute(TakeSql("(owner = '' OR expires_at <= clock_timestamp() OR ($5 AND owner = $2))"
                                    " ORDER BY owner <> $2, partition LIMIT $6 FOR UPDATE SKIP LOCKED"),
                            {log_, owner, address, absl::ToInt64Microseconds(lease_time_), restarted, limit}));
    leases = LeasesOf(taken);
    return taken.empty() ? absl::OkStatus() : Bump(transaction, log_);
  }));
  std::sort(leases.begin(), leases.end(), [](const Lease& a, const Lease& b) { return a.partition < b.partition; });
  return leases;
}

absl::StatusOr<std::vector<Lease>> LeaseStore::Renew(std::string_view owner, const std::vector<Lease>& leases,
                                                     absl::Time deadline) {
  std::vector<Lease> renewed;
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    renewed.clear();
    for (const Lease& lease : leases) {
      RM_ASSIGN_OR_RETURN(
          const Result row,
          transaction.Execute(
              fmt::format("UPDATE leases SET expires_at = clock_timestamp() + $5::bigint * interval '1 microsecond'"
                          " WHERE log = $1 AND owner = $2 AND partition = $3 AND epoch = $4 RETURNING {}",
                          kColumns),
              {log_, owner, lease.partition, lease.epoch, absl::ToInt64Microseconds(lease_time_)}));
      for (Lease& still : LeasesOf(row)) renewed.push_back(std::move(still));
    }
    return absl::OkStatus();
  }));
  return renewed;
}

absl::Status LeaseStore::Release(const Lease& lease, absl::Time deadline) {
  return database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_ASSIGN_OR_RETURN(const Result released,
                        transaction.Execute("UPDATE leases SET owner = '', address = '', expires_at = '-infinity'"
                                            " WHERE log = $1 AND partition = $2 AND owner = $3 AND epoch = $4",
                                            {log_, lease.partition, lease.owner, lease.epoch}));
    return released.affected() == 0 ? absl::OkStatus() : Bump(transaction, log_);
  });
}

absl::StatusOr<std::vector<Lease>> LeaseStore::List(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      database_.Execute(deadline, fmt::format("SELECT {} FROM leases WHERE log = $1 ORDER BY partition", kColumns),
                        {log_}));
  return LeasesOf(rows);
}

absl::StatusOr<int64_t> LeaseStore::Version(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      database_.Execute(deadline, "SELECT version FROM versions WHERE name = $1", {"leases:" + log_}));
  return rows.empty() ? 0 : rows[0].Int(0);
}

}  // namespace rivermeet::catalog
