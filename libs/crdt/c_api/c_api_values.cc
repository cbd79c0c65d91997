// Values of rivermeet_crdt.h.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "crdt/c_api/c_api.h"
#include "crdt/limits.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(RMCRDT_VALUE_UNDEFINED == static_cast<int>(Any::Kind::kUndefined));
static_assert(RMCRDT_VALUE_NULL == static_cast<int>(Any::Kind::kNull));
static_assert(RMCRDT_VALUE_BOOL == static_cast<int>(Any::Kind::kBool));
static_assert(RMCRDT_VALUE_NUMBER == static_cast<int>(Any::Kind::kNumber));
static_assert(RMCRDT_VALUE_BIGINT == static_cast<int>(Any::Kind::kBigInt));
static_assert(RMCRDT_VALUE_TEXT == static_cast<int>(Any::Kind::kText));
static_assert(RMCRDT_VALUE_BYTES == static_cast<int>(Any::Kind::kBytes));
static_assert(RMCRDT_VALUE_ARRAY == static_cast<int>(Any::Kind::kArray));
static_assert(RMCRDT_VALUE_OBJECT == static_cast<int>(Any::Kind::kObject));
// Others are those of AnyValue, in its order.
static_assert(
    std::is_same_v<std::variant_alternative_t<1 + RMCRDT_VALUE_TYPE - RMCRDT_VALUE_TYPE, AnyValue>, SharedType>);
static_assert(std::is_same_v<std::variant_alternative_t<1 + RMCRDT_VALUE_SUBDOCUMENT - RMCRDT_VALUE_TYPE, AnyValue>,
                             Subdocument>);
static_assert(
    std::is_same_v<std::variant_alternative_t<1 + RMCRDT_VALUE_NEW_TYPE - RMCRDT_VALUE_TYPE, AnyValue>, NewType>);
static_assert(std::is_same_v<std::variant_alternative_t<1 + RMCRDT_VALUE_NEW_SUBDOCUMENT - RMCRDT_VALUE_TYPE, AnyValue>,
                             NewSubdocument>);

absl::Status OtherKind(std::string_view wanted) {
  return absl::InvalidArgumentError(fmt::format("the value is no {}: rmcrdt_value_get_kind says what it is", wanted));
}

// The same for each way to ask a value for one thing of one kind.
template <class T>
absl::StatusOr<const T*> As(const rmcrdt_value* value, const T* (Any::*part)() const, std::string_view wanted) {
  const Any* any = std::get_if<Any>(&value->value);
  const T* found = any == nullptr ? nullptr : (any->*part)();
  if (found == nullptr) return OtherKind(wanted);
  return found;
}

rmcrdt_value* NewValue(absl::FunctionRef<absl::StatusOr<AnyValue>()> make) {
  return New([&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(AnyValue made, make());
    return rmcrdt_value{.value = std::move(made)};
  });
}

bool HasItems(SharedKind kind) {
  return kind == SharedKind::kArray || kind == SharedKind::kXmlElement || kind == SharedKind::kXmlFragment;
}
bool HasEntries(SharedKind kind) { return kind != SharedKind::kArray && kind != SharedKind::kXmlFragment; }
bool HasText(SharedKind kind) { return kind == SharedKind::kText || kind == SharedKind::kXmlText; }

// The new type in `value`, whose kind `has` what is to be added.
absl::StatusOr<NewType*> NewTypeIn(rmcrdt_value* value, bool (*has)(SharedKind), std::string_view what) {
  NewType* type = std::get_if<NewType>(&value->value);
  if (type == nullptr) return OtherKind("new shared type");
  if (!has(type->kind)) return absl::InvalidArgumentError(fmt::format("a shared type of its kind has no {}", what));
  return type;
}

// `added`, to be put into `type`, which from then on nests as deep as that and one.
absl::StatusOr<Insertable> Nested(rmcrdt_value* type, const rmcrdt_value* added) {
  RM_ASSIGN_OR_RETURN(Insertable insertable, InsertableArgument(added));
  if (added->depth >= Limits().max_depth) {
    return absl::ResourceExhaustedError(fmt::format("new shared types nest deeper than {}", Limits().max_depth));
  }
  type->depth = std::max(type->depth, added->depth + 1);
  return insertable;
}

}  // namespace

namespace rivermeet::crdt::internal {

absl::StatusOr<Insertable> InsertableArgument(const rmcrdt_value* value) {
  if (value == nullptr) return NullHandle();
  if (const Any* any = std::get_if<Any>(&value->value)) return Insertable(*any);
  if (const NewType* type = std::get_if<NewType>(&value->value)) return Insertable(*type);
  if (const auto* document = std::get_if<NewSubdocument>(&value->value)) return Insertable(*document);
  return absl::InvalidArgumentError("a type or document that is in a document can't be put in again: make a new one");
}

absl::StatusOr<std::vector<Insertable>> InsertablesArgument(const rmcrdt_value* const* values, size_t count) {
  if (values == nullptr && count != 0) return absl::InvalidArgumentError("values is NULL, but there are some");
  std::vector<Insertable> insertables;
  insertables.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    RM_ASSIGN_OR_RETURN(Insertable insertable, InsertableArgument(values[i]));
    insertables.push_back(std::move(insertable));
  }
  return insertables;
}

absl::StatusOr<Attributes> AttributesArgument(const rmcrdt_value* attributes) {
  if (attributes == nullptr) return Attributes();
  RM_ASSIGN_OR_RETURN(const Any::Object* object, As(attributes, &Any::object, "object"));
  return *object;
}

rmcrdt_value MakeValue(const DocRef& doc, Value value) {
  rmcrdt_value made;
  if (std::holds_alternative<SharedType>(value)) made.shared = doc;
  std::visit([&](auto& held) { made.value = std::move(held); }, value);
  return made;
}

}  // namespace rivermeet::crdt::internal

extern "C" {

void rmcrdt_value_free(rmcrdt_value* value) { delete value; }

rmcrdt_value_kind rmcrdt_value_get_kind(const rmcrdt_value* value) {
  return Ask(value, RMCRDT_VALUE_UNDEFINED, [&]() -> absl::StatusOr<rmcrdt_value_kind> {
    if (const Any* any = std::get_if<Any>(&value->value)) return static_cast<rmcrdt_value_kind>(any->kind());
    return static_cast<rmcrdt_value_kind>(RMCRDT_VALUE_TYPE + value->value.index() - 1);
  });
}

rmcrdt_value* rmcrdt_value_from_json(const char* json, size_t json_size) {
  return NewValue([&]() -> absl::StatusOr<AnyValue> {
    RM_ASSIGN_OR_RETURN(const std::string_view text, BytesArgument(json, json_size, "json"));
    return Any::FromJson(text);
  });
}

rmcrdt_value* rmcrdt_value_from_any(const uint8_t* any, size_t any_size) {
  return NewValue([&]() -> absl::StatusOr<AnyValue> {
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(any, any_size, "any"));
    return Any::Decode(bytes);
  });
}

rmcrdt_value* rmcrdt_value_from_text(const char* text, size_t text_size) {
  return NewValue([&]() -> absl::StatusOr<AnyValue> {
    RM_ASSIGN_OR_RETURN(const std::string_view given, TextArgument(text, text_size, "the text"));
    return Any(given);
  });
}

rmcrdt_value* rmcrdt_value_from_bytes(const uint8_t* bytes, size_t bytes_size) {
  return NewValue([&]() -> absl::StatusOr<AnyValue> {
    RM_ASSIGN_OR_RETURN(const std::string_view given, BytesArgument(bytes, bytes_size, "bytes"));
    return Any(Any::Bytes{std::string(given)});
  });
}

rmcrdt_value* rmcrdt_value_from_number(double number) {
  return NewValue([&]() -> absl::StatusOr<AnyValue> { return Any(number); });
}

rmcrdt_buffer* rmcrdt_value_to_json(const rmcrdt_value* value) {
  return BytesOn(value, [&]() -> absl::StatusOr<std::string> {
    if (const Any* any = std::get_if<Any>(&value->value)) return any->ToJson();
    if (const SharedType* type = std::get_if<SharedType>(&value->value)) return type->ToJson();
    if (std::holds_alternative<Subdocument>(value->value)) return "{}";
    return absl::InvalidArgumentError("what is yet to be put in has no JSON");
  });
}

rmcrdt_buffer* rmcrdt_value_to_any(const rmcrdt_value* value) {
  return BytesOn(value, [&]() -> absl::StatusOr<std::string> {
    if (const Any* any = std::get_if<Any>(&value->value)) return any->Encode();
    return OtherKind("plain value");
  });
}

rmcrdt_code rmcrdt_value_get_bool(const rmcrdt_value* value, bool* boolean) {
  return TryReading(value, [&]() -> absl::Status {
    if (boolean == nullptr) return NullHandle();
    RM_ASSIGN_OR_RETURN(const bool* found, As(value, &Any::boolean, "boolean"));
    *boolean = *found;
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_value_get_number(const rmcrdt_value* value, double* number) {
  return TryReading(value, [&]() -> absl::Status {
    if (number == nullptr) return NullHandle();
    RM_ASSIGN_OR_RETURN(const double* found, As(value, &Any::number, "number"));
    *number = *found;
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_value_get_bigint(const rmcrdt_value* value, int64_t* bigint) {
  return TryReading(value, [&]() -> absl::Status {
    if (bigint == nullptr) return NullHandle();
    RM_ASSIGN_OR_RETURN(const Any::BigInt* found, As(value, &Any::bigint, "bigint"));
    *bigint = found->value;
    return absl::OkStatus();
  });
}

const uint8_t* rmcrdt_value_get_bytes(const rmcrdt_value* value, size_t* size) {
  return Ask(value, static_cast<const uint8_t*>(nullptr), [&]() -> absl::StatusOr<const uint8_t*> {
    if (size == nullptr) return NullHandle();
    const Any* any = std::get_if<Any>(&value->value);
    const std::string* found = any == nullptr ? nullptr : any->text();
    if (any != nullptr && any->bytes() != nullptr) found = &any->bytes()->data;
    if (found == nullptr) return OtherKind("text and no bytes");
    *size = found->size();
    return reinterpret_cast<const uint8_t*>(found->c_str());
  });
}

rmcrdt_type* rmcrdt_value_get_type(const rmcrdt_value* value) {
  return NewReading(value, [&]() -> absl::StatusOr<rmcrdt_type> {
    const SharedType* type = std::get_if<SharedType>(&value->value);
    if (type == nullptr) return OtherKind("shared type");
    return rmcrdt_type{value->shared, *type};
  });
}

const char* rmcrdt_value_get_guid(const rmcrdt_value* value, size_t* size) {
  return Ask(value, static_cast<const char*>(nullptr), [&]() -> absl::StatusOr<const char*> {
    if (size == nullptr) return NullHandle();
    const std::string* guid = nullptr;
    if (const auto* there = std::get_if<Subdocument>(&value->value)) guid = &there->guid;
    if (const auto* made = std::get_if<NewSubdocument>(&value->value)) guid = &made->guid;
    if (guid == nullptr) return OtherKind("document");
    *size = guid->size();
    return guid->c_str();
  });
}

rmcrdt_value* rmcrdt_value_get_options(const rmcrdt_value* value) {
  return NewReading(value, [&]() -> absl::StatusOr<rmcrdt_value> {
    if (const auto* there = std::get_if<Subdocument>(&value->value)) return rmcrdt_value{.value = there->options};
    if (const auto* made = std::get_if<NewSubdocument>(&value->value)) return rmcrdt_value{.value = made->options};
    return OtherKind("document");
  });
}

size_t rmcrdt_value_get_size(const rmcrdt_value* value) {
  return Ask(value, size_t{0}, [&]() -> absl::StatusOr<size_t> {
    const Any* any = std::get_if<Any>(&value->value);
    if (any != nullptr && any->array() != nullptr) return any->array()->size();
    if (any != nullptr && any->object() != nullptr) return any->object()->size();
    return OtherKind("array and no object");
  });
}

rmcrdt_value* rmcrdt_value_get_element(const rmcrdt_value* array, size_t index) {
  return NewReading(array, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const Any::Array* found, As(array, &Any::array, "array"));
    if (index < found->size()) return rmcrdt_value{.value = (*found)[index]};
    return absl::NotFoundError(fmt::format("the array has {} elements, no number {}", found->size(), index));
  });
}

rmcrdt_value* rmcrdt_value_get_member(const rmcrdt_value* object, const char* key, size_t key_size) {
  return NewReading(object, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
    RM_RETURN_IF_ERROR(As(object, &Any::object, "object").status());
    const Any* found = std::get<Any>(object->value).Find(name);
    if (found != nullptr) return rmcrdt_value{.value = *found};
    return absl::NotFoundError(fmt::format("the object has no member \"{}\"", name));
  });
}

rmcrdt_value* rmcrdt_value_new_type(rmcrdt_kind kind, const char* name, size_t name_size) {
  return New([&]() -> absl::StatusOr<rmcrdt_value> {
    NewType type;
    RM_ASSIGN_OR_RETURN(type.kind, KindArgument(kind));
    RM_ASSIGN_OR_RETURN(type.name, TextArgument(name, name_size, "the type's name"));
    const bool named = type.kind == SharedKind::kXmlElement || type.kind == SharedKind::kXmlHook;
    if (!named && !type.name.empty()) return absl::InvalidArgumentError("only XML elements and hooks have a name");
    return rmcrdt_value{.value = std::move(type), .depth = 1};
  });
}

rmcrdt_value* rmcrdt_value_new_subdocument(const char* guid, size_t guid_size, const rmcrdt_value* options) {
  return NewValue([&]() -> absl::StatusOr<AnyValue> {
    NewSubdocument document;
    RM_ASSIGN_OR_RETURN(document.guid, TextArgument(guid, guid_size, "the document's guid"));
    if (options == nullptr) return document;
    RM_ASSIGN_OR_RETURN(const Any::Object* object, As(options, &Any::object, "object"));
    document.options = *object;
    return document;
  });
}

rmcrdt_code rmcrdt_value_push(rmcrdt_value* new_type, const rmcrdt_value* item) {
  return TryReading(new_type, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(NewType* const type, NewTypeIn(new_type, HasItems, "elements"));
    RM_ASSIGN_OR_RETURN(Insertable added, Nested(new_type, item));
    type->items.push_back(std::move(added));
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_value_set(rmcrdt_value* new_type, const char* key, size_t key_size, const rmcrdt_value* value) {
  return TryReading(new_type, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(NewType* const type, NewTypeIn(new_type, HasEntries, "entries"));
    RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
    RM_ASSIGN_OR_RETURN(Insertable added, Nested(new_type, value));
    type->entries.emplace_back(name, std::move(added));
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_value_set_text(rmcrdt_value* new_type, const char* text, size_t text_size) {
  return TryReading(new_type, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(NewType* const type, NewTypeIn(new_type, HasText, "text"));
    RM_ASSIGN_OR_RETURN(const std::string_view given, TextArgument(text, text_size, "the text"));
    type->text = given;
    return absl::OkStatus();
  });
}

}  // extern "C"
