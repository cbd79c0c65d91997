#include "crdt/any.h"

#include <limits>

#include "absl/status/status.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/byte_writer.h"
#include "crdt/internal/wire/utf.h"
#include "crdt/limits.h"

namespace rivermeet::crdt {
namespace {

using internal::AnyTag;
using internal::ByteReader;

absl::Status StatusOf(const ByteReader& reader) {
  return reader.status(/*is_limit=*/reader.error() == internal::kNestsTooDeeply);
}

// `text` with U+FFFD for each byte that is no part of a character.
std::string Repaired(std::string_view text) {
  std::string repaired;
  while (!text.empty()) {
    size_t size = 1;
    while (size < 4 && size < text.size() && !internal::IsWtf8(text.substr(0, size))) ++size;
    const bool is_character = internal::IsWtf8(text.substr(0, size));
    internal::AppendJoined(is_character ? text.substr(0, size) : internal::kReplacementCharacter, repaired);
    text.remove_prefix(is_character ? size : 1);
  }
  return repaired;
}

void WriteTag(AnyTag tag, std::string& to) { internal::WriteByte(to, static_cast<uint8_t>(tag)); }

void WriteText(std::string_view text, std::string& to) {
  internal::WriteVarBytes(to, internal::IsWtf8(text) ? text : Repaired(text));
}

// Writes all of a value but what its arrays and objects hold: of those, tag and count.
struct HeadWriter {
  std::string& to;

  void operator()(Any::Undefined) const { WriteTag(AnyTag::kUndefined, to); }
  void operator()(Any::Null) const { WriteTag(AnyTag::kNull, to); }
  void operator()(bool value) const { WriteTag(value ? AnyTag::kTrue : AnyTag::kFalse, to); }
  void operator()(double number) const { internal::AppendAnyNumber(number, to); }
  void operator()(Any::BigInt bigint) const {
    WriteTag(AnyTag::kBigInt, to);
    for (int shift = 56; shift >= 0; shift -= 8) {
      internal::WriteByte(to, static_cast<uint8_t>(static_cast<uint64_t>(bigint.value) >> shift));
    }
  }
  void operator()(const std::string& text) const {
    WriteTag(AnyTag::kString, to);
    WriteText(text, to);
  }
  void operator()(const Any::Bytes& bytes) const {
    WriteTag(AnyTag::kBytes, to);
    internal::WriteVarBytes(to, bytes.data);
  }
  void operator()(const Any::Array& array) const {
    WriteTag(AnyTag::kArray, to);
    internal::WriteVarUint(to, array.size());
  }
  void operator()(const Any::Object& object) const {
    WriteTag(AnyTag::kObject, to);
    internal::WriteVarUint(to, object.size());
  }
};

// Makes the value whose canonical encoding `reader` is at, all but what its arrays and objects hold; `*left` says how
// much that is.
Any ReadHead(ByteReader& reader, uint64_t* left) {
  switch (AnyTag{reader.ReadByte()}) {
    case AnyTag::kBytes:
      return Any::Bytes{std::string(reader.ReadVarBytes())};
    case AnyTag::kArray: {
      Any::Array array;
      array.reserve(*left = reader.ReadVarUint());
      return array;
    }
    case AnyTag::kObject: {
      Any::Object object;
      object.reserve(*left = reader.ReadVarUint());
      return object;
    }
    case AnyTag::kString:
      return std::string(reader.ReadVarBytes());
    case AnyTag::kTrue:
      return true;
    case AnyTag::kFalse:
      return false;
    case AnyTag::kBigInt: {
      uint64_t value = 0;
      for (const char byte : reader.ReadBytes(8)) value = (value << 8) | static_cast<uint8_t>(byte);
      return Any::BigInt{static_cast<int64_t>(value)};
    }
    case AnyTag::kFloat64:
      return reader.ReadFloat64();
    case AnyTag::kFloat32:
      return reader.ReadFloat32();
    case AnyTag::kInteger: {
      const auto integer = reader.ReadVarInt();
      const auto magnitude = static_cast<double>(integer.magnitude);
      return integer.negative ? -magnitude : magnitude;
    }
    case AnyTag::kNull:
      return Any::Null();
    case AnyTag::kUndefined:
      break;
  }
  return Any();
}

}  // namespace

Any Any::DecodeTrusted(std::string_view bytes) {
  struct Frame {
    Any* container = nullptr;  // it stays where it is: what holds it has room for all its values
    uint64_t left = 0;
  };
  ByteReader reader(bytes);
  std::vector<Frame> frames;
  Any root;
  for (Any* target = &root;;) {
    uint64_t left = 0;
    *target = ReadHead(reader, &left);
    if (left > 0) frames.push_back({target, left});
    while (!frames.empty() && frames.back().left == 0) frames.pop_back();
    if (frames.empty()) return root;
    Frame& frame = frames.back();
    --frame.left;
    if (Any::Object* object = frame.container->object()) {
      target = &object->emplace_back(std::string(reader.ReadVarBytes()), Any()).second;
    } else {
      target = &frame.container->array()->emplace_back();
    }
  }
}

// Not in the header: g++ 12 warns of uninitialised members wherever it sees through this and an accessor.
Any::Any(std::string text) : value_(std::move(text)) {}

const Any* Any::Find(std::string_view key) const {
  const Object* const members = object();
  if (members == nullptr) return nullptr;
  // Of equal keys the last one's value counts.
  for (auto it = members->rbegin(); it != members->rend(); ++it) {
    if (it->first == key) return &it->second;
  }
  return nullptr;
}

bool Any::operator==(const Any& other) const { return value_ == other.value_; }

std::string Any::Encode() const {
  std::string encoded;
  EncodeTo(encoded);
  return encoded;
}

void Any::EncodeTo(std::string& to) const {
  struct Frame {
    const Any* container = nullptr;
    size_t next = 0;
  };
  const size_t start = to.size();
  std::vector<Frame> frames;
  bool has_objects = false;
  for (const Any* value = this; value != nullptr;) {
    std::visit(HeadWriter{to}, value->value_);
    has_objects |= value->object() != nullptr;
    if (value->array() != nullptr || value->object() != nullptr) frames.push_back({value});
    value = nullptr;
    while (value == nullptr && !frames.empty()) {
      Frame& frame = frames.back();
      const Array* const array = frame.container->array();
      const Object* const object = frame.container->object();
      if (frame.next == (array != nullptr ? array->size() : object->size())) {
        frames.pop_back();
      } else if (array != nullptr) {
        value = &(*array)[frame.next++];
      } else {
        WriteText((*object)[frame.next].first, to);
        value = &(*object)[frame.next++].second;
      }
    }
  }
  if (!has_objects) return;
  const std::string unordered = to.substr(start);
  to.resize(start);
  ByteReader reader(unordered);
  internal::CopyAny(reader, std::numeric_limits<int>::max(), to, internal::AnySource::kOwn);
}

absl::StatusOr<Any> Any::Decode(std::string_view bytes) {
  ByteReader reader(bytes);
  std::string canonical;
  if (!internal::CopyAny(reader, Limits().max_depth, canonical, internal::AnySource::kOwn)) {
    return StatusOf(reader);
  }
  if (!reader.AtEnd()) {
    reader.Fail("something follows the value");
    return StatusOf(reader);
  }
  return DecodeTrusted(canonical);
}

absl::StatusOr<std::string> Any::ToJson(BigInts bigints) const {
  const std::string encoded = Encode();
  ByteReader reader(encoded);
  std::string json;
  if (!internal::AppendJson(reader, bigints, json)) {
    return absl::InvalidArgumentError("undefined by itself and bigints have no form in JSON");
  }
  return json;
}

absl::StatusOr<Any> Any::FromJson(std::string_view json) {
  std::string canonical;
  const char* error = nullptr;
  size_t offset = 0;
  if (!internal::JsonToAny(json, Limits().max_depth, canonical, &error, &offset)) {
    ByteReader reader(json);
    reader.FailAt(offset, error);
    return StatusOf(reader);
  }
  return DecodeTrusted(canonical);
}

}  // namespace rivermeet::crdt
