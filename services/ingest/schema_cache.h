// Schemas at hand: what ingest checks events against without asking the catalog.
#ifndef RIVERMEET_INGEST_SCHEMA_CACHE_H_
#define RIVERMEET_INGEST_SCHEMA_CACHE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"
#include "events/schema.h"
#include "ingest/stream_repository.h"

namespace rivermeet::ingest {

using SchemaPtr = std::shared_ptr<const events::Schema>;

// Thread-safe. Refresh() each second keeps it a second fresh; while the catalog is away, what is cached stays good for
// five minutes.
class SchemaCache {
 public:
  static constexpr absl::Duration kMaxAge = absl::Minutes(5);
  static constexpr size_t kMaxSchemas = 100'000;

  // Both outlive the cache.
  SchemaCache(StreamRepository& streams, const Clock& clock) : streams_(streams), clock_(clock) {}

  // The schema, or null when it isn't cached or too old. Never blocks.
  SchemaPtr Find(std::string_view tenant, std::string_view name) const;

  // The schema from the catalog, cached from now on.
  //
  // Errors:
  //   NOT_FOUND    No such stream.
  //   UNAVAILABLE  The catalog is away. Retry.
  absl::StatusOr<SchemaPtr> Load(std::string_view tenant, std::string_view name, absl::Time deadline);

  // A stream that this process has just read or changed.
  SchemaPtr Put(std::string_view tenant, const events::v1::Stream& stream);
  void Remove(std::string_view tenant, std::string_view name);

  // Takes in what changed in the catalog. An error means that it is away; nothing is forgotten for it.
  absl::Status Refresh(absl::Time deadline);

 private:
  struct Entry {
    SchemaPtr schema;
    absl::Duration loaded;
  };

  StreamRepository& streams_;
  const Clock& clock_;
  mutable Mutex mutex_;
  StringMap<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // When the whole cache was last known to be what the catalog has.
  absl::Duration verified_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  int64_t version_ ABSL_GUARDED_BY(mutex_) = -1;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_SCHEMA_CACHE_H_
