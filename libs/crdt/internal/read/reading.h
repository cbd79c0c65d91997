// Reads what shared types hold now: as JSON, as values (yjs: toJSON, toArray).
#ifndef RIVERMEET_CRDT_INTERNAL_READ_READING_H_
#define RIVERMEET_CRDT_INTERNAL_READ_READING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/wire/any_codec.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/utf.h"

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
// Calls `take`(number, value) with those from number `from` up to `to`, one after the other (yjs: getContent): of a
// format, and of what is gone, none.
template <class Take>
void ForEachValueIn(Session& session, const Item& item, uint32_t from, uint32_t to, Take&& take) {
  switch (item.kind) {
    case ContentKind::kAny:
    case ContentKind::kJson:
      for (ByteReader reader(session.document.contents.Skip(item.bytes(), from)); from < to; ++from) {
        take(from, Value(Any::DecodeTrusted(StepOverAny(reader))));
      }
      return;
    case ContentKind::kString: {
      std::string text;
      AppendSlice(item.bytes(), from, to, text);
      return ForEachUnit(text, [&](std::string_view unit) { take(from++, Value(Any(unit))); });
    }
    case ContentKind::kFormat:
    case ContentKind::kDeleted:
    case ContentKind::kGc:
    case ContentKind::kSkip:
      return;
    default:
      if (from < to) take(from, ValueIn(session, item, 0));
  }
}

// As the object of them has them: array indices first, without `__proto__`.
Attributes ReadAttributes(const Document& document, const AttributeMap& attributes);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_READING_H_
