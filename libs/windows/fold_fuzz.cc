// Any bytes as a record's header and batch: folded or counted as malformed, and the books balance.
#include <cstdint>

#include "base/status.h"
#include "windows/partition_state.h"
#include "windows/state_image.h"

using namespace rivermeet::windows;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Up to three records of the same bytes: the first byte is the header's size, the second their number.
  if (size < 2) return 0;
  const size_t header_bytes = std::min<size_t>(data[0], size - 2);
  rivermeet::events::v1::RecordHeader header;
  rivermeet::events::v1::EventBatch batch;
  const bool header_parses = header.ParseFromArray(data + 2, static_cast<int>(header_bytes));
  const bool batch_parses = batch.ParseFromArray(data + 2 + header_bytes, static_cast<int>(size - 2 - header_bytes));
  PartitionState state{FoldOptions()};
  for (int64_t offset = 0; offset <= data[1] % 3; ++offset) {
    if (header_parses) {
      state.Fold(header, batch_parses ? &batch : nullptr, offset, 1'700'000'000'000'000 + offset);
    } else {
      state.Skip(offset, 1'700'000'000'000'000 + offset);
    }
    header.set_sequence(header.sequence() + 1);
  }
  for (const auto& [id, stream] : state.streams()) RM_CHECK(stream->ledger().balanced());
  RM_CHECK_OK(DecodeState(EncodeState(StateImage::Capture(state)), FoldOptions()).status());
  return 0;
}
