// Takes back what one user did to a document, and does it again, while others go on editing (yjs: Y.UndoManager).
#ifndef RIVERMEET_CRDT_UNDO_MANAGER_H_
#define RIVERMEET_CRDT_UNDO_MANAGER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "crdt/any.h"
#include "crdt/doc.h"
#include "crdt/shared_types.h"

namespace rivermeet::crdt {

// What a filter is asked about.
struct CapturedTransaction {
  std::string_view origin;
  bool local = true;
};
// Something that undoing is about to delete: elements of a list, a stretch of a text, or the value of a key.
struct UndoneItem {
  SharedType parent;
  std::optional<std::string_view> key;
  std::optional<SharedType> type;  // that it holds
};

struct UndoOptions {
  // Changes that follow each other within this are undone together. 0: each transaction by itself.
  absl::Duration capture_timeout = absl::Milliseconds(500);
  // Transactions of these origins are undone. Updates that are applied without an origin count as "" too:
  // give those of others one.
  std::vector<std::string> tracked_origins = {""};
  // So are those of any origin that isn't empty (yjs: a class among the tracked origins).
  bool track_named_origins = false;
  // Values that others gave a key are replaced by older ones of one's own. Otherwise what they set stays.
  bool ignore_remote_map_changes = false;
  // Those for which it gives false aren't undone.
  std::function<bool(const CapturedTransaction&)> capture_filter = {};
  // What it gives false for stays when it would be deleted.
  std::function<bool(const UndoneItem&)> delete_filter = {};
  // Outlives the manager.
  const Clock* clock = &Clock::System();
};

// Keeps two stacks of changes: to undo and to redo. It makes the same changes to the document as yjs, down to the
// bytes, as long as yjs doesn't throw: what yjs can't bring back because it was collected stays away here.
//
// Lifetime: the document (which may be moved) outlives the manager. Deleted content that is on a stack isn't collected,
// also when the manager is gone: Clear() it before, or what its stacks hold stays in the document.
// One thread at a time, that of the document. Its listeners and filters may edit the document, and
// destroy this.
class UndoManager {
 public:
  // Undoes changes of these types of `doc` and of what is inside them.
  UndoManager(Doc& doc, absl::Span<const SharedType> scope, const UndoOptions& options = {});
  // Undoes changes anywhere in `doc`.
  explicit UndoManager(Doc& doc, const UndoOptions& options = {});
  UndoManager(const UndoManager&) = delete;
  UndoManager& operator=(const UndoManager&) = delete;
  ~UndoManager();

  // A type of another document never changes anything.
  void AddToScope(const SharedType& type);
  void AddTrackedOrigin(std::string_view origin);
  void RemoveTrackedOrigin(std::string_view origin);

  // Takes back the last change on its stack that still means something, as one transaction, whose inverse goes onto the
  // other stack; inside Doc::Transact as a part of that, which then counts as an edit like any. Returns whether it did
  // something. Does nothing when it is called while another is under way.
  //
  // Errors:
  //   RESOURCE_EXHAUSTED  What would come back passes a limit, or the units that a client can make in a document
  //                       (2^32 - 2). Nothing changed.
  absl::StatusOr<bool> Undo();
  absl::StatusOr<bool> Redo();
  // The next change isn't undone together with those before it.
  void StopCapturing();
  // Forgets both stacks, or one.
  void Clear(bool undo_stack = true, bool redo_stack = true);

  size_t undo_count() const;
  size_t redo_count() const;
  bool can_undo() const { return undo_count() > 0; }
  bool can_redo() const { return redo_count() > 0; }

  // What an application remembers with an item of a stack, such as where the cursor was.
  using Notes = std::map<std::string, Any>;
  // The notes of the item that is being undone or redone, for who is told of the change; otherwise null.
  Notes* current_notes();

  enum class Stack : uint8_t { kUndo, kRedo };
  struct Event {
    Stack stack = Stack::kUndo;       // that the item came onto or was taken from
    Notes& notes;                     // of the item
    std::string_view origin;          // of the transaction; empty also when an undo manager made it
    std::vector<SharedType> changed;  // types in which something changed, at whatever depth
  };
  using Listener = std::function<void(Event& event)>;
  // Called when an item came onto a stack, when a change joined the last one, and when one was undone or redone.
  Subscription OnAdded(Listener listener);
  Subscription OnUpdated(Listener listener);
  Subscription OnPopped(Listener listener);
  // Called with whether the undo stack and whether the redo stack was cleared.
  Subscription OnCleared(std::function<void(bool undo_stack, bool redo_stack)> listener);

 private:
  class State;
  std::shared_ptr<State> state_;  // shared with the calls of its listeners that are under way
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_UNDO_MANAGER_H_
