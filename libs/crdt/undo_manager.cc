#include "crdt/undo_manager.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "crdt/internal/edit/edit_cost.h"
#include "crdt/internal/edit/editor.h"
#include "crdt/internal/edit/redo.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/id_set.h"

namespace rivermeet::crdt {

using internal::ContentKind;
using internal::IdSet;
using internal::Item;
using internal::ItemRef;
using internal::kNoItem;
using internal::kNoType;
using internal::Session;
using internal::Transaction;
using internal::TypeIndex;

namespace {

struct StackItem {
  IdSet insertions;
  IdSet deletions;
  UndoManager::Notes notes;
};
// Shared, since listeners may clear the stack while they are told of an item.
using ItemStack = std::vector<std::shared_ptr<StackItem>>;

IdSet DeletionsOf(const Transaction& transaction) {
  IdSet deletions;
  for (const auto& [client, ranges] : transaction.deleted()) deletions.Add(client, ranges);
  return deletions;
}

IdSet InsertionsOf(const Transaction& transaction) {
  // By client in the order in which the document got to know them.
  std::vector<size_t> order(transaction.touched.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto client = [&](size_t i) { return transaction.touched[i].client; };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return client(a) < client(b); });
  IdSet insertions;
  for (const size_t i : order) {
    const uint64_t before = transaction.touched[i].before;
    insertions.Add(client(i), {{before, transaction.touched_after[i] - before}});
  }
  return insertions;
}

bool AnyDeleted(const ItemStack& stack, internal::Id id) {
  return std::any_of(stack.begin(), stack.end(), [id](const auto& item) { return item->deletions.Contains(id); });
}

// Which items and types lie in a scope as it is now; for as long as nothing is collected.
class ScopeCheck {
 public:
  ScopeCheck(const Session& session, bool whole, const std::vector<SharedType>& scope)
      : document_(session.document), whole_(whole) {
    for (const SharedType& type : scope) {
      if (const auto number = internal::HandleAccess::NumberIn(session, type)) types_.insert(*number);
    }
  }

  bool Has(const Item& item) {
    if (whole_ || item.parent == last_parent_) return whole_ || last_;
    last_parent_ = item.parent;
    return last_ = HasType(item.parent);
  }
  // Whether `type` is one of the scope or inside one.
  bool HasType(TypeIndex type) const {
    for (;;) {
      if (types_.contains(type)) return true;
      const ItemRef holder = document_.types[type].item;
      if (holder == kNoItem) return false;
      type = document_.items[holder].parent;
    }
  }

 private:
  const internal::Document& document_;
  const bool whole_;
  absl::flat_hash_set<TypeIndex> types_;
  // Neighbours mostly share their parent.
  TypeIndex last_parent_ = kNoType;
  bool last_ = false;
};

}  // namespace

class UndoManager::State final : public internal::EndListener, public std::enable_shared_from_this<UndoManager::State> {
 public:
  State(Session& session, bool whole, absl::Span<const SharedType> types, const UndoOptions& given)
      : session_(session), whole_(whole), scope_(types.begin(), types.end()), options_(given) {
    session_.transactor.AddEndListener(this);
  }
  // Ends with the manager, though calls may be under way.
  void Stop() { session_.transactor.RemoveEndListener(this); }

  void AddToScope(const SharedType& type) { scope_.push_back(type); }
  std::vector<std::string>& origins() { return options_.tracked_origins; }
  void StopCapturing() { last_change_.reset(); }
  void Clear(bool undo_stack, bool redo_stack);
  absl::StatusOr<bool> Pop(Stack from);
  void OnEnd(Transaction& transaction) override;

  const ItemStack& undo_stack() const { return undo_stack_; }
  const ItemStack& redo_stack() const { return redo_stack_; }
  Notes* current_notes() { return current_ == nullptr ? nullptr : &current_->notes; }

  internal::Listeners<Event&> added, updated, popped;
  internal::Listeners<bool, bool> cleared;

 private:
  ScopeCheck Scope() const { return {session_, whole_, scope_}; }
  bool Captures(const Transaction& transaction) const;
  bool TouchesScope(const Transaction& transaction) const;
  std::vector<TypeIndex> ChangedTypes(const Transaction& transaction) const;
  std::vector<SharedType> ChangedTypesAndParents(const Transaction& transaction) const;
  void Keep(Transaction& transaction, const IdSet& deletions, bool keep);
  absl::Status CheckRoomFor(const StackItem& item);
  void ForEach(Transaction& transaction, const IdSet& ids, absl::FunctionRef<void(ItemRef)> visit);
  bool Revert(Transaction& transaction, const StackItem& item);
  bool MayDelete(const Item& item) const;
  void Tell(const internal::Listeners<Event&>& listeners, Stack stack, const std::shared_ptr<StackItem>& item,
            std::string_view origin, const std::vector<SharedType>& changed);

  Session& session_;
  const bool whole_;
  std::vector<SharedType> scope_;
  UndoOptions options_;
  ItemStack undo_stack_;
  ItemStack redo_stack_;
  std::optional<Stack> popping_;
  std::shared_ptr<StackItem> current_;
  std::vector<SharedType> popped_changed_;
  std::optional<absl::Duration> last_change_;  // none: the next one isn't joined with it
};

std::vector<TypeIndex> UndoManager::State::ChangedTypes(const Transaction& transaction) const {
  const internal::Document& document = session_.document;
  std::vector<TypeIndex> types;
  for (const Transaction::Changed& changed : transaction.changed) {
    if (changed.type == kNoType) continue;
    // yjs tells nobody of a change in a root of no kind.
    if (document.types[changed.type].kind == internal::TypeKind::kUntyped) continue;
    if (!document.IsDeleted(changed.type)) types.push_back(changed.type);
  }
  return types;
}

std::vector<SharedType> UndoManager::State::ChangedTypesAndParents(const Transaction& transaction) const {
  const internal::Document& document = session_.document;
  std::vector<SharedType> all;
  absl::flat_hash_set<TypeIndex> seen;
  for (TypeIndex type : ChangedTypes(transaction)) {
    while (seen.insert(type).second) {
      all.push_back(internal::HandleAccess::Make(session_, type));
      const ItemRef holder = document.types[type].item;
      if (holder == kNoItem) break;
      type = document.items[holder].parent;
    }
  }
  return all;
}

bool UndoManager::State::TouchesScope(const Transaction& transaction) const {
  if (whole_) return true;
  const ScopeCheck scope = Scope();
  const std::vector<TypeIndex> types = ChangedTypes(transaction);
  return std::any_of(types.begin(), types.end(), [&](TypeIndex type) { return scope.HasType(type); });
}

bool UndoManager::State::Captures(const Transaction& transaction) const {
  const internal::Origin origin = transaction.origin();
  if (options_.capture_filter && !options_.capture_filter({origin.name, transaction.local})) return false;
  if (!TouchesScope(transaction)) return false;
  if (origin.undo_manager != nullptr) return origin.undo_manager == this;
  if (options_.track_named_origins && !origin.name.empty()) return true;
  const std::vector<std::string>& tracked = options_.tracked_origins;
  return std::find(tracked.begin(), tracked.end(), origin.name) != tracked.end();
}

void UndoManager::State::OnEnd(Transaction& transaction) {
  const std::shared_ptr<State> alive = shared_from_this();
  if (!Captures(transaction)) return;
  const bool undoing = popping_ == Stack::kUndo;
  const bool edits = !popping_.has_value();
  if (undoing) StopCapturing();
  if (edits) Clear(/*undo_stack=*/false, /*redo_stack=*/true);

  ItemStack& stack = undoing ? redo_stack_ : undo_stack_;
  IdSet deletions = DeletionsOf(transaction);
  IdSet insertions = InsertionsOf(transaction);
  const absl::Duration now = options_.clock->MonotonicNow();
  const bool joins =
      edits && last_change_.has_value() && now - *last_change_ < options_.capture_timeout && !stack.empty();
  if (joins) {
    stack.back()->deletions.Add(deletions);
    stack.back()->insertions.Add(insertions);
  } else {
    stack.push_back(std::make_shared<StackItem>());
    stack.back()->deletions = deletions;
    stack.back()->insertions = std::move(insertions);
  }
  if (edits) last_change_ = now;
  Keep(transaction, deletions, true);

  const internal::Listeners<Event&>& listeners = joins ? updated : added;
  const bool told = !listeners.empty() || (!edits && !popped.empty());
  const std::vector<SharedType> changed = told ? ChangedTypesAndParents(transaction) : std::vector<SharedType>();
  if (!edits) popped_changed_ = changed;
  Tell(listeners, undoing ? Stack::kRedo : Stack::kUndo, stack.back(), transaction.origin().name, changed);
}

void UndoManager::State::Tell(const internal::Listeners<Event&>& listeners, Stack stack,
                              const std::shared_ptr<StackItem>& item, std::string_view origin,
                              const std::vector<SharedType>& changed) {
  if (listeners.empty()) return;
  const std::shared_ptr<StackItem> kept = item;
  Event event{stack, kept->notes, origin, changed};
  listeners.Tell(event);
}

void UndoManager::State::ForEach(Transaction& transaction, const IdSet& ids, absl::FunctionRef<void(ItemRef)> visit) {
  for (const auto& [client, ranges] : ids.clients()) {
    for (const ClockRange range : ranges) session_.document.ForEach(transaction, client, range, visit);
  }
}

void UndoManager::State::Keep(Transaction& transaction, const IdSet& deletions, bool keep) {
  internal::Document& document = session_.document;
  ScopeCheck scope = Scope();
  ForEach(transaction, deletions, [&](ItemRef ref) {
    const Item& item = document.items[ref];
    if (!item.is_gc() && scope.Has(item)) document.Keep(ref, keep);
  });
}

void UndoManager::State::Clear(bool undo_stack, bool redo_stack) {
  if ((!undo_stack || undo_stack_.empty()) && (!redo_stack || redo_stack_.empty())) return;
  session_.transactor.Run(/*local=*/true, [&](Transaction& transaction) {
    if (undo_stack) {
      for (const auto& item : undo_stack_) Keep(transaction, item->deletions, false);
      undo_stack_.clear();
    }
    if (redo_stack) {
      for (const auto& item : redo_stack_) Keep(transaction, item->deletions, false);
      redo_stack_.clear();
    }
    cleared.Tell(undo_stack, redo_stack);
  });
}

// Each struct that comes back is a copy, beside which one may be cut; so may the ends of each range.
absl::Status UndoManager::State::CheckRoomFor(const StackItem& item) {
  const internal::Document& document = session_.document;
  internal::EditCost cost;
  cost.units = item.deletions.size();
  for (const auto& [client, ranges] : item.insertions.clients()) cost.structs += 2 * ranges.size();
  for (const auto& [client, ranges] : item.deletions.clients()) {
    const internal::StructList& list = document.structs[client].structs;
    for (const ClockRange range : ranges) {
      cost.structs += 2;
      auto at = list.Find(static_cast<uint32_t>(range.clock));
      for (; list.Valid(at) && list[at].clock < range.clock + range.length; at = list.Next(at)) {
        const Item& deleted = document.items[list.ItemAt(at)];
        cost.structs += 2;
        cost.bytes += deleted.size;
        if (deleted.is_entry() || deleted.kind == ContentKind::kFormat) ++cost.names;
        if (deleted.kind == ContentKind::kType) ++cost.types;
        if (deleted.kind == ContentKind::kDoc) cost.bytes += document.subdocuments[deleted.extra].bytes();
      }
    }
  }
  if (cost.units == 0) return absl::OkStatus();
  return session_.edit_room.Take(document, session_.limits, session_.transactor.client(), cost.units, cost);
}

absl::StatusOr<bool> UndoManager::State::Pop(Stack from) {
  if (popping_.has_value()) return false;
  popping_ = from;
  const absl::Cleanup reset = [this] { popping_.reset(); };
  popped_changed_.clear();
  ItemStack& stack = from == Stack::kUndo ? undo_stack_ : redo_stack_;
  internal::Document& document = session_.document;
  absl::Status status;
  session_.transactor.Run(/*local=*/true, {.undo_manager = this}, [&](Transaction& transaction) {
    while (!stack.empty() && current_ == nullptr) {
      status = CheckRoomFor(*stack.back());
      if (!status.ok()) break;
      const std::shared_ptr<StackItem> item = std::move(stack.back());
      stack.pop_back();
      if (Revert(transaction, *item)) current_ = item;
    }
    for (const Transaction::Changed& changed : transaction.changed) {
      if (!changed.list || changed.type == kNoType) continue;
      if (document.types[changed.type].markers != nullptr) document.types[changed.type].markers->Clear();
    }
  });
  if (current_ == nullptr) {
    if (!status.ok()) return status;
    return false;
  }
  Tell(popped, from, current_, {}, popped_changed_);
  current_.reset();
  return true;
}

bool UndoManager::State::Revert(Transaction& transaction, const StackItem& stack_item) {
  internal::Document& document = session_.document;
  ScopeCheck scope = Scope();
  std::vector<ItemRef> to_delete;
  ForEach(transaction, stack_item.insertions, [&](ItemRef ref) {
    if (document.items[ref].is_gc()) return;
    if ((document.items[ref].flags & Item::kRedone) != 0) ref = internal::Redoer::Latest(document, transaction, ref);
    const Item& item = document.items[ref];
    if (!item.deleted() && scope.Has(item)) to_delete.push_back(ref);
  });
  std::vector<ItemRef> to_redo;
  absl::flat_hash_set<ItemRef> wanted;
  ForEach(transaction, stack_item.deletions, [&](ItemRef ref) {
    const Item& item = document.items[ref];
    // What came and went between two items of the stack never comes back.
    if (item.is_gc() || !scope.Has(item) || stack_item.insertions.Contains(item.id)) return;
    if (wanted.insert(ref).second) to_redo.push_back(ref);
  });

  const auto replaceable = [&](internal::Id id) {
    return stack_item.insertions.Contains(id) || AnyDeleted(undo_stack_, id) || AnyDeleted(redo_stack_, id);
  };
  bool did = false;
  internal::Editor editor(document, transaction, session_.transactor.client());
  internal::Redoer redoer(document, transaction, editor, {wanted, replaceable, options_.ignore_remote_map_changes});
  for (const ItemRef ref : to_redo) did |= redoer.Redo(ref);
  // Children before what holds them: the filter then sees more.
  for (size_t i = to_delete.size(); i-- > 0;) {
    if (!MayDelete(document.items[to_delete[i]])) continue;
    document.Delete(transaction, to_delete[i]);
    did = true;
  }
  return did;
}

bool UndoManager::State::MayDelete(const Item& item) const {
  if (!options_.delete_filter) return true;
  UndoneItem undone{internal::HandleAccess::Make(session_, item.parent), std::nullopt, std::nullopt};
  if (item.is_entry()) undone.key = session_.document.keys[item.place];
  if (item.kind == ContentKind::kType) undone.type = internal::HandleAccess::Make(session_, item.extra);
  return options_.delete_filter(undone);
}

UndoManager::UndoManager(Doc& doc, absl::Span<const SharedType> scope, const UndoOptions& options)
    : state_(std::make_shared<State>(*doc.session_, /*whole=*/false, scope, options)) {}
UndoManager::UndoManager(Doc& doc, const UndoOptions& options)
    : state_(std::make_shared<State>(*doc.session_, /*whole=*/true, absl::Span<const SharedType>(), options)) {}
UndoManager::~UndoManager() { state_->Stop(); }

void UndoManager::AddToScope(const SharedType& type) { state_->AddToScope(type); }
void UndoManager::AddTrackedOrigin(std::string_view origin) { state_->origins().emplace_back(origin); }
void UndoManager::RemoveTrackedOrigin(std::string_view origin) { std::erase(state_->origins(), origin); }

absl::StatusOr<bool> UndoManager::Undo() { return std::shared_ptr<State>(state_)->Pop(Stack::kUndo); }
absl::StatusOr<bool> UndoManager::Redo() { return std::shared_ptr<State>(state_)->Pop(Stack::kRedo); }
void UndoManager::StopCapturing() { state_->StopCapturing(); }
void UndoManager::Clear(bool undo_stack, bool redo_stack) {
  std::shared_ptr<State>(state_)->Clear(undo_stack, redo_stack);
}

size_t UndoManager::undo_count() const { return state_->undo_stack().size(); }
size_t UndoManager::redo_count() const { return state_->redo_stack().size(); }
UndoManager::Notes* UndoManager::current_notes() { return state_->current_notes(); }

Subscription UndoManager::OnAdded(Listener listener) { return state_->added.Add(std::move(listener)); }
Subscription UndoManager::OnUpdated(Listener listener) { return state_->updated.Add(std::move(listener)); }
Subscription UndoManager::OnPopped(Listener listener) { return state_->popped.Add(std::move(listener)); }
Subscription UndoManager::OnCleared(std::function<void(bool, bool)> listener) {
  return state_->cleared.Add(std::move(listener));
}

}  // namespace rivermeet::crdt
