// Reads what shared types hold now: as JSON, as values, as a delta (yjs: toJSON, toArray, toDelta).
#ifndef RIVERMEET_CRDT_INTERNAL_READ_READING_H_
#define RIVERMEET_CRDT_INTERNAL_READ_READING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/wire/any_codec.h"

namespace rivermeet::crdt::internal {

// Appends JSON.stringify(type.toJSON()); of an untyped root nothing. Doesn't recurse.
// INVALID_ARGUMENT where yjs throws: see SharedType::ToJson.
absl::Status AppendTypeJson(const Document& document, TypeIndex type, BigInts bigints, std::string& to);
// The same of all roots as an object.
absl::Status AppendRootsJson(const Document& document, BigInts bigints, std::string& to);
// The text in its list, without what else is there.
void AppendPlainText(const Document& document, TypeIndex text, std::string& to);

// From the type that `type` is in; it is no root and not deleted.
PathStep StepTo(Document& document, TypeIndex type);

// Number `at` of the values that `item` holds.
Value ValueIn(Session& session, const Item& item, uint64_t at);
// Those from number `from` up to `end` (yjs: getContent): of a format none.
void AppendValuesIn(Session& session, const Item& item, uint64_t from, uint64_t end, std::vector<Value>& to);

// As the object of them has them: array indices first, without `__proto__`.
Attributes ReadAttributes(const Document& document, const AttributeMap& attributes);
// yjs: toDelta.
std::vector<DeltaChange> ReadText(Session& session, TypeIndex text);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_READING_H_
