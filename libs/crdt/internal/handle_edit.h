// Edits through a handle: whether they may be, and the transaction that each is.
#ifndef RIVERMEET_CRDT_INTERNAL_HANDLE_EDIT_H_
#define RIVERMEET_CRDT_INTERNAL_HANDLE_EDIT_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "crdt/internal/edit/edit_cost.h"
#include "crdt/internal/edit/editor.h"
#include "crdt/internal/edit/insertion.h"
#include "crdt/internal/session.h"

namespace rivermeet::crdt::internal {

// What every edit gives whose type is gone.
inline absl::Status Gone() { return absl::FailedPreconditionError("the shared type isn't in the document any more"); }

// Runs `edit`, which adds `cost` at most, if it may in the type of that number.
absl::Status Edit(Session& session, uint32_t type, const EditCost& cost, absl::FunctionRef<absl::Status(Editor&)> edit);

// Of something that goes into a list or text, and cuts what stands there.
EditCost CostOf(const Prepared& prepared);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_HANDLE_EDIT_H_
