// Any bytes as a snapshot, also as the content of one whose checksum is right: refused, or a state that can be stored
// again and folded on.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "windows/batch_builder.h"
#include "windows/internal/blob.h"
#include "windows/state_image.h"

using namespace rivermeet::windows;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The first byte chooses: the blob itself, or what it holds.
  if (size == 0) return 0;
  std::string blob(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 8 != 0) {
    BlobWriter content;
    content.Raw(blob.data(), blob.size());
    blob = content.Finish();
  }
  const auto state = DecodeState(blob, FoldOptions());
  if (!state.ok()) return 0;
  const std::string stored = EncodeState(StateImage::Capture(**state));
  const auto again = DecodeState(stored, FoldOptions());
  RM_CHECK_OK(again.status());
  RM_CHECK(EncodeState(StateImage::Capture(**again)) == stored);
  if ((*state)->through_offset() > INT64_MAX / 2) return 0;
  const auto batch =
      MakeBatch({{.time_us = 1'000'000, .dimensions = {{"a", "x"}}, .float64 = {{"m", 1.5}}, .int64 = {}}});
  auto header = MakeHeader(1, 1, 1);
  (*state)->Fold(header, &batch, (*state)->through_offset() + 1, 1'000'000);
  return 0;
}
