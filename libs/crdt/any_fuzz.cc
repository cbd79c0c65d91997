// Any bytes as a value and as JSON: read or refused, and what was read has one form that stays.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "crdt/any.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/limits.h"

using namespace rivermeet::crdt;
using namespace rivermeet::crdt::internal;

namespace {

std::string Copy(std::string_view bytes, AnySource source) {
  ByteReader reader(bytes);
  std::string copy;
  RM_CHECK(CopyAny(reader, Limits().max_depth, copy, source));
  RM_CHECK(reader.AtEnd());
  return copy;
}

bool ToAny(std::string_view json, std::string& any) {
  const char* error = nullptr;
  size_t offset = 0;
  if (JsonToAny(json, Limits().max_depth, any, &error, &offset)) return true;
  RM_CHECK(error != nullptr && offset <= json.size());
  return false;
}

// The value's JSON reads back as the value that has this JSON.
void CheckJson(std::string_view any) {
  std::string json;
  if (!AnyToJson(any, json)) return;
  std::string again;
  RM_CHECK(ToAny(json, again));
  RM_CHECK(Copy(again, AnySource::kOwn) == again);
  std::string json_again;
  RM_CHECK(AnyToJson(again, json_again));
  RM_CHECK(json_again == json);
  std::string third;
  RM_CHECK(ToAny(json_again, third));
  RM_CHECK(third == again);
}

void CheckValue(std::string_view bytes, AnySource source) {
  ByteReader skipped(bytes);
  const bool canonical = SkipAny(skipped, Limits().max_depth, source);
  ByteReader copied(bytes);
  std::string copy;
  const bool ok = CopyAny(copied, Limits().max_depth, copy, source);
  RM_CHECK(ok == skipped.ok());
  RM_CHECK(copied.offset() == skipped.offset());
  RM_CHECK(ok || (!canonical && copied.error() != nullptr && copied.error_offset() <= bytes.size()));
  if (!ok) return;
  if (canonical) RM_CHECK(copy == bytes.substr(0, copied.offset()));
  ByteReader again(copy);
  RM_CHECK(SkipAny(again, Limits().max_depth, source));
  RM_CHECK(Copy(copy, source) == copy);
  const auto value = Any::Decode(copy);
  RM_CHECK_OK(value.status());
  RM_CHECK(value->Encode() == copy);
  CheckJson(copy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckValue(bytes, AnySource::kPeer);
  CheckValue(bytes, AnySource::kOwn);
  std::string any;
  if (ToAny(bytes, any)) {
    RM_CHECK(Copy(any, AnySource::kOwn) == any);
    CheckJson(any);
  }
  std::string json;
  AnyToJson(bytes, json);
  return 0;
}
