#include "catalog/stream_store.h"

#include "base/ids.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::catalog {
namespace {

constexpr std::string_view kSelect =
    "SELECT s.id, s.tenant, s.name, s.version, s.partitions, s.compatibility, s.allowed_lateness_us, s.retention_us,"
    " s.created_at, s.updated_at, f.name, f.type, f.kind, f.unit, f.allow_non_finite"
    " FROM streams s LEFT JOIN stream_fields f ON f.stream_id = s.id AND f.version = s.version ";
constexpr std::string_view kOrder = " ORDER BY s.tenant, s.name, f.position";

Field FieldAt(const Row& row, int column) {
  return Field{.name = std::string(row.Text(column)),
               .type = static_cast<FieldType>(row.Int(column + 1)),
               .kind = static_cast<MeasureKind>(row.Int(column + 2)),
               .unit = std::string(row.Text(column + 3)),
               .allow_non_finite = row.Bool(column + 4)};
}

// Rows of kSelect, one per field, as streams.
std::vector<Stream> StreamsOf(const Result& rows) {
  std::vector<Stream> streams;
  for (const Row row : rows) {
    if (streams.empty() || static_cast<int64_t>(streams.back().id) != row.Int(0)) {
      Stream& stream = streams.emplace_back();
      stream.id = static_cast<uint64_t>(row.Int(0));
      stream.tenant = row.Text(1);
      stream.name = row.Text(2);
      stream.version = static_cast<int32_t>(row.Int(3));
      stream.partitions = static_cast<int32_t>(row.Int(4));
      stream.compatibility = static_cast<Compatibility>(row.Int(5));
      stream.allowed_lateness = absl::Microseconds(row.Int(6));
      stream.retention = row.IsNull(7) ? absl::InfiniteDuration() : absl::Microseconds(row.Int(7));
      stream.created = row.Time(8);
      stream.updated = row.Time(9);
    }
    if (!row.IsNull(10)) streams.back().fields.push_back(FieldAt(row, 10));
  }
  return streams;
}

absl::Status NoSuchStream(std::string_view name) {
  return absl::NotFoundError(ToAbsl(fmt::format("there is no stream {}", name)));
}

absl::StatusOr<Stream> GetIn(Transaction& transaction, std::string_view tenant, std::string_view name) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      transaction.Execute(fmt::format("{} WHERE s.tenant = $1 AND s.name = $2 {}", kSelect, kOrder), {tenant, name}));
  if (rows.empty()) return NoSuchStream(name);
  return StreamsOf(rows).front();
}

absl::Status Check(const Stream& stream) {
  const auto invalid = [&](std::string_view what) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format("stream {}: {}", stream.name, what)));
  };
  if (!IsStreamName(stream.name)) {
    return absl::InvalidArgumentError(
        "a stream's name starts with a letter a to z, then has letters, digits, '_' and '.', at most 63 in all");
  }
  if (stream.partitions < 1) return invalid("it needs at least one partition");
  if (stream.allowed_lateness < absl::ZeroDuration()) return invalid("the allowed lateness is negative");
  if (stream.retention <= absl::ZeroDuration()) return invalid("the retention is not positive");
  StringSet seen;
  for (const Field& field : stream.fields) {
    if (field.name.empty() || field.name.size() > 63) return invalid("a field's name has 1 to 63 bytes");
    if (!seen.insert(field.name).second) return invalid(fmt::format("the field {} is there twice", field.name));
  }
  return absl::OkStatus();
}

absl::Status AddFields(Transaction& transaction, uint64_t id, int32_t version, const std::vector<Field>& fields) {
  int position = 0;
  for (const Field& field : fields) {
    RM_RETURN_IF_ERROR(
        transaction
            .Execute(
                "INSERT INTO stream_fields (stream_id, version, position, name, type, kind, unit, allow_non_finite)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                {id, version, position++, field.name, static_cast<int>(field.type), static_cast<int>(field.kind),
                 field.unit, field.allow_non_finite})
            .status());
  }
  return absl::OkStatus();
}

absl::Status Bump(Transaction& transaction) {
  return transaction.Execute("UPDATE versions SET version = version + 1 WHERE name = 'streams'").status();
}

Param RetentionOf(const Stream& stream) {
  if (stream.retention == absl::InfiniteDuration()) return std::nullopt;
  return absl::ToInt64Microseconds(stream.retention);
}

absl::Status Make(Transaction& transaction, const Stream& stream) {
  RM_ASSIGN_OR_RETURN(const Result tenant, transaction.Execute("SELECT 1 FROM tenants WHERE id = $1", {stream.tenant}));
  if (tenant.empty()) return absl::NotFoundError(ToAbsl(fmt::format("there is no tenant {}", stream.tenant)));
  RM_ASSIGN_OR_RETURN(
      const Result made,
      transaction.Execute("INSERT INTO streams (tenant, name, version, partitions, compatibility, allowed_lateness_us,"
                          " retention_us) VALUES ($1, $2, 1, $3, $4, $5, $6)"
                          " ON CONFLICT (tenant, name) DO NOTHING RETURNING id",
                          {stream.tenant, stream.name, stream.partitions, static_cast<int>(stream.compatibility),
                           absl::ToInt64Microseconds(stream.allowed_lateness), RetentionOf(stream)}));
  if (made.empty()) {
    return absl::AbortedError(ToAbsl(fmt::format("the stream {} exists: somebody else made it first", stream.name)));
  }
  return AddFields(transaction, static_cast<uint64_t>(made[0].Int(0)), 1, stream.fields);
}

absl::Status Change(Transaction& transaction, const Stream& stream) {
  RM_ASSIGN_OR_RETURN(const Result locked,
                      transaction.Execute("SELECT 1 FROM streams WHERE tenant = $1 AND name = $2 FOR UPDATE",
                                          {stream.tenant, stream.name}));
  if (locked.empty()) return NoSuchStream(stream.name);
  RM_ASSIGN_OR_RETURN(const Stream current, GetIn(transaction, stream.tenant, stream.name));
  if (current.version != stream.version) {
    return absl::AbortedError(
        ToAbsl(fmt::format("the stream {} is at version {}, not {}: somebody else changed it first", stream.name,
                           current.version, stream.version)));
  }
  if (current.partitions != stream.partitions) {
    return absl::InvalidArgumentError(ToAbsl(fmt::format("the stream {} has {} partitions for its life, not {}",
                                                         stream.name, current.partitions, stream.partitions)));
  }
  const int32_t version = current.fields == stream.fields ? current.version : current.version + 1;
  RM_RETURN_IF_ERROR(transaction
                         .Execute("UPDATE streams SET version = $2, compatibility = $3, allowed_lateness_us = $4,"
                                  " retention_us = $5, updated_at = now() WHERE id = $1",
                                  {current.id, version, static_cast<int>(stream.compatibility),
                                   absl::ToInt64Microseconds(stream.allowed_lateness), RetentionOf(stream)})
                         .status());
  return version == current.version ? absl::OkStatus() : AddFields(transaction, current.id, version, stream.fields);
}

}  // namespace

absl::StatusOr<Stream> StreamStore::Get(std::string_view tenant, std::string_view name, absl::Time deadline) {
  absl::StatusOr<Stream> stream = NoSuchStream(name);
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) {
    stream = GetIn(transaction, tenant, name);
    return stream.status();
  }));
  return stream;
}

absl::StatusOr<std::vector<Stream>> StreamStore::List(std::string_view tenant, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      database_.Execute(deadline, fmt::format("{} WHERE $1 = '' OR s.tenant = $1 {}", kSelect, kOrder), {tenant}));
  return StreamsOf(rows);
}

absl::StatusOr<std::vector<Field>> StreamStore::FieldsOf(uint64_t stream_id, int32_t version, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(
      const Result rows,
      database_.Execute(deadline,
                        "SELECT s.version, f.name, f.type, f.kind, f.unit, f.allow_non_finite FROM streams s"
                        " LEFT JOIN stream_fields f ON f.stream_id = s.id AND f.version = $2"
                        " WHERE s.id = $1 AND $2 BETWEEN 1 AND s.version ORDER BY f.position",
                        {stream_id, version}));
  if (rows.empty()) {
    return absl::NotFoundError(ToAbsl(fmt::format("stream number {} has no version {}", stream_id, version)));
  }
  std::vector<Field> fields;
  for (const Row row : rows) {
    if (!row.IsNull(1)) fields.push_back(FieldAt(row, 1));
  }
  return fields;
}

absl::StatusOr<Stream> StreamStore::Declare(const Stream& stream, absl::Time deadline) {
  RM_RETURN_IF_ERROR(Check(stream));
  absl::StatusOr<Stream> declared = NoSuchStream(stream.name);
  RM_RETURN_IF_ERROR(database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    RM_RETURN_IF_ERROR(stream.version == 0 ? Make(transaction, stream) : Change(transaction, stream));
    RM_RETURN_IF_ERROR(Bump(transaction));
    declared = GetIn(transaction, stream.tenant, stream.name);
    return declared.status();
  }));
  return declared;
}

absl::Status StreamStore::Delete(std::string_view tenant, std::string_view name, absl::Time deadline) {
  return database_.Run(deadline, [&](Transaction& transaction) -> absl::Status {
    // The manifest's version before the stream's row: the same order as a snapshot's commit takes them.
    RM_ASSIGN_OR_RETURN(
        const Result version,
        transaction.Execute("UPDATE versions SET version = version + 1 WHERE name = 'manifest' RETURNING version"));
    RM_ASSIGN_OR_RETURN(
        const Result removed,
        transaction.Execute("DELETE FROM streams WHERE tenant = $1 AND name = $2 RETURNING id", {tenant, name}));
    if (removed.empty()) return NoSuchStream(name);
    RM_RETURN_IF_ERROR(Bump(transaction));
    return transaction
        .Execute(
            "UPDATE segments SET removed_version = $2, removed_at = now()"
            " WHERE stream_id = $1 AND removed_version IS NULL",
            {removed[0].Int(0), version[0].Int(0)})
        .status();
  });
}

absl::StatusOr<int64_t> StreamStore::Version(absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const Result rows,
                      database_.Execute(deadline, "SELECT version FROM versions WHERE name = 'streams'"));
  return rows[0].Int(0);
}

}  // namespace rivermeet::catalog
