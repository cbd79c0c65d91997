// Undo managers of rivermeet_crdt.h.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/c_api/c_api.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(RMCRDT_STACK_UNDO == static_cast<int>(UndoManager::Stack::kUndo));
static_assert(RMCRDT_STACK_REDO == static_cast<int>(UndoManager::Stack::kRedo));

absl::Status NoItem() { return absl::FailedPreconditionError("there is no item of a stack whose notes these are"); }

// None when a stack was cleared.
const std::vector<SharedType>& ChangedIn(const rmcrdt_undo_event& event) {
  static const std::vector<SharedType> kNone;
  return event.event == nullptr ? kNone : event.event->changed;
}

absl::StatusOr<rmcrdt_value> NoteOf(const UndoManager::Notes* notes, const char* key, size_t key_size) {
  RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
  if (notes == nullptr) return NoItem();
  const auto found = notes->find(std::string(name));
  if (found == notes->end()) return absl::NotFoundError(fmt::format("the item has no note \"{}\"", name));
  return rmcrdt_value{.value = found->second};
}

// What tells `callback` of changes of that kind to an item.
UndoManager::Listener TellItem(SharedDoc& shared, rmcrdt_undo_callback callback, void* context,
                               rmcrdt_undo_change change) {
  return [&shared, callback, context, change](UndoManager::Event& event) {
    const rmcrdt_undo_event told{shared.shared_from_this(), change, event.stack, &event};
    CallBack(shared, callback, context, &told);
  };
}

}  // namespace

extern "C" {

rmcrdt_undo* rmcrdt_undo_new(rmcrdt_doc* doc, rmcrdt_type* const* scope, size_t count, uint32_t capture_timeout_ms) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_undo> {
    if (scope == nullptr && count != 0) return absl::InvalidArgumentError("scope is NULL, but there are types");
    std::vector<SharedType> types;
    for (size_t i = 0; i < count; ++i) {
      if (scope[i] == nullptr) return NullHandle();
      if (scope[i]->shared != doc->shared) {
        return absl::InvalidArgumentError(fmt::format("type {} of the scope is of another document", i));
      }
      types.push_back(scope[i]->type);
    }
    UndoOptions options;
    options.capture_timeout = absl::Milliseconds(capture_timeout_ms);
    Doc& inside = doc->shared->doc;
    return rmcrdt_undo{doc->shared, types.empty() ? std::make_unique<UndoManager>(inside, options)
                                                  : std::make_unique<UndoManager>(inside, types, options)};
  });
}

void rmcrdt_undo_free(rmcrdt_undo* undo) { FreeOn(undo, &SharedDoc::lost_undos); }

rmcrdt_code rmcrdt_undo_track_origin(rmcrdt_undo* undo, const char* origin, size_t origin_size) {
  return TryOn(undo, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::string_view tracked, BytesArgument(origin, origin_size, "origin"));
    undo->manager->AddTrackedOrigin(tracked);
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_undo_undo(rmcrdt_undo* undo, bool* done) {
  return TryOn(undo, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const bool did, undo->manager->Undo());
    if (done != nullptr) *done = did;
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_undo_redo(rmcrdt_undo* undo, bool* done) {
  return TryOn(undo, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const bool did, undo->manager->Redo());
    if (done != nullptr) *done = did;
    return absl::OkStatus();
  });
}

void rmcrdt_undo_stop_capturing(rmcrdt_undo* undo) {
  TryOn(undo, [&] {
    undo->manager->StopCapturing();
    return absl::OkStatus();
  });
}

void rmcrdt_undo_clear(rmcrdt_undo* undo) {
  TryOn(undo, [&] {
    undo->manager->Clear();
    return absl::OkStatus();
  });
}

size_t rmcrdt_undo_undo_count(const rmcrdt_undo* undo) {
  return Ask(undo, size_t{0}, [&]() -> absl::StatusOr<size_t> { return undo->manager->undo_count(); });
}

size_t rmcrdt_undo_redo_count(const rmcrdt_undo* undo) {
  return Ask(undo, size_t{0}, [&]() -> absl::StatusOr<size_t> { return undo->manager->redo_count(); });
}

rmcrdt_subscription* rmcrdt_undo_observe(rmcrdt_undo* undo, rmcrdt_undo_callback callback, void* context) {
  return NewChanging(undo, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    SharedDoc& shared = *undo->shared;
    UndoManager& manager = *undo->manager;
    const auto tell_cleared = [&shared, callback, context](UndoManager::Stack stack) {
      const rmcrdt_undo_event told{shared.shared_from_this(), RMCRDT_UNDO_STACK_CLEARED, stack, nullptr};
      CallBack(shared, callback, context, &told);
    };
    rmcrdt_subscription subscription{undo->shared, {}};
    std::vector<Subscription>& parts = subscription.parts;
    parts.push_back(manager.OnAdded(TellItem(shared, callback, context, RMCRDT_UNDO_ITEM_ADDED)));
    parts.push_back(manager.OnUpdated(TellItem(shared, callback, context, RMCRDT_UNDO_ITEM_UPDATED)));
    parts.push_back(manager.OnPopped(TellItem(shared, callback, context, RMCRDT_UNDO_ITEM_POPPED)));
    // Two: the first call may end the subscription.
    parts.push_back(manager.OnCleared([tell_cleared](bool undo_stack, bool) {
      if (undo_stack) tell_cleared(UndoManager::Stack::kUndo);
    }));
    parts.push_back(manager.OnCleared([tell_cleared](bool, bool redo_stack) {
      if (redo_stack) tell_cleared(UndoManager::Stack::kRedo);
    }));
    return subscription;
  });
}

rmcrdt_undo_change rmcrdt_undo_event_change(const rmcrdt_undo_event* event) {
  return Ask(event, RMCRDT_UNDO_ITEM_ADDED, [&]() -> absl::StatusOr<rmcrdt_undo_change> { return event->change; });
}

rmcrdt_undo_stack rmcrdt_undo_event_stack(const rmcrdt_undo_event* event) {
  return Ask(event, RMCRDT_STACK_UNDO,
             [&]() -> absl::StatusOr<rmcrdt_undo_stack> { return static_cast<rmcrdt_undo_stack>(event->stack); });
}

const char* rmcrdt_undo_event_origin(const rmcrdt_undo_event* event, size_t* size) {
  return AskText(event, size, [&] { return event->event == nullptr ? std::string_view() : event->event->origin; });
}

size_t rmcrdt_undo_event_changed_count(const rmcrdt_undo_event* event) {
  return Ask(event, size_t{0}, [&]() -> absl::StatusOr<size_t> { return ChangedIn(*event).size(); });
}

rmcrdt_type* rmcrdt_undo_event_changed(const rmcrdt_undo_event* event, size_t type) {
  return NewReading(event, [&] { return TypeAt(event->shared, ChangedIn(*event), type); });
}

rmcrdt_code rmcrdt_undo_event_set_note(const rmcrdt_undo_event* event, const char* key, size_t key_size,
                                       const rmcrdt_value* note) {
  return TryOn(event, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
    if (note == nullptr) return NullHandle();
    const Any* any = std::get_if<Any>(&note->value);
    if (any == nullptr) return absl::InvalidArgumentError("a note is a plain value");
    if (event->event == nullptr) return NoItem();
    event->event->notes[std::string(name)] = *any;
    return absl::OkStatus();
  });
}

rmcrdt_value* rmcrdt_undo_event_get_note(const rmcrdt_undo_event* event, const char* key, size_t key_size) {
  return NewReading(event,
                    [&] { return NoteOf(event->event == nullptr ? nullptr : &event->event->notes, key, key_size); });
}

rmcrdt_value* rmcrdt_undo_current_note(const rmcrdt_undo* undo, const char* key, size_t key_size) {
  return NewReading(undo, [&] { return NoteOf(undo->manager->current_notes(), key, key_size); });
}

}  // extern "C"
