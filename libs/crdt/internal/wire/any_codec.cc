#include "crdt/internal/wire/any_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "crdt/internal/wire/byte_writer.h"
#include "crdt/internal/wire/object_names.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {
namespace {

// lib0 writes integers up to here as such (its BITS31).
constexpr uint64_t kMaxAnyInteger = 0x7fffffff;
// JavaScript's largest array index: keys up to it come first, in ascending order.
constexpr uint64_t kMaxArrayIndex = 0xfffffffe;

bool IsAnyInteger(double number) {
  return std::abs(number) <= static_cast<double>(kMaxAnyInteger) &&
         static_cast<double>(static_cast<int64_t>(number)) == number;
}
bool IsFloat32(double number) { return static_cast<double>(static_cast<float>(number)) == number; }

template <typename Word>
void AppendBigEndian(Word word, std::string& to) {
  char bytes[sizeof(word)];
  for (size_t i = sizeof(word); i-- > 0; word = static_cast<Word>(word >> 8)) bytes[i] = static_cast<char>(word);
  to.append(bytes, sizeof(bytes));
}

// An object whose entries must be written in another order, or not all of them.
struct Reordering {
  const char* begin = nullptr;  // its tag
  const char* end = nullptr;
  size_t first_key = 0;  // in Reorderings::keys
  size_t keys = 0;
};
struct Reorderings {
  std::vector<Reordering> objects;
  // In the order in which JavaScript has them, as views of the bytes read: the value follows each.
  std::vector<std::string_view> keys;

  // Adds an object whose keys stood as `read`.
  void Add(const char* begin, const char* end, absl::Span<const std::string_view> read, AnySource source);
  // That of the object whose tag is at `begin`; null when it has none. After SortByPlace.
  const Reordering* Find(const char* begin) const {
    const auto it = std::ranges::lower_bound(objects, begin, {}, &Reordering::begin);
    return it != objects.end() && it->begin == begin ? &*it : nullptr;
  }
  void SortByPlace() { std::ranges::sort(objects, {}, &Reordering::begin); }
};

void Reorderings::Add(const char* begin, const char* end, absl::Span<const std::string_view> read, AnySource source) {
  struct Entry {
    std::string_view key;
    size_t place = 0;
    int64_t index = -1;
  };
  std::vector<Entry> entries;
  entries.reserve(read.size());
  for (const std::string_view key : read) {
    if (source == AnySource::kPeer && key == kProto) continue;
    entries.push_back({key, entries.size(), ArrayIndexOf(key)});
  }
  std::ranges::sort(entries,
                    [](const Entry& a, const Entry& b) { return a.key != b.key ? a.key < b.key : a.place < b.place; });
  // Of equal keys, the last one's value at the first one's place.
  size_t kept = 0;
  for (const Entry& entry : entries) {
    if (kept > 0 && entries[kept - 1].key == entry.key) {
      entries[kept - 1].key = entry.key;
    } else {
      entries[kept++] = entry;
    }
  }
  entries.resize(kept);
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    if ((a.index < 0) != (b.index < 0)) return b.index < 0;
    return a.index != b.index ? a.index < b.index : a.place < b.place;
  });
  objects.push_back({begin, end, keys.size(), kept});
  for (const Entry& entry : entries) keys.push_back(entry.key);
}

// Reads one value to its end, and finds out what keeps it from being canonical.
class Scanner {
 public:
  // `reorderings` may be null; then only the answer matters.
  Scanner(ByteReader& reader, int max_depth, AnySource source, Reorderings* reorderings)
      : reader_(reader),
        max_depth_(static_cast<size_t>(std::max(max_depth, 0))),
        source_(source),
        reorderings_(reorderings) {}

  // Whether the value is canonical. False on an error.
  bool Scan();

 private:
  // An array or object that isn't at its end yet.
  struct Frame {
    uint64_t left = 0;  // values
    const char* begin = nullptr;
    size_t first_key = 0;     // in keys_
    int64_t last_index = -1;  // the last key that is an array index
    bool is_object = false;
    bool named = false;   // a key that is none was read
    bool ordered = true;  // its keys are those that JavaScript has, in that order
  };
  // Up to so many keys are compared with each other as they come.
  static constexpr size_t kFewKeys = 16;

  void ScanValue();
  void ScanInteger();
  void ScanFloat32();
  void ScanFloat64();
  void ScanBytes();
  std::string_view ScanText();
  void Open(const char* begin, bool is_object);
  void ScanKey(Frame& frame);
  void Close();
  // Notes the form of an integer of `size` bytes, the first of which holds `first_bits` of it.
  void NoteForm(uint64_t value, size_t size, int first_bits) {
    if (size > 1 && value >> (first_bits + 7 * (static_cast<int>(size) - 2)) == 0) canonical_ = false;
  }
  absl::Span<const std::string_view> KeysOf(const Frame& frame) const {
    return absl::MakeConstSpan(keys_).subspan(frame.first_key);
  }

  ByteReader& reader_;
  const size_t max_depth_;
  const AnySource source_;
  Reorderings* const reorderings_;
  bool canonical_ = true;
  absl::InlinedVector<Frame, 4> frames_;
  absl::InlinedVector<std::string_view, kFewKeys> keys_;  // of all open objects, the innermost one's last
};

bool Scanner::Scan() {
  for (;;) {
    ScanValue();
    while (!frames_.empty() && frames_.back().left == 0) Close();
    if (!reader_.ok()) return false;
    if (frames_.empty()) return canonical_;
    Frame& frame = frames_.back();
    --frame.left;
    if (frame.is_object) ScanKey(frame);
  }
}

void Scanner::ScanValue() {
  const char* const begin = reader_.position();
  const size_t offset = reader_.offset();
  switch (AnyTag{reader_.ReadByte()}) {
    case AnyTag::kBytes:
      return ScanBytes();
    case AnyTag::kArray:
      return Open(begin, /*is_object=*/false);
    case AnyTag::kObject:
      return Open(begin, /*is_object=*/true);
    case AnyTag::kString:
      ScanText();
      return;
    case AnyTag::kBigInt:
      reader_.ReadBytes(8);
      return;
    case AnyTag::kFloat64:
      return ScanFloat64();
    case AnyTag::kFloat32:
      return ScanFloat32();
    case AnyTag::kInteger:
      return ScanInteger();
    case AnyTag::kTrue:
    case AnyTag::kFalse:
    case AnyTag::kNull:
    case AnyTag::kUndefined:
      return;
  }
  reader_.FailAt(offset, "a value of an unknown type");
}

void Scanner::ScanInteger() {
  const char* const begin = reader_.position();
  const uint64_t magnitude = reader_.ReadVarInt().magnitude;
  if (!reader_.ok()) return;
  NoteForm(magnitude, static_cast<size_t>(reader_.position() - begin), 6);
  if (magnitude > kMaxAnyInteger) canonical_ = false;
}

void Scanner::ScanFloat32() {
  const double number = reader_.ReadFloat32();
  if (std::isnan(number) || IsAnyInteger(number)) canonical_ = false;
}

void Scanner::ScanFloat64() {
  const double number = reader_.ReadFloat64();
  if (IsAnyInteger(number) || IsFloat32(number)) canonical_ = false;
}

void Scanner::ScanBytes() {
  const char* const begin = reader_.position();
  const std::string_view bytes = reader_.ReadVarBytes();
  if (reader_.ok()) NoteForm(bytes.size(), static_cast<size_t>(bytes.data() - begin), 7);
}

std::string_view Scanner::ScanText() {
  const char* const begin = reader_.position();
  std::string_view text;
  if (source_ == AnySource::kPeer) {
    text = reader_.ReadVarString();
  } else {
    text = reader_.ReadVarBytes();
    if (!IsWtf8(text)) reader_.FailAt(reader_.offset() - text.size(), "a text isn't UTF-8");
  }
  if (!reader_.ok()) return {};
  NoteForm(text.size(), static_cast<size_t>(text.data() - begin), 7);
  return text;
}

void Scanner::Open(const char* begin, bool is_object) {
  const size_t offset = reader_.offset();
  if (frames_.size() >= max_depth_) return reader_.FailAt(offset - 1, kNestsTooDeeply);
  const uint64_t count = reader_.ReadVarUint();
  if (!reader_.ok()) return;
  NoteForm(count, reader_.offset() - offset, 7);
  // Each value takes a byte at least, and each key.
  if (count > reader_.remaining() / (is_object ? 2 : 1)) {
    return reader_.FailAt(offset, "a count reaches past the end");
  }
  if (count == 0) return;
  Frame& frame = frames_.emplace_back();
  frame.left = count;
  frame.begin = begin;
  frame.first_key = keys_.size();
  frame.is_object = is_object;
}

void Scanner::ScanKey(Frame& frame) {
  const std::string_view key = ScanText();
  if (!canonical_ && reorderings_ == nullptr) return;
  if (const int64_t index = ArrayIndexOf(key); index >= 0) {
    if (frame.named || index <= frame.last_index) frame.ordered = false;
    frame.last_index = index;
  } else {
    frame.named = true;
    if (key == kProto && source_ == AnySource::kPeer) frame.ordered = false;
    const auto before = KeysOf(frame);
    if (before.size() < kFewKeys && std::ranges::find(before, key) != before.end()) frame.ordered = false;
  }
  keys_.push_back(key);
}

void Scanner::Close() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  if (!frame.is_object) return;
  const auto keys = KeysOf(frame);
  bool ordered = frame.ordered;
  if (ordered && keys.size() > kFewKeys) {
    ordered = absl::flat_hash_set<std::string_view>(keys.begin(), keys.end()).size() == keys.size();
  }
  if (!ordered) canonical_ = false;
  if (!ordered && reorderings_ != nullptr) {
    reorderings_->Add(frame.begin, reader_.position(), keys, source_);
  }
  keys_.resize(frame.first_key);
}

// Writes one value, which was read before without an error, in canonical form.
class Rewriter {
 public:
  Rewriter(ByteReader value, const Reorderings& reorderings, std::string& to)
      : reader_(value), end_(value.position() + value.remaining()), reorderings_(reorderings), to_(to) {}

  void Write();

 private:
  struct Frame {
    uint64_t left = 0;
    bool is_object = false;
    const Reordering* reordering = nullptr;
    size_t next_key = 0;  // in Reorderings::keys
  };

  void WriteValue();
  void Open(const char* begin, bool is_object);
  void WriteKey(Frame& frame);
  void Close();
  void ReadOnFrom(const char* position) { reader_ = ByteReader(std::string_view(position, end_)); }

  ByteReader reader_;
  const char* const end_;
  const Reorderings& reorderings_;
  std::string& to_;
  absl::InlinedVector<Frame, 4> frames_;
};

void Rewriter::Write() {
  for (;;) {
    WriteValue();
    while (!frames_.empty() && frames_.back().left == 0) Close();
    if (frames_.empty()) return;
    Frame& frame = frames_.back();
    --frame.left;
    if (frame.is_object) WriteKey(frame);
  }
}

void Rewriter::WriteValue() {
  const char* const begin = reader_.position();
  const uint8_t tag = reader_.ReadByte();
  switch (AnyTag{tag}) {
    case AnyTag::kArray:
      return Open(begin, /*is_object=*/false);
    case AnyTag::kObject:
      return Open(begin, /*is_object=*/true);
    case AnyTag::kFloat64:
      return AppendAnyNumber(reader_.ReadFloat64(), to_);
    case AnyTag::kFloat32:
      return AppendAnyNumber(reader_.ReadFloat32(), to_);
    case AnyTag::kInteger: {
      const auto integer = reader_.ReadVarInt();
      const auto magnitude = static_cast<double>(integer.magnitude);
      return AppendAnyNumber(integer.negative ? -magnitude : magnitude, to_);
    }
    case AnyTag::kBytes:
    case AnyTag::kString:
      WriteByte(to_, tag);
      return WriteVarBytes(to_, reader_.ReadVarBytes());
    case AnyTag::kBigInt:
      WriteByte(to_, tag);
      to_.append(reader_.ReadBytes(8));
      return;
    default:
      return WriteByte(to_, tag);
  }
}

void Rewriter::Open(const char* begin, bool is_object) {
  uint64_t count = reader_.ReadVarUint();
  Frame frame{.left = count, .is_object = is_object};
  if (is_object) {
    frame.reordering = reorderings_.Find(begin);
    if (frame.reordering != nullptr) {
      frame.left = count = frame.reordering->keys;
      frame.next_key = frame.reordering->first_key;
    }
  }
  WriteByte(to_, static_cast<uint8_t>(is_object ? AnyTag::kObject : AnyTag::kArray));
  WriteVarUint(to_, count);
  frames_.push_back(frame);
}

void Rewriter::WriteKey(Frame& frame) {
  std::string_view key;
  if (frame.reordering == nullptr) {
    key = reader_.ReadVarBytes();
  } else {
    key = reorderings_.keys[frame.next_key++];
    ReadOnFrom(key.data() + key.size());
  }
  WriteVarBytes(to_, key);
}

void Rewriter::Close() {
  if (const Reordering* reordering = frames_.back().reordering) ReadOnFrom(reordering->end);
  frames_.pop_back();
}

}  // namespace

bool SkipAny(ByteReader& reader, int max_depth, AnySource source) {
  return Scanner(reader, max_depth, source, nullptr).Scan();
}

bool CopyAny(ByteReader& reader, int max_depth, std::string& to, AnySource source) {
  const ByteReader start = reader;
  Reorderings reorderings;
  const bool canonical = Scanner(reader, max_depth, source, &reorderings).Scan();
  if (!reader.ok()) return false;
  if (canonical) {
    to.append(start.position(), reader.position());
    return true;
  }
  reorderings.SortByPlace();
  Rewriter(start, reorderings, to).Write();
  return true;
}

void AppendAnyNumber(double number, std::string& to) {
  if (IsAnyInteger(number)) {
    WriteByte(to, static_cast<uint8_t>(AnyTag::kInteger));
    WriteVarInt(to, static_cast<uint64_t>(std::abs(number)), std::signbit(number));
  } else if (IsFloat32(number)) {
    WriteByte(to, static_cast<uint8_t>(AnyTag::kFloat32));
    AppendBigEndian(std::bit_cast<uint32_t>(static_cast<float>(number)), to);
  } else {
    WriteByte(to, static_cast<uint8_t>(AnyTag::kFloat64));
    AppendBigEndian(std::bit_cast<uint64_t>(number), to);
  }
}

int64_t ArrayIndexOf(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key.size() > 1 && key[0] == '0')) return -1;
  uint64_t index = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return -1;
    index = index * 10 + static_cast<uint64_t>(c - '0');
  }
  return index <= kMaxArrayIndex ? static_cast<int64_t>(index) : -1;
}

}  // namespace rivermeet::crdt::internal
