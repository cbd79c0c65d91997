// What the tests of events and of undo managers make and tell.
#ifndef RIVERMEET_CRDT_TESTING_EVENTS_H_
#define RIVERMEET_CRDT_TESTING_EVENTS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"

namespace rivermeet::crdt {

inline void Ok(const absl::Status& status) {
  INFO(std::string(status.message()));
  REQUIRE(status.ok());
}

inline SharedType TypeAt(const SharedType& list, uint64_t index) { return std::get<SharedType>(*list.At(index)); }
inline SharedType TypeOf(const SharedType& map, std::string_view key) { return std::get<SharedType>(*map.Entry(key)); }

inline Insertable New(SharedKind kind) {
  NewType type;
  type.kind = kind;
  return type;
}

inline Insertable NewText(std::string text, SharedKind kind = SharedKind::kText) {
  NewType type;
  type.kind = kind;
  type.text = std::move(text);
  return type;
}

// Gives `to` what it lacks of `from`.
inline void Send(const Doc& from, Doc& to, std::string_view origin = "remote") {
  Ok(to.Apply(*from.EncodeStateSince(UpdateFormat::kV1, to.EncodeStateVector()), UpdateFormat::kV1, origin));
}

inline std::string Told(const Value& value) {
  if (std::holds_alternative<SharedType>(value)) return "<type>";
  const Any& any = std::get<Any>(value);
  return any.is_undefined() ? "undefined" : *any.ToJson();
}

// As "+1,2" for what came, "=3" for what stays and "-1" for what went, with attributes behind.
inline std::string Told(const std::vector<DeltaChange>& delta) {
  std::string told;
  for (const DeltaChange& change : delta) {
    if (!told.empty()) told += ' ';
    told += change.kind == DeltaChange::Kind::kInsert ? '+' : change.kind == DeltaChange::Kind::kRetain ? '=' : '-';
    if (change.kind != DeltaChange::Kind::kInsert) told += std::to_string(change.length);
    for (size_t i = 0; i < change.inserted.size(); ++i) told += (i > 0 ? "," : "") + Told(change.inserted[i]);
    const Any attributes = Any::Object(change.attributes);
    if (!change.attributes.empty()) told += *attributes.ToJson();
  }
  return told;
}

inline std::string Told(const std::vector<KeyChange>& keys) {
  constexpr const char* kActions[] = {" add ", " update ", " delete "};
  std::string told;
  for (const KeyChange& change : keys) {
    told +=
        (told.empty() ? "" : ", ") + change.key + kActions[static_cast<int>(change.action)] + Told(change.old_value);
  }
  return told;
}

inline std::string Told(const std::vector<PathStep>& path) {
  std::string told = "/";
  for (const PathStep& step : path) {
    if (told.size() > 1) told += '/';
    const auto* key = std::get_if<std::string>(&step);
    told += key != nullptr ? *key : std::to_string(std::get<uint64_t>(step));
  }
  return told;
}

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_TESTING_EVENTS_H_
