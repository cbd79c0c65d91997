// Any bytes as updates to a document: each changes it as a whole or not at all, and what it is made of stays sound.
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "crdt/doc.h"
#include "crdt/inspection.h"
#include "crdt/testing/document_check.h"
#include "crdt/testing/fuzz_pieces.h"
#include "crdt/testing/load_check.h"

using namespace rivermeet::crdt;

namespace {

// All that can be seen of a document.
struct View {
  explicit View(const Doc& doc)
      : v1(doc.EncodeState(UpdateFormat::kV1)),
        v2(doc.EncodeState(UpdateFormat::kV2)),
        state_vector(doc.EncodeStateVector()),
        snapshot(doc.EncodeSnapshot(UpdateFormat::kV1)) {}
  bool operator==(const View&) const = default;

  std::string v1, v2, state_vector, snapshot;
};

void CheckSound(const Doc& doc) {
  const std::string fault = internal::FindFault(internal::DocInside::Of(doc));
  if (!fault.empty()) rivermeet::CheckFailed("document", __FILE__, __LINE__, fault);
  const DocumentSummary summary = Summarize(doc);
  uint64_t structs = 0;
  for (size_t i = 0; i < kContents; ++i) structs += summary.live[i].structs + summary.deleted[i].structs;
  RM_CHECK(structs == doc.StructCount());
}

void IndexLists(Doc& doc) {
  for (const std::string_view root : {"t", "a", "x", ""})
    internal::DocInside::UnitAt(doc, root, internal::DocInside::Length(doc, root) / 2);
}

// Of what some document holds, none is refused, and nothing is lost.
void CheckAgain(const Doc& doc, const DocOptions& options) {
  Doc fresh(options);
  const std::string state = doc.EncodeState(UpdateFormat::kV2);
  RM_CHECK_OK(fresh.Apply(state, UpdateFormat::kV2));
  CheckSound(fresh);
  if (doc.HasPending()) return;
  RM_CHECK(!fresh.HasPending());
  RM_CHECK(fresh.EncodeStateVector() == doc.EncodeStateVector());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  internal::FuzzPieces pieces(data, size);
  DocOptions options;
  options.client_id = 1;
  options.gc = (pieces.options() & 1) == 0;
  options.limits = internal::FuzzLimits();
  Doc plain(options), indexed(options), batched(options);
  DocOptions roomy = options;
  roomy.limits = Limits();
  std::vector<EncodedUpdate> batch;
  const auto apply_batch = [&] {
    (void)batched.ApplyAll(batch);
    CheckSound(batched);
    batch.clear();
  };
  View before(plain);
  for (internal::FuzzPieces::Piece piece; pieces.Next(&piece);) {
    const absl::Status applied = plain.Apply(piece.update, piece.format);
    RM_CHECK(applied == indexed.ApplyAll({{piece.update, piece.format}}) || !applied.ok());
    CheckSound(plain);
    CheckSound(indexed);
    View after(plain);
    if (!applied.ok()) RM_CHECK(after == before);
    const std::string difference = internal::LoadDifference(piece.update, piece.format, options, 1 + size % 5);
    if (!difference.empty()) rivermeet::CheckFailed("loading in steps", __FILE__, __LINE__, difference);
    RM_CHECK(View(indexed) == after);
    before = std::move(after);
    IndexLists(indexed);
    batch.push_back({piece.update, piece.format});
    if (!piece.batched) apply_batch();
  }
  if (!batch.empty()) apply_batch();
  CheckAgain(plain, roomy);
  CheckAgain(batched, roomy);
  return 0;
}
