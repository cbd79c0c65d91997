// Streams in the catalog.
#ifndef RIVERMEET_INGEST_CATALOG_STREAMS_H_
#define RIVERMEET_INGEST_CATALOG_STREAMS_H_

#include "catalog/stream_store.h"
#include "ingest/stream_repository.h"

namespace rivermeet::ingest {

// Translates, nothing else.
class CatalogStreams final : public StreamRepository {
 public:
  // `store` outlives this.
  explicit CatalogStreams(catalog::StreamStore& store) : store_(store) {}

  absl::StatusOr<events::v1::Stream> Get(std::string_view tenant, std::string_view name, absl::Time deadline) override;
  absl::StatusOr<std::vector<TenantStream>> List(std::string_view tenant, absl::Time deadline) override;
  absl::StatusOr<events::v1::Stream> Declare(std::string_view tenant, const events::v1::Stream& stream,
                                             absl::Time deadline) override;
  absl::Status Delete(std::string_view tenant, std::string_view name, absl::Time deadline) override;
  absl::StatusOr<int64_t> Version(absl::Time deadline) override;

 private:
  catalog::StreamStore& store_;
};

}  // namespace rivermeet::ingest

#endif  // RIVERMEET_INGEST_CATALOG_STREAMS_H_
