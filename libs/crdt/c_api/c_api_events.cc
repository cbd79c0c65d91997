// Events of rivermeet_crdt.h.
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/c_api/c_api.h"

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
  return NewChanging(type, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    Subscription subscription = observe(*type->shared);
    if (subscription.active()) return MakeSubscription(type->shared, std::move(subscription));
    return absl::FailedPreconditionError("the shared type isn't in the document any more");
  });
}

}  // namespace

namespace rivermeet::crdt::internal {

rmcrdt_subscription MakeSubscription(const DocRef& doc, Subscription made) {
  rmcrdt_subscription subscription{doc, {}};
  subscription.parts.push_back(std::move(made));
  return subscription;
}

Any ToAny(const PathStep& step) {
  if (const std::string* key = std::get_if<std::string>(&step)) return Any(*key);
  return Number(std::get<uint64_t>(step));
}

absl::StatusOr<rmcrdt_type> TypeAt(const DocRef& doc, const std::vector<SharedType>& types, size_t at) {
  if (at < types.size()) return rmcrdt_type{doc, types[at]};
  return absl::OutOfRangeError(fmt::format("there are {} types, no number {}", types.size(), at));
}

}  // namespace rivermeet::crdt::internal

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
  return NewReading(event, [&]() -> absl::StatusOr<rmcrdt_type> {
    return rmcrdt_type{event->shared, event->event->target()};
  });
}

bool rmcrdt_event_local(const rmcrdt_event* event) {
  return Ask(event, false, [&]() -> absl::StatusOr<bool> { return event->event->local(); });
}

const char* rmcrdt_event_origin(const rmcrdt_event* event, size_t* size) {
  return AskText(event, size, [&] { return event->event->origin(); });
}

rmcrdt_value* rmcrdt_event_path(const rmcrdt_event* event) {
  return NewReading(event, [&]() -> absl::StatusOr<rmcrdt_value> {
    Any::Array path;
    for (const PathStep& step : event->event->path()) path.push_back(ToAny(step));
    return rmcrdt_value{.value = Any(std::move(path))};
  });
}

rmcrdt_delta* rmcrdt_event_delta(const rmcrdt_event* event) {
  return NewChanging(event, [&]() -> absl::StatusOr<rmcrdt_delta> {
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
  return NewReading(event, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const KeyChange* change, KeyOf(*event, key));
    return MakeValue(event->shared, change->old_value);
  });
}

// --- transactions

rmcrdt_subscription* rmcrdt_doc_observe(rmcrdt_doc* doc, rmcrdt_end_callback callback, void* context) {
  return NewChanging(doc, [&]() -> absl::StatusOr<rmcrdt_subscription> {
    if (callback == nullptr) return NullCallback();
    SharedDoc& shared = *doc->shared;
    const auto tell = [&shared, callback, context](const TransactionEvent& event) {
      const rmcrdt_transaction told{shared.shared_from_this(), &event};
      CallBack(shared, callback, context, &told);
    };
    return MakeSubscription(doc->shared, shared.doc.OnTransaction(tell));
  });
}

bool rmcrdt_transaction_local(const rmcrdt_transaction* transaction) {
  return Ask(transaction, false, [&]() -> absl::StatusOr<bool> { return transaction->event->local; });
}

const char* rmcrdt_transaction_origin(const rmcrdt_transaction* transaction, size_t* size) {
  return AskText(transaction, size, [&] { return transaction->event->origin; });
}

size_t rmcrdt_transaction_changed_count(const rmcrdt_transaction* transaction) {
  return Ask(transaction, size_t{0}, [&]() -> absl::StatusOr<size_t> { return transaction->event->changed.size(); });
}

rmcrdt_type* rmcrdt_transaction_changed(const rmcrdt_transaction* transaction, size_t type) {
  return NewReading(transaction, [&] { return TypeAt(transaction->shared, transaction->event->changed, type); });
}

}  // extern "C"
