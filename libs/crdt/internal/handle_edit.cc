#include "crdt/internal/handle_edit.h"

#include "base/status.h"
#include "crdt/internal/wire/any_codec.h"

namespace rivermeet::crdt::internal {

absl::Status Edit(Session& session, uint32_t type, const EditCost& cost,
                  absl::FunctionRef<absl::Status(Editor&)> edit) {
  if (session.document.types[type].depth + static_cast<uint64_t>(cost.depth) >
      static_cast<uint64_t>(session.limits.max_depth)) {
    return absl::ResourceExhaustedError("shared types would nest deeper than max_depth");
  }
  if (cost.value_depth > ValueDepth(session.limits)) {
    return absl::ResourceExhaustedError("a value nests deeper than max_depth");
  }
  RM_RETURN_IF_ERROR(session.edit_room.Take(session.document, session.limits, session.transactor.client(),
                                            cost.units + cost.structs, cost));
  absl::Status done;
  session.transactor.Run(/*local=*/true, [&](Transaction& transaction) {
    Editor editor(session.document, transaction, session.transactor.client());
    done = edit(editor);
  });
  return done;
}

EditCost CostOf(const Prepared& prepared) {
  EditCost cost = prepared.cost();
  ++cost.structs;
  return cost;
}

}  // namespace rivermeet::crdt::internal
