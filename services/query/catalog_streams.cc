#include "query/catalog_streams.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "base/ids.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::query {
namespace {

constexpr absl::Duration kFresh = absl::Seconds(1);
// For a newer version of what is cached: a catalog may hang, not only be gone.
constexpr absl::Duration kPatience = absl::Milliseconds(250);
constexpr absl::Duration kGoodWhileAway = absl::Minutes(5);
constexpr size_t kMaxCached = 10'000;

absl::Status NoStream(std::string_view name) {
  return absl::NotFoundError(ToAbsl(fmt::format("there is no stream '{}'", name)));
}

}  // namespace

events::v1::Stream ToMessage(const catalog::Stream& stream) {
  events::v1::Stream message;
  message.set_id(stream.id);
  message.set_name(stream.name);
  message.set_version(static_cast<uint32_t>(stream.version));
  message.set_partitions(static_cast<uint32_t>(stream.partitions));
  for (const catalog::Field& field : stream.fields) {
    auto* to = message.add_fields();
    to->set_name(field.name);
    to->set_type(static_cast<events::v1::FieldType>(field.type));
    to->set_kind(static_cast<events::v1::MeasureKind>(field.kind));
    to->set_unit(field.unit);
    to->set_allow_non_finite(field.allow_non_finite);
  }
  return message;
}

absl::StatusOr<std::shared_ptr<const events::v1::Stream>> CatalogStreams::Find(std::string_view tenant,
                                                                               std::string_view name,
                                                                               absl::Time deadline) {
  // Nothing else can be a stream, and names come from outside.
  if (!IsStreamName(name)) return NoStream(name.substr(0, 100));
  const std::string key = fmt::format("{}{}{}", tenant, '\0', name);
  const absl::Duration now = clock_.MonotonicNow();
  Cached cached;
  {
    MutexLock lock(mutex_);
    const auto found = cache_.find(std::string_view(key));
    if (found != cache_.end()) {
      if (now < found->second.stale) return found->second.stream;
      cached = found->second;
      found->second.stale = now + kFresh;  // one reads it again, the others go on with it
    }
  }
  if (cached.stream != nullptr && now - cached.read < kGoodWhileAway) {
    deadline = std::min(deadline, absl::Now() + kPatience);
  }
  auto stream = store_.Get(tenant, name, deadline);
  if (!stream.ok() && absl::IsNotFound(stream.status())) {
    MutexLock lock(mutex_);
    cache_.erase(std::string_view(key));
    return NoStream(name);
  }
  if (!stream.ok()) {
    if (cached.stream != nullptr && now - cached.read < kGoodWhileAway) return cached.stream;
    return Annotate(stream.status(), "the catalog");
  }
  auto message = std::make_shared<const events::v1::Stream>(ToMessage(*stream));
  MutexLock lock(mutex_);
  if (cache_.size() >= kMaxCached) cache_.clear();
  cache_[key] = {message, now, now + kFresh};
  return message;
}

}  // namespace rivermeet::query
