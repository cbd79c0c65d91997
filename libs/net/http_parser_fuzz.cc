// Whatever comes, a head is parsed the same in one piece and byte by byte, and a chunked body too.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http_parser.h"

using rivermeet::net::ChunkedDecoder;
using rivermeet::net::HeadEnd;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  size_t scanned = 0;
  const HeadEnd whole = rivermeet::net::FindHeadEnd(bytes, scanned);
  scanned = 0;
  HeadEnd stepwise{HeadEnd::Kind::kNeedMore};
  for (size_t i = 1; i <= size && stepwise.kind == HeadEnd::Kind::kNeedMore; ++i) {
    stepwise = rivermeet::net::FindHeadEnd(bytes.substr(0, i), scanned);
  }
  RM_CHECK(size == 0 || (stepwise.kind == whole.kind && stepwise.size == whole.size));
  if (whole.kind == HeadEnd::Kind::kFound) {
    rivermeet::net::RequestHead head;
    if (!rivermeet::net::ParseHead(bytes.substr(0, whole.size), {}, head)) {
      // What is accepted has one reading of where its body ends.
      RM_CHECK(!(head.chunked && head.content_length));
      RM_CHECK(head.path.starts_with('/') || head.path == "*");
    }
  }
  std::string at_once, in_steps;
  ChunkedDecoder first, second;
  std::string_view rest = bytes;
  const auto state = first.Feed(rest, at_once, 1 << 16);
  auto step_state = ChunkedDecoder::State::kNeedMore;
  for (size_t i = 0; i < size && step_state == ChunkedDecoder::State::kNeedMore; ++i) {
    std::string_view byte = bytes.substr(i, 1);
    step_state = second.Feed(byte, in_steps, 1 << 16);
  }
  RM_CHECK(size == 0 || (state == step_state && at_once == in_steps));
  return 0;
}
