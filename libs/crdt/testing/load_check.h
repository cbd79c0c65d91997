// Whether loading in steps comes to what applying at once does: for tests and fuzzers.
#ifndef RIVERMEET_CRDT_TESTING_LOAD_CHECK_H_
#define RIVERMEET_CRDT_TESTING_LOAD_CHECK_H_

#include <string>
#include <string_view>

#include "crdt/doc.h"
#include "crdt/doc_loader.h"
#include "crdt/testing/document_check.h"

namespace rivermeet::crdt::internal {

// What differs between a new document that `update` is applied to and one that loads it in steps of `work`; empty when
// nothing does. No max_repeats holds, which loading doesn't know.
inline std::string LoadDifference(std::string_view update, UpdateFormat format, DocOptions options, uint64_t work) {
  options.limits.max_repeats = options.limits.max_structs;
  Doc applied(options);
  const absl::Status status = applied.Apply(update, format);
  DocLoader loader(update, format, options);
  absl::StatusOr<bool> done = loader.Step(work);
  while (done.ok() && !*done) done = loader.Step(work);
  if (done.status() != status) return "the error: " + done.status().ToString() + " instead of " + status.ToString();
  if (!status.ok()) return loader.Step(work).status() == status ? "" : "the error, when asked again";
  Doc loaded = loader.Take();
  if (loaded.EncodeState(UpdateFormat::kV1) != applied.EncodeState(UpdateFormat::kV1)) return "the state in V1";
  if (loaded.EncodeState(UpdateFormat::kV2) != applied.EncodeState(UpdateFormat::kV2)) return "the state in V2";
  if (loaded.EncodeStateVector() != applied.EncodeStateVector()) return "the state vector";
  if (loaded.EncodeSnapshot(UpdateFormat::kV1) != applied.EncodeSnapshot(UpdateFormat::kV1)) return "the snapshot";
  if (loaded.HasPending() != applied.HasPending()) return "whether something waits";
  if (loaded.StructCount() != applied.StructCount()) return "the number of structs";
  return FindFault(DocInside::Of(loaded));
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_TESTING_LOAD_CHECK_H_
