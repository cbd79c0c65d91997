// What changed in a shared type: for those who observe it (yjs: YEvent, observe, observeDeep).
#ifndef RIVERMEET_CRDT_EVENTS_H_
#define RIVERMEET_CRDT_EVENTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/shared_types.h"

namespace rivermeet::crdt {

namespace internal {
class Announcer;
class EventState;
struct Listener;
class Observers;
}  // namespace internal

// A key of a map or hook, or an attribute of an XML element or text, whose value changed.
struct KeyChange {
  enum class Action : uint8_t { kAdd, kUpdate, kDelete };
  std::string key;
  Action action = Action::kAdd;
  Value old_value;  // undefined when it was added
};

// What one transaction changed in one shared type. Observers don't throw. It lives for the call of the observer. What
// it tells is found when it is asked for first, as the document is then: ask before editing.
class Event {
 public:
  SharedType target() const;
  // From the observed type to `target`; empty when it is that.
  const std::vector<PathStep>& path() const { return path_; }
  // False when the transaction took in an update of somebody else.
  bool local() const;
  // Of the transaction, as TransactionEvent has it.
  std::string_view origin() const;

  // Whether elements or text came or went, or text was formatted.
  bool list_changed() const;
  // Keys that were touched, also those whose values came and went, in the order of their first change; in
  // that of the map when nobody observed anything yet as the transaction began.
  std::vector<std::string> TouchedKeys() const;
  const std::vector<KeyChange>& Keys() const;
  // What became of the list or text, from its start on; what follows the last step is as it was. Found once an event,
  // in O(structs of the list or text), however small the change. Runs of text have their attributes as those of
  // Text::ToDelta().
  //
  // Asking for a text's makes a transaction of its own in which formats that say nothing more are deleted, as it does
  // in yjs; others get it as an update.
  const std::vector<DeltaChange>& Delta() const;

 private:
  friend class internal::Observers;
  Event(internal::EventState& state, std::vector<PathStep> path) : state_(&state), path_(std::move(path)) {}

  internal::EventState* state_;
  std::vector<PathStep> path_;
};

// What one transaction changed.
struct TransactionEvent {
  bool local = true;
  // As it was given to Apply or Transact; empty also when an undo manager made it. Lives for the call of the observer.
  std::string_view origin;
  // Those of which there were events, as long as they are alive, in the order of their first change.
  std::vector<SharedType> changed;
};

// Somebody who observes or listens. Ends with it, or with Cancel(), also inside of a callback, that one or another:
// from then on the callback isn't called. It may outlive the document, and has to stay on its thread.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&& other) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription() { Cancel(); }

  void Cancel();
  // False after Cancel(), and when there was nothing to observe.
  bool active() const { return listener_ != nullptr; }

 private:
  friend class internal::Announcer;
  Subscription(std::weak_ptr<internal::Announcer> announcer, std::shared_ptr<internal::Listener> listener);

  std::weak_ptr<internal::Announcer> announcer_;
  std::shared_ptr<internal::Listener> listener_;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_EVENTS_H_
