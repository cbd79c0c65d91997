#include "yjs/event_teller.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::yjs {

namespace {

using crdt::Any;
using crdt::DeltaChange;

std::string Json(const Any& any) {
  const auto json = any.ToJson(crdt::BigInts::kAsText);
  RM_CHECK_OK(json.status());
  return *json;
}

// What is in `values`, each as `tell` tells it, as an array.
template <class Values, class Tell>
std::string Listed(const Values& values, Tell tell) {
  std::string all = "[";
  for (const auto& value : values) {
    if (all.size() > 1) all.push_back(',');
    all.append(tell(value));
  }
  return all + "]";
}

std::string Told(const crdt::Value& value) {
  if (const auto* type = std::get_if<crdt::SharedType>(&value)) {
    return fmt::format("{{\"type\":{}}}", static_cast<int>(*type->kind()));
  }
  if (const auto* document = std::get_if<crdt::Subdocument>(&value)) {
    return fmt::format("{{\"guid\":{}}}", Json(Any(document->guid)));
  }
  const Any& any = std::get<Any>(value);
  return any.is_undefined() ? "null" : Json(any);
}

std::string ToldPath(const std::vector<crdt::PathStep>& path) {
  return Listed(path, [](const crdt::PathStep& step) {
    const auto* key = std::get_if<std::string>(&step);
    return key != nullptr ? Json(Any(*key)) : std::to_string(std::get<uint64_t>(step));
  });
}

std::string Told(const crdt::KeyChange& change) {
  constexpr const char* kActions[] = {"add", "update", "delete"};
  return fmt::format("[{},\"{}\",{}]", Json(Any(change.key)), kActions[static_cast<int>(change.action)],
                     Told(change.old_value));
}

std::string Told(const DeltaChange& change) {
  std::string told = "{";
  if (!change.attributes.empty()) {
    const Any attributes = Any::Object(change.attributes);
    told += fmt::format("\"attributes\":{},", Json(attributes));
  }
  if (change.kind == DeltaChange::Kind::kInsert) {
    return told + "\"insert\":" + Listed(change.inserted, [](const crdt::Value& value) { return Told(value); }) + "}";
  }
  return told +
         fmt::format("\"{}\":{}}}", change.kind == DeltaChange::Kind::kRetain ? "retain" : "delete", change.length);
}

std::string Told(const crdt::Event& event) {
  // Asked for in the order in which events.mjs asks.
  const std::string touched = Listed(event.TouchedKeys(), [](const std::string& key) { return Json(Any(key)); });
  const std::string keys = Listed(event.Keys(), [](const crdt::KeyChange& change) { return Told(change); });
  const std::string delta = Listed(event.Delta(), [](const DeltaChange& change) { return Told(change); });
  return fmt::format("{{\"target\":{},\"path\":{},\"local\":{},\"list\":{},\"touched\":{},\"keys\":{},\"delta\":{}}}",
                     static_cast<int>(*event.target().kind()), ToldPath(event.path()), event.local(),
                     event.list_changed(), touched, keys, delta);
}

}  // namespace

void EventTeller::Start(crdt::Doc& doc) {
  subscriptions_.push_back(doc.OnTransaction([](const crdt::TransactionEvent&) {}));
}

void EventTeller::Observe(const std::string& name, const crdt::SharedType& root) {
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) return;
  names_.push_back(name);
  const std::string head = "[" + Json(Any(name)) + ",";
  subscriptions_.push_back(
      root.Observe([this, head](const crdt::Event& event) { heard_.push_back(head + ToldPath(event.path()) + "]"); }));
  subscriptions_.push_back(root.ObserveDeep([this, head](absl::Span<const crdt::Event> events) {
    heard_.push_back(head + Listed(events, [](const crdt::Event& event) { return Told(event); }) + "]");
  }));
}

std::string EventTeller::Take() {
  std::string all;
  for (const std::string& line : std::exchange(heard_, {})) {
    if (!all.empty()) all.push_back('\n');
    all.append(line);
  }
  return all;
}

}  // namespace rivermeet::yjs
