#include "crdt/events.h"

#include <utility>

#include "crdt/doc.h"
#include "crdt/internal/event_state.h"
#include "crdt/internal/observers.h"

namespace rivermeet::crdt {

using internal::Observer;
using internal::Observers;

SharedType Event::target() const { return internal::MakeHandle(state_->session(), state_->target()); }
bool Event::local() const { return state_->transaction().local; }
bool Event::list_changed() const { return state_->changed().list; }
std::vector<std::string> Event::TouchedKeys() const {
  std::vector<std::string> names;
  for (const internal::KeyIndex key : state_->TouchedKeys()) names.emplace_back(state_->session().document.keys[key]);
  return names;
}
const std::vector<KeyChange>& Event::Keys() const { return state_->Keys(); }
const std::vector<DeltaChange>& Event::Delta() const { return state_->Delta(); }

Subscription::Subscription(std::weak_ptr<Observers> observers, std::shared_ptr<Observer> observer)
    : observers_(std::move(observers)), observer_(std::move(observer)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  Cancel();
  observers_ = std::move(other.observers_);
  observer_ = std::move(other.observer_);
  return *this;
}

void Subscription::Cancel() {
  const std::shared_ptr<Observer> observer = std::exchange(observer_, nullptr);
  if (observer == nullptr) return;
  observer->cancelled = true;
  if (const std::shared_ptr<Observers> observers = observers_.lock()) observers->Forget(*observer);
}

Observers& internal::Session::Observed() {
  if (observers == nullptr) {
    observers = std::make_shared<Observers>(*this);
    transactor.hooks.observe_type = [this](Transaction& transaction, const Transaction::Changed& changed) {
      observers->ObserveType(transaction, changed);
    };
    transactor.hooks.observe = [this](Transaction& transaction) { observers->ObserveAll(transaction); };
  }
  return *observers;
}

Subscription SharedType::Observe(std::function<void(const Event&)> observer) const {
  if (!alive()) return {};
  Observer added{.type = type_};
  added.event = std::move(observer);
  return session_->Observed().Add(std::move(added));
}

Subscription SharedType::ObserveDeep(std::function<void(absl::Span<const Event>)> observer) const {
  if (!alive()) return {};
  Observer added{.type = type_};
  added.events = std::move(observer);
  return session_->Observed().Add(std::move(added));
}

Subscription Doc::OnTransaction(std::function<void(const TransactionEvent&)> observer) {
  Observer added;
  added.transaction = std::move(observer);
  return session_->Observed().Add(std::move(added));
}

}  // namespace rivermeet::crdt
