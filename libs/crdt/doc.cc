#include "crdt/doc.h"

#include <limits>
#include <random>
#include <utility>

#include "base/status.h"
#include "crdt/internal/encoding.h"
#include "crdt/internal/integration.h"
#include "crdt/internal/utf.h"
#include "crdt/update.h"
#include "fmt/format.h"

namespace rivermeet::crdt {

using internal::ColumnsV1;
using internal::ColumnsV2;
using internal::Pending;
using internal::WireId;

namespace {

uint64_t RandomClient() {
  std::random_device random;
  return random();
}

// Updates that this library wrote itself: nothing of them can be refused.
Limits NoLimits() {
  Limits limits;
  limits.max_update_bytes = limits.max_structs = limits.max_clients = limits.max_document_bytes = ~uint64_t{0};
  limits.max_depth = std::numeric_limits<int>::max();
  return limits;
}

char16_t UnitAt(std::string_view text, uint64_t unit) {
  std::string slice;
  internal::AppendSlice(text, unit, unit + 1, slice);
  if (slice.size() == 1) return static_cast<uint8_t>(slice[0]);
  if (slice.size() == 2) return static_cast<char16_t>((slice[0] & 0x1f) << 6 | (slice[1] & 0x3f));
  return static_cast<char16_t>((slice[0] & 0x0f) << 12 | (slice[1] & 0x3f) << 6 | (slice[2] & 0x3f));
}

std::string Merged(std::string_view a, std::string_view b, Format format) {
  const std::string_view updates[] = {a, b};
  absl::StatusOr<std::string> merged = MergeUpdates(updates, format, NoLimits());
  RM_CHECK_OK(merged.status());
  return *std::move(merged);
}

void CountStructs(Pending& pending) {
  pending.struct_count = pending.client_count = 0;
  if (pending.structs.empty()) return;
  const Limits limits = NoLimits();
  internal::UpdateReaderV2 reader(pending.structs, limits);
  internal::WireStruct item;
  for (uint64_t blocks = reader.ReadCount(); blocks > 0; --blocks) {
    const auto block = reader.ReadBlock();
    ++pending.client_count;
    pending.struct_count += block.structs;
    uint64_t clock = block.clock;
    for (uint64_t s = 0; s < block.structs; ++s, clock = item.end_clock()) reader.ReadStruct(block.client, clock, item);
  }
}

void CountDeletes(Pending& pending) {
  pending.delete_count = 0;
  if (pending.deletes.empty()) return;
  const Limits limits = NoLimits();
  internal::UpdateReaderV2 reader(pending.deletes, limits);
  reader.ReadCount();  // no structs
  reader.ReadDeletes([&](uint64_t, uint64_t, uint64_t) { ++pending.delete_count; });
}

}  // namespace

Doc::Doc(const DocOptions& options) : options_(options), document_(std::make_unique<internal::Document>(options.gc)) {
  if (options_.client_id == 0) options_.client_id = RandomClient();
}
Doc::Doc(Doc&&) noexcept = default;
Doc& Doc::operator=(Doc&&) noexcept = default;
Doc::~Doc() = default;

absl::Status Doc::Apply(std::string_view update, Format format) {
  document_->Begin(/*local=*/false);
  const absl::Status applied = ApplyOne(update, format);
  document_->Commit();
  return applied;
}

absl::Status Doc::ApplyAll(absl::Span<const std::string_view> updates, Format format) {
  document_->Begin(/*local=*/false);
  absl::Status applied;
  for (size_t i = 0; i < updates.size() && applied.ok(); ++i) {
    applied = ApplyOne(updates[i], format);
    if (!applied.ok()) applied = Annotate(applied, fmt::format("update {}", i));
  }
  document_->Commit();
  return applied;
}

absl::Status Doc::ApplyOne(std::string_view update, Format format) {
  return format == Format::kV1 ? CheckAndTake<ColumnsV1>(update) : CheckAndTake<ColumnsV2>(update);
}

template <class Columns>
absl::Status Doc::CheckAndTake(std::string_view update) {
  internal::UpdateApplier<Columns> applier(*document_, update, options_.limits);
  RM_RETURN_IF_ERROR(applier.Check());
  if (Take(applier)) {
    const Limits limits = NoLimits();
    const std::string again = std::exchange(document_->pending.structs, {});
    document_->pending.missing.clear();
    internal::UpdateApplier<ColumnsV2> retry(*document_, again, limits);
    retry.CheckPending();
    Take(retry);
  }
  return absl::OkStatus();
}

// True when what was pending before may have become possible.
template <class Columns>
bool Doc::Take(internal::UpdateApplier<Columns>& applier) {
  Pending& pending = document_->pending;
  Pending rest;
  applier.ApplyStructs(rest);
  bool retry = false;
  if (pending.structs.empty()) {
    pending.structs = std::move(rest.structs);
    pending.missing = std::move(rest.missing);
    CountStructs(pending);
  } else {
    if (!rest.structs.empty()) {
      pending.structs = Merged(pending.structs, rest.structs, Format::kV2);
      CountStructs(pending);
      for (const auto& [client, clock] : rest.missing) {
        const auto [least, made] = pending.missing.try_emplace(client, clock);
        if (!made && clock < least->second) least->second = clock;
      }
    }
    for (const auto& [client, clock] : pending.missing) retry |= document_->structs.StateOf(client) >= clock;
  }
  std::string unknown;
  applier.ApplyDeletes(unknown);
  RetryPendingDeletes(unknown);
  return retry;
}

void Doc::RetryPendingDeletes(std::string& unknown) {
  std::string& pending = document_->pending.deletes;
  if (!pending.empty()) {
    const Limits limits = NoLimits();
    internal::UpdateApplier<ColumnsV2> applier(*document_, pending, limits);
    std::string still;
    applier.CheckPending();
    applier.ApplyDeletes(still);
    if (unknown.empty()) {
      unknown = std::move(still);
    } else if (!still.empty()) {
      unknown = Merged(unknown, still, Format::kV2);
    }
  }
  pending = std::move(unknown);
  CountDeletes(document_->pending);
}

std::string Doc::LastUpdate(Format format) const { return EncodeTransaction(*document_, format); }

std::string Doc::EncodeState(Format format) const { return *EncodeStateSince(format, std::string_view("\0", 1)); }

absl::StatusOr<std::string> Doc::EncodeStateSince(Format format, std::string_view since) const {
  RM_ASSIGN_OR_RETURN(const std::vector<WireId> known, internal::ReadStateVector(since, options_.limits));
  std::string state = internal::EncodeStructsAndDeletes(*document_, format, known);
  const Pending& pending = document_->pending;
  if (pending.deletes.empty() && pending.structs.empty()) return state;
  const auto converted = [&](std::string_view update) {
    absl::StatusOr<std::string> in_format = ConvertUpdate(update, Format::kV2, format, NoLimits());
    RM_CHECK_OK(in_format.status());
    return *std::move(in_format);
  };
  std::vector<std::string> updates = {std::move(state)};
  if (!pending.deletes.empty()) updates.push_back(converted(pending.deletes));
  if (!pending.structs.empty()) {
    absl::StatusOr<std::string> difference = DiffUpdate(pending.structs, since, Format::kV2, NoLimits());
    RM_CHECK_OK(difference.status());
    updates.push_back(converted(*difference));
  }
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  return MergeUpdates(views, format, NoLimits());
}

std::string Doc::EncodeStateVector() const { return internal::WriteStateVector(internal::StateVectorOf(*document_)); }

std::string Doc::EncodeSnapshot(Format format) const {
  const auto deletes = internal::DeleteSetOf(*document_);
  std::string snapshot;
  if (format == Format::kV1) {
    internal::WriterV1 writer;
    WriteDeleteSet(writer, deletes);
    snapshot = writer.TakeRest();
  } else {
    internal::WriterV2 writer;
    WriteDeleteSet(writer, deletes);
    snapshot = writer.TakeRest();
  }
  return snapshot + EncodeStateVector();
}

absl::Status Doc::DefineRoot(std::string_view name, RootKind kind) {
  internal::Type& type = document_->types[document_->Root(name)];
  const auto wanted = static_cast<internal::TypeKind>(kind);
  if (type.kind == wanted) return absl::OkStatus();
  if (type.kind != internal::TypeKind::kUntyped) {
    return absl::FailedPreconditionError(fmt::format("the root \"{}\" is of another kind already", name));
  }
  type.kind = wanted;
  type.has_formatting = false;  // as in yjs: formats from before go unnoticed until another comes
  return absl::OkStatus();
}

std::string Doc::RootText(std::string_view name) const {
  std::string text;
  if (!document_->HasRoot(name)) return text;
  const auto& items = document_->items;
  for (internal::ItemRef ref = document_->types[document_->Root(name)].start; ref != internal::kNoItem;
       ref = items[ref].right) {
    if (items[ref].visible() && items[ref].kind == internal::ContentKind::kString)
      internal::AppendJoined(items[ref].bytes(), text);
  }
  return text;
}

uint64_t Doc::RootLength(std::string_view name) const {
  return document_->HasRoot(name) ? document_->types[document_->Root(name)].length : 0;
}

char16_t Doc::RootUnitAt(std::string_view name, uint64_t index) {
  if (index >= RootLength(name)) return 0;
  const internal::PositionIndex::Place place =
      document_->Index(document_->Root(name)).Find(static_cast<uint32_t>(index));
  if (place.item == internal::kNoItem) return 0;
  const internal::Item& item = document_->items[place.item];
  return item.kind == internal::ContentKind::kString ? UnitAt(item.bytes(), index - place.before.units) : 0;
}

bool Doc::HasPending() const { return !document_->pending.structs.empty() || !document_->pending.deletes.empty(); }
uint64_t Doc::MemoryBytes() const { return document_->bytes(); }
uint64_t Doc::StructCount() const { return document_->items.live(); }

}  // namespace rivermeet::crdt
