// Any bytes as updates to merge: what comes out is an update, and merging it with itself or with nothing changes
// nothing.
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "crdt/doc.h"
#include "crdt/testing/document_check.h"
#include "crdt/testing/update_fuzz.h"
#include "crdt/update.h"

using namespace rivermeet::crdt;

namespace {

// Merged with itself once an update is in a form that merging keeps: cut structs say no more whether they had a key.
void CheckForm(std::string_view merged, UpdateFormat format) {
  const auto with_itself = [format](std::string_view update) {
    const std::string_view twice[] = {update, update};
    return internal::OfOwn(MergeUpdates(twice, format));
  };
  const std::string form = with_itself(merged);
  RM_CHECK(with_itself(form) == form);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  internal::FuzzPieces pieces(data, size);
  const Limits limits = internal::FuzzLimits();
  std::vector<std::string> v1, v2;
  bool ordered = true;
  for (internal::FuzzPieces::Piece piece; pieces.Next(&piece);) {
    absl::StatusOr<std::string> first = ConvertUpdate(piece.update, piece.format, UpdateFormat::kV1, limits);
    if (!first.ok() || !CheckUpdate(*first, UpdateFormat::kV1).ok()) continue;  // blocks of one client, joined
    v2.push_back(internal::OfOwn(ConvertUpdate(piece.update, piece.format, UpdateFormat::kV2)));
    ordered = ordered && internal::AreOrdered(internal::ClientsOfBlocks<internal::FieldsV1>(*first));
    v1.push_back(*std::move(first));
  }
  const std::vector<std::string_view> views_v1(v1.begin(), v1.end());
  const std::vector<std::string_view> views_v2(v2.begin(), v2.end());
  const std::string merged_v1 = internal::OfOwn(MergeUpdates(views_v1, UpdateFormat::kV1));
  const std::string merged_v2 = internal::OfOwn(MergeUpdates(views_v2, UpdateFormat::kV2));
  RM_CHECK_OK(CheckUpdate(merged_v1, UpdateFormat::kV1));
  RM_CHECK_OK(CheckUpdate(merged_v2, UpdateFormat::kV2));
  if (ordered) {
    CheckForm(merged_v1, UpdateFormat::kV1);
    CheckForm(merged_v2, UpdateFormat::kV2);
  }
  DocOptions options;
  options.client_id = 1;
  options.gc = (pieces.options() & 1) == 0;
  Doc doc(options);
  const absl::Status applied = doc.Apply(merged_v2, UpdateFormat::kV2);
  const std::string fault = internal::FindFault(internal::DocInside::Of(doc));
  if (!fault.empty()) rivermeet::CheckFailed("document", __FILE__, __LINE__, fault);
  return 0;
}
