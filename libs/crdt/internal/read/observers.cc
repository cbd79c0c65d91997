#include "crdt/internal/read/observers.h"

#include <algorithm>
#include <utility>

#include "crdt/internal/read/reading.h"

namespace rivermeet::crdt::internal {

Subscription Observers::Add(Observer observer) {
  if (count_ >= 2 * swept_count_ + 16 && calling_ == 0) DropStale();
  observer.generation = session_.document.types[observer.type].generation;
  const bool deep = observer.events != nullptr;
  auto added = std::make_shared<Observer>(std::move(observer));
  OfType& of_type = observers_[added->type];
  (deep ? of_type.deep : of_type.shallow).push_back(added);
  ++count_;
  session_.transactor.RecordKeys(true);
  return Subscribe(std::move(added));
}

void Observers::Forget(const Listener& listener) {
  const auto& observer = static_cast<const Observer&>(listener);
  List* list = Find(observer.type, observer.events != nullptr);
  if (list == nullptr) return;
  const auto found =
      std::find_if(list->begin(), list->end(), [&](const auto& candidate) { return candidate.get() == &observer; });
  if (found == list->end()) return;
  if (calling_ > 0) {
    cancelled_.push_back(*found);
    return;
  }
  Erase(observer);
}

void Observers::Erase(const Observer& observer) {
  List* list = Find(observer.type, observer.events != nullptr);
  if (list == nullptr) return;
  const TypeIndex type = observer.type;
  count_ -= std::erase_if(*list, [&](const auto& candidate) { return candidate.get() == &observer; });
  const auto of_type = observers_.find(type);
  if (of_type->second.shallow.empty() && of_type->second.deep.empty()) observers_.erase(of_type);
  if (count_ == 0) session_.transactor.RecordKeys(false);
}

// Of types that are gone.
void Observers::DropStale() {
  const auto drop = [this](List& list) {
    count_ -= std::erase_if(list, [this](const auto& observer) { return IsStale(*observer); });
  };
  for (auto at = observers_.begin(); at != observers_.end();) {
    const auto here = at++;
    drop(here->second.shallow);
    drop(here->second.deep);
    if (here->second.shallow.empty() && here->second.deep.empty()) observers_.erase(here);
  }
  swept_count_ = count_;
}

Observers::List* Observers::Find(TypeIndex type, bool deep) {
  const auto found = observers_.find(type);
  if (found == observers_.end()) return nullptr;
  return deep ? &found->second.deep : &found->second.shallow;
}

// Callbacks may add to the list, and cancel what is in it.
template <class Call>
void Observers::CallAll(TypeIndex type, bool deep, Call call) {
  ++calling_;
  for (size_t i = 0;; ++i) {
    const List* list = Find(type, deep);
    if (list == nullptr || i >= list->size()) break;
    const std::shared_ptr<Observer> observer = (*list)[i];
    if (!observer->cancelled && !IsStale(*observer)) call(*observer);
  }
  if (--calling_ == 0) EndCalls();
}

void Observers::EndCalls() {
  for (const std::shared_ptr<Observer>& observer : std::exchange(cancelled_, {})) Erase(*observer);
}

bool Observers::IsStale(const Observer& observer) const {
  return observer.generation != session_.document.types[observer.type].generation;
}

void Observers::CallTypeObservers(Transaction& transaction, const Transaction::Changed& changed) {
  const Document& document = session_.document;
  if (count_ == 0 || document.types[changed.type].kind == TypeKind::kUntyped) return;
  EventState& event = events_.emplace_back(session_, transaction, changed);
  for (TypeIndex type = changed.type;;) {
    const auto [place, made] = parent_places_.try_emplace(type, parents_.size());
    if (made) parents_.push_back({type, {}});
    parents_[place->second].events.push_back(&event);
    if (document.types[type].item == kNoItem) break;
    type = document.items[document.types[type].item].parent;
  }
  const Event told(event, {});
  CallAll(changed.type, /*deep=*/false, [&](const Observer& observer) { observer.event(told); });
}

void Observers::CallOtherObservers(Transaction& transaction) {
  // yjs decides of all before it calls one.
  std::vector<Parent*> observed;
  for (Parent& parent : parents_) {
    const List* list = Find(parent.type, /*deep=*/true);
    if (list != nullptr && !list->empty() && !session_.document.IsDeleted(parent.type)) observed.push_back(&parent);
  }
  for (Parent* parent : observed) CallDeep(*parent);
  parents_.clear();
  parent_places_.clear();
  events_.clear();
  if (observers_.contains(kNoType)) {
    TransactionEvent told{.local = transaction.local, .origin = transaction.origin().name, .changed = {}};
    for (const Transaction::Changed& changed : transaction.changed) {
      if (changed.type != kNoType && !session_.document.IsDeleted(changed.type))
        told.changed.push_back(HandleAccess::Make(session_, changed.type));
    }
    CallAll(kNoType, /*deep=*/false, [&](const Observer& observer) { observer.transaction(told); });
  }
}

// Shorter paths first.
void Observers::CallDeep(Parent& parent) {
  std::vector<Event> told;
  for (EventState* event : parent.events) {
    if (!session_.document.IsDeleted(event->target()))
      told.push_back(Event(*event, PathTo(parent.type, event->target())));
  }
  std::stable_sort(told.begin(), told.end(),
                   [](const Event& a, const Event& b) { return a.path().size() < b.path().size(); });
  CallAll(parent.type, /*deep=*/true, [&](const Observer& observer) { observer.events(told); });
}

std::vector<PathStep> Observers::PathTo(TypeIndex from, TypeIndex to) const {
  std::vector<PathStep> path;
  Document& document = session_.document;
  while (to != from && document.types[to].item != kNoItem) {
    path.push_back(StepTo(document, to));
    to = document.items[document.types[to].item].parent;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace rivermeet::crdt::internal
