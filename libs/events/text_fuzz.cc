// Any bytes as JSON, NDJSON or CSV: every event is taken or told, and what is taken is a sound batch.
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "events/batch_encoder.h"
#include "events/decoded_batch.h"
#include "events/text_decoder.h"

using namespace rivermeet::events;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte chooses the format: 'j', 'n' or 'c', in capitals with a schema.
  if (size == 0) return 0;
  v1::Stream stream;
  stream.set_name("s");
  for (const auto& [name, type] : {std::pair("a", v1::FIELD_TYPE_DIMENSION), std::pair("n", v1::FIELD_TYPE_FLOAT64),
                                   std::pair("i", v1::FIELD_TYPE_INT64), std::pair("x", v1::FIELD_TYPE_ATTRIBUTE)}) {
    stream.add_fields()->set_name(name);
    stream.mutable_fields(stream.fields_size() - 1)->set_type(type);
  }
  const auto schema = Schema::Compile(stream);
  const char kind = static_cast<char>(data[0] | 0x20);
  const TextFormat format = kind == 'j' ? TextFormat::kJson : kind == 'n' ? TextFormat::kNdjson : TextFormat::kCsv;
  const DecodeOptions options{"s", (data[0] & 0x20) == 0 ? schema.get() : nullptr, 16, (data[0] & 0x40) == 0 ? 1 : 0};
  ErrorList errors;
  uint64_t taken = 0;
  const auto events = DecodeText(format, {reinterpret_cast<const char*>(data) + 1, size - 1}, options, errors,
                                 [&](const DecodedChunk& chunk) {
                                   const std::string bytes = EncodeBatch(*chunk.batch);
                                   DecodedBatch batch;
                                   RM_CHECK_OK(batch.Parse(bytes));
                                   RM_CHECK(batch.view().event_count() == chunk.source_index->size());
                                   taken += chunk.source_index->size();
                                   return absl::OkStatus();
                                 });
  if (events.ok()) RM_CHECK(taken + errors.total() == *events);
  return 0;
}
