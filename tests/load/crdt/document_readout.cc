#include "document_readout.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "readout.h"

namespace rivermeet::load {
namespace {

using crdt::Any;

std::string HashOf(std::string_view bytes) {
  Fnv1a hash;
  hash.Add(bytes);
  return hash.Hex();
}

// Keeps a result that only its making is timed of.
void Keep(const std::string& bytes) { asm volatile("" : : "r"(bytes.data()) : "memory"); }

std::string JsonOf(const Any& value) {
  const absl::StatusOr<std::string> json = value.ToJson();
  RM_CHECK_OK(json.status());
  return *json;
}

const Any& AnyIn(const std::optional<crdt::Value>& value) {
  RM_CHECK(value.has_value());
  return std::get<Any>(*value);
}

Any Sorted(const Any& value) {
  if (value.object() == nullptr) return value;
  Any::Object object = *value.object();
  for (auto& [key, member] : object) member = Sorted(member);
  std::sort(object.begin(), object.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return Any(std::move(object));
}

}  // namespace

crdt::Doc MakeDocument(uint32_t client, std::string_view root) {
  crdt::Doc document({.client_id = client});
  if (!root.empty()) RM_CHECK_OK(document.GetText(root).status());
  return document;
}

std::string ReadText(const crdt::Doc& document, const crdt::Text& text) {
  Keep(document.EncodeStateVector());
  const std::string whole = HashOf(text.PlainText());
  Fnv1a units;
  ReadAtRandom(text.length(), [&](uint64_t index) { units.AddUnit(*text.UnitAt(index)); });
  return whole + "-" + units.Hex();
}

std::string ReadArray(const crdt::Doc& document, const crdt::List& array) {
  Keep(document.EncodeStateVector());
  const absl::StatusOr<std::string> json = array.ToJson();
  RM_CHECK_OK(json.status());
  Fnv1a elements;
  ReadAtRandom(array.length(), [&](uint64_t index) { elements.Add(JsonOf(AnyIn(array.At(index)))); });
  return HashOf(*json) + "-" + elements.Hex();
}

std::string ReadMap(const crdt::Doc& document, const crdt::Map& map) {
  Keep(document.EncodeStateVector());
  Any::Object object;
  for (std::string& key : map.Keys()) {
    const Any value = Sorted(AnyIn(map.Entry(key)));
    object.emplace_back(std::move(key), value);
  }
  return HashOf(JsonOf(Sorted(Any(std::move(object)))));
}

std::string StateText(const crdt::Doc& document) {
  const std::string state = document.EncodeStateVector();
  return state.size() > 64 ? "fnv:" + HashOf(state) : absl::BytesToHexString(state);
}

}  // namespace rivermeet::load
