// The columns of an update of format V2, read: run-length and difference codings (lib0/decoding.js: RleDecoder,
// UintOptRleDecoder, IntDiffOptRleDecoder, StringDecoder). Reading past a column's end is an error, in its reader.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_RUN_COLUMNS_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_RUN_COLUMNS_H_

#include <string>

#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

// Bytes; the last run goes on for ever.
class RleColumn {
 public:
  RleColumn() = default;
  explicit RleColumn(ByteReader reader) : reader_(reader) {}

  uint8_t Read() {
    if (count_ == 0) {
      value_ = reader_.ReadByte();
      endless_ = reader_.AtEnd();
      count_ = endless_ ? 1 : reader_.ReadVarUint() + 1;
    }
    if (!endless_) --count_;
    return value_;
  }
  const ByteReader& reader() const { return reader_; }

 private:
  ByteReader reader_;
  uint64_t count_ = 0;
  uint8_t value_ = 0;
  bool endless_ = false;
};

// Unsigned integers; a negative one opens a run.
class UintColumn {
 public:
  UintColumn() = default;
  explicit UintColumn(ByteReader reader) : reader_(reader) {}

  uint64_t Read() {
    if (count_ == 0) {
      const ByteReader::SignedInteger read = reader_.ReadVarInt();
      value_ = read.magnitude;
      count_ = read.negative ? reader_.ReadVarUint() + 2 : 1;
    }
    --count_;
    return value_;
  }
  ByteReader& reader() { return reader_; }
  const ByteReader& reader() const { return reader_; }

 private:
  ByteReader reader_;
  uint64_t value_ = 0;
  uint64_t count_ = 0;
};

// Clocks as differences to the one before.
class DiffColumn {
 public:
  DiffColumn() = default;
  explicit DiffColumn(ByteReader reader) : reader_(reader) {}

  uint64_t Read() {
    if (count_ == 0) {
      const int64_t read = reader_.ReadVarInt().value();
      difference_ = read >> 1;  // towards minus infinity
      count_ = (read & 1) != 0 ? reader_.ReadVarUint() + 2 : 1;
    }
    --count_;
    value_ += difference_;
    if (value_ < 0 || value_ > static_cast<int64_t>(kMaxInteger)) {
      reader_.Fail("differences of clocks add up to less than 0 or more than 2^53 - 1");
      value_ = 0;
    }
    return static_cast<uint64_t>(value_);
  }
  const ByteReader& reader() const { return reader_; }

 private:
  ByteReader reader_;
  int64_t value_ = 0;
  int64_t difference_ = 0;
  uint64_t count_ = 0;
};

// All strings of an update as one text, and the length of each in UTF-16 units.
class StringColumn {
 public:
  StringColumn() = default;
  explicit StringColumn(ByteReader reader) : lengths_(reader) {
    text_ = lengths_.reader().ReadVarString();
    units_left_ = Measure(text_).utf16;
    ascii_ = AsciiPrefix(text_);
  }

  // The next string, as a view of the update, or, where it begins or ends inside a character, as a copy in `scratch`.
  // Its length in UTF-16 units goes to `*units`.
  std::string_view Read(std::string& scratch, uint64_t* units) {
    *units = lengths_.Read();
    if (*units > ascii_) return ReadMixed(scratch, units);
    const std::string_view read = text_.substr(byte_, *units);
    byte_ += *units;
    ascii_ -= *units;
    units_left_ -= *units;
    return read;
  }

  const ByteReader& reader() const { return lengths_.reader(); }

 private:
  std::string_view ReadMixed(std::string& scratch, uint64_t* units);

  UintColumn lengths_;
  std::string_view text_;
  uint64_t units_left_ = 0;
  size_t byte_ = 0;           // where the next string starts
  size_t ascii_ = 0;          // how many characters from there on are ASCII, at least
  bool inside_pair_ = false;  // it starts with the second half of the character there
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_RUN_COLUMNS_H_
