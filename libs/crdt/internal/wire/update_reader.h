// Reads an update struct by struct, in either format, checking every byte.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_READER_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_READER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crdt/internal/wire/run_columns.h"
#include "crdt/internal/wire/wire.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

// Where the fields of a struct come from in V1: all from one stream.
class FieldsV1 {
 public:
  explicit FieldsV1(std::string_view update) : rest_(update) {}

  ByteReader& rest() { return rest_; }
  uint64_t ReadClient() { return rest_.ReadVarUint(); }
  UnitId ReadLeftId() { return ReadId(); }
  UnitId ReadRightId() { return ReadId(); }
  uint8_t ReadInfo() { return rest_.ReadByte(); }
  bool ReadParentInfo() { return rest_.ReadVarUint() == 1; }
  uint64_t ReadTypeRef() { return rest_.ReadVarUint(); }
  uint64_t ReadLength() { return rest_.ReadVarUint(); }
  std::string_view ReadString(std::string&) { return rest_.ReadVarString(); }
  std::string_view ReadKey(std::string&) { return rest_.ReadVarString(); }
  std::string_view ReadText(std::string&, TextSize* size) {
    const std::string_view text = rest_.ReadVarString();
    *size = Measure(text);
    return text;
  }
  uint64_t repeated_key_bytes() const { return 0; }
  static constexpr bool kJsonIsText = true;  // embeds and format values are JSON text; in V2 encoded values
  uint64_t ReadDeleteClock(uint64_t) { return rest_.ReadVarUint(); }
  uint64_t ReadDeleteLength() { return rest_.ReadVarUint(); }

  bool ok() const { return rest_.ok(); }
  const ByteReader& failed() const { return rest_; }

  using Place = const char*;
  Place place() const { return rest_.position(); }
  void Resume(Place place) { rest_.Resume(place); }

 private:
  UnitId ReadId() {
    const uint64_t client = rest_.ReadVarUint(client_);
    return {client, rest_.ReadVarUint()};
  }

  ByteReader rest_;
  ByteReader::Known client_;
};

// In V2: from nine columns, the rest from a tenth.
class FieldsV2 {
 public:
  explicit FieldsV2(std::string_view update);

  ByteReader& rest() { return rest_; }
  uint64_t ReadClient() { return client_.Read(); }
  UnitId ReadLeftId() {
    const uint64_t client = client_.Read();
    return {client, left_clock_.Read()};
  }
  UnitId ReadRightId() {
    const uint64_t client = client_.Read();
    return {client, right_clock_.Read()};
  }
  uint8_t ReadInfo() { return info_.Read(); }
  bool ReadParentInfo() { return parent_info_.Read() == 1; }
  uint64_t ReadTypeRef() { return type_ref_.Read(); }
  uint64_t ReadLength() { return length_.Read(); }
  std::string_view ReadString(std::string& scratch) {
    uint64_t units;
    return string_.Read(scratch, &units);
  }
  std::string_view ReadKey(std::string& scratch);
  // Of the keys that only named one read before: all that this has read makes out of fewer bytes.
  uint64_t repeated_key_bytes() const { return repeated_key_bytes_; }
  std::string_view ReadText(std::string& scratch, TextSize* size) {
    const std::string_view text = string_.Read(scratch, &size->utf16);
    size->astral = text.size() == size->utf16 ? 0 : Measure(text).astral;
    return text;
  }
  static constexpr bool kJsonIsText = false;
  // Of a deleted range: clocks count from the end of the one before, lengths from 1.
  uint64_t ReadDeleteClock(uint64_t previous_end) { return previous_end + rest_.ReadVarUint(); }
  uint64_t ReadDeleteLength() { return rest_.ReadVarUint() + 1; }

  bool ok() const {
    return rest_.ok() && key_clock_.reader().ok() && client_.reader().ok() && left_clock_.reader().ok() &&
           right_clock_.reader().ok() && info_.reader().ok() && string_.reader().ok() && parent_info_.reader().ok() &&
           type_ref_.reader().ok() && length_.reader().ok();
  }
  const ByteReader& failed() const;

  // What reading changes, less than half of all.
  struct Place {
    const char* rest = nullptr;
    DiffColumn::Place key_clock;
    UintColumn::Place client;
    DiffColumn::Place left_clock;
    DiffColumn::Place right_clock;
    RleColumn::Place info;
    StringColumn::Place string;
    RleColumn::Place parent_info;
    UintColumn::Place type_ref;
    UintColumn::Place length;
    size_t keys_read = 0;
    uint64_t repeated_key_bytes = 0;
  };
  Place place() const;
  void Resume(const Place& place);

 private:
  ByteReader rest_;
  DiffColumn key_clock_;
  UintColumn client_;
  DiffColumn left_clock_;
  DiffColumn right_clock_;
  RleColumn info_;
  StringColumn string_;
  RleColumn parent_info_;
  UintColumn type_ref_;
  UintColumn length_;
  std::vector<std::string> keys_;  // also those read before it went back; so far `keys_read_`
  size_t keys_read_ = 0;
  uint64_t repeated_key_bytes_ = 0;
};

// How to use it: ReadCount() blocks, each ReadBlock() and then its structs, then ReadDeleteSet() and Finish(). After an
// error all reads give nothing of use and status() tells; check ok() at least once a struct.
template <class Fields>
class UpdateReader {
 public:
  struct Block {
    uint64_t structs = 0;
    uint64_t client = 0;
    uint64_t clock = 0;  // of the first struct
  };

  // `update` and `limits` outlive this.
  UpdateReader(std::string_view update, const Limits& limits);

  uint64_t ReadCount();
  Block ReadBlock();
  // Reads the struct at `clock` of `client`; its views live until the next read.
  void ReadStruct(uint64_t client, uint64_t clock, WireStruct& out);
  // Where in the deletions it is, before their first as it is made.
  struct DeletePlace {
    bool begun = false;
    uint64_t clients = 0;  // after this one
    uint64_t client = 0;
    uint64_t ranges = 0;  // of this one, still to come
    uint64_t end = 0;     // of the last one
  };
  // The next deleted range, in the order of the bytes; false behind the last one, and after an error.
  bool ReadDelete(DeletePlace& place, ClockRange& out);
  // Calls `take`(client, clock, length) for each that is left.
  template <class Take>
  void ReadDeletes(Take&& take);
  void ReadDeleteSet(WireDeleteSet& out) {
    ReadDeletes([&out](uint64_t client, uint64_t clock, uint64_t length) {
      out.RangesOf(client).push_back({clock, length});
    });
  }
  // Fails when bytes are left.
  void Finish();

  bool ok() const { return fields_.ok(); }
  // INVALID_ARGUMENT or RESOURCE_EXHAUSTED with the byte offset.
  absl::Status status() const;
  void Fail(const char* error) { fields_.rest().Fail(error); }
  void FailExhausted(const char* error) {
    if (ok()) exhausted_ = true;
    Fail(error);
  }

  // The place reached, to Resume() from later, in any order.
  using Place = typename Fields::Place;
  Place place() const { return fields_.place(); }
  void Resume(const Place& place) { fields_.Resume(place); }

 private:
  void ReadContent(ContentKind kind, WireContent& out);
  void ReadValues(uint64_t count, WireContent& out);
  void ReadJsonValues(uint64_t count, WireContent& out);
  void ReadOneValue(WireContent& out);
  std::string_view ReadKey();
  void ReadType(WireContent& out);
  void ReadDocument(WireContent& out);
  bool ParseJson(std::string_view json);

  Fields fields_;
  const Limits* limits_;
  uint64_t structs_left_;
  const char* too_many_structs_ = "an update has more structs than max_structs";
  bool exhausted_ = false;  // what failed was a limit
  // Each for what is viewed at the same time as the others.
  std::string root_scratch_;
  std::string sub_scratch_;
  std::string name_scratch_;
  std::string guid_scratch_;
  std::string json_scratch_;
  std::string scratch_;  // of the content
};

template <class Fields>
template <class Take>
void UpdateReader<Fields>::ReadDeletes(Take&& take) {
  DeletePlace place;
  for (ClockRange range; ReadDelete(place, range);) take(place.client, range.clock, range.length);
}

extern template class UpdateReader<FieldsV1>;
extern template class UpdateReader<FieldsV2>;

// Reads a state vector: (client, clock) in the order of the bytes.
//   INVALID_ARGUMENT    The bytes are none; the message has the byte offset.
//   RESOURCE_EXHAUSTED  It has more clients than max_clients.
absl::StatusOr<std::vector<ClientState>> ReadStateVector(std::string_view bytes, const Limits& limits);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_READER_H_
