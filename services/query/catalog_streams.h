// Streams from the catalog.
#ifndef RIVERMEET_QUERY_CATALOG_STREAMS_H_
#define RIVERMEET_QUERY_CATALOG_STREAMS_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"
#include "catalog/stream_store.h"
#include "query/stream_directory.h"

namespace rivermeet::query {

// Thread-safe. A stream is read again when it is older than a second; while the catalog is away, what is cached is
// good for five minutes.
class CatalogStreams : public StreamDirectory {
 public:
  // Both outlive this.
  CatalogStreams(catalog::StreamStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  absl::StatusOr<std::shared_ptr<const events::v1::Stream>> Find(std::string_view tenant, std::string_view name,
                                                                 absl::Time deadline) override;

 private:
  struct Cached {
    std::shared_ptr<const events::v1::Stream> stream;
    absl::Duration read;   // when, by the monotonic clock
    absl::Duration stale;  // from when somebody shall read it again
  };

  catalog::StreamStore& store_;
  const Clock& clock_;
  Mutex mutex_;
  StringMap<Cached> cache_ ABSL_GUARDED_BY(mutex_);  // by tenant, "\0", name
};

// The catalog's stream as a message.
events::v1::Stream ToMessage(const catalog::Stream& stream);

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_CATALOG_STREAMS_H_
