// The columns of an update of format V2, read: run-length and difference codings (lib0/decoding.js: RleDecoder,
// UintOptRleDecoder, IntDiffOptRleDecoder, StringDecoder). Reading past a column's end is an error, in its reader. A
// column's place is what reading changes: after Resume() it reads on from there.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_RUN_COLUMNS_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_RUN_COLUMNS_H_

#include <string>

#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

// What the columns of runs have in common. `Run` is the one that is read.
template <class Run>
class RunColumn {
 public:
  struct Place {
    const char* position = nullptr;  // behind the run
    Run run;
  };

  RunColumn() = default;
  explicit RunColumn(ByteReader reader) : reader_(reader) {}

  const ByteReader& reader() const { return reader_; }
  Place place() const { return {reader_.position(), run_}; }
  void Resume(const Place& place) {
    reader_.Resume(place.position);
    run_ = place.run;
  }

 protected:
  ByteReader reader_;
  Run run_;
};

struct ByteRun {
  uint64_t count = 0;
  uint8_t value = 0;
  bool endless = false;
};
struct UintRun {
  uint64_t value = 0;
  uint64_t count = 0;
};
struct DiffRun {
  int64_t value = 0;
  int64_t difference = 0;
  uint64_t count = 0;
};

// Bytes; the last run goes on for ever.
class RleColumn : public RunColumn<ByteRun> {
 public:
  using RunColumn::RunColumn;

  uint8_t Read() {
    if (run_.count == 0) {
      run_.value = reader_.ReadByte();
      run_.endless = reader_.AtEnd();
      run_.count = run_.endless ? 1 : reader_.ReadVarUint() + 1;
    }
    if (!run_.endless) --run_.count;
    return run_.value;
  }
};

// Unsigned integers; a negative one opens a run.
class UintColumn : public RunColumn<UintRun> {
 public:
  using RunColumn::RunColumn;

  uint64_t Read() {
    if (run_.count == 0) {
      const ByteReader::SignedInteger read = reader_.ReadVarInt();
      run_.value = read.magnitude;
      run_.count = read.negative ? reader_.ReadVarUint() + 2 : 1;
    }
    --run_.count;
    return run_.value;
  }
  using RunColumn::reader;
  ByteReader& reader() { return reader_; }
};

// Clocks as differences to the one before.
class DiffColumn : public RunColumn<DiffRun> {
 public:
  using RunColumn::RunColumn;

  uint64_t Read() {
    if (run_.count == 0) {
      const int64_t read = reader_.ReadVarInt().value();
      run_.difference = read >> 1;  // towards minus infinity
      run_.count = (read & 1) != 0 ? reader_.ReadVarUint() + 2 : 1;
    }
    --run_.count;
    run_.value += run_.difference;
    if (run_.value < 0 || run_.value > static_cast<int64_t>(kMaxInteger)) {
      reader_.Fail("differences of clocks add up to less than 0 or more than 2^53 - 1");
      run_.value = 0;
    }
    return static_cast<uint64_t>(run_.value);
  }
};

// All strings of an update as one text, and the length of each in UTF-16 units.
class StringColumn {
  // Where the next string starts.
  struct Start {
    uint64_t units_left = 0;
    size_t byte = 0;
    size_t ascii = 0;          // how many characters from there on are ASCII, at least
    bool inside_pair = false;  // it starts with the second half of the character there
  };

 public:
  struct Place {
    UintColumn::Place lengths;
    Start next;
  };

  StringColumn() = default;
  explicit StringColumn(ByteReader reader) : lengths_(reader) {
    text_ = lengths_.reader().ReadVarString();
    next_.units_left = Measure(text_).utf16;
    next_.ascii = AsciiPrefix(text_);
  }

  // The next string, as a view of the update, or, where it begins or ends inside a character, as a copy in `scratch`.
  // Its length in UTF-16 units goes to `*units`.
  std::string_view Read(std::string& scratch, uint64_t* units) {
    *units = lengths_.Read();
    if (*units > next_.ascii) return ReadMixed(scratch, units);
    const std::string_view read = text_.substr(next_.byte, *units);
    next_.byte += *units;
    next_.ascii -= *units;
    next_.units_left -= *units;
    return read;
  }

  const ByteReader& reader() const { return lengths_.reader(); }
  Place place() const { return {lengths_.place(), next_}; }
  void Resume(const Place& place) {
    lengths_.Resume(place.lengths);
    next_ = place.next;
  }

 private:
  std::string_view ReadMixed(std::string& scratch, uint64_t* units);

  UintColumn lengths_;
  std::string_view text_;
  Start next_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_RUN_COLUMNS_H_
