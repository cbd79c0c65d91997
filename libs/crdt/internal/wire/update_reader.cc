#include "crdt/internal/wire/update_reader.h"

#include "base/status.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/document_options.h"

namespace rivermeet::crdt::internal {

namespace {
constexpr const char* kNoLength = "a struct has no length";
// V2 writes twice the difference of two of them, which must not pass kMaxInteger.
constexpr uint64_t kMaxIdClock = kMaxInteger / 2;
constexpr const char* kTooFar = "a clock is over 2^53 - 1";
// V2's update of nothing, looked at in place of one that is too long: no column of it is at fault.
constexpr std::string_view kNothing("\0\0\0\0\0\0\1\0\0\0\0\0\0", 13);
}  // namespace

FieldsV2::FieldsV2(std::string_view update) : rest_(update) {
  rest_.ReadVarUint();  // feature flags; none is defined
  const auto next = [this] {
    const uint64_t size = rest_.ReadVarUint();
    const size_t base = rest_.offset();
    return ByteReader(rest_.ReadBytes(size), base);
  };
  key_clock_ = DiffColumn(next());
  client_ = UintColumn(next());
  left_clock_ = DiffColumn(next());
  right_clock_ = DiffColumn(next());
  info_ = RleColumn(next());
  const ByteReader strings = next();
  if (rest_.ok()) string_ = StringColumn(strings);
  parent_info_ = RleColumn(next());
  type_ref_ = UintColumn(next());
  length_ = UintColumn(next());
}

std::string_view FieldsV2::ReadKey(std::string& scratch) {
  const uint64_t clock = key_clock_.Read();
  if (clock < keys_read_) {
    repeated_key_bytes_ += keys_[clock].size();
    return keys_[clock];
  }
  if (keys_read_ < keys_.size()) {  // it has come by here before
    ReadString(scratch);
  } else {
    keys_.emplace_back(ReadString(scratch));
  }
  return keys_[keys_read_++];
}

FieldsV2::Place FieldsV2::place() const {
  return {.rest = rest_.position(),
          .key_clock = key_clock_.place(),
          .client = client_.place(),
          .left_clock = left_clock_.place(),
          .right_clock = right_clock_.place(),
          .info = info_.place(),
          .string = string_.place(),
          .parent_info = parent_info_.place(),
          .type_ref = type_ref_.place(),
          .length = length_.place(),
          .keys_read = keys_read_,
          .repeated_key_bytes = repeated_key_bytes_};
}

void FieldsV2::Resume(const Place& place) {
  rest_.Resume(place.rest);
  key_clock_.Resume(place.key_clock);
  client_.Resume(place.client);
  left_clock_.Resume(place.left_clock);
  right_clock_.Resume(place.right_clock);
  info_.Resume(place.info);
  string_.Resume(place.string);
  parent_info_.Resume(place.parent_info);
  type_ref_.Resume(place.type_ref);
  length_.Resume(place.length);
  keys_read_ = place.keys_read;
  repeated_key_bytes_ = place.repeated_key_bytes;
}

const ByteReader& FieldsV2::failed() const {
  for (const ByteReader* reader :
       {&key_clock_.reader(), &client_.reader(), &left_clock_.reader(), &right_clock_.reader(), &info_.reader(),
        &string_.reader(), &parent_info_.reader(), &type_ref_.reader(), &length_.reader()}) {
    if (!reader->ok()) return *reader;
  }
  return rest_;
}

template <class Fields>
UpdateReader<Fields>::UpdateReader(std::string_view update, const Limits& limits)
    : fields_(update.size() > limits.max_update_bytes ? kNothing : update),
      limits_(&limits),
      structs_left_(limits.max_structs) {
  if (limits.max_repeats < structs_left_ && update.size() < structs_left_ - limits.max_repeats) {
    structs_left_ = limits.max_repeats + update.size();
    too_many_structs_ = "an update has more structs than bytes and max_repeats together";
  }
  if (update.size() > limits.max_update_bytes) FailExhausted("an update is longer than max_update_bytes");
}

template <class Fields>
uint64_t UpdateReader<Fields>::ReadCount() {
  const uint64_t count = fields_.rest().ReadVarUint();
  if (count > limits_->max_clients) FailExhausted("an update has more clients than max_clients");
  return ok() ? count : 0;
}

template <class Fields>
typename UpdateReader<Fields>::Block UpdateReader<Fields>::ReadBlock() {
  Block block;
  block.structs = fields_.rest().ReadVarUint();
  if (block.structs > structs_left_) FailExhausted(too_many_structs_);
  block.client = fields_.ReadClient();
  block.clock = fields_.rest().ReadVarUint();
  structs_left_ -= block.structs;
  return block;
}

template <class Fields>
void UpdateReader<Fields>::ReadStruct(uint64_t client, uint64_t clock, WireStruct& out) {
  out.id = {client, clock};
  out.root = out.parent_sub = out.content.data = out.content.name = {};  // those of before have ended
  out.has_origin = out.has_right_origin = out.has_parent_sub = false;
  out.parent = {};
  out.parent_kind = WireStruct::Parent::kFromNeighbour;
  const uint8_t info = fields_.ReadInfo();
  const auto kind = static_cast<ContentKind>(info & kContentBits);
  if (kind == ContentKind::kGc) {
    out.content.kind = ContentKind::kGc;
    out.content.length = fields_.ReadLength();
  } else if (kind == ContentKind::kSkip) {
    if ((info & ~kContentBits) != 0) Fail("a skip has flags");
    out.content.kind = ContentKind::kSkip;
    out.content.length = fields_.rest().ReadVarUint();
  } else {
    if ((info & kHasOrigin) != 0) {
      out.has_origin = true;
      out.origin = fields_.ReadLeftId();
    }
    if ((info & kHasRightOrigin) != 0) {
      out.has_right_origin = true;
      out.right_origin = fields_.ReadRightId();
    }
    if ((info & (kHasOrigin | kHasRightOrigin)) == 0) {
      if (fields_.ReadParentInfo()) {
        out.parent_kind = WireStruct::Parent::kRoot;
        out.root = fields_.ReadString(root_scratch_);
      } else {
        out.parent_kind = WireStruct::Parent::kItem;
        out.parent = fields_.ReadLeftId();
      }
      if ((info & kHasKey) != 0) {
        out.has_parent_sub = true;
        out.parent_sub = fields_.ReadString(sub_scratch_);
      }
    }
    ReadContent(kind, out.content);
  }
  if ((out.has_origin && out.origin.clock > kMaxIdClock) ||
      (out.has_right_origin && out.right_origin.clock > kMaxIdClock) || out.parent.clock > kMaxIdClock) {
    Fail("the clock of a neighbour or parent is over 2^52 - 1");
  }
  if (out.content.length == 0) Fail(kNoLength);
  if (out.content.data.size() > kMaxContentBytes) FailExhausted("a struct's text or values take 4 GiB or more");
  if (out.content.length > kMaxInteger - clock) Fail(kTooFar);
  const auto later = [&](UnitId id) { return id.client == client && id.clock >= clock; };
  if ((out.has_origin && later(out.origin)) || (out.has_right_origin && later(out.right_origin)) ||
      (out.parent_kind == WireStruct::Parent::kItem && later(out.parent))) {
    Fail("a struct refers to itself or to a later one of its client");
  }
}

template <class Fields>
void UpdateReader<Fields>::ReadContent(ContentKind kind, WireContent& out) {
  out.kind = kind;
  out.length = 1;
  switch (out.kind) {
    case ContentKind::kDeleted:
      out.length = fields_.ReadLength();
      return;
    case ContentKind::kJson:
      return ReadJsonValues(fields_.ReadLength(), out);
    case ContentKind::kBinary:
      out.data = fields_.rest().ReadVarBytes();
      return;
    case ContentKind::kString: {
      TextSize size;
      out.data = fields_.ReadText(scratch_, &size);
      out.length = size.utf16;
      out.astral = size.astral;
      return;
    }
    case ContentKind::kFormat:
      out.name = ReadKey();
      return ReadOneValue(out);
    case ContentKind::kEmbed:
      return ReadOneValue(out);
    case ContentKind::kType:
      return ReadType(out);
    case ContentKind::kAny:
      return ReadValues(fields_.ReadLength(), out);
    case ContentKind::kDoc:
      return ReadDocument(out);
    default:
      Fail("a struct has content of an unknown kind");
  }
}

template <class Fields>
void UpdateReader<Fields>::ReadValues(uint64_t count, WireContent& out) {
  out.length = count;
  ByteReader& rest = fields_.rest();
  const ByteReader start = rest;
  bool canonical = true;
  for (uint64_t i = 0; i < count && rest.ok(); ++i) canonical &= SkipAny(rest, ValueDepth(*limits_));
  if (!rest.ok()) return;
  out.data = std::string_view(start.position(), rest.position() - start.position());
  if (canonical) return;
  scratch_.clear();
  ByteReader again(out.data);
  for (uint64_t i = 0; i < count; ++i) CopyAny(again, ValueDepth(*limits_), scratch_);
  out.data = scratch_;
}

template <class Fields>
bool UpdateReader<Fields>::ParseJson(std::string_view json) {
  const char* error;
  size_t offset;
  if (JsonToAny(json, ValueDepth(*limits_), scratch_, &error, &offset)) return true;
  Fail(error);
  return false;
}

template <class Fields>
void UpdateReader<Fields>::ReadJsonValues(uint64_t count, WireContent& out) {
  out.length = count;
  scratch_.clear();
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view json = fields_.ReadString(json_scratch_);
    if (json == "undefined") {
      scratch_.push_back(static_cast<char>(AnyTag::kUndefined));
    } else if (!ParseJson(json)) {
      return;
    }
  }
  out.data = scratch_;
}

template <class Fields>
void UpdateReader<Fields>::ReadOneValue(WireContent& out) {
  if constexpr (Fields::kJsonIsText) {
    const std::string_view json = fields_.rest().ReadVarString();
    scratch_.clear();
    if (ParseJson(json)) out.data = scratch_;
  } else {
    ReadValues(1, out);
    // JSON.stringify throws on these: a document with one could never be sent in V1.
    if (ok() && !IsJsonValue(out.data)) Fail("an embed or a format's value is one that JSON lacks");
  }
}

template <class Fields>
std::string_view UpdateReader<Fields>::ReadKey() {
  const std::string_view key = fields_.ReadKey(name_scratch_);
  // Each is written out again whenever the struct is.
  if (fields_.repeated_key_bytes() > limits_->max_repeats) {
    FailExhausted("keys that come again add up to more than max_repeats");
  }
  return key;
}

template <class Fields>
void UpdateReader<Fields>::ReadType(WireContent& out) {
  const uint64_t type = fields_.ReadTypeRef();
  if (type >= kTypeRefs) return Fail("a shared type is of an unknown kind");
  out.type = static_cast<TypeRef>(type);
  out.name = {};
  if (out.type == TypeRef::kXmlElement || out.type == TypeRef::kXmlHook) out.name = ReadKey();
}

template <class Fields>
void UpdateReader<Fields>::ReadDocument(WireContent& out) {
  out.name = fields_.ReadString(name_scratch_);
  ReadValues(1, out);
  if (!ok()) return;
  std::string kept;
  if (!KeptDocumentOptions(out.data, guid_scratch_, &out.name, kept))
    return Fail("a subdocument's options are null or undefined, or a guid in them is no text");
  scratch_ = std::move(kept);
  out.data = scratch_;
}

template <class Fields>
bool UpdateReader<Fields>::ReadDelete(DeletePlace& place, ClockRange& out) {
  ByteReader& rest = fields_.rest();
  if (!place.begun) {
    place.clients = ReadCount();
    place.begun = true;
  }
  while (place.ranges == 0) {
    if (place.clients == 0 || !rest.ok()) return false;
    --place.clients;
    place.client = rest.ReadVarUint();
    place.ranges = rest.ReadVarUint();
    place.end = 0;
  }
  --place.ranges;
  out.clock = fields_.ReadDeleteClock(place.end);
  out.length = fields_.ReadDeleteLength();
  if (out.length == 0) rest.Fail("a deleted range has no length");
  if (out.clock > kMaxInteger || out.length > kMaxInteger - out.clock) rest.Fail("a clock is over 2^53 - 1");
  place.end = out.clock + out.length;
  return rest.ok();
}

template <class Fields>
void UpdateReader<Fields>::Finish() {
  if (ok() && !fields_.rest().AtEnd()) Fail("bytes are left after the update's end");
}

template <class Fields>
absl::Status UpdateReader<Fields>::status() const {
  const ByteReader& failed = fields_.failed();
  return failed.status(/*is_limit=*/exhausted_ || failed.error() == kNestsTooDeeply);
}

template class UpdateReader<FieldsV1>;
template class UpdateReader<FieldsV2>;

absl::StatusOr<std::vector<ClientState>> ReadStateVector(std::string_view bytes, const Limits& limits) {
  ByteReader reader(bytes);
  std::vector<ClientState> entries;
  const uint64_t count = reader.ReadVarUint();
  if (count > limits.max_clients)
    return absl::ResourceExhaustedError("a state vector has more clients than max_clients");
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    const uint64_t client = reader.ReadVarUint();
    entries.push_back({client, reader.ReadVarUint()});
  }
  if (reader.ok() && !reader.AtEnd()) reader.Fail("bytes are left after the state vector's end");
  RM_RETURN_IF_ERROR(reader.status());
  return entries;
}

}  // namespace rivermeet::crdt::internal
