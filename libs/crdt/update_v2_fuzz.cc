// Any bytes as an update of format V2 and a state vector: the last byte says how long that is.
#include <cstdint>

#include "crdt/testing/update_fuzz.h"

using namespace rivermeet::crdt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size - 1);
  const size_t vector = std::min<size_t>(data[size - 1], bytes.size());
  internal::FuzzUpdate(bytes.substr(0, bytes.size() - vector), UpdateFormat::kV2, bytes.substr(bytes.size() - vector));
  return 0;
}
