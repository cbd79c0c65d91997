#include "ingest/schema_cache.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace rivermeet::ingest {
namespace {

std::string KeyOf(std::string_view tenant, std::string_view name) {
  std::string key;
  key.reserve(tenant.size() + name.size() + 1);
  key += tenant;
  key += '\0';
  key += name;
  return key;
}

}  // namespace

SchemaPtr SchemaCache::Find(std::string_view tenant, std::string_view name) const {
  const std::string key = KeyOf(tenant, name);
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const absl::Duration age = now - std::max(found->second.loaded, verified_);
  return age <= kMaxAge ? found->second.schema : nullptr;
}

absl::StatusOr<SchemaPtr> SchemaCache::Load(std::string_view tenant, std::string_view name, absl::Time deadline) {
  RM_ASSIGN_OR_RETURN(const events::v1::Stream stream, streams_.Get(tenant, name, deadline));
  return Put(tenant, stream);
}

SchemaPtr SchemaCache::Put(std::string_view tenant, const events::v1::Stream& stream) {
  SchemaPtr schema = events::Schema::Compile(stream);
  const absl::Duration now = clock_.MonotonicNow();
  MutexLock lock(mutex_);
  if (entries_.size() >= kMaxSchemas) entries_.erase(entries_.begin());
  Entry& entry = entries_[KeyOf(tenant, stream.name())];
  // Two loads may end in the other order than they began.
  const bool older = entry.schema != nullptr && entry.schema->stream().id() == stream.id() &&
                     entry.schema->stream().version() > stream.version();
  if (!older) entry = {schema, now};
  return entry.schema;
}

void SchemaCache::Remove(std::string_view tenant, std::string_view name) {
  MutexLock lock(mutex_);
  entries_.erase(KeyOf(tenant, name));
}

absl::Status SchemaCache::Refresh(absl::Time deadline) {
  const absl::Duration began = clock_.MonotonicNow();
  RM_ASSIGN_OR_RETURN(const int64_t version, streams_.Version(deadline));
  {
    MutexLock lock(mutex_);
    if (version == version_) {
      verified_ = began;
      return absl::OkStatus();
    }
    if (entries_.empty()) {
      version_ = version;
      verified_ = began;
      return absl::OkStatus();
    }
  }
  RM_ASSIGN_OR_RETURN(const std::vector<TenantStream> all, streams_.List("", deadline));
  StringMap<const events::v1::Stream*> by_key;
  for (const TenantStream& one : all) by_key.emplace(KeyOf(one.tenant, one.stream.name()), &one.stream);
  MutexLock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto found = by_key.find(entry->first);
    if (found != by_key.end()) {
      const events::v1::Stream& held = entry->second.schema->stream();
      const bool older = found->second->id() == held.id() && found->second->version() < held.version();
      if (!older && found->second->SerializeAsString() != held.SerializeAsString()) {
        entry->second.schema = events::Schema::Compile(*found->second);
      }
      ++entry;
    } else if (entry->second.loaded > began) {
      // Made here while the list was read.
      ++entry;
    } else {
      entries_.erase(entry++);
    }
  }
  version_ = version;
  verified_ = began;
  return absl::OkStatus();
}

}  // namespace rivermeet::ingest
