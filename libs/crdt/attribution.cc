#include "crdt/attribution.h"

#include <algorithm>

#include "base/status.h"
#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/byte_writer.h"

namespace rivermeet::crdt {

using internal::ByteReader;
using internal::WriteByte;
using internal::WriteVarInt;
using internal::WriteVarUint;

namespace {

constexpr uint8_t kVersion = 1;
constexpr char kTooMany[] = "an attribution has more clients or runs than a limit";
constexpr uint64_t kMaxClock = 0xffffffff;
constexpr int64_t kUnknown = INT64_MIN;  // a time that nobody noted

// The run that holds `clock`; the number of runs when none does.
size_t RunAt(const std::vector<uint32_t>& ends, uint64_t clock) {
  return std::upper_bound(ends.begin(), ends.end(), clock) - ends.begin();
}

// In milliseconds, far enough from the ends of time that differences don't overflow.
int64_t FromTime(std::optional<absl::Time> time) {
  constexpr int64_t kFar = internal::kMaxInteger / 2;
  return time.has_value() ? std::clamp(absl::ToUnixMillis(*time), -kFar, kFar) : kUnknown;
}

std::optional<absl::Time> ToTime(int64_t time) {
  if (time == kUnknown) return std::nullopt;
  return absl::FromUnixMillis(time);
}

template <class Map>
std::vector<uint64_t> ClientsOf(const Map& map) {
  std::vector<uint64_t> clients;
  for (const auto& [client, value] : map) clients.push_back(client);
  std::sort(clients.begin(), clients.end());
  return clients;
}

// A time as what it differs from the one before by, and a byte that says whether there is one.
void WriteTime(std::string& to, int64_t time, int64_t& previous) {
  WriteByte(to, time == kUnknown ? 0 : 1);
  if (time == kUnknown) return;
  const int64_t difference = time - previous;
  WriteVarInt(to, static_cast<uint64_t>(difference < 0 ? -difference : difference), difference < 0);
  previous = time;
}

}  // namespace

void Attribution::Extend(Written& written, uint32_t end, int64_t time) {
  if (!written.times.empty() && written.times.back() == time) {
    written.ends.back() = end;
  } else {
    written.ends.push_back(end);
    written.times.push_back(time);
  }
}

void Attribution::NoteWritten(uint64_t client, uint64_t from, uint64_t to, std::optional<absl::Time> time) {
  to = std::min(to, kMaxClock);
  if (from >= to) return;
  Written& written = written_[client];
  const uint64_t known = written.ends.empty() ? 0 : written.ends.back();
  if (to <= known) return;
  if (from > known) Extend(written, static_cast<uint32_t>(from), kUnknown);
  Extend(written, static_cast<uint32_t>(to), FromTime(time));
}

// Into a gap: [from, removed.end) is free.
void Attribution::Put(Removals& removals, uint32_t from, const Removed& removed) {
  auto next = removals.lower_bound(from);
  Removed joined = removed;
  if (next != removals.end() && next->first == removed.end && next->second.SameAs(removed)) {
    joined.end = next->second.end;
    next = removals.erase(next);
  }
  if (next != removals.begin()) {
    const auto before = std::prev(next);
    if (before->second.end == from && before->second.SameAs(removed)) {
      before->second.end = joined.end;
      return;
    }
  }
  removals.emplace(from, joined);
}

void Attribution::NoteRemoved(uint64_t client, uint64_t from, uint64_t to, const Removal& removal) {
  to = std::min(to, kMaxClock);
  if (from >= to) return;
  Removals& removals = removed_[client];
  Removed removed;
  removed.by_known = removal.client.has_value() && *removal.client <= internal::kMaxInteger;
  removed.by = removed.by_known ? *removal.client : 0;
  removed.time = FromTime(removal.time);
  while (from < to) {
    // What is before, at and behind `from`.
    const auto next = removals.upper_bound(static_cast<uint32_t>(from));
    if (next != removals.begin() && std::prev(next)->second.end > from) {
      from = std::prev(next)->second.end;
      continue;
    }
    removed.end = static_cast<uint32_t>(next == removals.end() ? to : std::min<uint64_t>(to, next->first));
    const uint64_t end = removed.end;
    Put(removals, static_cast<uint32_t>(from), removed);
    from = end;
  }
}

std::optional<absl::Time> Attribution::WrittenAt(uint64_t client, uint64_t clock) const {
  const auto found = written_.find(client);
  if (found == written_.end()) return std::nullopt;
  const size_t run = RunAt(found->second.ends, clock);
  return run == found->second.ends.size() ? std::nullopt : ToTime(found->second.times[run]);
}

std::optional<Attribution::Removal> Attribution::RemovedBy(uint64_t client, uint64_t clock) const {
  const auto found = removed_.find(client);
  if (found == removed_.end() || clock > kMaxClock) return std::nullopt;
  const auto next = found->second.upper_bound(static_cast<uint32_t>(clock));
  if (next == found->second.begin()) return std::nullopt;
  const Removed& removed = std::prev(next)->second;
  if (clock >= removed.end) return std::nullopt;
  Removal removal;
  if (removed.by_known) removal.client = removed.by;
  removal.time = ToTime(removed.time);
  return removal;
}

uint64_t Attribution::SameUntil(uint64_t client, uint64_t clock, uint64_t limit) const {
  if (const auto found = written_.find(client); found != written_.end()) {
    const size_t run = RunAt(found->second.ends, clock);
    if (run < found->second.ends.size()) limit = std::min<uint64_t>(limit, found->second.ends[run]);
  }
  if (const auto found = removed_.find(client); found != removed_.end() && clock <= kMaxClock) {
    const auto next = found->second.upper_bound(static_cast<uint32_t>(clock));
    if (next != found->second.end()) limit = std::min<uint64_t>(limit, next->first);
    if (next != found->second.begin() && std::prev(next)->second.end > clock) {
      limit = std::min<uint64_t>(limit, std::prev(next)->second.end);
    }
  }
  return limit;
}

std::string Attribution::Encode() const {
  std::string bytes;
  WriteByte(bytes, kVersion);
  int64_t previous = 0;
  WriteVarUint(bytes, written_.size());
  for (const uint64_t client : ClientsOf(written_)) {
    const Written& written = written_.at(client);
    WriteVarUint(bytes, client);
    WriteVarUint(bytes, written.ends.size());
    uint32_t end = 0;
    for (size_t run = 0; run < written.ends.size(); ++run) {
      WriteVarUint(bytes, written.ends[run] - end);
      WriteTime(bytes, written.times[run], previous);
      end = written.ends[run];
    }
  }
  WriteVarUint(bytes, removed_.size());
  for (const uint64_t client : ClientsOf(removed_)) {
    const Removals& removals = removed_.at(client);
    WriteVarUint(bytes, client);
    WriteVarUint(bytes, removals.size());
    uint32_t end = 0;
    for (const auto& [from, removed] : removals) {
      WriteVarUint(bytes, from - end);
      WriteVarUint(bytes, removed.end - from);
      WriteByte(bytes, removed.by_known ? 1 : 0);
      if (removed.by_known) WriteVarUint(bytes, removed.by);
      WriteTime(bytes, removed.time, previous);
      end = removed.end;
    }
  }
  return bytes;
}

class Attribution::Reader {
 public:
  Reader(std::string_view bytes, const Limits& limits) : reader_(bytes), limits_(limits) {}

  absl::Status Read(Attribution& out) {
    if (reader_.remaining() > limits_.max_update_bytes) {
      return absl::ResourceExhaustedError("an attribution is longer than max_update_bytes");
    }
    if (reader_.ReadByte() != kVersion) reader_.FailAt(0, "it is no attribution of a version that is known");
    runs_left_ = limits_.max_structs;
    ForEachClient(out.written_, [&](Attribution::Written& written, uint64_t runs) { ReadWritten(written, runs); });
    ForEachClient(out.removed_, [&](Attribution::Removals& removals, uint64_t runs) { ReadRemoved(removals, runs); });
    if (reader_.ok() && !reader_.AtEnd()) reader_.Fail("bytes are left after the attribution's end");
    return reader_.status(/*is_limit=*/reader_.error() == kTooMany);
  }

 private:
  template <class Map, class ReadRuns>
  void ForEachClient(Map& map, ReadRuns read_runs) {
    const uint64_t clients = reader_.ReadCount(limits_.max_clients, kTooMany);
    std::optional<uint64_t> previous;
    for (uint64_t c = 0; c < clients && reader_.ok(); ++c) {
      const size_t at = reader_.offset();
      const uint64_t client = reader_.ReadVarUint();
      if (previous.has_value() && client <= *previous) reader_.FailAt(at, "clients are out of order");
      previous = client;
      const uint64_t runs = reader_.ReadCount(runs_left_, kTooMany);
      runs_left_ -= runs;
      if (reader_.ok()) read_runs(map[client], runs);
    }
  }

  // `end` moved on by what is read, at least by `least`.
  uint32_t ReadEnd(uint32_t end, uint64_t least) {
    const size_t at = reader_.offset();
    const uint64_t length = reader_.ReadVarUint();
    if (length < least) reader_.FailAt(at, "a run has no length");
    if (length > kMaxClock - end) reader_.FailAt(at, "a clock is over 2^32 - 1");
    return reader_.ok() ? end + static_cast<uint32_t>(length) : end;
  }

  bool ReadFlag() {
    const size_t at = reader_.offset();
    const uint8_t flag = reader_.ReadByte();
    if (flag > 1) reader_.FailAt(at, "a byte that says yes or no is neither 0 nor 1");
    return flag == 1;
  }

  int64_t ReadTime() {
    if (!ReadFlag()) return kUnknown;
    const size_t at = reader_.offset();
    time_ += reader_.ReadVarInt().value();
    if (time_ > static_cast<int64_t>(internal::kMaxInteger) / 2 ||
        time_ < -static_cast<int64_t>(internal::kMaxInteger) / 2) {
      reader_.FailAt(at, "a time is over 2^52 milliseconds from 1970");
      time_ = 0;
    }
    return time_;
  }

  void ReadWritten(Attribution::Written& written, uint64_t runs) {
    uint32_t end = 0;
    for (uint64_t r = 0; r < runs && reader_.ok(); ++r) {
      end = ReadEnd(end, 1);
      const int64_t time = ReadTime();
      if (reader_.ok()) Attribution::Extend(written, end, time);
    }
  }

  void ReadRemoved(Attribution::Removals& removals, uint64_t runs) {
    uint32_t end = 0;
    for (uint64_t r = 0; r < runs && reader_.ok(); ++r) {
      const uint32_t from = ReadEnd(end, 0);
      Attribution::Removed removed;
      removed.end = end = ReadEnd(from, 1);
      removed.by_known = ReadFlag();
      if (removed.by_known) removed.by = reader_.ReadVarUint();
      removed.time = ReadTime();
      if (reader_.ok()) Attribution::Put(removals, from, removed);
    }
  }

  ByteReader reader_;
  const Limits& limits_;
  uint64_t runs_left_ = 0;
  int64_t time_ = 0;
};

absl::StatusOr<Attribution> Attribution::Decode(std::string_view bytes, const Limits& limits) {
  Attribution attribution;
  RM_RETURN_IF_ERROR(Reader(bytes, limits).Read(attribution));
  return attribution;
}

uint64_t Attribution::MemoryBytes() const {
  uint64_t bytes = sizeof(*this) + written_.capacity() * (sizeof(uint64_t) + sizeof(Written) + 1) +
                   removed_.capacity() * (sizeof(uint64_t) + sizeof(Removals) + 1);
  for (const auto& [client, written] : written_) {
    bytes += written.ends.capacity() * sizeof(uint32_t) + written.times.capacity() * sizeof(int64_t);
  }
  // Nodes of a B-tree are at least half full.
  for (const auto& [client, removals] : removed_) bytes += removals.size() * sizeof(Removals::value_type) * 3 / 2;
  return bytes;
}

}  // namespace rivermeet::crdt
