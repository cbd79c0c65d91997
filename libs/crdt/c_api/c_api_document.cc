// Documents of rivermeet_crdt.h.
#include <cstring>
#include <optional>

#include "base/status.h"
#include "crdt/c_api/c_api.h"
#include "crdt/internal/read/struct_dump.h"
#include "crdt/internal/session.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

rmcrdt_doc Share(Doc doc) { return {SharedDoc::Make(std::move(doc))}; }

absl::Status Taken() { return absl::FailedPreconditionError("the loader's document was taken"); }

rmcrdt_value ToValue(const std::vector<rivermeet::crdt::Subdocument>& documents) {
  Any::Array told;
  for (const rivermeet::crdt::Subdocument& document : documents) {
    told.emplace_back(Any::Object{{"guid", Any(document.guid)}, {"options", document.options}});
  }
  return {.value = Any(std::move(told))};
}

}  // namespace

extern "C" {

rmcrdt_code rmcrdt_options_init(rmcrdt_options* options, size_t struct_size) {
  return Try([&]() -> absl::Status {
    if (options == nullptr) return NullHandle();
    const Limits limits;
    rmcrdt_options defaults{};
    defaults.struct_size = struct_size;
    defaults.max_update_bytes = limits.max_update_bytes;
    defaults.max_structs = limits.max_structs;
    defaults.max_clients = limits.max_clients;
    defaults.max_depth = static_cast<uint32_t>(limits.max_depth);
    defaults.max_document_bytes = limits.max_document_bytes;
    defaults.max_repeats = limits.max_repeats;
    RM_RETURN_IF_ERROR(OptionsArgument(&defaults).status());
    std::memcpy(options, &defaults, struct_size);
    return absl::OkStatus();
  });
}

rmcrdt_doc* rmcrdt_doc_new(const rmcrdt_options* options) {
  return New([&]() -> absl::StatusOr<rmcrdt_doc> {
    RM_ASSIGN_OR_RETURN(const DocOptions read, OptionsArgument(options));
    return Share(Doc(read));
  });
}

void rmcrdt_doc_free(rmcrdt_doc* doc) { delete doc; }

uint64_t rmcrdt_doc_client_id(const rmcrdt_doc* doc) {
  return Ask(doc, uint64_t{0}, [&]() -> absl::StatusOr<uint64_t> { return doc->shared->doc.client_id(); });
}
bool rmcrdt_doc_has_pending(const rmcrdt_doc* doc) {
  return Ask(doc, false, [&]() -> absl::StatusOr<bool> { return doc->shared->doc.HasPending(); });
}
uint64_t rmcrdt_doc_memory_bytes(const rmcrdt_doc* doc) {
  return Ask(doc, uint64_t{0}, [&]() -> absl::StatusOr<uint64_t> { return doc->shared->doc.MemoryBytes(); });
}
uint64_t rmcrdt_doc_struct_count(const rmcrdt_doc* doc) {
  return Ask(doc, uint64_t{0}, [&]() -> absl::StatusOr<uint64_t> { return doc->shared->doc.StructCount(); });
}

rmcrdt_code rmcrdt_doc_apply(rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* update, size_t update_size,
                             const char* origin, size_t origin_size) {
  return TryOn(doc, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(update, update_size, "update"));
    RM_ASSIGN_OR_RETURN(const std::string_view from, BytesArgument(origin, origin_size, "origin"));
    return doc->shared->doc.Apply(bytes, encoded, from);
  });
}

rmcrdt_code rmcrdt_doc_apply_all(rmcrdt_doc* doc, rmcrdt_format format, const rmcrdt_view* updates, size_t count,
                                 const char* origin, size_t origin_size, size_t* applied) {
  if (applied != nullptr) *applied = 0;
  return TryOn(doc, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::vector<std::string_view> read, UpdatesArgument(updates, count));
    RM_ASSIGN_OR_RETURN(const std::string_view from, BytesArgument(origin, origin_size, "origin"));
    std::vector<EncodedUpdate> all;
    for (const std::string_view bytes : read) all.push_back({bytes, encoded});
    return doc->shared->doc.ApplyAll(all, from, applied);
  });
}

rmcrdt_buffer* rmcrdt_doc_encode_state(const rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* state_vector,
                                       size_t state_vector_size) {
  return BytesOn(doc, [&]() -> absl::StatusOr<std::string> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::string_view since, BytesArgument(state_vector, state_vector_size, "state_vector"));
    if (state_vector == nullptr) return doc->shared->doc.EncodeState(encoded);
    return doc->shared->doc.EncodeStateSince(encoded, since);
  });
}

rmcrdt_buffer* rmcrdt_doc_encode_state_vector(const rmcrdt_doc* doc) {
  return BytesOn(doc, [&]() -> absl::StatusOr<std::string> { return doc->shared->doc.EncodeStateVector(); });
}

rmcrdt_buffer* rmcrdt_doc_encode_snapshot(const rmcrdt_doc* doc, rmcrdt_format format) {
  return BytesOn(doc, [&]() -> absl::StatusOr<std::string> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    return doc->shared->doc.EncodeSnapshot(encoded);
  });
}

rmcrdt_buffer* rmcrdt_doc_dump_structs(const rmcrdt_doc* doc) {
  return BytesOn(doc, [&]() -> absl::StatusOr<std::string> {
    return DumpStructs(HandleAccess::SessionOf(doc->shared->doc).document);
  });
}

rmcrdt_doc* rmcrdt_doc_restore_snapshot(rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* snapshot,
                                        size_t snapshot_size, const rmcrdt_options* options) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_doc> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const DocOptions read, OptionsArgument(options));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(snapshot, snapshot_size, "snapshot"));
    RM_ASSIGN_OR_RETURN(const Snapshot version, Snapshot::Decode(bytes, encoded, read.limits));
    RM_ASSIGN_OR_RETURN(Doc restored, doc->shared->doc.RestoreSnapshot(version, read));
    return Share(std::move(restored));
  });
}

rmcrdt_buffer* rmcrdt_doc_to_json(const rmcrdt_doc* doc) {
  return BytesOn(doc, [&] { return doc->shared->doc.ToJson(); });
}

rmcrdt_code rmcrdt_doc_transact(rmcrdt_doc* doc, const char* origin, size_t origin_size, rmcrdt_edit_callback edit,
                                void* context) {
  return TryOn(doc, [&]() -> absl::Status {
    if (edit == nullptr) return NullCallback();
    RM_ASSIGN_OR_RETURN(const std::string_view from, BytesArgument(origin, origin_size, "origin"));
    SharedDoc& shared = *doc->shared;
    // Unlike Doc::Transact this doesn't end the transaction when `edit` loses the document, which would touch it.
    HandleAccess::SessionOf(shared.doc).Transact([&] { CallBack(shared, edit, context); }, from);
    return absl::OkStatus();
  });
}

rmcrdt_subscription* rmcrdt_doc_on_update(rmcrdt_doc* doc, rmcrdt_format format, rmcrdt_update_callback callback,
                                          void* context) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    SharedDoc& shared = *doc->shared;
    const auto tell = [&shared, callback, context](std::string_view update, std::string_view origin) {
      CallBack(shared, callback, context, reinterpret_cast<const uint8_t*>(update.data()), update.size(), origin.data(),
               origin.size());
    };
    return MakeSubscription(doc->shared, shared.doc.OnUpdate(encoded, tell));
  });
}

rmcrdt_subscription* rmcrdt_doc_on_transaction(rmcrdt_doc* doc, rmcrdt_transaction_callback callback, void* context) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    SharedDoc& shared = *doc->shared;
    const auto tell = [&shared, callback, context](const TransactionEvent& event) {
      CallBack(shared, callback, context, event.local);
    };
    return MakeSubscription(doc->shared, shared.doc.OnTransaction(tell));
  });
}

void rmcrdt_subscription_free(rmcrdt_subscription* subscription) {
  if (subscription != nullptr && !subscription->shared->lost) {
    // While callbacks are called this takes memory. Without it they end all the same, but stay in the document.
    Try([&] {
      for (Subscription& part : subscription->parts) part.Cancel();
      return absl::OkStatus();
    });
  }
  FreeOn(subscription, &SharedDoc::lost_subscriptions);
}

rmcrdt_value* rmcrdt_doc_subdocuments(const rmcrdt_doc* doc) {
  return NewReading(doc, [&]() -> absl::StatusOr<rmcrdt_value> { return ToValue(doc->shared->doc.Subdocuments()); });
}

rmcrdt_code rmcrdt_doc_load_subdocument(rmcrdt_doc* doc, const char* guid, size_t guid_size) {
  return TryOn(doc, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::string_view wanted, TextArgument(guid, guid_size, "the document's guid"));
    doc->shared->doc.LoadSubdocument(wanted);
    return absl::OkStatus();
  });
}

rmcrdt_subscription* rmcrdt_doc_on_subdocuments(rmcrdt_doc* doc, rmcrdt_subdocuments_callback callback, void* context) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    SharedDoc& shared = *doc->shared;
    const auto tell = [&shared, callback, context](const SubdocumentsEvent& event) {
      const rmcrdt_value added = ToValue(event.added), removed = ToValue(event.removed), loaded = ToValue(event.loaded);
      CallBack(shared, callback, context, &added, &removed, &loaded);
    };
    return MakeSubscription(doc->shared, shared.doc.OnSubdocuments(tell));
  });
}

rmcrdt_loader* rmcrdt_loader_new(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                 const rmcrdt_options* options) {
  return New([&]() -> absl::StatusOr<rmcrdt_loader> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(update, update_size, "update"));
    RM_ASSIGN_OR_RETURN(const DocOptions read, OptionsArgument(options));
    rmcrdt_loader loader{SharedDoc::Make(Doc(read))};
    loader.shared->loader = std::make_unique<DocLoader>(bytes, encoded, read);
    return loader;
  });
}

void rmcrdt_loader_free(rmcrdt_loader* loader) { delete loader; }

rmcrdt_code rmcrdt_loader_step(rmcrdt_loader* loader, uint64_t work, bool* done) {
  return TryOn(loader, [&]() -> absl::Status {
    if (done == nullptr) return NullHandle();
    if (loader->shared == nullptr) return Taken();
    DocLoader& inside = *loader->shared->loader;
    RM_ASSIGN_OR_RETURN(loader->done, inside.Step(work == 0 ? DocLoader::kDefaultWork : work));
    *done = loader->done;
    return absl::OkStatus();
  });
}

rmcrdt_doc* rmcrdt_loader_take(rmcrdt_loader* loader) {
  return NewChanging(loader, [&]() -> absl::StatusOr<rmcrdt_doc> {
    if (loader->shared == nullptr) return Taken();
    if (!loader->done) return absl::FailedPreconditionError("it isn't loaded yet: rmcrdt_loader_step says when it is");
    loader->shared->doc = loader->shared->loader->Take();
    loader->shared->loader = nullptr;
    return rmcrdt_doc{std::move(loader->shared)};
  });
}

rmcrdt_type* rmcrdt_doc_get_root(rmcrdt_doc* doc, rmcrdt_kind kind, const char* name, size_t name_size) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_type> {
    RM_ASSIGN_OR_RETURN(const SharedKind wanted, KindArgument(kind));
    RM_ASSIGN_OR_RETURN(const std::string_view root, TextArgument(name, name_size, "the root's name"));
    RM_ASSIGN_OR_RETURN(const SharedType type, doc->shared->doc.GetRoot(root, wanted));
    return rmcrdt_type{doc->shared, type};
  });
}

rmcrdt_type* rmcrdt_doc_find_root(const rmcrdt_doc* doc, const char* name, size_t name_size) {
  return NewReading(doc, [&]() -> absl::StatusOr<rmcrdt_type> {
    RM_ASSIGN_OR_RETURN(const std::string_view root, TextArgument(name, name_size, "the root's name"));
    const std::optional<SharedType> type = doc->shared->doc.FindRoot(root);
    if (!type.has_value()) return absl::NotFoundError(fmt::format("there is no root \"{}\"", root));
    return rmcrdt_type{doc->shared, *type};
  });
}

}  // extern "C"
