// One update on its way into a document, and what it lets go on of those that wait (yjs: readUpdateV2).
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTAKE_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTAKE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "crdt/internal/integrate/update_applier.h"
#include "crdt/internal/integrate/update_check.h"
#include "crdt/internal/store/budget.h"

namespace rivermeet::crdt::internal {

template <class Fields>
class Intake {
 public:
  // All outlive this. `local_client` is the one that edits here, which comes forward without an update.
  Intake(Document& document, Transaction& transaction, std::string_view update, const Limits& limits,
         uint64_t local_client);

  // Goes on. True once the update was refused, which leaves the document as it was, or is in it; status() tells.
  // Trying again what waited is one piece of work; an empty document has nothing to try.
  bool Step(Budget& budget);
  const absl::Status& status() const { return check_.status(); }

 private:
  template <class Other>
  friend class Intake;
  enum class Stage : uint8_t { kCheck, kStructs, kDeletes, kDone };

  std::vector<uint64_t> Moved() const;
  void RetryDeletes();
  void PutRest();
  void RetryStructs();
  void TakeWaiting(int max_depth);

  Document& document_;
  Transaction& transaction_;
  const uint64_t local_client_;
  int max_depth_;  // of types
  CheckedUpdate<Fields> update_;
  UpdateCheck<Fields> check_;
  UpdateApplier<Fields> applier_;
  Stage stage_ = Stage::kCheck;
  WireDeleteSet unknown_;
  bool retry_ = false;
};

extern template class Intake<FieldsV1>;
extern template class Intake<FieldsV2>;

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_INTAKE_H_
