// Any bytes as one update: what is read once is read again, in either format, as the same.
#ifndef RIVERMEET_CRDT_TESTING_UPDATE_FUZZ_H_
#define RIVERMEET_CRDT_TESTING_UPDATE_FUZZ_H_

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "crdt/inspection.h"
#include "crdt/internal/wire/update_reader.h"
#include "crdt/testing/fuzz_pieces.h"
#include "crdt/update.h"

namespace rivermeet::crdt::internal {

// What the library made itself may be larger and nest deeper by one, never be wrong.
inline std::string OfOwn(absl::StatusOr<std::string> result) {
  RM_CHECK_OK(result.status());
  return *std::move(result);
}

// Whose structs its blocks hold, in their order.
template <class Fields>
std::vector<uint64_t> ClientsOfBlocks(std::string_view update) {
  const Limits limits;
  UpdateReader<Fields> reader(update, limits);
  std::vector<uint64_t> clients;
  WireStruct item;
  for (uint64_t blocks = reader.ReadCount(); blocks > 0; --blocks) {
    const auto block = reader.ReadBlock();
    clients.push_back(block.client);
    uint64_t clock = block.clock;
    for (uint64_t s = 0; s < block.structs; ++s, clock = item.end_clock()) reader.ReadStruct(block.client, clock, item);
  }
  return clients;
}

// As in all that yjs makes of documents: descending, each once.
inline bool AreOrdered(const std::vector<uint64_t>& clients) {
  return std::adjacent_find(clients.begin(), clients.end(), std::less_equal<>()) == clients.end();
}

// Where one comes twice, what is written anew joins its blocks, as yjs does: it says something else, and may even name
// a later struct.
inline bool AreOnceEach(std::vector<uint64_t> clients) {
  std::sort(clients.begin(), clients.end());
  return std::adjacent_find(clients.begin(), clients.end()) == clients.end();
}

inline void FuzzUpdate(std::string_view update, UpdateFormat format, std::string_view state_vector) {
  const Limits limits = FuzzLimits();
  const UpdateFormat other = format == UpdateFormat::kV1 ? UpdateFormat::kV2 : UpdateFormat::kV1;
  const absl::Status checked = CheckUpdate(update, format, limits);
  const absl::StatusOr<std::string> there = ConvertUpdate(update, format, other, limits);
  const absl::StatusOr<std::string> state = EncodeStateVectorFromUpdate(update, format, limits);
  RM_CHECK(there.ok() == checked.ok() && state.ok() == checked.ok());
  const auto on_struct = [](const UpdateStruct& one) { RM_CHECK(FirstValues(one, one.length).size() <= one.length); };
  RM_CHECK(ReadUpdate(
               update, format, on_struct, [](const DeletedRange&) {}, limits) == checked);
  if (!checked.ok()) {
    RM_CHECK(there.status() == checked && state.status() == checked);
    return;
  }
  const absl::StatusOr<std::string> since = DiffUpdate(update, state_vector, format, limits);
  if (!AreOnceEach(format == UpdateFormat::kV1 ? ClientsOfBlocks<FieldsV1>(update) : ClientsOfBlocks<FieldsV2>(update)))
    return;
  // Twice there and back: the first time may repair what text and JSON can't hold.
  const std::string back = OfOwn(ConvertUpdate(*there, other, format));
  const std::string again = OfOwn(ConvertUpdate(back, format, other));
  RM_CHECK(OfOwn(ConvertUpdate(again, other, format)) == back);
  RM_CHECK(OfOwn(ConvertUpdate(OfOwn(ConvertUpdate(again, other, format)), format, other)) == again);
  RM_CHECK(OfOwn(EncodeStateVectorFromUpdate(*there, other)) == *state);
  if (since.ok()) {
    const std::string twice = OfOwn(DiffUpdate(*since, state_vector, format));
    RM_CHECK(OfOwn(DiffUpdate(twice, state_vector, format)) == twice);
  }
  // Of each client that has no gap, nothing is left.
  OfOwn(DiffUpdate(update, *state, format));
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_TESTING_UPDATE_FUZZ_H_
