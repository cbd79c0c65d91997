#include "ingest/catalog_streams.h"

#include <utility>

#include "base/proto_time.h"
#include "base/status.h"

namespace rivermeet::ingest {
namespace {

events::v1::Stream ToMessage(const catalog::Stream& stream) {
  events::v1::Stream message;
  message.set_name(stream.name);
  message.set_version(static_cast<uint32_t>(stream.version));
  message.set_partitions(static_cast<uint32_t>(stream.partitions));
  message.set_id(stream.id);
  *message.mutable_allowed_lateness() = ToProto(stream.allowed_lateness);
  if (stream.retention != absl::InfiniteDuration()) *message.mutable_retention() = ToProto(stream.retention);
  const int64_t created_us = absl::ToUnixMicros(stream.created);
  message.mutable_created()->set_seconds(created_us / 1'000'000);
  message.mutable_created()->set_nanos(static_cast<int32_t>(created_us % 1'000'000 * 1'000));
  for (const catalog::Field& from : stream.fields) {
    events::v1::Field* field = message.add_fields();
    field->set_name(from.name);
    field->set_type(static_cast<events::v1::FieldType>(from.type));
    const bool is_measure = from.type == catalog::FieldType::kFloat64 || from.type == catalog::FieldType::kInt64;
    if (is_measure) field->set_kind(static_cast<events::v1::MeasureKind>(from.kind));
    field->set_unit(from.unit);
    field->set_allow_non_finite(from.allow_non_finite);
  }
  return message;
}

catalog::Stream FromMessage(std::string_view tenant, const events::v1::Stream& message) {
  catalog::Stream stream;
  stream.id = message.id();
  stream.tenant = tenant;
  stream.name = message.name();
  stream.version = static_cast<int32_t>(message.version());
  stream.partitions = static_cast<int32_t>(message.partitions());
  if (message.has_allowed_lateness()) stream.allowed_lateness = FromProto(message.allowed_lateness());
  if (message.has_retention()) stream.retention = FromProto(message.retention());
  for (const events::v1::Field& from : message.fields()) {
    const auto kind =
        from.kind() == events::v1::MEASURE_KIND_UNSPECIFIED ? events::v1::MEASURE_KIND_GAUGE : from.kind();
    stream.fields.push_back({.name = from.name(),
                             .type = static_cast<catalog::FieldType>(from.type()),
                             .kind = static_cast<catalog::MeasureKind>(kind),
                             .unit = from.unit(),
                             .allow_non_finite = from.allow_non_finite()});
  }
  return stream;
}

}  // namespace

absl::StatusOr<events::v1::Stream> CatalogStreams::Get(std::string_view tenant, std::string_view name,
                                                       absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const catalog::Stream stream, store_.Get(tenant, name, deadline));
  return ToMessage(stream);
}

absl::StatusOr<std::vector<TenantStream>> CatalogStreams::List(std::string_view tenant, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const std::vector<catalog::Stream> streams, store_.List(tenant, deadline));
  std::vector<TenantStream> messages;
  messages.reserve(streams.size());
  for (const catalog::Stream& stream : streams) messages.push_back({stream.tenant, ToMessage(stream)});
  return messages;
}

absl::StatusOr<events::v1::Stream> CatalogStreams::Declare(std::string_view tenant, const events::v1::Stream& stream,
                                                           absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const catalog::Stream declared, store_.Declare(FromMessage(tenant, stream), deadline));
  return ToMessage(declared);
}

absl::Status CatalogStreams::Delete(std::string_view tenant, std::string_view name, absl::Time deadline) {
  return store_.Delete(tenant, name, deadline);
}

absl::StatusOr<int64_t> CatalogStreams::Version(absl::Time deadline) { return store_.Version(deadline); }

}  // namespace rivermeet::ingest
