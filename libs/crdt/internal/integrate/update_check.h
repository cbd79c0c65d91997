// Reads an update through before anything of it is applied.
#ifndef RIVERMEET_CRDT_INTERNAL_INTEGRATE_UPDATE_CHECK_H_
#define RIVERMEET_CRDT_INTERNAL_INTEGRATE_UPDATE_CHECK_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "crdt/internal/integrate/nesting_check.h"
#include "crdt/internal/store/budget.h"
#include "crdt/internal/store/document.h"
#include "crdt/internal/store/room.h"
#include "crdt/internal/wire/update_reader.h"
#include "crdt/limits.h"

namespace rivermeet::crdt::internal {

// The structs of one client.
struct UpdateBlock {
  uint64_t client;
  uint64_t clock;  // of the next struct
  uint64_t left;   // structs not read yet
  size_t place;    // CheckedUpdate::places
};

// An update, and where in it things are, once it was checked.
template <class Fields>
struct CheckedUpdate {
  // Both outlive this.
  CheckedUpdate(std::string_view update, const Limits& limits)
      : bytes(update), reader(update, limits), deletes(reader.place()) {}

  const std::string_view bytes;
  UpdateReader<Fields> reader;
  absl::InlinedVector<UpdateBlock, 1> blocks;  // clients ascend; those of one in the order of the bytes
  // Where the next struct of each block is. In V2 these are large, and not sorted with the blocks therefore.
  absl::InlinedVector<typename Fields::Place, 1> places;
  uint64_t structs = 0;
  WireStruct item;                                      // the last struct that was read
  bool is_kept = false;                                 // it is the only one, and what it views is still there
  std::unique_ptr<std::vector<std::string>> new_roots;  // that the document hasn't, in the order of the bytes
  typename Fields::Place deletes;
  bool has_deletes = false;
  bool deletes_overlap = false;  // or may
};

// How far a pass over blocks has come.
struct BlockPass {
  size_t block = 0;
  uint64_t clock = 0;
  uint64_t left = 0;
  bool begun = false;
};

template <class Fields>
class UpdateCheck {
 public:
  // All outlive this. The document isn't changed.
  UpdateCheck(Document& document, const Limits& limits, CheckedUpdate<Fields>& update)
      : document_(document), limits_(limits), update_(update), adds_{.bytes = update.bytes.size()} {}

  // Goes on. True once everything was read, or it can't be applied, which status() tells.
  bool Step(Budget& budget);
  const absl::Status& status() const { return status_; }
  // The same at once for what was pending, which passed that once: whatever the document has become, it isn't refused.
  void PassPending();

 private:
  enum class Stage : uint8_t { kBegin, kStructs, kDeletes, kNesting, kDone };

  bool CheckStructs(Budget& budget);
  // `known` is the state of its client.
  void CheckStruct(const WireStruct& item, uint64_t known);
  void Reckon(const WireStruct& item);
  void NoteName(std::string_view name);
  void NoteRoot(std::string_view root);
  bool CheckDeletes(Budget& budget);
  void NoteDelete(uint64_t client, ClockRange range);
  void SortBlocks();
  bool CheckNesting(Budget& budget);

  Document& document_;
  const Limits& limits_;
  CheckedUpdate<Fields>& update_;
  Stage stage_ = Stage::kBegin;
  absl::Status status_;
  bool was_pending_ = false;

  uint64_t blocks_left_ = 0;  // after those that are begun
  BlockPass pass_;
  uint64_t known_ = 0;  // of the block that is read
  std::unique_ptr<absl::flat_hash_set<std::string>> new_root_names_;
  Addition adds_;
  bool has_types_ = false;                             // among what is new
  std::unique_ptr<std::array<size_t, 64>> new_names_;  // hashes of those that came last
  std::unique_ptr<NestingCheck> nesting_;

  typename UpdateReader<Fields>::DeletePlace delete_place_;
  std::optional<uint64_t> last_deleted_;  // the client of the last range, and its end
  uint64_t last_end_ = 0;
  absl::flat_hash_set<uint64_t> deleting_;  // clients with ranges before that one's
};

extern template class UpdateCheck<FieldsV1>;
extern template class UpdateCheck<FieldsV2>;

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_INTEGRATE_UPDATE_CHECK_H_
