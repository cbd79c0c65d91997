#include "ingest/stream_service.h"

#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "telemetry/logging.h"

namespace rivermeet::ingest {
namespace {

constexpr int kAttempts = 4;
constexpr int64_t kDefaultLatenessSeconds = 60;

}  // namespace

absl::StatusOr<std::vector<events::v1::Stream>> StreamService::List(std::string_view tenant, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(std::vector<TenantStream> listed, streams_.List(tenant, deadline));
  std::vector<events::v1::Stream> streams;
  for (TenantStream& one : listed) streams.push_back(std::move(one.stream));
  return streams;
}

absl::StatusOr<events::v1::Stream> StreamService::Get(std::string_view tenant, std::string_view name,
                                                      absl::Time deadline) {
  return streams_.Get(tenant, name, deadline);
}

absl::StatusOr<events::v1::Stream> StreamService::Put(std::string_view tenant, const events::v1::Stream& declared,
                                                      absl::Time deadline) {
  RM_RETURN_IF_ERROR(events::CheckDeclaration(declared, options_.max_fields, options_.max_partitions));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const absl::StatusOr<events::v1::Stream> current = streams_.Get(tenant, declared.name(), deadline);
    events::v1::Stream wanted;
    if (current.ok()) {
      RM_ASSIGN_OR_RETURN(wanted, events::ChangeStream(*current, declared));
      // Together they may be too many.
      RM_RETURN_IF_ERROR(events::CheckDeclaration(wanted, options_.max_fields, options_.max_partitions));
    } else if (current.status().code() == absl::StatusCode::kNotFound) {
      if (declared.version() != 0) return absl::AbortedError("there is no such stream: declare it with version 0");
      wanted = declared;
      wanted.clear_id();
      if (wanted.partitions() == 0) wanted.set_partitions(options_.default_partitions);
      if (!wanted.has_allowed_lateness()) wanted.mutable_allowed_lateness()->set_seconds(kDefaultLatenessSeconds);
    } else {
      return current.status();
    }
    absl::StatusOr<events::v1::Stream> now = streams_.Declare(tenant, wanted, deadline);
    if (now.ok()) {
      schemas_.Put(tenant, *now);
      telemetry::Log(
          telemetry::Level::kInfo, "stream declared",
          {{"tenant", tenant}, {"stream", now->name()}, {"version", now->version()}, {"fields", now->fields_size()}});
      return now;
    }
    if (now.status().code() != absl::StatusCode::kAborted || declared.version() != 0) return now.status();
  }
  return absl::AbortedError("the stream changes all the time: get it and look again");
}

absl::Status StreamService::Delete(std::string_view tenant, std::string_view name, absl::Time deadline) {
  RM_RETURN_IF_ERROR(streams_.Delete(tenant, name, deadline));
  schemas_.Remove(tenant, name);
  telemetry::Log(telemetry::Level::kInfo, "stream deleted", {{"tenant", tenant}, {"stream", name}});
  return absl::OkStatus();
}

}  // namespace rivermeet::ingest
