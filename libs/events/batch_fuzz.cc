// Any bytes as an EventBatch: what is taken must be sound enough to check, split, encode and read again.
#include <cstdint>
#include <string>

#include "base/status.h"
#include "events/batch_checker.h"
#include "events/decoded_batch.h"
#include "rivermeet/events/v1/event_batch.pb.h"

using namespace rivermeet::events;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte chooses how many partitions there are.
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  DecodedBatch batch;
  Rejections rejections;
  if (!batch.Parse(bytes, rejections).ok()) return 0;
  v1::Stream stream = InferStream(batch.view());
  stream.set_partitions(1 + data[0] % 8);
  // Columns of the other type are converted.
  for (v1::Field& field : *stream.mutable_fields()) {
    if (data[0] >= 128 && field.type() == v1::FIELD_TYPE_FLOAT64)
      field.set_type(v1::FIELD_TYPE_INT64);
    else if (data[0] >= 128 && field.type() == v1::FIELD_TYPE_INT64)
      field.set_type(v1::FIELD_TYPE_FLOAT64);
  }
  BatchChecker checker;
  const size_t events = batch.view().event_count();
  const auto parts = checker.CheckAndSplit(batch.view(), *Schema::Compile(stream),
                                           {absl::FromUnixSeconds(1'700'000'000)}, true, rejections);
  if (!parts.ok()) return 0;
  size_t kept = 0;
  for (const BatchPart& part : *parts) {
    kept += part.event_count;
    DecodedBatch again;
    RM_CHECK_OK(again.Parse(part.untouched ? bytes : part.bytes));
    RM_CHECK(again.view().event_count() == part.event_count);
    // Owners read what is stored by generated code.
    v1::EventBatch stored;
    RM_CHECK(stored.ParseFromString(part.untouched ? bytes : part.bytes));
    for (const v1::DimensionColumn& column : stored.series().dimensions()) {
      for (const uint32_t index : column.value_index()) RM_CHECK(index <= static_cast<uint32_t>(column.values_size()));
    }
  }
  RM_CHECK(kept + rejections.count() == events);
  return 0;
}
