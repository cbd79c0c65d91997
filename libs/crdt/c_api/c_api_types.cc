// Shared types of rivermeet_crdt.h.
#include <optional>
#include <utility>

#include "base/status.h"
#include "crdt/c_api/c_api.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(RMCRDT_UNIT_UTF16 == static_cast<int>(TextUnit::kUtf16));
static_assert(RMCRDT_UNIT_UTF8 == static_cast<int>(TextUnit::kUtf8));
static_assert(RMCRDT_UNIT_CODE_POINTS == static_cast<int>(TextUnit::kCodePoint));

absl::StatusOr<TextUnit> UnitArgument(rmcrdt_text_unit unit) {
  if (unit >= RMCRDT_UNIT_UTF16 && unit <= RMCRDT_UNIT_CODE_POINTS) return static_cast<TextUnit>(unit);
  return absl::InvalidArgumentError(fmt::format("there is no unit {} of texts", static_cast<int>(unit)));
}

absl::Status NoParent() { return absl::NotFoundError("the type is in no other: it is a root, or gone"); }

}  // namespace

extern "C" {

void rmcrdt_type_free(rmcrdt_type* type) { delete type; }

rmcrdt_kind rmcrdt_type_kind(const rmcrdt_type* type) {
  return Ask(type, RMCRDT_KIND_UNTYPED, [&]() -> absl::StatusOr<rmcrdt_kind> {
    const std::optional<SharedKind> kind = type->type.kind();
    return kind.has_value() ? static_cast<rmcrdt_kind>(*kind) : RMCRDT_KIND_UNTYPED;
  });
}

bool rmcrdt_type_alive(const rmcrdt_type* type) {
  return Ask(type, false, [&]() -> absl::StatusOr<bool> { return type->type.alive(); });
}

bool rmcrdt_type_same(const rmcrdt_type* a, const rmcrdt_type* b) {
  return Ask(a, false, [&]() -> absl::StatusOr<bool> {
    if (b == nullptr) return NullHandle();
    return a->type == b->type;
  });
}

rmcrdt_buffer* rmcrdt_type_name(const rmcrdt_type* type) {
  return BytesOn(type, [&]() -> absl::StatusOr<std::string> { return type->type.name(); });
}

rmcrdt_type* rmcrdt_type_parent(const rmcrdt_type* type) {
  return NewReading(type, [&]() -> absl::StatusOr<rmcrdt_type> {
    const std::optional<SharedType> parent = type->type.parent();
    if (!parent.has_value()) return NoParent();
    return rmcrdt_type{type->shared, *parent};
  });
}

rmcrdt_value* rmcrdt_type_step(const rmcrdt_type* type) {
  return NewReading(type, [&]() -> absl::StatusOr<rmcrdt_value> {
    const std::optional<PathStep> step = type->type.step();
    if (!step.has_value()) return NoParent();
    return rmcrdt_value{.value = ToAny(*step)};
  });
}

uint64_t rmcrdt_type_length(const rmcrdt_type* type) {
  return Ask(type, uint64_t{0}, [&]() -> absl::StatusOr<uint64_t> { return type->type.length(); });
}

rmcrdt_buffer* rmcrdt_type_to_json(const rmcrdt_type* type) {
  return BytesOn(type, [&] { return type->type.ToJson(); });
}

rmcrdt_buffer* rmcrdt_type_to_xml(const rmcrdt_type* type) {
  return BytesOn(type, [&] { return type->type.ToXml(); });
}

// --- lists

rmcrdt_value* rmcrdt_list_get(const rmcrdt_type* list, uint64_t index) {
  return NewReading(list, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const List there, list->type.AsList());
    std::optional<Value> value = there.At(index);
    if (value.has_value()) return MakeValue(list->shared, *std::move(value));
    return absl::NotFoundError(fmt::format("the list has {} elements, no number {}", there.length(), index));
  });
}

rmcrdt_code rmcrdt_list_insert(rmcrdt_type* list, uint64_t index, const rmcrdt_value* const* values, size_t count) {
  return TryOn(list, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(List there, list->type.AsList());
    RM_ASSIGN_OR_RETURN(const std::vector<Insertable> insertables, InsertablesArgument(values, count));
    return there.Insert(index, insertables);
  });
}

rmcrdt_code rmcrdt_list_push(rmcrdt_type* list, const rmcrdt_value* const* values, size_t count) {
  return TryOn(list, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(List there, list->type.AsList());
    RM_ASSIGN_OR_RETURN(const std::vector<Insertable> insertables, InsertablesArgument(values, count));
    return there.Push(insertables);
  });
}

rmcrdt_code rmcrdt_list_delete(rmcrdt_type* list, uint64_t index, uint64_t length) {
  return TryOn(list, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(List there, list->type.AsList());
    return there.Delete(index, length);
  });
}

// --- maps

rmcrdt_value* rmcrdt_map_get(const rmcrdt_type* map, const char* key, size_t key_size) {
  return NewReading(map, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const Map there, map->type.AsMap());
    RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
    std::optional<Value> value = there.Entry(name);
    if (value.has_value()) return MakeValue(map->shared, *std::move(value));
    return absl::NotFoundError(fmt::format("the map has no key \"{}\"", name));
  });
}

rmcrdt_code rmcrdt_map_set(rmcrdt_type* map, const char* key, size_t key_size, const rmcrdt_value* value) {
  return TryOn(map, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Map there, map->type.AsMap());
    RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
    RM_ASSIGN_OR_RETURN(const Insertable insertable, InsertableArgument(value));
    return there.Set(name, insertable);
  });
}

rmcrdt_code rmcrdt_map_delete(rmcrdt_type* map, const char* key, size_t key_size) {
  return TryOn(map, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Map there, map->type.AsMap());
    RM_ASSIGN_OR_RETURN(const std::string_view name, TextArgument(key, key_size, "the key"));
    return there.Delete(name);
  });
}

rmcrdt_code rmcrdt_map_clear(rmcrdt_type* map) {
  return TryOn(map, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Map there, map->type.AsMap());
    return there.Clear();
  });
}

rmcrdt_value* rmcrdt_map_keys(const rmcrdt_type* map) {
  return NewReading(map, [&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const Map there, map->type.AsMap());
    Any::Array keys;
    for (std::string& key : there.Keys()) keys.emplace_back(std::move(key));
    return rmcrdt_value{.value = Any(std::move(keys))};
  });
}

// --- texts

rmcrdt_buffer* rmcrdt_text_plain(const rmcrdt_type* text) {
  return BytesOn(text, [&]() -> absl::StatusOr<std::string> {
    RM_RETURN_IF_ERROR(text->type.AsText().status());
    return text->type.PlainText();
  });
}

uint64_t rmcrdt_text_length(const rmcrdt_type* text, rmcrdt_text_unit unit) {
  return Ask(text, uint64_t{0}, [&]() -> absl::StatusOr<uint64_t> {
    RM_ASSIGN_OR_RETURN(const Text there, text->type.AsText());
    RM_ASSIGN_OR_RETURN(const TextUnit counted, UnitArgument(unit));
    return there.length(counted);
  });
}

uint64_t rmcrdt_text_convert_place(const rmcrdt_type* text, uint64_t place, rmcrdt_text_unit from,
                                   rmcrdt_text_unit to) {
  return Ask(text, uint64_t{0}, [&]() -> absl::StatusOr<uint64_t> {
    RM_ASSIGN_OR_RETURN(const Text there, text->type.AsText());
    RM_ASSIGN_OR_RETURN(const TextUnit given, UnitArgument(from));
    RM_ASSIGN_OR_RETURN(const TextUnit wanted, UnitArgument(to));
    return there.ConvertPlace(place, given, wanted);
  });
}

rmcrdt_code rmcrdt_text_insert(rmcrdt_type* text, uint64_t index, const char* inserted, size_t inserted_size,
                               const rmcrdt_value* attributes) {
  return TryOn(text, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Text there, text->type.AsText());
    RM_ASSIGN_OR_RETURN(const std::string_view given, BytesArgument(inserted, inserted_size, "the text"));
    if (attributes == nullptr) return there.Insert(index, given);
    RM_ASSIGN_OR_RETURN(const Attributes with, AttributesArgument(attributes));
    return there.Insert(index, given, with);
  });
}

rmcrdt_code rmcrdt_text_insert_embed(rmcrdt_type* text, uint64_t index, const rmcrdt_value* embed,
                                     const rmcrdt_value* attributes) {
  return TryOn(text, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Text there, text->type.AsText());
    RM_ASSIGN_OR_RETURN(const Insertable insertable, InsertableArgument(embed));
    RM_ASSIGN_OR_RETURN(const Attributes with, AttributesArgument(attributes));
    return there.InsertEmbed(index, insertable, attributes == nullptr ? nullptr : &with);
  });
}

rmcrdt_code rmcrdt_text_delete(rmcrdt_type* text, uint64_t index, uint64_t length) {
  return TryOn(text, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Text there, text->type.AsText());
    return there.Delete(index, length);
  });
}

rmcrdt_code rmcrdt_text_format(rmcrdt_type* text, uint64_t index, uint64_t length, const rmcrdt_value* attributes) {
  return TryOn(text, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Text there, text->type.AsText());
    if (attributes == nullptr) return NullHandle();
    RM_ASSIGN_OR_RETURN(const Attributes with, AttributesArgument(attributes));
    return there.Format(index, length, with);
  });
}

}  // extern "C"
