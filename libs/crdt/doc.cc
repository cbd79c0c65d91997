#include "crdt/doc.h"

#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/internal/encoding.h"
#include "crdt/internal/integration.h"
#include "crdt/internal/reading.h"
#include "crdt/internal/session.h"
#include "crdt/internal/utf.h"
#include "crdt/update.h"
#include "fmt/format.h"

namespace rivermeet::crdt {

using internal::ColumnsV1;
using internal::ColumnsV2;
using internal::Pending;
using internal::Session;
using internal::Transaction;
using internal::WireId;

namespace {

// Updates that this library wrote itself: nothing of them can be refused.
Limits NoLimits() {
  Limits limits;
  limits.max_update_bytes = limits.max_structs = limits.max_clients = limits.max_document_bytes = ~uint64_t{0};
  return limits;
}

std::string Merged(std::string_view a, std::string_view b, Format format) {
  const std::string_view updates[] = {a, b};
  absl::StatusOr<std::string> merged = MergeUpdates(updates, format, NoLimits());
  RM_CHECK_OK(merged.status());
  return *std::move(merged);
}

}  // namespace

Doc::Doc(const DocOptions& options)
    : session_(std::make_unique<Session>(options.client_id, options.gc, options.limits)) {}
Doc::Doc(Doc&&) noexcept = default;
Doc& Doc::operator=(Doc&&) noexcept = default;
Doc::~Doc() = default;

absl::Status Doc::Apply(std::string_view update, Format format) {
  absl::Status applied;
  session_->transactor.Run(/*local=*/false, [&](Transaction& transaction) {
    transaction.local = false;
    applied = ApplyOne(transaction, update, format);
  });
  return applied;
}

absl::Status Doc::ApplyAll(absl::Span<const EncodedUpdate> updates) {
  absl::Status applied;
  session_->transactor.Run(/*local=*/false, [&](Transaction& transaction) {
    transaction.local = false;
    for (size_t i = 0; i < updates.size() && applied.ok(); ++i) {
      applied = ApplyOne(transaction, updates[i].bytes, updates[i].format);
      if (!applied.ok()) applied = Annotate(applied, fmt::format("update {}", i));
    }
  });
  return applied;
}

absl::Status Doc::ApplyOne(Transaction& transaction, std::string_view update, Format format) {
  return format == Format::kV1 ? ApplyChecked<ColumnsV1>(transaction, update)
                               : ApplyChecked<ColumnsV2>(transaction, update);
}

template <class Columns>
absl::Status Doc::ApplyChecked(Transaction& transaction, std::string_view update) {
  internal::Document& document = session_->document;
  internal::UpdateApplier<Columns> applier(document, transaction, update, session_->limits);
  RM_RETURN_IF_ERROR(applier.Check());
  Pending& pending = document.pending;
  Pending rest;
  applier.ApplyStructs(rest);
  bool retry = false;
  if (pending.structs.empty()) {
    pending.structs = std::move(rest.structs);
    pending.missing = std::move(rest.missing);
  } else {
    if (!rest.structs.empty()) {
      pending.structs = Merged(pending.structs, rest.structs, Format::kV2);
      for (const auto& [client, clock] : rest.missing) {
        const auto [least, made] = pending.missing.try_emplace(client, clock);
        if (!made && clock < least->second) least->second = clock;
      }
    }
    for (const auto& [client, clock] : pending.missing) retry |= document.structs.StateOf(client) >= clock;
  }
  std::string unknown;
  applier.ApplyDeletes(unknown);
  RetryPendingDeletes(transaction, unknown);
  if (!retry) return absl::OkStatus();
  const std::string again = std::exchange(pending.structs, {});
  pending.missing.clear();
  return ApplyChecked<ColumnsV2>(transaction, again);
}

void Doc::RetryPendingDeletes(Transaction& transaction, std::string& unknown) {
  std::string& pending = session_->document.pending.deletes;
  if (!pending.empty()) {
    internal::UpdateApplier<ColumnsV2> applier(session_->document, transaction, pending, session_->limits);
    std::string still;
    if (applier.Check().ok()) applier.ApplyDeletes(still);
    if (unknown.empty()) {
      unknown = std::move(still);
    } else if (!still.empty()) {
      unknown = Merged(unknown, still, Format::kV2);
    }
  }
  pending = std::move(unknown);
}

void Doc::OnUpdate(Format format, UpdateListener listener) {
  session_->update_listeners.emplace_back(format, std::move(listener));
  session_->transactor.hooks.done = [session = session_.get()](Transaction& transaction) {
    session->TellListeners(transaction);
  };
}

void internal::Session::TellListeners(const Transaction& transaction) const {
  for (const Format format : {Format::kV1, Format::kV2}) {
    std::string update;
    for (const auto& [wanted, listener] : update_listeners) {
      if (wanted != format) continue;
      if (update.empty()) update = EncodeTransaction(document, transaction, format);
      if (!update.empty()) listener(update);
    }
  }
}

std::string Doc::EncodeState(Format format) const { return *EncodeStateSince(format, std::string_view("\0", 1)); }

absl::StatusOr<std::string> Doc::EncodeStateSince(Format format, std::string_view since) const {
  RM_ASSIGN_OR_RETURN(const std::vector<WireId> known, internal::ReadStateVector(since, session_->limits));
  std::string state = internal::EncodeStructsAndDeletes(session_->document, format, known);
  const Pending& pending = session_->document.pending;
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

std::string Doc::EncodeStateVector() const {
  return internal::WriteStateVector(internal::StateVectorOf(session_->document));
}

std::string Doc::EncodeSnapshot(Format format) const {
  const auto deletes = internal::DeleteSetOf(session_->document);
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

absl::StatusOr<SharedType> Doc::GetRoot(std::string_view name, SharedKind kind) {
  internal::Document& document = session_->document;
  const internal::TypeIndex number = document.Root(name);
  internal::Type& type = document.types[number];
  const auto wanted = static_cast<internal::TypeKind>(kind);
  if (type.kind == internal::TypeKind::kUntyped) {
    type.kind = wanted;
    // As in yjs, formats from before go unnoticed until another comes.
    const bool text = kind == SharedKind::kText || kind == SharedKind::kXmlText;
    if (text && document.Index(number).total().formats > 0) type.markers = std::make_unique<internal::SearchMarkers>();
    type.has_formatting = false;
  }
  if (type.kind != wanted) {
    return absl::FailedPreconditionError(fmt::format("the root \"{}\" is of another kind already", name));
  }
  return internal::MakeHandle(*session_, number);
}

absl::StatusOr<Text> Doc::GetText(std::string_view name) {
  RM_ASSIGN_OR_RETURN(const SharedType root, GetRoot(name, SharedKind::kText));
  return root.AsText();
}

absl::StatusOr<List> Doc::GetArray(std::string_view name) {
  RM_ASSIGN_OR_RETURN(const SharedType root, GetRoot(name, SharedKind::kArray));
  return root.AsList();
}

absl::StatusOr<Map> Doc::GetMap(std::string_view name) {
  RM_ASSIGN_OR_RETURN(const SharedType root, GetRoot(name, SharedKind::kMap));
  return root.AsMap();
}

std::optional<SharedType> Doc::FindRoot(std::string_view name) const {
  if (!session_->document.HasRoot(name)) return std::nullopt;
  return internal::MakeHandle(*session_, session_->document.Root(name));
}

absl::StatusOr<std::string> Doc::ToJson(BigInts bigints) const {
  std::string json;
  RM_RETURN_IF_ERROR(internal::AppendRootsJson(session_->document, bigints, json));
  return json;
}

void Doc::Transact(absl::FunctionRef<void()> edit) {
  session_->transactor.Run(/*local=*/true, [&](Transaction&) { edit(); });
}

uint64_t Doc::client_id() const { return session_->transactor.client(); }

bool Doc::HasPending() const {
  return !session_->document.pending.structs.empty() || !session_->document.pending.deletes.empty();
}
uint64_t Doc::MemoryBytes() const { return session_->document.bytes(); }
uint64_t Doc::StructCount() const { return session_->document.items.live(); }

}  // namespace rivermeet::crdt
