// Events, undo managers and relative positions of rivermeet_crdt.h.
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/internal/c_api.h"
#include "crdt/relative_position.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(RMCRDT_KEY_ADDED == static_cast<int>(KeyChange::Action::kAdd));
static_assert(RMCRDT_KEY_UPDATED == static_cast<int>(KeyChange::Action::kUpdate));
static_assert(RMCRDT_KEY_DELETED == static_cast<int>(KeyChange::Action::kDelete));

absl::StatusOr<const KeyChange*> KeyOf(const rmcrdt_event& event, size_t key) {
  const std::vector<KeyChange>& keys = event.event->Keys();
  if (key < keys.size()) return &keys[key];
  return absl::OutOfRangeError(fmt::format("the event has {} keys, no number {}", keys.size(), key));
}

void Tell(SharedDoc& shared, rmcrdt_events_callback callback, void* context, absl::Span<const Event> events) {
  std::vector<rmcrdt_event> told;
  for (const Event& event : events) told.push_back({shared.shared_from_this(), &event});
  std::vector<const rmcrdt_event*> pointers;
  for (const rmcrdt_event& event : told) pointers.push_back(&event);
  CallBack(shared, callback, context, pointers.data(), pointers.size());
}

// Observes `type`, with what `observe` gives.
rmcrdt_subscription* Observe(rmcrdt_type* type, rmcrdt_events_callback callback,
                             absl::FunctionRef<Subscription(SharedDoc&)> observe) {
  return NewOn(type, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    Subscription subscription = observe(*type->shared);
    if (subscription.active()) return rmcrdt_subscription{type->shared, std::move(subscription)};
    return absl::FailedPreconditionError("the shared type isn't in the document any more");
  });
}

}  // namespace

extern "C" {

rmcrdt_subscription* rmcrdt_type_observe(rmcrdt_type* type, rmcrdt_events_callback callback, void* context) {
  return Observe(type, callback, [&](SharedDoc& shared) {
    return type->type.Observe([&shared, callback, context](const Event& event) {
      Tell(shared, callback, context, absl::MakeConstSpan(&event, 1));
    });
  });
}

rmcrdt_subscription* rmcrdt_type_observe_deep(rmcrdt_type* type, rmcrdt_events_callback callback, void* context) {
  return Observe(type, callback, [&](SharedDoc& shared) {
    return type->type.ObserveDeep(
        [&shared, callback, context](absl::Span<const Event> events) { Tell(shared, callback, context, events); });
  });
}

rmcrdt_type* rmcrdt_event_target(const rmcrdt_event* event) {
  return NewOn(event, [&]() -> absl::StatusOr<rmcrdt_type> {
    return rmcrdt_type{event->shared, event->event->target()};
  });
}

bool rmcrdt_event_local(const rmcrdt_event* event) {
  return Ask(event, false, [&]() -> absl::StatusOr<bool> { return event->event->local(); });
}

rmcrdt_value* rmcrdt_event_path(const rmcrdt_event* event) {
  return NewOn(event, [&]() -> absl::StatusOr<rmcrdt_value> {
    Any::Array path;
    for (const PathStep& step : event->event->path()) {
      if (const std::string* key = std::get_if<std::string>(&step)) {
        path.emplace_back(*key);
      } else {
        path.emplace_back(static_cast<double>(std::get<uint64_t>(step)));
      }
    }
    return rmcrdt_value{.value = Any(std::move(path))};
  });
}

rmcrdt_delta* rmcrdt_event_delta(const rmcrdt_event* event) {
  return NewOn(event, [&]() -> absl::StatusOr<rmcrdt_delta> {
    return MakeDelta(event->shared, event->event->target(), event->event->Delta());
  });
}

size_t rmcrdt_event_key_count(const rmcrdt_event* event) {
  return Ask(event, size_t{0}, [&]() -> absl::StatusOr<size_t> { return event->event->Keys().size(); });
}

const char* rmcrdt_event_key(const rmcrdt_event* event, size_t key, size_t* size) {
  return Ask(event, static_cast<const char*>(nullptr), [&]() -> absl::StatusOr<const char*> {
    if (size == nullptr) return NullHandle();
    RM_ASSIGN_OR_RETURN(const KeyChange* change, KeyOf(*event, key));
    *size = change->key.size();
    return change->key.c_str();
  });
}

rmcrdt_key_action rmcrdt_event_key_action(const rmcrdt_event* event, size_t key) {
  return Ask(event, RMCRDT_KEY_ADDED, [&]() -> absl::StatusOr<rmcrdt_key_action> {
    RM_ASSIGN_OR_RETURN(const KeyChange* change, KeyOf(*event, key));
    return static_cast<rmcrdt_key_action>(change->action);
  });
}

rmcrdt_value* rmcrdt_event_key_old_value(const rmcrdt_event* event, size_t key) {
  return NewOn(event, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const KeyChange* change, KeyOf(*event, key));
    return MakeValue(event->shared, change->old_value);
  });
}

// --- undo

rmcrdt_undo* rmcrdt_undo_new(rmcrdt_doc* doc, rmcrdt_type* const* scope, size_t count, uint32_t capture_timeout_ms) {
  return NewOn(doc, [&]() -> absl::StatusOr<rmcrdt_undo> {
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

void rmcrdt_undo_free(rmcrdt_undo* undo) { delete undo; }

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

// --- relative positions

rmcrdt_buffer* rmcrdt_position_at(const rmcrdt_type* type, uint64_t index, int64_t assoc) {
  return BytesOn(type, [&]() -> absl::StatusOr<std::string> {
    RM_ASSIGN_OR_RETURN(const RelativePosition position, RelativePosition::At(type->type, index, assoc));
    return position.Encode();
  });
}

rmcrdt_type* rmcrdt_position_resolve(const rmcrdt_doc* doc, const uint8_t* position, size_t position_size,
                                     uint64_t* index) {
  return NewOn(doc, [&]() -> absl::StatusOr<rmcrdt_type> {
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(position, position_size, "position"));
    RM_ASSIGN_OR_RETURN(const RelativePosition at, RelativePosition::Decode(bytes));
    const std::optional<RelativePosition::Place> place = at.Resolve(doc->shared->doc);
    if (!place.has_value()) return absl::NotFoundError("the document lacks what the position was at");
    if (index != nullptr) *index = place->index;
    return rmcrdt_type{doc->shared, place->type};
  });
}

}  // extern "C"
