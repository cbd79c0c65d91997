// Writes an update struct by struct, in either format, byte for byte as yjs does.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_WRITER_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_WRITER_H_

#include <string>
#include <string_view>
#include <vector>

#include "crdt/internal/wire/byte_writer.h"
#include "crdt/internal/wire/utf.h"
#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

// lib0's RleEncoder of bytes: a value, then how often it comes again; not for the last.
class RleWriter {
 public:
  void Write(uint8_t value) {
    if (count_ > 0 && value == value_) {
      ++count_;
      return;
    }
    if (count_ > 0) WriteVarUint(bytes_, count_ - 1);
    count_ = 1;
    value_ = value;
    WriteByte(bytes_, value);
  }
  const std::string& Finish() { return bytes_; }

 private:
  std::string bytes_;
  uint64_t count_ = 0;
  uint8_t value_ = 0;
};

// Values, each with a mark when it comes again, and then how often beyond twice. `kWrite` appends one with its mark.
template <class Value, void (*kWrite)(std::string& to, Value value, bool again)>
class RunWriter {
 public:
  void Write(Value value) {
    if (value == value_) {
      ++count_;
      return;
    }
    Flush();
    count_ = 1;
    value_ = value;
  }
  const std::string& Finish() {
    Flush();
    count_ = 0;
    return bytes_;
  }

 private:
  void Flush() {
    if (count_ == 0) return;
    kWrite(bytes_, value_, count_ > 1);
    if (count_ > 1) WriteVarUint(bytes_, count_ - 2);
  }

  std::string bytes_;
  Value value_ = 0;
  uint64_t count_ = 0;
};

// lib0's UintOptRleEncoder.
inline void WriteRunOf(std::string& to, uint64_t value, bool again) { WriteVarInt(to, value, again); }
using UintWriter = RunWriter<uint64_t, WriteRunOf>;

// lib0's IntDiffOptRleEncoder.
class DiffWriter {
 public:
  void Write(uint64_t value) {
    differences_.Write(static_cast<int64_t>(value) - static_cast<int64_t>(value_));
    value_ = value;
  }
  const std::string& Finish() { return differences_.Finish(); }

 private:
  static void WriteDifference(std::string& to, int64_t difference, bool again) {
    const int64_t encoded = difference * 2 + (again ? 1 : 0);
    WriteVarInt(to, static_cast<uint64_t>(encoded < 0 ? -encoded : encoded), encoded < 0);
  }

  RunWriter<int64_t, WriteDifference> differences_;
  uint64_t value_ = 0;
};

// The writers of the two formats have the same functions, those of yjs's UpdateEncoderV1 and V2. `rest()` is where
// counts, clocks, values and delete sets go.
class WriterV1 {
 public:
  // Makes room for that many structs with contents of `bytes` in all, more or less.
  void Reserve(uint64_t structs, uint64_t bytes) { rest_.reserve(bytes + structs * 28); }
  std::string& rest() { return rest_; }
  void WriteClient(uint64_t client) { WriteVarUint(rest_, client); }
  void WriteLeftId(UnitId id) { WriteId(id); }
  void WriteRightId(UnitId id) { WriteId(id); }
  void WriteInfo(uint8_t info) { WriteByte(rest_, info); }
  void WriteParentInfo(bool root) { WriteByte(rest_, root ? 1 : 0); }
  void WriteTypeRef(TypeRef type) { WriteByte(rest_, static_cast<uint8_t>(type)); }
  void WriteLength(uint64_t length) { WriteVarUint(rest_, length); }
  // `units` is the text's length; lone surrogates become U+FFFD.
  void WriteText(std::string_view text, uint64_t units) {
    if (text.size() == units || IsWellFormed(text)) return WriteVarBytes(rest_, text);
    std::string well_formed;
    AppendWellFormed(text, well_formed);
    WriteVarBytes(rest_, well_formed);
  }
  void WriteString(std::string_view text) { WriteText(text, ~uint64_t{0}); }
  void WriteKey(std::string_view key) { WriteString(key); }
  // Canonical values.
  void WriteAny(std::string_view values);
  // An embed's or format's value.
  void WriteJson(std::string_view any);
  std::string Take() { return std::move(rest_); }
  // A new fragment of the rest begins (yjs's LazyStructWriter does so per client); the old one is given back.
  std::string TakeRest() { return std::exchange(rest_, {}); }

  void WriteDeleteClock(uint64_t clock, uint64_t) { WriteVarUint(rest_, clock); }
  void WriteDeleteLength(uint64_t length) { WriteVarUint(rest_, length); }

 private:
  void WriteId(UnitId id) {
    WriteVarUint(rest_, id.client);
    WriteVarUint(rest_, id.clock);
  }

  std::string rest_;
};

class WriterV2 {
 public:
  void Reserve(uint64_t, uint64_t bytes) { text_.reserve(bytes); }
  std::string& rest() { return rest_; }
  void WriteClient(uint64_t client) { client_.Write(client); }
  void WriteLeftId(UnitId id) {
    client_.Write(id.client);
    left_clock_.Write(id.clock);
  }
  void WriteRightId(UnitId id) {
    client_.Write(id.client);
    right_clock_.Write(id.clock);
  }
  void WriteInfo(uint8_t info) { info_.Write(info); }
  void WriteParentInfo(bool root) { parent_info_.Write(root ? 1 : 0); }
  void WriteTypeRef(TypeRef type) { type_ref_.Write(static_cast<uint64_t>(type)); }
  void WriteLength(uint64_t length) { length_.Write(length); }
  void WriteText(std::string_view text, uint64_t units) {
    if (text.size() == units) {
      text_.append(text);
    } else {
      AppendJoined(text, text_);
    }
    text_length_.Write(units);
  }
  void WriteString(std::string_view text) { WriteText(text, Measure(text).utf16); }
  void WriteKey(std::string_view key) {
    key_clock_.Write(keys_++);
    WriteString(key);
  }
  void WriteJson(std::string_view any) { WriteAny(any); }
  void WriteAny(std::string_view values);
  std::string Take();
  std::string TakeRest() { return std::exchange(rest_, {}); }

  void WriteDeleteClock(uint64_t clock, uint64_t previous_end) { WriteVarUint(rest_, clock - previous_end); }
  void WriteDeleteLength(uint64_t length) { WriteVarUint(rest_, length - 1); }

 private:
  std::string rest_;
  DiffWriter key_clock_;
  UintWriter client_;
  DiffWriter left_clock_;
  DiffWriter right_clock_;
  RleWriter info_;
  std::string text_;
  UintWriter text_length_;
  RleWriter parent_info_;
  UintWriter type_ref_;
  UintWriter length_;
  uint64_t keys_ = 0;
};

// Writes `item` without its first `offset` units, which somebody has: its origin is then its own unit before them.
template <class Writer>
void WriteStruct(Writer& writer, const WireStruct& item, uint64_t offset);

// Writes ranges as they are, clients in descending order. In V2 each client's ranges must be sorted and apart.
template <class Writer>
void WriteDeleteSet(Writer& writer, const WireDeleteSet& deletes);

// The ranges of one client, as in a delete set.
template <class Writer>
void WriteDeleted(Writer& writer, uint64_t client, const std::vector<ClockRange>& ranges);

extern template void WriteStruct(WriterV1&, const WireStruct&, uint64_t);
extern template void WriteStruct(WriterV2&, const WireStruct&, uint64_t);
extern template void WriteDeleteSet(WriterV1&, const WireDeleteSet&);
extern template void WriteDeleteSet(WriterV2&, const WireDeleteSet&);
extern template void WriteDeleted(WriterV1&, uint64_t, const std::vector<ClockRange>&);
extern template void WriteDeleted(WriterV2&, uint64_t, const std::vector<ClockRange>&);

// `entries` as a state vector, in descending order of clients.
std::string WriteStateVector(std::vector<ClientState> entries);
// In the order in which they are.
std::string WriteStateVectorAsIs(const std::vector<ClientState>& entries);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_UPDATE_WRITER_H_
