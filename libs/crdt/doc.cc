#include "crdt/doc.h"

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/internal/integrate/intake.h"
#include "crdt/internal/read/reading.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/encoding.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/update.h"
#include "fmt/format.h"

namespace rivermeet::crdt {

using internal::FieldsV1;
using internal::FieldsV2;
using internal::NoLimits;
using internal::Pending;
using internal::Session;
using internal::Transaction;

namespace {

template <class Fields>
absl::Status TakeIn(Session& session, Transaction& transaction, std::string_view update) {
  internal::Intake<Fields> intake(session.document, transaction, update, session.limits, session.transactor.client());
  internal::Budget unlimited = internal::Budget::Unlimited();
  intake.Step(unlimited);
  return intake.status();
}

absl::Status TakeIn(Session& session, Transaction& transaction, std::string_view update, UpdateFormat format) {
  session.edit_room.Forget();
  return format == UpdateFormat::kV1 ? TakeIn<FieldsV1>(session, transaction, update)
                                     : TakeIn<FieldsV2>(session, transaction, update);
}

}  // namespace

Doc::Doc(const DocOptions& options)
    : session_(std::make_unique<Session>(options.client_id, options.gc, options.limits)) {
  RM_CHECK(client_id() <= internal::kMaxInteger);
}
Doc::Doc(Doc&&) noexcept = default;
Doc& Doc::operator=(Doc&&) noexcept = default;
Doc::~Doc() = default;

absl::Status Doc::Apply(std::string_view update, UpdateFormat format, std::string_view origin) {
  absl::Status applied;
  session_->transactor.Run(/*local=*/false, {origin}, [&](Transaction& transaction) {
    transaction.local = false;
    applied = TakeIn(*session_, transaction, update, format);
  });
  return applied;
}

absl::Status Doc::ApplyAll(absl::Span<const EncodedUpdate> updates, std::string_view origin, size_t* applied) {
  absl::Status status;
  size_t done = 0;
  session_->transactor.Run(/*local=*/false, {origin}, [&](Transaction& transaction) {
    transaction.local = false;
    for (; done < updates.size(); ++done) {
      status = TakeIn(*session_, transaction, updates[done].bytes, updates[done].format);
      if (!status.ok()) break;
    }
  });
  if (applied != nullptr) *applied = done;
  return status.ok() ? status : Annotate(status, fmt::format("update {}", done));
}

Subscription Doc::OnUpdate(UpdateFormat format, UpdateListener listener) {
  ListenToEnds();
  return session_->update_listeners[format == UpdateFormat::kV2].Add(std::move(listener));
}

Subscription Doc::OnSubdocuments(SubdocumentsListener listener) {
  ListenToEnds();
  return session_->subdocument_listeners.Add(std::move(listener));
}

void Doc::ListenToEnds() {
  session_->transactor.hooks.done = [session = session_.get()](Transaction& transaction) {
    session->TellListeners(transaction);
    session->TellSubdocuments(transaction);
  };
}

std::vector<Subdocument> Doc::Subdocuments() const {
  std::vector<Subdocument> present;
  for (const internal::SubdocumentState& document : session_->document.subdocuments) {
    if (document.present) present.push_back({document.guid, Any::DecodeTrusted(document.options)});
  }
  return present;
}

void Doc::LoadSubdocument(std::string_view guid) {
  internal::Document& document = session_->document;
  session_->transactor.Run(/*local=*/true, [&](Transaction& transaction) {
    for (uint32_t number = 0; number < document.subdocuments.size(); ++number) {
      const internal::SubdocumentState& subdocument = document.subdocuments[number];
      if (subdocument.present && subdocument.guid == guid) document.LoadSubdocument(transaction, number);
    }
  });
}

void internal::Session::TellSubdocuments(const Transaction& transaction) {
  if (subdocument_listeners.empty()) {
    document.ForgetSubdocuments(transaction);
    return;
  }
  SubdocumentsEvent event;
  const auto tell = [&](const std::vector<uint32_t>& numbers, std::vector<crdt::Subdocument>& to) {
    for (const uint32_t number : numbers) {
      if (number == internal::kNoSubdocument) continue;
      to.push_back({document.subdocuments[number].guid, Any::DecodeTrusted(document.subdocuments[number].options)});
    }
  };
  tell(transaction.subdocuments_added, event.added);
  tell(transaction.subdocuments_removed, event.removed);
  tell(transaction.subdocuments_loaded, event.loaded);
  if (event.added.empty() && event.removed.empty() && event.loaded.empty()) return;
  subdocument_listeners.Tell(event);
  for (const uint32_t number : std::vector<uint32_t>(transaction.subdocuments_removed)) {
    if (std::exchange(document.subdocuments[number].destroyed, true)) {
      document.ForgetSubdocument(number);
      continue;
    }
    transactor.Run(/*local=*/true,
                   [number](Transaction& destroying) { destroying.subdocuments_removed.push_back(number); });
  }
}

internal::Session& internal::HandleAccess::SessionOf(const Doc& doc) { return *doc.session_; }

void internal::Session::TellListeners(const Transaction& transaction) {
  constexpr size_t kKept = 4096;
  if (!transaction.has_changes()) return;
  const auto& [of_v1, of_v2] = update_listeners;
  if (!of_v1.empty()) {
    writer_.rest().clear();
    WriteTransaction(document, transaction, writer_);
    of_v1.Tell(writer_.rest(), transaction.origin().name);
    if (writer_.rest().capacity() > kKept) writer_ = WriterV1();
  }
  if (!of_v2.empty()) {
    WriterV2 writer;
    WriteTransaction(document, transaction, writer);
    of_v2.Tell(writer.Take(), transaction.origin().name);
  }
}

std::string Doc::EncodeState(UpdateFormat format) const { return *EncodeStateSince(format, std::string_view("\0", 1)); }

absl::StatusOr<std::string> Doc::EncodeStateSince(UpdateFormat format, std::string_view since) const {
  RM_ASSIGN_OR_RETURN(const std::vector<ClientState> known, internal::ReadStateVector(since, session_->limits));
  std::string state = internal::EncodeStructsAndDeletes(session_->document, format, known);
  const Pending& pending = session_->document.pending;
  if (pending.empty()) return state;
  const auto converted = [&](std::string_view update) {
    absl::StatusOr<std::string> in_format = ConvertUpdate(update, UpdateFormat::kV2, format, NoLimits());
    RM_CHECK_OK(in_format.status());
    return *std::move(in_format);
  };
  std::vector<std::string> updates = {std::move(state)};
  if (!pending.deletes.empty()) updates.push_back(converted(pending.deletes.Encode()));
  if (!pending.structs.empty()) {
    absl::StatusOr<std::string> difference = DiffUpdate(pending.structs.Encode(), since, UpdateFormat::kV2, NoLimits());
    RM_CHECK_OK(difference.status());
    updates.push_back(converted(*difference));
  }
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  return MergeUpdates(views, format, NoLimits());
}

std::string Doc::EncodeStateVector() const {
  return internal::WriteStateVectorAsIs(internal::StateVectorOf(session_->document));
}

std::string Doc::EncodeSnapshot(UpdateFormat format) const { return TakeSnapshot().Encode(format); }

namespace {

std::string_view KindName(SharedKind kind) {
  switch (kind) {
    case SharedKind::kArray:
      return "an array";
    case SharedKind::kMap:
      return "a map";
    case SharedKind::kText:
      return "a text";
    case SharedKind::kXmlElement:
      return "an XML element";
    case SharedKind::kXmlFragment:
      return "an XML fragment";
    case SharedKind::kXmlHook:
      return "an XML hook";
    case SharedKind::kXmlText:
      return "an XML text";
  }
  return "of no kind";
}

}  // namespace

absl::StatusOr<SharedType> Doc::GetRoot(std::string_view name, SharedKind kind) {
  internal::Document& document = session_->document;
  RM_RETURN_IF_ERROR(internal::CheckText(name, "a root's name"));
  if (!document.HasRoot(name)) {
    RM_RETURN_IF_ERROR(internal::CheckRoom(document, session_->limits, {.types = 1, .names = 1, .bytes = name.size()}));
    session_->edit_room.Forget();
  }
  const internal::TypeIndex number = document.Root(name);
  internal::Type& type = document.types[number];
  const auto wanted = static_cast<internal::TypeKind>(kind);
  if (type.kind == internal::TypeKind::kUntyped) {
    type.kind = wanted;
    // As in yjs, formats from before go unnoticed until another comes.
    if (document.ShowsMarkers(number)) type.markers = std::make_unique<internal::SearchMarkers>();
    type.has_formatting = false;
  }
  if (type.kind != wanted) {
    return absl::FailedPreconditionError(fmt::format("the root \"{}\" is {} already, and can't be {}", name,
                                                     KindName(static_cast<SharedKind>(type.kind)), KindName(kind)));
  }
  return internal::HandleAccess::Make(*session_, number);
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
  return internal::HandleAccess::Make(*session_, session_->document.Root(name));
}

absl::StatusOr<std::string> Doc::ToJson(BigInts bigints) const {
  std::string json;
  RM_RETURN_IF_ERROR(internal::AppendRootsJson(session_->document, bigints, json));
  return json;
}

void internal::Session::Transact(absl::FunctionRef<void()> edit, std::string_view origin) {
  transactor.Run(/*local=*/true, {origin}, [&](Transaction& transaction) {
    transaction.observed = transaction.keeps_deleted = true;  // whatever `edit` does before it comes to observe
    edit();
  });
}

void Doc::Transact(absl::FunctionRef<void()> edit, std::string_view origin) {
  std::exception_ptr thrown;
  const auto catching = [&] {
    try {
      edit();
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  session_->Transact(catching, origin);
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

uint64_t Doc::client_id() const { return session_->transactor.client(); }

void Doc::KeepAttribution(Attribution known) {
  session_->document.attribution = std::make_unique<Attribution>(std::move(known));
}

void Doc::AttributeTo(std::optional<uint64_t> deleting_client, std::optional<absl::Time> time) {
  session_->document.attributed_to = {deleting_client, time};
}

const Attribution* Doc::attribution() const { return session_->document.attribution.get(); }

bool Doc::HasPending() const { return !session_->document.pending.empty(); }
uint64_t Doc::MemoryBytes() const { return session_->document.bytes(); }
uint64_t Doc::StructCount() const { return session_->document.items.live(); }

}  // namespace rivermeet::crdt
