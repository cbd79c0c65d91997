#include "crdt/snapshot.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "crdt/doc.h"
#include "crdt/doc_loader.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/encoding.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/internal/wire/update_writer.h"
#include "fmt/format.h"

namespace rivermeet::crdt {

using internal::ByteReader;
using internal::FieldsV1;
using internal::FieldsV2;
using internal::kMaxInteger;
using internal::StructStream;
using internal::Transaction;
using internal::UpdateReader;
using internal::WireDeleteSet;
using internal::WireStruct;

namespace {

constexpr char kTwice[] = "a client comes twice";
constexpr char kTooMany[] = "a snapshot has more clients or ranges than a limit";

// What is wrong with `ranges`; null when they are in order and apart, or touch.
const char* RangesError(const std::vector<ClockRange>& ranges) {
  uint64_t end = 0;
  for (const ClockRange& range : ranges) {
    if (range.length == 0) return "a deleted range has no length";
    if (range.clock > kMaxInteger || range.length > kMaxInteger - range.clock) return "a clock is over 2^53 - 1";
    if (range.clock < end) return "deleted ranges are out of order or overlap";
    end = range.clock + range.length;
  }
  return ranges.empty() ? "a client without a deleted range" : nullptr;
}

// Of one snapshot. A limit that is passed is an error of the reader, at the place where the count stands.
class SnapshotReader {
 public:
  SnapshotReader(std::string_view bytes, UpdateFormat format, const Limits& limits)
      : reader_(bytes), v2_(format == UpdateFormat::kV2), limits_(limits) {}

  absl::Status Read(std::vector<ClientState>& states, std::vector<Snapshot::Deleted>& deletes) {
    if (reader_.remaining() > limits_.max_update_bytes) {
      return absl::ResourceExhaustedError("a snapshot is longer than max_update_bytes");
    }
    ReadDeletes(deletes);
    ReadStates(states);
    if (reader_.ok() && !reader_.AtEnd()) reader_.Fail("bytes are left after the snapshot's end");
    return reader_.status(/*is_limit=*/reader_.error() == kTooMany);
  }

 private:
  void ReadDeletes(std::vector<Snapshot::Deleted>& deletes) {
    absl::flat_hash_set<uint64_t> seen;
    uint64_t ranges_left = limits_.max_structs;
    const uint64_t clients = reader_.ReadCount(limits_.max_clients, kTooMany);
    for (uint64_t c = 0; c < clients && reader_.ok(); ++c) {
      const size_t at = reader_.offset();
      Snapshot::Deleted deleted;
      deleted.client = reader_.ReadVarUint();
      if (!seen.insert(deleted.client).second) reader_.FailAt(at, kTwice);
      const uint64_t ranges = reader_.ReadCount(ranges_left, kTooMany);
      ranges_left -= ranges;
      ReadRanges(ranges, deleted.ranges);
      if (!deleted.ranges.empty()) deletes.push_back(std::move(deleted));
    }
  }

  void ReadRanges(uint64_t count, std::vector<ClockRange>& ranges) {
    uint64_t end = 0;
    for (uint64_t r = 0; r < count && reader_.ok(); ++r) {
      const size_t at = reader_.offset();
      // In V2 a clock counts from the end of the range before, a length from 1.
      const uint64_t clock = reader_.ReadVarUint() + (v2_ ? end : 0);
      const uint64_t length = reader_.ReadVarUint() + (v2_ ? 1 : 0);
      if (length == 0) reader_.FailAt(at, "a deleted range has no length");
      if (clock > kMaxInteger || length > kMaxInteger - clock) reader_.FailAt(at, "a clock is over 2^53 - 1");
      if (clock < end) reader_.FailAt(at, "deleted ranges are out of order or overlap");
      ranges.push_back({clock, length});
      end = clock + length;
    }
  }

  void ReadStates(std::vector<ClientState>& states) {
    absl::flat_hash_set<uint64_t> seen;
    const uint64_t count = reader_.ReadCount(limits_.max_clients, kTooMany);
    for (uint64_t i = 0; i < count && reader_.ok(); ++i) {
      const size_t at = reader_.offset();
      const uint64_t client = reader_.ReadVarUint();
      if (!seen.insert(client).second) reader_.FailAt(at, kTwice);
      states.push_back({client, reader_.ReadVarUint()});
    }
  }

  ByteReader reader_;
  const bool v2_;
  const Limits& limits_;
};

WireDeleteSet ToWire(const std::vector<Snapshot::Deleted>& deletes) {
  WireDeleteSet wire;
  for (const Snapshot::Deleted& deleted : deletes) wire.RangesOf(deleted.client) = deleted.ranges;
  return wire;
}

// Whether `update` has nothing past `known` and deletes nothing but what `deletes` has.
template <class Fields>
absl::StatusOr<bool> Contains(const absl::flat_hash_map<uint64_t, uint64_t>& known, const WireDeleteSet& deletes,
                              std::string_view update, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  bool contained = true;
  for (WireStruct item; stream.Next(item);) {
    const auto state = known.find(item.id.client);
    if (item.end_clock() > (state == known.end() ? 0 : state->second)) contained = false;
  }
  UpdateReader<Fields>& reader = stream.reader();
  WireDeleteSet merged = deletes;
  reader.ReadDeleteSet(merged);
  reader.Finish();
  RM_RETURN_IF_ERROR(reader.status());
  merged.SortAndMerge();
  return contained && merged.clients == deletes.clients;
}

}  // namespace

absl::StatusOr<Snapshot> Snapshot::Make(std::vector<ClientState> states, std::vector<Deleted> deletes) {
  absl::flat_hash_set<uint64_t> seen;
  for (const ClientState& state : states) {
    if (!seen.insert(state.client).second) return absl::InvalidArgumentError(kTwice);
    if (state.client > kMaxInteger || state.clock > kMaxInteger) {
      return absl::InvalidArgumentError("a client or clock is over 2^53 - 1");
    }
  }
  seen.clear();
  for (const Deleted& deleted : deletes) {
    if (!seen.insert(deleted.client).second) return absl::InvalidArgumentError(kTwice);
    if (deleted.client > kMaxInteger) return absl::InvalidArgumentError("a client or clock is over 2^53 - 1");
    if (const char* error = RangesError(deleted.ranges); error != nullptr) return absl::InvalidArgumentError(error);
  }
  Snapshot snapshot;
  snapshot.states_ = std::move(states);
  snapshot.deletes_ = std::move(deletes);
  return snapshot;
}

absl::StatusOr<Snapshot> Snapshot::Decode(std::string_view bytes, UpdateFormat format, const Limits& limits) {
  Snapshot snapshot;
  RM_RETURN_IF_ERROR(SnapshotReader(bytes, format, limits).Read(snapshot.states_, snapshot.deletes_));
  return snapshot;
}

std::string Snapshot::Encode(UpdateFormat format) const {
  const WireDeleteSet deletes = ToWire(deletes_);
  std::string bytes;
  if (format == UpdateFormat::kV1) {
    internal::WriterV1 writer;
    WriteDeleteSet(writer, deletes);
    bytes = writer.TakeRest();
  } else {
    internal::WriterV2 writer;
    WriteDeleteSet(writer, deletes);
    bytes = writer.TakeRest();
  }
  return bytes + internal::WriteStateVector(states_);
}

bool Snapshot::operator==(const Snapshot& other) const {
  if (states_.size() != other.states_.size() || deletes_.size() != other.deletes_.size()) return false;
  absl::flat_hash_map<uint64_t, uint64_t> states;
  for (const ClientState& state : states_) states[state.client] = state.clock;
  for (const ClientState& state : other.states_) {
    const auto found = states.find(state.client);
    if (found == states.end() || found->second != state.clock) return false;
  }
  absl::flat_hash_map<uint64_t, const Deleted*> deletes;
  for (const Deleted& deleted : deletes_) deletes[deleted.client] = &deleted;
  for (const Deleted& deleted : other.deletes_) {
    const auto found = deletes.find(deleted.client);
    if (found == deletes.end() || found->second->ranges != deleted.ranges) return false;
  }
  return true;
}

absl::StatusOr<bool> Snapshot::ContainsUpdate(std::string_view update, UpdateFormat format,
                                              const Limits& limits) const {
  absl::flat_hash_map<uint64_t, uint64_t> known;
  for (const ClientState& state : states_) known[state.client] = state.clock;
  const WireDeleteSet deletes = ToWire(deletes_);
  return format == UpdateFormat::kV1 ? Contains<FieldsV1>(known, deletes, update, limits)
                                     : Contains<FieldsV2>(known, deletes, update, limits);
}

bool Snapshot::Knows(uint64_t client, uint64_t clock) const {
  return std::any_of(states_.begin(), states_.end(),
                     [&](const ClientState& state) { return state.client == client && clock < state.clock; });
}

bool Snapshot::Shows(uint64_t client, uint64_t clock) const {
  if (!Knows(client, clock)) return false;
  for (const Deleted& deleted : deletes_) {
    if (deleted.client != client) continue;
    return !internal::Hold(deleted.ranges, clock);
  }
  return true;
}

Snapshot Doc::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.states_ = internal::StateVectorOf(session_->document);
  for (auto& [client, ranges] : internal::DeleteSetOf(session_->document).clients) {
    snapshot.deletes_.push_back({client, std::move(ranges)});
  }
  return snapshot;
}

absl::StatusOr<Doc> Doc::RestoreSnapshot(const Snapshot& snapshot, const DocOptions& options) {
  internal::Document& document = session_->document;
  if (document.gc()) {
    return absl::FailedPreconditionError(
        "the document collects garbage: what was deleted can't be restored; keep it with gc = false");
  }
  absl::flat_hash_map<uint64_t, uint64_t> known;
  for (const ClientState& state : snapshot.states()) {
    if (state.clock > document.structs.StateOf(state.client)) {
      return absl::InvalidArgumentError(
          fmt::format("the snapshot is ahead of the document, which knows client {} up to {}, not {}", state.client,
                      document.structs.StateOf(state.client), state.clock));
    }
    known[state.client] = state.clock;
  }
  for (const Snapshot::Deleted& deleted : snapshot.deletes()) {
    if (deleted.ranges.back().clock + deleted.ranges.back().length > known[deleted.client]) {
      return absl::InvalidArgumentError(
          fmt::format("the snapshot deletes what it doesn't know of client {}", deleted.client));
    }
  }
  std::string update;
  session_->transactor.Run(/*local=*/true, [&](Transaction& transaction) {
    for (const ClientState& state : snapshot.states()) {
      const internal::ClientIndex client = document.structs.Find(state.client);
      if (state.clock == 0 || state.clock == document.structs[client].state) continue;
      document.items.Reserve(2);
      document.CleanStart(transaction, {client, static_cast<uint32_t>(state.clock)});
    }
    update = internal::EncodeUpTo(document, snapshot.states(), ToWire(snapshot.deletes()));
  });
  DocLoader loader(update, UpdateFormat::kV2, options);
  RM_RETURN_IF_ERROR(loader.Step(internal::Budget::kUnlimited).status());
  Doc restored = loader.Take();
  if (restored.HasPending()) {
    return absl::InvalidArgumentError(
        "the document never was as the snapshot says: of what it has, something it builds on is missing");
  }
  return restored;
}

}  // namespace rivermeet::crdt
