#include "catalog/migrations.h"

#include "base/sha256.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::catalog {
namespace {

// Any number that no other program on the same database locks with.
constexpr int64_t kLock = 0x72766d745f6d6967;

absl::Status Verify(const Row& applied, std::span<const Migration> migrations) {
  const int64_t version = applied.Int(0);
  if (version > static_cast<int64_t>(migrations.size())) {
    return absl::FailedPreconditionError(ToAbsl(fmt::format(
        "the catalog has migration {} ({}), this program knows {}: it was made by a newer version; use that", version,
        applied.Text(1), migrations.size())));
  }
  const Migration& migration = migrations[version - 1];
  if (applied.Blob(2) != Sha256(migration.sql)) {
    return absl::FailedPreconditionError(ToAbsl(fmt::format(
        "migration {} is not what the catalog was made with: use the version that made it", migration.name)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Migrate(Database& database, absl::Time deadline, std::span<const Migration> migrations) {
  for (size_t i = 0; i < migrations.size(); ++i) RM_CHECK(migrations[i].version == static_cast<int>(i) + 1);
  return database.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(transaction.Execute("SELECT pg_advisory_xact_lock($1)", {kLock}).status());
    RM_RETURN_IF_ERROR(transaction
                           .Execute("CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY,"
                                    " name text NOT NULL, checksum bytea NOT NULL,"
                                    " applied_at timestamptz NOT NULL DEFAULT now())")
                           .status());
    RM_ASSIGN_OR_RETURN(const Result applied,
                        transaction.Execute("SELECT version, name, checksum FROM migrations ORDER BY version"));
    for (const Row row : applied) RM_RETURN_IF_ERROR(Verify(row, migrations));
    for (const Migration& migration : migrations.subspan(applied.size())) {
      if (absl::Status status = transaction.Execute(migration.sql).status(); !status.ok()) {
        return Annotate(status, migration.name);
      }
      RM_RETURN_IF_ERROR(transaction
                             .Execute("INSERT INTO migrations (version, name, checksum) VALUES ($1, $2, $3)",
                                      {migration.version, migration.name, Param::Blob(Sha256(migration.sql))})
                             .status());
    }
    return absl::OkStatus();
  });
}

}  // namespace rivermeet::catalog
