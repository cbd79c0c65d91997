#include "catalog/snapshot_store.h"

#include "base/crash_point.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/internal/segment_rows.h"

namespace rivermeet::catalog {
namespace {

constexpr int kKept = 3;

// Holds the lease's row until the commit, so that nobody can take the partition over in between.
absl::Status CheckEpoch(Transaction& transaction, const std::string& log, const Snapshot& snapshot) {
  RM_ASSIGN_OR_RETURN(const Result lease,
                      transaction.Execute("SELECT epoch, owner FROM leases WHERE log = $1 AND partition = $2 FOR SHARE",
                                          {log, snapshot.partition}));
  if (lease.empty() || lease[0].Int(0) != snapshot.epoch || lease[0].Text(1).empty()) {
    return absl::FailedPreconditionError(ToAbsl(fmt::format(
        "partition {} of {} is not owned in epoch {}{}", snapshot.partition, log, snapshot.epoch,
        lease.empty() ? std::string()
                      : fmt::format(": it is in epoch {}, owned by '{}'", lease[0].Int(0), lease[0].Text(1)))));
  }
  RM_ASSIGN_OR_RETURN(const Result last,
                      transaction.Execute("SELECT max(record_offset) FROM snapshots WHERE log = $1 AND partition = $2",
                                          {log, snapshot.partition}));
  if (!last[0].IsNull(0) && last[0].Int(0) > snapshot.offset) {
    return absl::FailedPreconditionError(ToAbsl(fmt::format("partition {} of {} has a snapshot at {}, beyond {}",
                                                            snapshot.partition, log, last[0].Int(0), snapshot.offset)));
  }
  return absl::OkStatus();
}

absl::Status Put(Transaction& transaction, const std::string& log, const Snapshot& snapshot) {
  return transaction
      .Execute(
          "INSERT INTO snapshots (log, partition, record_offset, epoch, object, bytes)"
          " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (log, partition, record_offset, epoch)"
          " DO UPDATE SET object = excluded.object, bytes = excluded.bytes, committed_at = now()",
          {log, snapshot.partition, snapshot.offset, snapshot.epoch, snapshot.object, snapshot.bytes})
      .status();
}

absl::Status Prune(Transaction& transaction, const std::string& log, int32_t partition, Committed& committed) {
  RM_ASSIGN_OR_RETURN(
      const Result pruned,
      transaction.Execute(fmt::format("DELETE FROM snapshots WHERE log = $1 AND partition = $2"
                                      " AND (record_offset, epoch) IN (SELECT record_offset, epoch FROM snapshots"
                                      " WHERE log = $1 AND partition = $2 ORDER BY record_offset DESC, epoch DESC"
                                      " OFFSET {}) RETURNING object",
                                      kKept),
                          {log, partition}));
  for (const Row row : pruned) committed.obsolete_objects.emplace_back(row.Text(0));
  return absl::OkStatus();
}

absl::Status RemovePassedOver(Transaction& transaction, const std::string& log, const SnapshotCommit& commit,
                              Committed& committed) {
  if (commit.replayed_from == INT64_MAX) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(
      const Result removed,
      transaction.Execute("DELETE FROM snapshots WHERE log = $1 AND partition = $2"
                          " AND record_offset > $3 AND object <> $4 RETURNING object",
                          {log, commit.snapshot.partition, commit.replayed_from, commit.snapshot.object}));
  for (const Row row : removed) committed.obsolete_objects.emplace_back(row.Text(0));
  return absl::OkStatus();
}

absl::Status ChangeManifest(Transaction& transaction, const SnapshotCommit& commit, Committed& committed) {
  if (commit.added.empty() && commit.removed.empty()) {
    RM_ASSIGN_OR_RETURN(const Result version,
                        transaction.Execute("SELECT version FROM versions WHERE name = 'manifest'"));
    committed.manifest_version = version[0].Int(0);
    return absl::OkStatus();
  }
  RM_ASSIGN_OR_RETURN(
      const Result version,
      transaction.Execute("UPDATE versions SET version = version + 1 WHERE name = 'manifest' RETURNING version"));
  committed.manifest_version = version[0].Int(0);
  for (const Segment& segment : commit.removed) {
    RM_RETURN_IF_ERROR(RemoveSegment(transaction, segment, committed.manifest_version));
  }
  for (const Segment& segment : commit.added) {
    RM_ASSIGN_OR_RETURN(const bool added, AddSegment(transaction, segment, committed.manifest_version));
    if (!added) committed.obsolete_objects.push_back(segment.object);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Snapshot>> SnapshotStore::List(int32_t partition, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      database_.Execute(deadline,
                        "SELECT partition, epoch, record_offset, object, bytes, committed_at FROM snapshots"
                        " WHERE log = $1 AND partition = $2 ORDER BY record_offset DESC, epoch DESC",
                        {log_, partition}));
  std::vector<Snapshot> snapshots;
  for (const Row row : rows) {
    snapshots.push_back(Snapshot{.partition = static_cast<int32_t>(row.Int(0)),
                                 .epoch = row.Int(1),
                                 .offset = row.Int(2),
                                 .object = std::string(row.Text(3)),
                                 .bytes = row.Int(4),
                                 .committed = row.Time(5)});
  }
  return snapshots;
}

absl::StatusOr<Committed> SnapshotStore::Commit(const SnapshotCommit& commit, absl::Time deadline) {
  Committed committed;
  CrashPoint("catalog.snapshot.before_commit");
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    committed = Committed();
    RM_RETURN_IF_ERROR(CheckEpoch(transaction, log_, commit.snapshot));
    RM_RETURN_IF_ERROR(Put(transaction, log_, commit.snapshot));
    RM_RETURN_IF_ERROR(RemovePassedOver(transaction, log_, commit, committed));
    RM_RETURN_IF_ERROR(Prune(transaction, log_, commit.snapshot.partition, committed));
    // Last, because the version's row makes everybody else's commit wait.
    return ChangeManifest(transaction, commit, committed);
  }));
  CrashPoint("catalog.snapshot.after_commit");
  return committed;
}

}  // namespace rivermeet::catalog
