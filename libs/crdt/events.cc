#include "crdt/events.h"

#include <utility>

#include "crdt/doc.h"
#include "crdt/internal/read/event_state.h"
#include "crdt/internal/read/observers.h"

namespace rivermeet::crdt {

using internal::Observer;
using internal::Observers;

SharedType Event::target() const { return internal::HandleAccess::Make(state_->session(), state_->target()); }
bool Event::local() const { return state_->transaction().local; }
std::string_view Event::origin() const { return state_->transaction().origin().name; }
bool Event::list_changed() const { return state_->changed().list; }
std::vector<std::string> Event::TouchedKeys() const {
  std::vector<std::string> names;
  for (const internal::KeyIndex key : state_->TouchedKeys()) names.emplace_back(state_->session().document.keys[key]);
  return names;
}
const std::vector<KeyChange>& Event::Keys() const { return state_->Keys(); }
const std::vector<DeltaChange>& Event::Delta() const { return state_->Delta(); }

Subscription::Subscription(std::weak_ptr<internal::Announcer> announcer, std::shared_ptr<internal::Listener> listener)
    : announcer_(std::move(announcer)), listener_(std::move(listener)) {}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  Cancel();
  announcer_ = std::move(other.announcer_);
  listener_ = std::move(other.listener_);
  return *this;
}

void Subscription::Cancel() {
  const std::shared_ptr<internal::Listener> listener = std::exchange(listener_, nullptr);
  if (listener == nullptr) return;
  listener->cancelled = true;
  if (const std::shared_ptr<internal::Announcer> announcer = announcer_.lock()) announcer->Forget(*listener);
}

Observers& internal::Session::Observed() {
  if (observers == nullptr) {
    observers = std::make_shared<Observers>(*this);
    transactor.hooks.observe_type = [this](Transaction& transaction, const Transaction::Changed& changed) {
      observers->CallTypeObservers(transaction, changed);
    };
    transactor.hooks.observe = [this](Transaction& transaction) { observers->CallOtherObservers(transaction); };
  }
  return *observers;
}

Subscription SharedType::Observe(std::function<void(const Event&)> observer) const {
  if (!alive()) return {};
  Observer added;
  added.type = type_;
  added.event = std::move(observer);
  return session_->Observed().Add(std::move(added));
}

Subscription SharedType::ObserveDeep(std::function<void(absl::Span<const Event>)> observer) const {
  if (!alive()) return {};
  Observer added;
  added.type = type_;
  added.events = std::move(observer);
  return session_->Observed().Add(std::move(added));
}

Subscription Doc::OnTransaction(std::function<void(const TransactionEvent&)> observer) {
  Observer added;
  added.transaction = std::move(observer);
  return session_->Observed().Add(std::move(added));
}

}  // namespace rivermeet::crdt
